"""The rounds of one program: every run of a tool stands between two runs of the program alone."""
import abc
import shutil
import sys
import time

from figures import Results, Round
from harness import Trouble
from launcher import Failure
from tools import PLAIN


class Progress:
    """On a terminal one line that is written over again; elsewhere a line a program."""

    def __init__(self):
        self.on = sys.stderr.isatty()
        self.start = time.monotonic()

    def say(self, text):
        if self.on:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{text[:width]}", end="", file=sys.stderr, flush=True)

    def done(self):
        self.say("")

    def finished(self, name):
        self.done()
        print(f"peers.py: {name} measured, {time.monotonic() - self.start:.0f} s since the start", file=sys.stderr)


class Rounds(abc.ABC):
    """Runs plain, then for each tool the tool and plain again; so each tool has plain on both sides.

    The order of the tools turns round with every round. A tool that fails, or under which the
    program ends or prints otherwise than alone, is reported; one that fails is not run again."""

    def __init__(self, name, progress):
        self.progress = progress
        self.results = Results(name)

    @abc.abstractmethod
    def run(self, tool):
        """A Sample of one run under `tool`; raises Failure or Trouble."""

    @abc.abstractmethod
    def last_error(self):
        """Something to say about a run that ended badly."""

    def plain(self):
        sample = self.run(PLAIN)
        if sample.status != 0:
            raise Failure(f"alone it ends with {sample.status}: {self.last_error()}")
        return sample

    def measured_plain(self):
        self.results.plain.append(self.plain())
        return self.results.plain[-1]

    def tool_once(self, tool, number, before):
        """One run of `tool` and the plain run after it, which is returned."""
        troubles = self.results.troubles
        try:
            sample = self.run(tool)
        except (Failure, Trouble) as failure:
            troubles[tool.name] = str(failure)
            return before
        if sample.status != before.status:
            troubles[tool.name] = f"ends with {sample.status}: {self.last_error()}"
            return before
        if before.output not in sample.output:  # some tools print lines of their own
            troubles[tool.name] = "the program's output differs"
        after = self.measured_plain()
        self.results.rounds.append(Round(tool.name, number, sample, before, after))
        return after

    def has_failed(self, tool):
        return tool.name in self.results.troubles and not self.results.of(tool.name)

    def run_all(self, tools, count):
        name = self.results.name
        self.progress.say(f"{name}: first run")
        self.plain()  # reads the files in; not measured
        before = self.measured_plain()
        for number in range(count):
            order = tools if number % 2 == 0 else tools[::-1]
            for tool in order:
                if number < tool.rounds and not self.has_failed(tool):
                    self.progress.say(f"{name}: round {number + 1} of {count}, {tool.name}")
                    before = self.tool_once(tool, number, before)
        return self.results


class ProgramRounds(Rounds):
    """A program that reads its input and ends."""

    def __init__(self, workload, context):
        super().__init__(workload.name, context.progress)
        self.workload = workload
        self.context = context

    def run(self, tool):
        launcher = self.context.launcher
        start = tool.start(self.context.supplies, launcher.fresh_folder())
        command = self.workload.variants.get(tool.name, self.workload.command)
        return launcher.run([*start.words, *command], {**self.workload.settings, **start.settings},
                            self.context.programs.environment())

    def last_error(self):
        return self.context.launcher.last_error()
