"""GLib's installed tests: threads, main loops, child processes, objects, in C; each program prints TAP."""
import pathlib
import re

from suite import Suite

FOLDER = "usr/libexec/installed-tests/glib"
# Programs that need a bus, a desktop or the network are left out; so are those that measure time.
PROGRAMS = ["1bit-mutex", "array-test", "async-splice-output-stream", "asyncqueue", "atomic", "basics-gobject",
            "binding", "bitlock", "buffered-input-stream", "bytes", "cache", "cancellable", "closure",
            "closure-refcount", "cond", "contexts", "convert", "converter-stream", "dataset", "date", "dir",
            "dynamictests", "dynamictype", "environment", "error", "fileutils", "g-file", "gdatetime",
            "gdbus-peer", "gsubprocess", "gvariant", "hash", "hmac", "hook", "io-channel", "keyfile", "list",
            "logging", "mainloop", "mapping", "markup-parse", "mem-overflow", "mutex", "node", "notify-init",
            "object", "once", "onceinit", "option-context", "param", "pattern", "pollable", "private",
            "properties-refcount1", "protocol", "qdata", "queue", "rand", "rcbox", "rec-mutex", "refcount",
            "refstring", "regex", "relation", "resources", "rwlock", "scannerapi", "sequence", "signal-handler",
            "signals", "singleton", "sleepy-stream", "slice", "slice-color", "slice-concurrent", "slice-glib",
            "slice-malloc", "slist", "socket", "socket-service", "sort", "spawn-multithreaded",
            "spawn-singlethread", "spawn-test", "strfuncs", "string", "task", "thread", "thread-pool",
            "threadtests", "timeout", "tree", "unicode", "unix", "unix-fd", "unix-streams", "uri", "utf8-misc",
            "utils"]
QUICK = ["asyncqueue", "once", "onceinit", "slice-concurrent", "spawn-multithreaded", "spawn-test", "task", "thread",
         "thread-pool"]
LINE = re.compile(r"^(ok|not ok) \d+ ?-? ?([^#\n]*)(# [A-Z]+)?", re.MULTILINE)


def run_program(turn, program):
    done = turn.run([program], {"G_TEST_SRCDIR": str(program.parent), "G_TEST_BUILDDIR": str(program.parent),
                                "HOME": str(turn.folder), "XDG_RUNTIME_DIR": str(turn.folder)}, seconds=120)
    results = {f"{program.name} as a whole": f"ended with {done.status}"}
    for number, (word, name, mark) in enumerate(LINE.findall(done.out)):
        results[f"{program.name} {name.strip() or number}"] = word + (" " + mark if mark else "")
    return results


def run(turn, part):
    results = {}
    for name in QUICK if part == "short" else PROGRAMS:
        results.update(run_program(turn, pathlib.Path(turn.place.program(f"{FOLDER}/{name}"))))
    return results


SUITES = [Suite("glib", "GLib's installed tests", run, ["programs"], ["short"], ["libglib2.0-tests"])]
