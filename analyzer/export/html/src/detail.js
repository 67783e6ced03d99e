// One suspect in full: why, who holds it, the series with its trend, the stack with lines of source.
import { drawSeries } from "./charts.js";
import { color, h } from "./dom.js";
import { FLAG } from "./data.js";
import { blocks, bytes, confidence, count, duration, hourly, hourlyRange, perUnit, percent } from "./format.js";
import { scrollToFlame } from "./flame.js";
import { trend } from "./trend.js";

const MOST_PATHS = 100;

export function detail(into, data, suspect, state) {
  const chart = h("div", { class: "chart" });
  const stack = h("div", { class: "stack" });
  into.append(h("div", { class: "columns" },
    h("div", {}, h("p", { class: "why" }, suspect.why), heldBy(suspect), containers(data, suspect), facts(suspect), actions(data, suspect, state)),
    h("div", {}, h("h3", {}, "Live bytes over time"), chart, trendText(data, suspect))),
  h("h3", {}, "Stack", pathChooser(data, suspect, (path) => showStack(stack, data, path))), stack);
  showChart(chart, data, suspect);
  showStack(stack, data, { node: suspect.stack, blame: suspect.blame, user: suspect.user_frame });
}

function heldBy(suspect) {
  if (suspect.held_by === null) {
    return h("p", { class: "muted" }, "No scan tells who holds it (seep scan PID, or SEEP_SCAN).");
  }
  if (suspect.held_by.length === 0) {
    return h("p", {}, "Nothing holds it: no pointer leads there.");
  }
  const share = suspect.held_by[0].share;
  return h("div", {}, h("h3", {}, "Held by", share < 0.995 ? h("span", { class: "muted" }, ` (${percent(share)} of the blocks)`) : null),
    h("ol", { class: "holders" }, suspect.held_by.map((holder) => h("li", { class: holder.root === null ? null : "root" },
      h("span", { class: "code" }, holder.text), holder.root === null ? null : h("span", { class: "pill calm" }, holder.root)))));
}

function containers(data, suspect) {
  return suspect.containers.length === 0 ? null : h("div", {}, h("h3", {}, "Growing container"),
    suspect.containers.map((number) => h("p", { class: "code" }, data.raw.containers[number])));
}

function facts(suspect) {
  const rows = [
    ["Live", `${bytes(suspect.live_bytes)}${suspect.live_bytes_error === null ? "" : ` ± ${bytes(suspect.live_bytes_error)}`}`
      + ` in ${blocks(suspect.live_blocks)}`],
    ["Growth", suspect.growth === null ? null : hourly(suspect.growth)],
    [`Per ${suspect.unit}`, suspect.per_unit === null ? null : perUnit(suspect.per_unit, suspect.unit)
      + (suspect.per_unit_range === null ? "" : ` (${suspect.per_unit_range.map((value) => bytes(value)).join(" to ")})`)],
    ["Unreachable", suspect.unreachable_bytes === null ? null
      : `${bytes(suspect.unreachable_bytes)} in ${blocks(suspect.unreachable_blocks ?? 0)}`],
    ["Blocks freed", `${count(suspect.freed_blocks)} of ${count(suspect.allocated_blocks)} allocated`],
    ["Oldest block", suspect.oldest_s === 0 ? null : duration(suspect.oldest_s)],
    ["Confidence", suspect.confidence === null ? null : confidence(suspect.confidence)],
    ["Kind", suspect.kind],
    ["Processes", suspect.workers[1] < 2 ? null : `in ${suspect.workers[0]} of ${suspect.workers[1]}`],
    ["Suppressed by", suspect.suppressed_by],
    ["Id", suspect.id],
  ];
  return h("dl", {}, rows.filter(([, value]) => value !== null).map(([name, value]) =>
    [h("dt", {}, name), h("dd", { class: name === "Id" ? "code" : null }, value)]));
}

function actions(data, suspect, state) {
  const link = h("a", { href: `#id=${encodeURIComponent(suspect.id)}`, class: "button" }, "Link to this row");
  const frame = data.stack(suspect.stack)[suspect.blame];
  const show = () => {
    state.set({ tab: "flame", q: frame.name });
    scrollToFlame();
  };
  return h("p", {}, link, " ", frame === undefined ? null
    : h("button", { type: "button", onclick: show }, "Show in the flame graph"));
}

