"""Each rule is fed a small tree that breaks it and one that does not: a rule that cannot fail is
worth nothing. Run by CTest as rules.self_test; scripts/checks is on PYTHONPATH.
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import check_content
import check_docs
import check_format
import check_headers
import check_layers
import check_library
import check_sizes
import doc_tables
from cxx_functions import find_functions
from source_tree import list_files


class TreeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def assert_findings(self, findings, *expected: str) -> None:
        """The findings are as many as `expected`, and each contains its text."""
        self.assertEqual(len(findings), len(expected), [str(finding) for finding in findings])
        for finding, text in zip(findings, expected):
            self.assertIn(text, str(finding))


class Page(TreeTest):
    """scripts/build_page --check."""

    def check(self) -> int:
        script = Path(check_headers.__file__).parents[1] / "build_page"
        command = [sys.executable, "-B", str(script), "--check", "--root", str(self.root)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    def signed(self, page: str) -> str:
        script = Path(check_headers.__file__).parents[1] / "build_page"
        names = {"__name__": "build_page", "__file__": str(script)}
        exec(compile(script.read_text(encoding="utf-8"), str(script), "exec"), names)
        return names["signed"](self.root, page)

    def test_belongs_to_its_sources_and_to_no_others(self):
        for name in ["package.json", "package-lock.json", "src/main.js"]:
            self.write(f"analyzer/export/html/{name}", "{}")
        self.write("scripts/build_page", "")
        built = self.signed("<!doctype html>\n<html>\n</html>\n")
        self.write("analyzer/export/html/built/page.html", built)
        self.assertEqual(self.check(), 0)
        self.write("analyzer/export/html/built/page.html", built.replace("<html>", "<html lang=en>"))
        self.assertEqual(self.check(), 1, "an edit of what was built")
        self.write("analyzer/export/html/built/page.html", built)
        self.write("analyzer/export/html/src/main.js", "{ }")
        self.assertEqual(self.check(), 1, "another source")


class SourceTree(TreeTest):
    def test_leaves_build_folders_out(self):
        self.write("a.h", "")
        self.write("build/b.h", "")
        self.assertEqual(list_files(self.root), ["a.h"])

    def test_leaves_out_what_git_ignores_and_keeps_what_is_not_added_yet(self):
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        self.write("a.h", "")
        self.write("out/b.h", "")
        self.write(".gitignore", "/out/\n")
        self.assertEqual(list_files(self.root), [".gitignore", "a.h"])

    def test_a_check_exits_1_for_a_finding_and_0_without(self):
        def status() -> int:
            command = [sys.executable, "-B", check_headers.__file__, "--root", str(self.root)]
            return subprocess.run(command, capture_output=True, check=False).returncode
        self.write("cli/a.h", "// A thing.\n#pragma once\n")
        self.assertEqual(status(), 0)
        self.write("cli/a.h", "#pragma once\n")
        self.assertEqual(status(), 1)


class Layers(TreeTest):
    def setUp(self):
        super().setUp()
        self.write("format/a.h", "#include <cstdint>\n")
        self.write("analyzer/model/m.h", '#include "format/a.h"\n')
        self.write("analyzer/read/r.h", '#include "analyzer/model/m.h"\n#include <vector>\n')
        self.write("preload/table/t.h", '#include "preload/table/t.inc"\n')
        self.write("preload/table/t.inc", "")

    def test_accepts_what_the_table_allows(self):
        self.assert_findings(check_layers.check(self.root))

    def test_refuses_an_include_against_the_direction(self):
        self.write("analyzer/model/bad.cpp", '\n#include "analyzer/read/r.h"\n')
        self.assert_findings(check_layers.check(self.root),
                             "analyzer/model/bad.cpp:2: analyzer/model may not include")

    def test_refuses_preload_in_the_analyzer_and_the_reverse(self):
        self.write("analyzer/read/bad.cpp", '#include "preload/table/t.h"\n')
        self.write("preload/table/bad.cpp", '#  include "analyzer/model/m.h"\n')
        self.assert_findings(check_layers.check(self.root), "analyzer/read/bad.cpp:1",
                             "preload/table/bad.cpp:1")

    def test_refuses_an_include_that_does_not_start_at_the_root(self):
        self.write("analyzer/read/bad.cpp", '#include "r.h"\n')
        self.assert_findings(check_layers.check(self.root), "no such file from the root")

    def test_refuses_tests_in_the_product(self):
        self.write("tests/support/s.h", "")
        self.write("cli/bad.cpp", '#include "tests/support/s.h"\n')
        self.assert_findings(check_layers.check(self.root), "it is in no layer")

    def test_refuses_a_folder_outside_of_the_table(self):
        self.write("analyzer/util/u.cpp", "")
        self.assert_findings(check_layers.check(self.root), "its folder is in no layer")

    def test_refuses_system_headers_in_the_contract(self):
        self.write("format/bad.h", "#include <string>\n")
        self.assert_findings(check_layers.check(self.root), "freestanding")

    def test_the_table_itself_has_no_cycle_and_never_crosses_the_two_sides(self):
        def reachable(layer, seen):
            for target in check_layers.LAYERS[layer] - seen:
                seen |= {target} | reachable(target, seen | {target})
            return seen
        for layer in check_layers.LAYERS:
            below = reachable(layer, set())
            self.assertNotIn(layer, below)
            if layer.startswith("preload/"):
                self.assertFalse([other for other in below if other.startswith("analyzer/")])
            else:
                self.assertFalse([other for other in below if other.startswith("preload/")])


class Functions(unittest.TestCase):
    def headers(self, source: str) -> list[str]:
        return [function.header for function in find_functions(source)]

    def test_finds_functions_in_scopes_and_measures_them(self):
        source = ("namespace a {\nclass B {\n  int c() {\n    if (d) {\n      e();\n    }\n"
                  "    return 1;\n  }\n};\n}\n")
        self.assertEqual([(f.header, f.first_line, f.lines) for f in find_functions(source)],
                         [("int c()", 3, 6)])

    def test_skips_initializers_and_macros(self):
        source = ("#define M(x) \\\n  int x() { \\\n  }\nconst int kTable[] = {1, 2};\n"
                  "constexpr Pair kPair{1, 2};\nenum class E : int { kA };\n")
        self.assertEqual(self.headers(source), [])

    def test_is_not_misled_by_braces_in_text(self):
        source = "int f() {\n  // {\n  g('{', \"}\", R\"({{)\", 1'000);\n  return 1;\n}\nint h() {\n}\n"
        self.assertEqual([f.lines for f in find_functions(source)], [5, 2])

    def test_sees_the_body_behind_member_initializers(self):
        source = "A::A() : a_{1}, b_(2) {\n  f();\n}\nint g(int a = 1) {\n}\n"
        self.assertEqual([f.lines for f in find_functions(source)], [3, 2])

    def test_knows_operators_and_c_linkage(self):
        source = ('extern "C" {\nvoid f() {\n}\n}\nextern "C" void g() {\n}\n'
                  "bool A::operator==(const A& b) const {\n}\n")
        self.assertEqual(len(self.headers(source)), 3)


class Sizes(TreeTest):
    def test_accepts_what_is_within_the_limits(self):
        self.write("cli/a.cpp", "void f() {\n" + "  g();\n" * 58 + "}\n")
        self.write("scripts/a.py", "def f():\n" + "    g()\n" * 59)
        self.assert_findings(check_sizes.check(self.root))

    def test_refuses_a_long_function(self):
        self.write("cli/a.cpp", "\nvoid f() {\n" + "  g();\n" * 59 + "}\n")
        self.assert_findings(check_sizes.check(self.root), "cli/a.cpp:2: function of 61 lines")

    def test_refuses_a_long_function_in_python(self):
        self.write("scripts/a.py", "def f():\n" + "    g()\n" * 60)
        self.assert_findings(check_sizes.check(self.root), "function of 61 lines")

    def test_refuses_a_long_file_and_gives_tests_more_room(self):
        self.write("cli/a.cpp", "int a;\n" * 501)
        self.write("tests/a.cpp", "int a;\n" * 600)
        self.assert_findings(check_sizes.check(self.root), "cli/a.cpp:1: file of 501 lines")

    def test_refuses_a_long_hook_only_in_intercept(self):
        hook = "SEEP_EXPORT void* malloc(size_t size) {\n" + "  g();\n" * 12 + "}\n"
        self.write("preload/intercept/heap.cpp", hook)
        self.write("preload/agent/agent.cpp", hook)
        self.assert_findings(check_sizes.check(self.root), "hook of 14 lines, 12 at most")


class Headers(TreeTest):
    def test_accepts_a_header_that_says_what_it_is(self):
        self.write("preload/a/a.h", "// A thing.\n// Context: IN-HOOK, AT-INIT.\n#pragma once\n")
        self.write("cli/a.h", "// A thing.\n#pragma once\n")
        self.write("format/a.inc", "// A table.\n")
        self.assert_findings(check_headers.check(self.root))

    def test_refuses_a_header_without_comment_guard_or_context(self):
        self.write("cli/a.h", "#pragma once\n")
        self.write("cli/b.h", "// A thing.\n")
        self.write("preload/a/c.h", "// A thing.\n#pragma once\n// Context: IN-HOOK\n")
        self.assert_findings(check_headers.check(self.root), "cli/a.h:1: the first line",
                             "cli/b.h:1: no #pragma once", 'preload/a/c.h:1: the opening comment')

    def test_refuses_a_context_that_does_not_exist(self):
        self.write("preload/a/a.h", "// A thing. Context: IN-HOOK, IN-DREAM.\n#pragma once\n")
        self.write("preload/a/b.h", "// A thing. Context: anywhere.\n#pragma once\n")
        self.assert_findings(check_headers.check(self.root), "unknown context IN-DREAM",
                             "names none of")


class Content(TreeTest):
    def test_accepts_paths_of_the_target_and_of_users(self):
        self.write("a.md", "/proc/PID/root/x /tmp/seep-1000/ ./work/x {pid}/root/a ~/home\n")
        self.assert_findings(check_content.check(self.root))

    def test_leaves_binary_files_alone(self):
        self.write("a.bin", "\0 /wo" "rk/main\n")
        self.assert_findings(check_content.check(self.root))

    def test_refuses_each_forbidden_pattern(self):
        for text in ("/wo" "rk/main", "/ho" "me/ann/x", "http://deb.de" "bian.org/pool",
                     "gh" "p_" + "a" * 36, "// TO" "DO: later", "@DE" "MO@"):
            with self.subTest(text):
                self.write("a.txt", "first\n" + text + "\n")
                self.assert_findings(check_content.check(self.root), "a.txt:2: ")


class Format(TreeTest):
    def setUp(self):
        super().setUp()
        self.program = check_format.find_clang_format()
        self.assertIsNotNone(self.program, "clang-format is not installed")
        self.write(".clang-format", "BasedOnStyle: Google\n")

    def test_accepts_formatted_code(self):
        self.write("cli/a.cpp", "int a;\n")
        self.assert_findings(check_format.check(self.root, self.program, fix=False))

    def test_refuses_what_it_can_then_fix(self):
        self.write("cli/a.cpp", "int a;\nint   b;\n")
        self.assert_findings(check_format.check(self.root, self.program, fix=False), "cli/a.cpp:2")
        self.assert_findings(check_format.check(self.root, self.program, fix=True))
        self.assertEqual((self.root / "cli/a.cpp").read_text(), "int a;\nint b;\n")


class Library(TreeTest):
    NM = ("                 U memcpy@GLIBC_2.14\n                 w __gmon_start__\n"
          "                 U dlsym@GLIBC_2.34\n")

    def test_reads_symbols_and_versions(self):
        self.assertEqual(check_library.parse_symbols(self.NM), {
            "memcpy": "GLIBC_2.14", "__gmon_start__": "", "dlsym": "GLIBC_2.34"})
        self.assertEqual(check_library.parse_symbols("0000000000001130 T malloc\n"
                                                     "0000000000000000 A SEEP_1\n"), {"malloc": ""})

    def test_accepts_listed_imports(self):
        self.assert_findings(check_library.check_imports(
            {"memcpy": "GLIBC_2.14"}, "# why\n\nmemcpy\tthe compiler\nmemset?\tsome builds\n"))

    def test_refuses_imports_that_are_unlisted_too_new_stale_or_without_reason(self):
        self.assert_findings(check_library.check_imports({"printf": "GLIBC_2.2.5"}, ""),
                             "libseep.so imports printf: not listed")
        self.assert_findings(check_library.check_imports({"dlsym": "GLIBC_2.34"}, "dlsym\tx\n"),
                             "newer than GLIBC_2.28")
        self.assert_findings(check_library.check_imports({}, "\nmemcpy\tx\n"),
                             "allowed_imports.txt:2: memcpy: nothing imports it")
        self.assert_findings(check_library.check_imports({"memcpy": ""}, "memcpy\n"), "no reason")

    def test_refuses_other_libraries_and_text_relocations(self):
        needed = " 0x1 (NEEDED)  Shared library: [libc.so.6]\n"
        self.assert_findings(check_library.check_needed(needed))
        self.assert_findings(check_library.check_needed(
            needed.replace("libc.so.6", "libstdc++.so.6") + " 0x16 (TEXTREL) 0x0\n"),
            "needs libstdc++.so.6", "TEXTREL")

    def test_refuses_an_executable_stack(self):
        line = "  GNU_STACK      0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 {} 0x10\n"
        self.assert_findings(check_library.check_stack(line.format("RW ")))
        self.assert_findings(check_library.check_stack(line.format("RWE")), "executable stack")
        self.assert_findings(check_library.check_stack(""), "executable stack")

    def test_reads_the_export_list(self):
        self.assertEqual(check_library.parse_exports(
            "/* x */ {\n  global:\n    malloc;\n    seep_*;  # ours\n  local:\n    *;\n};\n"),
            ["malloc", "seep_*"])

    def test_refuses_exports_that_are_unlisted_or_missing(self):
        self.assert_findings(check_library.check_exports({"malloc", "seep_mark"},
                                                         ["malloc", "seep_*"]))
        self.assert_findings(check_library.check_exports({"malloc", "helper"}, ["malloc", "free"]),
                             "exports helper: not listed", "free: libseep.so defines no")


class Docs(TreeTest):
    def setUp(self):
        super().setUp()
        self.write("docs/README.md", "# Docs\n[a](a.md) [out](https://example.org)\n")
        self.write("docs/a.md", "# A page, here\n`[no](link.md)` [up](#a-page-here)\n"
                                "```\n[no](link.md)\n```\n")

    def test_accepts_links_that_lead_somewhere(self):
        self.assert_findings(check_docs.check_links(self.root) + check_docs.check_index(self.root))

    def test_refuses_broken_links_and_pages_missing_from_the_index(self):
        self.write("docs/b.md", "[x](gone.md)\n[y](a.md#nowhere)\n")
        self.assert_findings(check_docs.check_links(self.root), "docs/b.md:1: gone.md",
                             "docs/b.md:2: a.md#nowhere: no such heading")
        self.assert_findings(check_docs.check_index(self.root), "docs/b.md is not in the index")

    def test_refuses_a_man_page_without_a_verb(self):
        text = "seep\nUsage: seep\n\nSubcommands:\n  run        starts\n  report     ranks\n"
        self.write("docs/man/seep.1", ".B run\n")
        self.assert_findings(check_docs.check_man_page(self.root, text), "`seep report`")
        self.assert_findings(check_docs.check_man_page(self.root, "nothing"), "names no verb")

    def test_refuses_commands_with_verbs_or_options_that_there_are_not(self):
        self.write("docs/a.md", "seep run --no\n```sh\n$ seep run --check --dir=x -- prog --own  # seep run --no\n"
                                "cd x && build/bin/seep report --lmit 3 | seep -\nLD_PRELOAD=seep prog\n```\n"
                                "```\nseep look --at it\nseep: report --none\n```\n")
        helps = {"run": "  --check  fails\n  --dir TEXT\n", "report": "  --limit SIZE\n"}
        self.assert_findings(check_docs.check_commands(self.root, helps), "docs/a.md:4: `seep report` has no --lmit",
                             "docs/a.md:8: seep has no verb look")


class DocTables(TreeTest):
    SETTINGS = ('// head\nSEEP_SETTING(KEEP, count, "64", true, "a number",\n'
                '             "most snapshots " "kept")\n')

    def setUp(self):
        super().setUp()
        self.write("format/settings.inc", self.SETTINGS)
        self.write("docs/settings.md", "a\n<!-- begin settings -->\nold\n<!-- end settings -->\nb\n")

    def test_refuses_a_table_that_differs_and_rewrites_it(self):
        self.assert_findings(doc_tables.check_table(self.root, "settings", write=False),
                             "docs/settings.md:2: differs")
        self.assert_findings(doc_tables.check_table(self.root, "settings", write=True))
        self.assert_findings(doc_tables.check_table(self.root, "settings", write=False))
        self.assertIn("| `SEEP_KEEP` | `64` | a number | most snapshots kept | yes |\n",
                      (self.root / "docs/settings.md").read_text())

    def test_refuses_a_page_without_a_place_for_the_table(self):
        self.write("docs/settings.md", "nothing\n")
        self.assert_findings(doc_tables.check_table(self.root, "settings", write=True), "no <!--")

    def test_refuses_a_line_that_it_does_not_understand(self):
        self.write("format/settings.inc", self.SETTINGS + "SEEP_SETTING(ODD, count)\n")
        with self.assertRaises(ValueError):
            doc_tables.check_table(self.root, "settings", write=False)


if __name__ == "__main__":
    unittest.main()
