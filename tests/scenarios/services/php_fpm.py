#!/usr/bin/env python3
"""php-fpm behind nginx: 10,000 requests of a page that keeps nothing leave no leak, in workers that live
long and in workers that are recycled; a static property that grows is found by its line.

usage: php_fpm.py --build-dir DIR [--offline] [--requests N] [--only CASE,…]

Exit status 0 when all are right, 1 when not.
"""
import argparse
import concurrent.futures
import contextlib
import http.client
import os
import pathlib
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

PACKAGES = ["php8.2-cli", "php8.2-common", "php8.2-fpm", "nginx"]
SCRIPT = HERE / "programs" / "page.php"
CLIENTS = 4
WORKERS = 2
FEED_S = 6
END_S = 20

FPM_CONFIG = """
[global]
error_log = {work}/fpm.log
daemonize = no
[www]
listen = 127.0.0.1:{fpm}
pm = static
pm.max_children = {workers}
pm.max_requests = {most}
clear_env = no
"""
NGINX_CONFIG = """
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {work}/temp; proxy_temp_path {work}/temp; fastcgi_temp_path {work}/temp;
  uwsgi_temp_path {work}/temp; scgi_temp_path {work}/temp;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      fastcgi_pass 127.0.0.1:{fpm};
      fastcgi_param SCRIPT_FILENAME {script};
      fastcgi_param REQUEST_METHOD GET;
      fastcgi_param QUERY_STRING $query_string;
    }}
  }}
}}
"""


@contextlib.contextmanager
def started(php, command, port, added=None):
    with open(php.work / "servers.log", "ab") as log:
        server = subprocess.Popen(command, env={**php.environment, **(added or {})}, cwd=php.work, stdout=log,
                                  stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_for_port(port, server)
        yield server
    finally:
        server.send_signal(signal.SIGQUIT)  # both end their requests first; php-fpm waits for no worker
        try:
            server.wait(END_S)
            wait_for_group(server.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)


def wait_for_group(group):
    end = time.monotonic() + END_S
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.killpg(group, 0)
            time.sleep(0.02)


@contextlib.contextmanager
def site(php, most_requests, added, workers=WORKERS):
    """nginx before php-fpm, which runs with the variables in `added`; yields nginx's port."""
    fpm, port = free_port(), free_port()
    fpm_config, nginx_config = php.work / "fpm.conf", php.work / "nginx.conf"
    fpm_config.write_text(FPM_CONFIG.format(work=php.work, fpm=fpm, workers=workers, most=most_requests))
    nginx_config.write_text(NGINX_CONFIG.format(work=php.work, fpm=fpm, port=port, script=SCRIPT))
    as_root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
    with started(php, [str(php.root / "usr/sbin/php-fpm8.2"), "-F", "-y", str(fpm_config), *as_root], fpm, added), \
            started(php, [str(php.root / "usr/sbin/nginx"), "-e", "stderr", "-p", str(php.work), "-c",
                          str(nginx_config)], port):
        yield port


def ask(port, query, count):
    """So many requests, one after the other on one connection; the answers that differ from the first."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    answers = set()
    for _ in range(count):
        client.request("GET", f"/?{query}")
        answer = client.getresponse()
        answers.add((answer.status, answer.read()))
    client.close()
    return answers


def visit(port, requests):
    """All the answers there were, of several clients at once."""
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return set().union(*pool.map(lambda _: ask(port, "kind=list", requests // CLIENTS), range(CLIENTS)))


def workers_of(php, name):
    """The reports of all that recorded, by folder."""
    return {path.name: php.report(path) for path in sorted(php.recordings(name).glob("php-fpm8.2.*"))}


def problem_with_pages(php, name, requests, most_requests):
    with site(php, most_requests, {}) as port:
        expected = visit(port, CLIENTS)
    with site(php, most_requests, php.tracked(name, SEEP_MIN_LIFE="0s")) as port:
        got = visit(port, requests)
    if got != expected or len(got) != 1:
        return f"answers differ: {expected} alone, {got} under seep"
    reports = workers_of(php, name)
    # The master, and each worker that answered; of those that came last some may not have been asked.
    least = max(1 + WORKERS, requests // most_requests if most_requests else 0)
    if len(reports) < least:
        return f"{len(reports)} processes recorded, not {least} or more: {sorted(reports)}"
    accused = [f"{folder}: {row.told}" for folder, report in reports.items() for row in leak_rows(report)]
    return None if not accused else "accused: " + ", ".join(accused[:3])


def steady(php, name, requests):
    return problem_with_pages(php, name, requests, 0)


def recycled(php, name, requests):
    return problem_with_pages(php, name, requests, requests // 10)


def feed(php, name, _):
    """The request is looked at while it runs: as it ends, PHP gives back all that it held."""
    with site(php, 0, php.tracked(name)) as port, concurrent.futures.ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, port, f"kind=feed&seconds={FEED_S + 3}", 1)
        time.sleep(FEED_S)
        rows = [row for report in workers_of(php, name).values() for row in leak_rows(report)]
        answer.result()
        for _ in range(20):  # a worker that waits takes no snapshot
            time.sleep(0.05)
            visit(port, CLIENTS)
    line = marked_line(SCRIPT, "leaks feed")
    if not rows or not rows[0].passes(SCRIPT, line):
        return f"the first row is {rows[0].told if rows else 'no leak'}, not line {line}"
    after = [row.told for report in workers_of(php, name).values() for row in leak_rows(report)]
    return None if not after else f"accused when the request was over: {after[:3]}"


CASES = {"steady": steady, "recycled": recycled, "feed": feed}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--requests", type=int, default=10000)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(CASES))
    options = parser.parse_args()
    php = Php(options.build_dir.resolve(), "fpm", PACKAGES, options.offline)
    php.write_ini()
    return passes([(name, CASES[name](php, name, options.requests)) for name in options.only])


if __name__ == "__main__":
    sys.exit(main())
