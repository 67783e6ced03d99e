"""The tools: how each starts a program, and what it needs to be there."""
import dataclasses
import shutil
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
    the tool that it is compared with besides plain. only: the one program that it is for."""
    name: str
    title: str
    start: typing.Callable
    missing: typing.Callable = lambda supplies: ""
    rounds: int = 1000
    base: str = ""
    only: str = ""

    @property
    def unpacked(self):
        """Whether its files come from packages that supplies.py unpacks."""
        return not self.name.startswith("seep") and not self.only

    @property
    def is_slow(self):
        return self.rounds == 1

    def is_for(self, program):
        return self.only in ("", program)


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


def needs(path):
    return lambda supplies: supplies.lacks(path)


HEAPTRACK = "usr/bin/heaptrack"
JEMALLOC = "usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
TCMALLOC = "usr/lib/x86_64-linux-gnu/libtcmalloc.so.4"
VALGRIND = "usr/bin/valgrind"


def heaptrack(*options):
    def start(supplies, folder):
        return Start(words=[supplies.file(HEAPTRACK), *options, "-o", folder / "heaptrack"])
    return start


def jemalloc(lg_sample=None):
    """Without profiling, or with a sample each 2^lg_sample bytes and a profile at the end."""
    def start(supplies, folder):
        settings = {"LD_PRELOAD": supplies.file(JEMALLOC)}
        if lg_sample is not None:
            settings["MALLOC_CONF"] = (f"prof:true,prof_final:true,lg_prof_sample:{lg_sample},"
                                       f"prof_prefix:{folder}/jeprof")
        return Start(settings=settings)
    return start


def jemalloc_prof_missing(supplies):
    return supplies.lacks(JEMALLOC) or supplies.lacks_profiling(supplies.file(JEMALLOC))


def tcmalloc(profile):
    def start(supplies, folder):
        added = {"HEAPPROFILE": folder / "heap"} if profile else {}
        return Start(settings={"LD_PRELOAD": supplies.file(TCMALLOC), **added})
    return start


def memcheck(supplies, folder):
    return Start(words=[supplies.file(VALGRIND), "--leak-check=full", f"--log-file={folder}/memcheck.log"],
                 settings={"VALGRIND_LIB": supplies.file("usr/libexec/valgrind")})


def lsan(_, folder):
    return Start(settings={"LSAN_OPTIONS": f"log_path={folder}/lsan"})


PLAIN = Tool("plain", "the program alone", lambda supplies, folder: Start())

ALL = [
    Tool("seep", "seep, every allocation", seep(), seep_missing()),
    Tool("seep-noscan", "seep, SEEP_SCAN=off", seep(SCAN="off"), seep_missing("SCAN")),
    Tool("seep-native", "seep, SEEP_LANG=off", seep(LANG="off"), seep_missing("LANG")),
    Tool("seep-sample", "seep, SEEP_MODE=sample", seep(MODE="sample"), seep_missing("MODE")),
    Tool("seep-paused", "seep, SEEP_START=paused", seep(START="paused"), seep_missing("START")),
    Tool("heaptrack", "heaptrack", heaptrack(), needs(HEAPTRACK)),
    Tool("heaptrack-raw", "heaptrack --raw", heaptrack("--raw"), needs(HEAPTRACK), rounds=3),
    Tool("jemalloc", "jemalloc, no profiling", jemalloc(), needs(JEMALLOC)),
    Tool("jemalloc-sample", "jemalloc, sampled", jemalloc(lg_sample=19), jemalloc_prof_missing,
         base="jemalloc"),
    Tool("jemalloc-every", "jemalloc, every allocation", jemalloc(lg_sample=0),
         jemalloc_prof_missing, rounds=1),
    Tool("tcmalloc", "tcmalloc, no profiling", tcmalloc(False), needs(TCMALLOC)),
    Tool("gperftools", "gperftools HEAPPROFILE", tcmalloc(True), needs(TCMALLOC), rounds=1),
    Tool("memcheck", "Valgrind memcheck", memcheck, needs(VALGRIND), rounds=1),
    Tool("lsan", "LeakSanitizer, compiled in", lsan, only="mini",
         missing=lambda supplies: "" if shutil.which("g++") or shutil.which("clang++") else "no C++ compiler"),
]
