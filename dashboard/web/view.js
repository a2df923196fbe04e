// The tiles of the newest window and the table of the latest ones.

import { isMuted, seriesStyle } from './chart.js';

const SVG = 'http://www.w3.org/2000/svg';
const MANY_SERIES = 6;

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

  update(record, locale) {
    for (const { label, count, share } of this.#tiles) {
      const value = label ? record?.counts[label.name] ?? 0 : record?.total;
      setText(count, record ? locale.number(value) : '');
      setText(share, record && label ? locale.share(value, record.total) : '');
    }
  }
}

function makeTile(series, name, style) {
  const count = element('dd', 'count');
  const share = element('dd', 'share');
  const term = element('dt', '', name);
  if (style) term.prepend(lineSample(style));
  const node = element('div', 'tile', term, count, share);
  node.dataset.series = series;
  return { node, count, share };
}

function lineSample({ colour, dash }) {
  const svg = document.createElementNS(SVG, 'svg');
  const line = document.createElementNS(SVG, 'line');
  const attributes = { x1: 0, x2: 32, y1: 4, y2: 4, 'stroke-width': 3, 'stroke-dasharray': dash?.join(' ') ?? 'none' };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  svg.setAttribute('viewBox', '0 0 32 8');
  svg.setAttribute('aria-hidden', 'true');
  svg.style.stroke = `var(${colour})`;
  svg.append(line);
  return svg;
}

export class WindowTable {
  #table;
  #rows = new Map();
  #columns = [];

  constructor(table) {
    this.#table = table;
  }

  build(labels, locale) {
    const heading = (text) => {
      const cell = element('th', '', text);
      cell.scope = 'col';
      return cell;
    };
    this.#columns = labels.map((label) => label.name);
    this.#rows.clear();
    this.#table.tBodies[0].replaceChildren();
    this.#table.caption.textContent = locale.text('caption', { zone: locale.zone() });
    this.#table.tHead.replaceChildren(element('tr', '',
      heading(locale.text('window')),
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
    this.#columns.forEach((name, index) => setText(row.cells[index + 1], locale.number(record.counts[name] ?? 0)));
    setText(row.cells[row.cells.length - 1], locale.number(record.total));
  }
}
