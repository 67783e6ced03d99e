"""The tables, as Markdown; the same text is printed."""
from figures import geometric_mean

MEGABYTE = 1e6


def ratio(spread):
    return f"{spread.median:.2f} ({spread.least:.2f}–{spread.most:.2f})" if spread else "–"


def megabytes(spread):
    return f"{spread.median / MEGABYTE:.1f}" if spread else "–"


def mean_of(spreads):
    """The geometric mean of the medians, when every program has one."""
    return f"**{geometric_mean([s.median for s in spreads]):.2f}**" if all(spreads) else "–"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def programs_table(all_results, workloads):
    rows = []
    for results in all_results:
        wall = sorted(sample.wall_s for sample in results.plain)[len(results.plain) // 2]
        peak = max(sample.peak_bytes for sample in results.plain)
        made = results.allocations
        rows.append([results.name, workloads[results.name].title, f"{wall:.2f}",
                     f"{peak / MEGABYTE:.0f}", f"{made.blocks / 1e6:.2f}" if made else "–",
                     f"{made.blocks / wall / 1e6:.2f}" if made else "–",
                     f"{made.stacks:,}" if made else "–"])
    return table(["program", "what it does", "alone, s", "peak MB", "allocations, M", "M a second", "stacks"], rows)


def tools_table(all_results, tools, cell, mean=None):
    """One row a tool, one column a program."""
    rows = []
    for tool in tools:
        spreads = [cell(results, tool) for results in all_results]
        if any(spread for spread, _ in spreads):
            rows.append([tool.title, *(text for _, text in spreads),
                         *([mean([s for s, _ in spreads])] if mean else [])])
    head = ["tool", *(results.name for results in all_results), *(["geometric mean"] if mean else [])]
    return table(head, rows)


def both(value, form):
    def cell(results, tool):
        found = value(results, tool)
        return found, form(found)
    return cell


def base_cell(results, tool):
    found = results.ratio_over(tool.name, tool.base)
    return found, ratio(found)


def document(all_results, workloads, tools):
    """All tables of the programs with their captions."""
    measured = [tool for tool in tools if any(results.of(tool.name) for results in all_results)]
    parts = [
        ("The programs", programs_table(all_results, workloads)),
        ("Wall time over the program alone: median of the rounds (least–most)",
         tools_table(all_results, measured, both(lambda r, t: r.wall_ratio(t.name), ratio), mean_of)),
        ("Processor time over the program alone, a tool's own processes included",
         tools_table(all_results, measured, both(lambda r, t: r.cpu_ratio(t.name), ratio), mean_of)),
        ("Peak memory over the program alone, MB more",
         tools_table(all_results, measured, both(lambda r, t: r.added_memory(t.name), megabytes))),
        ("Written on disk, MB",
         tools_table(all_results, measured, both(lambda r, t: r.written(t.name), megabytes))),
    ]
    based = [tool for tool in measured if tool.base]
    if based:
        parts.append(("Wall time over the tool's own allocator without profiling",
                      tools_table(all_results, based, base_cell, mean_of)))
    return "\n".join(f"{caption}\n\n{text}" for caption, text in parts)
