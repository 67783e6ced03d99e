"""The picture of plot_growth.py: what `seep report --json` says (a dict), drawn.

On top the memory of all processes together, below it a row for each suspect: what it holds over time, and over
the work done where that was counted.
"""
import bisect
import dataclasses
import datetime
import statistics

import picture

# field of `accounting`, what it is called, colour, line; in the order of the legend
PARTS = [("rss_bytes", "RSS", picture.BLACK, "-"),
         ("tracked_live_bytes", "tracked, alive", picture.BLUE, "-"),
         ("allocator_retained_bytes", "kept by the allocator", picture.ORANGE, "--"),
         ("mmap_bytes", "mapped by the program", picture.GREEN, "-."),
         ("stack_bytes", "stacks of threads", picture.VERMILION, ":"),
         ("file_bytes", "files", picture.SKY, "--"),
         ("shared_bytes", "shared", picture.PURPLE, "-."),
         ("tracker_bytes", "seep's own", picture.GREY, ":"),
         ("other_bytes", "other", picture.GREY, "--")]
ALWAYS = ("rss_bytes", "tracked_live_bytes")
LEAST_SHARE = 0.04  # of the largest RSS; smaller parts are no lines but a thicket
SIZES = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB"), (1, "bytes")]
TIMES = [(2 * 86400, 86400, "days"), (2 * 3600, 3600, "h"), (120, 60, "min"), (0, 1, "s")]
LIMITS_OF_RSS = ("option", "cgroup")  # the others are of something else, such as PHP's own memory
MOST_STARTS = 12  # named on the time axis; of more workers the number is said


@dataclasses.dataclass
class Process:
    id: str
    start_s: float  # after the first of the recording
    indices: list  # into the report's snapshots
    times: list
    units: list | None  # of each snapshot that has a count, None where one has not


def processes_of(report):
    began = [datetime.datetime.fromisoformat(one["started"].replace("Z", "+00:00")).timestamp()
             if one["started"] else None for one in report["processes"]]
    first = min([at for at in began if at is not None], default=0)
    found = []
    for one, at in zip(report["processes"], began):
        start = 0 if at is None else at - first
        indices = [i for i, snapshot in enumerate(report["snapshots"]) if snapshot["process"] == one["id"]]
        snapshots = [report["snapshots"][i] for i in indices]
        if indices:
            found.append(Process(one["id"], start, indices, [start + each["time_s"] for each in snapshots],
                                 [each["units"] for each in snapshots]))
    return found


def level_at(time, times, values):
    """Between two snapshots on a line."""
    after = min(bisect.bisect_left(times, time), len(times) - 1)
    if after == 0 or times[after] == times[after - 1]:
        return values[after]
    share = (time - times[after - 1]) / (times[after] - times[after - 1])
    return values[after - 1] + (values[after] - values[after - 1]) * share


def together(processes, values):
    """Times and sums of `values` (aligned with the report's snapshots) over the processes that are alive then; a
    process that begins or ends is a step."""
    times = {time for process in processes for time in process.times}
    moment = (max(times) - min(times)) / 1e6
    if len(processes) > 1:
        times |= {time for process in processes for time in (process.times[0] - moment, process.times[-1] + moment)}
        times = {time for time in times if time >= 0}
    times = sorted(times)
    sums = [0.0] * len(times)
    for process in processes:
        own = [values[i] for i in process.indices]
        for at in range(bisect.bisect_left(times, process.times[0]), bisect.bisect_right(times, process.times[-1])):
            sums[at] += level_at(times[at], process.times, own)
    return times, sums


def scale_of(largest):
    return next(((factor, name) for factor, name in SIZES if largest >= factor), SIZES[-1])


def size_text(size):
    factor, name = scale_of(abs(size))
    digits = f"{size / factor:#.3g}" if factor > 1 else f"{size:.3g}"
    return f"{digits.rstrip('.')} {name if name != 'bytes' else 'B'}"


def rate_text(rate, interval, per):
    text = f"{'+' if rate >= 0 else ''}{size_text(rate)}{per}"
    return text + (f" ({size_text(interval[0])}–{size_text(interval[1])})" if interval else "")


def name_of(suspect):
    if not suspect["stack"]:
        return "(no stack)"
    frame = suspect["stack"][suspect["blame"]]
    place = f"{frame['module'].rsplit('/', 1)[-1]}+{frame['offset']}"
    if frame["file"]:
        place = frame["file"].rsplit("/", 1)[-1] + (f":{frame['line']}" if frame["line"] else "")
    return f"{picture.text(frame['function'] or '', 46)}  {picture.text(place, 40)}".strip()


def chosen(report, most):
    """The leaks that nothing suppresses, as they are ranked; without one, the rows that stand first."""
    leaks = [one for one in report["suspects"] if one["leak"] and not one["suppressed_by"]]
    return (leaks or report["suspects"])[:most]


