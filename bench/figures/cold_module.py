"""Writes the assembly of a module whose every call path is met once: seep_figures_cold calls through
it. CHAINS chains of LEVELS functions, each with a frame and unwind tables as a compiler would write
them; the last of a chain calls malloc. (A compiler takes minutes for as many functions.)"""

LEVELS = 4
CHAINS = 10000

# The registers that a function saves; rules change from one function to the next.
SAVED = [["rbx"], ["rbp", "rbx"], ["r12", "rbp", "rbx"], ["r15", "r14"], ["r13"], []]


def function(level, chain):
    callee = "malloc@PLT" if level == LEVELS - 1 else f"call_{level + 1}_{chain}"
    number = level * CHAINS + chain
    saved = SAVED[number % len(SAVED)]
    room = 16 * (number * 7 % 13 + 1) + (0 if len(saved) % 2 == 1 else 8)  # rsp stays aligned
    yield f"call_{level}_{chain}:\n  .cfi_startproc\n"
    for register in saved:
        yield (f"  pushq %{register}\n  .cfi_adjust_cfa_offset 8\n"
               f"  .cfi_rel_offset {register}, 0\n")
    yield f"  subq ${room}, %rsp\n  .cfi_adjust_cfa_offset {room}\n  call {callee}\n"
    yield f"  addq ${room}, %rsp\n  .cfi_adjust_cfa_offset -{room}\n"
    for register in reversed(saved):
        yield f"  popq %{register}\n  .cfi_adjust_cfa_offset -8\n  .cfi_restore {register}\n"
    yield "  ret\n  .cfi_endproc\n"


def source():
    yield "  .text\n"
    for level in range(LEVELS):
        for chain in range(CHAINS):
            yield from function(level, chain)
    yield '  .section .data.rel.ro, "aw"\n  .balign 8\n'
    for level in range(LEVELS):
        yield f"  .globl cold_calls_{level}\ncold_calls_{level}:\n"
        yield from (f"  .quad call_{level}_{chain}\n" for chain in range(CHAINS))
    yield f"  .globl cold_chains\ncold_chains:\n  .long {CHAINS}\n"
    yield '  .section .note.GNU-stack, "", @progbits\n'
