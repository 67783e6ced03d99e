#!/usr/bin/env python3
"""Unreachable blocks as seep, LeakSanitizer and Valgrind count them, on the same small programs.

usage: run.py --build-dir DIR [--only NAME,…] [--tools seep,lsan,valgrind] [--markdown FILE]

Each program of programs/ says in its first comment what it loses:

  // lost: FUNCTION direct=BLOCKS:BYTES indirect=BLOCKS:BYTES …     (or: // lost: nothing)
  // lsan: FUNCTION … because REASON        where that tool is known to differ
  // valgrind: FUNCTION … because REASON

FUNCTION made the blocks. seep must say what `lost:` says, block for block and byte for byte; the
others must too, or what their own line says, with the reason. Exit status 1 when any differs.
"""
import argparse
import collections
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent
TOOLS = ("seep", "lsan", "valgrind")
LONGEST_RUN_S = 60
PART = re.compile(r"(direct|indirect)=(\d+):(\d+)")


@dataclasses.dataclass
class Lost:
    """(blocks, bytes) lost directly and indirectly, of one function."""
    direct: tuple = (0, 0)
    indirect: tuple = (0, 0)

    def add(self, sort, blocks, size):
        before = getattr(self, sort)
        setattr(self, sort, (before[0] + blocks, before[1] + size))

    def __str__(self):
        parts = [f"{sort}={blocks}:{size}" for sort, (blocks, size)
                 in (("direct", self.direct), ("indirect", self.indirect)) if blocks]
        return " ".join(parts)


def text_of(losses):
    return " ".join(f"{name} {lost}" for name, lost in sorted(losses.items())) or "nothing"


class Trouble(Exception):
    """A tool or program that could not be run."""


@dataclasses.dataclass
class Expectation:
    losses: dict
    reason: str = ""


def parse_losses(text):
    """"make_a direct=1:2 make_b …" as a dictionary."""
    losses, name = {}, None
    for word in text.split():
        part = PART.fullmatch(word)
        if word == "nothing":
            continue
        if part is None:
            name = word
            losses[name] = Lost()
        else:
            losses[name].add(part[1], int(part[2]), int(part[3]))
    return losses


def expectations_of(source):
    """By tool, from the first comment of the program."""
    expected = {}
    for line in source.read_text().splitlines():
        found = re.match(r"// (lost|lsan|valgrind): (.*)", line)
        if found is None:
            continue
        text, _, reason = found[2].partition(" because ")
        expected["seep" if found[1] == "lost" else found[1]] = Expectation(parse_losses(text), reason)
    for tool in TOOLS:
        expected.setdefault(tool, expected["seep"])
    return expected


