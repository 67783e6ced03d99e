"""Valgrind's XML, read by expat and held against protocol 4, as what Valgrind itself writes here is."""
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree

from harness import FILE, LEAK_BYTES, LIBRARY, NAME, expect, expect_equal

# The children of an element in their order; "?" may be missing, "*" may repeat or be missing (xml-output-protocol4.txt
# of Valgrind: what it allows of memcheck's leaks).
GRAMMAR = {
    "valgrindoutput": "protocolversion protocoltool preamble pid ppid tool args status status error* errorcounts "
                      "suppcounts",
    "preamble": "line line*",
    "args": "vargv argv",
    "vargv": "exe arg*",
    "argv": "exe arg*",
    "status": "state time",
    "error": "unique tid kind xwhat stack auxwhat*",
    "xwhat": "text leakedbytes leakedblocks",
    "stack": "frame frame*",
    "frame": "ip obj? fn? dir? file? line?",
    "errorcounts": "pair*",
    "suppcounts": "pair*",
}
PAIRS = {"errorcounts": "count unique", "suppcounts": "count name"}
TEXTS = {"protocolversion": "4", "protocoltool": "memcheck", "tool": "memcheck", "pid": r"\d+", "ppid": r"\d+",
         "state": "RUNNING|FINISHED", "time": r"\d\d:\d\d:\d\d:\d\d\.\d{3} ", "unique": "0x[0-9a-f]+", "tid": r"\d+",
         "kind": "Leak_(DefinitelyLost|IndirectlyLost|PossiblyLost|StillReachable)", "ip": "0x[0-9A-F]+",
         "leakedbytes": r"\d+", "leakedblocks": r"\d+", "line": None, "count": r"\d+",
         "text": r"[\d,]+ (\([\d,]+ direct, [\d,]+ indirect\) )?bytes in [\d,]+ blocks are "
                 r"(definitely lost|indirectly lost|possibly lost|still reachable) in loss record [\d,]+ of [\d,]+"}


def check(element, grammar=None):
    """The element and what is in it, against the grammar."""
    grammar = grammar or GRAMMAR.get(element.tag)
    if grammar is None:
        pattern = TEXTS.get(element.tag)
        expect(pattern is None or re.fullmatch(pattern, element.text), f"<{element.tag}> is {element.text!r}")
        expect_equal(len(element), 0, f"children of <{element.tag}>")
        return
    expression = "".join(f"(?:{name.rstrip('?*')} ){name[-1] if name[-1] in '?*' else ''}" for name in grammar.split())
    children = "".join(f"{child.tag} " for child in element)
    expect(re.fullmatch(expression, children), f"<{element.tag}> has {children}instead of {grammar}")
    for child in element:
        check(child, PAIRS[element.tag] if child.tag == "pair" else None)


def read(text):
    root = xml.etree.ElementTree.fromstring(text)
    expect_equal(root.tag, "valgrindoutput", "root")
    check(root)
    return root


def case_the_grammar_is_valgrinds(place):
    """What the test holds seep's output against takes Valgrind's own."""
    if shutil.which("valgrind") is None:
        return
    log = place.work / "valgrind.xml"
    subprocess.run(["valgrind", "--leak-check=full", "--show-leak-kinds=all", "--xml=yes", f"--xml-file={log}",
                    place.build / "samples/lost_at_exit", "0.1"], check=True, capture_output=True)
    kinds = {error.findtext("kind") for error in read(log.read_bytes()).findall("error")}
    expect({"Leak_DefinitelyLost", "Leak_StillReachable"} <= kinds, f"kinds {kinds}")


def case_a_leak_is_a_loss_record(place):
    leak = place.leak(place.hostile)
    root = read(place.export("--to", "valgrind-xml", place.hostile))
    expect_equal(root.findtext("pid"), "100", "pid")
    error, = root.findall("error")
    expect_equal(error.findtext("kind"), "Leak_StillReachable", "kind of what grows and is held")
    expect_equal(error.findtext("xwhat/leakedbytes"), str(LEAK_BYTES), "bytes")
    expect_equal(error.findtext("xwhat/leakedblocks"), str(leak["live_blocks"]), "blocks")
    expect(error.findtext("xwhat/text").startswith("64,000 bytes in "), error.findtext("xwhat/text"))
    said = [one.text for one in error.findall("auxwhat")]
    expect(any("growing" in text for text in said) and f"seep: why: {leak['why']}" in said, f"auxwhat: {said}")
    frames = error.findall("stack/frame")
    expect_equal(len(frames), len(leak["stack"]), "frames")
    folder, _, file = FILE.rpartition("/")
    expect_equal([frames[0].findtext(tag) for tag in ("fn", "dir", "file", "line")], [NAME, folder, file, "12"],
                 "frame")
    for frame, wanted in zip(frames, leak["stack"]):
        expect_equal(int(frame.findtext("ip"), 16), int(wanted["offset"], 16), "address in the file")
    expect(any(frame.findtext("obj") == LIBRARY for frame in frames), "the library")


def case_what_is_suppressed_is_counted(place):
    root = read(place.export("--to", "valgrind-xml", "--suppressions", place.suppressions(), place.hostile))
    expect_equal(root.findall("error"), [], "errors")
    expect_equal([(one.findtext("count"), one.findtext("name")) for one in root.findall("suppcounts/pair")],
                 [("1", "leak:handle")], "suppressions")


def case_it_reads_back_as_the_same_leaks(place):
    """A program that loses memory: `seep compare` finds each leak of the recording in the export, of the same size."""
    out = place.work / "lost"
    subprocess.run([place.build / "bin/seep", "run", "--dir", out, "--report", place.work / "lost.txt", "--",
                    place.build / "samples/lost_at_exit", "0.1"], check=True, capture_output=True)
    log = place.work / "lost.xml"
    log.write_bytes(place.export("--to", "valgrind-xml", out))
    records = read(log.read_bytes()).findall("error")
    suspect, = [one for one in place.suspects(out).values() if one["leak"]]
    found = {record.findtext("kind"): (int(record.findtext("xwhat/leakedbytes")), int(record.findtext("xwhat/leakedblocks")))
             for record in records}
    lost = suspect["unreachable_bytes"], suspect["unreachable_direct_blocks"]
    held = (suspect["live_bytes"] - suspect["unreachable_bytes"], suspect["live_blocks"] - suspect["unreachable_blocks"])
    expect_equal(found, {"Leak_DefinitelyLost": lost, "Leak_StillReachable": held}, "loss records")
    done = subprocess.run([place.build / "bin/seep", "compare", out, "--valgrind", log, "--json"], check=True,
                          capture_output=True)
    leak, = [leak for leak in json.loads(done.stdout)["leaks"] if leak["leak"]]
    findings = {one["tool"]: one for one in leak["findings"]}
    expect(all(one["found"] for one in findings.values()), f"not found by both: {findings}")
    expect_equal(findings["valgrind"]["direct"], findings["seep"]["direct"], "what is lost directly")
