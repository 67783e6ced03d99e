"""CPython's own tests, from libpython3.11-testsuite, with Debian's interpreter."""
import re
import xml.etree.ElementTree

from suite import Suite

MODULES = ["test_gc", "test_ctypes", "test_faulthandler", "test_threading", "test_signal", "test_io",
           "test_socket", "test_subprocess", "test_asyncio", "test_multiprocessing_fork",
           "test_multiprocessing_spawn"]
# On a virtual machine whose own vsock number reaches another end, it waits for ever, without seep too.
LEFT_OUT = ["-i", "*ThreadedVSOCK*"]
# Each child imports thousands of lines: snapshots of 10 to 200 MB, ten a second, would be most of its work.
SETTINGS = {"test_multiprocessing_spawn": {"SEEP_INTERVAL": "1s"}}
QUICK = ["test_gc", "test_ctypes", "test_threading"]
FAILED = re.compile(r"^(FAIL|ERROR): (?:\S+ \(([\w.]+)\)|(\S+))", re.MULTILINE)


def from_xml(path):
    """What CPython's --junit-xml says of each test method."""
    results = {}
    if not path.exists():
        return results
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = case.get("name")
        if not name:
            continue  # a test with a failing subtest: the log names it
        kinds = [kind for kind in ("error", "failure", "skipped") if case.find(kind) is not None]
        results[name] = kinds[0] if kinds else "passed"
    return results


# The interpreter keeps what it compiled beside the sources, as where it is installed: in the tests that spawn,
# every child would compile thousands of lines again.
def run(turn, module):
    xml_file = turn.folder / "results.xml"
    python = turn.place.program("usr/bin/python3.11")
    done = turn.run([python, "-m", "test", "-v", "--junit-xml", xml_file, *LEFT_OUT, module],
                    {"PYTHONDONTWRITEBYTECODE": "", "PYTHONHASHSEED": "0", **SETTINGS.get(module, {})})
    results = from_xml(xml_file)
    for kind, method, other in FAILED.findall(done.out + done.err):
        results[method or other] = {"FAIL": "failure", "ERROR": "error"}[kind]
    results[f"{module} as a whole"] = f"ended with {done.status}"
    return results


SUITES = [Suite("cpython", "CPython 3.11's own tests", run, MODULES, QUICK,
                ["python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib", "libpython3.11-testsuite"])]
