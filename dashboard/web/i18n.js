// Words, numbers and times in the reader's language.

const WORDS = {
  en: {
    tag: 'en',
    otherLanguage: '中文',
    otherTag: 'zh-CN',
    toDark: 'Dark',
    toLight: 'Light',
    toDarkLong: 'Switch to dark colours',
    toLightLong: 'Switch to light colours',
    newestTitle: 'Newest window',
    chartTitle: 'Counts by window start',
    chartLabel: 'Line chart of {series} by window start. The table of the latest windows has the same figures.',
    caption: 'Latest windows ({zone})',
    csv: 'All windows as CSV',
    jobs: 'Jobs',
    window: 'Window',
    total: 'Total',
    other: 'other',
    counting: 'counting',
    noWindowYet: 'No window yet',
    noWindowAt: 'no window',
    windows: 'Windows of {size}',
    slidingWindows: 'Windows of {size}, one every {slide}',
    zoomHint: 'Drag to zoom',
    zoomed: 'Zoomed, double-click to go back to live',
    connecting: 'Connecting…',
    live: 'Live',
    silent: 'Connected, but no new results',
    silentFromStart: 'Connected, no results yet',
    'kafka-lost': 'The server has lost Kafka',
    disconnected: 'Disconnected',
    reconnectingIn: 'Disconnected, reconnecting in {time}',
    reconnecting: 'Disconnected, reconnecting…',
    age: 'Newest result: {ago}',
    justNow: 'just now',
    colon: ': ',
    comma: ', ',
    stop: '. ',
  },
  zh: {
    tag: 'zh-CN',
    otherLanguage: 'English',
    otherTag: 'en',
    toDark: '深色',
    toLight: '浅色',
    toDarkLong: '切换到深色',
    toLightLong: '切换到浅色',
    newestTitle: '最新窗口',
    chartTitle: '各窗口计数（按窗口起点）',
    chartLabel: '{series}按窗口起点的折线图，最近窗口表中有相同的数字。',
    caption: '最近的窗口（{zone}）',
    csv: '全部窗口（CSV）',
    jobs: '作业',
    window: '窗口',
    total: '合计',
    other: '其他',
    counting: '计数中',
    noWindowYet: '还没有窗口',
    noWindowAt: '没有窗口',
    windows: '窗口长 {size}',
    slidingWindows: '窗口长 {size}，每 {slide} 一个',
    zoomHint: '拖动可放大',
    zoomed: '已放大，双击回到实时',
    connecting: '正在连接…',
    live: '实时',
    silent: '已连接，但没有新结果',
    silentFromStart: '已连接，还没有结果',
    'kafka-lost': '服务器与 Kafka 失去连接',
    disconnected: '连接已断开',
    reconnectingIn: '连接已断开，{time}后重连',
    reconnecting: '连接已断开，正在重连…',
    age: '最新结果：{ago}',
    justNow: '刚刚',
    colon: '：',
    comma: '，',
    stop: '。',
  },
};

const UNITS = [['day', 86_400_000], ['hour', 3_600_000], ['minute', 60_000], ['second', 1000], ['millisecond', 1]];
const JUST_NOW_MS = 1500;

export const LANGUAGES = Object.keys(WORDS);

export function preferredLanguage() {
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

export class Locale {
  #words;
  #tag;
  #formats = new Map();

  constructor(language) {
    this.language = language;
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

  // `other` is the reserved series, which no spec can name.
  seriesName(label) {
    if (label.name === 'other') return this.text('other');
    return (this.language === 'zh' && label.zh) || label.name;
  }

  number(value) {
    return this.#format('NumberFormat', {}).format(value);
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

  ago(ms) {
    if (ms < JUST_NOW_MS) return this.text('justNow');
    const [unit, size] = UNITS.slice(0, 4).find(([, size]) => ms >= size);
    return this.#format('RelativeTimeFormat', {}).format(-Math.floor(ms / size), unit);
  }

  // Start and end, with the date unless both are of today; a record without an end is a point in time.
  span(record) {
    const format = this.#format('DateTimeFormat', timeOptions(record));
    return Number.isFinite(record.end) ? format.formatRange(record.start, record.end) : format.format(record.start);
  }

  time(record) {
    return this.#format('DateTimeFormat', timeOptions(record)).format(record.start);
  }

  tick(ms, options) {
    return this.#format('DateTimeFormat', options).format(ms);
  }

  zone() {
    const parts = this.#format('DateTimeFormat', { timeZoneName: 'shortOffset' }).formatToParts();
    return parts.find((part) => part.type === 'timeZoneName').value;
  }

  // Making an Intl format costs far more than using it.
  #format(kind, options) {
    const key = kind + JSON.stringify(options);
    if (!this.#formats.has(key)) this.#formats.set(key, new Intl[kind](this.#tag, options));
    return this.#formats.get(key);
  }
}

function timeOptions({ start, end }) {
  const options = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
  if (start % 1000 || (end ?? 0) % 1000) options.fractionalSecondDigits = 3;
  if (new Date(start).toDateString() !== new Date().toDateString()) {
    Object.assign(options, { year: 'numeric', month: 'short', day: 'numeric' });
  }
  return options;
}
