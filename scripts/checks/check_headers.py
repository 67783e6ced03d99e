#!/usr/bin/env python3
"""Every header opens with a comment that says what it is, and is included at most once.

Headers of preload/ also say where their functions may run: a line "Context:" with one or more of
CONTEXTS (preload/README.md explains them).
"""

import re
import sys
from pathlib import Path

from source_tree import Finding, cxx_files, read_lines, report, root_parser

CONTEXTS = {"IN-HOOK", "IN-AGENT", "IN-FORK-CHILD", "AT-INIT"}
CONTEXT_TAG = re.compile(r"\b(?:IN|AT)-[A-Z]+(?:-[A-Z]+)*")


def opening_comment(lines: list[str]) -> str:
    """The text of the comment that the file opens with, of C++ or (in a header for C) of C."""
    if lines and lines[0].startswith("/*"):
        end = next((i for i, line in enumerate(lines) if "*/" in line), 0)
        return " ".join(line.strip("/* ") for line in lines[:end + 1])
    comment = []
    for line in lines:
        if not line.startswith("//"):
            break
        comment.append(line[2:].strip())
    return " ".join(comment)


def check_context(path: str, comment: str) -> list[Finding]:
    if "Context:" not in comment:
        return [Finding(path, 1, 'the opening comment has no "Context:"')]
    tags = set(CONTEXT_TAG.findall(comment.split("Context:", 1)[1]))
    if not tags & CONTEXTS:
        return [Finding(path, 1, f"Context: names none of {', '.join(sorted(CONTEXTS))}")]
    return [Finding(path, 1, f"unknown context {tag}") for tag in sorted(tags - CONTEXTS)]


def check_file(path: str, lines: list[str]) -> list[Finding]:
    comment = opening_comment(lines)
    if not comment:
        return [Finding(path, 1, "the first line is not a comment that says what the file is")]
    if not path.endswith(".h"):
        return []
    findings = []
    if "#pragma once" not in lines:
        findings.append(Finding(path, 1, "no #pragma once"))
    if path.startswith("preload/"):
        findings += check_context(path, comment)
    return findings


def check(root: Path) -> list[Finding]:
    headers = [path for path in cxx_files(root) if Path(path).suffix in {".h", ".inc"}]
    return [finding for path in headers for finding in check_file(path, read_lines(root, path))]


if __name__ == "__main__":
    sys.exit(report(check(root_parser(__doc__).parse_args().root)))
