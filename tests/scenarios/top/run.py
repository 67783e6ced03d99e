#!/usr/bin/env python3
"""`seep top` in lines and on a terminal: a pseudo terminal whose screen is kept by Debian's python3-pyte."""
import argparse
import fcntl
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

SOURCE = pathlib.Path(__file__).resolve().parents[3]
PATIENCE_S = 120
NOBODY = 2 ** 22 + 1  # no process has this number


class Trouble(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Trouble(text)


def expect_equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r} instead of {wanted!r}")


def wait_until(what, is_so):
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        expect(time.monotonic() < end, f"not within {PATIENCE_S} s: {what()}")
        time.sleep(0.02)


class Place:
    def __init__(self, build, name):
        self.build = build
        self.out = build / "top" / name
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SEEP_")}
        environment |= {"LD_PRELOAD": str(build / "lib/libseep.so"), "SEEP_DIR": str(self.out), "SEEP_INTERVAL": "50ms",
                        "SEEP_SCAN": "off"}
        self.process = subprocess.Popen([build / "tests/scenarios/top/watched"], env=environment, stdin=subprocess.PIPE)
        self.watchers = []
        self.command = [str(build / "bin/seep"), "top", str(self.process.pid), "--interval", "100ms"]

    def wait_for_growth(self):
        wait_until(lambda: "growth, which is told from some snapshots on", self.growth_is_first)

    def growth_is_first(self):
        done = self.lines("--count", "1", "--json")
        rows = json.loads(done.stdout)["rows"] if done.returncode == 0 else []
        return bool(rows) and "grow_slowly" in rows[0]["where"] and (rows[0]["growth_bytes_per_s"] or 0) > 0

    def lines(self, *words):
        return subprocess.run([*self.command, *words], capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def watch(self, **options):
        """`seep top` beside the test, which ends with it."""
        self.watchers.append(subprocess.Popen(self.command, **options))
        return self.watchers[-1]

    def end(self):
        self.process.stdin.close()
        self.process.wait()

    def kill(self):
        for process in (*self.watchers, self.process):
            process.kill()
            process.wait()


class Terminal:
    """`seep top` with a terminal of its own."""

    def __init__(self, place, columns=120, lines=24, encoding="C.UTF-8", name="xterm"):
        import pyte
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.master, slave = pty.openpty()
        self.slave = slave
        self.resize(columns, lines)
        self.before = termios.tcgetattr(slave)
        environment = os.environ | {"TERM": name, "LC_ALL": encoding}
        # Not of its own session: who is alone in one cannot be stopped.
        self.process = place.watch(stdin=slave, stdout=slave, stderr=subprocess.PIPE, env=environment, process_group=0)
        self.raw = b""

    def resize(self, columns, lines):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            got = os.read(self.master, 65536)
            self.raw += got
            self.stream.feed(got)

    def text(self):
        self.read()
        return "\n".join(self.screen.display)

    def first_row(self):
        return self.text().splitlines()[3]

    def press(self, keys):
        os.write(self.master, keys.encode())

    def wait_for(self, is_so):
        wait_until(lambda: "\n" + self.text(), lambda: is_so(self.text()))

    def wait(self):
        wait_until(self.text, lambda: self.text() is not None and self.process.poll() is not None)
        return self.process.returncode

    def expect_restored(self):
        self.read()
        expect_equal(termios.tcgetattr(self.slave), self.before, "the terminal's settings")
        expect(b"\x1b[?1049h" in self.raw, "it never had a screen of its own")
        expect(self.raw.rindex(b"\x1b[?1049l") > self.raw.rindex(b"\x1b[?1049h"), "the screen was not given back")


def case_lines_where_there_is_no_terminal(place):
    done = place.lines("--count", "2")
    expect_equal((done.returncode, done.stderr), (0, ""), "end")
    expect_equal(done.stdout.count("seep top  watched["), 2, "looks")
    expect("\x1b" not in done.stdout, "escapes")
    by_live = place.lines("--count", "1", "--sort", "live").stdout.splitlines()
    expect("hold_at_start" in by_live[3], f"first by live bytes: {by_live}")
    by_growth = place.lines("--count", "1", "--sort", "growth").stdout.splitlines()
    expect("grow_slowly" in by_growth[3], f"first by growth: {by_growth}")
    expect_equal(len(place.lines("--count", "1", "--rows", "1").stdout.splitlines()), 5, "lines with one row")


def case_json_is_one_object_a_line(place):
    looks = [json.loads(line) for line in place.lines("--count", "2", "--json", "--sort", "live").stdout.splitlines()]
    expect_equal(len(looks), 2, "looks")
    first = looks[0]
    expect_equal((first["schema"], first["pid"], first["name"]), ("seep.top/1", place.process.pid, "watched"), "head")
    expect("hold_at_start" in first["rows"][0]["where"], first["rows"][0])
    expect_equal(first["rows"][0]["live_bytes"], 256 << 20, "live bytes")
    expect(first["rss_bytes"] > 8 << 20, "resident size")


def case_who_is_not_tracked_is_named(place):
    place.command[2] = str(NOBODY)
    done = place.lines()
    expect_equal(done.returncode, 3, "status for no process")
    expect(str(NOBODY) in done.stderr and done.stderr.startswith("seep: "), done.stderr)
    place.command[2] = str(os.getpid())
    done = place.lines()
    expect_equal(done.returncode, 3, "status for one that is not tracked")
    expect("is not tracked" in done.stderr, done.stderr)


def case_lines_end_with_the_process(place):
    watcher = place.watch(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    expect("seep top" in watcher.stdout.readline(), "first line")
    place.end()
    _, err = watcher.communicate(timeout=PATIENCE_S)
    expect_equal(watcher.returncode, 0, "status")
    expect(f"process {place.process.pid} (watched) has ended" in err, err)


def case_keys_order_rows_and_show_a_stack(place):
    terminal = Terminal(place)
    terminal.wait_for(lambda text: "grow_slowly" in terminal.first_row())
    terminal.press("l")
    terminal.wait_for(lambda text: "hold_at_start" in terminal.first_row())
    terminal.press("\r")
    terminal.wait_for(lambda text: any(line.startswith("  main") for line in text.splitlines()))
    terminal.press("g")
    terminal.wait_for(lambda text: "grow_slowly" in terminal.first_row())
    terminal.press("q")
    expect_equal(terminal.wait(), 0, "status")
    terminal.expect_restored()


def case_a_key_takes_a_snapshot(place):
    terminal = Terminal(place)
    terminal.wait_for(lambda text: "grow_slowly" in text)
    terminal.press("s")
    terminal.wait_for(lambda text: "/snapshot-0" in text.splitlines()[-1])
    terminal.press("q")
    expect_equal(terminal.wait(), 0, "status")
    place.end()
    command = [place.build / "bin/seep", "report", "--json", place.out]
    report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    expect_equal([shot["trigger"] for shot in report["snapshots"]].count("request"), 1, "snapshots on request")


def case_signals_give_the_terminal_back(place):
    for number in (signal.SIGTERM, signal.SIGINT):
        terminal = Terminal(place)
        terminal.wait_for(lambda text: "WHERE" in text)
        terminal.process.send_signal(number)
        expect_equal(terminal.wait(), -number, f"status after {number}")
        terminal.expect_restored()


def case_a_stop_gives_the_terminal_back_for_its_time(place):
    terminal = Terminal(place)
    terminal.wait_for(lambda text: "WHERE" in text)
    terminal.process.send_signal(signal.SIGTSTP)
    state = pathlib.Path(f"/proc/{terminal.process.pid}/stat")
    wait_until(lambda: "a stop", lambda: state.read_text().rpartition(")")[2].split()[0] == "T")
    terminal.expect_restored()
    terminal.screen.reset()
    terminal.process.send_signal(signal.SIGCONT)
    terminal.wait_for(lambda text: "WHERE" in text and "grow_slowly" in text)
    terminal.press("q")
    expect_equal(terminal.wait(), 0, "status")
    terminal.expect_restored()


def case_the_screen_follows_the_terminal(place):
    terminal = Terminal(place)
    terminal.wait_for(lambda text: "grow_slowly" in text)
    terminal.screen.resize(10, 30)
    terminal.resize(30, 10)
    terminal.process.send_signal(signal.SIGWINCH)
    terminal.wait_for(lambda text: text.splitlines()[-1].startswith("q quit  g growth  l live"))
    terminal.press("q")
    expect_equal(terminal.wait(), 0, "status")
    terminal.expect_restored()


def case_a_terminal_that_is_gone_ends_it(place):
    terminal = Terminal(place)
    terminal.wait_for(lambda text: "grow_slowly" in text)
    os.close(terminal.slave)
    os.close(terminal.master)  # not its controlling one: no SIGHUP
    wait_until(lambda: "its end", lambda: terminal.process.poll() is not None)
    expect_equal(terminal.process.returncode, 0, "status")


def case_that_nothing_can_be_read_is_told_until_it_can(place):
    place.process.send_signal(signal.SIGSTOP)  # no more snapshots
    recording = next(path for path in place.out.iterdir() if path.is_dir())
    aside = place.out.parent / (place.out.name + ".aside")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for snapshot in recording.glob("snapshot-*"):
        snapshot.rename(aside / snapshot.name)
    done = place.lines("--count", "2", "--json")
    expect_equal((done.returncode, done.stderr.count("seep: ")), (0, 1), f"status, and what is told once: {done.stderr}")
    terminal = Terminal(place)
    terminal.wait_for(lambda text: "seep: " in text.splitlines()[-1])
    for snapshot in aside.iterdir():
        snapshot.rename(recording / snapshot.name)
    terminal.wait_for(lambda text: "grow_slowly" in text and "seep: " not in text)
    terminal.press("q")
    expect_equal(terminal.wait(), 0, "status")


def case_a_process_that_ends_is_told_when_the_screen_is_gone(place):
    terminal = Terminal(place)
    terminal.wait_for(lambda text: "grow_slowly" in text)
    place.end()
    expect_equal(terminal.wait(), 0, "status")
    terminal.expect_restored()
    expect(b"has ended" in terminal.process.stderr.read(), "what it says")


def case_a_terminal_without_a_name_gets_lines(place):
    terminal = Terminal(place, name="no-such-terminal")
    terminal.wait_for(lambda text: "grow_slowly" in text)
    expect(b"\x1b" not in terminal.raw, "escapes")
    terminal.process.send_signal(signal.SIGTERM)
    expect_equal(terminal.wait(), -signal.SIGTERM, "status")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    options = parser.parse_args()
    build = options.build_dir.resolve()
    packages = build / "packages-top"
    subprocess.run([SOURCE / "scripts/fetch_packages", "--into", packages, "python3-pyte", "python3-wcwidth"], check=True)
    sys.path.append(str(packages / "root/usr/lib/python3/dist-packages"))
    cases = {name[5:]: case for name, case in globals().items() if name.startswith("case_") and options.only in name}
    failed = 0
    for name, case in cases.items():
        place = Place(build, name)
        try:
            place.wait_for_growth()
            case(place)
            print(f"ok      {name}")
        except (Trouble, OSError, subprocess.SubprocessError) as trouble:
            failed += 1
            print(f"FAILED  {name}: {trouble}")
        finally:
            place.kill()
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
