#!/usr/bin/env python3
"""PHP scripts under seep: their own frames stand in the stacks, and nothing else changes.

usage: php_test.py --build-dir DIR [--php VERSION | --zts] [--offline] [--only NAME,…]

Debian's PHP is unpacked under the build folder, never installed (scripts/fetch_packages): that of this
release, or of another one, which runs on its own libc. Debian has no thread-safe one: --zts runs the
program that SEEP_TEST_PHP_ZTS names, sapi/cli/php of a build tree (configure --enable-zts
--enable-embed). Exit status 1 when a case fails, 77 when that PHP cannot be had.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path[:0] = [str(SOURCE / "tests" / "scenarios" / "real"), str(HERE)]
from debian_php import Absent, LONGEST_RUN_S, Php, RELEASES  # noqa: E402
from harness import Trouble, environment  # noqa: E402
from servers import free_port, wait_for_port  # noqa: E402

SKIPPED = 77
REQUESTS = 150


class Failure(Exception):
    """What a case found."""


def expect(is_so, sentence):
    if not is_so:
        raise Failure(sentence)


class Scripts(Php):
    """PHP without settings of its own, and the scripts beside this file."""

    @property
    def embedded(self):
        return next(self.root.glob("usr/lib/libphp*.so"), None)

    def command(self, script, *arguments, options=()):
        return [*self.php, "-n", "-d", "memory_limit=512M", *options, str(HERE / "php" / script), *arguments]

    def opcache(self):
        """Options that put compiled code, and what it is described by, into shared memory."""
        [library] = self.root.glob("usr/lib/php/*/opcache.so")
        return ["-d", f"zend_extension={library}", "-d", "opcache.enable_cli=1"]

    def compare(self, name, command, **settings):
        """Runs natively and under seep: what comes out must be the same."""
        native, seen = self.run(command), self.run(command, self.tracked(name, **settings))
        for what in ("out", "err", "status"):
            expect(getattr(native, what) == getattr(seen, what),
                   f"{what} differs: {getattr(native, what)!r} natively, {getattr(seen, what)!r} under seep")
        return seen


class ThreadSafeScripts(Scripts):
    """The same with a thread-safe PHP that somebody has built."""

    def __init__(self, build_dir):
        named = os.environ.get("SEEP_TEST_PHP_ZTS", "")
        if not named or not os.access(named, os.X_OK):
            raise Absent("SEEP_TEST_PHP_ZTS does not name a thread-safe one"
                         + (f" ({named} cannot be run)" if named else ""))
        program = pathlib.Path(named).resolve()
        question = "echo PHP_VERSION, ' ', PHP_ZTS, ' ', function_exists('pcntl_fork');"
        said = subprocess.run([named, "-n", "-r", question], text=True, capture_output=True,
                              check=True).stdout.split(" ")
        if said[1] != "1":
            sys.exit(f"{named} is not a thread-safe PHP")
        self.version = tuple(map(int, said[0].split(".")[:2]))
        self.can_fork = said[2] == "1"
        self.longest_run_s = LONGEST_RUN_S
        self.php = [str(program)]
        self.built = program.parents[2] / "libs" / "libphp.so"
        self.seep = build_dir / "bin" / "seep"
        self.preload = build_dir / "lib" / "libseep.so"
        self.work = build_dir / "work-php-zts"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.environment = environment("", {})

    @property
    def embedded(self):
        if not self.built.exists():
            raise Failure(f"the build has no {self.built} (configure --enable-embed)")
        return self.built


def blamed(suspect):
    return suspect["stack"][suspect["blame"]]


def described(frame):
    return f"{frame['function']} {frame['file']}:{frame['line']} ({frame['language']})"


def marked_lines(script, mark):
    """Numbers of the lines of a script that end in a comment with `mark`."""
    lines = (HERE / "php" / script).read_text().splitlines()
    return [i for i, line in enumerate(lines, 1) if re.search(rf"\S\s+// {mark}\b", line)]


def no_losses(report, *but):
    lost = {name: count for name, count in report["losses"].items() if count and name not in but}
    expect(not lost, f"losses: {lost}")


def blocks_by_line(report, figure="live_blocks"):
    """Live blocks (or another figure) of the sites by the line of a file that is blamed for them."""
    blocks = {}
    for suspect in report["suspects"]:
        frame = blamed(suspect)
        key = (pathlib.Path(frame["file"] or "").name, frame["line"])
        blocks[key] = blocks.get(key, 0) + suspect[figure]
    return blocks


# ---- cases ---------------------------------------------------------------------------------------


def first_is_the_leak(php, name, *arguments, **settings):
    php.compare(name, php.command("leak.php", *arguments), **settings)
    report = php.report(php.recordings(name))
    first = report["suspects"][0]
    [line] = marked_lines("leak.php", "leaks")
    frame = blamed(first)
    expect(frame["function"] == "Pool::run" and frame["line"] == line
           and frame["file"].endswith("/leak.php") and frame["language"] == "php",
           f"the first row blames {described(frame)}")
    return report, first


def leak(php, name):
    """At a pace that a busy machine can keep; where it did not, and no verdict could be given, for longer."""
    report, first = first_is_the_leak(php, name, "1.5", "4000")
    if first["behaviour"] == "unknown":
        print(f"{name}: once: {first['why']}", file=sys.stderr)
        report, first = first_is_the_leak(php, f"{name}-longer", "6", "4000")
    expect(first["leak"], f"it is called {first['verdict']}: {first['why']}")
    no_losses(report)
    functions = [frame["function"] for frame in first["stack"] if frame["language"] == "php"]
    expect(functions[-2:] == ["Pool::run", "{main}"], f"the script's frames are {functions}")
    natives = [i for i, frame in enumerate(first["stack"]) if frame["language"] == "native"]
    expect(not natives or natives[0] >= len(functions), "a native frame stands before a script's")
    others = [row for row in report["suspects"][1:] if row["leak"]]
    expect(not others, f"a second leak: {[described(blamed(row)) for row in others]}")


def at_line(frame, script, mark):
    return (frame["file"] or "").endswith(f"/{script}") and frame["line"] in marked_lines(script, mark)


def consumer(php, name):
    """What a package allocates is blamed on it, and the line of the program that called it stands beside."""
    php.compare(name, php.command("consumer.php", "3"))
    report = php.report(php.recordings(name))
    no_losses(report)
    package = "vendor/wire/connection.php"
    leaks = [row for row in report["suspects"] if row["leak"]]
    for mark, caller in (("reads", "fetches"), ("opens", "calls"), ("traces", "calls")):
        rows = [row for row in leaks if at_line(blamed(row), package, mark)]
        expect(rows, f"no leak at {mark}: {[described(blamed(row)) for row in leaks]}")
        own = rows[0]["user_frame"]
        expect(own is not None and at_line(rows[0]["stack"][own], "consumer.php", caller),
               f"{mark}: the user's frame is {own} of {[described(frame) for frame in rows[0]['stack']]}")
    shared = [line for line in report["user_lines"] if at_line(line, "consumer.php", "calls")]
    expect(len(shared) == 1 and len(shared[0]["suspects"]) >= 2, f"lines shared: {report['user_lines']}")
    kept = [row for row in leaks if at_line(blamed(row), package, "reads")][0]
    containers = [report["containers"][index] for index in kept["containers"]]
    expect(any(container["function"] == "BodyCache::remember" and at_line(container, "consumer.php", "keeps")
               and container["doublings"] >= 4 for container in containers),
           f"containers: {report['containers']}")


def at_end(php, name):
    """What grows in a function that PHP calls at the end of the script."""
    php.compare(name, php.command("at_end.php"))
    report = php.report(php.recordings(name))
    [line] = marked_lines("at_end.php", "leaks")
    frame = blamed(report["suspects"][0])
    expect(frame["function"] == "Log::grow" and frame["line"] == line,
           f"the first row blames {described(frame)}")
    no_losses(report)
    holders = [holder["text"] for holder in report["suspects"][0]["held_by"] or []]
    expect(isinstance(php, ThreadSafeScripts) or (holders and holders[0].startswith("static Log::$lines")),
           f"it is held by {holders}")


def sampled(php, name):
    first_is_the_leak(php, name, SEEP_MODE="sample", SEEP_SAMPLE_BYTES="16384")


def many_were_alive(report):
    [line] = marked_lines("leak.php", "leaks")
    most = max((max(row["series"]["live_blocks"]) for row in report["suspects"]
                if blamed(row)["line"] == line and blamed(row)["function"] == "Pool::run"), default=0)
    expect(most > 1000, f"at most {most} blocks of Pool::run")


def without_zend_allocator(php, name):
    """PHP's objects are blocks of malloc, all of which it gives back before the last snapshot."""
    php.compare(name, php.command("leak.php"), USE_ZEND_ALLOC="0")
    many_were_alive(php.report(php.recordings(name)))


