"""nginx reloaded under wrk, and php-fpm whose workers are replaced every few requests."""
import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.request

from place import Trouble
from servers import free_port, wait_for_port
from suite import Suite

REQUESTS_OF_A_WORKER = 7
REQUESTS = 300
NGINX = """
daemon off;
worker_processes 2;
pid {work}/nginx.pid;
error_log {work}/nginx.errors notice;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {work}/temp; proxy_temp_path {work}/temp; fastcgi_temp_path {work}/temp;
  uwsgi_temp_path {work}/temp; scgi_temp_path {work}/temp;
  gzip on; gzip_types text/plain;
  server {{
    listen 127.0.0.1:{port};
    location / {{ root {work}; }}
    location /php {{
      fastcgi_pass unix:{work}/fpm.socket;
      fastcgi_param SCRIPT_FILENAME {work}/page.php;
      fastcgi_param REQUEST_METHOD GET;
      fastcgi_param QUERY_STRING $query_string;
    }}
  }}
}}
"""
FPM = """
[global]
error_log = {work}/fpm.errors
daemonize = no
[www]
{user}
listen = {work}/fpm.socket
listen.mode = 0666
pm = static
pm.max_children = 2
pm.max_requests = {requests}
clear_env = no
"""
PAGE = """<?php
$kept = [];
for ($i = 0; $i < 2000; $i++) { $kept[] = str_repeat(chr(65 + $i % 26), 50 + $i % 300); }
echo getmypid(), ' ', md5(implode('', $kept) . $_GET['n']), ' ', ctype_alpha($kept[7]) ? 'letters' : 'no', "\\n";
"""


def write_files(turn, port):
    root = os.geteuid() == 0
    (turn.folder / "page.txt").write_text("a line of text\n" * 800)
    (turn.folder / "page.php").write_text(PAGE)
    (turn.folder / "nginx.conf").write_text(NGINX.format(work=turn.folder, port=port,
                                                         user="user nobody nogroup;" if root else ""))
    (turn.folder / "fpm.conf").write_text(FPM.format(work=turn.folder, requests=REQUESTS_OF_A_WORKER,
                                                     user="user = nobody\ngroup = nogroup" if root else ""))


@contextlib.contextmanager
def running(turn, command, name):
    with open(turn.folder / f"{name}.out", "wb") as log:
        process = subprocess.Popen(command, env=turn.environment(), cwd=turn.folder, stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for file in (turn.folder / f"{name}.out", turn.folder / f"{name}.errors"):
            turn.note(file.read_text(errors="replace") if file.exists() else "")


def start_nginx(turn, port):
    return running(turn, [turn.place.program("usr/sbin/nginx"), "-e", "stderr", "-p", str(turn.folder), "-c",
                          str(turn.folder / "nginx.conf")], "nginx")


def fetch(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return answer.status, answer.read()
    except OSError as error:
        return str(error), b""


def ended_by_signals(turn, name):
    file = turn.folder / f"{name}.errors"
    text = file.read_text(errors="replace") if file.exists() else ""
    return str(len(re.findall(r"exited on signal", text)))


def run_reloads(turn):
    """Each answer must be the page while workers are replaced twice a second; none may die of a signal."""
    port = free_port()
    write_files(turn, port)
    page = (turn.folder / "page.txt").read_bytes()
    with start_nginx(turn, port) as nginx:
        wait_for_port(port, nginx)
        load = [turn.place.program("usr/bin/wrk"), "-t", "1", "-c", "8", "-d", f"{turn.place.seconds}s",
                "-H", "Accept-Encoding: gzip", f"http://127.0.0.1:{port}/page.txt"]
        with subprocess.Popen(load, env=turn.environment(), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              stderr=subprocess.STDOUT, text=True) as wrk:
            answers = set()
            while wrk.poll() is None:
                nginx.send_signal(signal.SIGHUP)
                next_reload = time.monotonic() + 0.5
                while time.monotonic() < next_reload and wrk.poll() is None:
                    status, body = fetch(port, "/page.txt")
                    answers.add(f"{status} {'the page' if body == page else 'another body'}")
            said = wrk.communicate()[0]
        turn.note(said)
        nginx.send_signal(signal.SIGQUIT)
        status = nginx.wait(timeout=60)
    return {"answers": ", ".join(sorted(answers)), "wrk": f"ended with {wrk.returncode}",
            "answers other than 2xx": str("Non-2xx" in said), "nginx": f"ended with {status}",
            "workers ended by a signal": ended_by_signals(turn, "nginx")}


def run_php(turn):
    port = free_port()
    write_files(turn, port)
    extension = next((turn.place.root / "usr/lib/php").glob("*/ctype.so"))
    fpm = [turn.place.program("usr/sbin/php-fpm8.2"), "-n", "-d", f"extension={extension}", "-y",
           str(turn.folder / "fpm.conf"), "-F"]
    results, workers = {}, set()
    with running(turn, fpm, "fpm") as manager, start_nginx(turn, port) as nginx:
        wait_for_port(port, nginx)
        for _ in range(500):
            if (turn.folder / "fpm.socket").exists():
                break
            time.sleep(0.02)
        for number in range(REQUESTS):
            status, body = fetch(port, f"/php?n={number}")
            pid, _, rest = body.decode(errors="replace").partition(" ")
            workers.add(pid)
            results[f"request {number:03}"] = f"{status} {rest.strip()}"
        for name, process in (("nginx", nginx), ("fpm", manager)):
            process.send_signal(signal.SIGQUIT)
            results[name] = f"ended with {process.wait(timeout=60)}"
    results["workers were replaced"] = str(len(workers) > REQUESTS / REQUESTS_OF_A_WORKER / 2)
    results["workers ended by a signal"] = ended_by_signals(turn, "fpm")
    return results


def run(turn, part):
    results = run_reloads(turn) if part == "reloads" else run_php(turn)
    if not turn.tracked and results["workers ended by a signal"] != "0":
        raise Trouble(f"workers die alone, see {turn.log}")
    return results


SUITES = [Suite("web", "nginx reloads under wrk, php-fpm with pm.max_requests", run, ["reloads", "php-fpm"], [],
                ["nginx", "wrk", "php8.2-fpm", "php8.2-cli", "php8.2-common"])]
