"""Where the suites run: unpacked packages, a scratch folder, and turns alone and under seep."""
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "scenarios" / "real"))
from harness import Trouble, environment  # noqa: E402

# Short against what a test lasts: most of the programs take snapshots while they work.
INTERVAL = "100ms"
LONGEST_COMMAND_S = 1200
# Losses that cost no event: stacks that lack their outermost frames, releases of blocks from before
# recording, recordings removed to keep within the disk's share.
NO_EVENT_LOST = {"stacks_cut", "unwind_failed", "foreign_free", "recordings_removed"}


class Absent(Exception):
    """A package or program that a suite needs cannot be had here."""


@dataclasses.dataclass
class Done:
    """How a command ended: what it printed and its status (negative: the signal)."""
    out: str
    err: str
    status: int


@dataclasses.dataclass
class Recorded:
    """What the recordings of a turn hold."""
    processes: int = 0
    snapshots: int = 0
    damaged: list = dataclasses.field(default_factory=list)
    losses: dict = dataclasses.field(default_factory=dict)

    def add(self, other):
        self.processes += other.processes
        self.snapshots += other.snapshots
        self.damaged += other.damaged
        for name, count in other.losses.items():
            self.losses[name] = self.losses.get(name, 0) + count

    def events_lost(self):
        return {name: count for name, count in self.losses.items() if name not in NO_EVENT_LOST}


class Place:
    """The build under test, the packages of the suite that runs, a scratch folder, the logs."""

    def __init__(self, options):
        build_dir = options.build_dir.resolve()
        self.seep = build_dir / "bin" / "seep"
        self.library = build_dir / "lib" / "libseep.so"
        for file in (self.seep, self.library):
            if not file.exists():
                raise Absent(f"{file} is not built")
        self.quick = options.quick
        self.seconds = options.seconds
        self.logs = options.logs.resolve() if options.logs else build_dir / "conformance" / "logs"
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        self.packages = build_dir / "conformance" / "packages"
        self.offline = options.offline
        self.root, self.library_path = None, ""
        # A short path: sockets in it must fit 108 bytes. Other users run programs in it.
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="seep-c-"))
        self.scratch.chmod(0o755)

    def unpack(self, suite):
        """Unpacks the packages of a suite, in a folder of its own, and makes it the current one."""
        into = self.packages / suite.name
        self.root, self.library_path = into / "root", ""
        if not suite.packages:
            return
        fetch = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(into)]
        options = (["--offline"] if self.offline else []) + (["--source", suite.source] if suite.source else [])
        done = subprocess.run(fetch + options + suite.packages, text=True,
                              stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Absent(f"{done.stderr.strip()} ({' '.join(suite.packages)})")
        path = subprocess.run(fetch + ["--library-path"], text=True, capture_output=True, check=True)
        self.library_path = path.stdout.strip()

    def program(self, path):
        """Path of a program that a package brought."""
        found = self.root / path
        if not found.exists():
            raise Absent(f"no {path} in the packages")
        return str(found)

    def source(self):
        """The folder of the suite's source package."""
        [folder] = (self.root.parent / "source").iterdir()
        return folder

    @staticmethod
    def of_machine(name):
        """Path of a program that this machine has."""
        found = shutil.which(name)
        if not found:
            raise Absent(f"no {name} on this machine")
        return found


class Turn:
    """One run of a part of a suite, alone or under seep: its folder, its log, its environment."""

    def __init__(self, place, suite, part, tracked, number):
        self.place, self.tracked = place, tracked
        kind = f"{'seep' if tracked else 'alone'}{number}"
        self.log = place.logs / f"{suite}.{part}.{kind}.log".replace("/", "-")
        self.base = pathlib.Path(tempfile.mkdtemp(dir=place.scratch, prefix="s" if tracked else "a"))
        self.base.chmod(0o755)
        # The same depth and length for both, so that paths in outputs differ in nothing but letters.
        self.folder = self.base / "w"
        self.folder.mkdir()
        self.recordings = self.base / "r"

    def environment(self, added=None, packaged=True):
        """Of a program: under seep the preload, and every process records, however short it lives."""
        seep = {"LD_PRELOAD": str(self.place.library), "SEEP_DIR": str(self.recordings),
                "SEEP_INTERVAL": INTERVAL, "SEEP_MIN_LIFE": "0"} if self.tracked else {}
        path = self.place.library_path if packaged else ""
        made = environment(path, {"LC_ALL": "C.UTF-8", "TMPDIR": str(self.folder), **seep, **(added or {})})
        if not path:
            del made["LD_LIBRARY_PATH"]
        return made

    def run(self, command, added=None, packaged=True, folder=None, given=None, seconds=LONGEST_COMMAND_S):
        """Runs a command to its end and writes what it printed to the log. `given` is its input."""
        begin = time.monotonic()
        with subprocess.Popen([str(word) for word in command], env=self.environment(added, packaged),
                              cwd=folder or self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, start_new_session=True) as process:
            try:
                out, err = process.communicate((given or "").encode(), seconds)
                status = process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # whatever it started holds the pipes as well
                out, err = process.communicate()
                status = f"killed after {seconds} s"
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        result = Done(out.decode(errors="replace"), err.decode(errors="replace"), status)
        self.note(f"$ {' '.join(str(word) for word in command)}\n{result.out}{result.err}[ended with {status} after {time.monotonic() - begin:.2f} s]")
        return result

    def need(self, command, **how):
        """As run(), for what prepares a test: it must succeed."""
        done = self.run(command, **how)
        if done.status != 0:
            raise Trouble(f"{command[0]} ended with {done.status}, see {self.log}")
        return done

    def note(self, text):
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(text + "\n")

    def normal(self, text):
        """Text without the folder's name."""
        return re.sub(re.escape(str(self.base)), "BASE", text)

    def recorded(self):
        """Counts and verifies the recordings of this turn."""
        found = Recorded()
        if not self.tracked:
            return found
        for directory in sorted(path for path in self.recordings.glob("*") if path.is_dir()):
            snapshots = sorted(directory.glob("snapshot-*.seep"))
            found.processes += 1
            found.snapshots += len(snapshots)
            if snapshots:
                lost = losses_of(self.place.seep, snapshots[-1])
                found.add(Recorded(losses=lost))
                if lost:
                    self.note(f"[losses] {directory.name}: {lost}")
        if found.snapshots:
            done = subprocess.run([str(self.place.seep), "verify", str(self.recordings)], text=True,
                                  capture_output=True, check=False)
            lines = (done.stdout + done.stderr).splitlines()
            found.damaged = [line for line in lines if not line.endswith(": ok")]
            if done.returncode != 0 and not found.damaged:
                found.damaged = [f"seep verify ended with {done.returncode}"]
            self.note("\n".join(["[seep verify]", *found.damaged,
                                 f"{len(lines) - len(found.damaged)} of {len(lines)} whole"]))
        return found

    def remove(self):
        shutil.rmtree(self.base, ignore_errors=True)


def losses_of(seep, snapshot):
    """What a snapshot says was lost until then; what `seep info` cannot read, `seep verify` names."""
    done = subprocess.run([str(seep), "info", "--json", str(snapshot)], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        return {}
    return {name: count for name, count in json.loads(done.stdout)["snapshot"]["losses"].items() if count}
