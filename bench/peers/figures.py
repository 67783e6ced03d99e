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
    count: int


def spread(values):
    values = list(values)
    return Spread(statistics.median(values), min(values), max(values), len(values)) if values else None


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


@dataclasses.dataclass
class Round:
    """One run of a tool, and the mean of the plain runs just before and just after it."""
    tool: str
    number: int
    sample: object
    plain_wall_s: float
    plain_cpu_s: float
    plain_peak_bytes: float


class Results:
    """All rounds of one program."""

    def __init__(self, name):
        self.name = name
        self.plain = []     # Samples of the program alone
        self.rounds = []    # Rounds, in the order in which they ran
        self.troubles = {}  # tool: why it has no figure, or what went wrong beside it
        self.allocations = None  # allocations.Counted, or None when they were not measured

    def add(self, tool, number, sample, before, after):
        def mean(value):
            return (value(before) + value(after)) / 2
        self.rounds.append(Round(tool, number, sample, mean(lambda s: s.wall_s), mean(lambda s: s.cpu_s),
                                 mean(lambda s: s.peak_bytes)))

    def of(self, tool):
        return [entry for entry in self.rounds if entry.tool == tool]

    def wall_ratio(self, tool):
        return spread(r.sample.wall_s / r.plain_wall_s for r in self.of(tool))

    def cpu_ratio(self, tool):
        return spread(r.sample.cpu_s / r.plain_cpu_s for r in self.of(tool))

    def added_memory(self, tool):
        """Bytes of peak memory over the program alone."""
        return spread(r.sample.peak_bytes - r.plain_peak_bytes for r in self.of(tool))

    def written(self, tool):
        return spread(r.sample.written_bytes for r in self.of(tool))

    def ratio_over(self, tool, base):
        """Wall time over another tool's of the same round, or None where they share no round."""
        others = {r.number: r.sample.wall_s / r.plain_wall_s for r in self.of(base)}
        return spread(r.sample.wall_s / r.plain_wall_s / others[r.number]
                      for r in self.of(tool) if r.number in others)
