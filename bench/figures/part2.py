#!/usr/bin/env python3
"""Measures the figures of part 2 and prints a table: figure, target, measured, how.

    python3 bench/figures/part2.py --build build/release [--only NAME] [--runs N]

Runs are made in pairs, with and without the preload, and the medians compared. Times are of the
thread; in brackets what the pair takes of the processors, so that waiting counts too. Real programs
are measured by bench/peers.py. Nothing is asserted.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys

import bench as figures
import cold_module
from bench import MEGABYTE, MILLION, ControlPage, Row, heap, interleaved, run_measured, short

WINDOW_PAIRS = {1: 2 * MILLION, 8: 300000}


def window(bench, pairs, threads, sites=1):
    return [bench.program("seep_figures_window"), *map(str, (21, pairs, threads, sites))]


def pair_times(bench, command, directory=None, **settings):
    values = bench.values(command, directory, **settings)
    return values["pair_ns"][0], values.get("wall_pair_ns", values["pair_ns"])[0]


def added(plain, loaded):
    """What the second list of (thread, wall) times has over the first, in words: the medians of the
    differences within the pairs, and of the times themselves."""
    thread, wall = ([after - before for before, after in zip(*columns)]
                    for columns in zip(zip(*plain), zip(*loaded)))
    alone, with_it = (statistics.median(run[0] for run in runs) for runs in (plain, loaded))
    return (f"{statistics.median(thread):+.1f} ns ({alone:.1f} -> {with_it:.1f}) "
            f"[{statistics.median(wall):+.1f}]")


def settings_are_active(**settings):
    """Whether this version does anything with the settings: the fourth word of their lines says."""
    text = (figures.FORMAT / "settings.inc").read_text(encoding="utf-8")
    return all(re.search(rf'^SEEP_SETTING\({name}, \w+, "[^"]*", true,', text, re.MULTILINE)
               for name in settings)


def exact_pair(bench, scratch):
    targets = {(1, 1): "≤ 45 ns", (8, 1): "≤ 60 ns"}
    for threads, sites in ((1, 1), (8, 1), (1, 64), (8, 64)):
        command = window(bench, WINDOW_PAIRS[threads], threads, sites)
        times = interleaved(bench.runs, lambda c=command: pair_times(bench, c),
                            lambda c=command: pair_times(bench, c, scratch, INTERVAL="off"))
        yield Row(f"exact: malloc and free, 21 frames, 1,000 live blocks, {threads} thread(s), "
                  f"{sites} stack(s)", targets.get((threads, sites), "–"), added(*times),
                  short(command))


def mode_pair(bench, scratch, name, target, **settings):
    """The pair in a mode that costs little: more pairs, for a difference of a few nanoseconds."""
    commands = {"1 thread": window(bench, 4 * WINDOW_PAIRS[1], 1),
                "8 threads": window(bench, 4 * WINDOW_PAIRS[8], 8),
                "1 thread, freed at once": [bench.program("seep_figures_pairs"), "21",
                                            str(10 * MILLION)]}
    for threads, command in commands.items():
        measured = "not active in this version"
        if settings_are_active(**settings):
            measured = added(*interleaved(
                bench.runs, lambda c=command: pair_times(bench, c),
                lambda c=command: pair_times(bench, c, scratch, INTERVAL="off", **settings)))
        yield Row(f"{name}, {threads}", target, measured, short(command))


def dormant_pair(bench, scratch):
    yield from mode_pair(bench, scratch, "dormant: malloc and free", "≤ 2 ns", START="paused")


def sample_pair(bench, scratch):
    yield from mode_pair(bench, scratch, "sample: malloc and free", "–", MODE="sample")


def heaptrack_pair(bench, scratch):
    """Its own preload, so that the command around it is not measured."""
    library = "/usr/lib/heaptrack/libheaptrack_preload.so"
    if not os.path.exists(library):
        yield Row("heaptrack: malloc and free", "–", "not installed", library)
        return
    for threads, pairs in ((1, 500000), (8, 50000)):
        command = window(bench, pairs, threads)

        def with_heaptrack(command=command):
            environment = bench.environment(None)
            environment["LD_PRELOAD"] = library
            environment["DUMP_HEAPTRACK_OUTPUT"] = str(scratch / "heaptrack")
            values = figures.named_values(subprocess.run(
                command, env=environment, check=True, capture_output=True, text=True).stdout)
            return values["pair_ns"][0], values["wall_pair_ns"][0]

        times = interleaved(max(3, bench.runs // 2),
                            lambda c=command: pair_times(bench, c), with_heaptrack)
        yield Row(f"heaptrack: malloc and free, {threads} thread(s)", "–", added(*times),
                  f"LD_PRELOAD={library} {short(command)}")


def resident(bench, scratch, command):
    """Resident bytes without and with the preload."""
    return figures.pairs(max(3, bench.runs // 2), lambda: bench.values(command)["rss_bytes"][0],
                         lambda: bench.values(command, scratch, INTERVAL="off")["rss_bytes"][0])


def memory(bench, scratch):
    """Over plain. 64 KB blocks are 100,000: a million would be 64 GB."""
    for name, size, blocks in (("64 B", 64, MILLION), ("1 KB", 1024, MILLION),
                               ("4 KB", 4096, MILLION), ("64 KB", 65536, MILLION // 10)):
        cases = {"one thread": heap(bench, "rss", blocks, size, size, 64)}
        if size < 65536:
            cases["500 threads"] = [bench.program("seep_figures_threads"), "alive", "500",
                                    str(blocks), str(size), "64"]
        for threads, command in cases.items():
            plain, loaded = resident(bench, scratch, command)
            budget = 24 * blocks + 0.01 * blocks * size + 8 * MEGABYTE
            yield Row(f"memory, {blocks // 1000:,} k blocks of {name}, {threads}",
                      f"≤ {budget / MEGABYTE:.1f} MB",
                      f"{(loaded - plain) / MEGABYTE:.1f} MB ({(loaded - plain) / blocks:.1f} B a "
                      f"block)", short(command))


def threads_come_and_go(bench, scratch):
    """Started and joined, 8 at a time. The library's own count of its memory, at the end."""
    sizes = []
    for threads in (10000, 50000, 100000):
        command = [bench.program("seep_figures_threads"), "churn", str(threads), "16", "64", "4"]
        directory = scratch / str(threads)
        subprocess.run(command, check=True, env=bench.environment(directory, INTERVAL="off"))
        sizes.append(ControlPage(directory).tracker_bytes / MEGABYTE)
    yield Row("tracker memory after 10,000, 50,000 and 100,000 threads", "flat",
              ", ".join(f"{size:.2f}" for size in sizes) + " MB", short(command))


