#!/usr/bin/env python3
"""Runs programs from Debian's packages with and without seep, and compares.

usage: run.py --build-dir DIR [--only NAME,…] [--offline] [--markdown FILE]

The packages are downloaded and unpacked under DIR, never installed (scripts/fetch_packages). Each
program runs twice, natively and under `seep run`; standard output, standard error and exit status
must be the same byte by byte. For the servers, what their clients receive is compared instead.
Prints one line a program; exit status 1 when anything differs or a report says what it must not.
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import command_line_programs  # noqa: E402
import servers  # noqa: E402
from harness import Bench, Trouble  # noqa: E402

COLUMNS = ("program", "output", "status", "native s", "seep s", "snapshots", "losses", "first row")


def cells(row):
    same = {True: "same", False: "DIFFERS"}
    losses = ", ".join(f"{name} {count}" for name, count in row.losses.items() if count) or "none"
    return (row.name, same[row.output_same], same[row.status_same], f"{row.native_s:.2f}",
            f"{row.tracked_s:.2f}", str(row.snapshots), losses, row.first_row)


def print_table(rows):
    table = [COLUMNS] + [cells(row) for row in rows]
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def write_markdown(rows, path):
    lines = ["| " + " | ".join(line) + " |" for line in [COLUMNS] + [cells(row) for row in rows]]
    lines.insert(1, "|" + "---|" * len(COLUMNS))
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--only", help="comma separated names")
    parser.add_argument("--offline", action="store_true", help="use the packages unpacked already, or fail")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table there as well")
    options = parser.parse_args()

    bench = Bench(options.build_dir.resolve(), options.offline)
    programs = command_line_programs.ALL + servers.ALL
    chosen = options.only.split(",") if options.only else list(dict(programs))
    rows, troubles = [], []
    for name, run in programs:
        if name not in chosen:
            continue
        try:
            row = run(bench, name)
        except Trouble as trouble:
            troubles.append(f"{name}: {trouble}")
            continue
        rows.append(row)
        troubles += [f"{name}: {trouble}" for trouble in row.troubles]
    print_table(rows)
    if options.markdown:
        write_markdown(rows, options.markdown)
    for trouble in troubles:
        print(f"run.py: {trouble}", file=sys.stderr)
    if troubles:
        print(f"run.py: kept {bench.work}", file=sys.stderr)
    sys.exit(1 if troubles or not rows else 0)


if __name__ == "__main__":
    main()
