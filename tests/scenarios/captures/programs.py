"""The programs whose stacks are compared, and how each is made to allocate a lot."""
import dataclasses
import pathlib
import shutil
import typing

import command_line_programs as real

CASES = ["threads", "exceptions", "jumps", "coroutines", "signals", "plugins", "unseen", "crowd", "iconv", "recursion",
         "frames", "jit", "forks"]
SHALLOW_CASES = ["threads", "recursion"]  # with few frames kept, too
FEW_FRAMES = "10"

SCRIPTS = pathlib.Path(__file__).resolve().parents[3] / "bench/figures/scripts"
PYTHON = ["/usr/bin/python3", "-S", "-s"]
OBJECTS_A_PAGE = 2000  # less than there are
PAGES = "500"

# Samples count their ticks in seconds, at 200 to 2,000 a second. Few of them in one run, where
# each tick keeps memory: 300 seconds of growing_vector are a block of 150 MB.
MOST_SAMPLE_SECONDS = 300
TICKS_PER_SECOND = 1000

PERL = """
my (@kept, %count);
for my $i (1 .. 60000) {
    my $entry = { id => $i, name => "name " . ($i % 977), path => [ "a", $i % 13 ] };
    $count{$entry->{name}}++;
    push @kept, join(",", map { "<$_>" } sort keys %$entry) if $i % 5 == 0;
    $kept[$i % @kept] =~ s/[0-9]+/#/g if @kept;
    eval { die { code => $i } } if $i % 50 == 0;
}
print scalar(@kept), " ", scalar(keys %count), "\\n";
"""


@dataclasses.dataclass
class Program:
    """command(compared) is the command line of a run, of many for small `compared`."""
    name: str
    command: typing.Callable
    settings: dict = dataclasses.field(default_factory=dict)
    preload: list = dataclasses.field(default_factory=list)
    library_path: str = ""
    status: int = 0  # that it ends with


def sample(build, path):
    def command(compared):
        return [str(path), str(max(1, min(MOST_SAMPLE_SECONDS, compared // TICKS_PER_SECOND)))]
    return Program(path.name, command, preload=[str(build / "tests/scenarios/programs/libfast_pace.so")])


def case(build, name, frames=None):
    program = build / "tests/scenarios/programs/capture_cases"
    return Program(f"case {name}" + (f" at {frames} frames" if frames else ""),
                   lambda compared: [str(program), name, str(compared)],
                   {"SEEP_STACK_DEPTH": frames} if frames else {})


def own(build):
    """Every sample, and the cases of programs/capture_cases.cpp."""
    samples = sorted(path for path in (build / "samples").iterdir() if path.is_file() and path.suffix == "")
    if not samples:
        raise SystemExit(f"programs.py: no samples in {build}")
    return ([sample(build, path) for path in samples] + [case(build, name) for name in CASES] +
            [case(build, name, FEW_FRAMES) for name in SHALLOW_CASES] + python())


def python():
    """Objects of its own allocator, and with all of them from malloc."""
    def command(compared):
        return [*PYTHON, str(SCRIPTS / "pages.py"), str(max(1, compared // OBJECTS_A_PAGE))]
    return [Program("python3", command, {"PYTHONHASHSEED": "0"}),
            Program("python3 by malloc", command, {"PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc"})]


def file_of(packages, name, text):
    path = packages.work / name
    path.write_text(text)
    return str(path)


def packaged(packages):
    """Debian's programs, each with an input that makes it allocate about a million times or more."""
    json, xml = packages.work / "large.json", packages.work / "large.xml"
    real.write_json(json, 30_000)
    real.write_xml(xml, 60_000)
    extension = next((packages.root / "usr/lib/php").glob("*/ctype.so"))
    clang = pathlib.Path(shutil.which("clang-14") or packages.program("usr/lib/llvm-14/bin/clang")).resolve()
    jq = "group_by(.name) | map({name: .[0].name, n: length, sum: (map(.price) | add)}) | sort_by(.n, .name) | .[:50]"
    python = {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0", "PYTHONHOME": str(packages.root / "usr"),
              "PYTHONDONTWRITEBYTECODE": "1"}
    commands = [
        ("jq", ["usr/bin/jq", jq, str(json)], {}, 0),
        ("xmllint", ["usr/bin/xmllint", "--format", str(xml)], {}, 0),
        ("sqlite3", ["usr/bin/sqlite3", ":memory:", f".read {file_of(packages, 'script.sql', real.SQL)}"], {}, 1),
        ("python3.11", ["usr/bin/python3.11", "-S", "-s", file_of(packages, "script.py", real.PYTHON)], python, 3),
        ("php8.2", ["usr/bin/php8.2", "-n", "-d", f"extension={extension}", "-d", "memory_limit=-1",
                    file_of(packages, "script.php", real.PHP)], {"USE_ZEND_ALLOC": "0"}, 5),
        ("php8.2 objects", ["usr/bin/php8.2", "-n", "-d", f"extension={extension}", str(SCRIPTS / "pages.php"), PAGES],
         {}, 0),
    ]
    found = [Program(name, lambda _, line=[packages.program(command[0]), *command[1:]]: line, settings,
                     library_path=packages.library_path, status=status)
             for name, command, settings, status in commands]
    source = file_of(packages, "large.cpp", real.CXX)
    found.append(Program("clang", lambda _: [str(clang), "-fsyntax-only", "-x", "c++", source],
                         library_path=packages.library_path, status=1))
    if perl := shutil.which("perl"):
        script = file_of(packages, "script.pl", PERL)
        found.append(Program("perl", lambda _: [perl, script]))
    return found
