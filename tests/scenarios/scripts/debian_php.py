"""Debian's PHP unpacked under the build folder, never installed, and runs of it alone and under seep."""
import dataclasses
import pathlib
import shutil
import signal
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(SOURCE / "tests" / "scenarios" / "real"))
from harness import environment, report  # noqa: E402

# Which release of Debian has it; None: this one.
RELEASES = {"7.4": "bullseye", "8.2": None, "8.4": "trixie"}
LONGEST_RUN_S = 180

# Composer's folder of libraries, filled by hand: what lies in it is not the user's own code.
AUTOLOAD = """<?php
spl_autoload_register(function (string $class): void {
    $file = __DIR__ . '/vendor/' . str_replace('\\\\', '/', $class) . '.php';
    if (is_file($file)) {
        require $file;
    }
});
"""


class Absent(SystemExit):
    """The packages cannot be had."""


@dataclasses.dataclass
class Run:
    out: bytes
    err: bytes
    status: int


class Php:
    """PHP from its packages, a work folder, and seep. A PHP of another release of Debian runs on its own libc.

    `name` is that of the folders packages-NAME and work-NAME in the build folder; `php` is the command of the
    command line program, which reads no settings until write_ini()."""

    def __init__(self, build_dir, name, packages, offline, version="8.2"):
        self.version = tuple(map(int, version.split(".")))
        self.longest_run_s = LONGEST_RUN_S
        self.seep = build_dir / "bin" / "seep"
        self.preload = build_dir / "lib" / "libseep.so"
        self.work = build_dir / f"work-{name}"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        unpacked = build_dir / f"packages-{name}"
        self.root = unpacked / "root"
        self.fetch = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(unpacked)]
        release = RELEASES[version]
        self.unpack(packages, release, offline)
        library_path = self.ask("--library-path")
        self.php = [str(self.root / "usr" / "bin" / f"php{version}")]
        if release:
            self.php = [self.ask("--loader"), "--library-path", library_path, *self.php]
        self.environment = environment("" if release else library_path,
                                       {"PHPRC": str(self.work / "php.ini"), "PHP_INI_SCAN_DIR": ""})

    def unpack(self, packages, release, offline):
        options = (["--release", release] if release else []) + (["--offline"] if offline else [])
        if subprocess.run([*self.fetch, *options, *packages], check=False).returncode:
            raise Absent("the packages of PHP could not be had (the reason is above)")

    def ask(self, option):
        return subprocess.run([*self.fetch, option], text=True, capture_output=True, check=True).stdout.strip()

    def write_ini(self, *extensions):
        """Settings for what is run from here on, and the extensions that it loads, those that there are."""
        [folder] = (self.root / "usr/lib/php").glob("20*")
        built = ("mbstring", "posix", "sockets", "tokenizer", "ctype")
        loaded = [f"extension={name}" for name in built if (folder / f"{name}.so").exists()]
        (self.work / "php.ini").write_text("\n".join(
            [f"extension_dir={folder}", *loaded, *(f"extension={path}" for path in extensions),
             "error_reporting=E_ALL & ~E_DEPRECATED", "display_errors=stderr", "memory_limit=512M", ""]))

    def autoload(self, libraries):
        """Copies folders to the names they have below vendor/, puts a loader of their classes beside it; its path."""
        for name, folder in libraries.items():
            shutil.copytree(folder, self.work / "vendor" / name, dirs_exist_ok=True)
        loader = self.work / "autoload.php"
        loader.write_text(AUTOLOAD)
        return loader

    def recordings(self, name):
        return self.work / name

    def tracked(self, name, **settings):
        """Variables that put a command under seep; every process records, however short it lives."""
        return {"LD_PRELOAD": str(self.preload), "SEEP_DIR": str(self.recordings(name)),
                "SEEP_MIN_LIFE": "0s", "SEEP_INTERVAL": "100ms", **settings}

    def run(self, command, added=None, ends_after=None):
        """To the end, or until it is asked to end after so many seconds."""
        process = subprocess.Popen(command, env={**self.environment, **(added or {})}, cwd=self.work,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=ends_after or self.longest_run_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM if ends_after else signal.SIGKILL)
            out, err = process.communicate()
        return Run(out, err, process.returncode)

    def report(self, path, *options):
        return report(self.seep, path, self.environment, *options)
