"""What the readers of all formats share: recordings with hostile names, and how `seep export` is run."""
import json
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[2]
PACKAGES = ["python3-protobuf", "python3-jsonschema", "python3-attr", "python3-pyrsistent", "python3-prometheus-client",
            "python3-junitparser", "python3-future"]

# As write_recordings.cpp has them, and as every format shows them.
NAME = 'Pool;run\\x0a"<&>\' \\x01\\x7f\\xff\\xef\\xbf\\xbe\\xe2\\x80\\xaeä'
FILE = '/srv/we;b\\x0d "<&]]>\\x02\\xfe%20.php'
LIBRARY = '/opt/a;b\\x0a"<\\x03\\xff.so'
LEAK_BYTES, CACHE_BYTES, MAP_BYTES = 64_000, 4_096, 900_000


class Trouble(Exception):
    pass


def expect(condition, text):
    if not condition:
        raise Trouble(text)


def expect_equal(found, wanted, what):
    expect(found == wanted, f"{what}: {found!r} instead of {wanted!r}")


class Place:
    def __init__(self, build, name):
        self.build = build
        self.work = build / "export" / name
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        subprocess.run([build / "bin/seep_write_recordings", self.work], check=True)
        self.run = self.work / "run"
        self.hostile = self.run / "hostile.100"
        self.sampled = self.work / "sampled.200"

    def seep(self, *words):
        command = [str(word) for word in (self.build / "bin/seep", "export", *words)]
        return subprocess.run(command, capture_output=True, check=False, cwd=self.work)

    def export(self, *words):
        """What it prints, as bytes."""
        done = self.seep(*words)
        expect(done.returncode == 0, f"export {words}: status {done.returncode}, {done.stderr.decode()}")
        return done.stdout

    def suspects(self, path):
        """Of `seep report`, by id."""
        command = [self.build / "bin/seep", "report", "--json", "--top", "0", path]
        report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return {suspect["id"]: suspect for suspect in report["suspects"]}

    def leak(self, path):
        """The one leak of a hostile recording."""
        found = [suspect for suspect in self.suspects(path).values() if suspect["leak"]]
        expect_equal([suspect["verdict"] for suspect in found], ["growing"], "leaks of the report")
        return found[0]

    def suppressions(self):
        """A file that accepts the leak; its name must be escaped too."""
        path = self.work / "known.supp"
        path.write_text("leak:handle\n")
        return path

    def expect_refused(self, part, *words):
        done = self.seep(*words)
        expect_equal(done.returncode, 2, f"status of export {words}")
        expect(part in done.stderr.decode(), f"export {words} does not say {part!r}: {done.stderr.decode()}")


def use_packages(build):
    """Lets Python find the modules of Debian's packages, unpacked under the build folder."""
    into = build / "packages-export"
    subprocess.run([SOURCE / "scripts/fetch_packages", "--into", into, *PACKAGES], check=True)
    sys.path.append(str(into / "root/usr/lib/python3/dist-packages"))
