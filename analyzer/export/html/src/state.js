// What is chosen on the page, as the part of its address behind #: every view has a link.

const DEFAULTS = { tab: "suspects", id: "", q: "", kind: "", language: "", module: "", entry: "", process: "",
  leaks: "", from: "", to: "", weigh: "bytes" };

export class State {
  #listeners = [];

  constructor() {
    this.#read();
    addEventListener("hashchange", () => {
      const before = JSON.stringify(this.values);
      this.#read();
      if (JSON.stringify(this.values) !== before) {
        this.#tell();
      }
    });
  }

  #read() {
    const given = new URLSearchParams(location.hash.slice(1));
    this.values = { ...DEFAULTS };
    for (const name of Object.keys(DEFAULTS)) {
      if (given.has(name)) {
        this.values[name] = given.get(name);
      }
    }
  }

  get(name) {
    return this.values[name];
  }

  /** A number that was chosen, or null. */
  number(name, below) {
    const value = Number.parseInt(this.values[name], 10);
    return value >= 0 && value < below ? value : null;
  }

  /** The index of the moment nearest to a time that was chosen, or null. */
  moment(name, moments) {
    const time = Number.parseFloat(this.values[name]);
    return Number.isNaN(time) || moments.length === 0 ? null
      : moments.reduce((best, one, i) => (Math.abs(one - time) < Math.abs(moments[best] - time) ? i : best), 0);
  }

  set(changes) {
    Object.assign(this.values, changes);
    history.replaceState(null, "", this.link({}));
    this.#tell();
  }

  /** The address with these changes. */
  link(changes) {
    const all = { ...this.values, ...changes };
    const given = new URLSearchParams(Object.entries(all).filter(([name, value]) => value !== DEFAULTS[name]));
    return `#${given}`;
  }

  listen(listener) {
    this.#listeners.push(listener);
  }

  #tell() {
    this.#listeners.forEach((listener) => listener());
  }
}
