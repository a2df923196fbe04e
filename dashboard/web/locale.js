// Numbers and times in the reader's language.

import { WORDS } from './words.js';

const UNITS = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000], ['millisecond', 1]];
const JUST_NOW_MS = 1500;

export const LANGUAGES = Object.keys(WORDS);
export const ZONES = ['local', 'utc'];

export function preferredLanguage() {
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export class Locale {
  #words;
  #tag;
  #formats = new Map();

  constructor(language, zone) {
    this.language = language;
    this.zone = zone;
    this.#words = WORDS[language];
    // The reader's own variant, if there is one: en-GB writes dates unlike en-US.
    this.#tag = navigator.languages.find((tag) => tag.toLowerCase().startsWith(language)) ?? this.#words.tag;
  }

  get tag() {
    return this.#words.tag;
  }

  text(key, values = {}) {
    return this.#words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  has(key) {
    return Object.hasOwn(this.#words, key);
  }

  // `other` is the reserved series, which no spec can name.
  seriesName(label) {
    if (label.name === 'other') return this.text('other');
    return (this.language === 'zh' && label.zh) || label.name;
  }

  number(value) {
    return this.#format('NumberFormat', {}).format(value);
  }

  rounded(value) {
    return this.#format('NumberFormat', { maximumFractionDigits: value < 100 ? 1 : 0 }).format(value);
  }

  compactNumber(value) {
    return this.#format('NumberFormat', { notation: 'compact' }).format(value);
  }

  share(part, whole) {
    if (!(whole > 0)) return '–';
    return this.#format('NumberFormat', { style: 'percent', maximumFractionDigits: 1 }).format(part / whole);
  }

  duration(ms) {
    const [unit, size] = UNITS.find(([, size]) => ms % size === 0) ?? UNITS.at(-1);
    return this.#format('NumberFormat', { style: 'unit', unit, unitDisplay: 'long' }).format(ms / size);
  }

  // '5 min', as it stands on a button.
  shortDuration(ms) {
    const [unit, size] = shortUnit(ms);
    return this.#format('NumberFormat', { style: 'unit', unit, unitDisplay: 'short' }).format(ms / size);
  }

  spanName(ms) {
    const [unit, size] = shortUnit(ms);
    return this.#format('NumberFormat', { style: 'unit', unit, unitDisplay: 'long' }).format(ms / size);
  }

  ago(ms) {
    if (ms < JUST_NOW_MS) return this.text('justNow');
    const [unit, size] = UNITS.slice(0, 4).find(([, size]) => ms >= size);
    return this.#format('RelativeTimeFormat', {}).format(-Math.floor(ms / size), unit);
  }

  rate(perSecond) {
    const value = this.#format('NumberFormat', { maximumSignificantDigits: 3 }).format(perSecond);
    return this.text('perSecond', { value });
  }

  // Start and end, with the date unless both are of today; a record without an end of its own is a point in time.
  span(record) {
    const format = this.#format('DateTimeFormat', this.#timeOptions(record));
    return record.end > record.start ? format.formatRange(record.start, record.end) : format.format(record.start);
  }

  time(record) {
    return this.#format('DateTimeFormat', this.#timeOptions(record)).format(record.start);
  }

  tick(ms, options) {
    return this.#format('DateTimeFormat', { ...options, ...this.#zoneOption() }).format(ms);
  }

  zoneName() {
    const options = { timeZoneName: 'shortOffset', ...this.#zoneOption() };
    const parts = this.#format('DateTimeFormat', options).formatToParts();
    return parts.find((part) => part.type === 'timeZoneName').value.replace('GMT', 'UTC').replace(/\+0$/, '');
  }

  // What the reader's clock is ahead of UTC then, in ms.
  offset(ms) {
    return this.zone === 'utc' ? 0 : -60_000 * new Date(ms).getTimezoneOffset();
  }

  #zoneOption() {
    return this.zone === 'utc' ? { timeZone: 'UTC' } : {};
  }

  #timeOptions({ start, end }) {
    const options = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', ...this.#zoneOption() };
    if (start % 1000 || (end ?? 0) % 1000) options.fractionalSecondDigits = 3;
    const day = (ms) => Math.floor((ms + this.offset(ms)) / 86_400_000);
    if (day(start) !== day(Date.now())) Object.assign(options, { year: 'numeric', month: 'short', day: 'numeric' });
    return options;
  }

  // Making an Intl format costs far more than using it.
  #format(kind, options) {
    const key = kind + JSON.stringify(options);
    if (!this.#formats.has(key)) this.#formats.set(key, new Intl[kind](this.#tag, options));
    return this.#formats.get(key);
  }
}

// 60 minutes stay minutes, as they stand beside 1, 5 and 15.
function shortUnit(ms) {
  return UNITS.find(([unit, size]) => ms % size === 0 && (unit !== 'hour' || ms > size)) ?? UNITS.at(-1);
}
