"""Reports of services: the rows that are called leaks, the line that a script marks, and the outcome of cases."""
import dataclasses
import pathlib
import re


@dataclasses.dataclass
class Row:
    """A suspect that is called a leak."""
    suspect: dict

    @property
    def told(self):
        frame = self.suspect["stack"][self.suspect["blame"]]
        return f"{frame['function']} {frame['file']}:{frame['line']} ({self.suspect['verdict']})"

    def passes(self, script, line):
        """Whether its stack comes by that line of the user's own script."""
        return any(frame["line"] == line and pathlib.Path(frame["file"] or "").name == script.name
                   for frame in self.suspect["stack"])


def leak_rows(report):
    return [Row(suspect) for suspect in report["suspects"] if suspect["leak"]]


def marked_line(script, mark):
    """The number of the one line of a script that ends in the comment `mark`."""
    [line] = [i for i, line in enumerate(script.read_text().splitlines(), 1)
              if re.search(rf"\S\s+(//|#) {mark}$", line)]
    return line


def passes(results):
    """Prints one line a case; the exit status."""
    for name, problem in results:
        print(f"{'right' if problem is None else 'WRONG'}  {name}" + ("" if problem is None else f": {problem}"))
    return 0 if all(problem is None for _, problem in results) else 1
