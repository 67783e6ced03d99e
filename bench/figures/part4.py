#!/usr/bin/env python3
"""Measures the figures of part 4 that are about scans and prints a table: figure, target, measured, how.

    python3 bench/figures/part4.py --build build/release [--only NAME] [--runs N]

The pause is what the process itself measured: from the first thread that is stopped to the last one that goes on.
Nothing is asserted.
"""

import statistics
import struct
import subprocess
import time
from pathlib import Path

import bench as figures
from bench import MILLION, Row, interleaved, run_measured, short

SCAN = 10  # format::SectionId::kScan
RECORD = struct.Struct("<4I5Q")
FIELDS = "when complete problem threads pause_ns fork_ns scan_ns blocks root_bytes".split()
SCANS = 3


def scan_record(path):
    """The ScanRecord of a file, by name."""
    data = Path(path).read_bytes()
    header_bytes, sections, entry_bytes = struct.unpack_from("<III", data, 12)
    for i in range(sections):
        number, _, offset = struct.unpack_from("<IIQ", data, header_bytes + i * entry_bytes)
        if number == SCAN:
            return dict(zip(FIELDS, RECORD.unpack_from(data, offset)))
    raise ValueError(f"{path}: no scan")


def scans_of(bench, scratch, blocks, size, threads):
    """Records of SCANS scans of one process, and the milliseconds that a fork of its own took."""
    command = [bench.program("seep_figures_scan"), *map(str, (blocks, size, threads, 60))]
    process = subprocess.Popen(command, env=bench.environment(scratch, SCAN="off"), text=True,
                               stdout=subprocess.PIPE)
    forks = []
    for line in process.stdout:
        name, value = line.split()
        if name == "ready":
            break
        forks.append(float(value))
    records = []
    for _ in range(SCANS):
        time.sleep(0.5)
        file = subprocess.run([bench.seep, "scan", str(process.pid), "--wait", "60s"], check=True,
                              capture_output=True, text=True).stdout.strip()
        records.append(scan_record(file))
    process.kill()
    process.wait()
    return command, records, statistics.median(forks)


def middle(records, figure):
    return statistics.median(figure(record) for record in records)


def pause(bench, scratch):
    """A heap of 1 GB with 50 threads, 10 million blocks."""
    command, records, fork_ms = scans_of(bench, scratch, 10 * MILLION, 88, 50)
    how = short(command)
    extra = middle(records, lambda r: (r["pause_ns"] - r["fork_ns"]) / 1e6)
    worst = max((r["pause_ns"] - r["fork_ns"]) / 1e6 for r in records)
    yield Row("pause of the program beyond the fork: 1 GB, 10 M blocks, 50 threads", "≤ 30 ms",
              f"{extra:.1f} ms (longest {worst:.1f})", how)
    yield Row("… the fork", "–", f"{middle(records, lambda r: r['fork_ns'] / 1e6):.1f} ms "
              f"(one of its own: {fork_ms:.1f})", how)
    yield Row("scan of 10 M blocks in the copy", "≤ 3 s",
              f"{middle(records, lambda r: r['scan_ns'] / 1e9):.2f} s", how)
    yield Row("… complete, threads stopped, blocks", "–",
              f"{records[0]['complete']}, {records[0]['threads']}, {records[0]['blocks']:,}", how)


def at_exit(bench, scratch):
    """What a small program waits for."""
    def wall(**settings):
        return run_measured(["/bin/true"], bench.environment(scratch, **settings)).wall * 1e3
    without, with_scan = interleaved(
        max(bench.runs, 31), lambda: wall(SCAN="off"), lambda: wall(SCAN="exit"))
    yield Row("scan at exit of `/bin/true`", "–",
              f"{statistics.median(without):.2f} -> {statistics.median(with_scan):.2f} ms, wall",
              "SEEP_SCAN=off, exit")


if __name__ == "__main__":
    figures.main(__doc__.splitlines()[0], [pause, at_exit],
                 ["seep_preload", "seep", "seep_figures_scan"])
