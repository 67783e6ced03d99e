#!/usr/bin/env python3
"""Runs programs whose truth is known (tests/labelled/labels.txt) and says how often the verdicts are right.

usage: labelled.py --build-dir DIR [--quick | --long] [--only NAME,…] [--tools valgrind,lsan,heaptrack]
                   [--at-once N] [--keep DIR [--again]] [--verbose]

Without an option the 89 programs of a few seconds, a minute or two; --quick every second one of them; --long
those of minutes too, about five minutes more. Builds nothing. Prints, for the part that rules were tuned on
and the part held out: leaking function in the first row, programs without a leak that are accused, calibration
of the confidence. --tools runs the brief programs under other tools as well (Valgrind takes some minutes).
--keep leaves the recordings in DIR; --again judges those that stand there and runs nothing.
Exit status: 0 when at least 95 % of the leaks are found and nothing sound is accused, else 1.
"""
import argparse
import os
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "labelled"))
import figures  # noqa: E402
import peers  # noqa: E402
import run  # noqa: E402
from labels import read_labels  # noqa: E402


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true", help="every second brief program")
    parser.add_argument("--long", action="store_true", help="also the programs of minutes")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--tools", default="", help=f"of {', '.join(peers.TOOLS)}")
    parser.add_argument("--at-once", type=int, default=6 * (os.cpu_count() or 2))
    parser.add_argument("--keep", type=pathlib.Path, help="where recordings stay")
    parser.add_argument("--again", action="store_true", help="judge the recordings of --keep")
    parser.add_argument("--verbose", action="store_true", help="each program's first row")
    options = parser.parse_args(arguments)
    if options.again and not options.keep:
        parser.error("--again needs --keep")
    return options


def chosen(options):
    labels = read_labels()
    if options.only:
        names = options.only.split(",")
        unknown = set(names) - {label.name for label in labels}
        if unknown:
            sys.exit(f"labelled.py: no such program: {', '.join(sorted(unknown))}")
        return [label for label in labels if label.name in names]
    labels = [label for label in labels if label.brief or options.long]
    return labels[1::2] if options.quick else labels


def print_figures(name, outcomes):
    print(f"--- {name}")
    for part in ("tuning", "held-out"):
        members = [outcome for outcome in outcomes if outcome.label.part == part]
        for line in figures.summary(part, members):
            print(line)
    for line in figures.mistakes(outcomes):
        print(f"  {line}")


def print_rows(outcomes):
    for outcome in outcomes:
        row = outcome.rows[0] if outcome.rows else None
        said = f"{row.behaviour} {row.confidence} {row.function}: {row.why}" if row else "no row"
        print(f"  {outcome.label.name}: {said}")


def outcomes_of(options, labels, folder):
    tool = run.Seep(options.build_dir.resolve(), folder)
    if options.again:
        return [tool.judge(label) for label in labels]
    return run.run_all(tool, labels, options.at_once)


def main(arguments):
    options = options_of(arguments)
    labels = chosen(options)
    with tempfile.TemporaryDirectory(prefix="seep-labelled-") as scratch:
        folder = run.folder_of(options.keep or scratch)
        begin = time.monotonic()
        outcomes = outcomes_of(options, labels, folder)
        print(f"{len(labels)} programs in {time.monotonic() - begin:.0f} s")
        if options.verbose:
            print_rows(outcomes)
        print_figures("seep", outcomes)
        for line in figures.calibration(outcomes):
            print(line)
        for tool in peers.chosen(options.tools, options.build_dir.resolve(), folder):
            brief = [label for label in labels if label.brief]
            print(*peers.summary(tool.name, run.run_all(tool, brief, options.at_once)), sep="\n")
    return 1 if figures.failed(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
