#!/usr/bin/env python3
"""Servers that root starts and whose workers run as another user, and PHP beside other allocators.

usage: workers.py --build-dir DIR [--offline] [--only NAME,…]

Packages are unpacked under the build folder, never installed (scripts/fetch_packages). Each case runs
alone and under seep; what clients get and how it ends must be the same, and the workers, which are
the ones that leak, must have recorded as the user that they run as. Exit status 1 when not.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "tests" / "scenarios" / "real"))
from harness import environment  # noqa: E402
from servers import free_port, wait_for_port  # noqa: E402

PACKAGES = ["php8.2-cli", "php8.2-common", "php8.2-fpm", "nginx"]
NOBODY = 65534
REQUESTS = 60
ALLOCATORS = [f"/usr/lib/x86_64-linux-gnu/{name}"
              for name in ("libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2")]

FPM_CONFIG = """
[global]
error_log = {work}/fpm.log
daemonize = no
[www]
user = nobody
group = nogroup
listen = {work}/fpm.socket
listen.owner = nobody
pm = static
pm.max_children = 1
clear_env = no
"""

NGINX_CONFIG = """
daemon off;
worker_processes 1;
pid {work}/nginx.pid;
user nobody nogroup;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {work}/temp; proxy_temp_path {work}/temp; fastcgi_temp_path {work}/temp;
  uwsgi_temp_path {work}/temp; scgi_temp_path {work}/temp;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      fastcgi_pass unix:{work}/fpm.socket;
      fastcgi_param SCRIPT_FILENAME {work}/page.php;
      fastcgi_param REQUEST_METHOD GET;
      fastcgi_param QUERY_STRING $query_string;
    }}
  }}
}}
"""

PAGE = """<?php
$kept = [];
for ($i = 0; $i < 2000; $i++) { $kept[] = str_repeat(chr(65 + $i % 26), 50 + $i % 300); }
echo md5(implode('', $kept)), ' ', ctype_alpha($kept[7]) ? 'letters' : 'no', ' ', $_GET['n'] ?? '', "\\n";
"""


class Trouble(Exception):
    """What is not as it must be."""


class Place:
    """The unpacked packages and a folder that every user can enter."""

    def __init__(self, build_dir, offline):
        self.seep = build_dir / "bin" / "seep"
        self.library = build_dir / "lib" / "libseep.so"
        into = build_dir / "packages-workers"
        fetch = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(into)]
        if subprocess.run(fetch + (["--offline"] if offline else []) + PACKAGES, check=False).returncode != 0:
            sys.exit("workers.py: the packages could not be unpacked")
        self.root = into / "root"
        self.library_path = subprocess.run(fetch + ["--library-path"], text=True, capture_output=True,
                                           check=True).stdout.strip()
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="seep-workers-"))
        self.work.chmod(0o755)
        (self.work / "page.php").write_text(PAGE)

    def environment(self, added=None):
        return environment(self.library_path, added or {})

    def report(self, path):
        done = subprocess.run([str(self.seep), "report", "--json", "--top", "0", str(path)], text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise Trouble(f"seep report {path}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def php(self):
        extension = next((self.root / "usr/lib/php").glob("*/ctype.so"))
        return ["-n", "-d", f"extension={extension}", "-d", "memory_limit=-1"]


@contextlib.contextmanager
def running(place, command, name, ready):
    with open(place.work / f"{name}.out", "wb") as log:
        process = subprocess.Popen(command, env=place.environment({"USE_ZEND_ALLOC": "0"}), cwd=place.work, stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        ready(process)
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_file(path):
    def ready(process):
        deadline = time.monotonic() + 10
        while not path.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f"{path.name} was not made: status {process.poll()}")
            time.sleep(0.02)
    return ready


def serve(place, under):
    """Answers of nginx and php-fpm, and how both ended. `under` puts a command under seep."""
    port = free_port()
    (place.work / "fpm.conf").write_text(FPM_CONFIG.format(work=place.work))
    (place.work / "nginx.conf").write_text(NGINX_CONFIG.format(work=place.work, port=port))
    (place.work / "fpm.socket").unlink(missing_ok=True)
    fpm = [str(place.root / "usr/sbin/php-fpm8.2"), *place.php(), "-y", str(place.work / "fpm.conf"), "-F"]
    nginx = [str(place.root / "usr/sbin/nginx"), "-e", "stderr", "-p", str(place.work), "-c",
             str(place.work / "nginx.conf")]
    answers = []
    # Zend's own allocator calls malloc rarely; a worker that allocates nothing takes no snapshot.
    with running(place, under(fpm), "fpm", wait_for_file(place.work / "fpm.socket")) as fpm_process, \
            running(place, under(nginx), "nginx", lambda process: wait_for_port(port, process)) as nginx_process:
        for number in range(REQUESTS):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/?n={number}", timeout=10) as answer:
                answers.append((answer.status, answer.read()))
            time.sleep(0.03)  # workers younger than SEEP_MIN_LIFE leave no recording
        statuses = []
        for process in (nginx_process, fpm_process):
            process.send_signal(signal.SIGQUIT)
            statuses.append(process.wait(timeout=20))
    return answers, statuses


def check_workers(place, recordings, program, count):
    """`count` processes of the program recorded as nobody, more than once, in directories of their own."""
    found = [path for path in sorted(recordings.glob(f"{program}.*")) if path.stat().st_uid == NOBODY]
    if len(found) != count:
        raise Trouble(f"{len(found)} recordings of {program} as nobody in {recordings}, not {count}: "
                      f"{[p.name for p in sorted(recordings.iterdir())]}")
    for path in found:
        if path.stat().st_mode & 0o777 != 0o700:
            raise Trouble(f"{path} has mode {path.stat().st_mode:o}")
        report = place.report(path)
        if report["process"]["uid"] != NOBODY or len(report["snapshots"]) < 4:
            raise Trouble(f"{path}: uid {report['process']['uid']}, {len(report['snapshots'])} snapshots")
        if report["losses"]["snapshots_failed"] != 0 or report["totals"]["live_blocks"] < 50:
            raise Trouble(f"{path}: {report['losses']}, {report['totals']['live_blocks']} blocks")


def run_workers(place):
    """nginx and php-fpm: the masters are root's, the workers nobody's."""
    recordings = place.work / "recordings"
    expected = serve(place, lambda command: command)
    got = serve(place, lambda command: [str(place.seep), "run", "--dir", str(recordings), "--interval", "100ms",
                                        "--report", str(place.work / "page.txt"), "--", *command])
    if got != expected:
        raise Trouble(f"answers or ends differ: {expected[1]} alone, {got[1]} under seep")
    check_workers(place, recordings, "nginx", 1)
    check_workers(place, recordings, "php-fpm8.2", 1)


def run_closed(place):
    """Workers that may not write where root records: they find a place of their own, the master is not disturbed."""
    recordings, elsewhere = place.work / "closed", place.work / "elsewhere"
    recordings.mkdir(mode=0o755)
    elsewhere.mkdir()
    elsewhere.chmod(0o1777)
    got = serve(place, lambda command: ["env", f"TMPDIR={elsewhere}", str(place.seep), "run", "--exec", "--dir",
                                        str(recordings), "--interval", "100ms", "--", *command])
    if got[1] != [0, 0] or len(got[0]) != REQUESTS:
        raise Trouble(f"ended with {got[1]}")
    check_workers(place, elsewhere, "nginx", 1)
    check_workers(place, elsewhere, "php-fpm8.2", 1)
    if "cannot be written" not in (elsewhere / "seep.log").read_text():
        raise Trouble("seep.log does not say why recordings are there")
    if len(list(recordings.glob("nginx.*"))) != 1:
        raise Trouble("the master did not record where it was told to")


def run_php(place):
    """PHP opens extensions with RTLD_DEEPBIND, past every preload: pdo then frees by libc what is jemalloc's."""
    pdo = next((place.root / "usr/lib/php").glob("*/pdo.so"))
    command = [str(place.root / "usr/bin/php8.2"), *place.php(), "-d", f"extension={pdo}",
               str(place.work / "page.php")]

    def run(added, prefix=()):
        done = subprocess.run([*prefix, *command], cwd=place.work, capture_output=True, check=False, timeout=60,
                              env=place.environment({"USE_ZEND_ALLOC": "0", **added}))
        return done.returncode, done.stdout, done.stderr
    expected = run({})
    for allocator in ALLOCATORS:
        if run({"LD_PRELOAD": allocator})[0] >= 0:
            raise Trouble(f"beside {allocator} alone it does not crash any more: this case shows nothing")
        for order in (f"{place.library}:{allocator}", f"{allocator}:{place.library}"):
            got = run({"LD_PRELOAD": order, "SEEP_DIR": str(place.work / "php")})
            if got != expected:
                raise Trouble(f"LD_PRELOAD={order}: {got}, not {expected}")
        name = pathlib.Path(allocator).name
        recordings, page = place.work / f"{name}.recordings", place.work / f"{name}.txt"
        got = run({"LD_PRELOAD": allocator}, (str(place.seep), "run", "--report", str(page), "--dir",
                                              str(recordings), "--"))
        if got != expected:
            raise Trouble(f"{name} under seep run: {got}, not {expected}")
        if place.report(recordings)["totals"]["live_blocks"] < 100:
            raise Trouble(f"{name} under seep run: nothing of PHP is seen")


CASES = {"workers": run_workers, "closed": run_closed, "php": run_php}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--build-dir", required=True, type=pathlib.Path)
    parser.add_argument("--offline", action="store_true", help="use the packages unpacked already, or fail")
    parser.add_argument("--only", help="comma separated names: " + ", ".join(CASES))
    options = parser.parse_args()
    place = Place(options.build_dir.resolve(), options.offline)
    failed = False
    for name in options.only.split(",") if options.only else CASES:
        if name != "php" and os.geteuid() != 0:
            print(f"workers.py: {name}: left out, only root can start such a server")
            continue
        begin = time.monotonic()
        try:
            CASES[name](place)
            print(f"workers.py: {name}: as expected, {time.monotonic() - begin:.1f} s")
        except Trouble as trouble:
            failed = True
            print(f"workers.py: {name}: {trouble}", file=sys.stderr)
    if failed:
        sys.exit(f"workers.py: kept {place.work}")
    shutil.rmtree(place.work, ignore_errors=True)


if __name__ == "__main__":
    main()
