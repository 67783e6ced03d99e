"""What the tools are made of on this machine: seep as built, the others unpacked, never installed."""
import pathlib
import re
import subprocess
import tempfile

from harness import SOURCE

PACKAGES = ["heaptrack", "libheaptrack", "libjemalloc2", "libgoogle-perftools4", "libtcmalloc-minimal4",
            "valgrind"]


class Supplies:
    """Where each tool's files are. `cache` keeps the unpacked packages between runs."""

    def __init__(self, build, cache, fetch):
        self.seep_library = build / "lib" / "libseep.so"
        self.settings = (SOURCE / "format" / "settings.inc").read_text()
        self.root = cache / "root"
        self.library_path = ""
        if fetch:
            self.unpack(cache)

    def unpack(self, cache):
        command = [str(SOURCE / "scripts" / "fetch_packages"), "--into", str(cache)]
        if subprocess.run([*command, *PACKAGES], check=False).returncode == 0:
            path = subprocess.run([*command, "--library-path"], text=True, capture_output=True, check=True)
            self.library_path = path.stdout.strip()

    def file(self, path):
        return self.root / path

    def lacks(self, path):
        """Why a tool that needs this file cannot run, or nothing."""
        return "" if self.library_path and self.file(path).exists() else f"no {pathlib.Path(path).name} unpacked"

    def lacks_profiling(self, library):
        """Why this jemalloc cannot profile, or nothing: asks it for a profile of /bin/true."""
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["/bin/true"], check=False, stderr=subprocess.DEVNULL,
                           env={"LD_PRELOAD": str(library), "LD_LIBRARY_PATH": self.library_path,
                                "MALLOC_CONF": f"prof:true,prof_final:true,prof_prefix:{folder}/probe"})
            made = any(pathlib.Path(folder).iterdir())
        return "" if made else "this jemalloc is built without profiling"

    def is_active(self, setting):
        """Whether format/settings.inc marks SEEP_<setting> as acted on."""
        pattern = rf'SEEP_SETTING\({setting}, \w+, "[^"]*", true,'
        return re.search(pattern, self.settings) is not None
