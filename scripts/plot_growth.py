#!/usr/bin/env python3
"""Draws what grew, for a ticket: the memory of a recording, and of the first suspects what each holds.

usage: plot_growth.py [--build-dir DIR] [-o FILE]… [--force] [--suspects N] [--title TEXT] PATH… [-- OPTION…]

PATH is what `seep report` takes: a recording, a directory of recordings (its newest run) or snapshots; or a file
that `seep report --json` wrote, or - for one on stdin. What stands behind -- goes to `seep report`, such as
--per handle_request, --warmup 10m or --limit 2G. FILE ends in .png or .svg and may be given again for the other;
without -o it is growth.png and growth.svg. A file that exists is kept unless --force is given.

Dashed lines are the growth that the report tells (a Theil–Sen slope, over the time that it was judged in), the
shade beside them its 95 % interval. Of several processes each has a line, and no trend. Needs python3-matplotlib.

Exit status: 0 drawn, 2 wrong usage, 3 nothing that can be read, drawn or written.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import growth  # noqa: E402
import picture  # noqa: E402

BAD_USAGE, BAD_INPUT = 2, 3  # as seep's own
SCHEMA = "seep.report/1"
FORMATS = (".png", ".svg")


class Failure(Exception):
    """Why there is no picture, and the exit status."""

    def __init__(self, text, status=BAD_INPUT):
        super().__init__(text)
        self.status = status


def options_of(words):
    split = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage=__doc__.split("usage: ")[1].splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, default=ROOT / "build" / "release",
                        help="where seep was built; else the one in PATH is taken")
    parser.add_argument("-o", "--output", type=pathlib.Path, action="append", metavar="FILE", help=".png or .svg")
    parser.add_argument("--force", action="store_true", help="overwrite a file that exists")
    parser.add_argument("--suspects", type=int, default=3, metavar="N", help="how many have a row; default: 3")
    parser.add_argument("--title", help="instead of the program's name and when it began")
    parser.add_argument("paths", nargs="+", metavar="PATH")
    options = parser.parse_args(words[:split])
    options.report_options = words[split + 1:]
    options.output = options.output or [pathlib.Path("growth.png"), pathlib.Path("growth.svg")]
    if not 0 <= options.suspects <= 20:
        parser.error("--suspects takes 0 to 20")
    for file in options.output:
        if file.suffix not in FORMATS:
            parser.error(f"{file}: the name must end in .png or .svg")
    return options


def refuse_existing(files):
    for file in files:
        if os.path.lexists(file):
            raise Failure(f"{file}: exists already and is kept (give another name, or --force to overwrite it)", BAD_USAGE)


def is_report(path):
    """A file that is no snapshot: those begin with other bytes."""
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(1).isspace() or file.seek(0) == 0 and file.read(1) == b"{"


def report_text(options):
    first = options.paths[0]
    if first == "-" or is_report(first):
        if len(options.paths) > 1 or options.report_options:
            raise Failure("a report that was made already takes no other PATH and no options of seep report", BAD_USAGE)
        return sys.stdin.buffer.read() if first == "-" else pathlib.Path(first).read_bytes()
    built = options.build_dir / "bin" / "seep"
    seep = str(built) if built.exists() else shutil.which("seep")
    if seep is None:
        raise Failure(f"{built} was not built, and there is no seep in PATH")
    done = subprocess.run([seep, "report", "--json", *options.report_options, *options.paths],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Failure("", done.returncode)  # it has said why
    return done.stdout


def read_report(options):
    try:
        report = json.loads(report_text(options))
    except (ValueError, RecursionError) as error:
        raise Failure(f"{options.paths[0]}: is no report in JSON ({error})") from None
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        raise Failure(f"{options.paths[0]}: is no report in JSON (its schema is not {SCHEMA})")
    if not report.get("snapshots") or not report.get("processes"):
        raise Failure(f"{options.paths[0]}: has no snapshots to draw")
    return report


def write(figure, file, force):
    """The whole file or none; one that appeared meanwhile is kept."""
    target = pathlib.Path(os.path.realpath(file)) if force else file
    handle, temporary = tempfile.mkstemp(prefix=f"{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as output:
            picture.save(figure, output, format=file.suffix[1:])
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)  # mkstemp gives 0600
        if force:
            os.replace(temporary, target)
        else:
            os.link(temporary, target)
    except FileExistsError:
        refuse_existing([file])
    finally:
        pathlib.Path(temporary).unlink(missing_ok=True)


def main(words):
    options = options_of(words)
    if not options.force:
        refuse_existing(options.output)
    report = read_report(options)
    try:
        title = options.title and picture.text(options.title, 110)
        figure = growth.draw(report, options.suspects, title)
    except picture.NoMatplotlib as reason:
        raise Failure(str(reason)) from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise Failure(f"{options.paths[0]}: is no report that seep wrote ({error!r})") from None
    for file in options.output:
        try:
            write(figure, file, options.force)
        except OSError as error:  # its own name is that of a temporary file
            raise Failure(f"{file}: cannot be written ({error.strerror})") from None
    return 0


def main_or_why_not():
    try:
        return main(sys.argv[1:])
    except Failure as failure:
        if str(failure):
            print(f"plot_growth: {failure}", file=sys.stderr)
        return failure.status
    except OSError as error:
        print(f"plot_growth: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main_or_why_not())
