#!/usr/bin/env python3
"""What `seep export` writes, read back by programs that are not ours.

usage: run.py --build-dir DIR [--only FORMAT,…]

The readers are Debian's packages, unpacked under DIR, and Chromium. The recordings have names with control characters,
separators of the formats and bytes that are no UTF-8. Exit status 1 when a format is not read as it was
written; the files are kept in DIR/export then.
"""
import argparse
import importlib
import os
import pathlib
import sys

import harness

# google.protobuf of a package is built for the machine's own Python, and this may be another one.
os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")
FORMATS = ["collapsed", "pprof", "speedscope", "sarif", "junit", "openmetrics", "valgrind-xml", "html"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--only", type=lambda text: text.split(","), default=FORMATS)
    options = parser.parse_args()
    build = options.build_dir.resolve()
    harness.use_packages(build)
    failed = False
    for name in options.only:
        place = harness.Place(build, name)
        module = importlib.import_module(f"read_{name.replace('-', '_')}")
        for case in [value for key, value in vars(module).items() if key.startswith("case_")]:
            try:
                case(place)
                print(f"{name}: {case.__name__[5:]}: ok", flush=True)
            except (harness.Trouble, LookupError, StopIteration) as trouble:
                failed = True
                print(f"{name}: {case.__name__[5:]}: FAILED: {trouble!r}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
