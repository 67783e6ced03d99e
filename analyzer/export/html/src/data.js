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
    const began = Math.min(...this.processes.map((one) => one.started_ms));
    this.starts = this.processes.map((one) => (one.started_ms - began) / 1000);
    this.times = time_s.map((time, i) => this.starts[process[i]] + time);
    this.ranges = this.processes.map(() => [0, 0]);
    process.forEach((number, i) => {
      const range = this.ranges[number];
      if (range[1] === 0) {
        range[0] = i;
      }
      range[1] = i + 1;
    });
    this.ended = this.processes.map((one, i) =>
      one.end.how === "running" ? Infinity : this.starts[i] + one.duration_s);
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
   * The sum over processes as time goes on; one that begins or ends is a step, and between its snapshots a process is
   * as far as a straight line says. `values` is aligned with the snapshots; `process` null: all. Returns [times, sums].
   */
  sumOverTime(values, process) {
    if (process !== null || this.processes.length === 1) {
      const order = this.order(process);
      return [order.map((i) => this.times[i]), order.map((i) => values[i])];
    }
    const times = this.#timesOfAll();
    const sums = new Array(times.length).fill(0);
    for (const [begin, end] of this.ranges) {
      let i = begin;
      for (let at = indexFrom(times, this.times[begin]); at < times.length && times[at] <= this.times[end - 1]; at += 1) {
        while (i + 1 < end && this.times[i + 1] <= times[at]) {
          i += 1;
        }
        sums[at] += levelAt(times[at], this.times, values, i, end);
      }
    }
    return [times, sums];
  }

  // Of all snapshots, and of the moment before each process's first and after its last.
  #timesOfAll() {
    if (this.allTimes === undefined) {
      const all = new Set(this.times);
      const moment = (Math.max(...all) - Math.min(...all)) / 1e6;
      for (const [begin, end] of this.ranges) {
        all.add(Math.max(this.times[begin] - moment, 0)).add(this.times[end - 1] + moment);
      }
      this.allTimes = [...all].sort((a, b) => a - b);
    }
    return this.allTimes;
  }

  /** The one process in which a suspect shows, or null. */
  onlyProcess(suspect) {
    const owners = new Set(suspect.sites.map((site) => this.raw.sites.process[site]));
    return owners.size === 1 ? [...owners][0] : this.processes.length === 1 ? 0 : null;
  }

  /** [times, bytes] of a suspect: in the chosen process, or the only one that shows it, or in all. */
  drawn(suspect, process) {
    return this.sumOverTime(this.seriesOf(suspect, "bytes"), process ?? this.onlyProcess(suspect));
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

// The first index whose time is not before `time`.
function indexFrom(times, time) {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// Between snapshot i and the one after it.
function levelAt(time, times, values, i, end) {
  if (i + 1 >= end || times[i + 1] === times[i]) {
    return values[i];
  }
  return values[i] + ((values[i + 1] - values[i]) * (time - times[i])) / (times[i + 1] - times[i]);
}
