#!/usr/bin/env python3
"""Churn for half an hour under the default interval, and what must hold at its end.

usage: long_run.py --build-dir DIR [--seconds N]

At most SEEP_KEEP files, every mark kept, the last minutes dense, nothing lost, and the tracker's own
memory flat: a service of a month must have a curve, and must not pay for it.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

KEEP = 64          # the default of SEEP_KEEP
MARKS = 10
DENSE_S = 300      # of the end of the run
LONGEST_GAP_S = 65  # the latest snapshots are at most a minute apart
FLAT_SHARE = 1.1   # tracker memory at the end, over that at a third of the run
FLAT_BYTES = 1 << 20


def run_churn(build, recordings, seconds):
    """Runs the churn, marking it from outside at even distances; the number of marks set."""
    environment = {**os.environ, "LD_PRELOAD": str(build / "lib/libseep.so"), "SEEP_DIR": str(recordings)}
    program = build / "tests/scenarios/programs/churn"
    process = subprocess.Popen([str(program), str(seconds), "2"], env=environment)
    try:
        for mark in range(MARKS):
            time.sleep(seconds / (MARKS + 1))
            subprocess.run([str(build / "bin/seep"), "mark", str(process.pid), f"mark {mark}",
                            "--wait", "30s"], check=True, stdout=subprocess.DEVNULL)
        if process.wait() != 0:
            sys.exit(f"long_run: the churn ended with {process.returncode}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def gaps(times):
    return [after - before for before, after in zip(times, times[1:])]


def flatness_trouble(snapshots, seconds):
    tracker = [(s["time_s"], s["accounting"]["tracker_bytes"]) for s in snapshots]
    early = [size for time_s, size in tracker if time_s >= seconds / 3][0]
    last = tracker[-1][1]
    print(f"long_run: tracker memory {early} B at a third, {last} B at the end")
    if last > early * FLAT_SHARE + FLAT_BYTES:
        return [f"tracker memory grew from {early} to {last} bytes"]
    return []


def troubles(report, files, seconds):
    snapshots = report["snapshots"]
    late = [s["time_s"] for s in snapshots if s["time_s"] >= seconds - DENSE_S]
    widest = max(gaps(late), default=seconds)
    marks = sum(s["trigger"] == "mark" for s in snapshots)
    print(f"long_run: {files} files, {marks} marks, widest gap of the last {DENSE_S} s: {widest:.1f} s")
    found = flatness_trouble(snapshots, seconds)
    if files > KEEP:
        found.append(f"{files} files, more than {KEEP}")
    if marks != MARKS:
        found.append(f"{marks} marks of {MARKS}")
    if widest > LONGEST_GAP_S:
        found.append(f"a gap of {widest:.1f} s near the end")
    found += [f"lost: {name} {count}" for name, count in report["losses"].items() if count]
    found += [f"a leak in churn: {s['why']}" for s in report["suspects"] if s["leak"]]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=1800)
    options = parser.parse_args()
    build = options.build_dir.resolve()
    recordings = build / "long-run"
    shutil.rmtree(recordings, ignore_errors=True)
    run_churn(build, recordings, options.seconds)
    (recording,) = recordings.glob("churn.*")
    report = subprocess.run([str(build / "bin/seep"), "report", "--json", str(recording)], check=True,
                            capture_output=True)
    found = troubles(json.loads(report.stdout), len(list(recording.glob("*.seep"))), options.seconds)
    for trouble in found:
        print(f"long_run: {trouble}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
