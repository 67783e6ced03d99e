// What is searched for and filtered by: one choice for the table and the flame graph.
import { byId, h } from "./dom.js";
import { baseName } from "./format.js";

const MOST_CHOICES = 300;

function commonest(values) {
  const counts = new Map();
  for (const value of values) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MOST_CHOICES).map(([value]) => value);
}

/** What is searched for, in lower case; all words must be found. */
export function wordsOf(text) {
  return text.toLowerCase().split(/\s+/).filter((word) => word !== "");
}

/** The frame that a suspect is shown by. */
export function blamed(data, suspect) {
  const stack = data.stack(suspect.stack);
  return stack[suspect.blame] ?? stack[0] ?? { name: "(no stack)", file: "", fileNumber: 0, line: 0, module: "", language: "native", flags: 0 };
}

/** What a row is found by, in lower case. */
function words(data, suspect) {
  const frames = data.stack(suspect.stack).map((frame) => `${frame.name} ${frame.file} ${frame.module}`);
  const holders = (suspect.held_by ?? []).map((holder) => holder.text);
  return [suspect.id, suspect.why, suspect.verdict, suspect.suppressed_by ?? "", ...frames, ...holders].join("\n").toLowerCase();
}

export class Filters {
  constructor(into, data, state) {
    Object.assign(this, { data, state });
    this.words = new Map();
    this.blames = data.suspects.map((suspect) => blamed(data, suspect));
    this.traits = data.suspects.map((suspect, i) => ({
      kind: suspect.kind,
      language: this.blames[i].language,
      module: baseName(this.blames[i].module),
      entry: data.entry(suspect.stack),
    }));
    into.replaceChildren(...this.#controls());
    state.listen(() => this.#fill());
    this.#fill();
  }

  #controls() {
    let timer = 0;
    const typed = (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => this.state.set({ q: event.target.value }), 120);
    };
    const search = h("input", { type: "search", id: "q", placeholder: "Search functions, files, modules, holders, ids  ( / )",
      "aria-label": "Search", autocomplete: "off", spellcheck: "false", oninput: typed });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !(event.target instanceof HTMLInputElement)) {
        event.preventDefault();
        search.focus();
      }
    });
    const leaks = h("label", { class: "check" }, h("input", { type: "checkbox", id: "leaks",
      onchange: (event) => this.state.set({ leaks: event.target.checked ? "1" : "" }) }), " leaks only");
    return [search, ...this.#selects(), leaks, h("span", { id: "found", class: "hint", "aria-live": "polite" })];
  }

  #selects() {
    const processes = this.data.processes.map((process, i) => [String(i), process.id]);
    const of = (name) => commonest(this.traits.map((traits) => traits[name])).map((value) => [value, value || "(none)"]);
    const all = [["process", "process", processes], ["kind", "kind", of("kind")], ["language", "language", of("language")],
      ["module", "module", of("module")], ["entry", "thread", of("entry")]];
    return all.filter(([, , choices]) => choices.length > 1).map(([name, label, choices]) =>
      h("select", { id: name, "aria-label": label, title: name === "entry" ? "By the function that the thread was started with" : null,
        onchange: (event) => this.state.set({ [name]: event.target.value }) },
      h("option", { value: "" }, `any ${label}`),
      choices.map(([value, text]) => h("option", { value }, text.slice(0, 80)))));
  }

  // What the address says.
  #fill() {
    for (const name of ["q", "process", "kind", "language", "module", "entry"]) {
      const control = byId(name);
      if (control !== null && control !== document.activeElement) {
        control.value = this.state.get(name);
      }
    }
    byId("leaks").checked = this.state.get("leaks") === "1";
  }

  key() {
    return ["q", "process", "kind", "language", "module", "entry", "leaks"].map((name) => this.state.get(name)).join("\u0001");
  }

  /** Whether nothing is left out, apart from a search and a process. */
  isOpen() {
    return ["kind", "language", "module", "entry", "leaks"].every((name) => this.state.get(name) === "");
  }

  /** The suspects that pass. */
  suspects({ search = true } = {}) {
    const { data, state } = this;
    const wanted = wordsOf(search ? state.get("q") : "");
    const process = state.number("process", data.processes.length);
    return data.suspects.filter((suspect, i) => {
      const traits = this.traits[i];
      return ["kind", "language", "module", "entry"].every((name) => state.get(name) === "" || state.get(name) === traits[name])
        && (state.get("leaks") !== "1" || suspect.leak)
        && (process === null || suspect.sites.some((site) => data.raw.sites.process[site] === process))
        && wanted.every((word) => this.#words(suspect).includes(word));
    });
  }

  #words(suspect) {
    if (!this.words.has(suspect)) {
      this.words.set(suspect, words(this.data, suspect));
    }
    return this.words.get(suspect);
  }
}
