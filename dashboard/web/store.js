// The windows the page knows: bounded, ascending by start, one record a start.
// Pure data, no DOM, so that it can be tested anywhere.

export const MAX_WINDOWS = 3600;

export class WindowStore {
  #limit;
  #records = [];
  #identity = null;

  job = null;
  labels = [];
  window = null;
  seen = new Set();       // names of the series that ever counted anything, evicted windows included

  constructor(limit = MAX_WINDOWS) {
    this.#limit = limit;
  }

  get newest() {
    return this.#records.at(-1);
  }

  get oldest() {
    return this.#records[0];
  }

  get size() {
    return this.#records.length;
  }

  // Several feeds of one job merge; another job, or other series, starts afresh.
  applySnapshot(snapshot) {
    const identity = JSON.stringify([snapshot.job, snapshot.labels, snapshot.window]);
    if (identity !== this.#identity) {
      this.#identity = identity;
      this.#records = [];
      this.seen.clear();
      this.job = snapshot.job;
      this.labels = snapshot.labels;
      this.window = snapshot.window ?? null;
    }
    for (const record of snapshot.windows) this.add(record);
  }

  // Returns whether the record told anything new. Counts only grow, so the largest total is the truth, and replays,
  // duplicates and late deliveries are harmless.
  add(record) {
    if (record.job !== this.job || !Number.isFinite(record.start)) return false;
    const at = this.#position(record.start);
    const known = this.#records[at];
    if (known?.start === record.start) {
      if (record.total <= known.total) return false;
      this.#records[at] = record;
    } else {
      if (at === 0 && this.size >= this.#limit) return false;
      this.#records.splice(at, 0, record);
      if (this.size > this.#limit) this.#records.shift();
    }
    for (const name in record.counts) if (record.counts[name] > 0) this.seen.add(name);
    return true;
  }

  get(start) {
    const record = this.#records[this.#position(start)];
    return record?.start === start ? record : undefined;
  }

  latest(count) {
    return this.#records.slice(-count).reverse();
  }

  // The windows from `start` on, and the one before them, from which a line enters the picture.
  since(start) {
    return this.#records.slice(Math.max(0, this.#position(start) - 1));
  }

  // A window is closed once another started at or after its end + lateness.
  isClosed(record) {
    return this.newest.start >= record.end + (this.window?.lateness ?? 0);
  }

  // The oldest window that is still counting.
  get firstOpen() {
    return this.#records[this.#records.findLastIndex((record) => this.isClosed(record)) + 1];
  }

  // The index of the first record that starts at or after `start`. Nearly always the end: look there first.
  #position(start) {
    let high = this.size;
    if (high === 0 || this.newest.start < start) return high;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#records[middle].start < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
