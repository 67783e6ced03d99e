// The tree of a flame graph: stacks joined by the names of their functions, with what they weigh.

/** Frames of one name under one caller are one node, whatever their lines. Made once. */
export class FlameTree {
  constructor(data) {
    this.data = data;
    this.parent = [0];
    this.frame = [-1]; // any of its frames, into data.frames
    const { parent, frame } = data.raw.nodes;
    const names = data.raw.frames.name;
    const children = new Map();
    this.ofNode = new Int32Array(parent.length);
    for (let node = 1; node < parent.length; node += 1) {
      const above = this.ofNode[parent[node]];
      const key = above * data.raw.texts.length + names[frame[node]];
      if (!children.has(key)) {
        children.set(key, this.parent.length);
        this.parent.push(above);
        this.frame.push(frame[node]);
      }
      this.ofNode[node] = children.get(key);
    }
  }

  name(node) {
    return node === 0 ? "all" : this.data.frames[this.frame[node]].name;
  }

  /**
   * What the sites weigh: `now` and `before` are numbers of snapshots of each process (data.snapshotsAt()), `before`
   * null where nothing is compared. Compared, a node is as wide as what changed in it, grown or shrunk.
   */
  weigh(sites, what, now, before) {
    const value = new Float64Array(this.parent.length);
    const delta = new Float64Array(this.parent.length);
    const { process, node } = this.data.raw.sites;
    for (const site of sites) {
      const owner = process[site];
      const after = now[owner] < 0 ? 0 : this.data.valueAt(site, what, now[owner]);
      const earlier = before === null || before[owner] < 0 ? 0 : this.data.valueAt(site, what, before[owner]);
      const change = after - earlier;
      value[this.ofNode[node[site]]] += before === null ? after : Math.abs(change);
      delta[this.ofNode[node[site]]] += change;
    }
    for (let i = value.length - 1; i > 0; i -= 1) {
      value[this.parent[i]] += value[i];
      delta[this.parent[i]] += delta[i];
    }
    return this.#objects(value, delta);
  }

  // As d3-flame-graph takes it; without what weighs nothing.
  #objects(value, delta) {
    const objects = new Array(value.length);
    for (let node = 0; node < value.length; node += 1) {
      if (value[node] > 0 || node === 0) {
        objects[node] = { name: this.name(node), value: value[node], delta: delta[node], node, children: [] };
        if (node !== 0) {
          objects[this.parent[node]].children.push(objects[node]);
        }
      }
    }
    return objects[0];
  }

  isUnder(node, ancestor) {
    while (node > ancestor) {
      node = this.parent[node];
    }
    return node === ancestor;
  }

  /** Whether a frame has all words in its name, file or module. */
  isFound(node, words) {
    if (node === 0 || words.length === 0) {
      return false;
    }
    this.texts ??= [];
    const { name, file, module } = this.data.frames[this.frame[node]];
    this.texts[node] ??= `${name} ${file} ${module}`.toLowerCase();
    return words.every((word) => this.texts[node].includes(word));
  }

  /** The weight of what is found, each stack once. */
  weightOf(root, words) {
    const open = [root];
    let sum = 0;
    while (open.length !== 0) {
      const one = open.pop();
      if (this.isFound(one.node, words)) {
        sum += one.value;
      } else {
        one.children.forEach((child) => open.push(child));
      }
    }
    return sum;
  }
}
