"""Collapsed stacks, taken apart as FlameGraph's and inferno's scripts do it: the last words are the values,
semicolons stand between frames."""
import re
import shutil

from harness import CACHE_BYTES, FILE, LEAK_BYTES, MAP_BYTES, NAME, expect, expect_equal

LINE = re.compile(r"(.*?)((?: -?\d+)+)")


def read(text):
    stacks = {}
    for line in text.decode().splitlines():
        match = LINE.fullmatch(line)
        expect(match, f"no stack with values: {line!r}")
        frames = tuple(match[1].split(";"))
        expect(frames not in stacks, f"twice: {line!r}")
        stacks[frames] = [int(value) for value in match[2].split()]
    return stacks


LIBRARY_FRAME = 'a:b\\x0a"<\\x03\\xff.so+0x1234'
OUTER = ("(anonymous namespace)::outer_part", "(anonymous namespace)::inlined_part")
CACHE = (*OUTER, LIBRARY_FRAME)
LEAK = (*CACHE, "handle (/srv/app.py:7)", f"{NAME} ({FILE}:12)".replace(";", ":"))


def case_live_bytes_of_the_last_snapshot(place):
    stacks = read(place.export("--to", "collapsed", place.hostile))
    expect_equal(stacks, {LEAK: [LEAK_BYTES], CACHE: [CACHE_BYTES], OUTER: [MAP_BYTES]}, "stacks")


def case_an_earlier_snapshot_and_a_mark(place):
    expect_equal(read(place.export("--to", "collapsed", "--at", "2", place.hostile))[LEAK], [12_800], "--at 2")
    expect_equal(read(place.export("--to", "collapsed", "--at", "warm", place.hostile))[LEAK], [25_600], "--at warm")


def case_all_that_was_allocated(place):
    stacks = read(place.export("--to", "collapsed", "--allocated", place.hostile))
    expect_equal(stacks[CACHE], [40_960], "allocated")


def case_differences_have_a_sign(place):
    stacks = read(place.export("--to", "collapsed", "--since", "warm", place.hostile))
    expect_equal(stacks, {LEAK: [38_400], OUTER: [-60_000]}, "differences")
    both = read(place.export("--to", "collapsed", "--since", "warm", "--old-and-new", place.hostile))
    expect_equal(both, {LEAK: [25_600, 64_000], CACHE: [4_096, 4_096], OUTER: [960_000, 900_000]}, "both")


def case_processes_stand_outermost(place):
    stacks = read(place.export("--to", "collapsed", place.run))
    expect_equal(sorted(stacks), sorted((process, *stack) for process in ("hostile.100", "hostile.101")
                                        for stack in (LEAK, CACHE, OUTER)), "stacks")


def case_recordings_of_one_name_stay_apart(place):
    other = place.work / "elsewhere" / place.hostile.name
    shutil.copytree(place.hostile, other, dirs_exist_ok=True)
    stacks = read(place.export("--to", "collapsed", place.hostile, other))
    expect_equal(len({stack[0] for stack in stacks}), 2, "processes")


def case_wrong_words_are_refused(place):
    place.expect_refused("no snapshot has the number or mark 99", "--to", "collapsed", "--at", "99", place.hostile)
    place.expect_refused("is not earlier", "--to", "collapsed", "--at", "3", "--since", "3", place.hostile)
    place.expect_refused("of one recording", "--to", "collapsed", "--at", "3", place.run)
    place.expect_refused("--old-and-new needs --since", "--to", "collapsed", "--old-and-new", place.hostile)
    place.expect_refused("--to", "--to", "nothing", place.hostile)


def case_a_file_that_exists_is_kept(place):
    file = place.work / "stacks.folded"
    place.export("--to", "collapsed", place.hostile, "-o", file)
    expect_equal(len(read(file.read_bytes())), 3, "stacks in the file")
    file.write_text("old")
    place.expect_refused("exists already", "--to", "collapsed", place.hostile, "-o", file)
    expect_equal(file.read_text(), "old", "the file")
    place.export("--to", "collapsed", place.hostile, "-o", file, "--force")
    expect_equal(len(read(file.read_bytes())), 3, "stacks after --force")