def slow_start(php, name):
    """PHP makes its heap after more allocations than are looked at one by one."""
    library = php.work / "slow_start.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(HERE / "php" / "slow_start.c")], check=True)
    first_is_the_leak(php, name, LD_PRELOAD=f"{php.preload}:{library}")


def late(php, name):
    """Recording begins in the middle of the script, as its memory grows: PHP takes that by maps."""
    [line] = marked_lines("leak.php", "leaks")
    for seconds in ("3", "12"):  # a busy machine may not get there in the first ones
        run = f"{name}-{seconds}"
        php.compare(run, php.command("leak.php", seconds), SEEP_START="rss:19M")
        blocks = blocks_by_line(php.report(php.recordings(run))).get(("leak.php", line), 0)
        if blocks > 1000:
            return
    raise Failure(f"{blocks} blocks of Pool::run since recording began")


def language_off(php, name):
    php.compare(name, php.command("leak.php", "0.3"), SEEP_LANG="off")
    frames = [frame for row in php.report(php.recordings(name))["suspects"] for frame in row["stack"]]
    expect(frames and all(frame["language"] == "native" for frame in frames), "there are script frames")


def offsets(php, name):
    """Offsets that the user gives go before those that are known, and are tried before they are believed."""
    mine = {(7, 4): "488,137,136,60,64", (8, 2): "488,81,152,80,88", (8, 4): "488,81,168,96,104"}[php.version]
    version = ".".join(map(str, php.version))
    first_is_the_leak(php, name, SEEP_PHP_OFFSETS=f"{version}:{mine}")
    php.compare(f"{name}-wrong", php.command("leak.php", "0.3"), SEEP_PHP_OFFSETS=f"{version}:488,81,24,80,88")
    report = php.report(php.recordings(f"{name}-wrong"))
    expect(report["losses"]["script_frames_refused"] == 1, "offsets that are wrong were believed")
    first_is_the_leak(php, f"{name}-other", SEEP_PHP_OFFSETS="9.9:488,81,24,80,88")
    alone = php.run(php.command("lines.php"))
    none = php.run(php.command("lines.php"), php.tracked(f"{name}-none", SEEP_PHP_OFFSETS="8.6:1,2"))
    expect((none.out, none.status) == (alone.out, alone.status), f"with none: {none}")
    added = none.err.decode().removesuffix(alone.err.decode()).splitlines()
    expect(len(added) == 1 and added[0].startswith("seep: SEEP_PHP_OFFSETS=8.6:1,2: accepted is "), f"it says {added}")


