#!/usr/bin/env python3
"""Measures the figures of part 5 that are about cost and prints a table: figure, target, measured, how.

    python3 bench/figures/part5.py --build build/release [--only NAME] [--runs N] [--instructions]

What scripts/pages.php and pages.py take under seep, as a multiple of what they take alone: the
processor time and the time, in turns, medians of the quotients of a turn and their range, and the
quotient of the fastest runs.
--instructions: what callgrind counts, too, of the difference of two numbers of pages, so that start
and end drop out; it takes minutes. "forwarding" is what handlers of the interpreter's allocator
cost that only pass each call on (forward.c): no tool that sees objects this way costs less.
Debian's PHP 8.2 is unpacked in the build folder, as the tests have it. Nothing is asserted.
"""

import re
import statistics
import subprocess
import sys
from pathlib import Path

import bench as figures
from bench import Row, interleaved, run_measured

SOURCE = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).resolve().parent / "scripts"
PAGES_TIMED = {"php": 3000, "python": 3000}
PAGES_COUNTED = (10, 40)
# Targets, and settings; None: forward.c takes seep's place.
MODES = {
    "exact": ({"php": "≤ 1.8", "python": "≤ 1.6"}, {}),
    "sample": ({"php": "≤ 1.05", "python": "≤ 1.05"}, {"MODE": "sample"}),
    "dormant": ({"php": "≤ 1.02", "python": "–"}, {"START": "paused"}),
    "forwarding": ({"php": "–", "python": "–"}, None),
}
with_instructions = False  # --instructions


def php_program(bench):
    """The command and its library path; fetched once."""
    packages = bench.build / "packages-php8.2"
    fetch = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(packages)]
    subprocess.run([*fetch, *(f"php8.2-{name}" for name in ("cli", "common", "opcache"))], check=True)
    path = subprocess.run([*fetch, "--library-path"], check=True, text=True, capture_output=True).stdout.strip()
    return [str(packages / "root" / "usr" / "bin" / "php8.2"), "-n", str(SCRIPTS / "pages.php")], path


class Workload:
    """A script, run alone and under the preload."""

    def __init__(self, bench, scratch, language):
        self.bench, self.scratch, self.language = bench, scratch, language
        self.path = ""
        if language == "php":
            self.command, self.path = php_program(bench)
        else:
            self.command = ["/usr/bin/python3", "-S", "-s", str(SCRIPTS / "pages.py")]

    def environment(self, mode):
        """Of a run in this mode; None: alone."""
        settings = None if mode is None else MODES[mode][1]
        directory = None if settings is None else self.scratch / f"{self.language}-{mode}"
        environment = self.bench.environment(directory, SCAN="off", **(settings or {}))
        environment.update(PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
        if self.path:
            environment["LD_LIBRARY_PATH"] = self.path
        if mode == "forwarding":
            environment["LD_PRELOAD"] = str(self.bench.build / "lib" / "seep_figures_forward.so")
        return environment

    def run(self, mode):
        run = run_measured([*self.command, str(PAGES_TIMED[self.language])], self.environment(mode))
        if run.status != 0:
            raise RuntimeError(f"{self.command}: status {run.status}")
        return run

    def instructions(self, mode):
        """Of a page."""
        counts = [self.count(mode, pages) for pages in PAGES_COUNTED]
        return (counts[1] - counts[0]) / (PAGES_COUNTED[1] - PAGES_COUNTED[0])

    def count(self, mode, pages):
        output = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *self.command, str(pages)],
            env=self.environment(mode), check=True, capture_output=True, text=True).stderr
        return int(re.search(r"refs: +([0-9,]+)", output)[1].replace(",", ""))


def compared(runs, plain, what):
    """Of the turns, and of the fastest run of each, which other work on the machine touches least."""
    times, alone = ([getattr(run, what) for run in of] for of in (runs, plain))
    ratios = [time / base for time, base in zip(times, alone)]
    return (f"{statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f}), "
            f"fastest {min(times) / min(alone):.3f}")


def rows(bench, scratch, language, title):
    work = Workload(bench, scratch, language)
    for mode in (None, *MODES):
        work.run(mode)  # the code is compiled and the files are read
    runs = dict(zip([None, *MODES], interleaved(bench.runs, *(lambda m=mode: work.run(m) for mode in (None, *MODES)))))
    how = f"{Path(work.command[-1]).name} {PAGES_TIMED[language]}"
    alone = statistics.median(run.cpu for run in runs[None])
    for mode, (targets, _) in MODES.items():
        yield Row(f"{title}, {mode}: processor time", targets[language],
                  compared(runs[mode], runs[None], "cpu"), f"{how}, alone {alone:.2f} s")
        yield Row("… time", "–", compared(runs[mode], runs[None], "wall"), how)
    if with_instructions:
        plain = work.instructions(None)
        for mode in MODES:
            counted = work.instructions(mode)
            yield Row(f"{title}, {mode}: instructions", "–", f"{counted / plain:.3f}",
                      f"callgrind, {plain:,.0f} → {counted:,.0f} a page")


def php(bench, scratch):
    yield from rows(bench, scratch, "php", "PHP")


def python(bench, scratch):
    yield from rows(bench, scratch, "python", "Python")


if __name__ == "__main__":
    with_instructions = "--instructions" in sys.argv
    sys.argv = [word for word in sys.argv if word != "--instructions"]
    figures.main(__doc__.splitlines()[0], [php, python], ["seep_preload", "seep_figures_forward"])
