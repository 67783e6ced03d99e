#!/usr/bin/env python3
"""A worker whose pool keeps every finished task and its result: both are named with the property that keeps them,
no task fails under seep, and one report comes of all the processes. A pool that is cleared is no leak.

usage: pool.py --build-dir DIR [--offline] [--long] [--only CASE,…]

--long clears after 1,000 tasks instead of 60. Exit status 0 when all are right, 1 when not.
"""
import argparse
import functools
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path[:0] = [str(SOURCE / "tests" / "scenarios" / name) for name in ("real", "scripts", "services")]
from debian_php import Php  # noqa: E402
from reports import leak_rows, marked_line, passes  # noqa: E402

PACKAGES = ["php8.2-cli", "php8.2-common"]
TASKS = 40
PERIODS = 5
SCRIPT = HERE / "programs" / "pool.php"
PLACES = [marked_line(SCRIPT, mark) for mark in ("leaks results", "leaks finished")]


def run_both(php, name, script, *arguments):
    """Alone and under `seep run`, whose report goes to a file; what is wrong with the outcome, or None."""
    command = [*php.php, str(script), *map(str, arguments)]
    page = php.work / f"{name}.report"
    under_seep = [str(php.seep), "run", "--dir", str(php.recordings(name)), "--interval", "100ms", "--report", str(page), "--"]
    # However busy the machine is: the scan at the end is waited for, and a task's process is brief.
    alone, seen = php.run(command), php.run([*under_seep, *command], {"SEEP_SCAN_LIMIT": "60s", "SEEP_MIN_LIFE": "30s"})
    if alone.status != 0 or not alone.out.endswith(b" 0 failed\n"):
        return f"alone it ended with {alone.status}: {alone.out!r} {alone.err.decode()[-300:]}"
    if (alone.out, alone.err, alone.status) != (seen.out, seen.err, seen.status):
        return f"{alone.out!r} {alone.err!r} alone, {seen.out!r} {seen.err!r} under seep"
    reports = [line for line in page.read_text().splitlines() if line.startswith("seep:")]
    if len(reports) != 1:
        return f"{len(reports)} reports: {reports}"
    recorded = [path.name for path in php.recordings(name).iterdir() if path.is_dir()]
    return None if len(recorded) == 1 else f"{len(recorded)} processes have a recording, not the worker alone"


def rows_at(report, line):
    """Suspects whose blamed frame is that line of the script, the largest first."""
    blamed = [(row, row["stack"][row["blame"]]) for row in report["suspects"] if row["stack"]]
    rows = [row for row, frame in blamed if frame["line"] == line and (frame["file"] or "").endswith(SCRIPT.name)]
    return sorted(rows, key=lambda row: -max(row["series"]["live_bytes"]))


def holder_of(row):
    return " -> ".join(holder["text"] for holder in row["held_by"] or [])


def not_named(rows):
    """Which of the two properties no row leads to, as a sentence; None where both are named."""
    held = [holder_of(row.suspect) for row in rows]
    missing = [keeper for keeper in ("Pool::$finished", "Pool::$results") if not any(keeper in text for text in held)]
    return f"no leak is held by {missing}: {held[:6]}" if missing else None


def kept(php, name, way, tasks, pace):
    """The results come first; both properties are named."""
    problem = run_both(php, name, SCRIPT, way, tasks, 0, pace)
    if problem:
        return problem
    rows = leak_rows(php.report(php.recordings(name)))
    if not rows or not any(rows[0].passes(SCRIPT, line) for line in PLACES):
        return f"the first row is {rows[0].told if rows else 'no leak'}"
    return not_named(rows)


def cleared(php, name, clear):
    """Over five periods each place goes up and down, and nothing is a leak."""
    problem = run_both(php, name, SCRIPT, "fork", PERIODS * clear, clear, 0.02)
    if problem:
        return problem
    # Row by row: both reads of a task are one group, and where nothing of either is left, either may stand for it.
    report = php.report(php.recordings(name), "--sites")
    for line in PLACES:
        rows = [row for row in rows_at(report, line) if max(row["series"]["live_blocks"]) > clear / 4]
        if not rows or any(row["behaviour"] != "sawtooth" for row in rows):
            return f"line {line} is {[row['behaviour'] for row in rows]}, not sawtooth"
    accused = [row.told for row in leak_rows(report)]
    return f"accused: {accused[:3]}" if accused else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only", type=lambda text: text.split(","))
    options = parser.parse_args()
    php = Php(options.build_dir.resolve(), "pool", PACKAGES, options.offline)
    cases = {"exec": functools.partial(kept, way="exec", tasks=TASKS, pace=0.15),
             "fork": functools.partial(kept, way="fork", tasks=2 * TASKS, pace=0.08),
             "cleared": functools.partial(cleared, clear=1000 if options.long else 60)}
    return passes([(name, cases[name](php, name)) for name in options.only or cases])


if __name__ == "__main__":
    sys.exit(main())
