// Draws windows by dygraphs (served beside the page as a classic script, hence the global): the chart on the page, and
// the one of the picture to take away.
/* global Dygraph */

import { binSize, gaps, largest, rows, runs, spacing } from './lines.js';
import { drawnSeries, isMuted, seriesStyle } from './series.js';

const LEAST_PIXELS = 3;               // for one window; else several make one point
const DENSE_PIXELS = 6;               // below, lines are thin, or they would run into each other
const MARK_PIXELS = 18;               // between windows, from which on each has a mark
const OPEN_ALPHA = 0.5;
const BAND_ALPHA = 0.18;

// Legend writes style attributes, which the Content-Security-Policy forbids; the tiles are the legend.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

// `view` is { store, locale, range: [from, to] }, `look` what look.js makes of the style sheet.
export class Graph {
  #div;
  #own;
  #dygraph = null;
  #frame;
  #view;
  #look;
  #series;                            // the first is drawn last: it is the one that matters
  #parts;
  #rows;
  #firstOpen;                         // the first row of a window that still counts
  #isMarked;
  #pointed = null;                    // the record under the cursor

  bin = 0;                            // how much time makes one point; 0: each window its own

  // `own`: further options of dygraphs.
  constructor(div, own = {}) {
    this.#div = div;
    this.#own = own;
  }

  get canvas() {
    return this.#div.querySelector('canvas');
  }

  // The frame within the div, in pixels: { x, y, w, h }.
  get area() {
    return this.#dygraph.getArea();
  }

  get msPerPixel() {
    const [from, to] = this.#dygraph.xAxisRange();
    return (to - from) / this.area.w;
  }

  x(time) {
    return this.#dygraph.toDomXCoord(time);
  }

  time(x) {
    return this.#dygraph.toDataXCoord(x);
  }

