#!/usr/bin/env python3
"""Holds libseep.so to what a preload may ask of the program it is loaded into.

imports  every undefined symbol stands in preload/allowed_imports.txt, none needs a glibc newer than
         GLIBC_MAX, only NEEDED_ALLOWED are loaded, the stack stays non-executable
exports  the defined symbols are exactly those of preload/exports.map

A line of allowed_imports.txt is `symbol<TAB>reason`; empty lines and lines that begin with # are
skipped. An entry that nothing imports is a finding, unless the symbol is followed by `?`: the
compiler emits it in some builds only.
"""

import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

from source_tree import Finding, report, root_parser

GLIBC_MAX = (2, 28)
NEEDED_ALLOWED = {"libc.so.6", "ld-linux-x86-64.so.2"}
IMPORTS_FILE = "preload/allowed_imports.txt"
EXPORTS_FILE = "preload/exports.map"

SYMBOL_LINE = re.compile(r"^[0-9a-f]*\s+(\w)\s+([^@\s]+)(?:@+(\S+))?$")
VERSION = re.compile(r"GLIBC_(\d+)\.(\d+)")


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def parse_symbols(nm_output: str) -> dict[str, str]:
    """Symbol to version ("" when it has none); version definitions themselves are left out."""
    symbols = {}
    for line in nm_output.splitlines():
        match = SYMBOL_LINE.match(line)
        if match and match.group(1) != "A":
            symbols[match.group(2)] = match.group(3) or ""
    return symbols


def dynamic_symbols(library: Path, which: str) -> dict[str, str]:
    return parse_symbols(run("nm", "-D", "--with-symbol-versions", which, str(library)))


def parse_allowed_imports(text: str) -> tuple[dict[str, tuple[int, bool]], list[Finding]]:
    """Symbol to (line, optional), and what is wrong with the file itself."""
    allowed, findings = {}, []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        symbol, _, reason = line.partition("\t")
        if not reason.strip():
            findings.append(Finding(IMPORTS_FILE, number, f"{symbol}: no reason after a tab"))
        allowed[symbol.rstrip("?")] = (number, symbol.endswith("?"))
    return allowed, findings


def check_imports(imported: dict[str, str], allowed_text: str) -> list[Finding]:
    allowed, findings = parse_allowed_imports(allowed_text)
    for symbol, version in sorted(imported.items()):
        if symbol not in allowed:
            findings.append(Finding(IMPORTS_FILE, 1, f"libseep.so imports {symbol}: not listed"))
        match = VERSION.fullmatch(version)
        if match and tuple(map(int, match.groups())) > GLIBC_MAX:
            findings.append(Finding(IMPORTS_FILE, 1, f"{symbol}@{version}: newer than "
                                    f"GLIBC_{GLIBC_MAX[0]}.{GLIBC_MAX[1]}"))
    for symbol, (number, optional) in allowed.items():
        if symbol not in imported and not optional:
            findings.append(Finding(IMPORTS_FILE, number, f"{symbol}: nothing imports it any more"))
    return findings


def check_needed(dynamic_section: str) -> list[Finding]:
    needed = re.findall(r"\(NEEDED\).*\[(.+?)\]", dynamic_section)
    findings = [Finding("libseep.so", 1, f"needs {name} at run time")
                for name in needed if name not in NEEDED_ALLOWED]
    if "(TEXTREL)" in dynamic_section:
        findings.append(Finding("libseep.so", 1, "has relocations in its code (TEXTREL)"))
    return findings


def check_stack(program_headers: str) -> list[Finding]:
    match = re.search(r"GNU_STACK(?:\s+0x[0-9a-f]+){5}\s+([RWE ]+?)\s+0x", program_headers)
    if match is None or "E" in match.group(1):
        return [Finding("libseep.so", 1, "asks for an executable stack (PT_GNU_STACK): an assembly "
                        "file without .note.GNU-stack")]
    return []


def parse_exports(text: str) -> list[str]:
    """The names and patterns of the `global:` list of a version script."""
    text = re.sub(r"/\*.*?\*/|#[^\n]*", " ", text, flags=re.DOTALL)
    match = re.search(r"global:(.*?)(?:local:|\})", text, re.DOTALL)
    return re.findall(r"[^\s;]+", match.group(1)) if match else []


def check_exports(defined: set[str], patterns: list[str]) -> list[Finding]:
    findings = [Finding(EXPORTS_FILE, 1, f"libseep.so exports {symbol}: not listed")
                for symbol in sorted(defined)
                if not any(fnmatchcase(symbol, pattern) for pattern in patterns)]
    findings += [Finding(EXPORTS_FILE, 1, f"{pattern}: libseep.so defines no such symbol")
                 for pattern in patterns
                 if not any(fnmatchcase(symbol, pattern) for symbol in defined)]
    return findings


def main() -> int:
    parser = root_parser(__doc__)
    parser.add_argument("what", choices=["imports", "exports"])
    parser.add_argument("library", type=Path)
    options = parser.parse_args()
    if options.what == "exports":
        defined = set(dynamic_symbols(options.library, "--defined-only"))
        return report(check_exports(defined, parse_exports(
            (options.root / EXPORTS_FILE).read_text(encoding="utf-8"))))
    imported = dynamic_symbols(options.library, "--undefined-only")
    return report(check_imports(imported, (options.root / IMPORTS_FILE).read_text(encoding="utf-8"))
                  + check_needed(run("readelf", "-dW", str(options.library)))
                  + check_stack(run("readelf", "-lW", str(options.library))))


if __name__ == "__main__":
    sys.exit(main())
