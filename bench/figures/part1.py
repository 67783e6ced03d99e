#!/usr/bin/env python3
"""Measures the figures of part 1 and prints a table: figure, target, measured, how.

    python3 bench/figures/part1.py --build build/release [--only NAME] [--runs N]

Every comparison with and without the preload is made in pairs, one after the other in changing
order, so that what else the machine does falls on both; the medians are compared. Times are of the
thread or process measured, where not called wall. Nothing is asserted: README.md in this folder
holds the figures of one machine.
"""

import statistics
import subprocess
import sys

import bench as figures
from bench import MEGABYTE, MILLION, Row, heap, pairs, run_measured, short


def start_up(bench, scratch):
    count = max(50, bench.runs)
    plain, preloaded = pairs(
        count,
        lambda: run_measured(["/bin/true"], bench.environment(None)).wall,
        lambda: run_measured(["/bin/true"], bench.environment(scratch)).wall)
    yield Row("start-up of /bin/true", "≤ 5 ms more",
              f"{(preloaded - plain) * 1e3:.2f} ms more, wall ({plain * 1e3:.2f} -> "
              f"{preloaded * 1e3:.2f}; {count} pairs)", "LD_PRELOAD=libseep.so /bin/true")


def snapshot_time(bench, scratch):
    """The first signal's snapshot is written in the program's thread, later ones by the walker."""
    for size in (64, 256, 1024, 4096, 16384):
        command = heap(bench, "signal", MILLION, size, size, 1024)
        whole, beside = [], []
        for run in range(bench.runs):
            signals = bench.values(command, scratch / f"{size}-{run}", INTERVAL="off",
                                   SIGNAL="USR2")["signal_ms"]
            whole.append(signals[0])
            beside.append(statistics.median(signals[1:]))
        yield Row(f"snapshot of 1 M blocks of {size} B", "≤ 10 ms of one thread",
                  f"{statistics.median(whole):.1f} ms; where a walker writes it "
                  f"{statistics.median(beside):.2f} ms of the program's thread", short(command))


def small_snapshot(bench, scratch):
    """In the scratch folder, and so on its file system, which has much of the cost."""
    for name, count, gap_ms in (("one after the other", 1000, 0), ("20 ms apart", 100, 20)):
        command = [bench.program("seep_figures_snapshots"), str(count), str(gap_ms)]
        runs = [bench.values(command, scratch / f"{gap_ms}-{run}", INTERVAL="off", SIGNAL="USR2")
                for run in range(bench.runs)]
        median = statistics.median(run["snapshot_us"][0] for run in runs)
        yield Row(f"snapshot of a small program, {name}", "≤ 0.25 ms", f"{median / 1e3:.3f} ms",
                  short(command))


def file_size(bench, scratch):
    command = heap(bench, "none", 10 * MILLION, 16, 16, 1024)
    subprocess.run(command, env=bench.environment(scratch, INTERVAL="off"), check=True)
    size = bench.last_snapshot(scratch).stat().st_size
    yield Row("file, 10 M blocks from 1,024 stacks", "< 1 MB", f"{size / MEGABYTE:.3f} MB",
              short(command))


def tracker_memory(bench, scratch):
    cases = [("64 B", 64, 64, 0), ("1 KB", 1024, 1024, 0), ("4 KB", 4096, 4096, 0),
             ("64 KB", 65536, 65536, 0), ("16–2000 B", 16, 2000, 0),
             ("16–2000 B, after 5 M of churn", 16, 2000, 5 * MILLION)]
    for name, least, most, churn in cases:
        blocks = MILLION if most < 65536 else 100000
        command = heap(bench, "rss", blocks, least, most, 64, churn)
        plain, preloaded = pairs(
            max(3, bench.runs // 2),
            lambda c=command: bench.values(c)["rss_bytes"][0],
            lambda c=command: bench.values(c, scratch, INTERVAL="off")["rss_bytes"][0])
        budget = 24 * blocks + 0.01 * blocks * (least + most) / 2 + 8 * MEGABYTE
        yield Row(f"tracker memory, {blocks // 1000:,} k blocks of {name}",
                  f"≤ {budget / MEGABYTE:.1f} MB",
                  f"{(preloaded - plain) / MEGABYTE:.1f} MB "
                  f"({(preloaded - plain) / blocks:.1f} B a block)", short(command))


def fork_time(bench, scratch):
    command = heap(bench, "fork", MILLION, 64, 64)
    plain, preloaded = pairs(
        3 * bench.runs,
        lambda: bench.values(command)["fork_ms"][0],
        lambda: bench.values(command, scratch, INTERVAL="off")["fork_ms"][0])
    yield Row("fork, 80 MB heap of 1 M blocks", "as near 1 as can be",
              f"{preloaded / plain:.2f} times ({plain:.2f} -> {preloaded:.2f} ms)", short(command))


def hook_cost(bench, scratch):
    for frames in (5, 21, 45):
        command = [bench.program("seep_figures_pairs"), str(frames), str(MILLION)]
        plain, preloaded = pairs(
            bench.runs,
            lambda c=command: bench.values(c)["pair_ns"][0],
            lambda c=command: bench.values(c, scratch, INTERVAL="off")["pair_ns"][0])
        yield Row(f"malloc and free, {frames} frames deep", "–",
                  f"{plain:.1f} -> {preloaded:.1f} ns", short(command))


def diff_time(bench, scratch):
    subprocess.run([bench.program("seep_measure_diff"), "write", scratch, "100000", "2"],
                   check=True, stdout=subprocess.DEVNULL)
    files = sorted(scratch.glob("snapshot-*.seep"))
    for command in ([bench.program("seep_measure_diff"), "diff", *files],
                    [bench.seep, "diff", *files], [bench.seep, "diff", "--json", *files]):
        yield Row("diff, 100,000 stacks", "< 0.5 s, < 300 MB", medians(bench, command),
                  short(command))


def report_time(bench, scratch):
    """Of clang, which is large, and of seep itself, which has debug information."""
    header = scratch / "large.cpp"
    header.write_text("#include <algorithm>\n#include <regex>\n#include <map>\n"
                      "std::map<int, std::regex> all;\n")
    recorded = {"clang": ["clang", "-fsyntax-only", header]}
    recorded["seep"] = [bench.seep, "report", scratch / "clang"]
    for name, command in recorded.items():
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                       env=bench.environment(scratch / name))
        yield Row(f"seep report, recording of {short(command)}", "< 2 s",
                  medians(bench, [bench.seep, "report", scratch / name]), f"seep report {name}")


def medians(bench, command):
    runs = [run_measured(command, bench.environment(None)) for _ in range(bench.runs)]
    if any(run.status not in (0, 1) for run in runs):
        sys.exit(f"part1.py: {short(command)} failed")
    wall, cpu, peak, _ = (statistics.median(column) for column in zip(*runs))
    return f"{cpu:.2f} s ({wall:.2f} s wall), {peak / MEGABYTE:.0f} MB"


FIGURES = [start_up, snapshot_time, small_snapshot, file_size, tracker_memory, fork_time, hook_cost,
           diff_time, report_time]


if __name__ == "__main__":
    figures.main(__doc__.splitlines()[0], FIGURES,
                 ["seep_figures", "seep_preload", "seep", "seep_measure_diff"])
