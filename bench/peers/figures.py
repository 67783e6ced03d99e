"""What the rounds say: medians of ratios with their range, and geometric means."""
import dataclasses
import math
import statistics


@dataclasses.dataclass
class Spread:
    """The median of some values, with the least and the greatest."""
    median: float
    least: float
    most: float


def spread(values):
    values = list(values)
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


@dataclasses.dataclass
class Round:
    """One run of a tool, and the plain runs just before and just after it."""
    tool: str
    number: int
    sample: object
    before: object
    after: object

    def beside(self, value):
        """The mean of the two plain runs."""
        return (value(self.before) + value(self.after)) / 2

    def ratio(self, value):
        return value(self.sample) / self.beside(value)


def wall(sample):
    return sample.wall_s


def cpu(sample):
    return sample.cpu_s


def peak(sample):
    return sample.peak_bytes


class Results:
    """All rounds of one program."""

    def __init__(self, name):
        self.name = name
        self.plain = []     # Samples of the program alone, each taken once
        self.rounds = []    # Rounds, in the order in which they ran
        self.troubles = {}  # tool: why it has no figure, or what went wrong beside it
        self.allocations = None  # allocations.Counted, or None when they were not measured

    def add(self, others):
        """Takes over rounds of other tools, which have plain runs of their own beside them."""
        self.rounds += others.rounds
        self.troubles.update(others.troubles)

    def of(self, tool):
        return [entry for entry in self.rounds if entry.tool == tool]

    def ratio(self, tool, value):
        """`value` of the tool's runs over the program alone."""
        return spread(entry.ratio(value) for entry in self.of(tool))

    def added_memory(self, tool):
        """Bytes of peak memory over the program alone."""
        return spread(peak(entry.sample) - entry.beside(peak) for entry in self.of(tool))

    def written(self, tool):
        return spread(entry.sample.written_bytes for entry in self.of(tool))

    def ratio_over(self, tool, base):
        """Wall time over another tool's of the same round; None where they share no round."""
        others = {entry.number: entry.ratio(wall) for entry in self.of(base)}
        return spread(entry.ratio(wall) / others[entry.number]
                      for entry in self.of(tool) if entry.number in others)

    def plain_median(self, value):
        return statistics.median(value(sample) for sample in self.plain)
