#!/usr/bin/env python3
"""What no file of the project may contain: places of one machine, registry hosts, secrets, and
marks of unfinished work. The patterns are written so that this file does not match itself.
"""

import re
import sys
from pathlib import Path

from source_tree import Finding, list_files, report, root_parser

FORBIDDEN = {
    "a path of one machine": re.compile(
        r"(?<![\w.}])/(?:w[o]rk|f[a]rm|r[o]ot|U[s]ers)/[\w.]|(?<![\w.}])/h[o]me/\w+/"
        r"|/tmp/s[e]ep/|bash_j[o]bs"),
    "the host of a package registry": re.compile(
        r"\b(?:deb|ftp|security|snapshot)\.d[e]bian\.org|archive\.ub[u]ntu\.com|\bp[y]pi\.org"
        r"|registry\.np[m]js\.org|proxy\.g[o]lang\.org|static\.crates\.[i]o"),
    "a secret": re.compile(
        r"-----BEGIN [A-Z ]*PRIV[A]TE KEY|\bgh[pousr]_\w{30}|\bA[K]IA[0-9A-Z]{16}"),
    "a mark of unfinished work": re.compile(r"\b(?:TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b|^@[A-Z]+@$"),
}


def check_file(root: Path, path: str) -> list[Finding]:
    content = (root / path).read_bytes()
    if b"\0" in content:
        return []
    findings = []
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        for what, pattern in FORBIDDEN.items():
            match = pattern.search(line)
            if match is not None:
                findings.append(Finding(path, number, f"{what}: {match.group()}"))
    return findings


def check(root: Path) -> list[Finding]:
    return [finding for path in list_files(root) for finding in check_file(root, path)]


if __name__ == "__main__":
    sys.exit(report(check(root_parser(__doc__).parse_args().root)))
