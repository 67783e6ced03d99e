#!/usr/bin/env python3
"""scripts/compare_with.py on a sample: its table, its costs, its picture, what it says of tools that are not there or did
not look, and what Ctrl-C does.

usage: script.py --build-dir DIR
"""
import argparse
import html.parser
import importlib.util
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
LONGEST_RUN_S = 120


# The system's Python: the one that Debian's matplotlib is for.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
SCRIPT = ROOT / "scripts/compare_with.py"


def compare_with(build, folder, *words, command=None, **environment):
    command = command or [build / "samples/lost_at_exit", "0.2"]
    return subprocess.run([PYTHON, SCRIPT, "--build-dir", build, "--output", folder, *words, "--", *command],
                          capture_output=True, text=True, timeout=LONGEST_RUN_S, check=False,
                          env=os.environ | environment)


def expect(condition, what, done):
    if not condition:
        sys.exit(f"{what}\n--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")


class Page(html.parser.HTMLParser):
    """The texts of the cells, row by row; what is still open."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            sys.exit(f"</{tag}> closes another element")

    def handle_data(self, data):
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data


def check_page(text, document):
    page = Page(text)
    if page.open or [len(row) for row in page.rows] != (1 + document["leak_count"]) * [2 + len(document["tools"])]:
        sys.exit(f"compare.html has {page.rows} and leaves open {page.open}")
    leak, first = document["leaks"][0], page.rows[1]
    if ["\u2713 found" in cell for cell in first[2:]] != [one["found"] for one in leak["findings"]]:
        sys.exit(f"compare.html has {first}")
    if leak["function"] not in first[1]:
        sys.exit(f"compare.html does not name the leak: {first}")


def check_costs():
    spec = importlib.util.spec_from_file_location("compare_with", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    sys.modules["compare_with"] = script  # its dataclass looks for it there
    spec.loader.exec_module(script)
    line = script.costs([script.Run("alone", 0.0, 0.0, None, 0)]).splitlines()[1]
    if "–" not in line or "MB" in line:
        sys.exit(f"a peak that nobody saw: {line}")


def check_refused(build, folder):
    folder.mkdir()
    kept = folder / "seep-out"
    kept.write_text("a user's")
    done = compare_with(build, folder)
    expect(done.returncode == 2 and "is not empty" in done.stderr, f"status {done.returncode} in a user's folder", done)
    expect(kept.read_text() == "a user's", "a user's file was written over", done)
    kept.unlink()
    done = compare_with(build, folder, command=["/nowhere/program"])
    expect(done.returncode == 3 and "Traceback" not in done.stderr, f"status {done.returncode} of no program", done)


def check_killed(build, folder):
    done = compare_with(build, folder, "--tools", "seep,lsan", command=["sh", "-c", "kill -KILL $$"])
    expect("LeakSanitizer is left out: it did not look for leaks: the program ended by signal 9" in done.stderr,
           "LeakSanitizer of a program that was killed", done)


def interrupt(script, started):
    """Ctrl-C once the program runs."""
    until = time.monotonic() + LONGEST_RUN_S
    while not started.exists():
        if time.monotonic() > until or script.poll() is not None:
            script.kill()
            sys.exit(f"no program to interrupt: {script.communicate()}")
        time.sleep(0.01)
    program = int(started.read_text())
    started.unlink()
    script.send_signal(signal.SIGINT)
    return program


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start(build, folder, trap):
    started = folder / "started"
    program = f'trap "{trap}" INT; echo $$ > {started}.new; mv {started}.new {started}; while :; do sleep 0.05; done'
    return subprocess.Popen([PYTHON, SCRIPT, "--build-dir", build, "--output", folder, "--tools", "seep", "--", "sh", "-c",
                             program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), started


def check_interrupted(build, folder):
    script, started = start(build, folder, "exit 0")
    interrupt(script, started)  # alone
    interrupt(script, started)  # under seep
    _, errors = script.communicate(timeout=LONGEST_RUN_S)
    if script.returncode != 3 or "no other tool" not in errors or "Traceback" in errors:
        sys.exit(f"status {script.returncode} of runs that Ctrl-C ended: {errors}")

    script, started = start(build, folder, "")
    program = interrupt(script, started)
    until = time.monotonic() + LONGEST_RUN_S
    while script.poll() is None and time.monotonic() < until:
        script.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, errors = script.communicate(timeout=LONGEST_RUN_S)
    if script.returncode != 130 or "Traceback" in errors or is_there(program):
        sys.exit(f"status {script.returncode} of a second Ctrl-C, left over: {is_there(program)}: {errors}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    build = parser.parse_args().build_dir.resolve()
    folder = build / "compare" / "script 100%p: one"  # what the tools' options take apart
    shutil.rmtree(folder, ignore_errors=True)

    done = compare_with(build, folder)
    expect(done.returncode == 0, f"status {done.returncode}", done)
    document = json.loads((folder / "compare.json").read_text())
    found = {tool["tool"]: tool["found"] for tool in document["tools"]}
    expect(found.get("seep", 0) >= 1 and found.get("valgrind") == found.get("lsan") == 1, f"found {found}", done)
    leak = document["leaks"][0]
    lost = {one["tool"]: one["direct"]["bytes"] + one["indirect"]["bytes"] for one in leak["findings"] if one["direct"]}
    # A fixed amount of work: 200 options of 16 and 24 bytes, whatever the tool.
    expect(set(lost.values()) == {8000}, f"lost {lost}", done)
    expect(leak["same_counts"] is True, "counts differ", done)
    for line in ("alone", "seep", "Valgrind"):
        expect(f"\n{line} " in done.stdout, f"no cost of {line}", done)
    check_page((folder / "compare.html").read_text(encoding="utf-8"), document)
    picture = folder / "compare.png"
    expect(picture.exists() or "cannot load matplotlib" in done.stderr, "no picture, no reason", done)
    expect(not picture.exists() or picture.read_bytes()[:4] == b"\x89PNG", "the picture is no PNG", done)

    # Tools that are not on the path are said, and no reason to stop before all of them are gone.
    done = compare_with(build, folder, "--tools", "seep,valgrind,heaptrack", PATH="/nowhere")
    expect("Valgrind is left out: not installed" in done.stderr, "an absent Valgrind is not said", done)
    expect("heaptrack is left out: not installed" in done.stderr, "an absent heaptrack is not said", done)
    expect(done.returncode == 3, f"status {done.returncode} with nothing to compare", done)

    check_costs()
    plain = build / "compare" / "script"
    shutil.rmtree(plain, ignore_errors=True)
    check_refused(build, plain)
    check_killed(build, plain)
    check_interrupted(build, plain)


if __name__ == "__main__":
    main()
