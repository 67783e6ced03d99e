"""redis: BGSAVE and BGREWRITEAOF forks under redis-benchmark; the data must be the same, also after a restart."""
import contextlib
import subprocess
import time

from place import Trouble
from servers import free_port, wait_for_port
from suite import Suite

REQUESTS = {"short": 3000, "long": 40_000}
# Without -r every key is fixed: however the clients meet, the end is the same data.
TESTS = "set,incr,lpush,rpush,sadd,hset,zadd,mset,lrange_100,get,lpop"
CONDITIONS = ("rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status", "loading")


class Redis:
    """A server in the turn's folder and its client."""

    def __init__(self, turn):
        self.turn, self.port = turn, free_port()
        command = [turn.place.program("usr/bin/redis-server"), "--port", str(self.port), "--bind", "127.0.0.1",
                   "--save", "", "--appendonly", "yes", "--appendfsync", "no", "--enable-debug-command", "yes",
                   "--dir", str(turn.folder)]
        with open(turn.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(command, env=turn.environment(), cwd=turn.folder, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)

    def __enter__(self):
        wait_for_port(self.port, self.process)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.turn.note((self.turn.folder / "server.log").read_text(errors="replace"))

    def client(self, *words):
        return self.turn.run([self.turn.place.program("usr/bin/redis-cli"), "-p", str(self.port), *words],
                             seconds=60).out.strip()

    def info(self):
        lines = self.client("INFO").splitlines()
        return dict(line.strip().split(":", 1) for line in lines if ":" in line)

    def wait_until_idle(self):
        for _ in range(600):
            info = self.info()
            if info.get("rdb_bgsave_in_progress") == "0" and info.get("aof_rewrite_in_progress") == "0":
                return info
            time.sleep(0.1)
        raise Trouble("redis does not end its forks")

    def stop(self):
        self.client("SHUTDOWN", "SAVE")
        return self.process.wait(timeout=60)


def load(redis, part):
    """redis-benchmark, with a fork every fifth of a second; the benchmark's exit status."""
    place = redis.turn.place
    command = [place.program("usr/bin/redis-benchmark"), "-p", str(redis.port), "-n", str(REQUESTS[part]), "-c", "8",
               "-t", TESTS, "-q", "-d", "200"]
    with subprocess.Popen(command, env=redis.turn.environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as benchmark:
        while benchmark.poll() is None:
            for word in (["BGSAVE", "SCHEDULE"], ["BGREWRITEAOF"]):
                redis.client(*word)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    benchmark.wait(timeout=0.2)
        return benchmark.returncode


def run(turn, part):
    results = {}
    with Redis(turn) as redis:
        results["redis-benchmark"] = f"ended with {load(redis, part)}"
        info = redis.wait_until_idle()
        results.update((name, info.get(name)) for name in CONDITIONS)
        results["forked more than once"] = str(int(info.get("total_forks", 0)) > 1)
        results["keys"] = redis.client("DBSIZE")
        results["digest"] = redis.client("DEBUG", "DIGEST")
        results["first server"] = f"ended with {redis.stop()}"
    with Redis(turn) as redis:
        for _ in range(300):
            if redis.info().get("loading") == "0":
                break
            time.sleep(0.1)
        results["digest after the restart"] = redis.client("DEBUG", "DIGEST")
        results["second server"] = f"ended with {redis.stop()}"
    check = turn.run([turn.place.program("usr/bin/redis-check-rdb"), turn.folder / "dump.rdb"])
    results["redis-check-rdb"] = f"ended with {check.status}"
    if not turn.tracked and results["digest"] != results["digest after the restart"]:
        raise Trouble(f"redis alone loses data, see {turn.log}")
    return results


SUITES = [Suite("redis", "redis-server forking under redis-benchmark, and its data", run, ["long"], ["short"],
                ["redis-server", "redis-tools"])]
