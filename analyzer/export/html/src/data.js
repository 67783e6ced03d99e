// The data of the page: what analyzer/export/page_data.cpp wrote, read back and made easy to ask.

const LANGUAGES = ["native", "PHP", "Python", "JIT"];
const KINDS = ["heap", "mmap", "fd", "thread"];
export const FLAG = { inlined: 1, heuristic: 2, nearest: 4, unnamed: 8 };
// Frames outward of what a thread or a program was started with.
const STARTERS =
  /^(_start|__libc_start_(call_)?main.*|start_thread|__?clone3?|execute_native_thread_routine|std::(thread::|__invoke|jthread::).*)$/;

export async function load(base64) {
  const binary = atob(base64);
  const compressed = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) {
    compressed[i] = binary.charCodeAt(i);
  }
  const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Data(await new Response(stream).json());
}

export class Data {
  constructor(raw) {
    this.raw = raw;
    this.processes = raw.processes;
    this.suspects = raw.suspects;
    this.frames = raw.frames.name.map((name, i) => ({
      name: (raw.frames.flags[i] & FLAG.nearest ? "near " : "") + raw.texts[name],
      file: raw.texts[raw.frames.file[i]],
      fileNumber: raw.frames.file[i],
      line: raw.frames.line[i],
      module: raw.texts[raw.frames.module[i]],
      language: LANGUAGES[raw.frames.language[i]] ?? "other",
      flags: raw.frames.flags[i],
    }));
    this.#indexSnapshots();
    this.siteCount = raw.sites.node.length;
    this.entries = new Map();
    this.series = new Map();
  }

  // Of each process, where its snapshots begin and end in the columns; times on one clock.
  #indexSnapshots() {
    const { process, time_s } = this.raw.snapshots;
    const starts = this.processes.map((one) => one.started_ms / 1000);
    this.began = Math.min(...starts);
    this.times = time_s.map((time, i) => starts[process[i]] - this.began + time);
    this.ranges = this.processes.map(() => [0, 0]);
    process.forEach((number, i) => {
      const range = this.ranges[number];
      if (range[1] === 0) {
        range[0] = i;
      }
      range[1] = i + 1;
    });
    this.ended = this.processes.map((one, i) =>
      one.end.how === "running" ? Infinity : starts[i] - this.began + one.duration_s);
  }

  /** The frames of a stack, innermost first. */
  stack(node) {
    const { parent, frame } = this.raw.nodes;
    const frames = [];
    for (; node !== 0; node = parent[node]) {
      frames.push(this.frames[frame[node]]);
    }
    return frames;
  }

  kind(site) {
    return KINDS[this.raw.sites.kind[site]];
  }

  /** What the stack was started with: `main`, or the function of a thread. */
  entry(node) {
    if (!this.entries.has(node)) {
      const frames = this.stack(node);
      const named = frames.filter((frame) => !(frame.flags & FLAG.unnamed) && !STARTERS.test(frame.name));
      this.entries.set(node, (named.at(-1) ?? frames.at(-1))?.name ?? "");
    }
    return this.entries.get(node);
  }

  /** A site's value at its process's snapshot number `index`, from 0 on; `what`: "bytes", "blocks". */
  valueAt(site, what, index) {
    const steps = this.raw.sites[what][site];
    let value = 0;
    for (let i = Math.min(index, steps.length - 1); i >= 0; i -= 1) {
      value += steps[i];
    }
    return value;
  }

  /** A suspect's values, aligned with the snapshots of all processes. */
  seriesOf(suspect, what) {
    const key = `${suspect.rank}.${what}`;
    if (!this.series.has(key)) {
      const values = new Array(this.times.length).fill(0);
      for (const site of suspect.sites) {
        this.#addSite(values, site, what);
      }
      this.series.set(key, values);
    }
    return this.series.get(key);
  }

  #addSite(values, site, what) {
    const [begin, end] = this.ranges[this.raw.sites.process[site]];
    const steps = this.raw.sites[what][site];
    let value = 0;
    for (let i = begin; i < end; i += 1) {
      value += steps[i - begin] ?? 0;
      values[i] += value;
    }
  }

  /** Snapshots of one process (a number) or of all (null), in the order of time. */
  order(process) {
    const all = this.times.map((_, i) => i);
    const chosen = process === null ? all : all.slice(...this.ranges[process]);
    return chosen.sort((a, b) => this.times[a] - this.times[b]);
  }

  /** The times of snapshots, each once, ascending. */
  moments(process) {
    return [...new Set(this.order(process).map((i) => this.times[i]))];
  }

  /**
   * The sum over processes as time goes on: what each had last, from its first snapshot to its end.
   * `values` is aligned with the snapshots. Returns [times, sums].
   */
  sumOverTime(values, process) {
    const last = new Map();
    const owner = this.raw.snapshots.process;
    const times = [];
    const sums = [];
    for (const i of this.order(process)) {
      for (const [other] of last) {
        if (other !== owner[i] && this.ended[other] < this.times[i]) {
          last.delete(other);
        }
      }
      last.set(owner[i], values[i]);
      let sum = 0;
      last.forEach((value) => (sum += value));
      if (times.length !== 0 && times.at(-1) === this.times[i]) {
        sums[sums.length - 1] = sum;
      } else {
        times.push(this.times[i]);
        sums.push(sum);
      }
    }
    return [times, sums];
  }

  /** Of each process the number of its last snapshot until `time` (null: of all), or -1. */
  snapshotsAt(time) {
    return this.ranges.map(([begin, end], process) => {
      if (time === null) {
        return end - begin - 1;
      }
      if (this.ended[process] < time && end > begin && this.times[end - 1] < time) {
        return -1;
      }
      let index = -1;
      while (begin + index + 1 < end && this.times[begin + index + 1] <= time) {
        index += 1;
      }
      return index;
    });
  }

  /** Lines around one of a file as [number, text], or [] where the file could not be read. */
  sourceAround(frame, around = 4) {
    const lines = this.raw.sources[frame.fileNumber];
    const found = [];
    for (let line = frame.line - around; lines !== undefined && line <= frame.line + around; line += 1) {
      if (lines[line] !== undefined) {
        found.push([line, lines[line]]);
      }
    }
    return found;
  }
}
