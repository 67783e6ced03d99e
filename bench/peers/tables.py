"""The tables, as Markdown; the same text is printed."""
import figures
import redis_server
from workloads import SIX

MEGABYTE = 1e6


def number(value):
    """Three significant digits or so: a ratio near 1 is what must be told apart."""
    digits = 3 if value < 2 else 2 if value < 10 else 1
    return f"{value:.{digits}f}"


def ratio(spread):
    """The median, with the range when there was more than one round."""
    if spread is None:
        return "–"
    if spread.least == spread.most:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.least)}–{number(spread.most)})"


def megabytes(spread):
    return f"{spread.median / MEGABYTE:.1f}" if spread else "–"


def mean_of(spreads):
    """The geometric mean of the medians, when every program has one."""
    return f"**{number(figures.geometric_mean([s.median for s in spreads]))}**" if all(spreads) else "–"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def programs_table(all_results, workloads):
    head = ["program", "what it does", "alone, s", "peak MB", "allocations, M", "M a second", "stacks"]
    rows = []
    for results in all_results:
        wall, made = results.plain_median(figures.wall), results.allocations
        rows.append([results.name, workloads[results.name].title, f"{wall:.2f}",
                     f"{results.plain_median(figures.peak) / MEGABYTE:.0f}",
                     f"{made.blocks / 1e6:.2f}" if made else "–",
                     f"{made.blocks / wall / 1e6:.2f}" if made else "–",
                     f"{made.stacks:,}" if made else "–"])
    return table(head, rows)


def rows_of(all_results, tools, value, form, mean=None):
    """A row a tool, a column a program; a tool without any figure has no row."""
    rows = []
    for tool in tools:
        spreads = [value(results, tool) for results in all_results]
        if any(spreads):
            rows.append([tool.title, *map(form, spreads), *([mean(spreads)] if mean else [])])
    return rows


def by_program(all_results, tools, value, form, mean=None):
    head = ["tool", *(results.name for results in all_results), *(["geometric mean"] if mean else [])]
    return table(head, rows_of(all_results, tools, value, form, mean))


def wall_ratio(results, tool):
    return results.ratio(tool.name, figures.wall)


def cpu_ratio(results, tool):
    return results.ratio(tool.name, figures.cpu)


def added_memory(results, tool):
    return results.added_memory(tool.name)


def written(results, tool):
    return results.written(tool.name)


def over_base(results, tool):
    return results.ratio_over(tool.name, tool.base) if tool.base else None


def programs_parts(all_results, workloads, tools):
    mean = mean_of if len(all_results) > 1 else None
    return [
        ("Programs", programs_table(all_results, workloads)),
        ("Wall time, as a multiple of the program alone: median (least–most)",
         by_program(all_results, tools, wall_ratio, ratio, mean)),
        ("Processor time, as a multiple of the program alone; the tool's own processes included",
         by_program(all_results, tools, cpu_ratio, ratio, mean)),
        ("Peak memory, MB more than the program alone",
         by_program(all_results, tools, added_memory, megabytes)),
        ("Written on disk, MB", by_program(all_results, tools, written, megabytes)),
        ("Wall time, as a multiple of the tool's own allocator without profiling",
         by_program(all_results, tools, over_base, ratio, mean)),
    ]


def mini_parts(results, workloads, tools):
    """One program, so its figures stand side by side."""
    rows = [[tool.title, ratio(wall_ratio(results, tool)), ratio(cpu_ratio(results, tool)),
             megabytes(added_memory(results, tool)), megabytes(written(results, tool))]
            for tool in tools if results.of(tool.name)]
    return [("The project's own program, for LeakSanitizer", programs_table([results], workloads)),
            (f"{results.name}: multiples of the program alone, and MB",
             table(["tool", "wall time", "processor time", "memory", "disk"], rows))]


def redis_parts(results, tools):
    tests = redis_server.TESTS
    alone = [f"{results.plain_median(redis_server.rate_of(test)) / 1000:.0f} k/s, p99 "
             f"{results.plain_median(redis_server.latency_of(test)):.2f} ms" for test in tests]

    def ratios(value_of):
        rows = []
        for tool in tools:
            spreads = [results.ratio(tool.name, value_of(test)) for test in tests]
            if any(spreads):
                rows.append([tool.title, *map(ratio, spreads), mean_of(spreads)])
        return table(["tool", *tests, "geometric mean"], rows)

    return [
        (f"redis-server under redis-benchmark, pipelined ({redis_server.PIPELINE}); alone",
         table(list(tests), [alone])),
        ("Requests a second, as a multiple of redis alone (more is better)", ratios(redis_server.rate_of)),
        ("99th percentile of latency, as a multiple of redis alone", ratios(redis_server.latency_of)),
        ("The server's processor time for a request, as a multiple of redis alone; peak memory, MB more; "
         "written on disk, MB",
         table(["tool", "processor time", "memory", "disk"],
               [[tool.title, ratio(results.ratio(tool.name, redis_server.cpu_of_request)),
                 "–" if tool.is_slow else megabytes(added_memory(results, tool)),
                 megabytes(written(results, tool))] for tool in tools if results.of(tool.name)])),
    ]


def document(all_results, workloads, tools):
    """All tables with their captions, for what was measured."""
    by_name = {results.name: results for results in all_results}
    six = [results for name, results in by_name.items() if name in SIX]
    parts = programs_parts(six, workloads, tools) if six else []
    if "mini" in by_name:
        parts += mini_parts(by_name["mini"], workloads, tools)
    if "redis" in by_name:
        parts += redis_parts(by_name["redis"], tools)
    return "\n".join(f"{caption}\n\n{text}" for caption, text in parts if text.count("\n") > 2)


BEGIN, END = "<!-- figures: begin -->\n", "<!-- figures: end -->\n"


def write(text, path):
    """Writes the tables; into a page with the two marks, between them."""
    page = path.read_text() if path.exists() else ""
    if BEGIN in page and END in page:
        text = page[:page.index(BEGIN)] + BEGIN + "\n" + text + "\n" + page[page.index(END):]
    path.write_text(text)
