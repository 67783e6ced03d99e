#!/usr/bin/env python3
"""Python programs under seep: the right function, file and line, and the program as without it.

usage: run.py --build-dir DIR [--debian VERSION] [--python FILE:FILE…] [--only NAME,…] [--seconds S]

Each program of programs/ says what it does in its first line; lines that leak end in `# leak`. The
interpreters are this machine's and those that --python or SEEP_TEST_PYTHONS name; or one of another
release of Debian, unpacked under the build folder, on its own libc. Exit status 1 when anything is not
as it should be twice, and what was recorded is kept in DIR/python then; 77 when that one cannot be had.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
# Which release of Debian has it.
RELEASES = {"3.9": "bullseye", "3.13": "trixie", "3.14": "forky"}
SKIPPED = 77
LONGEST_RUN_S = 60
COUNT = 500


class Trouble(Exception):
    pass


@dataclasses.dataclass
class Interpreter:
    command: tuple
    version: tuple

    @classmethod
    def at(cls, *command):
        told = subprocess.run([*command, "-c", "import sys; print(*sys.version_info[:2])"], check=True,
                              capture_output=True, text=True).stdout
        return cls(command, tuple(map(int, told.split())))

    @classmethod
    def of_debian(cls, version, build):
        """That of another release than this machine's."""
        into = build / f"packages-python{version}"
        fetch = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(into)]
        names = [name.format(version) for name in ("python{}-minimal", "libpython{}-minimal", "libpython{}-stdlib")]
        if subprocess.run([*fetch, "--release", RELEASES[version], *names], check=False).returncode:
            print(f"SKIPPED: Python {version} was not run: its packages could not be had (the reason is above)")
            sys.exit(SKIPPED)
        loader, path = (subprocess.run([*fetch, option], text=True, capture_output=True, check=True).stdout.strip()
                        for option in ("--loader", "--library-path"))
        python = cls.at(loader, "--library-path", path, str(into / "root" / "usr" / "bin" / f"python{version}"))
        # The packages hold no compiled modules, and what compiles them would be most of what is recorded.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        subprocess.run([*python.command, "-c", "import asyncio, ctypes, gc, threading, tracemalloc, weakref"], env=kept,
                       check=True)
        return python

    def __str__(self):
        return ".".join(map(str, self.version))

    def has_qualified_names(self):
        return self.version >= (3, 11)


