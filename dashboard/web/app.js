// The page: takes what the feed brings into the store, and shows it.

import { Chart } from './chart.js';
import { Feed, health } from './feed.js';
import { LANGUAGES, Locale, preferredLanguage } from './i18n.js';
import { WindowStore } from './store.js';
import { Tiles, WindowTable, element, setText } from './view.js';

const TABLE_ROWS = 20;
const REDRAW_MS = 30;
const REDRAW_CALM_MS = 1000;          // for readers who prefer reduced motion
const SUMMARY_MS = 10_000;
const TICK_MS = 1000;

const $ = (id) => document.getElementById(id);
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const canHover = matchMedia('(hover: hover)');
const systemDark = matchMedia('(prefers-color-scheme: dark)');
const chosenJob = new URLSearchParams(location.search).get('job');

const store = new WindowStore();
const tiles = new Tiles($('newest'));
const table = new WindowTable($('windows'));
const chart = new Chart($('chart'), hover);
const feed = new Feed(feedUrl(), receive, feedChanged);

let locale = new Locale(recall('language', LANGUAGES) ?? preferredLanguage());
let theme = recall('theme', ['light', 'dark']);    // null follows the system
let status = null;
let newestAt = null;                  // when the newest result came, on this page's clock
let hovered = null;
let summarizedAt = -Infinity;

// ---- what comes in

