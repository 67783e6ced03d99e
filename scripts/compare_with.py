#!/usr/bin/env python3
"""Runs a program under seep, Valgrind, LeakSanitizer and heaptrack in turn, and compares what they found.

usage: compare_with.py [--build-dir DIR] [--tools seep,valgrind,lsan,heaptrack] [--lsan-build PROGRAM]
                       [--output DIR] [--all] -- CMD…

Ends in the table of `seep compare`, the wall time and peak memory of each run, and a picture
(compare.png, compare.svg) and the table as a page (compare.html) in the output folder, beside everything that the tools wrote. A tool that
is not installed is said and left out. LeakSanitizer runs in a program that is linked with it or with
AddressSanitizer (CMD itself, or --lsan-build), else preloaded where gcc's liblsan.so is installed.
Ctrl-C goes to the program that runs, so each run of a server can be ended with it; pressed twice in one
run it ends the comparison. The output folder must be empty, or of an earlier comparison.
Time is from start to end: of seep with its report, of Valgrind and LeakSanitizer with theirs, of
heaptrack without heaptrack_print. Peak memory is that of the largest process that the tool started, by the
kernel's high-water mark.
"""
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import picture  # noqa: E402

TOOLS = ("seep", "valgrind", "lsan", "heaptrack")
LOOK_EVERY_S = 0.005
MARK = ".compare_with"  # in folders that this script made
BAD_USAGE, BAD_INPUT = 2, 3  # as seep's own
TITLES = {"alone": "alone", "seep": "seep", "valgrind": "Valgrind", "lsan": "LeakSanitizer",
          "heaptrack": "heaptrack"}


class Absent(Exception):
    """A tool that cannot be used here, and why."""


class Failure(Exception):
    """What ends the comparison, and the exit status."""

    def __init__(self, text, status):
        super().__init__(text)
        self.status = status


@dataclasses.dataclass
class Run:
    tool: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int | None  # None: it ended before anybody looked
    status: int
    option: list = dataclasses.field(default_factory=list)  # for seep compare
    found: int | None = None


def clean_environment(**more):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("SEEP_", "LSAN_", "ASAN_", "VALGRIND")) and name != "LD_PRELOAD"}
    return kept | more


def read_or_nothing(path):
    try:
        return pathlib.Path(path).read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def high_water(pid):
    """The most memory that the process and any of those it started has had, each by itself, in bytes."""
    peak = re.search(r"^VmHWM:\s+(\d+) kB", read_or_nothing(f"/proc/{pid}/status"), re.MULTILINE)
    children = read_or_nothing(f"/proc/{pid}/task/{pid}/children").split()
    return max([int(peak[1]) * 1024 if peak else 0, *map(high_water, children)])


@contextlib.contextmanager
def ended_from_outside(group):
    """Ctrl-C goes to the processes of `group`; the second one, SIGTERM and SIGHUP end them and this script."""
    asked = []

    def pass_on(number, _frame):
        asked.append(number)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGINT if asked == [signal.SIGINT] else signal.SIGTERM)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked and asked != [signal.SIGINT]:
        raise Failure("ended", 128 + asked[-1])


def measured(command, stderr, environment=None):
    """Wall and CPU seconds, peak bytes and status; the program's output goes to files."""
    with open(stderr, "wb") as errors, open(stderr.with_suffix(".stdout"), "wb") as output:
        began = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=errors, env=environment or clean_environment(), start_new_session=True)
        peak = 0
        with ended_from_outside(process.pid):
            while True:
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
                if ended:
                    break
                peak = max(peak, high_water(process.pid))
                time.sleep(LOOK_EVERY_S)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    # The kernel's own figure starts at what this script had when it started the program.
    if usage.ru_maxrss * 1024 > high_water(os.getpid()):
        peak = usage.ru_maxrss * 1024
    return seconds, usage.ru_utime + usage.ru_stime, peak or None, process.returncode


def program_path(tool):
    found = shutil.which(tool)
    if found is None:
        raise Absent("not installed")
    return found


def no_placeholder(path):
    """For seep and Valgrind, where %p is the process id."""
    return str(path).replace("%", "%%")


# --- One function a tool: runs CMD, returns a Run

def alone(command, folder, _options):
    return Run("alone", *measured(command, folder / "alone.log"))


def by_seep(command, folder, options):
    seep = options.build_dir / "bin" / "seep"
    if not seep.exists():
        raise Absent(f"{seep} was not built")
    shutil.rmtree(folder / "seep-out", ignore_errors=True)
    run = Run("seep", *measured([seep, "run", "--report", folder / "seep.txt", "--", *command], folder / "seep.log",
                                clean_environment(SEEP_DIR=no_placeholder(folder / "seep-out"), SEEP_SCAN="exit",
                                                  SEEP_MIN_LIFE="0")))
    if not any((folder / "seep-out").glob("*/snapshot-*.seep")):
        raise Absent(f"it recorded nothing (see {folder / 'seep.log'})")
    return run


