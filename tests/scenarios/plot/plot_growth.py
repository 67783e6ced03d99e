#!/usr/bin/python3
"""scripts/plot_growth.py on a recording of a sample: what stands in the picture, and what is refused.

usage: plot_growth.py --build-dir DIR
"""
import argparse
import copy
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "plot_growth.py"
LONGEST_RUN_S = 600  # on a machine that is twenty times slower
LEAST_SNAPSHOTS = 12  # for a growth that is told
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import growth  # noqa: E402
import picture  # noqa: E402


def expect(condition, what):
    if not condition:
        sys.exit(what)


def record(build, folder):
    """A report of request_units, which counts its requests and marks its end; for longer where a second has too few snapshots."""
    for seconds in ("1", "4", "16", "64"):
        shutil.rmtree(folder / "out", ignore_errors=True)
        done = subprocess.run([build / "bin/seep", "run", "--dir", folder / "out", "--interval", "40ms", "--",
                               build / "samples/request_units", seconds], capture_output=True, text=True, check=False,
                              timeout=LONGEST_RUN_S)
        expect(done.returncode == 0, f"no recording: {done.stderr}")
        done = subprocess.run([build / "bin/seep", "report", "--json", folder / "out"], capture_output=True, check=True)
        report = json.loads(done.stdout)
        if len(report["snapshots"]) >= LEAST_SNAPSHOTS:
            break
    return report


def plot(build, folder, *words, status=0):
    done = subprocess.run([sys.executable, SCRIPT, "--build-dir", build, *words], cwd=folder, capture_output=True,
                          text=True, timeout=LONGEST_RUN_S, check=False)
    expect(done.returncode == status, f"status {done.returncode} instead of {status} of {words}: {done.stderr}")
    expect("Traceback" not in done.stderr, done.stderr)
    return done.stderr


def texts_of(file):
    return ["".join(one.itertext()) for one in xml.etree.ElementTree.parse(file).iter("{http://www.w3.org/2000/svg}text")]


def expect_text(part, texts):
    expect(any(part in text for text in texts), f"{part!r} does not stand in the picture: {texts}")


def check_files(build, folder):
    """Both formats of the recording itself."""
    plot(build, folder, folder / "out", "-o", "growth.png", "-o", "growth.svg", "--", "--unit-name", "request")
    header = (folder / "growth.png").read_bytes()[:24]
    expect(header[:8] == b"\x89PNG\r\n\x1a\n", "no PNG")
    width, height = struct.unpack(">II", header[16:24])
    expect(1000 <= width <= 2000 and 400 <= height <= 2000, f"a PNG of {width} x {height}")
    texts = texts_of(folder / "growth.svg")
    for part in ("request_units[", "RSS: ", "tracked, alive: ", "remember_line  request_units.cpp:17", "#1 ", "B/request",
                 "requests done", "done"):
        expect_text(part, texts)


def check_refused(build, folder):
    kept = folder / "kept.svg"
    kept.write_text("a user's")
    said = plot(build, folder, folder / "out", "-o", kept, status=2)
    expect("exists already and is kept" in said and kept.read_text() == "a user's", f"a file was written over: {said}")
    (folder / "text.json").write_text("{}")
    expect("is no report" in plot(build, folder, "text.json", "-o", "a.svg", status=3), "of another JSON")
    (folder / "text.json").write_text("{")
    expect("is no report in JSON" in plot(build, folder, "text.json", "-o", "a.svg", status=3), "of no JSON")
    expect(".png or .svg" in plot(build, folder, folder / "out", "-o", "a.pdf", status=2), "of another ending")
    expect("No such file or directory" in plot(build, folder, folder / "nowhere", "-o", "a.svg", status=3), "of no recording")
    said = plot(build, folder, folder / "out", "-o", "nowhere/a.svg", status=3)
    expect("nowhere/a.svg: cannot be written (No such file" in said, f"of no folder: {said}")
    expect(not [*folder.glob("a.*")], "something was written nevertheless")


