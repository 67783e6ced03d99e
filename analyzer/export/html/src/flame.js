// Flame graphs, drawn by d3-flame-graph: what is alive at a snapshot, or what changed between two.
import { select } from "d3-selection";
import flamegraph from "d3-flame-graph";
import { byId, h } from "./dom.js";
import { colorOfChange, colorOfFrame, COLOR_OF_FOUND } from "./flame_colors.js";
import { FlameTree } from "./flame_tree.js";
import { blocks, bytes, count, duration, momentName, percent } from "./format.js";
import { wordsOf } from "./filters.js";

const CELL = 18;
const MOST_MOMENTS = 2000;
const MOST_LINKS = 8;

export class Flame {
  constructor(into, data, state, filters) {
    Object.assign(this, { into, data, state, filters });
    this.graph = h("div", { id: "graph" });
    this.summary = h("p", { id: "weight", "aria-live": "polite" });
    this.controls = h("div", { class: "controls" });
    this.chosen = h("div", { id: "frame" });
    into.replaceChildren(this.controls, this.summary, this.graph, this.chosen);
    state.listen(() => this.show());
    addEventListener("resize", () => this.show());
    this.show();
  }

  #key() {
    return [this.filters.key(), ...["from", "to", "weigh"].map((name) => this.state.get(name)), this.into.clientWidth].join("|");
  }

  /** Draws what is chosen, when it is to be seen and is not drawn yet. */
  show() {
    if (this.into.hidden || this.state.get("tab") !== "flame" || this.key === this.#key()) {
      return;
    }
    this.key = this.#key();
    this.tree ??= new FlameTree(this.data);
    const process = this.state.number("process", this.data.processes.length);
    this.moments = this.data.moments(process);
    this.from = this.state.moment("from", this.moments);
    this.to = this.state.moment("to", this.moments);
    // Compared, the end is one moment; else it is each process's own.
    this.end = this.from !== null && this.data.processes.length > 1 ? this.moments.at(-1) : null;
    this.format = this.state.get("weigh") === "blocks" ? blocks : bytes;
    const now = this.data.snapshotsAt(this.to === null ? this.end : this.moments[this.to]);
    const before = this.from === null ? null : this.data.snapshotsAt(this.moments[this.from]);
    this.root = this.tree.weigh(this.#sites(process), this.state.get("weigh") === "blocks" ? "blocks" : "bytes", now, before);
    this.#showControls();
    this.#draw();
    this.summary.textContent = this.#sentence();
    this.chosen.replaceChildren();
  }

  // Those of the rows that the filters leave; the search only marks frames. Without filters, all.
  #sites(process) {
    const owner = this.data.raw.sites.process;
    const sites = this.filters.isOpen() ? owner.map((_, site) => site)
      : [...new Set(this.filters.suspects({ search: false }).flatMap((suspect) => suspect.sites))];
    return process === null ? sites : sites.filter((site) => owner[site] === process);
  }

  #showControls() {
    const moment = (i) => `${duration(this.moments[i])}${this.#mark(i)}`;
    const list = (name, chosen, none) => h("select", { id: name, onchange: (event) => this.state.set({ [name]: event.target.value }) },
      h("option", { value: "" }, none),
      this.moments.slice(0, MOST_MOMENTS).map((_, i) => h("option", { value: momentName(this.moments[i]), selected: i === chosen }, moment(i))));
    const weigh = h("select", { "aria-label": "Weigh by", onchange: (event) => this.state.set({ weigh: event.target.value }) },
      ["bytes", "blocks"].map((what) => h("option", { value: what, selected: what === this.state.get("weigh") }, what)));
    this.controls.replaceChildren(...[
      h("label", {}, "Show ", weigh), h("label", {}, "at ", list("to", this.to, this.#nameOfEnd())),
      h("label", {}, "compared with ", list("from", this.from, "nothing: all that is alive")),
      h("button", { type: "button", onclick: () => this.chart?.resetZoom() }, "Zoom out"), this.#legend(),
    ].filter((part) => part !== null));
  }

  #nameOfEnd() {
    return this.data.processes.length === 1 || this.end !== null ? "the end" : "the last snapshot of each process";
  }

  #mark(i) {
    const { mark } = this.data.raw.snapshots;
    const at = this.data.times.findIndex((time, k) => time === this.moments[i] && mark[k] !== null);
    return at < 0 ? "" : ` ${mark[at].slice(0, 40)}`;
  }

  #legend() {
    return this.from === null ? null : h("span", { class: "legend" },
      h("span", { class: "grown" }, "grown"), h("span", { class: "shrunk" }, "shrunk"));
  }

  #draw() {
    this.chart?.destroy();
    this.graph.replaceChildren();
    this.chart = undefined;
    if (this.root.value === 0) {
      this.graph.append(h("p", { class: "muted" }, this.from === null ? "Nothing is alive there." : "Nothing changed."));
      return;
    }
    const words = wordsOf(this.state.get("q"));
    const paint = ({ data }) => this.tree.isFound(data.node, words) ? COLOR_OF_FOUND
      : this.from !== null ? colorOfChange(data.delta, data.value)
      : data.node === 0 ? "#c9ced6" : colorOfFrame(data.name, this.data.frames[this.tree.frame[data.node]].language);
    this.chart = flamegraph().width(Math.max(this.graph.clientWidth, 200)).cellHeight(CELL).inverted(true).minFrameSize(1)
      .transitionDuration(0).sort((a, b) => b.data.value - a.data.value).setColorMapper(paint)
      .setLabelHandler(({ data }) => this.#label(data)).onClick(({ data }) => this.#choose(data));
    select(this.graph).datum(this.root).call(this.chart);
  }

  #label(one) {
    const share = percent(one.value / this.root.value);
    return `${one.name.slice(0, 2000)}\n${this.from === null ? `${this.format(one.value)}, ${share} of all` : this.#change(one.delta)}`;
  }

  #change(delta) {
    return delta === 0 ? "as much as before" : `${this.format(Math.abs(delta))} ${delta > 0 ? "more" : "less"}`;
  }

  #sentence() {
    const { root, from, to } = this;
    const end = to === null ? this.#nameOfEnd() : duration(this.moments[to]);
    const what = from === null ? `${this.format(root.value)} alive at ${end}.`
      : `${duration(this.moments[from])} to ${end}: ${this.#change(root.delta)};`
        + ` ${this.format((root.value + root.delta) / 2)} grown, ${this.format((root.value - root.delta) / 2)} shrunk.`;
    const words = wordsOf(this.state.get("q"));
    if (words.length === 0 || root.value === 0) {
      return what;
    }
    const found = this.tree.weightOf(root, words);
    return `${what} Found in ${this.format(found)} of it (${percent(found / root.value)}).`;
  }

  // What a click tells beside the zoom.
  #choose(one) {
    if (one.node === 0) {
      this.chosen.replaceChildren();
      return;
    }
    const frame = this.data.frames[this.tree.frame[one.node]];
    const { node } = this.data.raw.sites;
    const through = this.data.suspects.filter((suspect) =>
      suspect.sites.some((site) => this.tree.isUnder(this.tree.ofNode[node[site]], one.node)));
    const links = through.slice(0, MOST_LINKS).map((suspect) => h("li", {},
      h("a", { href: this.state.link({ tab: "suspects", id: suspect.id, q: "" }) }, `#${suspect.rank} ${suspect.verdict}`),
      ` ${bytes(suspect.live_bytes)}, ${suspect.why}`));
    this.chosen.replaceChildren(h("h3", { class: "code" }, frame.name),
      h("p", { class: "muted code" }, [frame.file === "" ? "" : `${frame.file}:${frame.line}`, frame.module].filter((text) => text !== "").join("  ")),
      h("p", {}, this.#label(one).split("\n").at(-1)),
      h("h3", {}, `Suspects that it leads to${through.length > MOST_LINKS ? ` (${MOST_LINKS} of ${count(through.length)})` : ""}`),
      h("ul", {}, links));
  }
}

/** Where the flame graph begins on the page. */
export function scrollToFlame() {
  byId("filters").scrollIntoView({ behavior: "smooth", block: "start" });
}
