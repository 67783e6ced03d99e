#!/usr/bin/env python3
"""scripts/compare_with.py on a sample: its table, its costs, its picture, and what it says of tools that are not there.

usage: script.py --build-dir DIR
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
LONGEST_RUN_S = 120


def compare_with(build, folder, *words, **environment):
    shutil.rmtree(folder, ignore_errors=True)
    # The system's Python: the one that Debian's matplotlib is for.
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    return subprocess.run([python, ROOT / "scripts/compare_with.py", "--build-dir", build, "--output", folder, *words,
                           "--", build / "samples/lost_at_exit", "0.2"],
                          capture_output=True, text=True, timeout=LONGEST_RUN_S, check=False,
                          env=os.environ | environment)


def expect(condition, what, done):
    if not condition:
        sys.exit(f"{what}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    build = parser.parse_args().build_dir.resolve()
    folder = build / "compare" / "script"

    done = compare_with(build, folder)
    expect(done.returncode == 0, f"status {done.returncode}", done)
    document = json.loads((folder / "compare.json").read_text())
    found = {tool["tool"]: tool["found"] for tool in document["tools"]}
    expect(found.get("seep", 0) >= 1 and found.get("valgrind") == 1, f"found {found}", done)
    leak = document["leaks"][0]
    lost = {one["tool"]: one["direct"]["bytes"] + one["indirect"]["bytes"] for one in leak["findings"] if one["direct"]}
    # A fixed amount of work: 200 options of 16 and 24 bytes, whatever the tool.
    expect(set(lost.values()) == {8000}, f"lost {lost}", done)
    expect(leak["same_counts"] is True, "counts differ", done)
    for line in ("alone", "seep", "Valgrind"):
        expect(f"\n{line} " in done.stdout, f"no cost of {line}", done)
    picture = folder / "compare.png"
    expect(picture.exists() or "python3-matplotlib is not installed" in done.stderr, "no picture, no reason", done)
    expect(not picture.exists() or picture.read_bytes()[:4] == b"\x89PNG", "the picture is no PNG", done)

    # Tools that are not on the path are said, and no reason to stop before all of them are gone.
    done = compare_with(build, folder, "--tools", "seep,valgrind,heaptrack", PATH="/nowhere")
    expect("Valgrind is left out: not installed" in done.stderr, "an absent Valgrind is not said", done)
    expect("heaptrack is left out: not installed" in done.stderr, "an absent heaptrack is not said", done)
    expect(done.returncode == 3, f"status {done.returncode} with nothing to compare", done)


if __name__ == "__main__":
    main()
