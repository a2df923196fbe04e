// Windows from before what the feed told, asked for when the chart gets there.

import { MAX_WINDOWS } from './store.js';

const RETRY_MS = 3000;
const STEP_MS = 60_000;               // at least so much at once, so that a slow pan asks seldom

export class History {
  #address;
  #isAsking = false;
  #notBefore = -Infinity;

  constructor(address) {
    this.#address = address;
  }

  // Makes sure that the store knows everything from a moment on; whether that changed it.
  async want(store, from) {
    if (from >= store.coveredFrom || this.#isAsking || performance.now() < this.#notBefore) return false;
    this.#isAsking = true;
    try {
      return await this.#fill(store, Math.floor(from) - STEP_MS);
    } catch (error) {
      this.#notBefore = performance.now() + RETRY_MS;
      console.info('tally: no history:', error.message);
      return false;
    } finally {
      this.#isAsking = false;
    }
  }

  async #fill(store, from) {
    const to = store.coveredFrom;
    const known = store.between(-Infinity, to - 1);
    const response = await fetch(this.#address('api/windows', { from, to, limit: MAX_WINDOWS }));
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const { edition, windows } = await response.json();
    if (edition !== store.edition) throw new Error('of another edition');     // whose snapshot is on its way
    if (store.coveredFrom !== to) return true;      // a snapshot has come meanwhile: draw, and ask again
    const within = known.filter((record) => record.start >= from);
    store.replace(from, within, windows);
    return true;
  }
}
