"""Holds docs/file-format.md against format/*.h and against a real file.

Usage: check_file_format_page.py SOURCE_DIR EXAMPLE_SNAPSHOT [--update]

1. Every field of every struct of the format stands in the page with its offset and size.
2. The page's program, run on EXAMPLE_SNAPSHOT, prints what the page says it prints; --update puts
   what it prints now into the page (a new loss, for one, changes the example).
"""
import pathlib
import re
import subprocess
import sys

SIZES = {"char": 1, "std::uint16_t": 2, "std::uint32_t": 4, "std::int32_t": 4,
         "std::uint64_t": 8, "StringRef": 8}
HEADERS = ["format/snapshot_format.h", "format/control_page.h"]
FIELD = re.compile(r"^  ([\w:]+) (\w+)(?:\[(\w+)\])?;", re.MULTILINE)


def structs(text):
    """Yields (struct, [(offset, size, field)]) for the structs of a header.

    No field needs padding before it: the headers assert the sizes of the structs.
    """
    for match in re.finditer(r"^struct (\w+) \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL):
        fields, offset = [], 0
        for kind, name, count in FIELD.findall(match.group(2)):
            size = SIZES[kind] * int(count or 1)
            fields.append((offset, size, name))
            offset += size
        yield match.group(1), fields


def missing_rows(source, page):
    for header in HEADERS:
        for struct, fields in structs((source / header).read_text()):
            section = re.search(rf"^#+ `{struct}`.*?(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
            rows = section.group(0) if section else ""
            for offset, size, name in fields:
                if not re.search(rf"^\| {offset} \| {size} \| `{name}` \|", rows, re.MULTILINE):
                    yield f"{struct}: no row | {offset} | {size} | `{name}` |"


def block(page, language):
    return re.search(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL).group(1)


def run_program(page, example):
    return subprocess.run([sys.executable, "-c", block(page, "python"), example],
                          capture_output=True, text=True, check=False)


def main():
    source, example = pathlib.Path(sys.argv[1]), sys.argv[2]
    path = source / "docs/file-format.md"
    page = path.read_text()
    run = run_program(page, example)
    if "--update" in sys.argv and run.returncode == 0:
        page = page.replace(block(page, "text"), run.stdout)
        path.write_text(page)
    complaints = list(missing_rows(source, page))
    if run.stdout != block(page, "text") or run.returncode != 0:
        complaints.append(f"the program printed (--update takes it over):\n{run.stdout}{run.stderr}")
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