def cold_module_misses(bench, scratch):
    """first: what a call of an unknown path costs over plain, all of it, the new entries of the
    tables too. second: the path was met, so its rules are known. same: one path, over and over."""
    source, module = scratch / "cold.s", scratch / "cold.so"
    with source.open("w") as file:
        file.writelines(cold_module.source())
    subprocess.run(["cc", "-shared", source, "-o", module], check=True)
    for fresh in (1, 4):
        command = [bench.program("seep_figures_cold"), str(module), str(fresh), "21"]
        plain, loaded = interleaved(
            bench.runs, lambda c=command: bench.values(c),
            lambda c=command: bench.values(c, scratch / "out", INTERVAL="off"))
        over = {name: statistics.median(run[name][0] for run in loaded) -
                statistics.median(run[name][0] for run in plain) for name in plain[0]}
        yield Row(f"cold module, 10,000 misses 21 frames deep, {fresh} frame(s) new in each",
                  "≤ 1,500 ns a miss",
                  f"first +{over['first_ns']:.0f} ns, second +{over['second_ns']:.0f}, same "
                  f"+{over['same_ns']:.0f}: {over['first_ns'] - over['second_ns']:.0f} ns for "
                  f"rules", short(command))


def cold_rules(bench, _):
    """The reading of rules alone, in a library that is not made for it."""
    for library in ("libLLVM-14.so.1", "libclang-cpp.so.14", "libstdc++.so.6"):
        command = [bench.program("seep_figures_cold_rules"), library, "10000"]
        runs = [subprocess.run(command, env=bench.environment(None), capture_output=True, text=True,
                               check=False) for _ in range(bench.runs)]
        measured = runs[0].stderr.strip()
        if runs[0].returncode == 0:
            values = [figures.named_values(run.stdout) for run in runs]
            measured = (f"{statistics.median(v['rule_ns'][0] for v in values):.0f} ns a rule, "
                        f"{values[0]['rules'][0]:.0f} rules")
        yield Row(f"unwind rules of {library}, each for the first time", "≤ 1,500 ns", measured,
                  short(command))


def clang_misses(bench, scratch):
    """In libLLVM and libclang: processor time that seep adds, for each stack that was walked. It
    holds everything else that seep does too, so a miss costs less than this."""
    clang = shutil.which("clang")
    if clang is None:
        yield Row("misses in clang", "–", "not installed", "clang")
        return
    source = scratch / "large.cpp"
    source.write_text("#include <algorithm>\n#include <regex>\n#include <map>\n"
                      "std::map<int, std::regex> all;\n")
    command = [clang, "-fsyntax-only", str(source)]
    plain, loaded = interleaved(
        max(3, bench.runs // 2),
        lambda: run_measured(command, bench.environment(None)).cpu,
        lambda: run_measured(command, bench.environment(scratch / "out", INTERVAL="off")).cpu)
    seconds = statistics.median(loaded) - statistics.median(plain)
    counts = ControlPage(scratch / "out").captures
    walks = counts["first_met"] + counts["changed"] + counts["unpredictable"]
    each = f"{seconds * 1e9 / walks:.0f} ns for each of {walks:,} walks" if walks else "not counted"
    yield Row("clang -fsyntax-only: all that seep adds", "–",
              f"+{seconds:.2f} s: {each}, {counts['rules_read']:,} rules read, "
              f"{counts['predicted']:,} stacks predicted", short(command))


FIGURES = [exact_pair, dormant_pair, sample_pair, heaptrack_pair, memory, threads_come_and_go,
           cold_module_misses, cold_rules, clang_misses]


if __name__ == "__main__":
    sys.exit(figures.main(__doc__.splitlines()[0], FIGURES,
                          ["seep_figures", "seep_preload"]))
