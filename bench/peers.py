#!/usr/bin/env python3
"""Runs real programs alone and under seep and other tools, side by side, and prints the ratios.

    python3 bench/peers.py --build build/release [--rounds N] [--only NAME,…] [--tools NAME,…]

Each run of a tool stands between two runs of the program alone, and its time is divided by their
mean, so that what else the machine does falls on both. Nothing is installed: programs and tools are
unpacked from Debian's packages. README.md says what each figure includes.
"""
import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "peers"), str(HERE.parent / "tests" / "scenarios" / "real")]
import allocations  # noqa: E402
import tables  # noqa: E402
import tools  # noqa: E402
import workloads  # noqa: E402
from harness import Programs, Trouble  # noqa: E402
from launcher import Failure, Launcher  # noqa: E402
from redis_server import RedisRounds  # noqa: E402
from rounds import ProgramRounds, Progress  # noqa: E402
from supplies import Supplies  # noqa: E402

QUICK_SCALE = 0.05
NAMES = [*workloads.ALL, "redis"]


@dataclasses.dataclass
class Context:
    """What all rounds share."""
    programs: Programs
    launcher: Launcher
    supplies: Supplies
    progress: Progress


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a build folder of the release preset")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each tool; slow tools have fewer")
    parser.add_argument("--only", help=f"programs, comma separated: {', '.join(NAMES)}")
    parser.add_argument("--tools", help=f"comma separated: plain, {', '.join(t.name for t in tools.ALL)}")
    parser.add_argument("--quick", action="store_true", help="one round over small inputs: does it all run?")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the tables there, or between the marks of a page")
    parser.add_argument("--json", type=pathlib.Path, help="write every run there")
    parser.add_argument("--as-built", action="store_true", help="build nothing first")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    parser.add_argument("--cache", type=pathlib.Path, default=cache / "seep-peers",
                        help="where the other tools are unpacked and kept")
    return parser.parse_args()


def choose(text, known, what):
    chosen = text.split(",") if text else list(known)
    unknown = set(chosen) - set(known)
    if unknown:
        sys.exit(f"peers.py: no {what} {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [name for name in known if name in chosen]


def available(chosen, supplies):
    """The tools that can run here; the others are named on standard error."""
    found = []
    for tool in chosen:
        reason = tool.missing(supplies)
        if reason:
            print(f"peers.py: {tool.name} is left out: {reason}", file=sys.stderr)
        else:
            found.append(tool)
    return found


def measure(name, options, chosen, context):
    """The workload, unless it is a server, and all rounds of one program."""
    scale = QUICK_SCALE if options.quick else 1
    count = 1 if options.quick else options.rounds
    chosen = [tool for tool in chosen if tool.is_for(name)]
    if name == "redis":
        return None, RedisRounds(context, scale).run_all(chosen, count)
    workload = workloads.prepare(name, context.programs, scale)
    chosen = [tool for tool in chosen if not tool.only or tool.name in workload.variants]
    results = ProgramRounds(workload, context).run_all([tool for tool in chosen if not tool.is_slow], count)
    if any(tool.name == "seep" for tool in chosen):
        context.progress.say(f"{name}: counting allocations")
        results.allocations = allocations.count(workload, context)
    slow = [tool for tool in chosen if tool.is_slow]
    if slow:  # over small inputs: some take a hundred times as long as the program
        smaller = workloads.prepare(name, context.programs, QUICK_SCALE)
        results.add(ProgramRounds(smaller, context).run_all(slow, 1))
    return workload, results


def as_json(all_results):
    def plain(sample):
        fields = dataclasses.asdict(sample)
        del fields["output"]
        return fields

    def run(entry):
        return {"tool": entry.tool, "round": entry.number, "run": plain(entry.sample),
                "before": plain(entry.before), "after": plain(entry.after)}

    return {results.name: {"allocations": results.allocations and results.allocations._asdict(),
                           "troubles": results.troubles, "alone": [plain(sample) for sample in results.plain],
                           "runs": [run(entry) for entry in results.rounds]} for results in all_results}


def conditions(options):
    """When, where and of what the figures are, for whoever reads the tables."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    commit = subprocess.run(["git", "-C", str(HERE), "describe", "--always", "--dirty"], text=True,
                            capture_output=True, check=False).stdout.strip()
    rounds = "one quick round, no measurement" if options.quick else f"rounds: {options.rounds}"
    return (f"{datetime.date.today()}, {os.cpu_count()} cores ({model[1] if model else 'unknown'}), "
            f"Linux {os.uname().release}, load average at the start {os.getloadavg()[0]:.1f}, "
            f"commit {commit or 'unknown'}, {rounds}.")


def keep(options, text, all_results):
    """Writes the files asked for."""
    if options.markdown:
        tables.write(text, options.markdown)
    if options.json:
        options.json.write_text(json.dumps(as_json(all_results), indent=1) + "\n")


def measure_all(names, options, chosen, context):
    """([Results], {name: Workload}) of the programs that can run here; the others are named. The files
    asked for are written after each program: a run takes long."""
    all_results, prepared = [], {}
    heading = conditions(options) + "\n\n"
    for name in names:
        try:
            workload, results = measure(name, options, chosen, context)
        except (Trouble, Failure) as error:
            context.progress.done()
            print(f"peers.py: {name}: {error}", file=sys.stderr)
            continue
        all_results.append(results)
        if workload is not None:
            prepared[name] = workload
        context.progress.finished(name)
        keep(options, heading + tables.document(all_results, prepared, chosen), all_results)
        for tool, trouble in results.troubles.items():
            print(f"peers.py: {name} under {tool}: {trouble}", file=sys.stderr)
    return all_results, prepared


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended and files go
    options = arguments()
    build = options.build.resolve()
    names = choose(options.only, NAMES, "program")
    known = {tool.name: tool for tool in tools.ALL}
    chosen = [known[name] for name in choose(options.tools, ["plain", *known], "tool") if name != "plain"]
    if not options.as_built:
        subprocess.run(["cmake", "--build", build, "--target", "seep_preload"], check=True,
                       stdout=subprocess.DEVNULL)
    supplies = Supplies(build, options.cache.resolve(), fetch=any(tool.unpacked for tool in chosen))
    chosen = available(chosen, supplies)
    with tempfile.TemporaryDirectory(prefix="peers-", dir=build) as scratch:
        work = pathlib.Path(scratch)
        context = Context(Programs(build, work), Launcher(work), supplies, Progress())
        context.programs.library_path += ":" + supplies.library_path
        all_results, prepared = measure_all(names, options, chosen, context)
    print(tables.document(all_results, prepared, chosen))
    sys.exit(0 if len(all_results) == len(names) else 1)


if __name__ == "__main__":
    main()