# --- Axes

def size_axis(axis, largest):
    factor, name = scale_of(largest)
    axis.yaxis.set_major_formatter(lambda value, _: f"{value / factor:g}")
    axis.set_ylabel(name)


def time_axis(axis, longest_s):
    _, factor, name = next(row for row in TIMES if longest_s >= row[0])
    axis.xaxis.set_major_locator(ScaledLocator(factor))
    axis.xaxis.set_major_formatter(lambda value, _: f"{value / factor:g}")
    axis.set_xlabel(name)
    axis.set_xlim(-longest_s / 50, longest_s * 1.02)


def ScaledLocator(factor):  # noqa: N802: it stands for a class, which needs matplotlib to be loaded
    """Ticks at round minutes, hours or days of an axis in seconds."""
    from matplotlib.ticker import MaxNLocator

    class Scaled(MaxNLocator):
        def tick_values(self, vmin, vmax):
            return super().tick_values(vmin / factor, vmax / factor) * factor

    return Scaled(8)


def legend(axis):
    """Right of the axis, where it hides nothing."""
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=9, borderaxespad=0)


def draw_trend(axis, points, slope, interval):
    """The line that the report's slope (Theil–Sen) is of: through the median of what is left of the points without
    it; and what the slopes of the interval make of it to both sides of the middle."""
    xs = [x for x, _ in points]
    middle = statistics.median(xs)
    level = statistics.median([y - slope * (x - middle) for x, y in points])
    ends = [min(xs), max(xs)]
    line = [level + slope * (x - middle) for x in ends]
    axis.plot(ends, line, color=picture.VERMILION, linewidth=1.6, linestyle="--", zorder=3, label="growth (Theil–Sen)")
    if interval:
        across = [ends[0], middle, ends[1]]
        sides = [[level + one * (x - middle) for x in across] for one in interval]
        axis.fill_between(across, [min(pair) for pair in zip(*sides)], [max(pair) for pair in zip(*sides)],
                          color=picture.VERMILION, alpha=0.16, linewidth=0, label="its 95 % interval")


# --- What stands in the picture

def title_of(report, processes):
    one = report["processes"][0]
    names = ", ".join(dict.fromkeys(each["exe"].rsplit("/", 1)[-1] for each in report["processes"]))
    who = f"{names}[{one['pid']}]" if len(processes) == 1 else f"{names}: {len(processes)} processes"
    when = f", from {one['started'][:19].replace('T', ' ')} UTC" if one["started"] else ""
    return picture.text(f"{who} on {one['host']}{when}", 110)


def moments_of(report, processes):
    """(time, what) of what happened: marks, limits, crashes, processes that began later than the first."""
    starts = {process.id: process.start_s for process in processes}
    longest = max(process.times[-1] for process in processes)
    found = []
    for snapshot in report["snapshots"]:
        at = starts.get(snapshot["process"], 0) + snapshot["time_s"]
        if snapshot["trigger"] == "mark":
            found.append((at, snapshot["mark"] or "mark"))
        elif snapshot["trigger"] in ("limit", "crash"):
            found.append((at, snapshot["trigger"]))
    late = [process for process in processes if process.start_s > longest / 100]
    if len(late) <= MOST_STARTS:
        found += [(process.start_s, f"{process.id} starts") for process in late]
    return sorted(found)


def draw_moments(axis, moments, labelled):
    for at, what in moments:
        axis.axvline(at, color=picture.GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
        if labelled:
            axis.annotate(picture.text(what, 28), (at, 1), xycoords=("data", "axes fraction"), xytext=(3, -3),
                          textcoords="offset points", rotation=90, va="top", ha="left", fontsize=8, color=picture.GREY,
                          bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5})


def draw_memory(axis, report, processes):
    accounting = [snapshot["accounting"] for snapshot in report["snapshots"]]
    largest = max([each["rss_bytes"] for each in accounting])
    top = 0
    for field, name, colour, style in PARTS:
        values = [each[field] or 0 for each in accounting]
        if field not in ALWAYS and max(values) < LEAST_SHARE * largest:
            continue
        times, sums = together(processes, values)
        top = max(top, *sums)
        axis.plot(times, sums, style, color=colour, linewidth=2.2 if field == "rss_bytes" else 1.6,
                  marker="." if len(times) == 1 else None, label=f"{name}: {size_text(sums[-1]) if len(processes) == 1 else size_text(max(sums)) + ' at most'}")
    limit = report["totals"]["limit"]
    if limit and limit["source"] in LIMITS_OF_RSS and limit["bytes"] < 3 * top:
        top = max(top, limit["bytes"])
        axis.axhline(limit["bytes"], color=picture.VERMILION, linewidth=1.2, linestyle=":",
                     label=f"limit ({limit['source']}): {size_text(limit['bytes'])}")
    axis.set_ylim(0, top * 1.08 or 1)
    size_axis(axis, top)
    legend(axis)


