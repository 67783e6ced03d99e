#!/usr/bin/env python3
"""A site in Flask under gunicorn: a dictionary of the module that grows, and cycles while Python's collector is
off, are named by their lines; a page that keeps nothing is accused of nothing.

usage: python_web.py --build-dir DIR [--offline] [--requests N] [--only CASE,…]

Exit status 0 when all are right, 1 when not.
"""
import argparse
import http.client
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
sys.path[:0] = [str(SOURCE / "tests" / "scenarios" / "real"), str(HERE)]
from harness import environment, report  # noqa: E402
from reports import leak_rows, marked_line, passes  # noqa: E402
from servers import free_port, wait_for_port  # noqa: E402

PACKAGES = [f"python3-{name}" for name in ("gunicorn", "pkg-resources", "setuptools", "flask", "werkzeug", "jinja2",
                                           "markupsafe", "click", "itsdangerous")]
PYTHON = "/usr/bin/python3.11"
SITE = HERE / "programs" / "flask_site.py"
PAUSE_S = 0.004
END_S = 20


class Site:
    """Flask and gunicorn from their packages, a work folder, and seep."""

    def __init__(self, build_dir, offline):
        self.seep = build_dir / "bin" / "seep"
        self.preload = build_dir / "lib" / "libseep.so"
        self.work = build_dir / "services-python"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        fetch = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(build_dir / "packages-python-web")]
        if subprocess.run(fetch + (["--offline"] if offline else []) + PACKAGES, check=False).returncode:
            raise SystemExit("the packages could not be unpacked")
        packages = build_dir / "packages-python-web/root/usr/lib/python3/dist-packages"
        self.environment = environment("", {"PYTHONPATH": f"{packages}:{SITE.parent}",
                                            "PYTHONDONTWRITEBYTECODE": "1"})

    def serve(self, name, path, requests, added=None):
        """Asks for `path` so many times, with a number each; the answers' statuses. `name` None: without seep."""
        port = free_port()
        command = [PYTHON, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "flask_site:app"]
        tracked = {} if name is None else {"LD_PRELOAD": str(self.preload), "SEEP_INTERVAL": "100ms",
                                           "SEEP_MIN_LIFE": "0s", "SEEP_DIR": str(self.work / name)}
        with open(self.work / "gunicorn.log", "ab") as log:
            server = subprocess.Popen(command, env={**self.environment, **tracked, **(added or {})}, cwd=self.work,
                                      stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            wait_for_port(port, server)
            return {ask(port, path.format(number=number)) for number in range(requests)}
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(END_S)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)

    def rows(self, name):
        """The rows that are called leaks, of the server and its worker: what grows fastest first."""
        rows = [row for path in (self.work / name).glob("*.*") if path.is_dir()
                for row in leak_rows(report(self.seep, path, self.environment))]
        return sorted(rows, key=lambda row: -row.suspect["growth_bytes_per_s"])


def ask(port, path):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("GET", path)
    answer = client.getresponse()
    answer.read()
    client.close()
    time.sleep(PAUSE_S)
    return answer.status


def first_row_is(site, name, requests, added=None):
    statuses = site.serve(name, f"/{name}?number={{number}}", requests, added)
    if statuses != {200}:
        return f"answered {statuses}"
    rows, line = site.rows(name), marked_line(SITE, f"leaks {name}")
    if not rows or not rows[0].passes(SITE, line):
        return f"the first row is {rows[0].told if rows else 'no leak'}, not line {line}"
    return None


def clean(site, name, requests):
    alone, seen = site.serve(None, "/", 20), site.serve(name, "/", requests)
    if alone != {200} or seen != alone:
        return f"answered {alone} alone, {seen} under seep"
    rows = site.rows(name)
    return None if not rows else "accused: " + ", ".join(row.told for row in rows[:3])


CASES = {"clean": clean, "visit": first_row_is,
         "tree": lambda *case: first_row_is(*case, {"WITHOUT_GC": "1"})}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    parser.add_argument("--offline", action="store_true")
    parser.add_argument("--requests", type=int, default=600)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(CASES))
    options = parser.parse_args()
    site = Site(options.build_dir.resolve(), options.offline)
    return passes([(name, CASES[name](site, name, options.requests)) for name in options.only])


if __name__ == "__main__":
    sys.exit(main())
