"""PHP's own tests of its language, from Debian's source package, with Debian's interpreter."""
import os
import pathlib
import shutil

from place import Trouble
from suite import Suite

# A few of what meets the allocator, the stack of the script or its end in many ways.
QUICK = ["Zend/tests/closures", "Zend/tests/gc_*.phpt"]
# Every process records: thousands. The oldest recordings make room, so that what is left is verified in seconds.
SETTINGS = {"SEEP_DISK": "30M", "NO_INTERACTION": "1", "SKIP_ONLINE_TESTS": "1", "NO_COLOR": "1"}
LONGEST_S = 3600
# What a part "with jit" runs with.
JIT = ["-d", "opcache.enable_cli=1", "-d", "opcache.jit_buffer_size=16M", "-d", "opcache.jit=tracing"]


def copy(turn, pattern):
    """Folders and files of tests into the turn's folder, since they write beside themselves; their names there."""
    source, names = turn.place.source(), []
    for path in sorted(source.glob(pattern)):
        names.append(str(path.relative_to(source)))
        into = turn.folder / names[-1]
        into.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, into)
        else:
            shutil.copy(path, into)
    shutil.copy(source / "run-tests.php", turn.folder)
    return names


def settings(turn, part):
    if not part.endswith("with jit"):
        return []
    opcache = next((turn.place.root / "usr/lib/php").glob("*/opcache.so"))
    return ["-d", f"zend_extension={opcache}", *JIT]


def run(turn, part):
    """Each test's word in the list that run-tests.php writes: PASSED, FAILED, SKIPPED and the like."""
    names, words = copy(turn, part.split()[0]), turn.folder / "results"
    interpreter = turn.place.program("usr/bin/php8.2")
    turn.run([interpreter, "-n", "run-tests.php", "-p", interpreter, "-n", "-q", f"-j{os.cpu_count()}",
              "--set-timeout", "120", "-W", words, *settings(turn, part), *names],
             {**SETTINGS, "TEST_PHP_EXECUTABLE": interpreter}, seconds=LONGEST_S)
    if not words.exists():
        raise Trouble(f"run-tests.php wrote no results, see {turn.log}")
    results = {}
    for line in words.read_text(errors="replace").splitlines():
        word, _, name = line.partition("\t")
        results[str(pathlib.Path(name).relative_to(turn.folder))] = word
    return results


SUITES = [Suite("php", "PHP 8.2's tests of its language", run, ["Zend/tests", "Zend/tests with jit", "tests"], QUICK,
                ["php8.2-cli", "php8.2-common", "php8.2-opcache"], "php8.2")]
