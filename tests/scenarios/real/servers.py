"""Servers under load, on the loopback interface and a free port: each a function (bench, name) -> Row."""
import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from harness import Trouble, functions, leaks

START_S = 10.0
GROWTH_S = 8.0
AFTER_FLUSH_S = 6.0

# redis: what may stand in the stack of the memory that a SET keeps. The binary has no debug
# information, only its exported symbols.
STORES = {"createStringObject", "createRawStringObject", "createEmbeddedStringObject", "tryObjectEncoding",
          "setGenericCommand", "setCommand", "setKey", "dbAdd", "processMultibulkBuffer", "processInputBuffer"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, longest_s=START_S):
    deadline = time.monotonic() + longest_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Trouble(f"the server ended with {process.returncode} before it listened")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise Trouble("the server does not listen")


class Server:
    """A server process and all it started; killed at the end of `with` if it still runs."""

    def __init__(self, bench, name, command, port, added=None):
        self.port = port
        with open(bench.work / f"{name}.log", "ab") as log:
            self.process = subprocess.Popen(command, env=bench.environment(added), cwd=bench.work, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)

    def __enter__(self):
        wait_for_port(self.port, self.process)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def end(self, stop):
        """Asks the server to stop; its exit status."""
        stop()
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired as error:
            raise Trouble("the server does not stop") from error


# ---- redis ----

REDIS_SCRIPT = ["PING", "SET greeting hello", "GET greeting", "INCR counter", "APPEND greeting ,world",
                "RPUSH list a b c d", "LRANGE list 0 -1", "HSET hash f 1 g 2", "HGETALL hash", "SADD set x",
                "EVAL 'return redis.call(\"GET\",KEYS[1])' 1 greeting", "NOSUCHCOMMAND", "TYPE list", "DBSIZE"]


