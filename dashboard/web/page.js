// One job: its newest window, the chart, the table, what is known of it; and what the reader does with them.

import { Chart } from './chart.js';
import { showConnection, stateWords } from './connection.js';
import { Gestures } from './gestures.js';
import { Job } from './job.js';
import { savePicture } from './picture.js';
import { Range } from './range.js';
import { scheduler } from './redraw.js';
import { jobFacts } from './state.js';
import { Toolbar } from './toolbar.js';
import { Tiles, WindowTable, fillTip, setText, showFacts } from './view.js';

const TABLE_ROWS = 20;
const SUMMARY_MS = 30_000;
const SUMMARY_LEAST_MS = 2000;        // even when the state changes to and fro
const TICK_MS = 500;

const $ = (id) => document.getElementById(id);
const isTouched = matchMedia('(hover: none)').matches && navigator.maxTouchPoints > 0;

export class Page {
  #header;
  #job;
  #range = new Range();
  #frozen = null;                     // the windows as they were when the reader paused
  #tiles = new Tiles($('newest'));
  #table = new WindowTable($('windows'));
  #chart;
  #gestures;
  #toolbar;
  #redraw = scheduler(() => this.#show());
  #isAsked = false;                   // whether the reader asked for the redraw that is due
  #summarizedAt = -Infinity;
  #summarizedState = null;

  constructor(header, name) {
    this.#header = header;
    this.#job = new Job(name, (isAnew) => this.#news(isAnew), () => this.#showConnection());
    const tip = (node, record, isGap) => fillTip(node, this.#store, record, isGap, header.locale);
    this.#chart = new Chart($('chart'), tip, () => this.#ask());
    const commands = this.#commands();
    this.#gestures = new Gestures(this.#chart, commands);
    this.#toolbar = new Toolbar(commands, () => this.#range.of(this.#store));
    $('png').addEventListener('click', () => this.#chart.view && savePicture(this.#chart.view));
    document.addEventListener('visibilitychange', () => this.#returned());
    setInterval(() => !document.hidden && this.#showConnection(), TICK_MS);
    $('page').hidden = false;
    this.#build();
    this.#showConnection();
    this.#job.feed.start();
  }

  // After a change of the words, or of the colours only.
  rebuild(isWords) {
    if (isWords) this.#build();
    this.#showConnection();
    this.#ask();
  }

  get #store() {
    return this.#frozen ?? this.#job.store;
  }

  // ---- what happens

  #news(isAnew) {
    if (isAnew) {
      this.#frozen = null;
      this.#range.reset();
      this.#build();
    }
    this.#redraw();
  }

  #ask() {
    this.#isAsked = true;
    this.#redraw(true);
  }

  #returned() {
    if (document.hidden) return;
    this.#job.feed.hurry();
    this.#showConnection();
  }

  // ---- what the reader can do

