#!/usr/bin/env python3
"""Runs real programs alone and under seep and other tools, side by side, and prints the ratios.

    python3 bench/peers.py --build build/release [--rounds N] [--only NAME,…] [--tools NAME,…]

Each run of a tool stands between two runs of the program alone, and its time is divided by their
mean, so that what else the machine does falls on both. Nothing is installed: programs and tools that
are not on the machine are unpacked from Debian's packages. README.md says what each figure includes.
"""
import argparse
import json
import pathlib
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
from rounds import Progress, Rounds  # noqa: E402
from supplies import Supplies  # noqa: E402

QUICK_SCALE = 0.1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="a build folder of the release preset")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each tool; slow tools have fewer")
    parser.add_argument("--only", help=f"programs, comma separated: {', '.join(workloads.ALL)}")
    parser.add_argument("--tools", help=f"comma separated: plain, {', '.join(t.name for t in tools.ALL)}")
    parser.add_argument("--quick", action="store_true", help="one round over small inputs: does it all run?")
    parser.add_argument("--markdown", type=pathlib.Path, help="write the tables there as well")
    parser.add_argument("--json", type=pathlib.Path, help="write every run there")
    parser.add_argument("--as-built", action="store_true", help="build nothing first")
    return parser.parse_args()


def choose(text, known, what):
    chosen = text.split(",") if text else list(known)
    unknown = set(chosen) - set(known)
    if unknown:
        sys.exit(f"peers.py: no {what} {', '.join(sorted(unknown))}")
    return [name for name in known if name in chosen]


def chosen_tools(text, supplies):
    """The tools that can run here; the others are named on standard error."""
    by_name = {tool.name: tool for tool in tools.ALL}
    names = choose(text, ["plain", *by_name], "tool")
    found = []
    for name in names:
        if name == "plain":
            continue
        reason = by_name[name].missing(supplies)
        if reason:
            print(f"peers.py: {name} is left out: {reason}", file=sys.stderr)
        else:
            found.append(by_name[name])
    return found


def measure(name, options, chosen, context):
    """All rounds of one program; None when it cannot run here."""
    programs, launcher, supplies, progress = context
    try:
        workload = workloads.prepare(name, programs, QUICK_SCALE if options.quick else 1)
        rounds = Rounds(workload, launcher, programs, supplies, progress)
        results = rounds.run_all(chosen, 1 if options.quick else options.rounds)
        if any(tool.name == "seep" for tool in chosen):
            progress.say(f"{name}: counting allocations")
            results.allocations = allocations.count(workload, launcher, programs, supplies)
    except (Trouble, Failure) as error:
        print(f"peers.py: {name}: {error}", file=sys.stderr)
        return None, None
    return workload, results


def as_json(all_results):
    def run(entry):
        sample = entry.sample
        return {"tool": entry.tool, "round": entry.number, "wall_s": sample.wall_s, "cpu_s": sample.cpu_s,
                "peak_bytes": sample.peak_bytes, "written_bytes": sample.written_bytes,
                "plain_wall_s": entry.plain_wall_s, "plain_cpu_s": entry.plain_cpu_s,
                "plain_peak_bytes": entry.plain_peak_bytes}
    return {results.name: {"allocations": results.allocations._asdict() if results.allocations else None, "troubles": results.troubles,
                           "plain_wall_s": [sample.wall_s for sample in results.plain],
                           "runs": [run(entry) for entry in results.rounds]} for results in all_results}


def main():
    options = arguments()
    build = options.build.resolve()
    if not options.as_built:
        subprocess.run(["cmake", "--build", build, "--target", "seep_preload", "seep"], check=True,
                       stdout=subprocess.DEVNULL)
    names = choose(options.only, workloads.ALL, "program")
    supplies, progress = Supplies(build), Progress()
    chosen = chosen_tools(options.tools, supplies)
    all_results, prepared = [], {}
    with tempfile.TemporaryDirectory(prefix="peers-", dir=build) as scratch:
        work = pathlib.Path(scratch)
        programs, launcher = Programs(build, work), Launcher(work)
        for name in names:
            workload, results = measure(name, options, chosen, (programs, launcher, supplies, progress))
            if results is not None:
                prepared[name] = workload
                all_results.append(results)
    progress.done()
    text = tables.document(all_results, prepared, chosen)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    if options.json:
        options.json.write_text(json.dumps(as_json(all_results), indent=1) + "\n")
    for results in all_results:
        for tool, trouble in results.troubles.items():
            print(f"peers.py: {results.name} under {tool}: {trouble}", file=sys.stderr)
    sys.exit(0 if all_results else 1)


if __name__ == "__main__":
    main()
