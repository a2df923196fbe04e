// The live connection: opens the WebSocket, notices when it dies, reconnects and resumes after the last id seen.

const DEAD_AFTER_MS = 12_000;         // the server sends a status every 5 s
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
const SILENT_AFTER_MS = 5_000;
const SILENT_AFTER_SLIDES = 3;

export class Feed {
  #url;
  #onMessage;
  #onChange;
  #socket = null;
  #lastId = null;
  #heardAt = 0;
  #failures = 0;
  #timer = 0;

  phase = 'connecting';               // then open, waiting, retrying
  retryAt = 0;

  constructor(url, onMessage, onChange) {
    this.#url = url;
    this.#onMessage = onMessage;
    this.#onChange = onChange;
  }

  start() {
    this.#open();
    setInterval(() => this.#checkAlive(), 1000);
    addEventListener('online', () => this.hurry());
  }

  // Ends a wait early: the network or the reader has come back.
  hurry() {
    this.#checkAlive();
    if (this.phase === 'waiting') this.#retry();
  }

  #open() {
    const url = new URL(this.#url);
    if (this.#lastId) url.searchParams.set('last', this.#lastId);
    const socket = new WebSocket(url);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lose();
    };
  }

  #receive(text) {
    this.#heardAt = performance.now();
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      console.warn('tally: not JSON:', text.slice(0, 100));
      return;
    }
    // Only a server that speaks counts as success, or one that accepts and drops at once would be hammered.
    this.#failures = 0;
    this.#enter('open');
    this.#onMessage(message.event, message.data);
    if (message.id) this.#lastId = message.id;
  }

  #checkAlive() {
    if (this.#socket && performance.now() - this.#heardAt > DEAD_AFTER_MS) this.#lose();
  }

  #lose() {
    const socket = this.#socket;
    this.#socket = null;
    socket.close();
    const delay = retryDelay(this.#failures++);
    this.retryAt = performance.now() + delay;
    this.#timer = setTimeout(() => this.#retry(), delay);
    this.#enter('waiting');
  }

  #retry() {
    clearTimeout(this.#timer);
    this.#enter('retrying');
    this.#open();
  }

  #enter(phase) {
    if (phase === this.phase) return;
    this.phase = phase;
    this.#onChange(phase);
  }
}

// Exponential, and spread out from the first retry on: after a restart all browsers come back at once.
export function retryDelay(failures, random = Math.random()) {
  const ceiling = Math.min(RETRY_MAX_MS, 2 * RETRY_MIN_MS * 2 ** failures);
  return RETRY_MIN_MS + random * (ceiling - RETRY_MIN_MS);
}

// What to tell the reader, from the feed's phase, the server's last status and the age of the newest result in ms (null
// if there never was one).
export function health(phase, status, age, slide) {
  if (phase === 'connecting') return 'connecting';
  if (phase !== 'open') return 'disconnected';
  if (status?.kafka === 'lost') return 'kafka-lost';
  if (age !== null && age <= Math.max(SILENT_AFTER_MS, SILENT_AFTER_SLIDES * (slide ?? 0))) return 'live';
  return status ? 'silent' : 'connecting';
}
