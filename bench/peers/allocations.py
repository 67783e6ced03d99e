"""How many allocations a workload makes: the births in the last snapshot of one run under seep.

Read from the file's table of sites (docs/file-format.md): a report names every stack, which takes
minutes for the hundreds of thousands that a compiler has.
"""
import collections
import struct

import tools
from launcher import Failure

Counted = collections.namedtuple("Counted", "blocks stacks")

HEADER = struct.Struct("<8sHHIII")  # up to section_entry_bytes
SECTION = struct.Struct("<IIQQ")
SITE = struct.Struct("<IIQ")
SECTION_SITES = 5
KIND_HEAP = 0


def read_sites(path):
    """Allocated blocks of each heap site in a snapshot."""
    data = path.read_bytes()
    _, major, _, header_bytes, sections, section_bytes = HEADER.unpack_from(data)
    if major != 1:
        raise Failure(f"snapshots of version {major} are not known here")
    for number in range(sections):
        found, entry_bytes, offset, size = SECTION.unpack_from(data, header_bytes + number * section_bytes)
        if found == SECTION_SITES:
            records = (SITE.unpack_from(data, offset + at) for at in range(0, size, entry_bytes))
            return [blocks for _, kind, blocks in records if kind == KIND_HEAP]
    raise Failure("a snapshot without sites")


def count(workload, context):
    """Blocks that the program ever allocated, realloc included, and how many different stacks."""
    launcher = context.launcher
    start = tools.seep()(context.supplies, launcher.fresh_folder())
    launcher.run(workload.command, {**workload.settings, **start.settings}, context.programs.environment())
    snapshots = sorted(launcher.written.rglob("snapshot-*.seep"), key=lambda path: path.name)
    if not snapshots:
        raise Failure("no snapshot to count allocations by")
    sites = read_sites(snapshots[-1])
    return Counted(sum(sites), len(sites))