def draw_curves(axis, processes, xs_of, series):
    """A line for each process; the points of the only one that holds anything, else None."""
    curves = []
    for process in processes:
        points = [(x, series[i]) for x, i in zip(xs_of(process), process.indices) if x is not None]
        if any(y for _, y in points):
            curves.append((process, points))
    only = len(curves) == 1
    for _, points in curves:
        axis.plot(*zip(*points), color=picture.BLUE, linewidth=1.6 if only else 0.9, alpha=1 if only else 0.7,
                  marker="o" if len(points) <= 80 else None, markersize=2.6)
    largest = max([y for _, points in curves for _, y in points], default=1)
    axis.set_ylim(0, largest * 1.12)
    size_axis(axis, largest)
    return curves[0] if only else None


def draw_over_time(axis, suspect, processes):
    only = draw_curves(axis, processes, lambda process: process.times, suspect["series"]["live_bytes"])
    slope, interval = suspect["growth_bytes_per_s"], suspect["growth_bytes_per_s_range"]
    begin = suspect.get("growth_from_s")  # a report of an older seep has none
    rate = "" if not slope else rate_text(slope * 3600, interval and [3600 * end for end in interval], "/h")
    if only and slope is not None and begin is not None:
        process, points = only
        window = [(x, y) for x, y in points if x >= process.start_s + begin]
        if len(window) > 1:
            draw_trend(axis, window, slope, interval)
    return rate


def draw_over_work(axis, suspect, processes, work):
    only = draw_curves(axis, processes, lambda process: process.units, suspect["series"]["live_bytes"])
    slope, interval = suspect["growth_bytes_per_unit"], suspect["growth_bytes_per_unit_range"]
    unit = picture.text(work["unit"], 20)
    axis.set_xlabel(f"{unit}s done")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if slope is None:
        return ""
    if only:
        process, points = only
        begin = process.start_s + (suspect.get("growth_from_s") or 0)
        counted = [x for x, time in zip(process.units, process.times) if x is not None and time >= begin]
        window = [(x, y) for x, y in points if counted and x >= counted[0]]
        if len(window) > 1:
            draw_trend(axis, window, slope, interval)
    return rate_text(slope, interval, f"/{unit}")


def draw_suspect(axes, suspect, report, processes, moments):
    """In one axis, or in two with that over the work done."""
    rates = [draw_over_time(axes[0], suspect, processes)]
    draw_moments(axes[0], moments, labelled=False)
    time_axis(axes[0], max(process.times[-1] for process in processes))
    if len(axes) > 1:
        rates.append(draw_over_work(axes[1], suspect, processes, report["work"]))
    workers = suspect["workers"]
    in_some = f", in {workers['seen']} of {workers['of']} processes" if workers else ""
    kind = suspect["verdict"] if suspect["leak"] else f"{suspect['verdict']}, no leak"
    axes[0].set_title(f"#{suspect['rank']} {kind}{in_some}:  {name_of(suspect)}", loc="left", fontsize=10.5, pad=18)
    for axis, rate in zip(axes, rates):
        axis.annotate(rate, (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", fontsize=9,
                      color=picture.GREY)


def draw(report, most, title):
    """A figure. The report has a snapshot at least."""
    pyplot = picture.load()
    processes = processes_of(report)
    moments = moments_of(report, processes)
    suspects = chosen(report, most)
    # Where only some processes count, or only marks, curves over work need two counts at least.
    has_work = bool(report["work"]) and any(
        sum(count is not None for count in process.units) > 1 for process in processes)
    columns = 2 if has_work else 1
    figure = pyplot.figure(figsize=(11, 3.3 + 2.3 * len(suspects)), layout="constrained")
    rows = figure.add_gridspec(1 + len(suspects), columns, height_ratios=[1.35] + [1] * len(suspects))
    memory = figure.add_subplot(rows[0, :])
    draw_memory(memory, report, processes)
    draw_moments(memory, moments, labelled=True)
    time_axis(memory, max(process.times[-1] for process in processes))
    memory.set_title("memory" if len(processes) == 1 else "memory of all processes", loc="left", fontsize=10.5)
    picture.plain(memory, "both")
    for row, suspect in enumerate(suspects, 1):
        axes = [figure.add_subplot(rows[row, column]) for column in range(columns)]
        draw_suspect(axes, suspect, report, processes, moments)
        for axis in axes:
            picture.plain(axis, "both")
        if row == 1:
            legend(axes[-1])
    figure.suptitle(title or title_of(report, processes), fontsize=12, x=0.01, ha="left")
    return figure
