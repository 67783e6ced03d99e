"""Perl's own tests, from Debian's source package, with Debian's interpreter."""
import re
import shutil

from place import Trouble
from suite import Suite

FOLDERS = ["base", "cmd", "comp", "io", "mro", "op", "re", "uni"]
QUICK = ["base", "cmd", "mro"]
# Each file is a process, and most live for a moment.
SETTINGS = {"SEEP_DISK": "100M"}
LONGEST_S = 300


def modules_of(place):
    """The folders of the interpreter's modules, which it would look for where it is not installed."""
    version = next((place.root / "usr/share/perl").iterdir()).name
    return [place.root / "usr/share/perl" / version, *sorted((place.root / "usr/lib").glob(f"*/perl/{version}")),
            *sorted((place.root / "usr/lib").glob("*/perl-base"))]


def prepare(turn):
    """The tests and, beside them as they expect it, the modules; the tests' folder."""
    source = turn.place.source()
    shutil.copytree(source / "t", turn.folder / "t", symlinks=True)
    for folder in modules_of(turn.place):
        shutil.copytree(folder, turn.folder / "lib", symlinks=False, dirs_exist_ok=True)
    (turn.folder / "t" / "perl").symlink_to(turn.place.program("usr/bin/perl"))
    return turn.folder / "t"


def run(turn, part):
    """Of each file: how it ended, and its lines of TAP without the times and addresses in their texts."""
    tests, results = prepare(turn), {}
    for file in sorted(tests.glob(f"{part}/*.t")):
        name = str(file.relative_to(tests))
        done = turn.run(["./perl", "-I../lib", name], SETTINGS, folder=tests, seconds=LONGEST_S)
        lines = [re.sub(r" - .*", "", line) for line in done.out.splitlines() if re.match(r"(not )?ok\b|1\.\.\d", line)]
        results[name] = f"{done.status}, {sum(line.startswith('ok') for line in lines)} ok"
        results.update({f"{name}: {line[4:]}": "not ok" for line in lines if line.startswith("not ok")})
    if not results:
        raise Trouble(f"no tests in {tests}/{part}")
    return results


SUITES = [Suite("perl", "Perl's tests of its language", run, FOLDERS, QUICK,
                ["perl", "perl-base", "perl-modules-5.36", "libperl5.36"], "perl")]
