"""The tools: how each starts a program, and what it needs to be there."""
import dataclasses
import typing


@dataclasses.dataclass
class Start:
    """How a tool runs a program: words before its command line, and settings for it alone."""
    words: list = dataclasses.field(default_factory=list)
    settings: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Tool:
    """start(supplies, folder) makes the Start that writes into `folder`; missing(supplies) says why the
    tool cannot be measured here, or nothing. rounds: the most rounds that its slowness allows. base:
    the tool that it is compared with besides plain."""
    name: str
    title: str
    start: typing.Callable
    missing: typing.Callable = lambda supplies: ""
    rounds: int = 1000
    base: str = ""


def seep(**added):
    def start(supplies, folder):
        return Start(settings={"LD_PRELOAD": supplies.seep_library, "SEEP_DIR": folder,
                               **{f"SEEP_{name}": value for name, value in added.items()}})
    return start


def seep_missing(*settings):
    def missing(supplies):
        if not supplies.seep_library.exists():
            return f"{supplies.seep_library.name} is not built"
        inert = [name for name in settings if not supplies.is_active(name)]
        return f"this tree does not act on SEEP_{inert[0]} yet" if inert else ""
    return missing


PLAIN = Tool("plain", "the program alone", lambda supplies, folder: Start())

ALL = [
    Tool("seep", "seep, every allocation", seep(), seep_missing()),
    Tool("seep-sample", "seep, SEEP_MODE=sample", seep(MODE="sample"), seep_missing("MODE")),
    Tool("seep-paused", "seep, SEEP_START=paused", seep(START="paused"), seep_missing("START")),
]
