#!/usr/bin/env python3
"""Runs clang-tidy 14 over the sources of the project with the compile commands of a build folder.

    scripts/checks/run_tidy.py [--analyze] BUILD_FOLDER [FILE...]

--analyze runs the static analyzer (clang-analyzer-*) instead of all the others: it takes twice as
long as they do, so that tests have it behind `scripts/test --long`.

Without files: every source of preload/, analyzer/ and cli/ that the build compiles, with the
headers that they include. Sources of tests/ are checked when they are named: GoogleTest's headers
would take most of the time. Exits 1 when there is a finding.

clang-tidy 14 holds its checks against every line of the standard library's headers, which takes four
times as long as all else. So the sources of a folder are given to it as one, which includes
them all. Where two of them do not go together (two helpers of one name), those that clang complains of
are taken as one after the others. The analyzer looks only at the source that it is given, so it gets them
one by one.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOVERNED = ("preload", "analyzer", "cli")
HEADERS = r"/(format|preload|analyzer|cli|tests)/[^/].*\.(h|cpp)$"
ALL_BUT_ANALYZER = "-clang-analyzer-*"
ONLY_ANALYZER = "-bugprone-*,-misc-*,-modernize-*,-performance-*,-readability-*"
EXTRA = ["--extra-arg=-Wno-unknown-warning-option",
         "--extra-arg=-Wno-shadow",  # of other sources' names, here; gcc looks for it in each
         "--extra-arg=-fconstexpr-steps=16777216",  # tables are constants; gcc has no such limit
         "--extra-arg=-ferror-limit=0"]  # each source that does not go with the others is to be named
ERROR = "[clang-diagnostic-error]"
CHEAPEST = "-*,readability-duplicate-include"  # there must be one
NO_FINDING = re.compile(r"^\d+ warnings? .*generated\.$|^Suppressed \d+ warnings|^Use -header-filter")


def command_without_file(entry):
    """The arguments that a source is compiled with, but for its name and that of the object."""
    words = shlex.split(entry["command"])
    source = words.index("-c")
    del words[source:source + 2]
    if "-o" in words:
        output = words.index("-o")
        del words[output:output + 2]
    return words


def commands_of(build):
    """{source: arguments}; of a source that is compiled twice, those of the first time. None of assembly."""
    entries = json.loads((build / "compile_commands.json").read_text())
    commands = {}
    for entry in entries:
        if entry["file"].endswith(".S"):
            continue
        commands.setdefault(Path(entry["directory"], entry["file"]).resolve(), command_without_file(entry))
    return commands


class Tidy:
    """Checks groups of sources; each group is a source of its own under the build folder."""

    def __init__(self, program, build, commands, checks):
        self.program = program
        self.build = build
        self.commands = commands
        self.checks = checks
        self.folder = build / "tidy"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.number = itertools.count()

    def run(self, sources, checks):
        """What clang-tidy says of them, in lines."""
        folder = self.folder / f"{sources[0].stem}-{next(self.number)}"
        folder.mkdir()
        if len(sources) == 1:
            together = sources[0]
        else:
            checks += ",-bugprone-suspicious-include"  # of sources, as here
            together = folder / "together.cpp"
            together.write_text("".join(f'#include "{source}"\n' for source in sources))
        arguments = [*self.commands[sources[0]], "-c", str(together)]
        database = [{"directory": str(self.build), "file": str(together), "arguments": arguments}]
        (folder / "compile_commands.json").write_text(json.dumps(database))
        result = subprocess.run(
            [self.program, "-quiet", "-p", str(folder), f"--config-file={ROOT / '.clang-tidy'}",
             f"-checks={checks}", f"-header-filter={HEADERS}",
             *EXTRA, str(together)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        lines = [line for line in result.stdout.splitlines() if not NO_FINDING.match(line)]
        if result.returncode != 0 and not lines:
            lines = [f"{together}: clang-tidy ended with status {result.returncode}"]
        return lines

    def check(self, sources, likely=False):
        """The findings in these sources, in lines. `likely`: that they go together."""
        checks = self.checks if likely or len(sources) == 1 else CHEAPEST
        lines = self.run(sources, checks)
        clash = {line.split(":")[0] for line in lines if ERROR in line}
        if not clash or len(sources) == 1:
            return lines if checks == self.checks else self.run(sources, self.checks)
        later = [source for source in sources if str(source) in clash]
        if len(later) in (0, len(sources)):
            later = sources[len(sources) // 2:]
        return self.check([source for source in sources if source not in later], likely=True) + self.check(later)


def groups_of(sources, commands):
    """Sources of one folder that are compiled alike."""
    groups = {}
    for source in sources:
        groups.setdefault((source.parent, *commands[source]), []).append(source)
    return sorted(groups.values(), key=len, reverse=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--analyze", action="store_true", help="the static analyzer instead of all other checks")
    parser.add_argument("build", type=Path, metavar="BUILD_FOLDER")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE")
    options = parser.parse_args()
    if not (options.build / "compile_commands.json").is_file():
        parser.error(f"{options.build} has no compile_commands.json")
    program = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
    if program is None:
        sys.exit("clang-tidy is not installed (package clang-tidy-14)")

    build = options.build.resolve()
    commands = commands_of(build)
    sources = [file.resolve() for file in options.files]
    if not sources:
        sources = [source for source in commands
                   if source.is_relative_to(ROOT) and source.relative_to(ROOT).parts[0] in GOVERNED]
    unknown = [str(source) for source in sources if source not in commands]
    if unknown or not sources:
        parser.error(f"{build} does not compile {', '.join(unknown) or 'any source of ' + str(ROOT)}")

    tidy = Tidy(program, build, commands, ONLY_ANALYZER if options.analyze else ALL_BUT_ANALYZER)
    groups = [[source] for source in sources] if options.analyze else groups_of(sources, commands)
    found = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines in pool.map(tidy.check, groups):
            found = found or bool(lines)
            print(*lines, sep="\n", end="\n" if lines else "", flush=True)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
