// The memory of the process over time, with marks, restarts and what was chosen on the time line.
import { drawSeries, horizontalLine, verticalLine } from "./charts.js";
import { color, h } from "./dom.js";
import { scrollToFlame } from "./flame.js";
import { bytes, duration, momentName, signed } from "./format.js";

const PARTS = [
  ["rss", "RSS", "#e5484d", 2.2, true],
  ["tracked", "tracked", "#3b82f6", 2, true],
  ["retained", "retained by the allocator", "#d98a00", 1.5, true],
  ["mmap", "mmap", "#22a06b", 1.5, true],
  ["stacks", "stacks", "#a855f7", 1.5, true],
  ["files", "files", "#0ea5b7", 1.2, false],
  ["shared", "shared", "#c2410c", 1.2, false],
  ["tracker", "seep itself", "#8a8f98", 1.2, false],
  ["other", "other", "#b08968", 1.2, false],
];

/** What stands on the time line: [time, text, kind]. */
function events(data, process) {
  const { mark, trigger } = data.raw.snapshots;
  const found = [];
  for (const i of data.order(process)) {
    if (mark[i] !== null) {
      found.push([data.times[i], mark[i], "mark"]);
    } else if (trigger[i] === "limit" || trigger[i] === "crash") {
      found.push([data.times[i], trigger[i], "limit"]);
    }
  }
  data.processes.forEach((one, number) => {
    const start = data.starts[number];
    if (process === null && start > 0 && data.processes.length <= 40) {
      found.push([start, `start of ${one.pid}`, "restart"]);
    }
  });
  return found;
}

export class Growth {
  constructor(into, data, state) {
    Object.assign(this, { into, data, state });
    this.show();
    state.listen(() => this.#changed());
  }

  #key() {
    return ["process", "from", "to"].map((name) => this.state.get(name)).join("|");
  }

  #changed() {
    if (this.key !== this.#key()) {
      this.show();
    }
  }

  show() {
    const { data, state } = this;
    this.key = this.#key();
    const process = state.number("process", data.processes.length);
    const [times, columns] = this.#columns(process);
    const moments = (this.moments = data.moments(process));
    const chart = h("div", { class: "chart" });
    const hint = h("p", { class: "hint" });
    this.into.replaceChildren(h("h2", {}, "Memory over time"), chart, hint);
    const lines = PARTS.map(([name, label, stroke, width, show]) => ({
      label, color: stroke, width, show: show && columns[name].some((value) => value > 0), values: columns[name],
    })).filter((line) => line.values.some((value) => value > 0));
    drawSeries(chart, times, lines, {
      height: 250,
      mark: (u) => this.#marks(u, process),
      selected: (from, to) => this.#choose(from, to),
    });
    hint.append(...this.#hint(moments, process));
  }

  #columns(process) {
    const columns = {};
    let times = [];
    for (const [name] of PARTS) {
      [times, columns[name]] = this.data.sumOverTime(this.data.raw.snapshots[name], process);
    }
    return [times, columns];
  }

  #marks(chart, process) {
    const { data, state, moments } = this;
    for (const [time, text, kind] of events(data, process)) {
      verticalLine(chart, time, text, color(kind === "limit" ? "bad" : kind === "mark" ? "mark" : "muted"));
    }
    const from = state.moment("from", moments);
    const to = state.moment("to", moments);
    if (from !== null) {
      verticalLine(chart, moments[from], "from", color("accent"));
    }
    if (to !== null) {
      verticalLine(chart, moments[to], from === null ? "shown" : "to", color("accent"));
    }
    const limit = data.raw.limit;
    if (limit !== null && limit.bytes < chart.scales.y.max) {
      horizontalLine(chart, limit.bytes, `limit (${limit.source}) ${bytes(limit.bytes)}`, color("bad"));
    }
  }

  // What was dragged over begins and ends at the nearest snapshots.
  #choose(from, to) {
    const nearest = (time) =>
      this.moments.reduce((best, one, i) => (Math.abs(one - time) < Math.abs(this.moments[best] - time) ? i : best), 0);
    const [first, last] = [nearest(from), nearest(to)];
    if (first !== last) {
      this.state.set({ from: momentName(this.moments[first]), to: momentName(this.moments[last]) });
    }
  }

  #hint(moments, process) {
    const { data, state } = this;
    const from = state.moment("from", moments);
    const to = state.moment("to", moments);
    if (from === null || to === null) {
      return ["Drag over a part of the chart to compare its first and last snapshot. Click a name to show or hide its line."];
    }
    const show = () => {
      state.set({ tab: "flame" });
      scrollToFlame();
    };
    const [times, tracked] = data.sumOverTime(data.raw.snapshots.tracked, process);
    const at = (moment) => tracked[times.indexOf(moments[moment])] ?? 0;
    return [
      `From ${duration(moments[from])} to ${duration(moments[to])}: tracked memory ${signed(at(to) - at(from))}. `,
      h("button", { type: "button", id: "compare", onclick: show }, "What changed, as a flame graph"),
      " ",
      h("button", { type: "button", onclick: () => state.set({ from: "", to: "" }) }, "Clear"),
    ];
  }
}
