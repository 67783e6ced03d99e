#!/usr/bin/env python3
"""Measures requests a second of servers in PHP and prints a table: figure, target, measured, how.

    python3 bench/figures/part5_services.py --build build/release [--only NAME] [--runs N]

One worker, which is what the load waits for: wrk on the loopback interface, a page that keeps nothing. A server is
started for each run, plain, exact and sampled in changing order; the ratios are those of one round. Needs wrk;
swoole is left out where SEEP_TEST_SWOOLE does not name a swoole.so. Nothing is asserted.
"""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import bench as figures
from bench import Row

SOURCE = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / "tests" / "scenarios" / name) for name in ("real", "scripts", "services")]
import php_fpm as fpm_test  # noqa: E402
import swoole as swoole_test  # noqa: E402
from debian_php import Php  # noqa: E402

TARGETS = {"exact": "≥ 0.90", "sample": "≥ 0.98"}
WARM_UP_S = 1
LOAD_S = 2


def requests_a_second(port, connections, seconds):
    said = subprocess.run(["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s", f"http://127.0.0.1:{port}/"],
                          capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise ValueError(said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def measured(php, mode, started, connections):
    """Requests a second of one server: started(variables) is a context that yields its port."""
    settings = {} if mode == "plain" else php.tracked("load", SEEP_MODE=mode, SEEP_INTERVAL="auto", SEEP_MIN_LIFE="1s")
    with started(settings) as port:
        requests_a_second(port, connections, WARM_UP_S)
        return requests_a_second(port, connections, LOAD_S)


def rows(name, php, runs, started, connections):
    modes = ("plain", *TARGETS)
    results = figures.interleaved(runs, *(lambda mode=mode: measured(php, mode, started, connections) for mode in modes))
    plain, *others = results
    how = f"wrk -t 1 -c {connections} -d {LOAD_S}s"
    yield Row(f"{name}, plain", "–", f"{statistics.median(plain):,.0f} requests/s", how)
    for mode, result in zip(TARGETS, others):
        ratios = sorted(with_seep / without for with_seep, without in zip(result, plain))
        yield Row(f"… {mode} over plain", TARGETS[mode],
                  f"{statistics.median(ratios):.3f} ({ratios[0]:.2f}–{ratios[-1]:.2f}, {len(ratios)} rounds)", how)


def fpm(bench, _):
    php = Php(bench.build, "fpm", fpm_test.PACKAGES, False)
    php.write_ini()
    yield from rows("a php-fpm worker behind nginx", php, bench.runs,
                    lambda added: fpm_test.site(php, 0, added, workers=1), connections=4)


def swoole(bench, _):
    extension = os.environ.get("SEEP_TEST_SWOOLE", "")
    if not Path(extension).is_file():
        print("swoole is left out: SEEP_TEST_SWOOLE names no swoole.so", file=sys.stderr)
        return
    php = Php(bench.build, "swoole", swoole_test.PACKAGES, False)
    php.write_ini(extension)
    yield from rows("a Swoole worker, base mode", php, bench.runs,
                    lambda added: swoole_test.site(php, "base", added, workers=1), connections=32)


if __name__ == "__main__":
    figures.main(__doc__.splitlines()[0], [fpm, swoole], ["seep_preload", "seep"])
