#!/usr/bin/env python3
"""A process that grows past its limits (docs/alerts.md): snapshots, lines in the log, and commands that it does not notice;
the figures that it keeps for Prometheus, read by Prometheus's own client library."""
import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[3]
PATIENCE_S = 120
STEP_MB = 40
LIMITS = "20M,60M"
HANGS = 'while kill -0 "$TEST" 2>/dev/null; do sleep 1; done'  # no longer than the test, however that ends
QUIET = "strangers 0 told 0 descriptors 0 threads 1\n"

# What a command sees of itself, one file for each limit. Of signals a child of the shell, which blocks all while it waits.
LOOK = """
{ env; pwd; } > "$HERE/env.$SEEP_LIMIT"
for fd in 0 1 2 3 4 5 6 7 8 9 77 800; do [ -e /proc/$$/fd/$fd ] && readlink /proc/$$/fd/$fd; done > "$HERE/fd.$SEEP_LIMIT"
grep -E "^Sig(Blk|Ign)" /proc/self/status > "$HERE/signals.$SEEP_LIMIT"
[ -s "$SEEP_LIMIT_SNAPSHOT" ] && touch "$HERE/snapshot.$SEEP_LIMIT"
grep -c libseep /proc/$$/maps > "$HERE/maps.$SEEP_LIMIT"
echo "seen by nobody"; echo "by nobody" >&2
echo x >> "$HERE/runs.$SEEP_LIMIT"; exit 7
"""


class Trouble(Exception):
    pass


class Skipped(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Trouble(text)


def expect_equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r} instead of {wanted!r}")


def wait_until(what, is_so):
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        expect(time.monotonic() < end, f"not within {PATIENCE_S} s: {what}")
        time.sleep(0.02)


def text_of(path):
    return path.read_text() if path.exists() else ""


class Place:
    def __init__(self, build, name):
        self.build = build
        self.here = build / "alerts" / name
        shutil.rmtree(self.here, ignore_errors=True)
        self.wrapper = []
        self.metrics = self.here / "metrics"
        self.processes = []
        self.metrics.mkdir(parents=True)

    def start(self, *words, before=None, **settings):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SEEP_")}
        environment |= {"LD_PRELOAD": str(self.build / "lib/libseep.so"), "SEEP_DIR": str(self.here / "out"),
                        "SEEP_SCAN": "off", "HERE": str(self.here), "LIBRARY": str(self.build / "lib/libseep.so"),
                        "TEST": str(os.getpid()), **settings}
        process = subprocess.Popen([*self.wrapper, self.build / "tests/scenarios/alerts/growing", str(STEP_MB), *words],
                                   env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, preexec_fn=before)
        self.processes.append(process)
        return process

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def log(self):
        return [line.split(": ", 1)[1] for line in text_of(self.here / "out/seep.log").splitlines()]

    def passed(self):
        return [line for line in self.log() if line.startswith("resident size")]

    def of_commands(self):
        return [line for line in self.log() if line.startswith("SEEP_ON_LIMIT")]

    def recording(self):
        return next(path for path in (self.here / "out").iterdir() if path.is_dir())

    def triggers(self):
        command = [self.build / "bin/seep", "report", "--json", self.here / "out"]
        report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return [snapshot["trigger"] for snapshot in report["snapshots"]]


def tell(process, word):
    process.stdin.write(word)
    process.stdin.flush()
    if word == "g":
        expect_equal(process.stdout.readline(), "grown\n", "answer")


def end(process, output=QUIET):
    tell(process, "q")
    out, err = process.communicate(timeout=PATIENCE_S)
    expect_equal((out, err, process.returncode), (output, "", 0), "output, errors and status of the program")


