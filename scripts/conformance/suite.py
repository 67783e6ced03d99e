"""What a suite is, and how two sets of results are compared."""
import dataclasses
import hashlib
import typing


@dataclasses.dataclass
class Suite:
    """`run(turn, part)` gives for each test of a part a word or line that must be the same in every turn."""
    name: str
    about: str
    run: typing.Callable
    parts: list
    quick_parts: list = dataclasses.field(default_factory=list)
    packages: list = dataclasses.field(default_factory=list)
    source: str = ""  # name of a source package of Debian, whose tests it takes

    def chosen_parts(self, quick):
        return self.quick_parts if quick else self.parts


def digest(text):
    """Stands for an output in the results; the log has the text."""
    data = text if isinstance(text, bytes) else text.encode()
    return hashlib.sha256(data).hexdigest()[:16]


def differing(alone, tracked):
    """Names of the tests whose results differ, or that only one of the two has."""
    return sorted(name for name in alone.keys() | tracked.keys() if alone.get(name) != tracked.get(name))


@dataclasses.dataclass
class Comparison:
    """Of one part: what differs in every turn, and what differed once."""
    alone: dict
    tracked: dict
    stands: dict = dataclasses.field(default_factory=dict)
    unsteady: dict = dataclasses.field(default_factory=dict)


def describe(results, name):
    return " then ".join(str(result.get(name, "not run")) for result in results)


def compare(alone, tracked, again):
    """`again()` runs the part once more, alone and under seep: a difference counts when it stands twice."""
    found = Comparison(alone, tracked)
    names = differing(alone, tracked)
    if not names:
        return found
    alone_again, tracked_again = again()
    for name in names:
        sentence = (f"alone: {describe((alone, alone_again), name)}; "
                    f"under seep: {describe((tracked, tracked_again), name)}")
        steady = alone.get(name) == alone_again.get(name)
        if steady and tracked_again.get(name) != alone.get(name):
            found.stands[name] = sentence
        else:
            found.unsteady[name] = ("not steady alone: " if not steady else "differed once: ") + sentence
    return found
