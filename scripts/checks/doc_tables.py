#!/usr/bin/env python3
"""Keeps the tables of the documentation equal to the tables that the code is built from.

docs/settings.md  the settings of format/settings.inc
docs/losses.md    the losses of format/losses.inc
docs/captures.md  the counts of format/capture_counts.inc

A table stands between `<!-- begin NAME -->` and `<!-- end NAME -->`. --write replaces what is
between them; without it a difference is a finding.
"""

import ast
import re
import sys
from pathlib import Path

from source_tree import Finding, report, root_parser

STRING = r'"(?:\\.|[^"\\])*"'
SETTING = re.compile(
    rf"^SEEP_SETTING\((\w+),\s*(\w+),\s*({STRING}),\s*(true|false),\s*((?:{STRING}\s*)+),"
    rf"\s*((?:{STRING}\s*)+)\)", re.MULTILINE)
NUMBERED = r"^{macro}\((\d+),\s*(\w+),\s*((?:{string}\s*)+)\)"
LOSS = re.compile(NUMBERED.format(macro="SEEP_LOSS", string=STRING), re.MULTILINE)
CAPTURE = re.compile(NUMBERED.format(macro="SEEP_CAPTURE_COUNT", string=STRING), re.MULTILINE)


def unquote(literals: str) -> str:
    """The text of one or more adjacent C string literals."""
    return "".join(ast.literal_eval(literal) for literal in re.findall(STRING, literals))


def parse_all(pattern: re.Pattern, macro: str, text: str) -> list[tuple[str, ...]]:
    """Every use of `macro`; raises ValueError when the pattern understands fewer than there are."""
    rows = pattern.findall(text)
    uses = len(re.findall(rf"^{macro}\(", text, re.MULTILINE))
    if len(rows) != uses:
        raise ValueError(f"{macro}: {uses} lines, understood {len(rows)}")
    return rows


def settings_table(text: str) -> str:
    lines = ["| variable | default | accepted | meaning | active |", "|---|---|---|---|---|"]
    for name, _, default, active, accepted, meaning in parse_all(SETTING, "SEEP_SETTING", text):
        shown = f"`{unquote(default)}`" if unquote(default) else "–"
        lines.append(f"| `SEEP_{name}` | {shown} | {unquote(accepted)} | {unquote(meaning)} | "
                     f"{'yes' if active == 'true' else 'not yet'} |")
    return "\n".join(lines)


def numbered_table(pattern: re.Pattern, macro: str, text: str) -> str:
    lines = ["| id | name | counts |", "|---:|---|---|"]
    lines += [f"| {number} | `{name}` | {unquote(meaning)} |"
              for number, name, meaning in parse_all(pattern, macro, text)]
    return "\n".join(lines)


def losses_table(text: str) -> str:
    return numbered_table(LOSS, "SEEP_LOSS", text)


def captures_table(text: str) -> str:
    return numbered_table(CAPTURE, "SEEP_CAPTURE_COUNT", text)


TABLES = {  # name: (source, page, generator)
    "settings": ("format/settings.inc", "docs/settings.md", settings_table),
    "losses": ("format/losses.inc", "docs/losses.md", losses_table),
    "captures": ("format/capture_counts.inc", "docs/captures.md", captures_table),
}


def with_table(page: str, name: str, table: str) -> str | None:
    """The page with the table in its place; None when the page has no place for it."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    head, found_begin, rest = page.partition(begin)
    _, found_end, tail = rest.partition(end)
    if not found_begin or not found_end:
        return None
    return f"{head}{begin}\n{table}\n{end}{tail}"


def check_table(root: Path, name: str, write: bool) -> list[Finding]:
    source, page_name, generate = TABLES[name]
    page = (root / page_name).read_text(encoding="utf-8")
    wanted = with_table(page, name, generate((root / source).read_text(encoding="utf-8")))
    if wanted is None:
        return [Finding(page_name, 1, f"no <!-- begin {name} --> … <!-- end {name} -->")]
    if wanted == page:
        return []
    if write:
        (root / page_name).write_text(wanted, encoding="utf-8")
        return []
    line = page[:page.index(f"<!-- begin {name} -->")].count("\n") + 1
    return [Finding(page_name, line, f"differs from {source}: scripts/checks/doc_tables.py --write")]


def main() -> int:
    parser = root_parser(__doc__)
    parser.add_argument("--write", action="store_true", help="bring the pages up to date")
    options = parser.parse_args()
    return report([finding for name in TABLES
                   for finding in check_table(options.root, name, options.write)])


if __name__ == "__main__":
    sys.exit(main())
