// Several jobs on one page, a chart each, on one time scale. A title leads to the job's own page.

import { Chart } from './chart.js';
import { showConnection } from './connection.js';
import { Job } from './job.js';
import { windowWords } from './page.js';
import { Range } from './range.js';
import { scheduler } from './redraw.js';
import { drawnSeries, isMuted } from './series.js';
import { buildSpans } from './toolbar.js';
import { element, fillTip, legendEntry, setText } from './view.js';

const TICK_MS = 500;
const MOST_SERIES = 8;                // in a card's legend

const $ = (id) => document.getElementById(id);

class Card {
  #header;
  #range;
  #nodes;
  #chart;
  #redraw = scheduler(() => this.#show());

  constructor(header, range, name, list) {
    this.#header = header;
    this.#range = range;
    this.name = name;
    this.#nodes = makeNodes(name);
    list.append(this.#nodes.card);
    this.job = new Job(name, () => this.#redraw(), () => this.tick());
    const tip = (node, record, isGap) => fillTip(node, this.job.store, record, isGap, header.locale);
    this.#chart = new Chart(this.#nodes.chart, tip, () => this.#redraw(true));
    this.#watchPointer();
    this.job.feed.start();
  }

  redraw() {
    this.#redraw(true);
  }

  tick() {
    showConnection(this.job, this.#header.locale, this.#nodes.state, this.#nodes.age);
  }

  #watchPointer() {
    const { chart } = this.#nodes;
    chart.addEventListener('pointermove', (event) => {
      if (this.#chart.view) this.#chart.pointAt(this.#chart.timeAt(event.clientX));
    });
    chart.addEventListener('pointerleave', () => this.#chart.pointAt(null));
  }

  #show() {
    const { store } = this.job;
    const { locale } = this.#header;
    setText(this.#nodes.size, windowWords(store.window, locale));
    this.#nodes.legend.hidden = this.#nodes.chart.hidden = !store.newest;
    if (!store.newest) return;
    const range = this.#range.of(store);
    const sums = store.sums(...range);
    const series = drawnSeries(store.labels, store.seen).filter((label) => !isMuted(label)).slice(0, MOST_SERIES);
    const entries = series.map((label) => legendEntry(store, label, store.newest, sums, locale));
    this.#nodes.legend.replaceChildren(...entries);
    const words = entries.map((entry) => entry.textContent).join(locale.text('comma'));
    this.#nodes.chart.setAttribute('aria-label', this.name + locale.text('colon') + words);
    this.#chart.draw({ store, locale, range });
    this.job.wantFrom(store, range[0]).then((isMore) => isMore && this.#redraw());
    this.tick();
  }
}

function makeNodes(name) {
  const link = element('a', '', name);
  link.href = `?${new URLSearchParams({ job: name })}`;
  const nodes = {
    state: element('p', 'state'),
    age: element('p', 'age quiet'),
    size: element('p', 'quiet'),
    legend: element('ul', 'legend'),
    chart: element('div', 'chart'),
  };
  nodes.chart.setAttribute('role', 'img');
  const title = element('div', 'heading', element('h2', '', link), nodes.size);
  const head = element('div', 'card-head', title, element('div', 'connection', nodes.state, nodes.age));
  nodes.card = element('section', 'card', head, nodes.legend, nodes.chart);
  return nodes;
}

export class Overview {
  #header;
  #range = new Range();
  #spans = [];
  #cards;

  constructor(header, names) {
    this.#header = header;
    $('overview').hidden = false;
    document.documentElement.dataset.overview = '';
    this.#cards = names.map((name) => new Card(header, this.#range, name, $('cards')));
    setInterval(() => !document.hidden && this.#tick(), TICK_MS);
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) for (const { job } of this.#cards) job.feed.hurry();
    });
    this.rebuild(true);
  }

  rebuild(isWords) {
    if (isWords) {
      this.#header.build();
      this.#header.showTitle(this.#header.locale.text('jobs'));
    }
    this.#tick();
    for (const card of this.#cards) card.redraw();
  }

  #tick() {
    const { store } = this.#cards[0].job;
    const choose = (span) => {
      this.#range.choose(span);
      this.rebuild(false);
    };
    buildSpans($('spans'), this.#spans, choose, store, this.#range, this.#header.locale);
    this.#spans = [...$('spans').children].map((button) => Number(button.dataset.span));
    for (const card of this.#cards) card.tick();
  }
}
