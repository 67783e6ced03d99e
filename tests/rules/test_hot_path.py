"""The parts of hot_path.py and what it finds when a hot path grows. Run by CTest as
rules.hot_path_self_test; scripts/checks is on PYTHONPATH.
"""

import unittest

import hot_path
import instruction_mix
from instruction_mix import Mix

OBJDUMP = """
0000000000001000 <malloc>:
    1000:\tpush   %rbx
    1001:\tlock cmpxchg %rcx,(%rdx)
    1006:\tcall   1100 <helper>
    100b:\tcall   *0x2fe2(%rip)        # 3ff0 <malloc@GLIBC>
    1011:\tje     1015 <malloc+0x15>
    1013:\txchg   %al,(%rdx)
    1015:\tjmp    1100 <helper>

0000000000001100 <helper>:
    1100:\txchg   %ax,%ax
    1102:\tjmp    1100 <helper>
    1104:\tnotrack jmp *%rax
    1107:\tret

0000000000001110 <_ZN4seep5table4findEv.part.0>:
    1110:\tcall   1010 <memcpy@plt>
    1115:\tret

0000000000001120 <_ZN4seep5table4findEv>:
    1120:\tjne    1110 <_ZN4seep5table4findEv.part.0>
    1122:\tret
"""

FRAMES = """
00000018 0000000000000024 0000001c FDE cie=00000000 pc=0000000000001000..0000000000001017
   LOC           CFA      rbx   ra
0000000000001000 rsp+8    u     c-8
0000000000001001 rsp+48   c-16  c-8
0000000000001013 rsp+16   c-16  c-8

00000058 0000000000000030 0000005c FDE cie=00000000 pc=0000000000001100..0000000000001108
"""

# malloc runs ten times; it calls helper within the library and something in libc.
CALLGRIND = """
positions: instr
events: Ir
ob=/usr/lib/libc.so.6
fl=???
fn=main
0x1000 99
cob=/build/libseep.so
cfn=malloc
calls=10 0x1000
0x1001 150
ob=/build/libseep.so
fl=???
fn=malloc
0x1000 10
0x1001 10
cfn=helper
calls=10 0x1100
0x1006 40
0x1006 10
cob=/usr/lib/libc.so.6
cfn=malloc'2
calls=10 0x1100
0x100b 500
0x100b 10

fn=helper
0x1100 10
"""


class InstructionMix(unittest.TestCase):
    def setUp(self):
        self.functions = instruction_mix.parse_disassembly(OBJDUMP)

    def test_counts_calls_jumps_out_and_locked_instructions(self):
        mixes = instruction_mix.code_mixes(self.functions)
        self.assertEqual(mixes["malloc"], Mix(7, calls=2, indirect=1, locked=2, branches=1))

    def test_takes_no_jump_within_for_a_call_and_no_padding_for_a_lock(self):
        mixes = instruction_mix.code_mixes(self.functions)
        self.assertEqual(mixes["helper"], Mix(4, calls=0, indirect=1, locked=0, branches=0))

    def test_counts_what_was_split_off_with_its_function(self):
        readable = instruction_mix.with_readable_names(self.functions)
        mixes = instruction_mix.code_mixes(readable)
        self.assertEqual(mixes["seep::table::find"], Mix(4, 1, 0, 0, 1))

    def test_reads_the_largest_frame(self):
        frames = instruction_mix.parse_frames(FRAMES)
        sizes = instruction_mix.stack_sizes(self.functions, frames)
        self.assertEqual((sizes["malloc"], sizes["helper"]), (48, 8))

    def test_reads_what_callgrind_counted_in_the_library_alone(self):
        executed, calls = instruction_mix.parse_callgrind(CALLGRIND, "/build/libseep.so")
        self.assertEqual(executed, {0x1000: 10, 0x1001: 10, 0x1006: 10, 0x100b: 10, 0x1100: 10})
        self.assertEqual(calls, {(0x1006, 0x1100): 10})

    def test_multiplies_the_mix_by_what_was_executed(self):
        mixes, peaks = instruction_mix.executed_mixes(self.functions, {0x1000: 2, 0x1001: 3})
        self.assertEqual(mixes, {"malloc": Mix(5, 0, 0, 3, 0)})
        self.assertEqual(peaks, {"malloc": 3})

    def test_adds_up_the_deepest_chain_and_survives_recursion(self):
        edges = {"a": {"b", "c"}, "b": {"a", "b"}, "c": {"d"}}
        sizes = {"a": 10, "b": 50, "c": 30, "d": 40}
        self.assertEqual(instruction_mix.deepest_chain(edges, sizes, ["a", "c"]),
                         (80, ["a", "c", "d"]))


