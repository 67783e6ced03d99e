// The ranked suspects: a row each, drawn as far as the reader scrolls.
import { holders, rate, where } from "./answer.js";
import { byId, h } from "./dom.js";
import { bytes, count, hourly, place } from "./format.js";
import { sparkline } from "./sparkline.js";
import { detail } from "./detail.js";

const ROWS_AT_ONCE = 60;

export class Suspects {
  constructor(into, data, state, filters) {
    Object.assign(this, { into, data, state, filters });
    this.order = data.order(null);
    this.body = h("tbody");
    this.end = h("div", { class: "end" });
    this.missing = h("p", { class: "missing", role: "status" });
    into.replaceChildren(
      this.missing,
      h("table", { class: "suspects" },
        h("thead", {}, h("tr", {}, ["#", "Verdict", "Where", "Growth", "Live", "Blocks", "Over time"].map((text, i) =>
          h("th", { class: i >= 3 && i <= 5 ? "number" : null, scope: "col" }, text)))),
        this.body),
      this.end);
    new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && this.#more(), { rootMargin: "600px" })
      .observe(this.end);
    addEventListener("resize", () => this.#span());
    state.listen(() => this.#changed());
    this.#fill();
  }

  #changed() {
    if (this.key !== this.filters.key()) {
      this.#fill();
    } else {
      this.#openChosen();
    }
  }

  #fill() {
    this.key = this.filters.key();
    this.rows = this.filters.suspects();
    this.shown = 0;
    this.body.replaceChildren();
    byId("found").textContent = this.#summary();
    this.#more();
    this.#openChosen();
  }

  #summary() {
    const omitted = this.data.raw.totals.rows_omitted;
    const all = this.data.suspects.length;
    const rows = this.rows.length === all ? `${count(all)} rows` : `${count(this.rows.length)} of ${count(all)} rows`;
    return omitted === 0 ? rows : `${rows}; ${count(omitted)} smaller ones are left out (--top 0)`;
  }

  // Over the columns that the width of the window leaves.
  #span() {
    if (this.opened !== undefined) {
      this.opened.element.firstChild.colSpan =
        [...this.opened.row.children].filter((cell) => getComputedStyle(cell).display !== "none").length;
    }
  }

  #whyMissing(id) {
    return this.data.suspects.some((suspect) => suspect.id === id)
      ? `The suspect ${id} is left out by the search or a filter.` : `No suspect in this page has the id ${id.slice(0, 40)}.`;
  }

  #more() {
    const next = this.rows.slice(this.shown, this.shown + ROWS_AT_ONCE);
    this.body.append(...next.map((suspect) => this.#row(suspect)));
    this.shown += next.length;
  }

  #row(suspect) {
    const [frame, caller] = where(this.data, suspect);
    const held = holders(suspect);
    const process = this.state.number("process", this.data.processes.length);
    const [times, sums] = this.data.drawn(suspect, process);
    const last = (what) => this.data.seriesOf(suspect, what)[this.data.ranges[process][1] - 1];
    const ofAll = process !== null && this.data.onlyProcess(suspect) === null
      ? h("div", { class: "small muted" }, "all processes") : null;
    return h("tr", { class: suspect.leak ? "row leak" : "row", "data-id": suspect.id, tabindex: "0",
      onclick: () => this.#toggle(suspect), onkeydown: (event) => event.key === "Enter" && this.#toggle(suspect) },
    h("td", { class: "muted" }, String(suspect.rank)),
    h("td", {}, h("span", { class: `pill ${suspect.leak ? suspect.verdict : "calm"}` }, suspect.verdict),
      suspect.suppressed_by === null ? null : h("div", { class: "muted small" }, "suppressed")),
    h("td", { class: "where" },
      h("div", { class: "code clip" }, h("strong", {}, frame.name), h("span", { class: "muted" }, ` ${place(frame)}`),
        caller === undefined ? null : h("span", { class: "muted" }, ` ← ${caller.name}`)),
      h("div", { class: "small muted clip" }, held === "" ? suspect.why : `held by ${held}`)),
    h("td", { class: "number" }, rate(suspect),
      suspect.per_unit !== null && suspect.growth !== null ? h("div", { class: "small muted" }, hourly(suspect.growth)) : null,
      rate(suspect) === "" ? null : ofAll),
    h("td", { class: "number" }, bytes(process === null ? suspect.live_bytes : last("bytes"))),
    h("td", { class: "number" }, count(process === null ? suspect.live_blocks : last("blocks"))),
    h("td", {}, sparkline(times, sums, suspect.leak)));
  }

  #toggle(suspect) {
    this.state.set({ id: this.state.get("id") === suspect.id ? "" : suspect.id });
  }

  // The row that the address names: drawn if it is not yet, opened and brought into view.
  #openChosen() {
    const id = this.state.get("id");
    if (this.opened?.id === id && this.opened.element.isConnected) {
      return;
    }
    this.opened?.element.remove();
    this.opened?.row.classList.remove("open");
    this.opened = undefined;
    const index = id === "" ? -1 : this.rows.findIndex((suspect) => suspect.id === id);
    this.missing.textContent = id === "" || index >= 0 ? "" : this.#whyMissing(id);
    if (index < 0) {
      return;
    }
    while (this.shown <= index) {
      this.#more();
    }
    const row = this.body.querySelector(`tr[data-id="${CSS.escape(id)}"]`);
    const cell = h("td");
    const element = h("tr", { class: "detail" }, cell);
    row.after(element);
    row.classList.add("open");
    this.opened = { id, element, row };
    this.#span();
    detail(cell, this.data, this.rows[index], this.state);
    row.scrollIntoView({ block: "nearest" });
  }
}
