// The part of the time line that the chart shows. Pure, no DOM.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SPANS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR, 168 * HOUR, 720 * HOUR];
const OFFERED = 4;
const LEAST_WINDOWS = 6;              // of which a span is worth being offered

// 1, 5, 15 and 60 minutes; longer ones where windows are long.
export function offeredSpans(slide) {
  const first = SPANS.findIndex((span) => span >= LEAST_WINDOWS * slide);
  return SPANS.slice(first < 0 ? -OFFERED : Math.min(first, SPANS.length - OFFERED)).slice(0, OFFERED);
}

export class Range {
  #chosen = null;                     // in ms; null: nothing was chosen
  #right = null;                      // null: it follows the newest window

  get isLive() {
    return this.#right === null;
  }

  get isDefault() {
    return this.#chosen === null && this.isLive;
  }

  chosen(slide) {
    return this.#chosen ?? offeredSpans(slide)[1];
  }

  // [from, to] in ms. A young job fills the picture, unless a span was chosen.
  of(store) {
    const right = this.#right ?? store.newest.start;
    const [least, usual] = offeredSpans(store.slide);
    const present = store.newest.start - store.oldest.start;
    return [right - (this.#chosen ?? Math.min(usual, Math.max(least, present))), right];
  }

  reset() {
    this.#chosen = null;
    this.#right = null;
  }

  follow() {
    this.#right = null;
  }

  choose(span) {
    this.#chosen = span;
  }

  home(store) {
    const [from, to] = this.of(store);
    this.show(store, store.oldest.start, store.oldest.start + to - from);
  }

  pan(store, ms) {
    const [from, to] = this.of(store);
    this.show(store, from + ms, to + ms);
  }

  // By a factor, so that the moment `at` stays where it is; without one a live range stays live.
  zoom(store, factor, at = null) {
    const [from, to] = this.of(store);
    const span = clampSpan(store, (to - from) * factor);
    if (this.isLive && at === null) {
      this.#chosen = span;
    } else {
      const pivot = at ?? (from + to) / 2;
      const left = pivot - (pivot - from) * span / (to - from);
      this.show(store, left, left + span);
    }
  }

  // Never beyond the newest window, nor so far back that nothing is seen. What ends at the newest window is live.
  show(store, from, to) {
    const span = clampSpan(store, to - from);
    const right = Math.max(to, store.oldest.start + span / 10);
    this.#chosen = span;
    this.#right = right >= store.newest.start ? null : right;
  }
}

function clampSpan(store, span) {
  const least = Math.max(1, 4 * (store.slide || 250));
  const most = Math.max(offeredSpans(store.slide).at(-1), store.newest.start - store.oldest.start);
  return Math.min(most, Math.max(least, span));
}