  #commands() {
    const then = (change) => (...values) => {
      if (!this.#store.newest) return;
      change(...values);
      this.#ask();
    };
    const range = this.#range;
    return {
      choose: then((span) => range.choose(span)),
      show: then((from, to) => range.show(this.#store, from, to)),
      pan: then((ms) => range.pan(this.#store, ms)),
      zoom: then((factor, at) => range.zoom(this.#store, factor, at)),
      home: then(() => range.home(this.#store)),
      follow: then(() => this.#follow()),
      reset: then(() => this.#reset()),
      pause: then(() => (this.#frozen ? this.#follow() : this.#pause())),
      point: (time) => this.#chart.pointAt(time),
      step: (direction) => this.#step(direction),
    };
  }

  #pause() {
    this.#frozen = this.#job.store.frozen();
  }

  #follow() {
    // The button goes away under the focus.
    if (document.activeElement === $('live')) $('pause').focus();
    this.#frozen = null;
    this.#range.follow();
  }

  #reset() {
    this.#follow();
    this.#range.reset();
    this.#chart.select(null);
  }

  // By keyboard from window to window, which is read out.
  #step(direction) {
    const { newest } = this.#store;
    if (!newest) return;
    const at = this.#chart.cursor;
    const record = at === null ? newest : this.#store.step(at, direction);
    if (!record) return;
    const [from, to] = this.#range.of(this.#store);
    if (record.start < from || record.start > to) {
      const half = (to - from) / 2;
      this.#range.show(this.#store, record.start - half, record.start + half);
      this.#ask();
    }
    this.#chart.pointAt(record.start);
    setText($('readout'), this.#words(record));
  }

  // ---- what is shown

  // Everything that depends on the job, the series or the language only.
  #build() {
    const { store, name } = this.#job;
    const { locale } = this.#header;
    this.#header.build();
    this.#header.showTitle(name);
    setText($('window-size'), windowWords(store.window, locale));
    setText($('newest-title'), locale.text(store.job && !store.window ? 'newestTimeTitle' : 'newestTitle'));
    const series = store.labels.map((label) => locale.seriesName(label)).join(locale.text('comma'));
    $('chart').setAttribute('aria-label', locale.text('chartLabel', { series }));
    $('chart').setAttribute('aria-roledescription', locale.text('chartRole'));
    setText($('hint'), locale.text(isTouched ? 'hintTouch' : 'hint'));
    this.#tiles.build(store.labels, locale);
    this.#table.build(store.labels, store.window !== null, locale);
    showFacts($('facts'), jobFacts(this.#job.status), locale);
  }

  #show() {
    const isAsked = this.#isAsked;
    this.#isAsked = false;
    const store = this.#store;
    const { newest } = store;
    $('history').hidden = !newest;
    if (!newest) {
      this.#tiles.update(undefined, undefined, false, this.#header.locale);
      this.#table.update([], () => true, this.#header.locale);
      $('newest-counting').hidden = true;
      if (store.job) setText($('newest-time'), this.#header.locale.text('noWindowYet'));
    } else {
      this.#showToolbar();
      if (!this.#frozen || isAsked) this.#showWindows(isAsked);
    }
    this.#showConnection();
  }

  #showToolbar() {
    const behind = this.#job.store.countAfter(Math.min(this.#store.newest.start, this.#range.of(this.#store)[1]));
    this.#toolbar.update(this.#job.store, this.#range, this.#frozen !== null, behind, this.#header.locale);
    $('paused').hidden = !this.#frozen;
    this.#showDownloads();
  }

  #showWindows(isAsked) {
    const { locale } = this.#header;
    const store = this.#store;
    const range = this.#range.of(store);
    const overlap = store.window !== null && store.window.slide < store.window.size;
    this.#tiles.update(store.newest, store.sums(...range), overlap, locale);
    setText($('newest-time'), locale.span(store.newest));
    $('newest-counting').hidden = store.isClosed(store.newest);
    this.#table.update(store.latest(TABLE_ROWS), (record) => store.isClosed(record), locale);
    if (isAsked || !this.#gestures.isHeld) this.#drawChart(range);
  }

  #drawChart(range) {
    const { locale } = this.#header;
    this.#chart.draw({ store: this.#store, locale, range });
    const count = this.#chart.windowsPerPoint;
    setText($('binned'), count > 1 ? locale.text('binned', { count: locale.number(count) }) : '');
    this.#job.wantFrom(this.#store, range[0]).then((isMore) => isMore && this.#ask());
  }

  // What is shown, where the reader has chosen; else all there is.
  #showDownloads() {
    const isChosen = this.#frozen !== null || !this.#range.isLive;
    const [from, to] = this.#range.of(this.#store);
    const last = Math.min(to, this.#store.newest.start);
    const values = isChosen ? { from: Math.floor(from), to: Math.floor(last) + 1 } : {};
    $('csv').href = this.#job.address('api/windows.csv', values);
    $('json').href = this.#job.address('api/windows', { download: '1', ...values });
    $('json').download = `${this.#job.name}.json`;
    setText($('download-what'), this.#header.locale.text(isChosen ? 'downloadShown' : 'downloadAll'));
  }

  #showConnection() {
    const { locale } = this.#header;
    showConnection(this.#job, locale, $('state'), $('age'));
    document.documentElement.dataset.state = this.#job.state;
    const facts = jobFacts(this.#job.status);
    if (facts.length) showFacts($('facts'), facts, locale);
    $('about').hidden = $('facts').children.length === 0;
    this.#summarize();
  }

  // For screen readers: the state when it changes, and now and then the newest window that is complete.
  #summarize() {
    const { state } = this.#job;
    const since = performance.now() - this.#summarizedAt;
    const wait = state === this.#summarizedState ? SUMMARY_MS : SUMMARY_LEAST_MS;
    if (state === 'connecting' || since < wait || (this.#frozen && state === this.#summarizedState)) return;
    this.#summarizedAt = performance.now();
    this.#summarizedState = state;
    const latest = this.#store.latest(TABLE_ROWS);
    const record = latest.find((each) => this.#store.isClosed(each)) ?? latest[0];
    const { locale } = this.#header;
    setText($('summary'), stateWords(this.#job, locale) + (record ? locale.text('stop') + this.#words(record) : ''));
  }

  #words(record) {
    const { locale } = this.#header;
    const shown = this.#store.labels.filter((label) => this.#store.seen.has(label.name));
    const counts = shown.map((label) => `${locale.seriesName(label)} ${locale.number(record.counts[label.name] ?? 0)}`);
    const total = `${locale.text('total')} ${locale.number(record.total)}`;
    return locale.time(record) + locale.text('colon') + [...counts, total].join(locale.text('comma'));
  }
}

export function windowWords(window, locale) {
  if (!window) return '';
  const values = { size: locale.duration(window.size), slide: locale.duration(window.slide) };
  return locale.text(window.size === window.slide ? 'windows' : 'slidingWindows', values);
}
