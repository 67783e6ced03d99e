#!/usr/bin/env python3
"""Every sample under seep, Valgrind and LeakSanitizer: `seep compare` says of each what truth.txt says.

usage: run.py --build-dir DIR [--only SAMPLE,…]

Each tool runs the sample for a moment, so nothing here depends on how often its loop comes round. LeakSanitizer is
gcc's library, preloaded. Exit status 1 when anything differs.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
RUN_S = "0.2"
LONGEST_RUN_S = 120
NO_TOOLS = re.compile("^(SEEP_|LSAN_|ASAN_|VALGRIND|LD_PRELOAD$)")


def environment(**more):
    return {name: value for name, value in os.environ.items() if not NO_TOOLS.match(name)} | more


def run(words, **more):
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LONGEST_RUN_S, check=False, env=environment(**more))


def read_truth():
    rows = [line.split() for line in (HERE / "truth.txt").read_text().splitlines() if not line.startswith("#")]
    return {row[0]: row[1:] for row in rows if row}


def compare(build, sample, work):
    """The document of seep compare, and what it was made from in `work`."""
    program = build / "samples" / sample
    run([program, RUN_S], LD_PRELOAD=str(build / "lib/libseep.so"), SEEP_DIR=str(work / "seep"), SEEP_SCAN="exit",
        SEEP_MIN_LIFE="0")
    run(["valgrind", "--leak-check=full", "--show-leak-kinds=all", f"--log-file={work}/valgrind.%p.log", program, RUN_S])
    liblsan = run(["gcc", "-print-file-name=liblsan.so"]).stdout.strip()
    run([program, RUN_S], LD_PRELOAD=os.path.realpath(liblsan),
        LSAN_OPTIONS=f"exitcode=0:fast_unwind_on_malloc=0:log_path={work}/lsan")
    words = [build / "bin/seep", "compare", work / "seep", "--json", "-o", work / "compare.json"]
    for log in sorted(work.glob("valgrind.*")):
        words += ["--valgrind", log]
    (work / "lsan.none").touch()  # it writes nothing of a process without leaks
    for log in sorted(work.glob("lsan.*")):
        words += ["--lsan", log]
    done = run(words)
    if done.returncode != 0:
        return None, f"seep compare: status {done.returncode}: {done.stderr.strip()}"
    return json.loads((work / "compare.json").read_text()), ""


def passes_through(row, function):
    pattern = re.compile(rf"\b{function}\b")
    return any(pattern.search(frame["function"] or "") for frame in row["stack"])


def is_lost(finding):
    return any(amount and amount["bytes"] for amount in (finding["direct"], finding["indirect"]))


def said(rows):
    """Of the heaviest row: lost or kept, and of each other tool whether it was found, or why not."""
    def weight(row):
        seep = row["findings"][0]
        return is_lost(seep), row["leak"], seep["live"]["bytes"] if seep["live"] else 0
    row = max(rows, key=weight)
    seep, *others = row["findings"]
    return ["lost" if is_lost(seep) else "kept",
            *["found" if finding["found"] else finding["missed"] for finding in others]]


def judge(build, sample, truth):
    """What differs, as a sentence; empty where nothing does."""
    work = build / "compare" / sample
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    document, trouble = compare(build, sample, work)
    if trouble:
        return f"{sample}: {trouble}"
    function, *expected = truth
    rows = [row for row in document["leaks"] if passes_through(row, function)]
    if not rows:
        return f"{sample}: no row of {function}"
    found = said(rows)
    if found != expected:
        return f"{sample}: seep, valgrind, lsan: {' '.join(found)}; expected {' '.join(expected)} (see {work})"
    # What nobody loses but the function under test, nobody may be said to have found.
    strangers = [row["function"] for row in document["leaks"]
                 if not passes_through(row, function) and any(is_lost(one) for one in row["findings"][1:])]
    return f"{sample}: also lost in other tools: {strangers}" if strangers else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--only", help="these samples, separated by commas")
    options = parser.parse_args()
    truth = read_truth()
    wanted = options.only.split(",") if options.only else sorted(truth)
    build = options.build_dir.resolve()
    programs = {path.name for path in (build / "samples").iterdir() if path.is_file() and os.access(path, os.X_OK)}
    missing = sorted(name for name in programs - set(truth) if "." not in name and not options.only)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        differences = [text for text in pool.map(lambda name: judge(build, name, truth[name]), wanted) if text]
    differences += [f"{name}: truth.txt says nothing of it" for name in missing]
    for text in differences:
        print(text)
    print(f"{len(wanted) - len(differences)} of {len(wanted)} samples as truth.txt says")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
