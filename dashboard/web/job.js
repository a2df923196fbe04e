// One job as the server tells it: its windows, its status, and how the connection is.

import { Feed } from './feed.js';
import { History } from './history.js';
import { driverState, health } from './state.js';
import { WindowStore } from './store.js';

export class Job {
  #name;
  #onNews;
  #onConnection;
  #history;
  #newestAt = null;                   // when the newest result came, on this page's clock

  store = new WindowStore();
  status = null;

  // `name` null: the server's first job. `onNews(isAnew)` after new windows, `isAnew` where the series changed, too.
  constructor(name, onNews, onConnection) {
    this.#name = name;
    this.#onNews = onNews;
    this.#onConnection = onConnection;
    const address = (path, values) => this.address(path, values);
    this.#history = new History(address);
    this.feed = new Feed(address, () => this.store.edition, (event, data) => this.#receive(event, data),
      () => this.#connectionChanged());
  }

  get name() {
    return this.store.job ?? this.#name;
  }

  // Everything is relative to the page, which may be served below any path.
  address(path, values = {}) {
    const url = new URL(path, location.href);
    if (this.#name) url.searchParams.set('job', this.#name);
    for (const name in values) url.searchParams.set(name, values[name]);
    return url;
  }

  // Of the newest result, in ms; null: there never was one.
  get age() {
    return this.#newestAt === null ? null : Math.max(0, performance.now() - this.#newestAt);
  }

  get state() {
    return health(this.feed.phase, this.status, this.age, this.store.slide);
  }

  get driver() {
    return driverState(this.status);
  }

  // A picture of the store, or of a frozen copy, shows this moment and what follows; whether there is more to show now.
  wantFrom(store, from) {
    return this.#history.want(store, from);
  }

  #receive(event, data) {
    if (event === 'status') {
      this.status = data;
      // The server's two clock readings make an age; where the two clocks stand does not matter.
      this.#newestAt = data.last_record === null ? null : performance.now() - (data.now - data.last_record);
      this.#onConnection();
    } else if (event === 'snapshot') {
      const { labels, window } = this.store;
      this.store.applySnapshot(data);
      this.#onNews(labels !== this.store.labels || window !== this.store.window);
    } else if (event === 'window' && this.store.add(data)) {
      this.#newestAt = performance.now();
      this.#onNews(false);
    }
  }

  #connectionChanged() {
    if (this.feed.phase !== 'open') this.status = null;
    this.#onConnection();
  }
}
