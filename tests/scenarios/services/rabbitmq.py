#!/usr/bin/env python3
"""RabbitMQ workers in PHP with the mistakes that such workers make: each must be named, and the same
worker without it must not be accused.

usage: rabbitmq.py --build-dir DIR [--offline] [--seconds N] [--at-once N] [--only TRAP,…]

Needs Debian's rabbitmq-server, which is started here on ports of its own, for this test alone.
Exit status 0 when all are right, 1 when not, 77 when there is no rabbitmq-server: skipped.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path[:0] = [str(SOURCE / "tests" / "scenarios" / name) for name in ("real", "scripts", "services")]
from debian_php import Php  # noqa: E402
from reports import leak_rows, marked_line, passes  # noqa: E402
from servers import free_port, wait_for_port  # noqa: E402

SERVER = pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
SKIPPED = 77
START_S = 60.0
PACKAGES = ["php8.2-cli", "php8.2-common", "php8.2-mbstring", "php-amqplib"]
SCRIPT = HERE / "programs" / "amqp.php"

# Traps whose worker does not grow, whatever the broker does.
LEAKS = ("connections", "channels", "cache", "states", "heartbeats", "closes")
NO_LEAKS = ("unacknowledged", "backlog", "prefetch", "blocked")


@contextlib.contextmanager
def broker(work):
    """A RabbitMQ server on free ports, which keeps its files in `work`; yields its port."""
    port, epmd = free_port(), free_port()
    settings = {"HOME": str(work), "RABBITMQ_NODENAME": f"seep{port}@localhost",
                "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(port),
                "RABBITMQ_DIST_PORT": str(free_port()), "ERL_EPMD_PORT": str(epmd),
                "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_MNESIA_BASE": str(work / "mnesia"),
                "RABBITMQ_LOG_BASE": str(work / "log"), "RABBITMQ_PID_FILE": str(work / "pid"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(work / "plugins")}
    with open(work / "server.log", "wb") as log:
        server = subprocess.Popen([str(SERVER)], env={**os.environ, **settings}, stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for_port(port, server, START_S)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(START_S)
        subprocess.run(["epmd", "-port", str(epmd), "-kill"], check=False, capture_output=True)


def problem_with(php, port, trap, variant, seconds):
    """What is wrong with the report of one worker; None when nothing is."""
    name = f"{trap}-{variant}"
    command = [*php.php, str(SCRIPT), str(php.work / "autoload.php"), str(port), str(seconds), trap, variant]
    is_blocked = (trap, variant) == ("blocked", "leaky")
    done = php.run(command, php.tracked(name), ends_after=seconds if is_blocked else None)
    if done.out != b"done\n" and not is_blocked:
        return f"the worker ended with {done.status}: {done.err.decode().strip()[-300:]}"
    rows = leak_rows(php.report(php.recordings(name)))
    if trap in NO_LEAKS or variant == "fixed":
        return None if not rows else "accused: " + ", ".join(row.told for row in rows[:3])
    line = marked_line(SCRIPT, f"leaks {trap}")
    if not rows:
        return "nothing is called a leak"
    return None if rows[0].passes(SCRIPT, line) else f"the first row is {rows[0].told}, not under line {line}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--only", type=lambda text: text.split(","), default=LEAKS + NO_LEAKS)
    options = parser.parse_args()
    if not SERVER.exists():
        print(f"skipped: there is no {SERVER} (Debian's rabbitmq-server)")
        return SKIPPED
    php = Php(options.build_dir.resolve(), "rabbitmq", PACKAGES, options.offline)
    php.write_ini()
    php.autoload({"PhpAmqpLib": php.root / "usr/share/php/PhpAmqpLib"})
    runs = [(trap, variant) for trap in options.only for variant in ("leaky", "fixed")]
    with tempfile.TemporaryDirectory() as folder, broker(pathlib.Path(folder)) as port:
        with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
            problems = list(pool.map(lambda run: problem_with(php, port, *run, options.seconds), runs))
    return passes([(f"{trap}, {variant}", problem) for (trap, variant), problem in zip(runs, problems)])


if __name__ == "__main__":
    sys.exit(main())
