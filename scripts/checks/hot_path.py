#!/usr/bin/env python3
"""Holds the hot path to the instructions that tests/golden/hot_path.txt lists.

    scripts/checks/hot_path.py BUILD            compares
    scripts/checks/hot_path.py BUILD --write    measures the golden file again
    scripts/checks/hot_path.py BUILD --sources  the instructions of a pair by the source they are of

code  what the functions of the hot path consist of. Calls and locked instructions are compared
      exactly, instructions and branches within 10 %, the stack within 16 bytes.
run   what libseep.so executes for one malloc and its free, 21 frames deep, from one call stack over
      1,000 live blocks of 16 to 64 bytes, counted by callgrind: instructions within 5 %, calls
      within 0.4 (a look at the clock makes two or more of them, as time has it),
      branches within 10 %, locked instructions within 0.05. Modes are exact, the same for blocks of
      up to 1,024 bytes, of which a page has few, paused and sample.

Better than the golden file is a finding as well: what was won is to be kept. The figures are a
compiler's; with another one than the golden file's nothing is compared, and the exit status is 77.
It is 77 too where valgrind is missing and only `run` was asked for.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import namedtuple
from pathlib import Path

import instruction_mix as mixes
from instruction_mix import Mix
from source_tree import Finding, report, root_parser

GOLDEN = "tests/golden/hot_path.txt"
SKIPPED = 77
# The hooks whose code is held, whether the run calls them or not; then what the run goes through.
HOOKS = ["malloc", "free", "calloc", "realloc", "_Znwm", "_ZdlPv", "_ZdlPvm"]
# What is run: settings, two numbers of pairs, whose difference leaves start and end out, how much the
# instructions may change, and the largest block. Samples come at random: more pairs and more room.
Mode = namedtuple("Mode", "settings pairs room largest", defaults=[64])
MODES = {"exact": Mode({}, (4000, 24000), 0.05),
         "exact, larger blocks": Mode({}, (4000, 24000), 0.05, 1024),
         "paused": Mode({"SEEP_START": "paused"}, (4000, 24000), 0.05),
         "sample": Mode({"SEEP_MODE": "sample"}, (4000, 164000), 0.1)}
FRAMES = 21
ONCE = 0.5  # times a pair: what is executed less often is not on the hot path
ALL = ": all"  # behind a mode, in the golden file
HEADER = """\
# The instruction mix of the hot path: scripts/checks/hot_path.py BUILD --write
# code: what a function consists of; stack in bytes. run: what one malloc and its free execute in
# libseep.so, all of it, and in exact mode function by function where each pair comes by.
"""

Golden = namedtuple("Golden", "compiler code run stack")  # code: name to (Mix, stack)


# ---- measuring ------------------------------------------------------------------------------


def compiler_of(comment_section):
    """Such as `GCC 12`, from `readelf -p .comment`."""
    clang = re.search(r"clang version (\d+)", comment_section)
    if clang:
        return f"clang {clang.group(1)}"
    versions = re.findall(r"GCC: \(.*?\) (\d+)", comment_section)
    return f"GCC {max(versions, key=int)}" if versions else "unknown"


class Library:
    """The code of libseep.so."""

    def __init__(self, path):
        self.path = path.resolve()
        self.compiler = compiler_of(mixes.tool("readelf", "-p", ".comment", path))
        self.functions = mixes.with_readable_names(mixes.parse_disassembly(
            mixes.tool("objdump", "-d", "--no-show-raw-insn", path)))
        self.mixes = mixes.code_mixes(self.functions)
        self.stacks = mixes.stack_sizes(self.functions, mixes.parse_frames(
            mixes.tool("readelf", "--debug-dump=frames-interp", path)))

    def code(self, names):
        """(Mix, stack) of those that exist."""
        return {name: (self.mixes[name], self.stacks[name]) for name in names
                if name in self.mixes}


def run_callgrind(library, program, pairs, mode):
    with tempfile.TemporaryDirectory(prefix="seep-hot-path-") as folder:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SEEP_")}
        environment.update(LD_PRELOAD=str(library.path), SEEP_DIR=folder, SEEP_INTERVAL="off", SEEP_SCAN="off",
                           **mode.settings)
        output = Path(folder) / "callgrind.out"
        subprocess.run(
            ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={output}",
             "--dump-instr=yes", "--dump-line=no", "--compress-strings=no", "--compress-pos=no",
             str(program), str(FRAMES), str(pairs), "1", "1", "1000", str(mode.largest)],
            env=environment, check=True, stdout=subprocess.DEVNULL)
        return mixes.parse_callgrind(output.read_text(encoding="utf-8"), str(library.path))


def difference(less, more, divisor):
    return {key: (count - less.get(key, 0)) / divisor for key, count in more.items()}


def measure_run(library, program, mode):
    """Executed for a pair: Mix by function, its peak (executed_mixes), and which function calls
    which."""
    first, second = (run_callgrind(library, program, pairs, MODES[mode])
                     for pairs in MODES[mode].pairs)
    pairs = MODES[mode].pairs[1] - MODES[mode].pairs[0]
    names = mixes.function_names(library.functions)
    edges = {}
    for (caller, target), count in difference(first[1], second[1], pairs).items():
        if count >= ONCE and caller in names and target in names:
            edges.setdefault(names[caller], set()).add(names[target])
    return (*mixes.executed_mixes(library.functions, difference(first[0], second[0], pairs)), edges)


def measure_runs(library, program):
    """(run, stack) of a Golden."""
    run, functions, stack = {}, {}, 0
    for mode in MODES:
        by_function, peaks, edges = measure_run(library, program, mode)
        run[mode + ALL] = mixes.add(*by_function.values())
        if mode == "exact":
            stack, _ = mixes.deepest_chain(edges, library.stacks, ["malloc", "free"])
            functions = {name: by_function[name] for name in sorted(by_function)
                         if peaks[name] >= ONCE}
    return {**run, **functions}, stack


# ---- the golden file ------------------------------------------------------------------------


def format_golden(golden):
    lines = [HEADER, f"compiler {golden.compiler}\n", f"stack {golden.stack} of the deepest chain\n"]
    columns = ["instructions", "calls", "indirect", "locked", "branches"]
    lines.append(f"\n# {'':4}{''.join(f'{c:>13}' for c in columns)}{'stack':>8}  function\n")
    for name, (mix, stack) in golden.code.items():
        lines.append(f"code  {''.join(f'{count:13}' for count in mix)}{stack:8}  {name}\n")
    lines.append(f"\n# {'':4}{''.join(f'{c:>13}' for c in columns)}  mode or function\n")
    for name, mix in golden.run.items():
        lines.append(f"run   {''.join(f'{count:13.2f}' for count in mix)}  {name}\n")
    return "".join(lines)


def parse_golden(text):
    golden = Golden("", {}, {}, 0)
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "compiler":
            golden = golden._replace(compiler=rest.strip())
        elif kind == "stack":
            golden = golden._replace(stack=int(rest.split()[0]))
        elif kind == "code":
            *counts, stack, name = rest.split(None, 6)
            golden.code[name] = (Mix(*map(int, counts)), int(stack))
        elif kind == "run":
            *counts, name = rest.split(None, 5)
            golden.run[name] = Mix(*map(float, counts))
    return golden


# ---- comparing ------------------------------------------------------------------------------


def far_apart(before, now, share, least):
    return abs(now - before) > max(least, before * share)


def change(name, before, now):
    return f"{name} {before:g} -> {now:g} ({'more' if now > before else 'less'})"


def compare_code(golden, library_code):
    """One finding for each function that is not what it was."""
    findings = []
    for name, (mix, stack) in golden.code.items():
        if name not in library_code:
            findings.append(Finding(GOLDEN, 1, f"{name}: no such function any more"))
            continue
        now, stack_now = library_code[name]
        limits = Mix(instructions=(0.1, 2), calls=(0, 0), indirect=(0, 0), locked=(0, 0),
                     branches=(0.1, 1))
        changes = [change(kind, old, new)
                   for kind, limit, old, new in zip(Mix._fields, limits, mix, now)
                   if far_apart(old, new, *limit)]
        if far_apart(stack, stack_now, 0, 16):
            changes.append(change("stack", stack, stack_now))
        if changes:
            findings.append(Finding(GOLDEN, 1, f"{name}: {', '.join(changes)}"))
    return findings


def compare_run(golden, run, stack):
    """Findings about what is executed in each mode; where it changed, which functions did."""
    findings = []
    for mode in MODES:
        name = mode + ALL
        before, now = (measured.get(name, mixes.NO_MIX) for measured in (golden.run, run))
        limits = Mix(instructions=(MODES[mode].room, 1), calls=(0.05, 0.4), indirect=(0.05, 0.1),
                     locked=(0, 0.05), branches=(0.1, 0.5))
        changes = [change(kind, old, round(new, 2))
                   for kind, limit, old, new in zip(Mix._fields, limits, before, now)
                   if far_apart(old, new, *limit)]
        if changes:
            findings.append(Finding(GOLDEN, 1, f"{name}, a pair: {', '.join(changes)}"))
    if findings:
        findings += changed_functions(golden.run, run)
    if far_apart(golden.stack, stack, 0, 32):
        findings.append(Finding(GOLDEN, 1, change("stack of the deepest chain", golden.stack,
                                                  stack)))
    return findings


def changed_functions(before, now):
    """Which functions execute something else, to say where to look."""
    for name in {**before, **now}:
        old, new = (run.get(name, mixes.NO_MIX).instructions for run in (before, now))
        if not name.endswith(ALL) and far_apart(old, new, 0.05, 1):
            yield Finding(GOLDEN, 1, f"in {name}: {change('instructions', old, round(new, 2))}")


def write_golden(path, library, program):
    run, stack = measure_runs(library, program)
    names = HOOKS + [name for name in run if name not in HOOKS]
    golden = Golden(library.compiler, library.code(names), run, stack)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(format_golden(golden), encoding="utf-8")


def print_sources(library, program):
    """Instructions of a pair in exact mode by the file of source they stand in, inlined or not."""
    mode = MODES["exact"]
    first, second = (run_callgrind(library, program, pairs, mode)[0] for pairs in mode.pairs)
    executed = difference(first, second, mode.pairs[1] - mode.pairs[0])
    places = mixes.tool("addr2line", "-e", library.path,
                        text="\n".join(hex(address) for address in executed)).splitlines()
    sources = {}
    for place, count in zip(places, executed.values()):
        name = Path(place.split(":")[0]).name
        sources[name] = sources.get(name, 0) + count
    for name, count in sorted(sources.items(), key=lambda item: -item[1]):
        if count >= ONCE:
            print(f"{count:8.1f}  {name}")


def main():
    parser = root_parser(__doc__)
    parser.add_argument("build", type=Path, help="a build folder")
    parser.add_argument("--only", choices=["code", "run"], help="this half alone")
    parser.add_argument("--write", action="store_true", help="write the golden file")
    parser.add_argument("--sources", action="store_true", help="print where a pair's instructions are")
    options = parser.parse_args()
    library = Library(options.build / "lib" / "libseep.so")
    program = options.build / "bin" / "seep_figures_window"
    if options.sources:
        print_sources(library, program)
        return 0
    if options.write:
        write_golden(options.root / GOLDEN, library, program)
        return 0
    golden = parse_golden((options.root / GOLDEN).read_text(encoding="utf-8"))
    if golden.compiler != library.compiler:
        print(f"nothing compared: libseep.so is of {library.compiler}, the golden file of "
              f"{golden.compiler}")
        return SKIPPED
    findings = []
    if options.only != "run":
        findings += compare_code(golden, library.code(golden.code))
    if options.only != "code":
        if shutil.which("valgrind") is None:
            print("nothing executed: valgrind is not installed")
            return report(findings) or SKIPPED
        findings += compare_run(golden, *measure_runs(library, program))
    if findings:
        print(f"If this is meant: scripts/checks/hot_path.py {options.build} --write")
    return report(findings)


if __name__ == "__main__":
    sys.exit(main())