  draw(view, look) {
    this.#view = view;
    this.#look = look;
    const options = this.#options();
    // dygraphs clears no more than the new frame: where that changes within its canvas, begin anew.
    const frame = `${options.axes.y.axisLabelWidth} ${look.rem}`;
    if (this.#dygraph && frame !== this.#frame) this.destroy();
    this.#frame = frame;
    if (this.#dygraph) {
      this.#dygraph.resize();
      this.#dygraph.updateOptions(options);
    } else {
      const gapsPlugin = { activate: () => ({ didDrawChart: (event) => this.#drawGaps(event) }) };
      const first = { interactionModel: {}, plugins: [gapsPlugin], ...this.#own };
      this.#dygraph = new Dygraph(this.#div, options.file, { ...options, ...first });
    }
  }

  // A line at a window, and each series' point on it; null: none.
  point(record) {
    this.#dygraph.clearSelection();
    this.#pointed = record;
    if (record) this.#dygraph.setSelection(nearestRow(this.#rows, record.start));
  }

  destroy() {
    this.#dygraph.destroy();
    this.#dygraph = null;
  }

  #options() {
    const { store, range: [from, to] } = this.#view;
    const { rem } = this.#look;
    const tickSize = 0.3 * rem;
    const records = store.around(from, to);
    this.#series = drawnSeries(store.labels, store.seen).reverse();
    const { labelWidth, xAxisHeight } = this.#axes(largest(store.between(from, to), this.#series), tickSize);
    // Some room at the right, for the newest window's marks.
    const edge = 0.6 * rem;
    const msPerPixel = (to - from) / Math.max(1, this.#div.clientWidth - labelWidth - 2 * tickSize - edge);
    const isDense = this.#prepare(records, msPerPixel);
    return {
      ...this.#seriesOptions(isDense),
      file: this.#rows,
      dateWindow: [from, to + edge * msPerPixel],
      rightGap: 0,
      xAxisHeight,
      includeZero: true,
      yRangePad: 0.4 * rem,
      drawAxesAtZero: true,
      labelsUTC: this.#view.locale.zone === 'utc',
      axisLabelFontSize: 0.8125 * rem,
      axisTickSize: tickSize,
      gridLineColor: this.#look.grid,
      gridLineWidth: 1,
      axisLineWidth: 1,
      axes: { x: this.#timeAxis(rem, msPerPixel), y: this.#countAxis(rem, labelWidth) },
      underlayCallback: (context, area, dygraph) => this.#shadeOpen(context, area, dygraph),
    };
  }

  // The frame's edges are on whole pixels of the screen: half a pixel would be half cleared, and what was there shows.
  #axes(most, tickSize) {
    const { rem } = this.#look;
    const whole = (length) => Math.ceil(length * devicePixelRatio) / devicePixelRatio;
    const { clientHeight } = this.#div;
    return {
      labelWidth: whole(countWidth(most, rem) + 2 * tickSize) - 2 * tickSize,
      xAxisHeight: clientHeight - whole(clientHeight - 0.8125 * rem - 2 * tickSize),
    };
  }

  // Makes the rows; whether they are close together.
  #prepare(records, msPerPixel) {
    const { store } = this.#view;
    this.bin = binSize(records, store.slide, msPerPixel, LEAST_PIXELS);
    this.#parts = runs(records, store.slide);
    this.#rows = rows(this.#parts, this.#series.map((label) => label.name), store.slide, this.bin);
    const open = this.bin ? undefined : this.#openRecord;
    this.#firstOpen = open ? this.#rows.findIndex((row) => row[0] === open.start) : Infinity;
    const pixels = spacing(records, store.slide) / msPerPixel;
    this.#isMarked = pixels >= MARK_PIXELS * this.#look.stroke;
    return !this.bin && pixels < DENSE_PIXELS;
  }

  #seriesOptions(isDense) {
    const { stroke, colour } = this.#look;
    const series = {};
    for (const label of this.#series) {
      const style = seriesStyle(this.#view.store.labels, label);
      const width = style.width * stroke * (isDense ? 0.7 : 1);
      series[label.name] = {
        color: colour(style.colour),
        strokePattern: style.dash.map((length) => length * stroke),
        strokeWidth: width,
        pointSize: 1.25 * width,
      };
    }
    return {
      labels: ['window start', ...this.#series.map((label) => label.name)],
      series,
      customBars: this.bin > 0,
      fillAlpha: BAND_ALPHA,
      plotter: [drawBand, (event) => this.#drawLine(event)],
      drawPoints: true,
      drawPointCallback: (...all) => this.#drawMark(...all),
      drawHighlightPointCallback: (graph, name, context, x, y, colour) => this.#drawCursor(name, context, colour),
    };
  }

  #timeAxis(rem, msPerPixel) {
    const room = 5.5 * rem * msPerPixel < 1000 ? 8 : 5.5;   // for fractions of a second
    return {
      ticker: Dygraph.dateTicker,
      axisLabelFormatter: (value, granularity) => this.#view.locale.tick(Number(value), tickOptions(granularity)),
      pixelsPerLabel: room * rem,
      axisLabelWidth: (room - 0.5) * rem,
      axisLineColor: this.#look.rule,
      drawGrid: true,
    };
  }

  #countAxis(rem, width) {
    return {
      ticker: wholeTicks,
      axisLabelFormatter: (value) => this.#view.locale.compactNumber(value),
      pixelsPerLabel: 2 * rem,
      axisLabelWidth: width,
      axisLineColor: 'transparent',
    };
  }

  get #openRecord() {
    const { store } = this.#view;
    return this.#parts.at(-1)?.find((record) => !store.isClosed(record));
  }

  // Windows still counting make every line dip at its end: say so by a shade, and by fainter lines.
  #shadeOpen(context, area, dygraph) {
    const open = this.#openRecord;
    if (!open) return;
    const left = Math.max(area.x, dygraph.toDomXCoord(open.start - this.#view.store.slide / 2));
    context.fillStyle = this.#look.shade;
    context.fillRect(left, area.y, Math.max(0, area.x + area.w - left), area.h);
  }

  #drawLine(event) {
    const { points, drawingContext: context } = event;
    const at = points.findIndex((point) => point.idx >= this.#firstOpen);
    const { linePlotter } = Dygraph.Plotters;
    context.save();
    context.lineJoin = 'round';
    if (at < 0) {
      linePlotter(event);
    } else {
      linePlotter({ ...event, points: points.slice(0, at) });
      context.globalAlpha = OPEN_ALPHA;
      linePlotter({ ...event, points: points.slice(Math.max(0, at - 1)) });
    }
    context.restore();
  }

  // A window alone between gaps would be a line without length. One still counting has a hollow mark.
  #drawMark(graph, name, context, x, y, colour, radius, row) {
    const isOpen = row >= this.#firstOpen;
    const isAlone = [row - 1, row + 1].every((near) => (this.#rows[near]?.[1] ?? null) === null);
    const muted = isMuted({ name });
    if (!isOpen && !isAlone && (muted || !this.#isMarked)) return;
    dot(context, x, y, radius, isOpen ? this.#look.paper : colour, colour);
  }

  // The first point that dygraphs draws brings the line along. In a bin, the window itself is meant.
  #drawCursor(name, context, colour) {
    const { area } = this;
    const record = this.#pointed;
    const x = this.x(record.start);
    if (name === this.#series[0].name) {
      context.fillStyle = this.#look.quiet;
      context.fillRect(Math.round(x), area.y, 1, area.h);
    }
    dot(context, x, this.#dygraph.toDomYCoord(record.counts[name] ?? 0), 4.5, colour, this.#look.paper);
  }

  // Hatched, and in words where there is room.
  #drawGaps({ dygraph, drawingContext: context }) {
    const area = dygraph.getArea();
    for (const gap of gaps(this.#parts, this.#view.store.slide)) {
      const [left, right] = gap.map((time) =>
        Math.min(area.x + area.w, Math.max(area.x, dygraph.toDomXCoord(time))));
      if (right - left < 2) continue;
      context.save();
      context.beginPath();
      context.rect(left, area.y, right - left, area.h);
      context.clip();
      this.#hatch(context, left, right, area);
      this.#writeGap(context, left, right, area);
      context.restore();
    }
  }

  #hatch(context, left, right, { y, h }) {
    context.strokeStyle = this.#look.rule;
    context.lineWidth = 0.75;
    context.beginPath();
    for (let x = Math.floor((left - h) / 8) * 8; x < right; x += 8) {
      context.moveTo(x, y + h);
      context.lineTo(x + h, y);
    }
    context.stroke();
  }

  #writeGap(context, left, right, { y, h }) {
    const { rem, font, paper, quiet } = this.#look;
    const words = this.#view.locale.text('noWindows');
    context.font = font;
    const width = context.measureText(words).width + rem;
    if (width >= right - left) return;
    context.fillStyle = paper;
    context.fillRect((left + right - width) / 2, y + h / 2 - 0.8 * rem, width, 1.6 * rem);
    context.fillStyle = quiet;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(words, (left + right) / 2, y + h / 2);
  }
}

// From the smallest to the largest window of each bin.
function drawBand(event) {
  if (!isMuted({ name: event.setName })) Dygraph.Plotters.errorPlotter(event);
}

function dot(context, x, y, radius, fill, edge) {
  context.save();
  context.globalAlpha = 1;
  context.setLineDash([]);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = edge;
  context.lineWidth = 1.5;
  context.stroke();
  context.restore();
}

function nearestRow(all, time) {
  let nearest = 0;
  all.forEach((row, index) => {
    const isNearer = Math.abs(row[0] - time) < Math.abs(all[nearest][0] - time);
    if (row[1] !== null && isNearer) nearest = index;
  });
  return nearest;
}

// Room for the largest count as it is written, compact from a thousand on.
function countWidth(most, rem) {
  return (most < 900 ? 0.2 + 0.5 * Math.max(2, String(Math.ceil(1.1 * most)).length) : 2.75) * rem;
}

// Counts are whole: no line at a half of a buyer.
function wholeTicks(...args) {
  return Dygraph.numericTicks(...args).filter((tick) => Number.isInteger(tick.v));
}

// What of a time tells two marks apart.
function tickOptions(granularity) {
  const { SECONDLY, MINUTELY, DAILY, MONTHLY } = Dygraph.Granularity;
  if (granularity >= MONTHLY) return { year: 'numeric', month: 'short' };
  if (granularity >= DAILY) return { month: 'short', day: 'numeric' };
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  if (granularity < MINUTELY) options.second = '2-digit';
  if (granularity < SECONDLY) options.fractionalSecondDigits = 3;
  return options;
}
