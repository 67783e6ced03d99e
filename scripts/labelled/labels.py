"""The table of tests/labelled/labels.txt: what is run, and what is true of it."""
import dataclasses
import pathlib
import re
import zlib

TABLE = pathlib.Path(__file__).resolve().parents[2] / "tests" / "labelled" / "labels.txt"
# Held out by their names, but a rule was mended on what they showed.
SEEN = {"tickets"}
# Longer programs are run by an option only.
BRIEF_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Label:
    name: str
    program: str
    behaviour: str
    seconds: float
    parameters: tuple
    leaks: bool
    functions: tuple  # that leak, or that make the memory the program is about
    behaviours: tuple  # that this memory may be given, where it is no leak

    @property
    def held_out(self):
        """Chosen by the name alone, so before anything was measured."""
        return self.name not in SEEN and zlib.crc32(self.name.encode()) % 3 == 0

    @property
    def part(self):
        return "held-out" if self.held_out else "tuning"

    @property
    def brief(self):
        return self.seconds <= BRIEF_SECONDS

    def command(self, programs):
        return [str(programs / self.program), self.behaviour, f"{self.seconds:g}", *self.parameters]

    def names(self, function):
        """Whether a demangled name, such as `(anonymous namespace)::store(int)`, is one of the functions."""
        return function is not None and any(
            re.search(rf"(^|[\s:]){re.escape(name)}(\W|$)", function) for name in self.functions)


def words_of(field, separator):
    return () if field == "-" else tuple(field.split(separator))


def label_of(line):
    name, program, behaviour, seconds, parameters, truth, functions, behaviours = line.split()
    if truth not in ("leak", "none") or functions == "-" or (truth == "leak") != (behaviours == "-"):
        raise ValueError(f"labels.txt: {name}: a leak has functions, what is none functions and behaviours")
    return Label(name, program, behaviour, float(seconds), words_of(parameters, ","), truth == "leak",
                 words_of(functions, "|"), words_of(behaviours, "|"))


def read_labels(table=TABLE):
    lines = (line.strip() for line in table.read_text().splitlines())
    labels = [label_of(line) for line in lines if line and not line.startswith("#")]
    if len({label.name for label in labels}) != len(labels):
        raise ValueError("labels.txt: a name stands twice")
    return labels