function feedUrl() {
  const url = new URL('ws', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  if (chosenJob) url.searchParams.set('job', chosenJob);
  return url;
}

function receive(event, data) {
  if (event === 'status') {
    status = data;
    // The server's two clock readings make an age; where the two clocks stand does not matter.
    newestAt = data.last_record === null ? null : performance.now() - (data.now - data.last_record);
    showConnection();
  } else if (event === 'snapshot') {
    const labels = store.labels;
    store.applySnapshot(data);
    if (store.labels !== labels) build();
    redraw();
  } else if (event === 'window' && store.add(data)) {
    newestAt = performance.now();
    redraw();
  }
}

function feedChanged(phase) {
  if (phase !== 'open') status = null;
  showConnection();
}

// ---- what is shown

// At most once in a while, not while hidden, and never without new data.
const redraw = (() => {
  let due = false;
  let waiting = false;
  let drawnAt = -Infinity;

  function frame(now) {
    waiting = due = false;
    drawnAt = now;
    show();
  }

  function arm() {
    if (!due || waiting || document.hidden) return;
    waiting = true;
    const wait = drawnAt + (calm.matches ? REDRAW_CALM_MS : REDRAW_MS) - performance.now();
    if (wait <= 0) requestAnimationFrame(frame);
    else setTimeout(() => requestAnimationFrame(frame), wait);
  }

  document.addEventListener('visibilitychange', arm);
  return () => {
    due = true;
    arm();
  };
})();

// Everything that depends on the job, the series or the language only.
function build() {
  const name = store.job ?? chosenJob;
  document.documentElement.lang = locale.tag;
  document.title = name ? `${name} · tally` : 'tally';
  setText($('job'), name ?? 'tally');
  setText($('window-size'), windowWords());
  for (const node of document.querySelectorAll('[data-text]')) setText(node, locale.text(node.dataset.text));
  $('lang').textContent = locale.text('otherLanguage');
  $('lang').lang = locale.text('otherTag');
  $('jobs').setAttribute('aria-label', locale.text('jobs'));
  $('chart').setAttribute('aria-label', locale.text('chartLabel', { series: seriesWords() }));
  if (chosenJob) $('csv').search = new URLSearchParams({ job: chosenJob });
  tiles.build(store.labels, locale);
  table.build(store.labels, locale);
  labelThemeButton();
}

function windowWords() {
  if (!store.window) return '';
  const { size, slide } = store.window;
  const values = { size: locale.duration(size), slide: locale.duration(slide) };
  return locale.text(size === slide ? 'windows' : 'slidingWindows', values);
}

function seriesWords() {
  return store.labels.map((label) => locale.seriesName(label)).join(locale.text('comma'));
}

function show() {
  const newest = store.newest;
  tiles.update(newest, locale);
  $('history').hidden = !newest;
  if (newest) {
    setText($('newest-time'), locale.span(newest));
    $('newest-counting').hidden = store.isClosed(newest);
    table.update(store.latest(TABLE_ROWS), (record) => store.isClosed(record), locale);
    chart.draw(store, locale);
    showReadout();
  } else if (store.job) {
    setText($('newest-time'), locale.text('noWindowYet'));
  }
  showConnection();
}

function hover(start) {
  hovered = start;
  showReadout();
}

// Under the pointer: that window's counts. Otherwise: what the pointer can do.
function showReadout() {
  if (hovered === null) {
    const hint = canHover.matches ? locale.text('zoomHint') : '';
    setText($('readout'), chart.following ? hint : locale.text('zoomed'));
    return;
  }
  const record = store.get(hovered);
  const time = locale.time(record ?? { start: hovered });
  setText($('readout'), time + locale.text('colon') + (record ? countWords(record) : locale.text('noWindowAt')));
}

function countWords(record) {
  const shown = store.labels.filter((label) => store.seen.has(label.name));
  const words = shown.map((label) => `${locale.seriesName(label)} ${locale.number(record.counts[label.name] ?? 0)}`);
  return [...words, `${locale.text('total')} ${locale.number(record.total)}`].join(locale.text('comma'));
}

function showConnection() {
  const age = newestAt === null ? null : Math.max(0, performance.now() - newestAt);
  const state = health(feed.phase, status, age, store.window?.slide);
  $('state').dataset.state = state;
  setText($('state'), stateWords(state));
  setText($('age'), age === null ? '' : locale.text('age', { ago: locale.ago(age) }));
  summarize(state);
}

function stateWords(state) {
  if (state === 'silent' && newestAt === null) return locale.text('silentFromStart');
  if (state !== 'disconnected') return locale.text(state);
  if (feed.phase === 'retrying') return locale.text('reconnecting');
  const seconds = Math.max(1, Math.ceil((feed.retryAt - performance.now()) / 1000));
  return locale.text('reconnectingIn', { time: locale.duration(seconds * 1000) });
}

// For screen readers: now and then, the state and the newest window that is complete.
function summarize(state) {
  if (performance.now() - summarizedAt < SUMMARY_MS || state === 'connecting') return;
  summarizedAt = performance.now();
  const latest = store.latest(TABLE_ROWS);
  const record = latest.find((each) => store.isClosed(each)) ?? latest[0];
  const counts = record ? locale.text('stop') + locale.time(record) + locale.text('colon') + countWords(record) : '';
  setText($('summary'), locale.text(state) + counts);
}

// ---- what the reader chooses

// Storage may be forbidden; the page then works without a memory.
function recall(key, allowed) {
  try {
    const value = localStorage.getItem(`tally.${key}`);
    return allowed.includes(value) ? value : null;
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(`tally.${key}`, value);
  } catch {
    // see recall()
  }
}

function applyTheme() {
  document.documentElement.dataset.theme = theme ?? (systemDark.matches ? 'dark' : 'light');
  labelThemeButton();
  redraw();
}

function labelThemeButton() {
  const dark = document.documentElement.dataset.theme === 'dark';
  setText($('theme'), locale.text(dark ? 'toLight' : 'toDark'));
  $('theme').title = locale.text(dark ? 'toLightLong' : 'toDarkLong');
}

function toggleTheme() {
  theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
  remember('theme', theme);
  applyTheme();
}

function toggleLanguage() {
  locale = new Locale(LANGUAGES.find((language) => language !== locale.language));
  remember('language', locale.language);
  build();
  redraw();
}

async function showJobs() {
  const response = await fetch('api/jobs');
  const { jobs } = await response.json();
  if (jobs.length < 2) return;
  $('jobs').hidden = false;
  $('jobs').replaceChildren(...jobs.map((job) => {
    const link = element('a', '', job);
    link.href = `?${new URLSearchParams({ job })}`;
    if (job === (chosenJob ?? jobs[0])) link.setAttribute('aria-current', 'page');
    return link;
  }));
}

function tick() {
  if (!document.hidden) showConnection();
}

$('lang').addEventListener('click', toggleLanguage);
$('theme').addEventListener('click', toggleTheme);
systemDark.addEventListener('change', applyTheme);
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  feed.hurry();
  tick();
});
setInterval(tick, TICK_MS);

build();
applyTheme();
feed.start();
showJobs().catch(() => console.info('tally: no list of jobs'));
