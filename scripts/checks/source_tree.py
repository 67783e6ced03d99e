"""What the checks share: the files of the project, and one way to report findings.

Every check prints `path:line: what is wrong` for each finding and exits 1 if there was one, so that
editors and CI can follow it to the place. Only the standard library is used.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CXX_SUFFIXES = {".h", ".cpp", ".c", ".inc", ".S"}
SKIPPED_FOLDERS = {".git", "build", "seep-out", "__pycache__"}


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def list_files(root: Path) -> list[str]:
    """Paths relative to `root`: what git tracks or would add, or all files where there is no git."""
    if (root / ".git").exists():
        command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
                   "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            names = listed.stdout.split("\0")
            return sorted({name for name in names if name and (root / name).is_file()})
    return sorted(_walk(root))


def _walk(root: Path):
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        for name in names:
            yield str((Path(folder) / name).relative_to(root))


def cxx_files(root: Path) -> list[str]:
    return [path for path in list_files(root) if Path(path).suffix in CXX_SUFFIXES]


def read_lines(root: Path, path: str) -> list[str]:
    return (root / path).read_text(encoding="utf-8", errors="replace").splitlines()


def root_parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2],
                        help="top folder of the source tree")
    return parser


def report(findings: list[Finding]) -> int:
    """Prints the findings; returns the exit status."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"{len(findings)} finding(s)", file=sys.stderr)
    return 1 if findings else 0
