#!/usr/bin/python3
"""Runs the examples of docs/ci.md as they stand there, with no file that is not on the page: with the leak they
must fail and name it, without it they must pass. Steps that install seep are left out (that they install what the
others run is checked): the build's own is in PATH; `gh` is a stand-in that keeps what it is told."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)$", re.MULTILINE)
FUNCTION = "count_words"
GH = """#!/bin/sh
printf '%s\\n' "$*" > gh.txt
cat >> gh.txt
"""
# What a step needs of the service alone, by the action it uses: the input that names files of ours.
ACTIONS = {"actions/checkout": None, "actions/upload-artifact": "path",
           "github/codeql-action/upload-sarif": "sarif_file"}
GIVEN = {"${{ github.token }}": "token", "${{ github.event.number }}": "17"}
HASH_FILES = re.compile(r"hashFiles\('([^']+)'\) != ''")
# Packages that a command of the jobs needs; debian:12 has none of them.
NEEDS = {"apt-get": set(), "cat": set(), "git": {"git"}, "gh": {"gh"}, "cmake": {"cmake"}, "ctest": {"cmake"}}
SETS_UP = "seep/scripts/demo"


class Failed(Exception):
    pass


def shell(script: str, place: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Whatever the script started ends with it."""
    process = subprocess.Popen(["bash", "-e", "-c", script], cwd=place, env=environment, text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        raise Failed(f"not within 300 s: {script}\n{output}") from None
    return process.returncode, output


def expect(condition: bool, what: str, output: str) -> None:
    if not condition:
        raise Failed(f"{what}\n{output}")


def check_action(step: dict, place: Path) -> None:
    """What the step hands to the service is there."""
    action = step["uses"].partition("@")[0]
    expect(action in ACTIONS, "an action that nobody knows", str(step))
    if ACTIONS[action]:
        files = [*(place / step["with"][ACTIONS[action]]).iterdir()]
        expect(any(file.suffix == ".sarif" for file in files), f"nothing for {action}", str(files))


def is_wanted(condition: str, failed: bool, may_write: bool, place: Path) -> bool:
    """Of a pull request; `may_write`: not of a fork."""
    known = {"success()": not failed, "failure()": failed, "always()": True,
             "github.event_name == 'pull_request'": True, "env.MAY_WRITE == 'true'": may_write}
    wanted = True
    for term in condition.strip().split(" && "):
        files = HASH_FILES.fullmatch(term)
        wanted = (any(place.glob(files[1])) if files else known[term]) and wanted
    return wanted


def run_github(job: dict, place: Path, environment: dict[str, str], may_write: bool = True) -> tuple[list[str], str]:
    """As the service runs it: after a failure only steps that ask for it. The names of those that failed."""
    failed, output = [], ""
    for step in job["steps"]:
        wanted = is_wanted(step.get("if", "success()"), bool(failed), may_write, place)
        if "uses" in step:
            if wanted:
                check_action(step, place)
        elif wanted and not step["name"].startswith("Install"):
            own = {name: GIVEN[value] for name, value in step.get("env", {}).items()}
            status, text = shell(step["run"], place, environment | own)
            failed, output = failed + [step["name"]] * (status != 0), output + text
    return failed, output


def check_installed(lines: list[str]) -> None:
    """Each command of a job is of the image, or of a package that a line before it installs."""
    of_build = {line.split()[1] for line in (ROOT / "scripts/packages.txt").read_text(encoding="utf-8").splitlines()
                if line.startswith("build ")}
    installed = set()
    for command in (part.split() for line in lines for part in re.split(r"&&|\|", line)):
        if command[0] == SETS_UP:
            installed |= of_build
        elif command[:2] == ["apt-get", "install"]:
            installed |= set(command[2:])
        else:
            missing = (NEEDS[command[0]] | ({"make"} if "--build" in command else set())) - installed
            expect(not missing, f"nothing installs {missing}", " ".join(command))


def run_gitlab(job: dict, place: Path, environment: dict[str, str]) -> tuple[bool, str]:
    status, output = shell("\n".join(job["script"]), place, environment)
    for pattern in [job["artifacts"]["reports"]["junit"], *job["artifacts"]["paths"]]:
        expect(any(place.glob(pattern)), f"no artifact {pattern}", output)
    return status != 0, output


def failures_of(place: Path) -> int:
    suites = [xml.etree.ElementTree.parse(file).getroot() for file in place.glob("build/leaks/*.xml")]
    expect(len(suites) == 2, "not a suite for each program", str(suites))
    return sum(int(suite.get("failures")) for suite in suites)


def check_leak_is_shown(place: Path, output: str) -> None:
    """In the log, the summary, the comment and at the line."""
    for text in ("seep: check: 1 leak", "words.leaks ", "***Failed"):
        expect(text in output, f"the log has no {text!r}", output)
    expect(re.search(r"letters.leaks \.+ +Passed", output) is not None, "the test without a leak", output)
    summary = (place / "summary.md").read_text(encoding="utf-8")
    expect(FUNCTION in summary, "the summary does not name the function", summary)
    told = (place / "gh.txt").read_text(encoding="utf-8")
    expect(told.startswith("pr comment 17 --repo owner/words ") and FUNCTION in told, "the comment", told)
    run = json.loads((place / "build/leaks/words.sarif").read_text(encoding="utf-8"))["runs"][0]
    expect(run["automationDetails"]["id"] == "seep/words/", "the category", str(run))
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    expect(location["uri"] == "words.c" and location["uriBaseId"] == "SRCROOT", "the file", str(location))
    expect(failures_of(place) == 1, "failures in JUnit XML", output)


def check_pytest(place: Path, leaks: bool, environment: dict[str, str]) -> None:
    status, output = shell(f"{sys.executable} -m pytest -q -p no:cacheprovider test_leaks.py", place, environment)
    expect((status != 0) == leaks, "pytest " + ("passes" if leaks else "fails"), output)
    # The command, and the service as its test is over.
    found = len(re.findall(rf"check: leak .* at {FUNCTION} ", output))
    expect(found == (2 if leaks else 0), f"pytest names the function {found} times", output)


def check_by_hand(page: str, place: Path, environment: dict[str, str]) -> None:
    """The commands that show the test fail. Their build folder is the one of the jobs: that keeps -DLEAK."""
    configure, test = COMMAND.findall(page)
    status, output = shell(configure, place, environment)
    expect(status == 0, "the page's build", output)
    status, output = shell(test, place, environment)
    expect(status != 0 and "seep: check: 1 leak" in output, "the page's test finds no leak", output)


def check_of_a_fork(job: dict, place: Path, environment: dict[str, str]) -> None:
    (place / "gh.txt").unlink()
    (place / "summary.md").unlink()
    failed, output = run_github(job, place, environment, may_write=False)
    expect(failed == ["Test"] and not (place / "gh.txt").exists(), f"of a fork: {failed}", output)
    expect(FUNCTION in (place / "summary.md").read_text(encoding="utf-8"), "no summary for a fork", output)


def check_github(job: dict, place: Path, leaks: bool, environment: dict[str, str]) -> None:
    failed, output = run_github(job, place, environment)
    expect(failed == (["Test"] if leaks else []), f"steps of GitHub's job that failed: {failed}", output)
    if leaks:
        check_leak_is_shown(place, output)
        check_of_a_fork(job, place, environment)
    else:
        expect(failures_of(place) == 0 and not (place / "gh.txt").exists(), "something is said", output)


def check_gitlab(job: dict, place: Path, environment: dict[str, str]) -> None:
    (place / "leaks.supp").write_text(f"leak:{FUNCTION}\n", encoding="utf-8")
    failed, output = run_gitlab(job, place, environment)
    expect(not failed, "GitLab's job fails though the leak is suppressed", output)
    expect(failures_of(place) == 0, "a suppressed leak is a failure", output)


def check_build_that_fails(files: dict[str, str], environment: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="seep-ci-") as name:
        place = write_files(files, Path(name))
        (place / "words.c").write_text("#error\n", encoding="utf-8")
        failed, output = run_github(github_job(files), place, environment | of_github(place))
        expect(failed == ["Build"], f"steps that fail after a build that failed: {failed}", output)


def write_files(files: dict[str, str], place: Path) -> Path:
    for file, text in files.items():
        (place / file).write_text(text, encoding="utf-8")
    return place


def of_github(place: Path) -> dict[str, str]:
    return {"GITHUB_REPOSITORY": "owner/words", "GITHUB_STEP_SUMMARY": str(place / "summary.md")}


def github_job(files: dict[str, str]) -> dict:
    return yaml.safe_load(files["github.yml"])["jobs"]["leaks"]


def check_page(page: str, leaks: bool, environment: dict[str, str]) -> None:
    files = dict(EXAMPLE.findall(page))
    with tempfile.TemporaryDirectory(prefix="seep-ci-") as name, tempfile.TemporaryDirectory(prefix="seep-gh-") as tools:
        place = write_files(files, Path(name))
        (Path(tools) / "gh").write_text(GH, encoding="utf-8")
        (Path(tools) / "gh").chmod(0o755)
        environment = environment | of_github(place) | {"PATH": f"{tools}:{environment['PATH']}"}
        if leaks:
            check_by_hand(page, place, environment)
        check_github(github_job(files), place, leaks, environment)
        check_pytest(place, leaks, environment)
        check_gitlab(yaml.safe_load(files["gitlab.yml"])["leaks"], place, environment)


def check_jobs(files: dict[str, str]) -> None:
    gitlab = yaml.safe_load(files["gitlab.yml"])["leaks"]
    check_installed(gitlab["before_script"] + gitlab["script"])
    check_installed([line for step in github_job(files)["steps"] if "run" in step for line in step["run"].splitlines()])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True)
    arguments = parser.parse_args()
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("SEEP_", "LD_", "GITHUB_", "CMAKE_")) and name != "CFLAGS"}
    environment["PATH"] = f"{arguments.build_dir.resolve() / 'bin'}:{environment['PATH']}"
    page = arguments.page.read_text(encoding="utf-8")
    files = dict(EXAMPLE.findall(page))
    try:
        check_jobs(files)
        check_build_that_fails(files, environment)
        for leaks in (True, False):
            check_page(page, leaks, environment)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