def by_valgrind(command, folder, _options):
    for old in folder.glob("valgrind.*.xml"):
        old.unlink()
    run = Run("valgrind", *measured(
        [program_path("valgrind"), "--leak-check=full", "--show-leak-kinds=all", "--num-callers=40", "--xml=yes",
         f"--xml-file={no_placeholder(folder)}/valgrind.%p.xml", *command], folder / "valgrind.log"))
    logs = sorted(folder.glob("valgrind.*.xml"))
    whole = [log for log in logs if log.read_bytes().rstrip().endswith(b"</valgrindoutput>")]
    if not whole:
        raise Absent(f"it wrote no whole report (see {folder / 'valgrind.log'})")
    run.option = [word for log in whole for word in ("--valgrind", log)]
    return run


def has_sanitizer(program):
    """The program brings LeakSanitizer along, in a library or linked in."""
    path = shutil.which(program) or program
    try:
        program_bytes = pathlib.Path(path).read_bytes()
    except OSError:
        return False
    # gcc's AddressSanitizer is a library, and names nothing of LeakSanitizer.
    return b"__lsan_do_leak_check" in program_bytes or b"__asan_init" in program_bytes


def preloadable():
    """gcc's liblsan, as a library to preload."""
    gcc = shutil.which("gcc")
    path = subprocess.run([gcc, "-print-file-name=liblsan.so"], capture_output=True, text=True,
                          check=False).stdout.strip() if gcc else ""
    if not os.path.isabs(path):
        raise Absent("the program is not linked with it, and there is no liblsan.so to preload")
    return os.path.realpath(path)


def in_quotes(text):
    """For the sanitizers' options, where a colon or a blank would begin the next one."""
    for quote in "'\"":
        if quote not in text:
            return quote + text + quote
    raise Absent("the output folder's name has both kinds of quotes")


def why_not_looked(text, run, folder):
    """Of a run that did not come to the search for leaks; `text`: all that LeakSanitizer wrote."""
    if "LeakSanitizer has encountered a fatal error" in text:
        return f"it could not look for leaks (see {folder}/lsan.*)"
    if "Processing thread" in text or "LeakSanitizer: detected memory leaks" in text:
        return None
    how = f"by signal {-run.status}" if run.status < 0 else f"with status {run.status}"
    return f"it did not look for leaks: the program ended {how} before, or LeakSanitizer was not in it"


def by_lsan(command, folder, options):
    words = list(command)
    log_path = "log_path=" + in_quotes(f"{folder}/lsan")
    # It writes nothing of a process without leaks; log_threads tells those that it looked at.
    environment = clean_environment(LSAN_OPTIONS=f"exitcode=0:fast_unwind_on_malloc=0:log_threads=1:{log_path}",
                                    ASAN_OPTIONS=f"fast_unwind_on_malloc=0:{log_path}")
    for old in folder.glob("lsan.[0-9]*"):
        old.unlink()
    if options.lsan_build:
        words[0] = options.lsan_build
    elif not has_sanitizer(words[0]):
        environment["LD_PRELOAD"] = preloadable()
    run = Run("lsan", *measured(words, folder / "lsan.log", environment))
    texts = {log: log.read_text(errors="replace") for log in sorted(folder.glob("lsan.[0-9]*"))}
    why = why_not_looked((folder / "lsan.log").read_text(errors="replace") + "".join(texts.values()), run, folder)
    if why:
        raise Absent(why)
    logs = [log for log, text in texts.items()
            if "LeakSanitizer: detected memory leaks" in text or "Suppressions used:" in text]
    if not logs:
        empty = folder / "lsan.none"
        empty.write_bytes(b"")
        logs = [empty]
    run.option = [word for log in logs for word in ("--lsan", log)]
    return run


