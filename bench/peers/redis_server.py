"""redis-server under each tool, redis-benchmark from outside of it: requests a second, and latency."""
import csv
import io
import subprocess

import servers
from harness import Trouble
from launcher import Failure, read_result, size_of
from rounds import Rounds

TESTS = ("SET", "GET", "LPUSH")
REQUESTS = 1_000_000  # of each test
SLOW_SHARE = 0.05     # of them, under a tool so slow that it has one round
CLIENTS, PIPELINE, KEYS, VALUE_BYTES = 50, 16, 100_000, 64


def benchmark_command(programs, port, requests):
    return [programs.program("usr/bin/redis-benchmark"), "-h", "127.0.0.1", "-p", str(port),
            "-t", ",".join(TESTS).lower(), "-n", str(requests), "-c", str(CLIENTS), "-P", str(PIPELINE),
            "-r", str(KEYS), "-d", str(VALUE_BYTES), "--csv"]


def read_rates(output):
    """{test: (requests a second, milliseconds of the 99th percentile)} of redis-benchmark's CSV."""
    rates = {row["test"]: (float(row["rps"]), float(row["p99_latency_ms"]))
             for row in csv.DictReader(io.StringIO(output))}
    missing = set(TESTS) - set(rates)
    if missing:
        raise Failure(f"redis-benchmark has no line for {', '.join(sorted(missing))}")
    return rates


class RedisRounds(Rounds):
    """Starts the server under the tool, loads it, shuts it down; the times are the client's."""

    def __init__(self, context, scale):
        super().__init__("redis", context.progress)
        self.context = context
        self.requests = int(REQUESTS * scale)

    def run(self, tool):
        context, launcher = self.context, self.context.launcher
        requests = int(self.requests * (SLOW_SHARE if tool.is_slow else 1))
        start = tool.start(context.supplies, launcher.fresh_folder())
        port = servers.free_port()
        command = [*start.words, *servers.redis_command(context.programs, port)]
        log = context.programs.work / "redis.log"
        log.unlink(missing_ok=True)
        with servers.Server(context.programs, "redis", launcher.words(command, start.settings), port) as server:
            load = self.load(benchmark_command(context.programs, port, requests))
            if load.status != 0:
                raise Trouble(f"redis-benchmark: {load.err.decode().strip() or load.status}")
            server.end(lambda: servers.redis_client(context.programs, port, "SHUTDOWN", "NOSAVE"))
        sample = read_result(launcher.result)
        sample.written_bytes = size_of(launcher.written)
        sample.rates = read_rates(load.out.decode())
        sample.requests = requests * len(TESTS)
        return sample

    def load(self, command):
        try:
            return self.context.programs.run(command)
        except subprocess.TimeoutExpired as error:
            raise Failure("redis-benchmark does not come to an end") from error

    def last_error(self):
        lines = (self.context.programs.work / "redis.log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "nothing in its log"


def rate_of(test):
    return lambda sample: sample.rates[test][0]


def latency_of(test):
    return lambda sample: sample.rates[test][1]


def cpu_of_request(sample):
    return sample.cpu_s / sample.requests
