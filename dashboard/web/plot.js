// Draws windows into a 2D context: the chart on the page, and the picture to take away. Knows no DOM.
// Draws windows into a 2D context: the chart on the page, and the picture to take away. Knows no DOM.

import { binSize, gaps, largest, points, runs } from './lines.js';
import { countTicks, tickOptions, timeTicks } from './scale.js';
import { drawnSeries, isMuted, seriesStyle } from './series.js';

const LEAST_PIXELS = 3;               // for one window; else several make one point
const DENSE_PIXELS = 6;               // below, lines are thin, or they would run into each other
const MARK_PIXELS = 18;               // between windows, from which on each has a mark
const OPEN_ALPHA = 0.5;
const BAND_ALPHA = 0.18;

// What is drawn: the frame in pixels, and how moments and counts fall into it.
// `view` is { store, locale, range: [from, to] }, `look` what look.js makes of the style sheet.
export class Plot {
  constructor(context, width, height, view, look) {
    this.context = context;
    this.view = view;
    this.look = look;
    const { store, range: [from, to] } = view;
    this.records = store.around(from, to);
    this.series = drawnSeries(store.labels, store.seen);
    const inside = store.between(from, to);
    const rem = look.rem;
    const rows = Math.max(2, Math.floor((height - 3 * rem) / (2.75 * rem)));
    this.ticks = countTicks(largest(inside, this.series), rows);
    const labels = this.ticks.map((tick) => view.locale.compactNumber(tick));
    context.font = look.font;
    const left = Math.max(...labels.map((label) => context.measureText(label).width)) + 0.6 * rem;
    this.box = { left, top: 0.7 * rem, right: width - 0.6 * rem, bottom: height - 1.7 * rem };
    const msPerPixel = (to - from) / this.width;
    this.bin = binSize(this.records, store.slide, msPerPixel, LEAST_PIXELS);
    this.isDense = !this.bin && binSize(this.records, store.slide, msPerPixel, DENSE_PIXELS) > 0;
  }

  get width() {
    return Math.max(1, this.box.right - this.box.left);
  }

  x(time) {
    const [from, to] = this.view.range;
    return this.box.left + (time - from) / (to - from) * this.width;
  }

  y(count) {
    return this.box.bottom - count / this.ticks.at(-1) * (this.box.bottom - this.box.top);
  }

  time(x) {
    const [from, to] = this.view.range;
    return from + (x - this.box.left) / this.width * (to - from);
  }

  draw() {
    const { context, view: { store } } = this;
    this.#drawCountAxis();
    this.#drawTimeAxis();
    const parts = runs(this.records, store.slide);
    context.save();
    context.beginPath();
    context.rect(this.box.left, 0, this.width + 0.6 * this.look.rem, this.box.bottom + 2);
    context.clip();
    this.#shadeOpen();
    for (const gap of gaps(parts, store.slide)) this.#drawGap(gap);
    // The first series is drawn last: it is the one that matters.
    for (const label of [...this.series].reverse()) for (const run of parts) this.#drawRun(run, label);
    context.restore();
  }

  // A window under the cursor: a line, and each series' point on it.
  drawCursor(context, record) {
    const x = this.x(record.start);
    if (x < this.box.left - 1 || x > this.box.right + 1) return;
    line(context, this.look.quiet, [x, this.box.top], [x, this.box.bottom]);
    for (const label of this.series) {
      const colour = this.look.colour(seriesStyle(this.view.store.labels, label).colour);
      dot(context, x, this.y(record.counts[label.name] ?? 0), 4.5, colour, this.look.paper);
    }
  }

