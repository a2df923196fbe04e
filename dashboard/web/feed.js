// The live connection: a WebSocket, or server-sent events where that is blocked; notices when it dies, reconnects, and
// resumes after the last id seen.

import { openEvents, openSocket } from './transport.js';

const FIRST_MS = 4000;                // a server speaks at once: a connection that says nothing is one in name only
const DOUBT_AFTER_MS = 1250;          // the server speaks every 1.1 s at least (stream.c): ask whether it is there
const ASK_MS = 600;                   // so that a cut is told within 2 s
const DEAD_AFTER_MS = 5000;           // it answers, but not here
const CHECK_MS = 100;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
const UPGRADE_MIN_MS = 15_000;        // from server-sent events back to a WebSocket
const UPGRADE_MAX_MS = 600_000;

export class Feed {
  #address;
  #edition;
  #onMessage;
  #onChange;
  #link = null;
  #trial = null;                      // a WebSocket that is tried beside the events
  #lastId = null;
  #heardAt = 0;
  #hasSpoken = false;
  #isAsking = false;
  #failures = 0;
  #hadSocket = false;
  #timer = 0;
  #upgradeAt = Infinity;
  #upgradeMs = UPGRADE_MIN_MS;

  phase = 'connecting';               // then open, waiting, retrying
  retryAt = 0;

  // `address(path, arguments)` makes a URL of this server; `edition()` tells what the ids are of.
  constructor(address, edition, onMessage, onChange) {
    this.#address = address;
    this.#edition = edition;
    this.#onMessage = onMessage;
    this.#onChange = onChange;
  }

  get kind() {
    return this.#link?.kind ?? null;
  }

  start() {
    this.#open(openSocket);
    setInterval(() => this.#check(), CHECK_MS);
    addEventListener('online', () => this.hurry());
    addEventListener('offline', () => this.#ask());
  }

  // Ends a wait early: the network or the reader has come back.
  hurry() {
    this.#check();
    if (this.phase === 'waiting') this.#retry();
    this.#upgradeAt = Math.min(this.#upgradeAt, performance.now());
  }

  #open(how) {
    this.#heardAt = performance.now();
    this.#hasSpoken = false;
    const link = how((path) => this.#resumed(path), (...message) => {
      if (link === this.#link) this.#hear(...message);
    }, () => {
      if (link === this.#link) this.#end(how);
    });
    this.#link = link;
  }

  #resumed(path) {
    return this.#address(path, this.#lastId ? { last: this.#lastId, edition: this.#edition() } : {});
  }

  #hear(event, data, id) {
    this.#heardAt = performance.now();
    if (!this.#hasSpoken) this.#begin();
    this.#onMessage(event, data);
    if (id) this.#lastId = id;
  }

  // Only a server that speaks counts as success, or one that accepts and drops at once would be hammered.
  #begin() {
    this.#hasSpoken = true;
    this.#failures = 0;
    if (this.kind === 'ws') {
      this.#hadSocket = true;
      this.#upgradeAt = Infinity;
      this.#upgradeMs = UPGRADE_MIN_MS;
    } else {
      this.#upgradeAt = performance.now() + this.#upgradeMs;
    }
    this.#enter('open');
  }

  // A WebSocket that never spoke may have been kept from it: events go where all of HTTP goes. One that worked before
  // is given a second chance.
  #end(how) {
    const isBlocked = how === openSocket && !this.#hasSpoken && (!this.#hadSocket || this.#failures > 0);
    this.#link.close();
    if (isBlocked) this.#open(openEvents);
    else this.#lose();
  }

  #lose() {
    this.#link?.close();
    this.#trial?.close();
    this.#link = this.#trial = null;
    const delay = retryDelay(this.#failures++);
    this.retryAt = performance.now() + delay;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#retry(), delay);
    this.#enter('waiting');
  }

  #retry() {
    clearTimeout(this.#timer);
    this.#enter('retrying');
    this.#open(openSocket);
  }

  #check() {
    if (!this.#link) return;
    const silence = performance.now() - this.#heardAt;
    if (!this.#hasSpoken) {
      if (silence > FIRST_MS) this.#end(this.kind === 'ws' ? openSocket : openEvents);
    } else if (silence > DEAD_AFTER_MS) {
      this.#lose();
    } else if (silence > DOUBT_AFTER_MS) {
      this.#ask();
    }
    if (performance.now() >= this.#upgradeAt) this.#tryUpgrade();
  }

  // A cut cable closes no connection. Where the server has stopped speaking, a question tells soon whether it is there.
  async #ask() {
    const link = this.#link;
    if (!link || this.#isAsking) return;
    this.#isAsking = true;
    const isThere = await answers(this.#address('livez'));
    this.#isAsking = false;
    const isNews = performance.now() - this.#heardAt < ASK_MS;
    if (!isThere && !isNews && link === this.#link && this.#hasSpoken) this.#lose();
  }

  #tryUpgrade() {
    this.#upgradeMs = Math.min(UPGRADE_MAX_MS, 2 * this.#upgradeMs);
    this.#upgradeAt = performance.now() + this.#upgradeMs;
    if (this.kind !== 'sse') return;
    this.#trial?.close();
    const trial = openSocket((path) => this.#resumed(path), (...message) => {
      if (trial === this.#trial) this.#adopt(trial);
      if (trial === this.#link) this.#hear(...message);
    }, () => {
      if (trial === this.#link) this.#end(openSocket);
    });
    this.#trial = trial;
  }

  #adopt(trial) {
    this.#link.close();
    this.#link = trial;
    this.#trial = null;
    this.#begin();
    this.#onChange(this.phase);
  }

  #enter(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.#onChange(phase);
  }
}

async function answers(url) {
  try {
    const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(ASK_MS) });
    return response.status < 500;
  } catch {
    return false;
  }
}

// Exponential, and spread out from the first retry on: after a restart all browsers come back at once.
export function retryDelay(failures, random = Math.random()) {
  const ceiling = Math.min(RETRY_MAX_MS, 2 * RETRY_MIN_MS * 2 ** failures);
  return RETRY_MIN_MS + random * (ceiling - RETRY_MIN_MS);
}