def redis_command(bench, port):
    return [bench.program("usr/bin/redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--daemonize", "no", "--dir", str(bench.work)]


def redis_client(bench, port, *arguments):
    return bench.run([bench.program("usr/bin/redis-cli"), "-h", "127.0.0.1", "-p", str(port), *arguments])


def redis_replies(bench, port):
    lines = "\n".join(REDIS_SCRIPT) + "\n"
    script = bench.work / "script.redis"
    script.write_text(lines)
    with open(script, "rb") as source:
        done = subprocess.run([bench.program("usr/bin/redis-cli"), "-h", "127.0.0.1", "-p", str(port)],
                              env=bench.environment(), stdin=source, capture_output=True, check=False, timeout=30)
    return done.stdout


# A busy machine takes automatic snapshots too rarely for a curve of a few seconds.
EVEN_SNAPSHOTS = ("--interval", "500ms")


def benchmark(bench, port, kind, seconds):
    """Bursts of redis-benchmark at an even pace: 400 requests, ten times a second.

    Its random numbers are seeded with time and pid, so that two bursts may draw the same ones: each
    burst has keys of its own, and no value is ever replaced."""
    command = [bench.program("usr/bin/redis-benchmark"), "-h", "127.0.0.1", "-p", str(port),
               "-r", "1000000000", "-n", "400", "-c", "4", "-q"]
    start = time.monotonic()
    for burst in range(int(seconds * 10)):
        key = f"key:{burst}:__rand_int__"
        done = bench.run(command + (["SET", key, "x" * 300] if kind == "set" else ["GET", key]))
        if done.status != 0:
            raise Trouble(f"redis-benchmark: {done.err.decode().strip()}")
        time.sleep(max(0.0, start + (burst + 1) / 10 - time.monotonic()))


def native_redis(bench, name):
    port = free_port()
    with Server(bench, f"{name}.native", redis_command(bench, port), port) as server:
        replies = redis_replies(bench, port)
        return replies, server.end(lambda: redis_client(bench, port, "SHUTDOWN", "NOSAVE"))


def run_redis(bench, name):
    """A growing key space must come first as a leak; after FLUSHALL nothing may be one."""
    expected, expected_status = native_redis(bench, name)
    port = free_port()
    start = time.monotonic()
    with Server(bench, name, bench.under_seep(name, redis_command(bench, port), EVEN_SNAPSHOTS), port) as server:
        replies = redis_replies(bench, port)
        benchmark(bench, port, "set", GROWTH_S)
        growing = bench.report(name, "growing")
        redis_client(bench, port, "FLUSHALL")
        benchmark(bench, port, "get", AFTER_FLUSH_S)
        status = server.end(lambda: redis_client(bench, port, "SHUTDOWN", "NOSAVE"))
    flushed = bench.report(name)
    row = bench.row(name, replies == expected, status == expected_status, growing)
    row.tracked_s = time.monotonic() - start
    row.troubles += growing_troubles(growing) + clean_troubles(flushed, "after FLUSHALL")
    return row


def growing_troubles(report):
    """The first row must be the values, most of what is alive, and called a leak."""
    if not leaks(report):
        return ["a growing key space is not reported as a leak"]
    first = report["suspects"][0]
    stack = " < ".join(functions(first))
    found = [] if STORES & set(functions(first)) else [f"the first row is not the store of new values: {stack}"]
    if first["live_bytes"] < report["totals"]["live_bytes"] / 2:
        found.append(f"the first row holds {first['live_bytes']} of {report['totals']['live_bytes']} bytes: {stack}")
    return found


def clean_troubles(report, when):
    return [f"{when}: leak: true for {' < '.join(functions(suspect)[:8])}: {suspect['why']}"
            for suspect in leaks(report)]


# ---- nginx ----

NGINX_SECONDS = 8
NGINX_CONFIG = """
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {work}/nginx-temp;
  proxy_temp_path {work}/nginx-temp;
  fastcgi_temp_path {work}/nginx-temp;
  uwsgi_temp_path {work}/nginx-temp;
  scgi_temp_path {work}/nginx-temp;
  gzip on;
  gzip_types text/plain;
  server {{ listen 127.0.0.1:{port}; location / {{ root {work}/nginx-files; }} }}
}}
"""


def nginx_command(bench, port):
    files = bench.work / "nginx-files"
    files.mkdir(exist_ok=True)
    (files / "page.txt").write_text("a line of text\n" * 800)
    config = bench.work / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(NGINX_CONFIG.format(work=bench.work, port=port, user=user))
    return [bench.program("usr/sbin/nginx"), "-e", "stderr", "-p", str(bench.work), "-c", str(config)]


def fetch(port, path):
    try:
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers.get("Content-Encoding"), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, None, error.read()


def nginx_answers(port):
    return [fetch(port, path) for path in ("/page.txt", "/missing", "/page.txt")]


def run_nginx(bench, name):
    """Steady state under wrk: no row may be a leak."""
    port = free_port()
    with Server(bench, f"{name}.native", nginx_command(bench, port), port) as server:
        expected = nginx_answers(port)
        expected_status = server.end(lambda: server.process.send_signal(signal.SIGQUIT))
    port = free_port()
    start = time.monotonic()
    with Server(bench, name, bench.under_seep(name, nginx_command(bench, port)), port) as server:
        answers = nginx_answers(port)
        load = bench.run([bench.program("usr/bin/wrk"), "-t", "1", "-c", "8", "-d", f"{NGINX_SECONDS}s",
                          "-H", "Accept-Encoding: gzip", f"http://127.0.0.1:{port}/page.txt"])
        status = server.end(lambda: os.kill(nginx_master(bench), signal.SIGQUIT))
    report = bench.report(name)
    row = bench.row(name, answers == expected, status == expected_status, report)
    row.tracked_s = time.monotonic() - start
    row.troubles += clean_troubles(report, "in steady state")
    if load.status != 0 or b"Non-2xx" in load.out:
        row.troubles.append(f"wrk: {load.out.decode()} {load.err.decode()}")
    return row


def nginx_master(bench):
    return int((bench.work / "nginx.pid").read_text())


ALL = [("redis-server", run_redis), ("nginx", run_nginx)]
