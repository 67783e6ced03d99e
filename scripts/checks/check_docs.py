#!/usr/bin/env python3
"""The documentation holds together: every link leads somewhere, the index names every page; and with --seep
PROGRAM the man page names every verb of `seep --help`, and each command in a code block has a verb and options
that there are.
"""

import re
import subprocess
import sys
from pathlib import Path

from source_tree import Finding, list_files, read_lines, report, root_parser

INDEX = "docs/README.md"
MAN_PAGE = "docs/man/seep.1"
LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
CODE_SPAN = re.compile(r"`[^`]*`")


def prose(lines: list[str]) -> list[str]:
    """The lines with code blocks and code spans blanked: what they hold is no link or heading."""
    shown, fenced = [], False
    for line in lines:
        if line.lstrip().startswith("```"):
            fenced = not fenced
            shown.append("")
        else:
            shown.append("" if fenced else CODE_SPAN.sub("", line))
    return shown


def anchors(lines: list[str]) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    found = set()
    for line in lines:
        if line.startswith("#"):
            text = line.lstrip("#").strip().lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


def check_link(root: Path, page: str, line: int, target: str) -> Finding | None:
    if re.match(r"[a-z]+:", target):
        return None
    path, _, anchor = target.partition("#")
    file = (root / page).parent / path if path else root / page
    if not file.exists():
        return Finding(page, line, f"{target}: no such file")
    if anchor and anchor not in anchors(file.read_text(encoding="utf-8").splitlines()):
        return Finding(page, line, f"{target}: no such heading")
    return None


def check_links(root: Path) -> list[Finding]:
    findings = []
    for page in list_files(root):
        if page.endswith(".md"):
            for number, text in enumerate(prose(read_lines(root, page)), start=1):
                found = [check_link(root, page, number, target) for target in LINK.findall(text)]
                findings += [finding for finding in found if finding is not None]
    return findings


def check_index(root: Path) -> list[Finding]:
    index = (root / INDEX).read_text(encoding="utf-8")
    pages = [path for path in list_files(root)
             if path.startswith("docs/") and path.endswith((".md", ".1")) and path != INDEX]
    return [Finding(INDEX, 1, f"{page} is not in the index") for page in pages
            if f"({page.removeprefix('docs/')})" not in index]


def verbs_of(help_text: str) -> list[str]:
    """The verbs under the "Subcommands:" heading of a CLI11 help text."""
    _, _, section = help_text.partition("ubcommands:")
    return re.findall(r"^  ([a-z]\w*)\b", section, re.MULTILINE)


def check_man_page(root: Path, help_text: str) -> list[Finding]:
    verbs = verbs_of(help_text)
    if not verbs:
        return [Finding(MAN_PAGE, 1, "seep --help names no verb")]
    page = (root / MAN_PAGE).read_text(encoding="utf-8")
    return [Finding(MAN_PAGE, 1, f"does not describe `seep {verb}`") for verb in verbs
            if not re.search(rf"\b{verb}\b", page)]


def commands_in(lines: list[str]) -> list[tuple[int, list[str]]]:
    """(line, words) of each `seep …` in a code block: up to a pipe, a comment, or the program that is run."""
    found, fenced = [], False
    for number, line in enumerate(lines, start=1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            for match in re.finditer(r"(?:^|[ ;&|(/])seep ([^|;&`)]+)", line.partition(" #")[0]):
                words = match[1].split()
                end = words.index("--") if "--" in words else len(words)
                found.append((number, words[:end]))
    return found


def options_of(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if re.fullmatch(r"--[a-z][a-z-]*(=.*)?", word)]


def check_commands(root: Path, help_of: dict[str, str]) -> list[Finding]:
    """`help_of`: the help text of each verb."""
    findings = []
    for page in list_files(root):
        if not page.endswith(".md"):
            continue
        for number, words in commands_in(read_lines(root, page)):
            verb = words[0] if words else ""
            if verb in help_of:
                findings += [Finding(page, number, f"`seep {verb}` has no {option}") for option in options_of(words)
                             if not re.search(rf"(?<![\w-]){option}(?![\w-])", help_of[verb])]
            elif options_of(words) and not verb.startswith("-"):
                findings.append(Finding(page, number, f"seep has no verb {verb}"))
    return findings


def main() -> int:
    parser = root_parser(__doc__)
    parser.add_argument("--seep", type=Path, help="the built command")
    options = parser.parse_args()
    findings = check_links(options.root) + check_index(options.root)
    if options.seep is not None:
        said = subprocess.run([str(options.seep), "--help"], capture_output=True, text=True,
                              check=True)
        findings += check_man_page(options.root, said.stdout)
        findings += check_commands(options.root, {
            verb: subprocess.run([str(options.seep), verb, "--help"], capture_output=True, text=True,
                                 check=True).stdout for verb in verbs_of(said.stdout)})
    return report(findings)


if __name__ == "__main__":
    sys.exit(main())
