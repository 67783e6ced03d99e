#!/usr/bin/env python3
"""Code compiled while a program runs, named by the map that its compiler writes.

usage: run.py --build-dir DIR [--only NAME,…]

programs: compiled.c makes its own code; keep.js runs in node, where there is one. Exit status 1 when a
case fails; what was recorded is kept in DIR/jit then.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LONGEST_RUN_S = 120
SECONDS = "2.5"
WITH, WITHOUT = "with_frame", "Lcom/acme/Pool;::without_frame"


class Trouble(Exception):
    pass


class Skipped(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Trouble(text)


class Case:
    def __init__(self, build, name):
        self.build = build
        self.work = build / "jit" / name
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.program = build / "tests/scenarios/jit/compiled"

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEEP_", "LD_"))}
        return {**kept, "LD_PRELOAD": str(self.build / "lib/libseep.so"), "SEEP_DIR": str(self.work / "seep"),
                "SEEP_INTERVAL": "100ms", "SEEP_MIN_LIFE": "0", **more}

    def start(self, *command, **more):
        return subprocess.Popen([str(word) for word in command], env=self.environment(**more), cwd=self.work,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *command, **more):
        with self.start(*command, **more) as process:
            out, _ = process.communicate(timeout=LONGEST_RUN_S)
        remove_map(process.pid)
        return process, out

    def recording(self):
        found = [path for path in (self.work / "seep").iterdir() if path.is_dir()]
        expect(len(found) == 1, f"recordings: {found}")
        return found[0]

    def log(self):
        path = self.work / "seep" / "seep.log"
        return path.read_text() if path.exists() else ""

    def report(self):
        done = subprocess.run([str(self.build / "bin/seep"), "report", "--json", "--sites", str(self.recording())],
                              check=False, capture_output=True, text=True, timeout=LONGEST_RUN_S)
        expect(done.returncode == 0, f"seep report: {done.stderr.strip()}")
        return json.loads(done.stdout)


def map_of(pid):
    return pathlib.Path(f"/tmp/perf-{pid}.map")


def remove_map(pid):
    map_of(pid).unlink(missing_ok=True)


def describe(frame):
    return f"{frame['function']} {frame['file']}:{frame['line']} ({frame['language']})"


def frames_of(report, function):
    """The stacks of leaks that begin in that function."""
    return [row["stack"] for row in report["suspects"] if row["leak"] and row["stack"][0]["function"] == function]


def expect_names(case):
    report = case.report()
    leaks = [[describe(frame) for frame in row["stack"]] for row in report["suspects"] if row["leak"]]
    with_frame, without = frames_of(report, WITH), frames_of(report, WITHOUT)
    expect(with_frame and without, f"the leaks are {leaks}")
    frame = with_frame[0][0]
    expect(describe(frame) == "with_frame /srv/app/handler.js:17 (jit)", describe(frame))
    # Its frame pointer leads to its caller.
    expect(any(outer["function"] == "call_both" for outer in with_frame[0]), f"no caller: {leaks}")
    rows = [row for row in report["suspects"] if row["stack"][0]["function"] == WITH]
    expect(rows[0]["blame"] == 0 and rows[0]["user_frame"] == 0, f"blame {rows[0]['blame']}")


def ended(case):
    """The map is kept with the recording, and the one in /tmp is not needed any more."""
    process, _ = case.run(case.program, SECONDS, "map")
    expect(process.returncode == 0, f"status {process.returncode}")
    expect((case.recording() / "perf.map").stat().st_mode & 0o777 == 0o600, "the copy's mode")
    expect_names(case)
    expect("perf-" not in case.log(), case.log())


def unnamed(case):
    """Without a map, stacks have addresses; nothing is said."""
    case.run(case.program, SECONDS, "none")
    report = case.report()
    expect(not any(frame["language"] == "jit" for row in report["suspects"] for frame in row["stack"]), "names")
    expect("perf-" not in case.log(), case.log())


def running(case):
    """While it lives, the map is where it writes it."""
    with case.start(case.program, "60", "map") as process:
        try:
            expect(process.stdout.readline() == "ready\n", "it did not start")
            subprocess.run(["sleep", "3"], check=True)
            expect_names(case)
            expect(not (case.recording() / "perf.map").exists(), "a copy before the end")
        finally:
            process.send_signal(signal.SIGKILL)
    remove_map(process.pid)


def put_in_place(case, put):
    """Something else stands at the map's name when the program ends."""
    with case.start(case.program, SECONDS, "none") as process:
        expect(process.stdout.readline() == "ready\n", "it did not start")
        try:
            put(map_of(process.pid))
            process.communicate(timeout=LONGEST_RUN_S)
        finally:
            remove_map(process.pid)
    expect(process.returncode == 0, f"status {process.returncode}")
    expect(not (case.recording() / "perf.map").exists(), "it was copied")
    return case.log()


def link(case):
    secret = case.work / "secret"
    secret.write_text("0 7fffffffffff secret\n")
    log = put_in_place(case, lambda path: path.symlink_to(secret))
    expect("is no regular file" in log, f"log: {log}")


def fifo(case):
    log = put_in_place(case, os.mkfifo)
    expect("is no regular file" in log, f"log: {log}")


def node(case):
    program = shutil.which("node")
    if program is None:
        raise Skipped("there is no node")
    script = HERE / "keep.js"
    with case.start(program, "--perf-basic-prof", script, "60") as process:
        subprocess.run(["sleep", "5"], check=True)
        try:
            report = case.report()
        finally:
            process.kill()
            process.communicate()
            remove_map(process.pid)
    seen = [[describe(frame) for frame in row["stack"][:8]] for row in report["suspects"][:4]]
    rows = [row for row in report["suspects"] if row["leak"] and row["user_frame"] is not None]
    expect(rows, f"no leak has a frame of the script: {seen}")
    frame = rows[0]["stack"][rows[0]["user_frame"]]
    # V8 may have put remember() into its caller.
    begins = {name: i for i, text in enumerate(script.read_text().splitlines(), 1)
              for name in re.findall(r"^function (\w+)", text)}
    expect(frame["language"] == "jit" and frame["function"] in ("remember", "work") and frame["file"] == str(script)
           and frame["line"] == begins[frame["function"]], f"the user's frame is {describe(frame)} of {seen}")


CASES = {"ended": ended, "unnamed": unnamed, "running": running, "link": link, "fifo": fifo, "node": node}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--only", help="comma separated names")
    options = parser.parse_args()
    failed = 0
    for name in options.only.split(",") if options.only else CASES:
        case = Case(options.build_dir.resolve(), name)
        try:
            CASES[name](case)
            print(f"{name}: good")
            shutil.rmtree(case.work)
        except Skipped as why:
            print(f"{name}: SKIPPED: {why}")
        except (Trouble, OSError, subprocess.SubprocessError) as trouble:
            failed += 1
            print(f"{name}: FAILED: {trouble} (kept in {case.work})", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