def lines(php, name):
    php.compare(name, php.command("lines.php"))
    report = php.report(php.recordings(name), "--sites")
    no_losses(report, "unwind_failed")  # a fiber's stack begins in code without tables
    has_fibers = php.version >= (8, 1)
    blocks = blocks_by_line(report)
    for script in ("lines.php", "included.php"):
        for line in marked_lines(script, "keeps"):
            text = (HERE / "php" / script).read_text().splitlines()[line - 1]
            found = sum(count for (file, at), count in blocks.items()
                        if (file.startswith(f"{script}({line})") and at == 1 if "eval()'d" in text
                            else file == script and at == line))
            kept = int(re.search(r"// keeps (\d+)", text).group(1))
            kept = kept if has_fibers or "in a fiber" not in text else 0
            expect(kept <= found <= kept + 30, f"{script}:{line} has {found} live blocks: {text.strip()}")


def memory(php, name):
    """A limit that is reached has a snapshot of its own, with what filled it."""
    for way in ("", "limit", "throw", "exit"):
        php.compare(f"{name}-{way}", php.command("memory.php", way))
        report = php.report(php.recordings(f"{name}-{way}"))
        taken = [i for i, one in enumerate(report["snapshots"]) if one["trigger"] == "limit"]
        expect(len(taken) == (1 if way == "limit" else 0), f"{len(taken)} snapshots of the limit: {way}")
        for at in taken:
            held = {mark: sum(row["series"]["live_bytes"][at] for row in report["suspects"]
                              if at_line(blamed(row), "memory.php", mark)) for mark in ("fills", "reports")}
            expect(held["fills"] > 8e6 and held["reports"] == 0, f"not what filled it, or later: {held}")


