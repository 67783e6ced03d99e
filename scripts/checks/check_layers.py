#!/usr/bin/env python3
"""Who may include whom.

LAYERS is the architecture: a folder may include itself and the folders named beside it, nothing
else. A new folder under format/, preload/, analyzer/ or cli/ must be entered here. Folders outside
of these four (tests, samples, bench) are free.
"""

import re
import sys
from pathlib import Path

from source_tree import Finding, cxx_files, read_lines, report, root_parser

FORMAT = "format"
RUNTIME = "preload/runtime"
STACK = "preload/stack"
SCRIPT = "preload/script"
TABLE = "preload/table"
RECORDER = "preload/recorder"
SCAN = "preload/scan"
SNAPSHOT = "preload/snapshot"
INTERCEPT = "preload/intercept"
AGENT = "preload/agent"
MODEL = "analyzer/model"
READ = "analyzer/read"
DIFF = "analyzer/diff"
RANK = "analyzer/rank"
SYMBOLIZE = "analyzer/symbolize"
SUPPRESS = "analyzer/suppress"
REPORT = "analyzer/report"
EXPORT = "analyzer/export"
FOREIGN = "analyzer/foreign"
COMPARE = "analyzer/compare"

LAYERS = {
    FORMAT: set(),
    RUNTIME: {FORMAT},
    STACK: {FORMAT, RUNTIME},
    TABLE: {FORMAT, RUNTIME, STACK},
    SCRIPT: {FORMAT, RUNTIME, STACK, TABLE},
    RECORDER: {FORMAT, RUNTIME, STACK, SCRIPT, TABLE},
    SCAN: {FORMAT, RUNTIME, STACK, SCRIPT, TABLE},
    SNAPSHOT: {FORMAT, RUNTIME, STACK, TABLE, RECORDER, SCAN},
    INTERCEPT: {FORMAT, RUNTIME, SCRIPT, RECORDER},
    AGENT: {FORMAT, RUNTIME, STACK, SCRIPT, TABLE, RECORDER, SCAN, SNAPSHOT, INTERCEPT},
    MODEL: {FORMAT},
    READ: {FORMAT, MODEL},
    DIFF: {MODEL},
    RANK: {MODEL, DIFF},
    SYMBOLIZE: {MODEL},
    SUPPRESS: {MODEL},
    REPORT: {MODEL, DIFF, RANK, SYMBOLIZE, SUPPRESS},
    EXPORT: {MODEL, SYMBOLIZE, REPORT},
    FOREIGN: {MODEL},
    COMPARE: {MODEL, SYMBOLIZE, REPORT, FOREIGN},
    "cli": {FORMAT, MODEL, READ, DIFF, RANK, SYMBOLIZE, SUPPRESS, REPORT, EXPORT, FOREIGN, COMPARE},
}
GOVERNED = ("format/", "preload/", "analyzer/", "cli/")

# The contract is freestanding: these system headers and no others.
FORMAT_SYSTEM_HEADERS = {"array", "cstddef", "cstdint"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def layer_of(path: str) -> str | None:
    """The layer a file belongs to: the longest entry of LAYERS that is a folder above it."""
    above = [layer for layer in LAYERS if path.startswith(layer + "/")]
    return max(above, key=len) if above else None


def check_include(root: Path, path: str, line: int, target: str) -> Finding | None:
    layer, target_layer = layer_of(path), layer_of(target)
    if not (root / target).is_file():
        return Finding(path, line, f'"{target}": no such file from the root of the repository')
    if target_layer is None:
        return Finding(path, line, f"{layer} may not include {target}: it is in no layer")
    if target_layer != layer and target_layer not in LAYERS[layer]:
        allowed = ", ".join(sorted(LAYERS[layer])) or "nothing"
        return Finding(path, line, f"{layer} may not include {target} (it may include: {allowed})")
    return None


def check_system_include(path: str, line: int, header: str) -> Finding | None:
    if layer_of(path) == FORMAT and header not in FORMAT_SYSTEM_HEADERS:
        return Finding(path, line, f"format/ is freestanding and may not include <{header}>")
    return None


def check_file(root: Path, path: str) -> list[Finding]:
    if layer_of(path) is None:
        return [Finding(path, 1, "its folder is in no layer: enter it in LAYERS of check_layers.py")]
    findings = []
    for number, text in enumerate(read_lines(root, path), start=1):
        match = INCLUDE.match(text)
        if match is None:
            continue
        quoted, system = match.groups()
        finding = (check_include(root, path, number, quoted) if quoted is not None
                   else check_system_include(path, number, system))
        if finding is not None:
            findings.append(finding)
    return findings


def check(root: Path) -> list[Finding]:
    governed = [path for path in cxx_files(root) if path.startswith(GOVERNED)]
    return [finding for path in governed for finding in check_file(root, path)]


if __name__ == "__main__":
    sys.exit(report(check(root_parser(__doc__).parse_args().root)))
