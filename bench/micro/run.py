#!/usr/bin/env python3
"""Runs the micro benchmarks and prints what they measured, medians over repetitions.

    python3 bench/micro/run.py --build build/release [--only hook|table|capture|stack] [--filter REGEX]
                               [--repetitions N] [--min-time SECONDS] [SEEP_NAME=VALUE…]

hook   is run with the preload and without, in pairs and in changing order; the table has what is
       added to a malloc and its free. Settings such as SEEP_MODE=sample are for the preload.
The others are run as they are.
Times are of the thread. Beside a median stands half the distance of the quartiles.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TO_NS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def run(program, arguments, environment):
    """Nanoseconds by benchmark; one repetition. Ends where a benchmark reports an error."""
    command = [str(program), "--benchmark_format=json", f"--benchmark_min_time={arguments.min_time}",
               f"--benchmark_filter={arguments.filter}"]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True).stdout
    found = json.loads(output)["benchmarks"] if output.strip() else []
    for benchmark in found:
        if benchmark.get("error_occurred"):
            sys.exit(f"run.py: {benchmark['name']}: {benchmark['error_message']}")
    return {benchmark["name"]: benchmark["cpu_time"] * TO_NS[benchmark["time_unit"]]
            for benchmark in found}


def plain_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("SEEP_")}


def repeat(arguments, *runs):
    """Each run as often as asked for, in changing order: lists of times by benchmark, for each."""
    results = [{} for _ in runs]
    for i in range(arguments.repetitions):
        order = range(len(runs))
        for which in order if i % 2 == 0 else reversed(order):
            for name, time in runs[which]().items():
                results[which].setdefault(name, []).append(time)
    return results


def spread(times):
    if len(times) < 3:
        return 0
    low, _, high = statistics.quantiles(times, n=4)
    return (high - low) / 2


def shown(times):
    return f"{statistics.median(times):.1f} ± {spread(times):.1f}"


def measure_hook(arguments, program):
    """Plain and preloaded, and the median of the differences within each pair."""
    library = arguments.build / "lib" / "libseep.so"
    with tempfile.TemporaryDirectory(prefix="seep-micro-") as scratch:
        loaded = {**plain_environment(), "LD_PRELOAD": str(library), "SEEP_DIR": scratch,
                  "SEEP_INTERVAL": "off"}
        loaded.update(setting.split("=", 1) for setting in arguments.settings)
        plain_times, loaded_times = repeat(
            arguments, lambda: run(program, arguments, plain_environment()),
            lambda: run(program, arguments, loaded))
    print("| malloc and free | plain ns | with seep ns | added ns |\n|---|---:|---:|---:|")
    for name, plain in plain_times.items():
        added = [with_seep - alone for with_seep, alone in zip(loaded_times[name], plain)]
        print(f"| {name} | {shown(plain)} | {shown(loaded_times[name])} | {shown(added)} |")


def measure_alone(arguments, program):
    times, = repeat(arguments, lambda: run(program, arguments, plain_environment()))
    print("| benchmark | ns |\n|---|---:|")
    for name, values in times.items():
        print(f"| {name} | {shown(values)} |")


PROGRAMS = {"hook": measure_hook, "table": measure_alone, "capture": measure_alone,
            "stack": measure_alone}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True, help="a configured build folder")
    parser.add_argument("--only", choices=PROGRAMS, action="append", help="may be repeated")
    parser.add_argument("--filter", default=".", help="benchmarks whose names match")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--min-time", type=float, default=0.1, help="seconds for one measurement")
    parser.add_argument("--as-built", action="store_true", help="build nothing first")
    parser.add_argument("settings", nargs="*", metavar="SEEP_NAME=VALUE")
    arguments = parser.parse_args()
    if not all(setting.startswith("SEEP_") and "=" in setting for setting in arguments.settings):
        parser.error("a setting is SEEP_NAME=VALUE")
    arguments.build = arguments.build.resolve()
    return arguments


def main():
    arguments = parse_arguments()
    chosen = arguments.only or list(PROGRAMS)
    if not arguments.as_built:
        targets = [f"seep_{name}_bench" for name in chosen] + ["seep_preload"]
        subprocess.run(["cmake", "--build", arguments.build, "--target", *targets], check=True,
                       stdout=subprocess.DEVNULL)
    for name in chosen:
        PROGRAMS[name](arguments, arguments.build / "bin" / f"seep_{name}_bench")
        print(flush=True)


if __name__ == "__main__":
    main()
