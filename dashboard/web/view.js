// The tiles of the newest window, the table of the latest ones, what is known of the job, and the chart's tip.

import { isMuted, seriesStyle } from './series.js';

const SVG = 'http://www.w3.org/2000/svg';
const MANY_SERIES = 6;
const TIP_SERIES = 12;

export function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

// Writing a text that is there already would still disturb selections and screen readers.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export class Tiles {
  #list;
  #tiles = [];

  constructor(list) {
    this.#list = list;
  }

  // The series that matter first, then the total, then `unknown` and `other`.
  build(labels, locale) {
    const tile = (label) => ({ label, ...makeTile(label.name, locale.seriesName(label), seriesStyle(labels, label)) });
    const total = { label: null, ...makeTile('total', locale.text('total'), null) };
    const main = labels.filter((label) => !isMuted(label)).map(tile);
    const muted = labels.filter(isMuted).map(tile);
    for (const { node } of muted) node.classList.add('muted');
    this.#tiles = [...main, total, ...muted];
    this.#list.classList.toggle('many', main.length > MANY_SERIES);
    this.#list.replaceChildren(...this.#tiles.map(({ node }) => node));
  }

  // `sums`: of what the chart shows. Windows that overlap count a record more than once: their mean says more.
  update(record, sums, overlap, locale) {
    for (const { label, count, share, sum } of this.#tiles) {
      const of = ({ counts, total }) => (label ? counts[label.name] ?? 0 : total);
      setText(count, record ? locale.number(of(record)) : '–');
      setText(share, record && label ? locale.share(of(record), record.total) : '');
      setText(sum, sums?.windows ? sumWords(of(sums), label ? sums.total : 0, overlap ? sums.windows : 0, locale) : '');
    }
  }
}

function sumWords(value, whole, windows, locale) {
  if (windows) return locale.text('inViewMean', { value: locale.rounded(value / windows) });
  const share = whole ? ` (${locale.share(value, whole)})` : '';
  return locale.text('inView', { value: locale.number(value) + share });
}

function makeTile(series, name, style) {
  const count = element('dd', 'count');
  const share = element('dd', 'share');
  const sum = element('dd', 'sum');
  const term = element('dt', '', name);
  if (style) term.prepend(lineSample(style));
  const node = element('div', 'tile', term, count, share, sum);
  node.dataset.series = series;
  return { node, count, share, sum };
}

function lineSample({ colour, dash }) {
  const svg = document.createElementNS(SVG, 'svg');
  const line = document.createElementNS(SVG, 'line');
  const attributes = { x1: 0, x2: 32, y1: 4, y2: 4, 'stroke-width': 3, 'stroke-dasharray': dash.join(' ') || 'none' };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  svg.setAttribute('viewBox', '0 0 32 8');
  svg.setAttribute('aria-hidden', 'true');
  svg.style.stroke = `var(${colour})`;
  svg.append(line);
  return svg;
}

// A series in one line: what it counted last, and its share of what is in view.
export function legendEntry(store, label, record, sums, locale) {
  const count = element('b', '', locale.number(record.counts[label.name] ?? 0));
  const share = element('span', 'quiet', locale.share(sums.counts[label.name] ?? 0, sums.total));
  const style = seriesStyle(store.labels, label);
  return element('li', '', lineSample(style), `${locale.seriesName(label)} `, count, ' ', share);
}

export class WindowTable {
  #table;
  #rows = new Map();
  #columns = [];

  constructor(table) {
    this.#table = table;
  }

  build(labels, hasWindows, locale) {
    const heading = (text) => {
      const cell = element('th', '', text);
      cell.scope = 'col';
      return cell;
    };
    this.#columns = labels.map((label) => label.name);
    this.#rows.clear();
    this.#table.tBodies[0].replaceChildren();
    this.#table.caption.textContent = locale.text('caption', { zone: locale.zoneName() });
    this.#table.tHead.replaceChildren(element('tr', '',
      heading(locale.text(hasWindows ? 'window' : 'time')),
      ...labels.map((label) => heading(locale.seriesName(label))),
      heading(locale.text('total'))));
  }

  // Newest first. A row stays with its window, so that what one selects or points at does not change under the hand.
  update(records, isClosed, locale) {
    const rows = new Map();
    for (const record of records) {
      const row = this.#rows.get(record.start) ?? this.#makeRow(record, locale);
      this.#fill(row, record, isClosed(record), locale);
      rows.set(record.start, row);
    }
    const body = this.#table.tBodies[0];
    for (const [start, row] of this.#rows) if (!rows.has(start)) row.remove();
    [...rows.values()].forEach((row, index) => {
      if (body.rows[index] !== row) body.insertBefore(row, body.rows[index] ?? null);
    });
    this.#rows = rows;
  }

  #makeRow(record, locale) {
    const mark = element('span', 'counting', locale.text('counting'));
    const heading = element('th', '', locale.time(record), ' ', mark);
    heading.scope = 'row';
    const row = element('tr', '', heading, ...this.#columns.map(() => element('td')), element('td', 'total'));
    row.dataset.start = record.start;
    return row;
  }

  #fill(row, record, closed, locale) {
    row.querySelector('.counting').hidden = closed;
    row.classList.toggle('open', !closed);
    this.#columns.forEach((name, index) => setText(row.cells[index + 1], locale.number(record.counts[name] ?? 0)));
    setText(row.cells[row.cells.length - 1], locale.number(record.total));
  }
}

// `facts` are state.js's.
export function showFacts(list, facts, locale) {
  const known = new Map([...list.children].map((node) => [node.dataset.fact, node]));
  const nodes = facts.map(([name, value]) => {
    const node = known.get(name) ?? element('div', '', element('dt'), element('dd'));
    node.dataset.fact = name;
    node.dataset.value = value;
    setText(node.children[0], locale.text(name));
    setText(node.children[1], factWords(name, value, locale));
    return node;
  });
  if (nodes.length !== list.children.length || nodes.some((node, index) => list.children[index] !== node)) {
    list.replaceChildren(...nodes);
  }
}

function factWords(name, value, locale) {
  if (locale.has(`${name}.${value}`)) return locale.text(`${name}.${value}`);
  if (name === 'inputRate' || name === 'processingRate') return locale.rate(value);
  if (name === 'batchMs') return locale.duration(value);
  if (name === 'watermark') return locale.time({ start: value });
  return typeof value === 'number' ? locale.number(value) : String(value);
}

// What was counted in one window, largest first where there are many series.
export function fillTip(node, store, record, isGap, locale) {
  const isOpen = !isGap && !store.isClosed(record);
  const title = element('p', '', locale.time(record));
  if (isOpen) title.append(' ', element('span', 'counting', locale.text('counting')));
  node.replaceChildren(title);
  if (isGap) {
    node.append(element('p', 'quiet', locale.text('noWindowAt')));
    return;
  }
  const shown = store.labels.filter((label) => store.seen.has(label.name));
  const count = (label) => record.counts[label.name] ?? 0;
  if (shown.length > TIP_SERIES) shown.sort((a, b) => count(b) - count(a)).splice(TIP_SERIES);
  const row = (sample, name, value, share) => element('tr', '', element('td', '', sample), element('th', '', name),
    element('td', '', locale.number(value)), element('td', '', share));
  const body = element('tbody', '', ...shown.map((label) => row(lineSample(seriesStyle(store.labels, label)),
    locale.seriesName(label), count(label), locale.share(count(label), record.total))));
  body.append(row('', locale.text('total'), record.total, ''));
  node.append(element('table', '', body));
}
