// The chart on the page: two canvases, the lines, and above them what follows the pointer; and a tip.
// The chart on the page: two canvases, the lines below and above them what follows the pointer, and a tip.

import { readLook } from './look.js';
import { Plot } from './plot.js';

export class Chart {
  #lines;
  #marks;
  #tip;
  #fillTip;
  #view = null;
  #plot = null;
  #cursor = null;                     // the start of the window pointed at
  #selection = null;                  // [x, x] while a zoom is drawn

  // `fillTip(node, record, isGap)` writes what the tip says; `redraw()` draws again, after a change of size.
  constructor(div, fillTip, redraw) {
    this.div = div;
    this.#fillTip = fillTip;
    [this.#lines, this.#marks] = div.querySelectorAll('canvas');
    this.#tip = div.querySelector('.tip');
    new ResizeObserver(redraw).observe(div);
  }

  get view() {
    return this.#view;
  }

  get cursor() {
    return this.#cursor;
  }

  // How many windows make one point of a line; 1: each its own.
  get windowsPerPoint() {
    return this.#plot?.bin ? Math.max(1, Math.round(this.#plot.bin / (this.#view.store.slide || this.#plot.bin))) : 1;
  }

  draw(view) {
    this.#view = view;
    const { width, height } = this.div.getBoundingClientRect();
    if (!width || !height) return;
    for (const canvas of [this.#lines, this.#marks]) fit(canvas, width, height);
    this.#plot = new Plot(this.#lines.getContext('2d'), width, height, view, readLook());
    this.#plot.draw();
    this.#drawMarks();
  }

  // A moment, from a place on the screen.
  timeAt(clientX) {
    return this.#plot.time(clientX - this.div.getBoundingClientRect().left);
  }

  get msPerPixel() {
    const [from, to] = this.#view.range;
    return (to - from) / this.#plot.width;
  }

  // The window nearest to a moment, or the gap there.
  pointAt(time) {
    this.#cursor = time === null ? null : this.#snap(time);
    this.#drawMarks();
  }

  select(from, to) {
    this.#selection = from === null ? null : [from, to];
    this.#drawMarks();
  }

  #snap(time) {
    const { store } = this.#view;
    const nearest = store.nearest(time)?.start ?? null;
    if (!store.slide || nearest === null || Math.abs(nearest - time) <= store.slide / 2) return nearest;
    const isWithin = time > store.oldest.start && time < store.newest.start;
    return isWithin ? Math.round(time / store.slide) * store.slide : nearest;
  }

  #drawMarks() {
    const context = this.#marks.getContext('2d');
    context.clearRect(0, 0, this.#marks.width, this.#marks.height);
    this.#tip.hidden = true;
    if (!this.#plot) return;
    if (this.#selection) this.#drawSelection(context);
    if (this.#cursor === null) return;
    const record = this.#view.store.get(this.#cursor);
    const x = this.#plot.x(this.#cursor);
    if (x < this.#plot.box.left - 1 || x > this.#plot.box.right + 1) return;
    if (record) this.#plot.drawCursor(context, record);
    this.#fillTip(this.#tip, record ?? { start: this.#cursor }, !record);
    this.#tip.hidden = false;
    this.#placeTip(x);
  }

  // Beside the cursor, on the side that has room.
  #placeTip(x) {
    const { width } = this.div.getBoundingClientRect();
    const own = this.#tip.offsetWidth;
    const left = x + 16 + own < width ? x + 16 : Math.max(0, x - 16 - own);
    this.#tip.style.left = `${left}px`;
  }

  #drawSelection(context) {
    const { box, look } = this.#plot;
    const { left: edge } = this.div.getBoundingClientRect();
    const [from, to] = this.#selection.map((x) => Math.min(box.right, Math.max(box.left, x - edge)));
    context.fillStyle = look.colour('--link');
    context.globalAlpha = 0.16;
    context.fillRect(from, box.top, to - from, box.bottom - box.top);
    context.globalAlpha = 1;
    context.fillRect(from, box.top, 1, box.bottom - box.top);
    context.fillRect(to - 1, box.top, 1, box.bottom - box.top);
  }
}

// As many pixels as the screen has.
function fit(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
}
