#!/usr/bin/env python3
"""No file and no function so long that it cannot be read in one go."""

import ast
import sys
from pathlib import Path

from cxx_functions import find_functions
from source_tree import CXX_SUFFIXES, Finding, list_files, report, root_parser

FILE_LINES = 500
TEST_FILE_LINES = 600
FUNCTION_LINES = 60
HOOK_LINES = 12  # a hook: guard, real call, outcome, record

MEASURED_SUFFIXES = CXX_SUFFIXES | {".py", ".sh", ".cmake"}
HOOK_FOLDER = "preload/intercept/"
HOOK_MARKS = ("SEEP_EXPORT", "SEEP_HOOK", 'visibility("default")')


def file_limit(path: str) -> int:
    return TEST_FILE_LINES if path.startswith("tests/") else FILE_LINES


def function_limit(path: str, header: str) -> tuple[str, int]:
    if path.startswith(HOOK_FOLDER) and any(mark in header for mark in HOOK_MARKS):
        return "hook", HOOK_LINES
    return "function", FUNCTION_LINES


def check_cxx_functions(path: str, source: str) -> list[Finding]:
    findings = []
    for function in find_functions(source):
        kind, limit = function_limit(path, function.header)
        if function.lines > limit:
            name = " ".join(function.header.split())[:60]
            findings.append(Finding(path, function.first_line,
                                    f"{kind} of {function.lines} lines, {limit} at most: {name}"))
    return findings


def check_python_functions(path: str, source: str) -> list[Finding]:
    findings = []
    for node in ast.walk(ast.parse(source, filename=path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES:
                findings.append(Finding(path, node.lineno, f"function of {lines} lines, "
                                        f"{FUNCTION_LINES} at most: {node.name}"))
    return findings


def check_file(root: Path, path: str) -> list[Finding]:
    source = (root / path).read_text(encoding="utf-8", errors="replace")
    findings = []
    lines, limit = source.count("\n"), file_limit(path)
    if lines > limit:
        findings.append(Finding(path, 1, f"file of {lines} lines, {limit} at most"))
    suffix = Path(path).suffix
    if suffix in CXX_SUFFIXES - {".S", ".inc"}:
        findings += check_cxx_functions(path, source)
    elif suffix == ".py":
        findings += check_python_functions(path, source)
    return findings


def check(root: Path) -> list[Finding]:
    measured = [path for path in list_files(root) if Path(path).suffix in MEASURED_SUFFIXES]
    return [finding for path in measured for finding in check_file(root, path)]


if __name__ == "__main__":
    sys.exit(report(check(root_parser(__doc__).parse_args().root)))
