// The line chart, drawn by dygraphs (served beside the page as a classic script, hence the global).
/* global Dygraph */

const SPAN_MS = 5 * 60_000;           // what the chart shows
const SPAN_SLIDES = 30;               // or so many windows, where windows are long
const FIRST_SPAN_MS = 60_000;         // before there is that much, so that a young job does not cling to the edge
const COLOURS = 7;
const DASHES = [null, [8, 4], [2, 3], [10, 4, 2, 4], [16, 5]];    // 7 and 5 are coprime: 35 different lines
const MUTED_DASH = [3, 5];

// Legend writes style attributes, which the Content-Security-Policy forbids; the tiles are the legend.
Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);

export function isMuted(label) {
  return label.name === 'other' || label.name === 'unknown';
}

// How a series looks, on the chart and in its tile: the name of a CSS colour, and a dash pattern.
export function seriesStyle(labels, label) {
  if (isMuted(label)) return { colour: '--series-muted', dash: label.name === 'other' ? [1, 4] : MUTED_DASH };
  const index = labels.filter((each) => !isMuted(each)).indexOf(label);
  return { colour: `--series-${index % COLOURS}`, dash: DASHES[index % DASHES.length] };
}

export class Chart {
  #div;
  #onHover;
  #graph = null;
  #store = null;
  #locale = null;
  #following = true;
  #range = null;                      // what the chart was last told to show
  #hovered = null;                    // the start of the window under the pointer
  #held = false;                      // whether the reader is drawing a zoom or a pan

  constructor(div, onHover) {
    this.#div = div;
    this.#onHover = onHover;
  }

  get following() {
    return this.#following;
  }

  draw(store, locale) {
    this.#store = store;
    this.#locale = locale;
    if (this.#held) return;           // a redraw would wipe out the rectangle being drawn
    const shown = store.labels.filter((label) => !isMuted(label) || store.seen.has(label.name));
    if (this.#following) this.#range = visibleRange(store);
    const options = {
      ...this.#look(shown),
      file: rows(store.since(this.#following ? this.#range[0] : -Infinity), shown, store.window?.slide),
      ...(this.#following && { dateWindow: this.#range }),
    };
    if (this.#graph) this.#graph.updateOptions(options);
    else this.#graph = new Dygraph(this.#div, options.file, { ...options, ...this.#behaviour() });
    this.#graph.setSelection(options.file.findIndex((row) => row[0] === this.#hovered));
  }

  // What may change with the theme, the language and the series.
  #look(shown) {
    const css = getComputedStyle(document.documentElement);
    const colour = (name) => css.getPropertyValue(name).trim();
    const series = {};
    for (const label of shown) {
      const style = seriesStyle(this.#store.labels, label);
      series[label.name] = {
        color: colour(style.colour),
        strokePattern: style.dash,
        strokeWidth: isMuted(label) ? 1.25 : 1.75,
      };
    }
    return {
      labels: ['window start', ...shown.map((label) => label.name)],
      series,
      gridLineColor: colour('--grid'),
      axisLineColor: colour('--rule'),
    };
  }

  #behaviour() {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    return {
      interactionModel: this.#interaction(),
      resizable: 'passive',
      includeZero: true,
      gridLineWidth: 1,
      axisLineWidth: 1,
      axisLabelFontSize: 0.8125 * rem,
      highlightCircleSize: 4,
      axes: {
        x: {
          drawGrid: false,
          ticker: Dygraph.dateTicker,
          axisLabelFormatter: (value, granularity) => this.#timeTick(Number(value), granularity),
          pixelsPerLabel: 5.25 * rem,
          axisLabelWidth: 5 * rem,
        },
        y: {
          ticker: wholeTicks,
          axisLabelFormatter: (value) => this.#locale.compactNumber(value),
          pixelsPerLabel: 2.75 * rem,
          axisLabelWidth: 2.75 * rem,
        },
      },
      underlayCallback: (context, area, graph) => this.#shadeCounting(context, area, graph),
      drawCallback: (graph) => this.#noticePan(graph),
      zoomCallback: () => this.#noticeZoom(),
      highlightCallback: (_, start) => this.#hover(start),
      unhighlightCallback: () => this.#hover(null),
    };
  }

  // Without dygraphs' touch handlers, which would keep a finger on the chart from scrolling the page.
  #interaction() {
    const { mousedown, dblclick, willDestroyContextMyself } = Dygraph.defaultInteractionModel;
    const hold = (event, ...rest) => {
      this.#held = event.button === 0;        // a context menu may swallow the other buttons' mouseup
      addEventListener('mouseup', () => { this.#held = false; }, { once: true });
      mousedown(event, ...rest);
    };
    return { mousedown: hold, dblclick, willDestroyContextMyself };
  }

  #hover(start) {
    this.#hovered = start;
    this.#onHover(start);
  }

  // Windows still counting make every line dip at its end: say so by a shade.
  #shadeCounting(context, area, graph) {
    const slide = this.#store.window?.slide;
    const open = this.#store.firstOpen;
    if (!slide || !open) return;
    const left = Math.max(area.x, graph.toDomXCoord(open.start - slide));
    const width = area.x + area.w - left;
    if (width <= 0) return;
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--shade');
    context.fillRect(left, area.y, width, area.h);
  }

  #timeTick(ms, granularity) {
    const { SECONDLY, MINUTELY, DAILY, MONTHLY } = Dygraph.Granularity;
    if (granularity >= MONTHLY) return this.#locale.tick(ms, { year: 'numeric', month: 'short' });
    if (granularity >= DAILY) return this.#locale.tick(ms, { month: 'short', day: 'numeric' });
    const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
    if (granularity < MINUTELY) options.second = '2-digit';
    if (granularity < SECONDLY) options.fractionalSecondDigits = 3;
    return this.#locale.tick(ms, options);
  }

  // dygraphs reports zooms but not pans: a range that is not ours is the reader's, and stays until taken back.
  #noticePan(graph) {
    const [left, right] = graph.xAxisRange();
    this.#following &&= left === this.#range[0] && right === this.#range[1];
  }

  #noticeZoom() {
    this.#following = !this.#graph.isZoomed('x');
    if (this.#following) this.draw(this.#store, this.#locale);
    this.#hover(null);
  }
}

function visibleRange(store) {
  const full = Math.max(SPAN_MS, SPAN_SLIDES * (store.window?.slide ?? 0));
  const present = store.newest.start - store.oldest.start;
  return [store.newest.start - Math.min(full, Math.max(FIRST_SPAN_MS, present)), store.newest.start];
}

// One row a window; where a step of the slide has none, a row of nulls breaks the lines.
function rows(records, shown, slide) {
  const result = [];
  const gap = shown.map(() => null);
  let previous = null;
  for (const record of records) {
    if (slide && previous !== null && record.start - previous > 1.5 * slide) result.push([previous + slide, ...gap]);
    result.push([record.start, ...shown.map((label) => record.counts[label.name] ?? 0)]);
    previous = record.start;
  }
  return result;
}

// Counts are whole: no line at a half of a buyer.
function wholeTicks(...args) {
  return Dygraph.numericTicks(...args).filter((tick) => Number.isInteger(tick.v));
}
