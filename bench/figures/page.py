#!/usr/bin/env python3
"""The page of `seep export --to html` for a recording of 64 snapshots and 10,000 sites: how long it takes to make, how
large it is, and when Chromium has it ready to be clicked.

usage: page.py --build build/release [--runs N] [--sites N] [--snapshots N]

Two recordings by seep_measure_diff: "named" has 10,000 functions of which most stay as they are; in "write" every
site changes at every snapshot. Nothing is asserted. "ready" is told by the page itself, since the navigation began:
suspects drawn and every listener in place; "flame" the same with the flame graph as the view that the link names.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests/scenarios/export"))
from chromium import Chromium  # noqa: E402 (found by the line above)


def make(build, recording, page):
    start = time.monotonic()
    subprocess.run([build / "bin/seep", "export", "--to", "html", recording, "-o", page, "--force"], check=True,
                   capture_output=True)
    return time.monotonic() - start


def ready(page, fragment):
    with Chromium() as browser:
        browser.size(1366, 820)
        browser.open(page, fragment)
        return float(browser.evaluate("document.documentElement.dataset.readyMs")) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sites", type=int, default=10000)
    parser.add_argument("--snapshots", type=int, default=64)
    options = parser.parse_args()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ["named", "write"]:
            recording, page = pathlib.Path(folder, kind, "server.1"), pathlib.Path(folder, f"{kind}.html")
            subprocess.run([build / "bin/seep_measure_diff", kind, recording, str(options.sites), str(options.snapshots)],
                           check=True)
            made = [make(build, recording, page) for _ in range(options.runs)]
            shown = [ready(page, "") for _ in range(options.runs)]
            flames = [ready(page, "#tab=flame") for _ in range(options.runs)]
            print(f"{kind}: made in {statistics.median(made):.2f} s, {page.stat().st_size / 1e6:.2f} MB, "
                  f"ready in {statistics.median(shown):.2f} s, flame {statistics.median(flames):.2f} s", flush=True)


if __name__ == "__main__":
    main()
