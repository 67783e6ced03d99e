"""What the figures share: the programs of a build folder, paired runs, and the table.

Every comparison with and without the preload is made in pairs, one after the other in changing
order, so that what else the machine does falls on both. Nothing is asserted.
"""

import argparse
import os
import re
import statistics
import struct
import subprocess
import tempfile
import time
from collections import namedtuple
from pathlib import Path

Row = namedtuple("Row", "figure target measured command")
MEGABYTE = 1e6
MILLION = 1000000
FORMAT = Path(__file__).resolve().parents[2] / "format"


class Bench:
    """The programs of one build folder, and how they are run."""

    def __init__(self, build, runs):
        self.build = build
        self.runs = runs
        self.library = build / "lib" / "libseep.so"
        self.seep = build / "bin" / "seep"

    def program(self, name):
        return str(self.build / "bin" / name)

    def environment(self, directory, **settings):
        """The caller's own, under the preload when `directory` is given."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SEEP_")}
        if directory is not None:
            environment["LD_PRELOAD"] = str(self.library)
            environment["SEEP_DIR"] = str(directory)
            environment.update({"SEEP_" + k: v for k, v in settings.items()})
        return environment

    def values(self, command, directory=None, **settings):
        """The "name value" lines that a program prints, as lists by name."""
        output = subprocess.run(command, env=self.environment(directory, **settings), check=True,
                                capture_output=True, text=True).stdout
        return named_values(output)

    def last_snapshot(self, directory):
        return max(Path(directory).rglob("snapshot-*.seep"), key=lambda path: path.name)


def named_values(output):
    """What lines of "name value" say, as lists by name; other lines are skipped."""
    values = {}
    for line in output.splitlines():
        words = line.split()
        if len(words) == 2:
            values.setdefault(words[0], []).append(float(words[1]))
    return values


class ControlPage:
    """What format/control_page.h says of the process whose recording is below a folder."""

    LAYOUT = struct.Struct("<8s2I2I4Q2IQI124s4IQ2I6Q64Q512s512s64Q")

    def __init__(self, directory):
        path = max(Path(directory).rglob("control"), key=lambda found: found.stat().st_mtime_ns)
        fields = self.LAYOUT.unpack_from(path.read_bytes())
        if fields[0] != b"SEEPCTRL" or fields[1] != 1:
            raise ValueError(f"{path}: not a control page of version 1")
        self.tracker_bytes = fields[25]
        self.losses = fields[27:91]
        self.captures = dict(zip(capture_counts(), fields[93:157]))


def capture_counts():
    """The names of format/capture_counts.inc, whose ids count from 0."""
    text = (FORMAT / "capture_counts.inc").read_text(encoding="utf-8")
    found = re.findall(r"^SEEP_CAPTURE_COUNT\((\d+), (\w+),", text, re.MULTILINE)
    return [name for _, name in sorted(found, key=lambda pair: int(pair[0]))]


Run = namedtuple("Run", "wall cpu peak status")


def run_measured(command, environment):
    """Seconds, peak resident bytes and exit status of a program whose output is thrown away."""
    begin = time.perf_counter()
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, number) for number in (0, 1, 2)]
    pid = os.posix_spawn(str(command[0]), [str(word) for word in command], environment,
                         file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    os.close(null)
    return Run(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime,
               usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))


def interleaved(count, *measures):
    """Calls each measure `count` times, in changing order; a list of results for each."""
    results = [[] for _ in measures]
    for i in range(count):
        order = range(len(measures))
        for which in order if i % 2 == 0 else reversed(order):
            results[which].append(measures[which]())
    return results


def pairs(count, plain, preloaded):
    """Calls both `count` times, in changing order; the medians of what they return."""
    return tuple(statistics.median(results) for results in interleaved(count, plain, preloaded))


def heap(bench, action, blocks, least, most, stacks=1, churn=0):
    return [bench.program("seep_figures_heap"), action,
            *(str(n) for n in (blocks, least, most, stacks, churn))]


def short(command):
    return " ".join(Path(word).name if "/" in word else word for word in map(str, command))


def main(description, figures, targets):
    """Builds `targets`, then prints the rows of the figures asked for. A figure is a function of
    (bench, scratch folder) that yields rows."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", type=Path, required=True, help="a configured build folder")
    parser.add_argument("--only", choices=[figure.__name__ for figure in figures], action="append",
                        help="this figure alone; may be repeated")
    parser.add_argument("--runs", type=int, default=7, help="runs or pairs of each")
    parser.add_argument("--as-built", action="store_true", help="build nothing first")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    if not arguments.as_built:
        subprocess.run(["cmake", "--build", build, "--target", *targets], check=True,
                       stdout=subprocess.DEVNULL)
    bench = Bench(build, arguments.runs)
    print("| figure | target | measured (median) | command |\n|---|---|---|---|")
    for figure in figures:
        if arguments.only and figure.__name__ not in arguments.only:
            continue
        with tempfile.TemporaryDirectory(prefix="seep-figures-") as scratch:
            for row in figure(bench, Path(scratch)):
                print("| " + " | ".join(row) + " |", flush=True)
