#!/usr/bin/env python3
"""Kills a busy process at random instants and reads what it left.

    kill_at_random.py --build-dir build/release [--count 40] [--seed N]

Each round starts programs/busy with a snapshot every few milliseconds, kills it by
SIGKILL, and looks at the recording: each file with a snapshot's name must be whole (`seep verify`)
and the recording must be readable (`seep report`). What was being written stands under a temporary
name: the count of those shows how many kills fell into a write. To see that a damaged file is found,
a snapshot of every tenth recording is cut or has a byte flipped, and must be recognised.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path


class Killer:
    def __init__(self, build, seed):
        self.library = build / "lib" / "libseep.so"
        self.seep = build / "bin" / "seep"
        self.program = build / "tests" / "scenarios" / "events" / "programs" / "busy"
        self.random = random.Random(seed)
        self.counts = Counter()
        self.problems = []

    def run_and_kill(self, directory):
        """A process killed some milliseconds after its first snapshot; its recording, or None."""
        environment = dict(os.environ, LD_PRELOAD=str(self.library), SEEP_DIR=str(directory),
                           SEEP_INTERVAL="3ms", SEEP_KEEP="8", SEEP_SCAN="off")
        blocks = self.random.choice((100, 20000, 150000))
        process = subprocess.Popen([str(self.program), str(blocks)], env=environment,
                                   stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(self.random.uniform(0.0, 0.12))
        process.send_signal(signal.SIGKILL)
        status = process.wait()
        process.stdout.close()
        if status != -signal.SIGKILL:
            self.problems.append(f"{directory}: the program ended by itself with {status}")
        recording = next(directory.glob("busy.*"), None)
        self.wait_for_walker(recording)
        return recording

    def wait_for_walker(self, recording):
        """What writes a long snapshot beside the program is not killed with it, and comes to its
        end."""
        before = None
        while recording is not None:
            now = sorted(file.name for file in recording.iterdir())
            if now == before:
                return
            before = now
            time.sleep(0.1)

    def check(self, recording):
        files = sorted(recording.glob("snapshot-*.seep"))
        self.counts["snapshots"] += len(files)
        self.counts["kills during a write"] += any(recording.glob(".snapshot-*.tmp"))
        if not files:
            self.counts["recordings without a snapshot"] += 1
            return
        verified = subprocess.run([self.seep, "verify", *files], capture_output=True, text=True)
        if verified.returncode != 0:
            self.problems.append(f"{recording}: damaged\n{verified.stdout}{verified.stderr}")
        report = subprocess.run([self.seep, "report", "--json", recording], capture_output=True,
                                text=True)
        if report.returncode != 0:
            self.problems.append(f"{recording}: no report: {report.stderr}")
            return
        read = len(json.loads(report.stdout)["snapshots"])
        if read != len(files):
            self.problems.append(f"{recording}: {read} of {len(files)} snapshots are in the report")

    def damage(self, recording):
        """Cuts or flips a snapshot; it must be found out. Its first half has places without meaning."""
        victim = self.random.choice(sorted(recording.glob("snapshot-*.seep")))
        data = bytearray(victim.read_bytes())
        if self.random.random() < 0.5:
            data = data[:self.random.randrange(len(data))]
        else:
            data[self.random.randrange(len(data) // 2, len(data))] ^= 1 << self.random.randrange(8)
        victim.write_bytes(data)
        verified = subprocess.run([self.seep, "verify", victim], capture_output=True, text=True)
        self.counts["damaged on purpose"] += 1
        if verified.returncode == 0:
            self.problems.append(f"{victim}: damaged on purpose, and not found out")

    def round(self, number, scratch):
        directory = scratch / str(number)
        directory.mkdir()
        before = len(self.problems)
        recording = self.run_and_kill(directory)
        if recording is None:
            self.counts["killed before there was a recording"] += 1
        else:
            self.check(recording)
            if number % 10 == 9 and any(recording.glob("snapshot-*.seep")):
                self.damage(recording)
        if len(self.problems) == before:
            shutil.rmtree(directory)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--count", type=int, default=40, help="kills (default 40)")
    parser.add_argument("--seed", type=int, default=None, help="of the random instants")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1 << 32)
    killer = Killer(arguments.build_dir.resolve(), seed)
    scratch = Path(tempfile.mkdtemp(prefix="seep-kills-"))
    for number in range(arguments.count):
        killer.round(number, scratch)
    print(f"{arguments.count} kills, seed {seed}: " +
          ", ".join(f"{count} {what}" for what, count in sorted(killer.counts.items())))
    for problem in killer.problems:
        print(problem)
    if killer.problems:
        print(f"kept: {scratch}")
    else:
        shutil.rmtree(scratch)
    return 1 if killer.problems or killer.counts["snapshots"] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
