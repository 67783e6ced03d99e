#!/usr/bin/env python3
"""All C and C++ sources are as clang-format 14 with the .clang-format of the root writes them.

--fix rewrites them. Another major version of clang-format formats differently and is refused.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from source_tree import Finding, cxx_files, report, root_parser

VERSION = 14
FORMATTED_SUFFIXES = {".h", ".cpp", ".c"}


def find_clang_format() -> str | None:
    for name in (f"clang-format-{VERSION}", "clang-format"):
        program = shutil.which(name)
        if program is None:
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        if re.search(rf"version {VERSION}\.", said.stdout):
            return program
    return None


def parse_findings(root: Path, stderr: str) -> list[Finding]:
    """One finding a file: the first place that clang-format names."""
    first = {}
    for path, line in re.findall(r"^(.+?):(\d+):\d+: (?:error|warning): ", stderr, re.MULTILINE):
        relative = str(Path(path).resolve().relative_to(root.resolve()))
        first.setdefault(relative, Finding(relative, int(line), "not as clang-format writes it: "
                                           "scripts/checks/check_format.py --fix"))
    return list(first.values())


def check(root: Path, program: str, fix: bool) -> list[Finding]:
    files = [str(root / path) for path in cxx_files(root)
             if Path(path).suffix in FORMATTED_SUFFIXES]
    if not files:
        return []
    mode = ["-i"] if fix else ["--dry-run", "-Werror"]
    result = subprocess.run([program, *mode, *files], capture_output=True, text=True, check=False)
    findings = parse_findings(root, result.stderr)
    if result.returncode != 0 and not findings:
        findings.append(Finding(".clang-format", 1, result.stderr.strip()))
    return findings


def main() -> int:
    parser = root_parser(__doc__)
    parser.add_argument("--fix", action="store_true", help="rewrite the files")
    options = parser.parse_args()
    program = find_clang_format()
    if program is None:
        print(f"check_format: clang-format {VERSION} is not installed (package "
              f"clang-format-{VERSION})", file=sys.stderr)
        return 1
    return report(check(options.root, program, options.fix))


if __name__ == "__main__":
    sys.exit(main())