def case_each_limit_is_told_once(place):
    process = place.start(SEEP_RSS_LIMIT=LIMITS, SEEP_ON_LIMIT=LOOK)
    tell(process, "g")
    wait_until("the first command", lambda: len(place.of_commands()) == 1)
    tell(process, "g")
    wait_until("the second command", lambda: len(place.of_commands()) == 2)
    end(process)
    recording = place.recording()
    expect_equal(place.triggers().count("limit"), 2, "snapshots")
    expect_equal(len(place.passed()), 2, f"lines of the log: {place.log()}")
    for number, (name, limit) in enumerate((("warning", 20 << 20), ("critical", 60 << 20))):
        line = place.passed()[number].split()
        expect(f"the {name} limit {limit}:" in " ".join(line), f"{name} limit: {line}")
        expect_equal(text_of(place.here / f"runs.{name}"), "x\n", f"runs at the {name} limit")
        expect_equal(place.of_commands()[number], f"SEEP_ON_LIMIT, {name} limit: ended with status 7", "end")
        seen = text_of(place.here / f"env.{name}").splitlines()
        wanted = {f"SEEP_LIMIT={name}", f"SEEP_LIMIT_PID={process.pid}", f"SEEP_LIMIT_RSS={line[2]}",
                  f"SEEP_LIMIT_BYTES={limit}", f"SEEP_LIMIT_RECORDING={recording}",
                  f"SEEP_LIMIT_SNAPSHOT={recording}/{line[-1]}"}
        expect_equal({entry for entry in seen if entry.startswith(("SEEP_", "LD_PRELOAD"))}, wanted, "its environment")
        expect(f"HERE={place.here}" in seen and seen[-1] == str(recording), f"environment and folder: {seen}")
        expect((place.here / f"snapshot.{name}").exists(), "the snapshot was not there yet")
        # The shell has the file of this very look as its output.
        expect_equal(text_of(place.here / f"fd.{name}").splitlines(),
                     ["/dev/null", str(place.here / f"fd.{name}"), "/dev/null"], "its descriptors")
        expect_equal([line.split()[1] for line in text_of(place.here / f"signals.{name}").splitlines()], ["0" * 16] * 2,
                     "its signals")
        expect_equal(text_of(place.here / f"maps.{name}"), "0\n", "maps of libseep.so in the command")


def case_programs_that_reap_orphans_or_ignore_children_see_nothing(place):
    process = place.start("subreaper", "ignore-child", SEEP_RSS_LIMIT=LIMITS, SEEP_ON_LIMIT=LOOK)
    tell(process, "g")
    tell(process, "g")
    wait_until("both commands", lambda: len(place.of_commands()) == 2)
    expect(all(line.endswith("status 7") for line in place.of_commands()), f"ends: {place.of_commands()}")
    end(process)


def case_a_command_that_hangs_holds_nobody_up(place):
    process = place.start(SEEP_RSS_LIMIT=LIMITS, SEEP_ON_LIMIT=f'echo $$ > "$HERE/pid.$SEEP_LIMIT"; {HANGS}')
    tell(process, "g")
    tell(process, "g")
    both = [place.here / "pid.warning", place.here / "pid.critical"]
    wait_until("both commands", lambda: all(text_of(path).endswith("\n") for path in both))
    os.kill(int(text_of(both[0])), signal.SIGKILL)
    wait_until("the end of the first", lambda: place.of_commands() == ["SEEP_ON_LIMIT, warning limit: ended by signal 9"])
    end(process)
    wait_until("the end of the watch", lambda: len(place.of_commands()) == 2)
    expect(place.of_commands()[1].endswith("was running when the process ended"), f"log: {place.log()}")
    os.kill(int(text_of(both[1])), signal.SIGKILL)  # it runs on


def task_of(process, name):
    for status in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:
            continue  # it has ended meanwhile
        if fields["Name"].strip() == name and int(fields["PPid"]) == process.pid:
            return fields
    return None


