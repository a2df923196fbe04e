// The chart on the page: the graph, what follows the pointer, and a tip.

import { Graph } from './graph.js';
import { readLook } from './look.js';
import { element } from './view.js';

export class Chart {
  #graph;
  #selection = element('div', 'selection');
  #tip = element('div', 'tip');
  #fillTip;
  #view = null;
  #cursor = null;                     // the start of the window pointed at

  // `fillTip(node, record, isGap)` writes what the tip says; `redraw()` draws again, after a change of size.
  constructor(div, fillTip, redraw) {
    this.div = div;
    this.#fillTip = fillTip;
    const plot = element('div', 'plot');
    plot.ariaHidden = true;
    this.#graph = new Graph(plot);
    this.#selection.hidden = this.#tip.hidden = true;
    div.replaceChildren(plot, this.#selection, this.#tip);
    new ResizeObserver(redraw).observe(div);
  }

  // What is drawn; null: nothing yet.
  get view() {
    return this.#view;
  }

  get cursor() {
    return this.#cursor;
  }

  // How many windows make one point of a line; 1: each its own.
  get windowsPerPoint() {
    const { bin } = this.#graph;
    return bin ? Math.max(1, Math.round(bin / (this.#view.store.slide || bin))) : 1;
  }

  draw(view) {
    if (!this.div.clientWidth || !this.div.clientHeight) return;
    this.#graph.draw(view, readLook());
    this.#view = view;
    this.#drawCursor();
  }

  // A moment, from a place on the screen.
  timeAt(clientX) {
    return this.#graph.time(clientX - this.div.getBoundingClientRect().left);
  }

  get msPerPixel() {
    return this.#graph.msPerPixel;
  }

  // The window nearest to a moment, or the gap there.
  pointAt(time) {
    this.#cursor = time === null ? null : this.#snap(time);
    if (this.#view) this.#drawCursor();
  }

  // From one place on the screen to another, while a zoom is drawn; null: none.
  select(from, to) {
    this.#selection.hidden = from === null;
    if (from === null) return;
    const { x, y, w, h } = this.#graph.area;
    const { left: edge } = this.div.getBoundingClientRect();
    const [left, right] = [from, to].map((each) => Math.min(x + w, Math.max(x, each - edge)));
    const place = { left, top: y, width: right - left, height: h };
    for (const name in place) this.#selection.style[name] = `${place[name]}px`;
  }

  #snap(time) {
    const { store } = this.#view;
    const nearest = store.nearest(time)?.start ?? null;
    if (!store.slide || nearest === null || Math.abs(nearest - time) <= store.slide / 2) return nearest;
    const isWithin = time > store.oldest.start && time < store.newest.start;
    return isWithin ? Math.round(time / store.slide) * store.slide : nearest;
  }

  #drawCursor() {
    const [from, to] = this.#view.range;
    const isSeen = this.#cursor !== null && this.#cursor >= from && this.#cursor <= to;
    const record = isSeen ? this.#view.store.get(this.#cursor) : undefined;
    this.#graph.point(record ?? null);
    this.#tip.hidden = !isSeen;
    if (!isSeen) return;
    this.#fillTip(this.#tip, record ?? { start: this.#cursor }, !record);
    this.#placeTip(this.#graph.x(this.#cursor));
  }

  // Beside the cursor, on the side that has room.
  #placeTip(x) {
    const { width } = this.div.getBoundingClientRect();
    const own = this.#tip.offsetWidth;
    const left = x + 16 + own < width ? x + 16 : Math.max(0, x - 16 - own);
    this.#tip.style.left = `${left}px`;
  }
}