def scan_running(php, name, command):
    """Scans a script that says that it is ready, and kills it there, as a worker may be."""
    script = subprocess.Popen(command, env={**php.environment, **php.tracked(name)}, cwd=php.work,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        expect(b"ready\n" in iter(script.stdout.readline, b""), "the script was not ready before its end")
        for verb in ("scan", "snapshot"):
            done = php.run([str(php.seep), verb, str(script.pid)])
            expect(done.status == 0, f"seep {verb}: {done.err.decode().strip()}")
    finally:
        script.kill()
        script.wait(timeout=20)
    return php.report(php.recordings(name), "--sites")


def limit_command(php, *arguments):
    return [word.replace("=512M", "=64M") for word in php.command("limit.php", *arguments)]


def served_and_marked(php, name, kind, batches):
    """So many batches of requests, each followed by a mark that says how many they are by now; then the
    worker is killed, as one that runs on. The number done."""
    worker = subprocess.Popen(limit_command(php, kind), env={**php.environment, **php.tracked(name)},
                              cwd=php.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    done = 0
    try:
        for _ in range(batches):
            done = int(worker.stdout.readline())
            marked = php.run([str(php.seep), "mark", str(worker.pid), "batch", "--units", str(done)])
            expect(marked.status == 0, f"seep mark: {marked.err.decode().strip()}")
            time.sleep(0.1)  # growth is judged from a second on
            worker.stdin.write(b"\n")
            worker.stdin.flush()
    finally:
        worker.kill()
        worker.wait(timeout=20)
    return done


def limit_left(php, name):
    """How many requests are left to memory_limit, said at its half: as many as it then takes."""
    done = served_and_marked(php, name, "leak", 20)
    report = php.report(php.recordings(name), "--unit-name", "request")
    limit = report["totals"]["limit"]
    expect(limit and limit["source"] == "memory_limit" and limit["bytes"] == 64 << 20, f"the limit is {limit}")
    native = php.run(limit_command(php))
    truth = int(re.search(rb"ended after (\d+)", native.out).group(1)) - done
    expect(limit["units"] is not None and limit["seconds"] is not None, f"nothing is left to tell: {limit}")
    low, high = limit["units"]
    expect(low <= truth <= high, f"{truth} requests were left, told were {low:.0f} to {high:.0f}")
    expect(high - low < 0.2 * truth, f"{low:.0f} to {high:.0f} tells nothing")
    text = php.run([str(php.seep), "report", "--unit-name", "request", str(php.recordings(name))]).out.decode()
    expect(re.search(r"64M \(PHP's memory_limit\) is reached in .* requests\.", text), f"it says {text}")


def limit_far(php, name):
    """A worker that keeps nothing never reaches its limit; one that is ended by it has."""
    served_and_marked(php, name, "clean", 20)
    limit = php.report(php.recordings(name))["totals"]["limit"]
    expect(limit and limit["source"] == "memory_limit" and limit["seconds"] is None, f"the limit is {limit}")
    php.run(limit_command(php), php.tracked(f"{name}-end"))
    text = php.run([str(php.seep), "report", str(php.recordings(f"{name}-end"))]).out.decode()
    expect("64M (PHP's memory_limit) has been reached." in text, f"it says {text}")


def left(php, name):
    """Past the limit PHP frees unseen, until 8.3: what is recorded may be gone, and is not lost."""
    php.compare(f"{name}-alone", php.command("left.php"))
    report = scan_running(php, name, php.command("left.php", "until-killed"))
    lost = {key: count for key, count in blocks_by_line(report, "unreachable_blocks").items()
            if key[0] == "left.php" and count}
    expect(not lost, f"called unreachable: {lost}")


def forks(php, name):
    php.compare(name, php.command("forks.php"))
    [line] = marked_lines("forks.php", "keeps")
    children = [path for path in php.recordings(name).iterdir() if path.is_dir()]
    found = [report for report in map(php.report, children)
             if blocks_by_line(report).get(("forks.php", line), 0) >= 4000]
    expect(len(children) == 2 and len(found) == 1,
           f"{len(children)} recordings, {len(found)} with the child's line")


def served(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return answer.read()


def destructors(php, name):
    """What destructors give back as the script ends was held until then."""
    php.compare(name, php.command("destructors.php"))
    first = php.report(php.recordings(name))["suspects"][0]
    [line] = marked_lines("destructors.php", "leaks")
    expect(first["leak"] and blamed(first)["line"] == line and first["live_blocks"] > 100,
           f"the first row is {first['verdict']} with {first['live_blocks']} blocks of {described(blamed(first))}")


def web_server(php, name):
    port = free_port()
    command = php.command("request.php")[:-1] + ["-S", f"127.0.0.1:{port}", str(HERE / "php/request.php")]
    server = subprocess.Popen(command, env={**php.environment, **php.tracked(name)}, cwd=php.work,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, server)
        for _ in range(REQUESTS):
            expect(served(port) == b"served", "a request got another answer")
            time.sleep(0.01)
    finally:
        server.send_signal(signal.SIGINT)  # ends in order, with a last snapshot
        server.wait(timeout=20)
    report = php.report(php.recordings(name))
    left = {key: count for key, count in blocks_by_line(report).items() if key[0] == "request.php"}
    expect(sum(left.values()) < 3000, f"blocks of requests that are over: {left}")
    leaks = [described(blamed(row)) for row in report["suspects"] if row["leak"]]
    expect(not leaks, f"leaks: {leaks}")
    counts = [one["units"] for one in report["snapshots"] if one["units"]]
    expect(report["work"] and report["work"]["unit"] == "request" and counts == sorted(counts)
           and counts[-1] == REQUESTS,
           f"{REQUESTS} requests were served, counted were {counts} ({report['work']})")


def worker(php, name):
    """A script that goes on from one request to the next keeps what it has, and each is counted."""
    program = php.work / "worker_in_c"
    (php.work / "libphp.so").symlink_to(php.embedded)  # as it calls itself
    subprocess.run(["cc", "-o", str(program), str(HERE / "php" / "worker.c"), str(php.embedded),
                    f"-Wl,--unresolved-symbols=ignore-in-shared-libs,-rpath,{php.work}"], check=True)
    done = php.compare(name, [str(program), str(HERE / "php" / "worker.php")])
    report = php.report(php.recordings(name))
    no_losses(report)
    requests = int(done.out.split()[0]) + 1  # the last one ends with PHP
    counts = [one["units"] for one in report["snapshots"] if one["units"]]
    expect(counts and counts[-1] == requests, f"{requests} requests were served, counted were {counts}")
    [line] = marked_lines("worker.php", "leaks")
    most = max((max(row["series"]["live_blocks"]) for row in report["suspects"] if blamed(row)["line"] == line), default=0)
    expect(most > 1000, f"at most {most} blocks of Site::answer")


def opened_late(php, name):
    """A program that loads PHP while it runs: its scripts' lines are told from the first request on."""
    program = php.work / "opened_late_in_c"
    subprocess.run(["cc", "-o", str(program), str(HERE / "php" / "opened_late.c")], check=True)
    php.compare(name, [str(program), str(php.embedded), str(HERE / "php" / "leak.php")])
    many_were_alive(php.report(php.recordings(name)))


def threads(php, name):
    """Threads that each run PHP: what their requests hold is put under its line, and forgotten with them."""
    program = php.work / "threads_in_c"
    subprocess.run(["cc", "-o", str(program), str(HERE / "php" / "threads.c"), str(php.embedded), "-pthread",
                    f"-Wl,-rpath,{php.embedded.parent}"], check=True)
    php.compare(name, [str(program), str(HERE / "php" / "thread.php")])
    report = php.report(php.recordings(name))
    no_losses(report)
    [line] = marked_lines("thread.php", "keeps")
    rows = [row for row in report["suspects"]
            if blamed(row)["line"] == line and (blamed(row)["file"] or "").endswith("/thread.php")]
    most = max((sum(counts) for counts in zip(*(row["series"]["live_blocks"] for row in rows))), default=0)
    expect(most > 1000, f"at most {most} blocks of keep()")
    made = sum(row["allocated_blocks"] for row in rows)
    # Requests last for a time: at most four of thirteen long ones at once. What is not forgotten is held to the end.
    expect(made > 2 * most, f"{made} blocks made in 25 requests, {most} held at once")
    left = sum(row["live_blocks"] for row in rows)
    expect(left == 0, f"{left} blocks of requests that are over")
    expect(not any(row["leak"] for row in rows), "a leak of requests that are over")


def held_lines(script):
    """What the comments of a script say of the lines they stand on: how their objects are held."""
    lines = (HERE / "php" / script).read_text().splitlines()
    found = {i: re.search(r"// held by (.*)$", line) for i, line in enumerate(lines, 1)}
    return {i: match.group(1) for i, match in found.items() if match}


def check_holders(report, script, expected=None):
    """The suspect of each line is held as its comment, or `expected`, says."""
    said = {}
    for suspect in report["suspects"]:
        frame = blamed(suspect)
        if (frame["file"] or "").endswith(f"/{script}") and suspect["live_blocks"] >= 1000:
            holders = suspect["held_by"] or []
            said[frame["line"]] = (" -> ".join(holder["text"] for holder in holders),
                                   holders[0]["share"] if holders else 0)
    wrong = []
    for line, text in (expected or held_lines(script)).items():
        if said.get(line, ("", 0))[0] != text or said[line][1] < 0.95:
            wrong.append(f"{script}:{line} {said.get(line)}, expected {text}")
    expect(not wrong, "\n  ".join(["holders:", *wrong]))


def holders(php, name, options=()):
    """Values of every kind of holder, while the script runs."""
    report = scan_running(php, name, php.command("holders.php", "until-killed", options=options))
    check_holders(report, "holders.php")
    lost = sum(row["unreachable_blocks"] or 0 for row in report["suspects"] if blamed(row)["function"] == "[compile]")
    expect(not lost, f"{lost} blocks of compiled code are called unreachable")


def holders_opcache(php, name):
    holders(php, name, php.opcache())


def holders_at_end(php, name):
    """What a script held is looked at before PHP takes it down. What functions had is gone, and so is the
    name of a variable whose object is the first to go."""
    php.compare(name, php.command("holders.php"))
    queue = "global $queue" if php.version < (8, 0) else "global variable"
    expected = {line: text.replace("global $queue", queue)
                for line, text in held_lines("holders.php").items() if not text.startswith("local ")}
    check_holders(php.report(php.recordings(name), "--sites"), "holders.php", expected)


def end_loop(php, name):
    """What a loop makes that runs after the script's end is scanned as ever; what was made before the end and
    freed since is left out."""
    for way in ("function", "destructor"):
        php.compare(f"{name}-{way}-short", php.command("end_loop.php", way))
        report = scan_running(php, f"{name}-{way}", php.command("end_loop.php", way, "until-killed"))
        lost = {line: count for (file, line), count in blocks_by_line(report, "unreachable_blocks").items()
                if file == "end_loop.php" and line and count}
        expect(not lost, f"{way}: called unreachable, by line: {lost}")
        if isinstance(php, ThreadSafeScripts):
            continue
        [(line, text)] = held_lines("end_loop.php").items()
        own = f"$this in Loop::run() end_loop.php:{marked_lines('end_loop.php', 'works')[0]}"
        check_holders(report, "end_loop.php",
                      {line: text if way == "function" else text.replace("global $loop", own)})


def guide(php, name):
    """The worker of docs/guide-php.md, as it stands there: its line, and who keeps what that made."""
    page = (SOURCE / "docs" / "guide-php.md").read_text(encoding="utf-8")
    text = page.partition("<!-- file: worker.php -->\n```php\n")[2].partition("```")[0]
    script = php.work / "guide_worker.php"
    script.write_text(text, encoding="utf-8")
    php.compare(name, php.command(script, "500"))
    report = php.report(php.recordings(name))
    [line] = [number for number, words in enumerate(text.splitlines(), 1) if "serialize" in words]
    rows = [row for row in report["suspects"] if (blamed(row)["function"], blamed(row)["line"]) == ("handle", line)]
    held = [[holder["text"] for holder in row["held_by"] or []] for row in rows]
    expect(any('static Registry::$services["answers"]' in one[0] and "AnswerCache::$answers (array, 500 elements)" in one[-1]
               for one in held if one), f"line {line} is held by {held}")


CASES = {"leak": leak, "consumer": consumer, "at_end": at_end, "destructors": destructors, "end_loop": end_loop, "sampled": sampled,
         "without_zend_allocator": without_zend_allocator,
         "slow_start": slow_start, "late": late,
         "language_off": language_off, "offsets": offsets, "lines": lines, "memory": memory,
         "limit_left": limit_left, "limit_far": limit_far, "left": left, "forks": forks,
         "holders": holders, "holders_opcache": holders_opcache, "holders_at_end": holders_at_end,
         "web_server": web_server, "worker": worker, "opened_late": opened_late, "guide": guide}

HOLDERS = ("holders", "holders_opcache", "holders_at_end", "guide")
THREADED = {"threads": threads}


def cases_of(php):
    """Those that are run, and why others are not."""
    cases, left_out = dict(CASES), {}
    if isinstance(php, ThreadSafeScripts):
        cases.update(THREADED)
        left_out.update({name: "who holds it is told in the script's words of other builds only" for name in HOLDERS})
        left_out["late"] = "a thread-safe PHP is seen from its next request on"
        if not php.can_fork:
            left_out["forks"] = "this PHP cannot fork (configure --enable-pcntl)"
    elif php.embedded is None:
        left_out["worker"] = left_out["opened_late"] = "a program is linked with PHP of this machine's release only"
    return cases, left_out


def chosen(options):
    build_dir = options.build_dir.resolve()
    packages = [f"php{options.php}-{name}" for name in ("cli", "common", "opcache")]
    packages += [] if RELEASES[options.php] else [f"libphp{options.php}-embed"]
    try:
        return (ThreadSafeScripts(build_dir) if options.zts
                else Scripts(build_dir, f"php{options.php}", packages, options.offline, options.php))
    except Absent as absent:
        print(f"SKIPPED: PHP {'ZTS' if options.zts else options.php} was not run: {absent}")
        sys.exit(SKIPPED)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--php", choices=RELEASES, default="8.2", help="its version")
    parser.add_argument("--zts", action="store_true", help="a thread-safe PHP that SEEP_TEST_PHP_ZTS names")
    parser.add_argument("--offline", action="store_true", help="use the packages unpacked already, or fail")
    parser.add_argument("--only", help="comma separated names")
    options = parser.parse_args()
    php = chosen(options)
    cases, left_out = cases_of(php)
    failed = 0
    for name in options.only.split(",") if options.only else cases:
        if name in left_out:
            print(f"{name}: not run: {left_out[name]}")
            continue
        begin = time.monotonic()
        try:
            cases[name](php, name)
            print(f"{name}: good, {time.monotonic() - begin:.1f} s")
        except (Failure, Trouble, OSError, subprocess.SubprocessError) as failure:
            failed += 1
            print(f"{name}: FAILED: {failure}")
    print(f"{failed} failed; kept {php.work}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