# Its rights may be more than those that the program has kept.
def case_the_watcher_has_no_memory_of_the_program(place):
    process = place.start(SEEP_RSS_LIMIT="20M", SEEP_ON_LIMIT='echo $$ > "$HERE/pid"; ' + HANGS)
    tell(process, "g")
    wait_until("the command", lambda: text_of(place.here / "pid").endswith("\n"))
    pid = int(text_of(place.here / "pid"))
    try:
        wait_until("a watcher without the program's memory", lambda: int(
            (task_of(process, "seep-limit") or {"RssAnon": "-1 kB"})["RssAnon"].split()[0]) in range(STEP_MB << 9))
    finally:
        os.kill(pid, signal.SIGKILL)
    wait_until("the end", lambda: place.of_commands() == ["SEEP_ON_LIMIT, critical limit: ended by signal 9"])
    end(process)


def case_a_program_that_becomes_another_gets_no_child(place):
    process = place.start(SEEP_RSS_LIMIT="20M", SEEP_ON_LIMIT='echo $$ > "$HERE/pid"; ' + HANGS)
    tell(process, "g")
    wait_until("the command", lambda: text_of(place.here / "pid").endswith("\n"))
    tell(process, "e")
    try:
        wait_until("the exec", lambda: (place.here / f"out/growing.{process.pid}.2").exists())
        end(process)
        expect_equal(place.of_commands(),
                     ["SEEP_ON_LIMIT, critical limit: was running when the process became another program"], "log")
    finally:
        os.kill(int(text_of(place.here / "pid")), signal.SIGKILL)  # it runs on


def case_a_snapshot_that_fails_is_told_as_none(place):
    few = (1 << 10, 1 << 10)  # of any file: enough for a line, not for a snapshot
    process = place.start(SEEP_RSS_LIMIT="20M", SEEP_ON_LIMIT='echo "[$SEEP_LIMIT_SNAPSHOT]" > "$HERE/seen"',
                          before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, few))
    tell(process, "g")
    wait_until("the command", lambda: len(place.of_commands()) == 1)
    expect(place.passed()[0].endswith(": no snapshot"), f"log: {place.log()}")
    expect_equal(text_of(place.here / "seen"), "[]\n", "the snapshot that the command is told")
    end(process)


def case_a_program_that_can_record_nowhere_has_its_command_too(place):
    other = ["--map-root-user"] if os.geteuid() != 0 else []
    place.wrapper = ["unshare", "--mount", *other, "sh", "-c",
                     'place=/tmp/seep-$(id -u); mkdir -p "$place" && mount -t tmpfs -o ro none "$place" || exit; '
                     'export LD_PRELOAD="$LIBRARY"; exec "$0" "$@"']
    process = place.start(SEEP_RSS_LIMIT="20M", SEEP_DIR="/proc/nowhere", LD_PRELOAD="", TMPDIR="",
                          SEEP_ON_LIMIT='echo "[$SEEP_LIMIT_SNAPSHOT]" > "$HERE/seen"')
    tell(process, "g")
    wait_until("the command", lambda: text_of(place.here / "seen") == "[]\n")
    end(process)


def case_a_command_that_is_not_there_is_noted(place):
    process = place.start(SEEP_RSS_LIMIT="20M", SEEP_ON_LIMIT="no-such-command-here")
    tell(process, "g")
    wait_until("the end", lambda: place.of_commands() == ["SEEP_ON_LIMIT, critical limit: ended with status 127"])
    end(process)


def case_a_program_that_has_not_begun_to_record_has_its_command_too(place):
    process = place.start(SEEP_RSS_LIMIT="20M", SEEP_START="paused", SEEP_ON_LIMIT='env > "$HERE/seen"')
    tell(process, "g")
    wait_until("the command", lambda: len(place.of_commands()) == 1)
    expect(place.passed()[0].endswith(": no snapshot"), f"log: {place.log()}")
    expect("\nSEEP_LIMIT_SNAPSHOT=\n" in "\n" + text_of(place.here / "seen"), text_of(place.here / "seen"))
    end(process)