def check_hostile(build, folder, report):
    """Names that SVG or matplotlib would take for something else; and --force."""
    hostile = copy.deepcopy(report)
    suspect = hostile["suspects"][0]
    suspect["stack"][suspect["blame"]].update(function='C::$a<"&$b\u0001\u202e>', file="/x/$y.php")
    hostile["snapshots"][3].update(trigger="mark", mark="]]>\u0000")
    (folder / "hostile.json").write_text(json.dumps(hostile))
    plot(build, folder, "hostile.json", "-o", "kept.svg", "--force")
    texts = texts_of(folder / "kept.svg")
    for part in ('C::$a<"&$b\\u0001\\u202e>  $y.php:17', "]]>\\u0000"):
        expect_text(part, texts)
    hostile["suspects"][0]["series"]["live_bytes"] = []
    (folder / "hostile.json").write_text(json.dumps(hostile))
    expect("is no report that seep wrote" in plot(build, folder, "hostile.json", "-o", "b.svg", status=3), "a short series")


def lines_of(axis):
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in axis.get_lines()}


def grown(report):
    """The report with a suspect that gained 100 bytes a second from the second second on, and 10 a request; and once
    more than that."""
    report = copy.deepcopy(report)
    report["snapshots"] = report["snapshots"][:6]
    for i, snapshot in enumerate(report["snapshots"]):
        snapshot.update(time_s=float(i), units=10 * i, trigger="interval", rss_bytes=1000 * i)
        snapshot["accounting"].update(rss_bytes=1000 * i)
    suspect = report["suspects"][0]
    suspect.update(leak=True, verdict="growing", growth_bytes_per_s=100, growth_bytes_per_s_range=[90, 120],
                   growth_from_s=2, growth_bytes_per_unit=10, growth_bytes_per_unit_range=None)
    suspect["series"] = {"live_bytes": [500, 0, 0, 100, 900, 300], "live_blocks": [0] * 6}
    report["suspects"] = [suspect]
    return report


def check_figures(report):
    """What is drawn is what the report says, and the trend lies on the points of its window."""
    memory, over_time, over_work = growth.draw(grown(report), 3, None).axes
    label, = [label for label in lines_of(memory) if label.startswith("RSS")]
    expect(lines_of(memory)[label] == ([0, 1, 2, 3, 4, 5], [0, 1000, 2000, 3000, 4000, 5000]), "another RSS")
    for source, is_drawn in (("option", True), ("memory_limit", False)):
        limited = grown(report)
        limited["totals"]["limit"] = {"bytes": 7000, "source": source}
        labels = lines_of(growth.draw(limited, 0, None).axes[0])
        expect((f"limit ({source}): 7.00 KB" in labels) == is_drawn, f"the limit of {source} among {list(labels)}")
    for axis, ends in ((over_time, [2, 5]), (over_work, [20, 50])):
        found = lines_of(axis)["growth (Theil–Sen)"]
        expect(found == (ends, [0, 300]), f"the trend is {found}")


def check_restart(report):
    """A second process that begins as the first has ended: a sum with a step, a line with a name, a curve each."""
    two = grown(report)
    later = [copy.deepcopy(snapshot) | {"process": "server.2"} for snapshot in two["snapshots"]]
    two["snapshots"] += later
    two["processes"].append(copy.deepcopy(two["processes"][0]) | {"id": "server.2"})
    two["processes"][0]["started"] = "2026-01-01T00:00:00.000Z"
    two["processes"][1]["started"] = "2026-01-01T00:00:06.000Z"
    two["suspects"][0]["series"]["live_bytes"] *= 2
    memory, over_time, _ = growth.draw(two, 3, None).axes
    label, = [label for label in lines_of(memory) if label.startswith("RSS")]
    levels = dict(zip(*lines_of(memory)[label]))
    expect((levels[4], levels[5], levels[6], levels[7]) == (4000, 5000, 0, 1000), f"levels {levels}")
    expect(min(level for at, level in levels.items() if 5 < at < 6) == 0, "the gap between them is no gap")
    expect("server.2 starts" in [text.get_text() for text in memory.texts], "the restart has no name")
    curves = [points for points, _ in lines_of(over_time).values() if len(points) == 6]
    expect(sorted(curves) == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]], f"curves {curves}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=pathlib.Path, required=True)
    build = parser.parse_args().build_dir.resolve()
    picture.load()
    folder = build / "plot_growth"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    report = record(build, folder)
    check_files(build, folder)
    check_refused(build, folder)
    check_hostile(build, folder, report)
    check_figures(report)
    check_restart(report)


if __name__ == "__main__":
    main()
