#!/usr/bin/env python3
"""Captures every stack of many programs twice, as it is recorded and from scratch, and compares.

usage: run.py --build-dir DIR [--compared N] [--seconds S] [--only NAME,…] [--own] [--offline]
              [--markdown FILE]

Each program runs under libseep_checked.so, again and again, until N stacks have been compared
(1,000,000 without the option) or S seconds have passed. Prints one line a program: how many stacks
were compared and how many differed, how they were found, and what kept them from being predicted.
Exit status 1 when any stack differs or a program could not be run; what differed is on the
program's stderr, kept in DIR/captures.

--own leaves out the programs from Debian's packages, which are downloaded and unpacked under DIR.
"""
import argparse
import dataclasses
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "tests/scenarios/real"))
import programs  # noqa: E402  (beside this file)
from harness import Programs, Trouble, environment  # noqa: E402

LONGEST_RUN_S = 600


def capture_names():
    """The counts by their place in the control page."""
    text = (SOURCE / "format/capture_counts.inc").read_text()
    return {int(number): name for number, name in re.findall(r"^SEEP_CAPTURE_COUNT\((\d+), (\w+),", text, re.M)}


def captures_layout():
    """(offset, number) of ControlPage::captures, which stand right before the reserved bytes."""
    text = (SOURCE / "format/control_page.h").read_text()
    found = re.search(r"captures\[(\d+)\];[^\n]*\n\s*char reserved\[(\d+)\];\n\};\n"
                      r"static_assert\(sizeof\(ControlPage\) == (\d+)\)", text)
    if found is None:
        raise SystemExit("run.py: format/control_page.h does not look as expected")
    number, reserved, page = map(int, found.groups())
    return page - reserved - 8 * number, number


NAMES = capture_names()
CAPTURES_AT, CAPTURES = captures_layout()


def read_counts(control):
    """Name to count, as the process published them last: at its exit."""
    page = control.read_bytes()
    values = struct.unpack_from(f"<{CAPTURES}Q", page, CAPTURES_AT)
    return {name: values[place] for place, name in NAMES.items()}


@dataclasses.dataclass
class Row:
    name: str
    runs: int = 0
    seconds: float = 0.0
    counts: dict = dataclasses.field(default_factory=lambda: dict.fromkeys(NAMES.values(), 0))
    troubles: list = dataclasses.field(default_factory=list)

    def add(self, pages):
        """The counts of one run. A fork's child goes on with its parent's, so only the process with
        the most is counted; a difference counts wherever it is."""
        if not pages:
            return
        for name, count in max(pages, key=lambda page: page["compared"]).items():
            self.counts[name] += count
        most = max(page["different"] for page in pages)
        self.counts["different"] = max(self.counts["different"], most)

    def share(self, name):
        """Of the blocks' stacks; those of maps are never predicted."""
        found = sum(self.counts[way] for way in ("predicted", "first_met", "changed", "without_cache"))
        return f"{100 * self.counts[name] / found:.2f}" if found > self.counts["compared"] / 100 else "maps"


class Checker:
    def __init__(self, options):
        self.build = options.build_dir.resolve()
        self.compared, self.most_seconds = options.compared, options.seconds
        self.library = self.build / "lib/libseep_checked.so"
        if not self.library.exists():
            raise SystemExit(f"run.py: {self.library} is not built")
        self.work = self.build / "captures"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)

    def run_once(self, program, row):
        recordings = self.work / f"{program.name}.recordings"
        shutil.rmtree(recordings, ignore_errors=True)
        preload = [str(self.library), *program.preload]
        settings = {"LD_PRELOAD": ":".join(preload), "SEEP_DIR": str(recordings), "SEEP_INTERVAL": "off",
                    "SEEP_MIN_LIFE": "0", "SEEP_SCAN": "off", **program.settings}
        with open(self.work / f"{program.name}.stderr", "ab") as err:
            done = subprocess.run(program.command(self.compared), env=environment(program.library_path, settings),
                                  cwd=self.work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                                  check=False, timeout=LONGEST_RUN_S)
        row.runs += 1
        if done.returncode != program.status:
            row.troubles.append(f"ended with {done.returncode} instead of {program.status}")
        row.add([read_counts(control) for control in recordings.glob("*/control")])
        shutil.rmtree(recordings, ignore_errors=True)

    def check(self, program):
        row = Row(program.name)
        start = time.monotonic()
        while not row.troubles and not row.counts["different"] and row.counts["compared"] < self.compared:
            before = row.counts["compared"]
            self.run_once(program, row)
            row.seconds = time.monotonic() - start
            if row.counts["compared"] == before:
                row.troubles.append("no stack was compared")
            if row.seconds > self.most_seconds:
                break
        if row.counts["different"]:
            row.troubles.append(f"{row.counts['different']} stacks differ: see {program.name}.stderr")
        return row


COLUMNS = ("program", "runs", "compared", "different", "predicted %", "first met %", "changed %", "no cache %",
           "unpredictable %", "s")


def cells(row):
    return (row.name, str(row.runs), f"{row.counts['compared']:,}", f"{row.counts['different']:,}",
            row.share("predicted"), row.share("first_met"), row.share("changed"), row.share("without_cache"),
            row.share("unpredictable"), f"{row.seconds:.1f}")


def print_line(line, width):
    print("  ".join([line[0].ljust(width)] + [cell.rjust(len(head)) for cell, head in zip(line[1:], COLUMNS[1:])]),
          flush=True)


def write_markdown(rows, path):
    lines = ["| " + " | ".join(line) + " |" for line in [COLUMNS] + [cells(row) for row in rows]]
    lines.insert(1, "|---|" + "---:|" * (len(COLUMNS) - 1))
    path.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--compared", type=int, default=1_000_000, help="stacks to compare for each program")
    parser.add_argument("--seconds", type=float, default=300, help="start no further run of a program after these")
    parser.add_argument("--only", help="comma separated names")
    parser.add_argument("--own", action="store_true", help="only samples and the programs made for this test")
    parser.add_argument("--offline", action="store_true", help="use the packages unpacked already, or fail")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the table there as well")
    options = parser.parse_args()

    checker = Checker(options)
    found = programs.own(checker.build)
    if not options.own:
        found += programs.packaged(Programs(checker.build, checker.work, options.offline))
    chosen = options.only.split(",") if options.only else [program.name for program in found]
    found = [program for program in found if program.name in chosen]
    width = max((len(program.name) for program in found), default=0)
    print_line(COLUMNS, width)
    rows = []
    for program in found:
        try:
            rows.append(checker.check(program))
        except (Trouble, subprocess.TimeoutExpired) as trouble:
            rows.append(Row(program.name, troubles=[str(trouble)]))
        print_line(cells(rows[-1]), width)
    if options.markdown:
        write_markdown(rows, options.markdown)
    troubles = [f"{row.name}: {trouble}" for row in rows for trouble in row.troubles]
    for trouble in troubles:
        print(f"run.py: {trouble}", file=sys.stderr)
    if troubles:
        print(f"run.py: kept {checker.work}", file=sys.stderr)
    sys.exit(1 if troubles or not rows else 0)


if __name__ == "__main__":
    main()
