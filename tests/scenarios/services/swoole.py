#!/usr/bin/env python3
"""A site in Swoole under ab: a static property and closures that grow are the first rows, in each worker and in
the merged report, and a page that keeps nothing is accused of nothing, while coroutines switch stacks.

usage: swoole.py --build-dir DIR [--swoole FILE] [--offline] [--seconds N] [--only CASE,…]

Swoole is not Debian's: --swoole or SEEP_TEST_SWOOLE names its swoole.so, built for Debian's php8.2 (phpize8.2,
configure, make in its source). Exit status 0 when all are right, 1 when not, 77 without a swoole.so.
"""
import argparse
import contextlib
import functools
import http.client
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path[:0] = [str(SOURCE / "tests" / "scenarios" / name) for name in ("real", "scripts", "services")]
from debian_php import Php  # noqa: E402
from reports import leak_rows, marked_line, passes  # noqa: E402
from servers import free_port, wait_for_port  # noqa: E402

PACKAGES = ["php8.2-cli", "php8.2-common", "apache2-utils"]
SCRIPT = HERE / "programs" / "swoole_site.php"
SKIPPED = 77
WORKERS = 2
CLIENTS = 8
BURST = 40
BURSTS_A_SECOND = 5
END_S = 20
HARMLESS = ("stacks_cut", "unwind_failed", "foreign_free", "recordings_removed")


@contextlib.contextmanager
def site(php, mode, added, workers=WORKERS):
    port = free_port()
    command = [*php.php, str(SCRIPT), mode, str(port), str(workers)]
    with open(php.work / "server.log", "ab") as log:
        server = subprocess.Popen(command, env={**php.environment, **added}, cwd=php.work, stdout=log, stderr=log,
                                  stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for_port(port, server)
        yield port
        server.send_signal(signal.SIGTERM)
        if server.wait(END_S) not in (0, -signal.SIGTERM):
            raise SystemExit(f"the server ended with {server.returncode}, see {php.work}/server.log")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


def answer(port, path):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", path)
    response = client.getresponse()
    return response.status, response.read()


def visit(php, port, path, seconds):
    """Bursts of requests at an even pace, which a busy machine makes up for; what went wrong, or None."""
    command = [str(php.root / "usr/bin/ab"), "-q", "-n", str(BURST), "-c", str(CLIENTS), f"http://127.0.0.1:{port}{path}"]
    begin = time.monotonic()
    for burst in range(int(seconds * BURSTS_A_SECOND)):
        said = php.run(command).out.decode()
        done, failed = (re.search(rf"{words} requests:\s+(\d+)", said) for words in ("Complete", "Failed"))
        if not done or int(done[1]) != BURST or int(failed[1]) or "Non-2xx" in said:
            return f"ab: {said}"
        time.sleep(max(0.0, begin + (burst + 1) / BURSTS_A_SECOND - time.monotonic()))
    return None


def served(php, name, mode, path, seconds):
    """Alone and under seep: the same answers. What is wrong, or None."""
    with site(php, mode, {}) as port:
        expected = answer(port, path)
    with site(php, mode, php.tracked(name, SEEP_SCAN_LIMIT="60s")) as port:  # however busy the machine is
        problem = visit(php, port, path, seconds)
        got = answer(port, path)
    if got != expected or got[0] != 200:
        return f"answered {got} under seep, {expected} alone"
    return problem


def accused(report):
    """The rows that are called leaks, but for what Swoole itself does lose: 6.2 unmaps the structure that alone
    points to its pool of processes, as a server in base mode ends."""
    return [row for row in leak_rows(report) if not any(
        (frame["function"] or "").startswith("swoole::ProcessPool::create(") for frame in row.suspect["stack"])]


def lost(report):
    return {name: count for name, count in report["losses"].items() if count and name not in HARMLESS}


def kept(php, name, seconds, mode, function):
    """The line is the first row of each worker that was asked and of all together; no other process has a leak."""
    problem = served(php, name, mode, f"/{name.split('-')[0]}", seconds)
    if problem:
        return problem
    line = marked_line(SCRIPT, f"leaks {name.split('-')[0]}")
    merged = php.report(php.recordings(name))
    each = [php.report(path) for path in php.recordings(name).iterdir() if path.is_dir()]
    leaking = [rows for rows in map(accused, each) if rows]
    for rows in [accused(merged), *leaking]:
        frame = rows[0].suspect["stack"][rows[0].suspect["blame"]] if rows else {}
        if (frame.get("function"), frame.get("line")) != (function, line):
            return f"a first row is {rows[0].told if rows else 'no leak'}, not {function} line {line}"
    seen = accused(merged)[0].suspect["workers"]["seen"]
    if not len(leaking) == seen == WORKERS:
        return f"{len(leaking)} processes have a leak, {seen} in the merged report, not {WORKERS}"
    return f"losses: {lost(merged)}" if lost(merged) else None


def clean(php, name, seconds, mode):
    problem = served(php, name, mode, "/", seconds)
    if problem:
        return problem
    reports = [php.report(php.recordings(name)), *(php.report(path) for path in php.recordings(name).iterdir() if path.is_dir())]
    told = [row.told for report in reports for row in accused(report)]
    return f"accused: {told[:3]}" if told else None


CASES = {"clean": functools.partial(clean, mode="process"), "clean-base": functools.partial(clean, mode="base"),
         "visit": functools.partial(kept, mode="process", function="Audit::note"),
         "visit-base": functools.partial(kept, mode="base", function="Audit::note"),
         "later": functools.partial(kept, mode="process", function="Later::add")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--swoole", default=os.environ.get("SEEP_TEST_SWOOLE", ""))
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(CASES))
    options = parser.parse_args()
    if not pathlib.Path(options.swoole).is_file():
        print(f"SKIPPED: no swoole.so: SEEP_TEST_SWOOLE is '{options.swoole}'")
        return SKIPPED
    php = Php(options.build_dir.resolve(), "swoole", PACKAGES, options.offline)
    php.write_ini(options.swoole)
    return passes([(name, CASES[name](php, name, options.seconds)) for name in options.only])


if __name__ == "__main__":
    sys.exit(main())
