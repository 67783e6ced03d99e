#!/usr/bin/env python3
"""Counts how often each kind of verdict is right and writes analyzer/rank/confidence_table.inc.

usage: calibrate.py --build-dir DIR [--runs N] [--seed N] [--write]

Judges N simulated runs of each family (DIR/bin/seep_simulate), leaks and sound ones; families that nothing
tells from a leak are left out. Prints for each bin the rows, the share that was right and its Wilson interval;
--write puts rows and right ones into the table. The bins are those of the table as it stands.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "labelled"))
from figures import LEAST_ROWS, wilson  # noqa: E402

TABLE = pathlib.Path(__file__).resolve().parents[1] / "analyzer" / "rank" / "confidence_table.inc"
ENTRY = re.compile(r"CONFIDENCE\((\w+), \d+, \d+\)")


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=int, default=3000, help="of each family")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args(arguments)


def count(options):
    """bin -> [rows, right]"""
    command = [options.build_dir / "bin" / "seep_simulate", "--rows", "--runs", str(options.runs), "--seed",
               str(options.seed)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    counts = collections.defaultdict(lambda: [0, 0])
    for line in printed.splitlines():
        truth, _, _, behaviour, name = line.split("\t")
        if truth == "undecidable":
            continue
        counts[name][0] += 1
        counts[name][1] += (behaviour == "growing") == (truth == "leak")
    return counts


def text_of(rows, right):
    if rows < LEAST_ROWS:
        return f"{rows} rows: no claim"
    low, high = wilson(right, rows)
    return f"{right / rows:.3f} ({low:.3f}–{high:.3f})"


def main(arguments):
    options = options_of(arguments)
    counts = count(options)
    names = ENTRY.findall(TABLE.read_text())
    unknown = set(counts) - set(names)
    if unknown:
        sys.exit(f"calibrate.py: bins that the table does not have: {', '.join(sorted(unknown))}")
    lines = [f"// Written by scripts/calibrate.py: {options.runs} runs of each family, seed {options.seed}.",
             "// Bin, rows, rows whose `leak` was right; the share and its Wilson interval (95 %)."]
    for name in names:
        rows, right = counts[name]
        lines.append(f"CONFIDENCE({name}, {rows}, {right})  // {text_of(rows, right)}")
        print(f"{name:24} {rows:6} rows  {text_of(rows, right)}")
    if options.write:
        TABLE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