def case_without_limits_nothing_is_told(place):
    process = place.start(SEEP_RSS_LIMIT="off", SEEP_ON_LIMIT="exit 0")
    tell(process, "g")
    end(process)
    expect_equal(place.log(), [], "log")


def case_the_limit_of_a_group_may_change(place):
    group = pathlib.Path("/sys/fs/cgroup/memory" if pathlib.Path("/sys/fs/cgroup/memory/cgroup.procs").exists()
                         else "/sys/fs/cgroup") / f"seep-alerts-{os.getpid()}"
    limit = group / ("memory.limit_in_bytes" if "/memory/" in str(group) else "memory.max")
    process = place.start(SEEP_RSS_LIMIT="5%,30M")
    try:
        try:
            group.mkdir()
            limit.write_text(str(4 << 30))
            (group / "cgroup.procs").write_text(str(process.pid))
        except OSError as error:
            end(process)
            raise Skipped(f"no memory cgroup can be made here: {error}") from error
        tell(process, "g")
        wait_until("a look at the size since", lambda: len(place.passed()) == 1)
        expect("the critical limit" in place.passed()[0], f"5 % of 4 GB is passed: {place.log()}")
        limit.write_text(str(400 << 20))
        wait_until("the warning", lambda: len(place.passed()) == 2)
        expect("the warning limit 20971" in place.passed()[1], f"log: {place.log()}")
        end(process)
    finally:
        place.end()  # a group that is not empty cannot be removed
        if group.exists():
            group.rmdir()


def read_metrics(path):
    from prometheus_client.parser import text_string_to_metric_families
    return {sample.name + (":" + sample.labels["limit"] if "limit" in sample.labels else ""): sample
            for family in text_string_to_metric_families(path.read_text()) for sample in family.samples}


def case_prometheus_reads_its_figures(place):
    packages = place.build / "packages-export"
    subprocess.run([SOURCE / "scripts/fetch_packages", "--into", packages, "python3-prometheus-client"], check=True)
    sys.path.append(str(packages / "root/usr/lib/python3/dist-packages"))
    process = place.start(SEEP_RSS_LIMIT=LIMITS, SEEP_METRICS=str(place.metrics))
    path = place.metrics / f"seep-{os.uname().nodename}-growing.{process.pid}.prom"
    wait_until("the file", path.exists)
    first = read_metrics(path)
    expect_equal(first["seep_process_limit_passed:warning"].value, 0, "warning at first")
    expect_equal(first["seep_process_recording"].value, 1, "recording")
    tell(process, "g")
    wait_until("the crossing", lambda: read_metrics(path)["seep_process_limit_crossings_total:warning"].value == 1)
    now = read_metrics(path)
    expect_equal(now["seep_process_rss_bytes"].labels,
                 {"pid": str(process.pid), "exe": "growing", "host": os.uname().nodename}, "labels")
    expect(now["seep_process_rss_bytes"].value > STEP_MB << 20, "resident size")
    expect_equal(now["seep_process_limit_bytes:critical"].value, 60 << 20, "critical limit")
    expect_equal(now["seep_process_limit_passed:critical"].value, 0, "critical")
    expect_equal(now["seep_process_lost_events_total"].value, 0, "losses")
    end(process)
    expect_equal(list(place.metrics.iterdir()), [], "files after its end")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    options = parser.parse_args()
    cases = {name[5:]: case for name, case in globals().items() if name.startswith("case_") and options.only in name}
    failed = skipped = 0
    for name, case in cases.items():
        place = Place(options.build_dir.resolve(), name)
        try:
            case(place)
            print(f"ok      {name}")
        except Skipped as why:
            skipped += 1
            print(f"SKIPPED {name}: {why}")
        except (Trouble, OSError, subprocess.SubprocessError) as trouble:
            failed += 1
            print(f"FAILED  {name}: {trouble}")
        finally:
            place.end()
    return 1 if failed or not cases else 77 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