class Golden(unittest.TestCase):
    CODE = {"malloc": (Mix(100, 2, 1, 3, 10), 64), "seep::a b": (Mix(50, 0, 0, 0, 5), 8)}
    RUN = {"exact: all": Mix(400.0, 5.0, 1.0, 2.0, 30.0), "malloc": Mix(90.5, 2.0, 1.0, 2.0, 8.25)}

    def setUp(self):
        self.golden = hot_path.Golden("GCC 12", self.CODE, self.RUN, 320)

    def assert_says(self, findings, *expected):
        self.assertEqual(len(findings), len(expected), [str(finding) for finding in findings])
        for finding, text in zip(findings, expected):
            self.assertIn(text, str(finding))

    def code(self, **changes):
        mix, stack = self.CODE["malloc"]
        stack += changes.pop("stack", 0)
        return {**self.CODE, "malloc": (mix._replace(**changes), stack)}

    def run_of(self, **changes):
        return {**self.RUN, "exact: all": self.RUN["exact: all"]._replace(**changes)}

    def test_reads_what_it_wrote(self):
        self.assertEqual(hot_path.parse_golden(hot_path.format_golden(self.golden)), self.golden)

    def test_accepts_small_differences_of_length(self):
        self.assert_says(hot_path.compare_code(
            self.golden, self.code(instructions=109, branches=11, stack=16)))
        self.assert_says(hot_path.compare_run(
            self.golden, self.run_of(instructions=419.0, locked=2.04), 340))

    def test_refuses_one_call_or_lock_more_or_less(self):
        for kind, counts in (("calls", (1, 3)), ("indirect", (0, 2)), ("locked", (2, 4))):
            for count in counts:
                self.assert_says(hot_path.compare_code(self.golden, self.code(**{kind: count})),
                                 f"malloc: {kind} ")

    def test_refuses_a_function_that_grew_needs_more_stack_or_is_gone(self):
        self.assert_says(hot_path.compare_code(self.golden, self.code(instructions=111, stack=24)),
                         "malloc: instructions 100 -> 111 (more), stack 64 -> 88 (more)")
        self.assert_says(hot_path.compare_code(self.golden, {"malloc": self.CODE["malloc"]}),
                         "seep::a b: no such function any more")

    def test_refuses_a_longer_run_and_says_where(self):
        run = {**self.run_of(instructions=421.0), "malloc": self.RUN["malloc"],
               "seep::slow": Mix(21, 0, 0, 0, 0)}
        self.assert_says(hot_path.compare_run(self.golden, run, 320),
                         "exact: all, a pair: instructions 400 -> 421 (more)",
                         "in seep::slow: instructions 0 -> 21 (more)")

    def test_refuses_a_run_with_another_lock_a_deeper_stack_or_no_such_mode(self):
        self.assert_says(hot_path.compare_run(self.golden, self.run_of(locked=3.0), 320),
                         "locked 2 -> 3")
        self.assert_says(hot_path.compare_run(self.golden, self.RUN, 400), "stack of the deepest")
        self.assert_says(hot_path.compare_run(self.golden, {"malloc": self.RUN["malloc"]}, 320),
                         "exact: all, a pair: instructions 400 -> 0")

    def test_tells_compilers_apart(self):
        self.assertEqual(hot_path.compiler_of("  [ 0]  GCC: (Debian 12.2.0-14) 12.2.0\n"), "GCC 12")
        self.assertEqual(hot_path.compiler_of(
            "  [ 0]  GCC: (Debian 12.2.0-14) 12.2.0\n  [ 29]  Debian clang version 14.0.6\n"),
            "clang 14")


if __name__ == "__main__":
    unittest.main()
