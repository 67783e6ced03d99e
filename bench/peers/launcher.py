"""Runs one program under launch.c: its wall and processor time, peak memory, and what a tool wrote."""
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess

FOLDER = pathlib.Path(__file__).resolve().parent
LONGEST_RUN_S = 1500


class Failure(Exception):
    """A run that gives no figure: why."""


@dataclasses.dataclass
class Sample:
    """One run. Peak: the largest single process of the run; written: bytes in the tool's folder;
    rates, requests: of a server, what its client measured, and of how many requests."""
    wall_s: float
    cpu_s: float
    peak_bytes: int
    status: int
    written_bytes: int = 0
    output: bytes = b""
    rates: dict = dataclasses.field(default_factory=dict)
    requests: int = 0


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def read_result(path):
    """What launch.c wrote about a run that has ended."""
    try:
        wall, cpu, peak, status = map(int, path.read_text().split())
    except (OSError, ValueError) as error:
        raise Failure("no result of the launcher") from error
    return Sample(wall / 1e9, cpu / 1e9, peak * 1024, os.waitstatus_to_exitcode(status))


class Launcher:
    """Compiles launch.c into `folder` and runs programs with an empty folder for the tool's files."""

    def __init__(self, folder):
        self.folder = folder
        self.program = folder / "launch"
        self.result = folder / "launch.result"
        self.written = folder / "written"
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise SystemExit("peers.py: no C compiler")
        subprocess.run([compiler, "-O2", "-o", self.program, FOLDER / "launch.c"], check=True)

    def fresh_folder(self):
        """The folder for what a tool writes, emptied; a tool's files never meet those of another run."""
        shutil.rmtree(self.written, ignore_errors=True)
        self.written.mkdir()
        return self.written

    def words(self, command, settings):
        """`command` with `settings`, under the launcher; read_result(self.result) afterwards."""
        self.result.unlink(missing_ok=True)
        added = [f"{name}={value}" for name, value in settings.items()]
        return [str(self.program), str(self.result), *added, *map(str, command)]

    def run(self, command, settings, environment):
        """Runs to the end, output into a file. Sizes what stands in `written` afterwards."""
        output, errors = self.folder / "stdout", self.folder / "stderr"
        with open(output, "wb") as out, open(errors, "wb") as err:
            process = subprocess.Popen(self.words(command, settings), env=environment, cwd=self.folder,
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       start_new_session=True)
            try:
                process.wait(timeout=LONGEST_RUN_S)
            except subprocess.TimeoutExpired as error:
                raise Failure(f"longer than {LONGEST_RUN_S} s") from error
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        sample = read_result(self.result)
        sample.written_bytes = size_of(self.written)
        sample.output = output.read_bytes()
        return sample

    def last_error(self):
        """The last line of standard error of the run before, for a message."""
        lines = (self.folder / "stderr").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "nothing on standard error"
