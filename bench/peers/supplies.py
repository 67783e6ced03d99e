"""What the tools are made of on this machine: found, unpacked or built; never installed."""
import re

from harness import SOURCE


class Supplies:
    """Where each tool's files are; settings.inc says which settings this tree acts on."""

    def __init__(self, build):
        self.build = build
        self.seep_library = build / "lib" / "libseep.so"
        self.seep_command = build / "bin" / "seep"
        self.settings = (SOURCE / "format" / "settings.inc").read_text()

    def is_active(self, setting):
        """Whether format/settings.inc marks SEEP_<setting> as acted on."""
        pattern = rf'SEEP_SETTING\({setting}, \w+, "[^"]*", true,'
        return re.search(pattern, self.settings) is not None
