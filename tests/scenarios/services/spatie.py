#!/usr/bin/env python3
"""spatie/async itself, one pool for the life of a worker: all tasks succeed under seep, one report comes of all the
processes, and its first rows lead to the pool's $finished and $results. Cleared after every 1,000 tasks, both
go up and down, with --long.

usage: spatie.py --build-dir DIR [--spatie DIR] [--offline] [--long]

The source is not Debian's: --spatie or SEEP_TEST_SPATIE names a checkout of it; symfony/process and
laravel/serializable-closure are Debian's. Exit status 0 when all is right, 1 when not, 77 without a checkout.
"""
import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from pool import HERE, PACKAGES, PERIODS, Php, TASKS, leak_rows, not_named, passes, run_both  # noqa: E402

NEEDED = [*PACKAGES, "php8.2-mbstring", "php-symfony-process", "php-laravel-serializable-closure"]
SCRIPT = HERE / "programs" / "spatie_pool.php"
SKIPPED = 77
FIRST_ROWS = 8
# Where what $finished and $results keep of a task's answer is made.
OUTPUT = ("Process::addOutput", "ParallelProcess::getOutput")
LONGEST_CLEARED_S = 850  # 5,000 processes of PHP, each of which reads some thirty files


def kept(php, loader):
    problem = run_both(php, "kept", SCRIPT, loader, TASKS, 0)
    if problem:
        return problem
    return not_named(leak_rows(php.report(php.recordings("kept")))[:FIRST_ROWS])


def cleared(php, loader):
    clear = 1000
    php.longest_run_s = LONGEST_CLEARED_S
    problem = run_both(php, "cleared", SCRIPT, loader, PERIODS * clear, clear)
    if problem:
        return problem
    report = php.report(php.recordings("cleared"))
    accused = [row.told for row in leak_rows(report)]
    if accused:
        return f"accused: {accused[:3]}"
    for function in OUTPUT:
        why = {row["why"]: row["behaviour"] for row in report["suspects"]
               if max(row["series"]["live_blocks"]) > clear / 4
               and (row["stack"][row["blame"]]["function"] or "").endswith(function)}
        if not why or set(why.values()) != {"sawtooth"}:
            return f"{function} is no sawtooth: {why}"
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--spatie", default=os.environ.get("SEEP_TEST_SPATIE", ""))
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args()
    source = pathlib.Path(options.spatie).resolve() / "src"
    if not options.spatie or not (source / "Pool.php").exists():
        print(f"SKIPPED: no checkout of spatie/async: SEEP_TEST_SPATIE is '{options.spatie}'")
        return SKIPPED
    php = Php(options.build_dir.resolve(), "spatie", NEEDED, options.offline)
    php.write_ini()
    shared = php.root / "usr/share/php"
    loader = php.autoload({"Spatie/Async": source, "Symfony": shared / "Symfony", "Laravel": shared / "Laravel"})
    cases = {"kept": kept, **({"cleared": cleared} if options.long else {})}
    return passes([(name, case(php, loader)) for name, case in cases.items()])


if __name__ == "__main__":
    sys.exit(main())
