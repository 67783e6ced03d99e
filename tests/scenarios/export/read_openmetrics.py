"""OpenMetrics, read by the parsers of Debian's python3-prometheus-client: its own, and that of Prometheus's older text
format, which node_exporter reads from files."""
from harness import FILE, LEAK_BYTES, NAME, expect, expect_equal


def read(text):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
    return {family.name: family for family in text_string_to_metric_families(text.decode())}


def samples(family):
    return [(sample.labels, sample.value) for sample in family.samples]


def case_totals_accounting_and_losses(place):
    families = read(place.export("--to", "openmetrics", place.hostile))
    expect_equal(samples(families["seep_live_bytes"]), [({}, LEAK_BYTES + 4_096 + 900_000)], "live bytes")
    expect_equal(samples(families["seep_leak_suspects"]), [({}, 1)], "leaks")
    parts = {labels["part"] for labels, _ in samples(families["seep_memory_bytes"])}
    expect_equal(len(parts), 8, "parts of the memory")
    expect_equal(families["seep_lost_events"].type, "counter", "type of the losses")
    reasons = {labels["reason"]: value for labels, value in samples(families["seep_lost_events"])}
    expect("missed_free" in reasons and not any(reasons.values()), f"losses: {reasons}")


def case_suspects(place):
    families = read(place.export("--to", "openmetrics", place.hostile))
    leak = place.leak(place.hostile)
    found = {labels["id"]: (labels, value) for labels, value in samples(families["seep_suspect_live_bytes"])}
    expect_equal(set(found), set(place.suspects(place.hostile)), "ids")
    labels, value = found[leak["id"]]
    expect_equal(value, LEAK_BYTES, "live bytes of the leak")
    expect_equal(labels, {"id": leak["id"], "function": NAME, "file": FILE, "line": "12", "kind": "heap",
                          "verdict": "growing", "leak": "true", "suppressed": "false"}, "labels")
    growth = {labels["id"]: value for labels, value in samples(families["seep_suspect_growth_bytes_per_second"])}
    expect_equal(growth[leak["id"]], leak["growth_bytes_per_s"], "growth")


def case_processes(place):
    families = read(place.export("--to", "openmetrics", place.run))
    expect_equal([labels["process"] for labels, _ in samples(families["seep_process"])], ["hostile.100", "hostile.101"],
                 "processes")


def case_what_is_not_known_has_no_line(place):
    families = read(place.export("--to", "openmetrics", place.sampled))
    expect("seep_unreachable_bytes" not in families and "seep_live_bytes" in families, f"families: {list(families)}")


def case_the_older_format_can_be_read_from_it(place):
    from prometheus_client.parser import text_string_to_metric_families
    text = place.export("--to", "openmetrics", place.hostile)
    families = {family.name: family for family in text_string_to_metric_families(text.decode())}
    expect_equal(samples(families["seep_leak_suspects"]), [({}, 1)], "leaks")
    expect(text.endswith(b"# EOF\n"), "no end")
