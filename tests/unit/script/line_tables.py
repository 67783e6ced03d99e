#!/usr/bin/env python3
"""Line tables of the code in some modules, and what the interpreter itself reads from them.

Prints a line for each code object: kind, first line, table in hexadecimal, then begin:end:line for
each run of instructions (in bytes of code; line 0: none).
"""
import argparse
import asyncio.base_events
import dis
import json.decoder
import re
import sys
import typing
import types

MODULES = (argparse, asyncio.base_events, dis, json.decoder, re, typing)


def codes_of(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_of(constant)


def runs_of(code):
    if hasattr(code, "co_lines"):
        return [(begin, end, line or 0) for begin, end, line in code.co_lines()]
    starts = list(dis.findlinestarts(code)) + [(len(code.co_code), 0)]
    return [(begin, end, line) for (begin, line), (end, _) in zip(starts, starts[1:])]


KIND = "locations" if sys.version_info >= (3, 11) else "ranges" if sys.version_info >= (3, 10) else "lnotab"
for module in MODULES:
    with open(module.__file__, encoding="utf-8") as source:
        top = compile(source.read(), module.__file__, "exec")
    for code in codes_of(top):
        table = code.co_lnotab if KIND == "lnotab" else code.co_linetable
        print(KIND, code.co_firstlineno, table.hex() or "-", *("%d:%d:%d" % run for run in runs_of(code)))
