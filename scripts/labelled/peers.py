"""Other tools on the same programs: what each reports at the end as leaked, most first.

What a tool calls a leak is what it says by default: Valgrind's definitely lost, LeakSanitizer's leaks,
heaptrack's memory that was not freed by the end. They rank stacks and blame no function, so their first row
counts as right when the leaking function is anywhere in its stack.
"""
import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree

from figures import share_text
from run import PATIENCE_S, Outcome, Row

# Frames that are no program's code: allocators and what carries them.
LIBRARY = re.compile(r"^(__interceptor_|malloc|calloc|realloc|aligned_alloc|strdup|memalign|posix_memalign|mmap"
                     r"|operator new|__gnu_cxx::|(void )?std::|make_(unique|shared)|v?asprintf|getline|getdelim|_IO_)"
                     r"|\bstd::.*::_M_")


def row_of(functions):
    own = [name for name in functions if name and not LIBRARY.search(name)]
    return Row(own[0] if own else None, leak=True, functions=tuple(functions))


class Valgrind:
    name = "valgrind"
    program = "valgrind"

    def __init__(self, build, folder):
        self.programs, self.folder = build / "labelled", folder

    def run(self, label):
        output = self.folder / f"{label.name}.xml"
        subprocess.run([self.program, "--leak-check=full", "--xml=yes", f"--xml-file={output}",
                        *label.command(self.programs)], capture_output=True, check=True,
                       timeout=20 * label.seconds + PATIENCE_S)
        errors = xml.etree.ElementTree.parse(output).getroot().iter("error")
        lost = [error for error in errors if error.findtext("kind") == "Leak_DefinitelyLost"]
        lost.sort(key=lambda error: -int(error.findtext("xwhat/leakedbytes")))
        return Outcome(label, [row_of([frame.findtext("fn") for frame in error.find("stack").iter("frame")])
                               for error in lost])


class LeakSanitizer:
    """Preloaded: the programs are built without it."""
    name = "lsan"
    program = "gcc"

    def __init__(self, build, folder):
        self.programs, self.folder = build / "labelled", folder
        found = subprocess.run([self.program, "-print-file-name=liblsan.so"], capture_output=True, text=True,
                               check=True)
        self.library = os.path.realpath(found.stdout.strip())

    def run(self, label):
        ended = subprocess.run(label.command(self.programs), capture_output=True, text=True, check=False,
                               env=dict(os.environ, LD_PRELOAD=self.library),
                               timeout=label.seconds + PATIENCE_S)
        rows = []
        for block in re.split(r"\n(?=(?:Direct|Indirect) leak of )", ended.stderr)[1:]:
            rows.append(row_of(re.findall(r"^\s+#\d+ 0x[0-9a-f]+ in (.+?)(?: [/<]|$)", block, re.MULTILINE)))
        return Outcome(label, rows)


class Heaptrack:
    name = "heaptrack"
    program = "heaptrack"

    def __init__(self, build, folder):
        self.programs, self.folder = build / "labelled", folder

    def run(self, label):
        output = self.folder / f"{label.name}.heaptrack"
        subprocess.run([self.program, "-o", output, *label.command(self.programs)], capture_output=True, check=True,
                       timeout=5 * label.seconds + PATIENCE_S)
        recorded = next(path for path in sorted(self.folder.glob(f"{label.name}.heaptrack*")))
        printed = subprocess.run(["heaptrack_print", "--print-leaks=1", "--print-peaks=0", "--print-allocators=0",
                                  "--print-temporary=0", recorded],
                                 capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout
        leaks = printed[printed.find("MEMORY LEAKS"):].split("\n\n")[0]
        rows = []
        for block in re.split(r"\n(?=[\d.]+[KMG]?B? leaked )", leaks)[1:]:
            names = [re.sub(r"^(?:from|at) ", "", line.strip()) for line in block.splitlines()[1:]]
            rows.append(row_of([name for name in names if name and not name.startswith("in ")]))
        return Outcome(label, [row for row in rows if row.function])


def summary(tool, outcomes):
    """Lines: what the tool found in the first row and whom it accused."""
    leaks = [outcome for outcome in outcomes if outcome.label.leaks]
    sound = [outcome for outcome in outcomes if not outcome.label.leaks]
    found = sum(bool(outcome.rows) and outcome.is_leaking(outcome.rows[0]) for outcome in leaks)
    accused = sum(bool(outcome.rows) for outcome in sound)
    troubles = [f"{tool}: {outcome.label.name}: {outcome.trouble}" for outcome in outcomes if outcome.trouble]
    return [f"{tool}: leaking function in the first row: {share_text(found, len(leaks))}",
            f"{tool}: programs without a leak that were accused: {share_text(accused, len(sound))}", *troubles]


TOOLS = {tool.name: tool for tool in (Valgrind, LeakSanitizer, Heaptrack)}


def chosen(names, build, folder):
    """The tools that were asked for and are there; a missing one is said."""
    tools = []
    for name in filter(None, names.split(",")):
        if name not in TOOLS:
            raise SystemExit(f"labelled.py: no such tool: {name} (there are {', '.join(TOOLS)})")
        if shutil.which(TOOLS[name].program) is None:
            print(f"--- {name}: not installed, left out")
            continue
        tools.append(TOOLS[name](build, pathlib.Path(folder)))
    return tools
