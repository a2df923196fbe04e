// The windows the page knows: bounded, ascending by start, one record a start.
// Pure data, no DOM, so that it can be tested anywhere.

export const MAX_WINDOWS = 3600;      // an hour of seconds, and what the server keeps

export class WindowStore {
  #limit;
  #records = [];
  #identity = null;

  job = null;
  labels = [];
  window = null;          // null: the results tell times, not windows, and nothing can be missing
  seen = new Set();       // names of the series that ever counted anything, evicted windows included
  coveredFrom = Infinity; // from this start on, the server has told every window it has
  edition = '';           // of the topic and its reader: the windows of two do not belong together

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

  get isFull() {
    return this.size >= this.#limit;
  }

  // The time between two windows; 0 where there is none.
  get slide() {
    return this.window?.slide ?? 0;
  }

  // Another job, other series or another edition start afresh. Else the snapshot is the truth from its first window on,
  // and what is older stays until replace() checks it, so that the picture does not flicker.
  applySnapshot({ job, edition, labels, window, windows }) {
    const identity = JSON.stringify([job, labels, window ?? null]);
    if (identity !== this.#identity) {
      this.seen = new Set();
      this.job = job;
      this.labels = labels;
      this.window = window ?? null;
    }
    if (identity !== this.#identity || edition !== this.edition) this.#records = [];
    this.#identity = identity;
    this.edition = edition;
    this.#records = windows.length ? this.#records.slice(0, this.#position(windows[0].start)) : [];
    this.coveredFrom = windows.length ? windows[0].start : -Infinity;
    for (const record of windows) this.add(record);
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
      if (at === 0 && this.isFull) return false;
      this.#records.splice(at, 0, record);
      if (this.size > this.#limit) this.#records.shift();
    }
    for (const name in record.counts) if (record.counts[name] > 0) this.seen.add(name);
    return true;
  }

  // The server's windows with from <= start < coveredFrom, as asked for when `known` were all that was known there.
  replace(from, known, windows) {
    const told = new Set(windows.map((record) => record.start));
    const gone = new Set(known.filter((record) => !told.has(record.start)));
    this.#records = this.#records.filter((record) => !gone.has(record));
    for (const record of windows) this.add(record);
    this.coveredFrom = from;
  }

  get(start) {
    const record = this.#records[this.#position(start)];
    return record?.start === start ? record : undefined;
  }

  latest(count) {
    return this.#records.slice(-count).reverse();
  }

  // The windows with from <= start <= to.
  between(from, to) {
    return this.#records.slice(this.#position(from), this.#after(to));
  }

  // The same, and one more on either side, so that lines enter and leave the picture.
  around(from, to) {
    return this.#records.slice(Math.max(0, this.#position(from) - 1), this.#after(to) + 1);
  }

  countAfter(start) {
    return this.size - this.#after(start);
  }

  // The window that starts nearest to a moment.
  nearest(ms) {
    const at = this.#position(ms);
    const [before, after] = [this.#records[at - 1], this.#records[at]];
    if (!before || !after) return before ?? after;
    return ms - before.start <= after.start - ms ? before : after;
  }

  // The next window that is known after (1) or before (-1) one's start.
  step(start, direction) {
    return this.#records[direction > 0 ? this.#after(start) : this.#position(start) - 1];
  }

  // What all windows with from < start <= to counted together: a minute up to the newest has sixty seconds.
  sums(from, to) {
    const sums = { windows: 0, total: 0, counts: {} };
    for (const record of this.#records.slice(this.#after(from), this.#after(to))) {
      sums.windows++;
      sums.total += record.total;
      for (const name in record.counts) sums.counts[name] = (sums.counts[name] ?? 0) + record.counts[name];
    }
    return sums;
  }

  // A window is closed once another started at or after its end + lateness. A time without a window is as it is.
  isClosed(record) {
    return !this.window || this.newest.start >= record.end + (this.window.lateness ?? 0);
  }

  // As it is now: for a reader who has paused. Records are never written to.
  frozen() {
    const copy = new WindowStore(this.#limit);
    const { job, labels, window, coveredFrom, edition } = this;
    Object.assign(copy, { job, labels, window, coveredFrom, edition, seen: new Set(this.seen) });
    copy.#records = this.#records.slice();
    return copy;
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

  #after(start) {
    const at = this.#position(start);
    return this.#records[at]?.start === start ? at + 1 : at;
  }
}
