#!/usr/bin/python3
"""Runs the examples of docs/ci.md as they stand there: with the leak they must fail and name it, without
it they must pass. Steps that install seep are left out: the build's own is in PATH; `gh` is a stand-in
that keeps what it is told."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

import yaml

EXAMPLE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
FUNCTION = "count_words"
GH = """#!/bin/sh
printf '%s\\n' "$*" > gh.txt
cat >> gh.txt
"""
# What a step needs of the service alone, by the action it uses: the input that names files of ours.
ACTIONS = {"actions/checkout": None, "actions/upload-artifact": "path",
           "github/codeql-action/upload-sarif": "sarif_file"}
GIVEN = {"${{ github.token }}": "token", "${{ github.event.number }}": "17"}


class Failed(Exception):
    pass


def examples(page: Path) -> dict[str, str]:
    return dict(EXAMPLE.findall(page.read_text(encoding="utf-8")))


def shell(script: str, place: Path, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(["bash", "-e", "-c", script], cwd=place, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False)
    return done.returncode, done.stdout


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


def run_github(job: dict, place: Path, environment: dict[str, str]) -> tuple[bool, str]:
    """As the service runs it for a pull request: after a failure only steps that ask for it."""
    failed, output = False, ""
    for step in job["steps"]:
        condition = step.get("if", "success()").replace("github.event_name == 'pull_request'", "True")
        outcome = {"success()": not failed, "failure()": failed, "failure() && True": failed, "always()": True}
        wanted = outcome[condition]
        if "uses" in step:
            if wanted:
                check_action(step, place)
        elif wanted and not step["name"].startswith("Install"):
            own = {name: GIVEN[value] for name, value in step.get("env", {}).items()}
            status, text = shell(step["run"], place, environment | own)
            failed, output = failed or status != 0, output + text
    return failed, output


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


def check_page(files: dict[str, str], leaks: bool, environment: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="seep-ci-") as name:
        place = Path(name)
        for file, text in files.items():
            (place / file).write_text(text, encoding="utf-8")
        (place / "leaks.supp").write_text("# nothing is known yet\n", encoding="utf-8")
        (place / "gh").write_text(GH, encoding="utf-8")
        (place / "gh").chmod(0o755)
        environment = {**environment, "CFLAGS": "-DLEAK" if leaks else "", "GITHUB_REPOSITORY": "owner/words",
                       "GITHUB_STEP_SUMMARY": str(place / "summary.md"), "PATH": f"{place}:{environment['PATH']}"}
        github = yaml.safe_load(files["github.yml"])["jobs"]["leaks"]
        failed, output = run_github(github, place, environment)
        expect(failed == leaks, "GitHub's job " + ("passes" if leaks else "fails"), output)
        if leaks:
            check_leak_is_shown(place, output)
        else:
            expect(failures_of(place) == 0 and not (place / "gh.txt").exists(), "something is said", output)
        check_pytest(place, leaks, environment)
        (place / "leaks.supp").write_text(f"leak:{FUNCTION}\n", encoding="utf-8")
        failed, output = run_gitlab(yaml.safe_load(files["gitlab.yml"])["leaks"], place, environment)
        expect(not failed, "GitLab's job fails though the leak is suppressed", output)
        expect(failures_of(place) == 0, "a suppressed leak is a failure", output)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True)
    arguments = parser.parse_args()
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("SEEP_", "LD_", "GITHUB_"))}
    environment["PATH"] = f"{arguments.build_dir.resolve() / 'bin'}:{environment['PATH']}"
    files = examples(arguments.page)
    try:
        for leaks in (True, False):
            check_page(files, leaks, environment)
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
