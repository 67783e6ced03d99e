"""What the services in PHP share: Debian's PHP unpacked under the build folder, and runs under seep."""
import dataclasses
import pathlib
import shutil
import signal
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(SOURCE / "tests" / "scenarios" / "real"), str(pathlib.Path(__file__).parent)]
from harness import environment  # noqa: E402
from reports import report  # noqa: E402

LONGEST_RUN_S = 180

# Composer's folder of libraries, filled with Debian's: what lies in it is not the user's own code.
AUTOLOAD = """<?php
spl_autoload_register(function (string $class): void {
    $file = __DIR__ . '/vendor/' . str_replace('\\\\', '/', $class) . '.php';
    if (is_file($file)) {
        require $file;
    }
});
"""


@dataclasses.dataclass
class Run:
    out: bytes
    err: bytes
    status: int


class Php:
    """PHP and its libraries from their packages, a work folder, and seep."""

    def __init__(self, build_dir, name, packages, offline):
        self.seep = build_dir / "bin" / "seep"
        self.preload = build_dir / "lib" / "libseep.so"
        self.work = build_dir / f"services-{name}"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        unpacked = build_dir / f"packages-{name}"
        fetch = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(unpacked)]
        if subprocess.run(fetch + (["--offline"] if offline else []) + packages, check=False).returncode:
            raise SystemExit("the packages could not be unpacked")
        path = subprocess.run(fetch + ["--library-path"], text=True, capture_output=True, check=True)
        self.root = unpacked / "root"
        self.environment = environment(path.stdout.strip(), {"PHPRC": str(self.work / "php.ini"),
                                                             "PHP_INI_SCAN_DIR": ""})
        self.php = str(self.root / "usr/bin/php8.2")
        self.write_ini()

    def write_ini(self):
        [folder] = (self.root / "usr/lib/php").glob("20*")
        built = ("mbstring", "posix", "sockets", "tokenizer", "ctype")
        extensions = [f"extension={name}" for name in built if (folder / f"{name}.so").exists()]
        (self.work / "php.ini").write_text("\n".join(
            [f"extension_dir={folder}", *extensions, "error_reporting=E_ALL & ~E_DEPRECATED",
             "display_errors=stderr", "memory_limit=512M", ""]))

    def autoload(self, *libraries):
        """Puts folders into vendor/, and the loader of their classes beside it."""
        vendor = self.work / "vendor"
        vendor.mkdir(exist_ok=True)
        for library in libraries:
            shutil.copytree(library, vendor / library.name, dirs_exist_ok=True)
        loader = self.work / "autoload.php"
        loader.write_text(AUTOLOAD)
        return loader

    def recordings(self, name):
        return self.work / name

    def tracked(self, name, **settings):
        """Variables that put a command under seep."""
        return {"LD_PRELOAD": str(self.preload), "SEEP_DIR": str(self.recordings(name)),
                "SEEP_INTERVAL": "100ms", **settings}

    def run(self, command, added=None, ends_after=None):
        """To the end, or until it is asked to end after so many seconds."""
        process = subprocess.Popen(command, env={**self.environment, **(added or {})}, cwd=self.work,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=ends_after or LONGEST_RUN_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM if ends_after else signal.SIGKILL)
            out, err = process.communicate()
        return Run(out, err, process.returncode)

    def report(self, path):
        return report(self.seep, path, self.environment)
