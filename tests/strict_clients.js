// npm's `ws` and `eventsource`, driven by the tests: node strict_clients.js ws|eventsource URL
// What the library tells goes out, a line of JSON each; "close [CODE [REASON]]" comes in, and ends it.
'use strict';
const path = require('path');
const readline = require('readline');
const taken = (name) => require(path.join(__dirname, '../build/npm/node_modules', name));
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const [kind, url] = process.argv.slice(2);

function openSocket() {
  const WebSocket = taken('ws');
  const socket = new WebSocket(url);
  socket.on('open', () => say({open: true}));
  socket.on('message', (data, isBinary) => say(isBinary ? {error: 'binary'} : {message: data.toString()}));
  socket.on('ping', (data) => say({ping: data.toString('latin1')}));
  socket.on('error', (error) => say({error: String(error)}));
  socket.on('close', (code) => { say({close: code}); process.exit(0); });
  return (...how) => socket.close(...how);
}

function openEvents() {
  const {EventSource} = taken('eventsource');
  const source = new EventSource(url);
  source.addEventListener('open', () => say({open: true}));
  source.addEventListener('error', () => say({lost: source.readyState}));
  for (const name of ['snapshot', 'window', 'status', 'message'])
    source.addEventListener(name, (e) => say({event: e.type, id: e.lastEventId, data: JSON.parse(e.data)}));
  return () => { source.close(); say({close: source.readyState}); process.exit(0); };
}

const close = kind === 'ws' ? openSocket() : openEvents();
readline.createInterface({input: process.stdin}).on('line', (line) => {
  const [, code, ...reason] = line.split(' ');
  if (code) close(Number(code), reason.join(' '));
  else close();
});
