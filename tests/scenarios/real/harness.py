"""What the real-program scenarios share: unpacked packages, running twice, reading the report."""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import time

SOURCE = pathlib.Path(__file__).resolve().parents[3]
LONGEST_RUN_S = 300

PACKAGES = [
    "jq", "libjq1", "libonig5", "libxml2-utils", "libxml2", "sqlite3", "libsqlite3-0",
    "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib",
    "php8.2-cli", "php8.2-common", "redis-server", "redis-tools", "nginx", "wrk",
]
CLANG_PACKAGES = ["clang-14", "libclang-cpp14", "libllvm14", "libclang-common-14-dev"]


class Trouble(Exception):
    """A program could not be run at all."""


@dataclasses.dataclass
class Row:
    """One line of the table."""
    name: str
    output_same: bool
    status_same: bool
    native_s: float
    tracked_s: float
    snapshots: int
    losses: dict
    first_row: str
    troubles: list


@dataclasses.dataclass
class Run:
    out: bytes
    err: bytes
    status: int
    seconds: float


def environment(library_path, added):
    clean = {name: value for name, value in os.environ.items()
             if name != "LD_PRELOAD" and not name.startswith("SEEP_")}
    return {**clean, "LC_ALL": "C", "LD_LIBRARY_PATH": library_path, **added}


def report(seep, path, settings, *options):
    """What `seep report --json` says of a recording, or of all in a directory, with every suspect."""
    done = subprocess.run([str(seep), "report", "--json", "--top", "0", *options, str(path)], env=settings,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        raise Trouble(f"seep report: {done.stderr.decode().strip()}")
    return json.loads(done.stdout)


class Programs:
    """The unpacked packages and a folder to work in."""

    def __init__(self, build_dir, work, offline=False):
        self.work = work
        packages = PACKAGES + ([] if shutil.which("clang-14") else CLANG_PACKAGES)
        fetch = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(build_dir / "packages")]
        done = subprocess.run(fetch + (["--offline"] if offline else []) + packages, check=False)
        if done.returncode != 0:
            raise SystemExit("the packages could not be unpacked")
        self.root = build_dir / "packages" / "root"
        path = subprocess.run(fetch + ["--library-path"], text=True, capture_output=True, check=True)
        self.library_path = path.stdout.strip()

    def program(self, path):
        """Path of a program that a package brought."""
        found = self.root / path
        if not found.exists():
            raise Trouble(f"no {path} in the packages")
        return str(found)

    def environment(self, added=None):
        return environment(self.library_path, added or {})

    def run(self, command, added=None, folder=None):
        start = time.monotonic()
        done = subprocess.run(command, env=self.environment(added), cwd=folder or self.work,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=LONGEST_RUN_S)
        return Run(done.stdout, done.stderr, done.returncode, time.monotonic() - start)


class Bench(Programs):
    """The unpacked packages, a work folder, and seep."""

    def __init__(self, build_dir, offline):
        self.seep = build_dir / "bin" / "seep"
        if not self.seep.exists():
            raise SystemExit(f"run.py: {self.seep} is not built")
        work = build_dir / "real"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        super().__init__(build_dir, work, offline)

    def recordings(self, name):
        return self.work / f"{name}.recordings"

    def under_seep(self, name, command, options=()):
        return [str(self.seep), "run", "--dir", str(self.recordings(name)),
                "--report", str(self.work / f"{name}.page"), *options, "--", *command]

    def report(self, name, moment="end"):
        """`seep report --json` of the program's recordings; kept as <name>.<moment>.json."""
        done = self.run([str(self.seep), "report", "--json", str(self.recordings(name))])
        if done.status != 0:
            raise Trouble(f"seep report ended with {done.status}: {done.err.decode().strip()}")
        (self.work / f"{name}.{moment}.json").write_bytes(done.out)
        return json.loads(done.out)

    def compare(self, name, command, added=None):
        """A command-line program: natively, then under seep; the row with what differed."""
        native = self.run(command, added)
        tracked = self.run(self.under_seep(name, command), added)
        for kind, run in (("native", native), ("seep", tracked)):
            (self.work / f"{name}.{kind}.stdout").write_bytes(run.out)
            (self.work / f"{name}.{kind}.stderr").write_bytes(run.err)
        row = self.row(name, native.out == tracked.out and native.err == tracked.err,
                       native.status == tracked.status, self.report(name))
        row.native_s, row.tracked_s = native.seconds, tracked.seconds
        if not native.out and not native.err:
            row.troubles.append("printed nothing: there is nothing to compare")
        return row

    def row(self, name, output_same, status_same, report):
        row = Row(name, output_same, status_same, 0.0, 0.0, len(report["snapshots"]),
                  report["losses"], describe_first_row(report), [])
        if not output_same:
            row.troubles.append(f"the output differs (see {self.work})")
        if not status_same:
            row.troubles.append("the exit status differs")
        if not report["snapshots"]:
            row.troubles.append("no snapshot")
        return row


def function_of(frame):
    return frame["function"] or f"{pathlib.Path(frame['module']).name}+{frame['offset']}"


def describe_first_row(report):
    if not report["suspects"]:
        return "-"
    first = report["suspects"][0]
    blamed = first["stack"][first["blame"]] if first["stack"] else None
    where = function_of(blamed) if blamed else "?"
    return f"{first['behaviour']}{' leak' if first['leak'] else ''} {first['live_bytes']} B {where}"


def leaks(report):
    return [suspect for suspect in report["suspects"] if suspect["leak"]]


def functions(suspect):
    return [function_of(frame) for frame in suspect["stack"]]
