"""The rounds of one program: every run of a tool stands between two runs of the program alone."""
import shutil
import sys

from figures import Results
from launcher import Failure
from tools import PLAIN


class Progress:
    """One line that is written over again, on a terminal only."""

    def __init__(self):
        self.on = sys.stderr.isatty()

    def say(self, text):
        if self.on:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{text[:width]}", end="", file=sys.stderr, flush=True)

    def done(self):
        self.say("")


class Rounds:
    """Runs one workload: a plain run, then for each tool the tool and a plain run, and so on.

    The order of the tools turns round with every round. A tool that fails, or under which the
    program ends or prints otherwise than alone, is reported; one that fails is not run again."""

    def __init__(self, workload, launcher, programs, supplies, progress):
        self.workload = workload
        self.launcher = launcher
        self.environment = programs.environment()
        self.supplies = supplies
        self.progress = progress
        self.results = Results(workload.name)

    def run(self, tool):
        start = tool.start(self.supplies, self.launcher.fresh_folder())
        return self.launcher.run([*start.words, *self.workload.command],
                                 {**self.workload.settings, **start.settings}, self.environment)

    def plain(self):
        sample = self.run(PLAIN)
        if sample.status != 0:
            raise Failure(f"{self.workload.name} alone ends with {sample.status}: "
                          f"{self.launcher.last_error()}")
        return sample

    def measured_plain(self):
        self.results.plain.append(self.plain())
        return self.results.plain[-1]

    def tool_once(self, tool, number, before):
        """One run of `tool` and the plain run after it, which is returned."""
        try:
            sample = self.run(tool)
        except Failure as failure:
            self.results.troubles[tool.name] = str(failure)
            return before
        if sample.status != before.status:
            self.results.troubles[tool.name] = f"ends with {sample.status}: {self.launcher.last_error()}"
            return before
        if before.output not in sample.output:  # some tools print lines of their own
            self.results.troubles[tool.name] = "the program's output differs"
        after = self.measured_plain()
        self.results.add(tool.name, number, sample, before, after)
        return after

    def run_all(self, tools, count):
        self.progress.say(f"{self.workload.name}: first run")
        self.plain()  # reads the files in; not measured
        before = self.measured_plain()
        for number in range(count):
            order = tools if number % 2 == 0 else tools[::-1]
            for tool in order:
                failed = tool.name in self.results.troubles and not self.results.of(tool.name)
                if failed or number >= tool.rounds:
                    continue
                self.progress.say(f"{self.workload.name}: round {number + 1} of {count}, {tool.name}")
                before = self.tool_once(tool, number, before)
        return self.results
