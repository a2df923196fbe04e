// Language, colours, time zone, and the way from job to job.

import { LANGUAGES, Locale, ZONES, preferredLanguage } from './locale.js';
import { recall, remember } from './settings.js';
import { element, setText } from './view.js';

const $ = (id) => document.getElementById(id);
const systemDark = matchMedia('(prefers-color-scheme: dark)');

export class Header {
  #onChange;
  #theme = recall('theme', ['light', 'dark']);      // null follows the system

  locale = new Locale(recall('language', LANGUAGES) ?? preferredLanguage(), recall('zone', ZONES) ?? 'local');

  // `onChange(isWords)` after a change of the words or times, or else of the colours only.
  constructor(onChange) {
    this.#onChange = onChange;
    $('lang').addEventListener('click', () => this.#setLocale('language', next(LANGUAGES, this.locale.language)));
    $('zone').addEventListener('click', () => this.#setLocale('zone', next(ZONES, this.locale.zone)));
    $('theme').addEventListener('click', () => this.#toggleTheme());
    systemDark.addEventListener('change', () => this.#applyTheme());
    this.#applyTheme();
  }

  // Whatever depends on nothing but the language.
  build() {
    const { locale } = this;
    document.documentElement.lang = locale.tag;
    for (const node of document.querySelectorAll('[data-text]')) setText(node, locale.text(node.dataset.text));
    for (const node of document.querySelectorAll('[data-name]')) {
      node.setAttribute('aria-label', locale.text(node.dataset.name));
      if (node.tagName === 'BUTTON') node.title = locale.text(node.dataset.name);
    }
    $('lang').textContent = locale.text('otherLanguage');
    $('lang').lang = locale.text('otherTag');
    label($('zone'), locale, locale.zone === 'utc' ? 'toLocal' : 'toUtc');
    label($('theme'), locale, this.#isDark ? 'toLight' : 'toDark');
    const all = $('jobs').querySelector('[data-all]');
    if (all) setText(all, locale.text('allJobs'));
  }

  showTitle(name) {
    document.title = name ? `${name} · tally` : 'tally';
    setText($('job'), name ?? 'tally');
  }

  // `current` null: all of them.
  showJobs(jobs, current) {
    const link = (search, text, isCurrent) => {
      const node = element('a', '', text);
      node.href = search;
      if (isCurrent) node.setAttribute('aria-current', 'page');
      return node;
    };
    const all = link(withMode(''), this.locale.text('allJobs'), current === null);
    all.dataset.all = '';
    $('jobs').replaceChildren(all, ...jobs.map((job) => link(withMode(job), job, job === current)));
    $('jobs').hidden = false;
  }

  get #isDark() {
    return document.documentElement.dataset.theme === 'dark';
  }

  #setLocale(key, value) {
    remember(key, value);
    const { language, zone } = { language: this.locale.language, zone: this.locale.zone, [key]: value };
    this.locale = new Locale(language, zone);
    this.#onChange(true);
  }

  #toggleTheme() {
    this.#theme = this.#isDark ? 'light' : 'dark';
    remember('theme', this.#theme);
    this.#applyTheme();
    this.#onChange(false);
  }

  #applyTheme() {
    document.documentElement.dataset.theme = this.#theme ?? (systemDark.matches ? 'dark' : 'light');
    label($('theme'), this.locale, this.#isDark ? 'toLight' : 'toDark');
  }
}

function withMode(job) {
  const search = new URLSearchParams(location.search);
  search.delete('job');
  search.delete('token');
  if (job) search.set('job', job);
  return `?${search}`;
}

function next(values, value) {
  return values[(values.indexOf(value) + 1) % values.length];
}

// What a button does stands on it in short, and in full in its name.
function label(button, locale, key) {
  setText(button, locale.text(key));
  button.title = locale.text(`${key}Long`);
}