def by_heaptrack(command, folder, _options):
    for old in folder.glob("heaptrack.data*"):
        old.unlink()
    heaptrack, printer = program_path("heaptrack"), program_path("heaptrack_print")
    if re.search(r"\s", str(folder)):
        raise Absent("it takes no output folder with a blank in its name")
    # Its script ends in heaptrack_gui where that is installed and finds a display.
    environment = {name: value for name, value in clean_environment().items()
                   if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    run = Run("heaptrack", *measured([heaptrack, "-o", folder / "heaptrack.data", *command], folder / "heaptrack.log",
                                     environment))
    data = sorted(folder.glob("heaptrack.data*"))
    if not data:
        raise Absent(f"it wrote nothing (see {folder / 'heaptrack.log'})")
    listing = folder / "heaptrack.txt"
    with open(listing, "wb") as output:
        subprocess.run([printer, "-l", "1", "-p", "0", "-a", "0", "-T", "0", "-t", "0", "-n", "100000", "-s", "1000",
                        str(data[0])], stdout=output, stderr=subprocess.DEVNULL, check=False)
    run.option = ["--heaptrack", listing]
    return run


RUNNERS = {"alone": alone, "seep": by_seep, "valgrind": by_valgrind, "lsan": by_lsan, "heaptrack": by_heaptrack}


# --- What comes out

def run_all(options, folder):
    runs = []
    wanted = options.tools.split(",")
    for tool in ("alone", *[tool for tool in TOOLS if tool in wanted]):
        print(f"compare_with: running {TITLES[tool]}", file=sys.stderr, flush=True)
        try:
            runs.append(RUNNERS[tool](options.command, folder, options))
        except (Absent, OSError) as problem:
            if tool == "alone":  # no tool can run it either
                raise Failure(str(problem), BAD_INPUT) from None
            print(f"compare_with: {TITLES[tool]} is left out: {problem}", file=sys.stderr)
    return runs


def compare(runs, folder, options):
    """The table as text; the number of leaks that each tool found goes into its run."""
    words = [options.build_dir / "bin" / "seep", "compare", folder / "seep-out",
             *[word for run in runs for word in run.option]]
    result = folder / "compare.json"
    shown = ["--all"] if options.all else []
    for more in (["--json", "-o", result, "--force"], ["--html", "-o", folder / "compare.html", "--force", *shown], shown):
        done = subprocess.run([str(word) for word in words + more], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(done.stderr.strip(), done.returncode)
    found = {tool["tool"]: tool["found"] for tool in json.loads(result.read_text())["tools"]}
    for run in runs:
        run.found = found.get(run.tool)
    return done.stdout


def costs(runs):
    lines = [f"{'':<14} {'time':>9} {'CPU time':>9} {'peak memory':>12} {'leaks found':>12}"]
    for run in runs:
        found = "" if run.found is None else run.found
        peak = "–" if run.peak_bytes is None else f"{run.peak_bytes / 1e6:.1f} MB"
        lines.append(f"{TITLES[run.tool]:<14} {run.seconds:>7.2f} s {run.cpu_seconds:>7.2f} s {peak:>12} "
                     f"{found:>12}".rstrip())
    return "\n".join(lines)


def draw(runs, folder, title):
    """Bars from zero: time, memory, leaks."""
    try:
        pyplot = picture.load()
    except picture.NoMatplotlib as reason:
        print(f"compare_with: no picture: {reason}", file=sys.stderr)
        return []
    colours = {"alone": "#9aa0a6", "seep": picture.BLUE, "valgrind": picture.ORANGE, "lsan": picture.GREEN,
               "heaptrack": picture.PURPLE}
    panels = [("wall time (s)", [run.seconds for run in runs], "{:.2f}"),
              ("peak memory of the largest process (MB)", [run.peak_bytes and run.peak_bytes / 1e6 for run in runs],
               "{:.3g}"),
              ("leaks found", [run.found for run in runs], "{:.0f}")]
    figure, axes = pyplot.subplots(1, 3, figsize=(11, 0.9 + 0.5 * len(runs)), sharey=True, layout="constrained")
    for axis, (label, values, form) in zip(axes, panels):
        known = [value or 0 for value in values]
        bars = axis.barh([TITLES[run.tool] for run in runs], known, color=[colours[run.tool] for run in runs], height=0.62)
        axis.bar_label(bars, ["–" if value is None else form.format(value) for value in values], padding=4, fontsize=10)
        axis.set_xlim(0, (max(known) or 1) * 1.22)
        axis.set_title(label, fontsize=11)
        axis.xaxis.set_major_locator(pyplot.MaxNLocator(4, integer=label == "leaks found"))
        axis.tick_params(axis="y", length=0, labelsize=11)
        picture.plain(axis, "x")
    axes[0].invert_yaxis()
    figure.suptitle(picture.text(f"{title}: one run of each tool"), fontsize=12)
    files = [folder / "compare.png", folder / "compare.svg"]
    for file in files:
        picture.save(figure, file)
    return files


def prepare(folder):
    """What lies in other folders is not ours to write over."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise Failure(f"{folder} is not empty and was not made by this script: give --output another folder", BAD_USAGE)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--tools", default=",".join(TOOLS), help="of these, separated by commas")
    parser.add_argument("--lsan-build", help="CMD's program, linked with LeakSanitizer or AddressSanitizer")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("seep-compare"))
    parser.add_argument("--all", action="store_true", help="also what no tool calls a leak")
    parser.add_argument("command", nargs="+", metavar="CMD")
    options = parser.parse_args()
    unknown = set(options.tools.split(",")) - set(TOOLS)
    if unknown or "seep" not in options.tools.split(","):
        parser.error(f"--tools takes seep and any of {', '.join(TOOLS[1:])}")
    options.build_dir = options.build_dir.resolve()
    folder = options.output.resolve()
    prepare(folder)
    runs = run_all(options, folder)
    if not any(run.tool == "seep" for run in runs):
        return BAD_INPUT
    if not any(run.option for run in runs):
        print("compare_with: no other tool could be run: seep's own report is "
              f"{folder / 'seep.txt'}", file=sys.stderr)
        return BAD_INPUT
    table = compare(runs, folder, options)
    print(table)
    print(costs(runs), flush=True)
    files = draw(runs, folder, pathlib.Path(options.command[0]).name)
    if files:
        print("picture: " + " ".join(str(file) for file in files))
    return 0


def main_or_why_not():
    try:
        return main()
    except Failure as failure:
        print(f"compare_with: {failure}", file=sys.stderr)
        return failure.status
    except OSError as error:
        print(f"compare_with: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main_or_why_not())
