#!/usr/bin/env python3
"""Runs other people's test suites and programs alone and under seep, and compares which tests pass.

usage: conformance.py --build-dir DIR [--only NAME,…] [--quick] [--offline] [--logs DIR] [--list]

Packages are unpacked under DIR, never installed (scripts/fetch_packages). Under seep, every process takes
a snapshot every 100 ms and at its end. What counts is the result of each test, not its time. A part in which
something differs runs once more, alone and under seep: a difference counts when it stands twice; what is not
steady is named. Prints a table. Exit status: 0 no difference, 1 a difference, a damaged recording or a suite
that cannot run; 77 when every chosen suite had to be left out because a package or a program is missing.
"""
import argparse
import dataclasses
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "conformance"))
import build  # noqa: E402
import cpython  # noqa: E402
import git_operations  # noqa: E402
import glib  # noqa: E402
import perl  # noqa: E402
import php  # noqa: E402
import postgresql  # noqa: E402
import redis  # noqa: E402
import sqlite  # noqa: E402
import tools  # noqa: E402
import web  # noqa: E402
from place import Absent, Place, Recorded, Trouble, Turn  # noqa: E402
from suite import compare  # noqa: E402

SUITES = [suite for module in (cpython, git_operations, build, tools, sqlite, redis, glib, postgresql, web, php, perl) for suite in module.SUITES]
COLUMNS = ("suite", "tests alone", "under seep", "differences", "unsteady", "processes", "snapshots", "verify",
           "events lost", "alone s", "seep s")
LEFT_OUT = 77


@dataclasses.dataclass
class Row:
    """What came of one suite."""
    name: str
    tests_alone: int = 0
    tests_tracked: int = 0
    recorded: Recorded = dataclasses.field(default_factory=Recorded)
    stands: dict = dataclasses.field(default_factory=dict)
    unsteady: dict = dataclasses.field(default_factory=dict)
    troubles: list = dataclasses.field(default_factory=list)
    alone_s: float = 0.0
    tracked_s: float = 0.0

    def failed(self):
        return bool(self.stands or self.troubles)

    def cells(self):
        lost = ", ".join(f"{name} {count}" for name, count in self.recorded.events_lost().items()) or "none"
        whole = f"{len(self.recorded.damaged)} DAMAGED" if self.recorded.damaged else "whole"
        return (self.name, str(self.tests_alone), str(self.tests_tracked), str(len(self.stands)),
                str(len(self.unsteady)), str(self.recorded.processes), str(self.recorded.snapshots), whole, lost,
                f"{self.alone_s:.1f}", f"{self.tracked_s:.1f}")


class Runner:
    """Runs the parts of a suite and fills its row."""

    def __init__(self, place, suite):
        self.place, self.suite, self.row = place, suite, Row(suite.name)

    def turn(self, part, tracked, number):
        turn = Turn(self.place, self.suite.name, part, tracked, number)
        begin = time.monotonic()
        results = self.suite.run(turn, part)
        seconds = time.monotonic() - begin
        recorded = turn.recorded()
        self.row.recorded.add(recorded)
        if tracked:
            self.row.tracked_s += seconds
            if not recorded.snapshots:
                self.row.troubles.append(f"{part}: no snapshot was taken, nothing is shown")
        else:
            self.row.alone_s += seconds
        turn.note("\n".join(["[results]", *(f"{name}: {result}" for name, result in sorted(results.items()))]))
        if not recorded.damaged:
            turn.remove()
        return results

    def both(self, part, number):
        return self.turn(part, False, number), self.turn(part, True, number)

    def run(self):
        for part in self.suite.parts:
            begin = time.monotonic()
            alone, tracked = self.both(part, 1)
            found = compare(alone, tracked, lambda part=part: self.both(part, 2))
            self.row.tests_alone += len(alone)
            self.row.tests_tracked += len(tracked)
            self.row.stands.update((f"{part}: {name}", why) for name, why in found.stands.items())
            self.row.unsteady.update((f"{part}: {name}", why) for name, why in found.unsteady.items())
            say(f"{self.suite.name} {part}: {len(alone)} tests, {len(found.stands)} differ, "
                f"{time.monotonic() - begin:.1f} s")
        self.row.troubles += [f"damaged: {line}" for line in self.row.recorded.damaged]


def say(sentence):
    print(f"conformance.py: {sentence}", file=sys.stderr, flush=True)


def run_suite(place, suite):
    """The suite's row, or None where something that it needs is missing."""
    runner = Runner(place, suite)
    try:
        place.unpack(suite)
        runner.run()
    except Absent as absent:
        if runner.row.tests_alone == 0:
            say(f"{suite.name}: LEFT OUT: {absent}")
            return None
        runner.row.troubles.append(f"ends early: {absent}")
    except (Trouble, OSError, subprocess.SubprocessError) as trouble:
        runner.row.troubles.append(f"{type(trouble).__name__}: {trouble}")
    return runner.row


def print_table(rows, copy):
    table = [COLUMNS] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table]
    print("\n".join(lines), flush=True)
    copy.write_text("\n".join(lines) + "\n")


def print_findings(rows):
    for row in rows:
        for name, why in row.unsteady.items():
            say(f"{row.name}: unsteady, not counted: {name}: {why}")
        for name, why in row.stands.items():
            say(f"{row.name}: DIFFERS: {name}: {why}")
        for trouble in row.troubles:
            say(f"{row.name}: {trouble}")


def choose(options):
    """The suites to run, each with the parts to run."""
    chosen = [dataclasses.replace(suite, parts=suite.chosen_parts(options.quick)) for suite in SUITES]
    if options.only:
        named = [name.partition(":") for name in options.only.split(",")]
        known = {suite.name: suite for suite in SUITES}
        for name, _, part in named:
            if name not in known or part and part not in known[name].parts + known[name].quick_parts:
                sys.exit(f"conformance.py: no {name}{':' if part else ''}{part}; see --list")
        chosen = [dataclasses.replace(suite, parts=[part for name, _, part in named if name == suite.name and part]
                                      or suite.parts)
                  for suite in chosen if suite.name in {name for name, _, _ in named}]
    return [suite for suite in chosen if suite.parts]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--only", help="comma separated suites, or parts of them: git,cpython:test_io")
    parser.add_argument("--quick", action="store_true", help="the bounded part: a minute or two")
    parser.add_argument("--seconds", type=int, default=10, help="how long servers are under load")
    parser.add_argument("--offline", action="store_true", help="use the packages unpacked already, or leave out")
    parser.add_argument("--logs", type=pathlib.Path, help="folder for the logs (default: under the build folder)")
    parser.add_argument("--list", action="store_true", help="print the suites and end")
    return parser.parse_args()


def main():
    options = parse()
    if options.list:
        for suite in SUITES:
            print(f"{suite.name:10} {suite.about}; parts: {', '.join(suite.parts)}"
                  f"; quick: {', '.join(suite.quick_parts) or 'none'}")
        return 0
    suites = choose(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends what runs, too
    try:
        place = Place(options)
    except Absent as absent:
        say(f"EVERYTHING LEFT OUT: {absent}")
        return LEFT_OUT
    rows = [row for row in (run_suite(place, suite) for suite in suites) if row]
    print_table(rows, place.logs / "table.txt")
    print_findings(rows)
    say(f"logs: {place.logs}")
    if any(row.recorded.damaged for row in rows):
        say(f"kept {place.scratch}")
    else:
        shutil.rmtree(place.scratch, ignore_errors=True)
    if not rows:
        return LEFT_OUT
    return 1 if any(row.failed() for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