@dataclasses.dataclass
class Run:
    """One program under one interpreter, and what was recorded of it."""
    build: pathlib.Path
    work: pathlib.Path
    python: Interpreter
    program: str
    argument: str
    options: tuple = ()
    settings: dict = dataclasses.field(default_factory=dict)
    preloaded: str = ""  # a source in C of programs/, preloaded with and without seep

    def source(self):
        return HERE / "programs" / self.program

    def command(self):
        return [*self.python.command, *self.options, str(self.source()), self.argument]

    def preload(self, *libraries):
        """The variable that makes the loader load these, and the one that the program is to have."""
        if self.preloaded:
            built = self.work / "preloaded.so"
            subprocess.run(["cc", "-shared", "-fPIC", "-o", str(built), str(HERE / "programs" / self.preloaded)], check=True)
            libraries += (str(built),)
        return {"LD_PRELOAD": ":".join(libraries)} if libraries else {}

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEEP_", "PYTHON", "LD_"))}
        mine = {name: value for name, value in self.settings.items() if not name.startswith("SEEP_")}
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", **mine, **more}

    def execute(self, environment):
        done = subprocess.run(self.command(), env=environment, cwd=self.work, check=False, capture_output=True, text=True,
                              timeout=LONGEST_RUN_S)
        return done.returncode, done.stdout, done.stderr

    def tracked(self):
        settings = {"SEEP_INTERVAL": "100ms", "SEEP_MIN_LIFE": "0", **self.settings}
        return self.environment(**self.preload(str(self.build / "lib/libseep.so")), SEEP_DIR=str(self.work / "recordings"),
                                **{k: v for k, v in settings.items() if k.startswith("SEEP_")})

    def record(self, *options):
        """Runs it without seep and with it; the same must come of both. The report, made with these options."""
        plain = self.execute(self.environment(**self.preload()))
        tracked = self.execute(self.tracked())
        if plain != tracked:
            raise Trouble(f"it did {tracked} under seep, and {plain} without")
        return self.report(*options)

    def record_running(self):
        """Scans it when it says that it is ready, and kills it there. The report."""
        program = subprocess.Popen(self.command(), env=self.tracked(), cwd=self.work, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        try:
            if program.stdout.readline() != b"ready\n":
                raise Trouble(f"it was not ready: {program.communicate(timeout=LONGEST_RUN_S)}")
            for verb in ("scan", "snapshot"):
                self.seep(verb, str(program.pid))
        finally:
            program.kill()
            program.communicate(timeout=LONGEST_RUN_S)
        return self.report()

    def seep(self, *arguments):
        done = subprocess.run([str(self.build / "bin/seep"), *arguments], check=False, capture_output=True, text=True,
                              timeout=LONGEST_RUN_S)
        if done.returncode != 0:
            raise Trouble(f"seep {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def report(self, *options):
        report = json.loads(self.seep("report", "--json", "--sites", *options, str(self.work / "recordings")))
        (self.work / "report.json").write_text(json.dumps(report, indent=1))
        return report

    def lines(self, mark):
        """The numbers of the lines that end in `# mark`."""
        text = self.source().read_text()
        return [number for number, line in enumerate(text.splitlines(), start=1) if line.endswith(f"# {mark}")]


def script_frames(suspect):
    return [frame for frame in suspect["stack"] if frame["language"] == "python"]


def describe(frame):
    return f"{frame['function']} {frame['file']}:{frame['line']}"


def describe_row(suspect):
    stack = " < ".join(describe(frame) for frame in suspect["stack"][:6])
    return f"{suspect['behaviour']} leak={suspect['leak']} {suspect['live_bytes']} bytes: {stack}"


def expect(condition, text):
    if not condition:
        raise Trouble(text)


def expect_nothing_lost(report):
    lost = {name: count for name, count in report["losses"].items() if count and name != "stacks_cut"}
    expect(not lost, f"lost: {lost}")


def qualified(run, name):
    return name if run.python.has_qualified_names() else name.rsplit(".", 1)[-1]


def is_at(frame, run, function, lines):
    return (frame["function"] == qualified(run, function) and frame["file"] == str(run.source())
            and frame["line"] in lines)


def first_row_is(function, anywhere=False):
    """The first row is a leak; its innermost frame of Python (or any) is a marked line of `function`."""
    def check(run):
        report = run.record()
        expect(report["suspects"] and report["suspects"][0]["leak"],
               "no leak: " + "; ".join(map(describe_row, report["suspects"][:3])))
        first = report["suspects"][0]
        frames = script_frames(first)
        among = frames if anywhere else frames[:1]
        expect(any(is_at(frame, run, function, run.lines("leak")) for frame in among),
               f"not {function}: {describe_row(first)}")
        kinds = [frame["language"] for frame in first["stack"]]
        expect(kinds == sorted(kinds, key=lambda kind: kind == "native"), f"native frames before Python's: {kinds}")
        expect_nothing_lost(report)
    return check


def both_rows_are(*functions):
    """Each of the functions has a row that is a leak, at one of the marked lines."""
    def check(run):
        report = run.record()
        leaks = [suspect for suspect in report["suspects"] if suspect["leak"]]
        for function in functions:
            expect(any(is_at(frame, run, function, run.lines("leak"))
                       for suspect in leaks for frame in script_frames(suspect)[:1]),
                   f"no row of {function}: " + "; ".join(map(describe_row, leaks)))
        expect(not any(frame["function"] == "discard" for suspect in leaks for frame in script_frames(suspect)),
               "discard keeps nothing")
        expect_nothing_lost(report)
    return check


def judge_free_list(run, report):
    """What the program keeps is a leak, to its end or until then; the row of what only Python's free list keeps."""
    rows = {function: [suspect for suspect in report["suspects"] if script_frames(suspect)
                       and is_at(script_frames(suspect)[0], run, function, run.lines(mark))]
            for function, mark in (("read", "cut"), ("wait", "leak until the end"), ("keep", "leak"))}
    for function in ("wait", "keep"):
        expect(rows[function] and rows[function][0]["leak"],
               f"{function}: " + "; ".join(f"{describe_row(row)}: {row['why']}" for row in rows[function]))
    if run.python.version >= (3, 14):
        return None  # tuple() makes none there that it would have to cut
    listed = rows["read"]
    expect(listed and listed[0]["live_blocks"] > COUNT, "few tuples lie in the free list")
    expect(not any(suspect["leak"] for suspect in listed), f"{describe_row(listed[0])}: {listed[0]['why']}")
    return listed[0]


def kept_for_reuse(run):
    """A scan at exit cannot tell what lay in the free list before from what the end released."""
    report = run.record()
    listed = judge_free_list(run, report)
    expect(not listed or "to use them again" not in listed["why"], f"it was not seen before the end: {listed}")
    expect_nothing_lost(report)


def kept_for_reuse_running(run):
    listed = judge_free_list(run, run.record_running())
    expect(not listed or listed["behaviour"] == "plateau", f"{listed}")


def frees_are_seen(run):
    """Of what the marked line has made, no more is left than the program keeps."""
    report = run.record()
    rows = [suspect for suspect in report["suspects"] if script_frames(suspect)
            and is_at(script_frames(suspect)[0], run, "fill", run.lines("makes"))]
    made, left = (sum(row[figure] for row in rows) for figure in ("allocated_blocks", "live_blocks"))
    expect(made > 2 * COUNT and left < COUNT, f"{left} of {made} blocks are left")


def no_row_is_a_leak(run):
    report = run.record()
    leaks = [suspect for suspect in report["suspects"] if suspect["leak"]]
    expect(not leaks, "; ".join(map(describe_row, leaks)))
    expect(any(script_frames(suspect) for suspect in report["suspects"]), "no frame of Python")
    expect_nothing_lost(report)


def no_frame_is_of_python(run):
    report = run.record()
    expect(not any(script_frames(suspect) for suspect in report["suspects"]), "there are frames of Python")
    expect_nothing_lost(report)


def live_by_line(run, report):
    """(file, line) of the innermost frame to (blocks, bytes) that are alive."""
    sums = {}
    for suspect in report["suspects"]:
        for frame in script_frames(suspect)[:1]:
            key = frame["file"], frame["line"]
            blocks, size = sums.get(key, (0, 0))
            sums[key] = blocks + suspect["live_blocks"], size + suspect["live_bytes"]
    return sums


def each_object_counts_once(run):
    report = run.record()
    live = live_by_line(run, report)
    overhead = sys.getsizeof(b"")
    for mark, size in (("small", 100), ("large", 2000), ("deep", 300)):
        (line,) = run.lines(mark)
        blocks, total = live.get((str(run.source()), line), (0, 0))
        # The list and what its comprehension needs are a few more.
        expect(COUNT <= blocks <= COUNT + 3, f"{mark}: {blocks} blocks")
        expect(0 <= total - COUNT * (size + overhead) <= 16 * COUNT, f"{mark}: {total} bytes")
    (line,) = run.lines("freed")
    expect(live.get((str(run.source()), line), (0, 0))[0] <= 1, "freed: blocks are alive")
    for i in range(20):
        blocks, _ = live.get((f"made{i:02}.py", i + 1), (0, 0))
        expect(30 <= blocks <= 33, f"made{i:02}.py:{i + 1}: {blocks} blocks; {sorted(map(str, live))}")
    expect(any(len(script_frames(suspect)) >= 30 for suspect in report["suspects"]), "no deep stack")
    expect_nothing_lost(report)


def it_ends_as_ever(run):
    expect_nothing_lost(run.record())


def two_languages(run):
    report = run.record()
    rows = [suspect for suspect in report["suspects"] if suspect["leak"]]
    expect(rows and script_frames(rows[0]) and is_at(script_frames(rows[0])[0], run, "duplicate", run.lines("leak")),
           "; ".join(map(describe_row, rows)))
    native = [frame["function"] or "" for frame in rows[0]["stack"] if frame["language"] == "native"]
    expect(any("strdup" in function for function in native), f"no strdup: {native}")


def callers_and_container(run):
    """The package's line is blamed, the program's stands beside it, and the dictionary that grew with it."""
    report = run.record()
    first = report["suspects"][0]
    blamed = first["stack"][first["blame"]]
    expect(first["leak"] and blamed["function"] == "read" and "/site-packages/" in blamed["file"], describe_row(first))
    expect(first["user_frame"] is not None and is_at(first["stack"][first["user_frame"]], run, "fetch", run.lines("leak")),
           f"user_frame is {first['user_frame']}: {describe_row(first)}")
    containers = [report["containers"][index] for index in first["containers"]]
    expect(any(is_at(container, run, "keep", run.lines("container")) and container["doublings"] >= 4
               for container in containers), f"containers: {report['containers']}")
    expect_nothing_lost(report)


def held_lines(source):
    """What the comments of a program say of the lines they stand on: how their objects are held."""
    found = ((number, re.search(r"# held by (.*)$", line)) for number, line in enumerate(source.read_text().splitlines(), 1))
    return {(str(source), number): match.group(1) for number, match in found if match}


def check_holders(run, report, expected):
    said = {}
    for suspect in report["suspects"]:
        for frame in script_frames(suspect)[:1]:
            holders = suspect["held_by"] or []
            if suspect["live_blocks"] >= 1000:
                said[frame["file"], frame["line"]] = (" -> ".join(holder["text"] for holder in holders),
                                                      holders[0]["share"] if holders else 0)
    wrong = [f"{pathlib.Path(file).name}:{line}: {said.get((file, line))}, expected {text}"
             for (file, line), text in expected.items() if said.get((file, line), ("", 0))[0] != text
             or said[file, line][1] < 0.95]
    expect(len(expected) >= 10 and not wrong, "; ".join(wrong))


def told_holders(run):
    return {**held_lines(run.source()), **held_lines(run.source().with_name("held.py"))}


def each_is_held_as_told(run):
    """Scanned as the interpreter ends, when what functions and cycles had is gone."""
    is_gone = re.compile("local |.* that no variable leads to")
    check_holders(run, run.record(), {line: text for line, text in told_holders(run).items() if not is_gone.match(text)})


def each_is_held_while_it_runs(run):
    check_holders(run, run.record_running(), told_holders(run))


def the_compiler_is_told_by_its_line(run):
    """Each expression has stacks of its own in the compiler; what called it is one line."""
    report = run.record("--all", "--top", "0")
    (line,) = run.lines("compiles")
    stacks = [suspect for suspect in report["suspects"] if script_frames(suspect)
              and script_frames(suspect)[0]["line"] == line and script_frames(suspect)[0]["file"] == str(run.source())]
    expect(2 <= len(stacks) <= 400, f"{len(stacks)} stacks of the line that compiles")


def the_importer_is_passed_over(run):
    """Module by module to the line of the program, without the frames of Python's importer between them."""
    report = run.record()
    rows = [suspect for suspect in report["suspects"] if suspect["live_blocks"] >= COUNT and script_frames(suspect)
            and script_frames(suspect)[0]["file"].endswith("chain11.py")]
    expect(len(rows) == 1, f"{len(rows)} rows of the innermost module")
    told = [frame["file"] for frame in script_frames(rows[0])]
    chain = [f"chain{number:02}.py" for number in range(11, -1, -1)]
    names = list(dict.fromkeys(pathlib.Path(file).name for file in told))
    expect(names == [*chain, "imports.py"], f"{told}")


MALLOC = {"PYTHONMALLOC": "malloc"}
LEAK = "list_attribute.py"
CASES = {
    "list_attribute": (LEAK, first_row_is("Pool.run"), {}),
    "malloc": (LEAK, first_row_is("Pool.run"), {"settings": MALLOC}),
    "debug": (LEAK, first_row_is("Pool.run"), {"settings": {"PYTHONMALLOC": "debug"}}),
    "development": (LEAK, first_row_is("Pool.run"), {"options": ("-X", "dev")}),
    "tracemalloc": (LEAK, first_row_is("Pool.run"), {"options": ("-X", "tracemalloc")}),
    "debug_with_tracemalloc": ("stopped_tracing.py", frees_are_seen,
                               {"settings": {"PYTHONMALLOC": "debug", "PYTHONTRACEMALLOC": "1"}}),
    "late_with_tracemalloc": ("stopped_tracing.py", frees_are_seen,
                              {"settings": {"PYTHONTRACEMALLOC": "1", "SEEP_START": "rss:40M"}}),
    "late_with_debug_and_tracemalloc": ("stopped_tracing.py", frees_are_seen,
                                        {"settings": {"PYTHONMALLOC": "debug", "PYTHONTRACEMALLOC": "1",
                                                      "SEEP_START": "rss:40M"}}),
    "wrapped": (LEAK, first_row_is("Pool.run"), {"preloaded": "wrappers.c"}),
    "sampled": (LEAK, first_row_is("Pool.run"), {"settings": {"SEEP_MODE": "sample", "SEEP_SAMPLE_BYTES": "1K"}}),
    "switched_off": (LEAK, no_frame_is_of_python, {"settings": {"SEEP_LANG": "off"}}),
    "consumer": ("consumer.py", callers_and_container, {}),
    "module_dict": ("module_dict.py", first_row_is("lookup"), {}),
    "cycle_gc_off": ("cycle_gc_off.py", first_row_is("make_pair", anywhere=True), {}),
    "threads": ("threads.py", both_rows_are("collect", "archive"), {}),
    "tasks": ("tasks.py", first_row_is("answer"), {}),
    "generator": ("generator.py", first_row_is("rows"), {}),
    "c_library": ("c_library.py", two_languages, {}),
    "compiler": ("compiler.py", the_compiler_is_told_by_its_line, {}),
    "imports": ("imports.py", the_importer_is_passed_over, {}),
    "steady": ("steady.py", no_row_is_a_leak, {}),
    "kept_for_reuse": ("free_list.py", kept_for_reuse, {}),
    "kept_for_reuse_malloc": ("free_list.py", kept_for_reuse, {"settings": MALLOC}),
    "kept_for_reuse_running": ("free_list.py", kept_for_reuse_running, {"argument": "until-killed"}),
    "exact_counts": ("exact_counts.py", each_object_counts_once, {"argument": str(COUNT)}),
    "exact_counts_malloc": ("exact_counts.py", each_object_counts_once, {"argument": str(COUNT), "settings": MALLOC}),
    "holders": ("holders.py", each_is_held_as_told, {}),
    "holders_malloc": ("holders.py", each_is_held_as_told, {"settings": MALLOC}),
    "holders_running": ("holders.py", each_is_held_while_it_runs, {"argument": "until-killed"}),
    "subinterpreters": ("subinterpreters.py", it_ends_as_ever, {}),
}


def run_case(options, python, name, longer=1):
    program, check, more = CASES[name]
    work = options.build_dir.resolve() / "python" / f"{name}-{python}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        check(Run(options.build_dir.resolve(), work, python, program, **{"argument": str(options.seconds * longer), **more}))
    except (Trouble, subprocess.SubprocessError) as trouble:
        return f"{name}, {python}: {trouble} (kept in {work})"
    shutil.rmtree(work)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--debian", choices=RELEASES, help="the Python of another release")
    parser.add_argument("--python", default=os.environ.get("SEEP_TEST_PYTHONS", ""), help="interpreters beside Debian's")
    parser.add_argument("--only", help="comma separated names")
    parser.add_argument("--seconds", type=float, default=2, help="how long a program runs")
    options = parser.parse_args()

    if options.debian:
        pythons = [Interpreter.of_debian(options.debian, options.build_dir.resolve())]
    else:
        pythons = [Interpreter.at(path) for path in ["/usr/bin/python3", *filter(None, options.python.split(":"))]]
    chosen = re.split(",", options.only) if options.only else list(CASES)
    cases = [(python, name) for python in pythons for name in chosen]
    with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
        done = list(pool.map(lambda case: run_case(options, *case), cases))
    # What a busy machine may have kept from its pace runs once more, alone and for longer: the same must be said of it.
    again = [case for case, trouble in zip(cases, done) if trouble is not None]
    for trouble in filter(None, done):
        print(f"run.py: once: {trouble}", file=sys.stderr)
    troubles = [trouble for case in again if (trouble := run_case(options, *case, longer=4)) is not None]
    for trouble in troubles:
        print(f"run.py: {trouble}", file=sys.stderr)
    print(f"{len(cases) - len(troubles)} of {len(cases)} as they should be, {len(again)} ran twice")
    sys.exit(1 if troubles else 0)


if __name__ == "__main__":
    main()
