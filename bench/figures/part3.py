#!/usr/bin/env python3
"""Measures the figures of part 3 and prints a table: figure, target, measured, how.

    python3 bench/figures/part3.py --build build/release [--only NAME] [--runs N]

Runs are made in pairs, with and without the preload; the medians within the pairs are compared.
Nothing is asserted. The other figures of this part are counts of tests: tests/stress/storm.py,
tests/scenarios/events/kill_at_random.py.
"""

import statistics
import sys

import bench as figures
from bench import MILLION, Row, interleaved, short

FORKS = 10000
MAPS = (100, 10000, 60000)
MAP_PAIRS = 100000


def forks(bench, scratch):
    """10,000 forks of a process with a million live blocks in all runs together, each child of which
    leaves at once. Prints each run to stderr: it takes minutes where the machine is busy."""
    command = [bench.program("seep_figures_forks"), str(MILLION), str(-(-FORKS // bench.runs))]

    def measured(name, directory=None):
        value = bench.values(command, directory)["fork_us"][0]
        print(f"{short(command)}, {name}: {value:.0f} µs a fork", file=sys.stderr, flush=True)
        return value

    plain, loaded = interleaved(bench.runs, lambda: measured("plain"), lambda: measured("seep", scratch))
    ratio = statistics.median(after / before for before, after in zip(plain, loaded))
    yield Row(f"{FORKS:,} forks of a process with a million live blocks", "≤ 1.2 times",
              f"{ratio:.2f} times ({statistics.median(plain):.0f} -> "
              f"{statistics.median(loaded):.0f} µs each)", short(command))


def maps(bench, scratch):
    """munmap and mmap of one of many maps."""
    for live in MAPS:
        command = [bench.program("seep_figures_maps"), str(live), str(MAP_PAIRS)]
        plain, loaded = interleaved(
            bench.runs, lambda: bench.values(command)["pair_us"][0],
            lambda: bench.values(command, scratch)["pair_us"][0])
        before, after = statistics.median(plain), statistics.median(loaded)
        yield Row(f"munmap and mmap beside {live:,} maps", "less more than the kernel's own",
                  f"+{after - before:.2f} µs ({before:.2f} -> {after:.2f})", short(command))


if __name__ == "__main__":
    figures.main(__doc__.splitlines()[0], [forks, maps],
                 ["seep_preload", "seep_figures_forks", "seep_figures_maps"])
