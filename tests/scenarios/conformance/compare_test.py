#!/usr/bin/env python3
"""What scripts/conformance.py calls a difference, and that it finds one in what a program prints."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "scripts" / "conformance"))
from suite import compare  # noqa: E402

ALONE = {"a": "passed", "b": "passed"}

# A preload that records nothing and says a word in every process.
HARMFUL = """#include <unistd.h>
__attribute__((constructor)) static void say(void) { if (write(2, "word\\n", 5) < 0) _exit(9); }
"""


class Compare(unittest.TestCase):
    def compared(self, tracked, alone_again=None, tracked_again=None):
        found = compare(ALONE, tracked, lambda: (alone_again or ALONE, tracked_again or tracked))
        return sorted(found.stands), sorted(found.unsteady)

    def test_equal_results_run_once(self):
        found = compare(ALONE, dict(ALONE), lambda: self.fail("ran again"))
        self.assertEqual((found.stands, found.unsteady), ({}, {}))

    def test_a_difference_that_stands_twice_counts(self):
        self.assertEqual(self.compared({"a": "failure", "b": "passed"}), (["a"], []))

    def test_a_test_that_failed_in_two_ways_counts(self):
        self.assertEqual(self.compared({"a": "failure", "b": "passed"}, tracked_again={"a": "error", "b": "passed"}),
                         (["a"], []))

    def test_a_test_that_did_not_run_counts(self):
        self.assertEqual(self.compared({"a": "passed"}), (["b"], []))

    def test_a_test_that_ran_under_seep_only_counts(self):
        self.assertEqual(self.compared({**ALONE, "c": "passed"}), (["c"], []))

    def test_a_difference_that_was_seen_once_is_named(self):
        self.assertEqual(self.compared({"a": "failure", "b": "passed"}, tracked_again=ALONE), ([], ["a"]))

    def test_a_test_that_is_unsteady_alone_is_named(self):
        self.assertEqual(self.compared({"a": "failure", "b": "passed"}, {"a": "failure", "b": "passed"}), ([], ["a"]))


class WholeScript(unittest.TestCase):
    def run_with(self, build, *options):
        return subprocess.run([sys.executable, str(SOURCE / "scripts" / "conformance.py"), "--build-dir", str(build),
                               "--logs", str(build / "logs"), *options], text=True, capture_output=True, check=False)

    def test_a_preload_that_prints_is_found_out(self):
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder)
            (build / "bin").mkdir()
            (build / "lib").mkdir()
            (build / "bin" / "seep").symlink_to(os.environ["SEEP_COMMAND"])
            (build / "harmful.c").write_text(HARMFUL)
            subprocess.run(["cc", "-shared", "-fPIC", "-o", str(build / "lib" / "libseep.so"),
                            str(build / "harmful.c")], check=True)
            done = self.run_with(build, "--quick", "--only", "git")
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertIn("git: DIFFERS: short: 001 git init", done.stderr)
            self.assertIn("no snapshot was taken", done.stderr)

    def test_nothing_to_run_is_no_success(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_with(pathlib.Path(folder), "--quick", "--only", "git")
            self.assertEqual(done.returncode, 77, done.stdout + done.stderr)
            self.assertIn("LEFT OUT", done.stderr)


if __name__ == "__main__":
    unittest.main()