  #drawCountAxis() {
    const { context, look, box, view } = this;
    context.font = look.font;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const tick of this.ticks) {
      const y = Math.round(this.y(tick)) + 0.5;
      line(context, tick === 0 ? look.rule : look.grid, [box.left, y], [box.right, y]);
      context.fillStyle = look.quiet;
      context.fillText(view.locale.compactNumber(tick), box.left - 0.5 * look.rem, y);
    }
  }

  #drawTimeAxis() {
    const { context, look, box, view } = this;
    const [from, to] = view.range;
    const room = 5.5 * look.rem;
    const { step, ticks } = timeTicks(from, to, Math.max(1, this.width / room), view.locale.offset(to));
    const options = tickOptions(step);
    context.textAlign = 'center';
    context.textBaseline = 'alphabetic';
    context.fillStyle = look.quiet;
    let end = -Infinity;                // of the words before
    for (const tick of ticks) {
      const x = Math.round(this.x(tick)) + 0.5;
      line(context, look.rule, [x, box.bottom], [x, box.bottom + 0.3 * look.rem]);
      const words = view.locale.tick(tick, options);
      const half = context.measureText(words).width / 2;
      const middle = Math.min(Math.max(x, half), box.right + 0.6 * look.rem - half);
      if (middle - half < end + 0.6 * look.rem) continue;
      context.fillText(words, middle, box.bottom + 1.35 * look.rem);
      end = middle + half;
    }
  }

  // Windows still counting make every line dip at its end: say so by a shade.
  #shadeOpen() {
    const { context, box, view: { store } } = this;
    const open = this.records.find((record) => !store.isClosed(record));
    if (!open) return;
    const left = Math.max(box.left, this.x(open.start - store.slide / 2));
    context.fillStyle = this.look.shade;
    context.fillRect(left, box.top, Math.max(0, box.right + 0.6 * this.look.rem - left), box.bottom - box.top);
  }

  // Hatched, and in words where there is room.
  #drawGap([from, to]) {
    const { context, box, look } = this;
    const left = Math.max(box.left, this.x(from));
    const right = Math.min(box.right, this.x(to));
    if (right - left < 2) return;
    context.save();
    context.beginPath();
    context.rect(left, box.top, right - left, box.bottom - box.top);
    context.clip();
    context.strokeStyle = look.rule;
    context.lineWidth = 0.75;
    context.beginPath();
    const height = box.bottom - box.top;
    for (let x = Math.floor((left - height) / 8) * 8; x < right; x += 8) {
      context.moveTo(x, box.bottom);
      context.lineTo(x + height, box.top);
    }
    context.stroke();
    const words = this.view.locale.text('noWindows');
    const width = context.measureText(words).width + look.rem;
    if (width < right - left) this.#label(words, (left + right) / 2, (box.top + box.bottom) / 2, width);
    context.restore();
  }

  #label(words, x, y, width) {
    const { context, look } = this;
    context.fillStyle = look.paper;
    context.fillRect(x - width / 2, y - 0.8 * look.rem, width, 1.6 * look.rem);
    context.fillStyle = look.quiet;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(words, x, y);
  }

  #drawRun(run, label) {
    const { context, view: { store } } = this;
    const style = seriesStyle(store.labels, label);
    const all = points(run, label.name, this.bin);
    const closed = this.bin ? all.length : run.filter((record) => store.isClosed(record)).length;
    const width = style.width * this.look.stroke * (this.isDense ? 0.7 : 1);
    context.strokeStyle = context.fillStyle = this.look.colour(style.colour);
    context.lineWidth = width;
    context.lineJoin = 'round';
    if (this.bin && !isMuted(label)) this.#drawBand(all);
    context.setLineDash(style.dash.map((length) => length * this.look.stroke));
    this.#drawLine(all.slice(0, closed));
    context.globalAlpha = OPEN_ALPHA;
    this.#drawLine(all.slice(Math.max(0, closed - 1)));
    context.globalAlpha = 1;
    context.setLineDash([]);
    this.#drawMarks(all, closed, width, isMuted(label));
  }

  #drawLine(all) {
    if (all.length < 2) return;
    this.context.beginPath();
    for (const { time, value } of all) this.context.lineTo(this.x(time), this.y(value));
    this.context.stroke();
  }

  // From the smallest to the largest window of each bin.
  #drawBand(all) {
    const { context } = this;
    context.beginPath();
    for (const { time, most } of all) context.lineTo(this.x(time), this.y(most));
    for (const { time, least } of [...all].reverse()) context.lineTo(this.x(time), this.y(least));
    context.closePath();
    context.globalAlpha = BAND_ALPHA;
    context.fill();
    context.globalAlpha = 1;
  }

  // A window alone between gaps would be a line without length. One still counting has a hollow mark.
  #drawMarks(all, closed, width, isMuted) {
    const { context, look } = this;
    const apart = all.length > 1 ? this.x(all[1].time) - this.x(all[0].time) : Infinity;
    all.forEach(({ time, value }, index) => {
      const isOpen = index >= closed;
      const isMarked = isOpen || (isMuted ? all.length === 1 : apart >= MARK_PIXELS * look.stroke);
      if (!isMarked) return;
      const colour = context.strokeStyle;
      dot(context, this.x(time), this.y(value), 1.25 * width, isOpen ? look.paper : colour, colour);
    });
  }
}

function line(context, colour, from, to) {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function dot(context, x, y, radius, fill, edge) {
  context.save();
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = edge;
  context.lineWidth = 1.5;
  context.stroke();
  context.restore();
}
