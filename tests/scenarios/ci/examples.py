#!/usr/bin/python3
"""Runs the examples of docs/ci.md as they stand there: with the leak they must fail and name it, without
it they must pass. Steps that install seep are left out: the build's own is in PATH."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

EXAMPLE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
FUNCTION = "count_words"


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


def run_github(job: dict, place: Path, environment: dict[str, str]) -> tuple[bool, str]:
    """As the service runs it: after a failure only steps that ask for it."""
    failed, output = False, ""
    for step in job["steps"]:
        if "run" not in step or step["name"].startswith("Install"):
            continue
        wanted = {None: not failed, "failure()": failed, "always()": True}[step.get("if")]
        if wanted:
            status, text = shell(step["run"], place, environment)
            failed, output = failed or status != 0, output + text
    return failed, output


def run_gitlab(job: dict, place: Path, environment: dict[str, str]) -> tuple[bool, str]:
    status, output = shell("\n".join(job["script"]), place, environment)
    after, text = shell("\n".join(job["after_script"]), place, environment)
    expect(after == 0, "after_script fails", text)
    return status != 0, output + text


def check_page(files: dict[str, str], leaks: bool, environment: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="seep-ci-") as name:
        place = Path(name)
        for file, text in files.items():
            (place / file).write_text(text, encoding="utf-8")
        (place / "leaks.supp").write_text("# nothing is known yet\n", encoding="utf-8")
        environment = {**environment, "CFLAGS": "-DLEAK" if leaks else "",
                       "GITHUB_STEP_SUMMARY": str(place / "summary.md")}
        github = yaml.safe_load(files["github.yml"])["jobs"]["leaks"]
        failed, output = run_github(github, place, environment)
        expect(failed == leaks, "GitHub's job " + ("passes" if leaks else "fails"), output)
        expect(not leaks or FUNCTION in output, "the output does not name the function", output)
        expect((place / "leaks.json").is_file(), "no leaks.json", output)
        if leaks:
            summary = (place / "summary.md").read_text(encoding="utf-8")
            expect("seep" in summary, "an empty summary", summary)
        status, output = shell(f"{sys.executable} -m pytest -q -p no:cacheprovider test_leaks.py",
                               place, environment)
        expect((status != 0) == leaks, "pytest " + ("passes" if leaks else "fails"), output)
        expect(not leaks or FUNCTION in output, "pytest does not name the function", output)
        (place / "leaks.supp").write_text(f"leak:{FUNCTION}\n", encoding="utf-8")
        (place / "leaks.json").unlink()
        failed, output = run_gitlab(yaml.safe_load(files["gitlab.yml"])["leaks"], place, environment)
        expect(not failed, "GitLab's job fails though the leak is suppressed", output)
        expect((place / "leaks.json").is_file(), "no leaks.json", output)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True)
    arguments = parser.parse_args()
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("SEEP_", "LD_"))}
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