def run(command, **more):
    """What it printed to stderr; its status does not matter: leak checkers set their own."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              timeout=LONGEST_RUN_S, check=False, **more)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Trouble(str(error)) from error
    return done


def maker_of(functions):
    """The function of the program that made the block: the innermost make_… of its stack."""
    for function in functions:
        name = re.search(r"\bmake_\w+", function or "")
        if name:
            return name[0]
    return next((function for function in functions if function), "?")


def clean_environment(**more):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("SEEP_", "LSAN_", "ASAN_", "VALGRIND"))}
    kept.pop("LD_PRELOAD", None)
    return kept | more


# --- The three tools

def by_lsan(program, _work):
    done = run([f"{program}.lsan"], env=clean_environment(LSAN_OPTIONS="exitcode=0:fast_unwind_on_malloc=0"))
    if "LeakSanitizer has encountered a fatal error" in done.stderr or done.returncode != 0:
        raise Trouble(f"LeakSanitizer: status {done.returncode}: {done.stderr[:300]}")
    losses = collections.defaultdict(Lost)
    entry = re.compile(r"(Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object\(s\) allocated from:\n"
                       r"((?:\s+#.*\n)*)")
    for sort, size, blocks, frames in entry.findall(done.stderr + "\n"):
        functions = re.findall(r"#\d+ \S+ in (.*?) (?:/|\(|<)", frames)
        losses[maker_of(functions)].add(sort.lower(), int(blocks), int(size))
    return dict(losses)


def own_bytes(what):
    """Valgrind counts what is lost indirectly with a block for that block too: "48 (16 direct, …)"."""
    direct = re.search(r"\(([\d,]+) direct", what.findtext("text") or "")
    return int(direct[1].replace(",", "")) if direct else int(what.findtext("leakedbytes"))


def by_valgrind(program, work):
    result = work / "valgrind.xml"
    done = run(["valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect", "--num-callers=60",
                "--xml=yes", f"--xml-file={result}", program], env=clean_environment())
    try:
        root = ElementTree.parse(result).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise Trouble(f"valgrind: {error}: {done.stderr[:300]}") from error
    sorts = {"Leak_DefinitelyLost": "direct", "Leak_IndirectlyLost": "indirect"}
    losses = collections.defaultdict(Lost)
    for error in root.iter("error"):
        sort = sorts.get(error.findtext("kind"))
        if sort is not None:
            what = error.find("xwhat")
            functions = [frame.findtext("fn") for frame in error.find("stack").iter("frame")]
            losses[maker_of(functions)].add(sort, int(what.findtext("leakedblocks")), own_bytes(what))
    return dict(losses)


class BySeep:
    def __init__(self, build):
        self.seep = build / "bin" / "seep"
        self.library = build / "lib" / "libseep.so"

    def __call__(self, program, work):
        recordings = work / "seep"
        shutil.rmtree(recordings, ignore_errors=True)
        run([program], env=clean_environment(LD_PRELOAD=str(self.library), SEEP_DIR=str(recordings),
                                             SEEP_SCAN="exit"))
        done = run([self.seep, "report", "--json", "--sites", "--top", "0", "-o", work / "report.json",
                    recordings], env=clean_environment())
        if done.returncode != 0:
            raise Trouble(f"seep report: {done.stderr[:300]}")
        report = json.loads((work / "report.json").read_text())
        if report["scan"] is None or not report["scan"]["complete"]:
            raise Trouble(f"no complete scan: {report['scan']}")
        losses = collections.defaultdict(Lost)
        for row in report["suspects"]:
            if row["unreachable_blocks"]:
                lost = losses[maker_of([frame["function"] for frame in row["stack"]])]
                direct = row["unreachable_direct_blocks"], row["unreachable_direct_bytes"]
                lost.add("direct", *direct)
                lost.add("indirect", row["unreachable_blocks"] - direct[0],
                         row["unreachable_bytes"] - direct[1])
        return dict(losses)


# --- Programs

@dataclasses.dataclass
class Outcome:
    program: str
    tool: str
    found: str      # what the tool says
    expected: str   # what it should say
    reason: str = ""

    @property
    def agrees(self):
        return self.found == self.expected


def measure(program, source, tools, work):
    expected = expectations_of(source)
    for name, tool in tools.items():
        folder = work / program.name / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            found = text_of(tool(program, folder))
        except Trouble as trouble:
            found = f"trouble: {trouble}"
        yield Outcome(program.name, name, found, text_of(expected[name].losses), expected[name].reason)


def print_outcomes(outcomes):
    for outcome in outcomes:
        if not outcome.agrees:
            print(f"{outcome.program}: {outcome.tool}: {outcome.found}, expected {outcome.expected}",
                  flush=True)
    agreed = sum(outcome.agrees for outcome in outcomes)
    explained = sum(bool(outcome.reason) for outcome in outcomes if outcome.agrees)
    print(f"{agreed} of {len(outcomes)} agree, {explained} of them by an explained difference")


def markdown(outcomes):
    lines = ["| program | tool | says | why it differs |", "|---|---|---|---|"]
    for outcome in outcomes:
        mark = "" if outcome.agrees else f" (expected {outcome.expected})"
        lines.append(f"| {outcome.program} | {outcome.tool} | {outcome.found}{mark} | {outcome.reason} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--programs", type=pathlib.Path, help="where they were built")
    parser.add_argument("--only", help="these programs, separated by commas")
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    build = options.build_dir.resolve()
    folder = (options.programs or build / "tests/scenarios/scan_compare/programs").resolve()
    known = {"seep": BySeep(build), "lsan": by_lsan, "valgrind": by_valgrind}
    tools = {name: known[name] for name in options.tools.split(",")}
    wanted = options.only.split(",") if options.only else None
    outcomes = []
    for source in sorted((HERE / "programs").glob("*.c*")):
        if wanted is None or source.stem in wanted:
            outcomes += measure(folder / source.stem, source, tools, build / "scan_compare")
    print_outcomes(outcomes)
    if options.markdown:
        options.markdown.write_text(markdown(outcomes))
    return 0 if outcomes and all(outcome.agrees for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
