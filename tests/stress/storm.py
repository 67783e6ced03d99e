#!/usr/bin/env python3
"""Runs the storm (storm.cpp) under the preload, and watches it.

    tests/stress/storm.py --build-dir build/release [--seconds 20] [--seed N] [--without-seep] [ACTOR …]

When an actor stands still for 20 seconds (two minutes on a busy machine), or the storm says nothing for 40, the stacks of all its
threads and children are printed (by gdb where it is installed, else what /proc says of them) and the
result is a failure. So it is when a child or the storm itself ends by a signal, or a recording is
damaged. That the watchdog works is shown by --stop, which stops the storm's process in the middle.
"""

import argparse
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SILENCE = 40  # seconds


def members(session):
    """Processes of a session, oldest first."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                found.append(int(folder.name))
    return sorted(found)


def print_stacks(pid):
    print(f"---- process {pid}", flush=True)
    if shutil.which("gdb"):
        subprocess.run(["gdb", "-batch", "-nx", "-p", str(pid), "-ex", "thread apply all bt 30"],
                       stderr=subprocess.DEVNULL, timeout=120, check=False)
        return
    for task in Path(f"/proc/{pid}/task").iterdir():
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        print(f"thread {task.name}: state {state}, in {(task / 'wchan').read_text()}, "
              f"system call {(task / 'syscall').read_text().strip()}")


def watch(process, stop_after):
    """Prints the storm's last line; the reason why it is stuck, or None."""
    last = ""
    begin = time.monotonic()
    while True:
        if stop_after and time.monotonic() - begin > stop_after:
            os.kill(process.pid, signal.SIGSTOP)
        ready, _, _ = select.select([process.stdout], [], [], 2 if stop_after else SILENCE)
        if not ready:
            return f"it says nothing more; last: {last}"
        line = process.stdout.readline()
        if not line:
            print(last, end="")
            return None
        if "STUCK" in line:
            return line.strip()
        last = line if line != "over\n" else last + line


def pester(process, seep):
    """Snapshots, marks, pauses and starts from outside, as long as it runs."""
    while process.poll() is None:
        for words in (["snapshot"], ["mark", "storm"], ["pause"], ["start"]):
            verb, *rest = words
            subprocess.run([seep, verb, str(process.pid), *rest], capture_output=True, check=False)
        time.sleep(0.5)


def damaged(seep, directory):
    """What `seep verify` says against the recordings that hold a snapshot."""
    found = []
    for recording in directory.iterdir():
        if recording.is_dir() and any(recording.glob("snapshot-*.seep")):
            result = subprocess.run([seep, "verify", recording], capture_output=True, text=True,
                                    check=False)
            found += [result.stderr] if result.returncode != 0 else []
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100000,
                        help="of sizes, order and timers; another each time without")
    parser.add_argument("--without-seep", action="store_true")
    parser.add_argument("--stop", type=float, default=0, help="stop it after so many seconds")
    parser.add_argument("actors", nargs="*")
    arguments = parser.parse_args()
    build = arguments.build_dir.resolve()
    seep = build / "bin" / "seep"
    directory = Path(tempfile.mkdtemp(prefix="seep-storm-"))
    environment = dict(os.environ)
    if not arguments.without_seep:
        environment.update(LD_PRELOAD=str(build / "lib" / "libseep.so"), SEEP_DIR=str(directory),
                           SEEP_INTERVAL="10ms", SEEP_KEEP="8", SEEP_DISK="200M",
                           SEEP_MIN_LIFE="100ms")
    print(f"seed {arguments.seed}", flush=True)
    process = subprocess.Popen([build / "bin" / "seep_storm", str(arguments.seconds),
                                str(arguments.seed), *arguments.actors], env=environment, stdout=subprocess.PIPE,
                               text=True, start_new_session=True)
    if not arguments.without_seep:
        threading.Thread(target=pester, args=(process, seep), daemon=True).start()
    reason = watch(process, arguments.stop)
    if reason:
        print(f"the storm is stuck: {reason}")
        for pid in members(process.pid):
            print_stacks(pid)
        os.killpg(process.pid, signal.SIGKILL)
    status = process.wait()
    problems = damaged(seep, directory)
    print(f"status {status}, {len(list(directory.iterdir()))} entries in {directory}")
    print("\n".join(problems))
    if reason or status != 0 or problems:
        return 1
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
