"""GLib's installed tests: threads, main loops, child processes, objects, in C; each program prints TAP."""
import re

from suite import Suite

FOLDER = "usr/libexec/installed-tests/glib"
# Programs that need a bus, a desktop or the network are left out; so are those that measure time.
PROGRAMS = ["async-splice-output-stream", "buffered-input-stream", "cancellable", "contexts", "converter-stream",
            "date", "dynamictype", "gdatetime", "gdbus-peer", "gsubprocess", "g-file", "logging", "notify-init", "onceinit",
            "param", "properties-refcount1", "qdata", "resources", "signal-handler", "singleton", "slice-glib",
            "slice-malloc", "socket", "socket-service", "sleepy-stream", "task", "unicode", "unix-streams", "uri", "utils",
            "1bit-mutex", "array-test", "asyncqueue", "atomic", "basics-gobject", "binding", "bitlock", "bytes",
            "cache", "closure", "closure-refcount", "cond", "convert", "dataset", "dir", "dynamictests", "environment",
            "error", "fileutils", "gvariant", "hash", "hmac", "hook", "io-channel", "keyfile", "list", "mainloop",
            "mapping", "markup-parse", "mem-overflow", "mutex", "node", "object", "once", "option-context", "pattern",
            "performance-threaded", "pollable", "private", "protocol", "queue", "rand", "rcbox", "rec-mutex",
            "refcount", "refstring", "regex", "relation", "rwlock", "scannerapi", "sequence", "signals", "slice",
            "slice-color", "slice-concurrent", "slist", "sort", "spawn-multithreaded",
            "spawn-singlethread", "spawn-test", "strfuncs", "string", "thread", "thread-pool", "thread-pool-slow",
            "threadtests", "timeout", "tree", "unix", "unix-fd", "utf8-misc",
            "weakref"]
QUICK = ["asyncqueue", "cond", "mutex", "once", "slice-concurrent", "thread", "thread-pool", "unix"]
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
        program = turn.place.root / FOLDER / name
        if program.exists():
            results.update(run_program(turn, program))
    return results


SUITES = [Suite("glib", "GLib's installed tests", run, ["programs"], ["short"], ["libglib2.0-tests"])]