function showChart(into, data, suspect) {
  const [times, values] = data.drawn(suspect, null);
  const fitted = trend(data, suspect, times, values);
  const lines = [{ label: "live bytes", values, color: "#3b82f6", width: 2, dots: times.length < 40 }];
  let bands;
  if (fitted !== null) {
    lines.push({ label: "high", values: fitted.high, color: "rgba(229,72,77,.45)", width: 1 },
      { label: "trend", values: fitted.line, color: "#e5484d", width: 1.5, dash: [6, 4] },
      { label: "low", values: fitted.low, color: "rgba(229,72,77,.45)", width: 1 });
    bands = [{ series: [2, 4], fill: () => color("band") }];
  }
  drawSeries(into, times, lines, { height: 190, bands });
}

function trendText(data, suspect) {
  if (suspect.growth_range === null || data.onlyProcess(suspect) === null) {
    return data.onlyProcess(suspect) === null ? h("p", { class: "hint" }, "The sum over the processes in which it shows.") : null;
  }
  return h("p", { class: "hint" }, `Fitted trend ${hourly(suspect.growth)}; 95 % interval ${hourlyRange(suspect.growth_range)}.`);
}

// --- The stack

function pathChooser(data, suspect, chosen) {
  if (suspect.paths.length < 2) {
    return suspect.call_paths > 1 ? h("span", { class: "muted" }, ` of the largest of ${count(suspect.call_paths)} call paths`) : null;
  }
  const options = suspect.paths.slice(0, MOST_PATHS).map(([size, number], i) =>
    h("option", { value: String(i) }, `path ${i + 1}: ${bytes(size)} in ${blocks(number)}`));
  const select = h("select", { "aria-label": "Call path", onchange: (event) => {
    const [, , node, blame] = suspect.paths[Number(event.target.value)];
    chosen({ node, blame, user: null });
  } }, options);
  return h("span", { class: "muted" }, " ", select, ` of ${count(suspect.call_paths)} call paths`);
}

// What libraries called inside of the blamed frame is folded.
function showStack(into, data, { node, blame, user }) {
  const frames = data.stack(node);
  const inner = frames.slice(0, blame).map((frame) => frameItem(data, frame, ""));
  const outer = frames.slice(blame).map((frame, i) => frameItem(data, frame, i === 0 ? "blame" : i + blame === user ? "user" : ""));
  const folded = inner.length === 0 ? null : h("details", { class: "inner", open: inner.length === 1 },
    h("summary", { class: "muted" }, `${inner.length} ${inner.length === 1 ? "frame" : "frames"} inside of it`),
    h("ol", { class: "frames" }, inner));
  into.replaceChildren(...[folded, h("ol", { class: "frames", start: String(blame + 1) }, outer)].filter((part) => part !== null));
}

function frameItem(data, frame, role) {
  const lines = data.sourceAround(frame);
  const position = frame.file === "" ? frame.module : frame.line === 0 ? frame.file : `${frame.file}:${frame.line}`;
  const tags = [role === "blame" ? "blamed" : role === "user" ? "your code" : "", frame.flags & FLAG.inlined ? "inlined" : "",
    frame.flags & FLAG.heuristic ? "guessed" : "",
    frame.language === "native" ? "" : frame.language].filter((tag) => tag !== "");
  const head = [h("span", { class: "code name", title: frame.name }, frame.name), h("span", { class: "muted code" }, position),
    ...tags.map((tag) => h("span", { class: "pill calm" }, tag))];
  const item = h("li", { class: role === "" ? null : role });
  if (lines.length === 0) {
    item.append(h("div", { class: "head" }, head));
  } else {
    item.append(h("details", { open: role !== "" }, h("summary", { class: "head" }, head), source(lines, frame.line)));
  }
  return item;
}

function source(lines, current) {
  return h("pre", { class: "source" }, lines.map(([number, text]) =>
    h("div", { class: number === current ? "current" : null },
      h("span", { class: "lineno" }, String(number)), h("span", {}, text === "" ? " " : text))));
}

