"""Runs labelled programs, many at once since they mostly sleep, and hands over what was said of each."""
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess

# Beyond the seconds a program is to run: for a busy machine.
PATIENCE_S = 120


@dataclasses.dataclass
class Row:
    """One row of a report, by whichever tool."""
    function: str | None
    leak: bool
    behaviour: str = ""
    confidence: float | None = None
    why: str = ""
    functions: tuple = ()  # of the whole stack, innermost first


@dataclasses.dataclass
class Outcome:
    label: object
    rows: list = dataclasses.field(default_factory=list)
    trouble: str = ""

    @property
    def found(self):
        """The first row is a leak and blames a function that leaks."""
        return bool(self.rows) and self.rows[0].leak and self.label.names(self.rows[0].function)

    @property
    def claims(self):
        return [row for row in self.rows if row.leak]

    def is_meant(self, row):
        """Memory of the functions that the label names, whoever was blamed."""
        return any(self.label.names(function) for function in row.functions)

    def is_leaking(self, row):
        return self.label.leaks and self.is_meant(row)

    @property
    def behaves(self):
        """What is no leak: its largest row behaves as the label says."""
        meant = next((row for row in self.rows if self.is_meant(row)), None)
        return meant is not None and meant.behaviour in self.label.behaviours


def row_of(suspect):
    stack = [frame["function"] for frame in suspect["stack"]]
    blame = suspect["blame"]
    return Row(stack[blame] if blame < len(stack) else None, suspect["leak"], suspect["behaviour"],
               suspect["confidence"], suspect["why"], tuple(name or "" for name in stack))


class Seep:
    """Each program under the preload, with a snapshot every 250 ms, then `seep report`."""
    name = "seep"

    def __init__(self, build, folder):
        self.command, self.library = build / "bin" / "seep", build / "lib" / "libseep.so"
        self.programs, self.folder = build / "labelled", folder

    def run(self, label):
        recordings = self.folder / label.name
        environment = dict(os.environ, LD_PRELOAD=str(self.library), SEEP_DIR=str(recordings),
                           SEEP_INTERVAL="250ms" if label.brief else "auto")
        ended = subprocess.run(label.command(self.programs), env=environment, timeout=label.seconds + PATIENCE_S,
                               capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            return Outcome(label, trouble=f"ended with {ended.returncode}: {ended.stderr.strip()}")
        return self.judge(label)

    def judge(self, label):
        """Of the recording that stands in the folder, also of an earlier run."""
        recordings = self.folder / label.name
        report = subprocess.run([self.command, "report", "--json", "--top", "0", recordings], capture_output=True,
                                text=True, timeout=PATIENCE_S, check=False)
        if report.returncode != 0:
            return Outcome(label, trouble=f"seep report: {report.stderr.strip()}")
        suspects = json.loads(report.stdout)["suspects"]
        return Outcome(label, [row_of(suspect) for suspect in suspects])


def run_all(tool, labels, at_once):
    """Outcomes in the order of the labels; one that fails or takes too long has its trouble said."""
    def run(label):
        try:
            return tool.run(label)
        except (subprocess.TimeoutExpired, OSError, ValueError) as error:
            return Outcome(label, trouble=str(error))

    # The longest first: they decide when the last one ends.
    order = sorted(labels, key=lambda label: -label.seconds)
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        outcomes = dict(zip((label.name for label in order), pool.map(run, order)))
    return [outcomes[label.name] for label in labels]


def folder_of(path):
    folder = pathlib.Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
