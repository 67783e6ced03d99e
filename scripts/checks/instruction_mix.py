"""What kinds of instructions a library's functions have, and which of them a run executes.

The text of objdump, readelf and callgrind goes in, plain figures come out. x86-64, AT&T syntax.
"""

import re
import subprocess
from collections import namedtuple

# A tail call is a call; a fence costs what a locked instruction does, and counts as one.
Mix = namedtuple("Mix", "instructions calls indirect locked branches")
NO_MIX = Mix(0, 0, 0, 0, 0)

Instruction = namedtuple("Instruction", "mix target")  # target of a direct call or jump, or None
Function = namedtuple("Function", "name instructions")  # address to Instruction

FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*?)\s*(?:#.*)?$")
PREFIXES = {"notrack", "bnd", "rep", "repz", "repnz", "data16", "cs", "ds", "es", "ss", "rex.W"}
CLONE = re.compile(r"\.(?:part|constprop|isra|lto_priv)\.\d+")


def tool(*command, text=None):
    return subprocess.run([str(word) for word in command], input=text, capture_output=True,
                          text=True, check=True).stdout


def add(*mixes):
    return Mix(*(sum(column) for column in zip(*mixes))) if mixes else NO_MIX


def scale(mix, factor):
    return Mix(*(count * factor for count in mix))


# ---- objdump --------------------------------------------------------------------------------


def classify(text, begin, end):
    """The kind of one instruction of the function from `begin` to `end`."""
    words = text.split(None, 1)
    locked = False
    while words and (words[0] == "lock" or words[0] in PREFIXES):
        locked |= words[0] == "lock"
        words = words[1].split(None, 1) if len(words) > 1 else []
    name = words[0] if words else ""
    operands = words[1] if len(words) > 1 else ""
    locked |= name.startswith("xchg") and "(" in operands
    locked |= name in ("mfence", "sfence", "lfence")
    target = re.match(r"([0-9a-f]+) <", operands)
    target = int(target.group(1), 16) if target else None
    is_call = name.startswith("call")
    is_jump = name.startswith("jmp")
    leaves = target is not None and not begin <= target < end
    return Instruction(
        Mix(1, int((is_call or (is_jump and leaves)) and target is not None),
            int((is_call or is_jump) and operands.startswith("*")), int(locked),
            int(name.startswith("j") and not is_jump)),
        target if is_call or is_jump else None)


def parse_disassembly(text):
    """The functions of `objdump -d --no-show-raw-insn`, by their first address."""
    found = []  # (address, name, lines)
    for line in text.splitlines():
        header = FUNCTION.match(line)
        if header:
            found.append((int(header.group(1), 16), header.group(2), []))
        elif found:
            match = LINE.match(line)
            if match:
                found[-1][2].append((int(match.group(1), 16), match.group(2)))
    functions = {}
    for begin, name, lines in found:
        end = lines[-1][0] + 1 if lines else begin
        functions[begin] = Function(name, {address: classify(text, begin, end)
                                           for address, text in lines})
    return functions


def with_readable_names(functions):
    """The same with C++ names in place of symbols, without parameters: overloads and what the
    compiler split off count as one. What it moved aside as cold (`f [clone .cold]`) stays apart, and
    operators of the global namespace keep their symbols, which are hooks."""
    plain = [CLONE.sub("", function.name.split("@")[0]) for function in functions.values()]
    readable = tool("c++filt", "-p", text="\n".join(plain)).splitlines()
    return {begin: function._replace(name=name if symbol.startswith(("_ZN", "_ZZN")) else symbol)
            for (begin, function), symbol, name in zip(functions.items(), plain, readable)}


def code_mixes(functions):
    """Mix of all the code of each function, by name."""
    mixes = {}
    for function in functions.values():
        mixes[function.name] = add(
            mixes.get(function.name, NO_MIX),
            *(instruction.mix for instruction in function.instructions.values()))
    return mixes


def parse_frames(text):
    """Bytes of stack by function address, from `readelf --debug-dump=frames-interp`: the largest
    distance of the frame's begin from the stack pointer, the return address included."""
    sizes, begin = {}, None
    for line in text.splitlines():
        header = re.search(r" FDE .*pc=([0-9a-f]+)\.\.", line)
        if header:
            begin = int(header.group(1), 16)
            sizes[begin] = 8
        row = re.match(r"^[0-9a-f]{16} rsp\+(\d+) ", line)
        if row and begin is not None:
            sizes[begin] = max(sizes[begin], int(row.group(1)))
    return sizes


def stack_sizes(functions, frames):
    """The same by name; of the parts of a function the largest."""
    sizes = {}
    for begin, function in functions.items():
        sizes[function.name] = max(sizes.get(function.name, 0), frames.get(begin, 8))
    return sizes


# ---- callgrind ------------------------------------------------------------------------------


def parse_callgrind(text, library):
    """How often each instruction of `library` was executed, by address, and each direct or indirect
    call within it, by (address, target). `text` is of --dump-instr=yes --dump-line=no with names
    and positions in full."""
    executed, calls = {}, {}
    inside, callee_inside, inclusive = False, False, None
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "ob":
            inside = callee_inside = value == library
        elif key == "fn":
            callee_inside = inside
        elif key == "cob":
            callee_inside = value == library
        elif key == "calls":
            count, target = value.split()[:2]
            inclusive = (int(count), int(target, 16))
        elif line.startswith("0x"):
            address, cost = line.split()[:2]
            address = int(address, 16)
            if inclusive is not None:
                if inside and callee_inside:
                    edge = (address, inclusive[1])
                    calls[edge] = calls.get(edge, 0) + inclusive[0]
                inclusive, callee_inside = None, inside
            elif inside:
                executed[address] = executed.get(address, 0) + int(cost)
    return executed, calls


def function_names(functions):
    """Address of an instruction to the name of its function."""
    return {address: function.name for function in functions.values()
            for address in function.instructions}


def executed_mixes(functions, executed):
    """Mix of what was executed of each function, from counts by address, and how often the most
    executed instruction of each was: (mixes, peaks), both by name."""
    mixes, peaks = {}, {}
    for function in functions.values():
        for address, instruction in function.instructions.items():
            count = executed.get(address, 0)
            if count:
                name = function.name
                mixes[name] = add(mixes.get(name, NO_MIX), scale(instruction.mix, count))
                peaks[name] = max(peaks.get(name, 0), count)
    return mixes, peaks


def deepest_chain(edges, sizes, roots):
    """(bytes, names) of the chain of calls from `roots` that needs most stack. `edges` maps a name
    to the names it calls; a call back into the chain ends it."""
    def deepest(name, above):
        chains = [deepest(callee, above | {name}) for callee in edges.get(name, ())
                  if callee not in above and callee != name]
        below = max(chains, default=(0, []))
        return sizes.get(name, 8) + below[0], [name] + below[1]
    return max((deepest(root, frozenset()) for root in roots), default=(0, []))
