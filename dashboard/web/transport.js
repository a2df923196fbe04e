// The two ways to be fed: a WebSocket, and server-sent events where a proxy lets no WebSocket through.
// `heard(event, data, id)` is called for each message, `ended()` once, unless close() came first.

export function openSocket(address, heard, ended) {
  const url = new URL(address('ws'));
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url);
  let isOver = false;
  const end = () => {
    if (!isOver) ended();
    isOver = true;
  };
  socket.onmessage = ({ data }) => {
    const message = isOver ? null : parse(data);
    if (message) heard(message.event, message.data, message.id);
  };
  socket.onclose = end;
  return {
    kind: 'ws',
    close() {
      isOver = true;
      socket.close();
    },
  };
}

// An EventSource would come back by itself; when and how is the feed's to say.
export function openEvents(address, heard, ended) {
  const source = new EventSource(address('events'));
  for (const name of ['snapshot', 'window', 'status']) {
    source.addEventListener(name, (event) => {
      const data = parse(event.data);
      if (data) heard(name, data, event.lastEventId);
    });
  }
  source.onerror = () => {
    source.close();
    ended();
  };
  return { kind: 'sse', close: () => source.close() };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    console.info('tally: not JSON:', String(text).slice(0, 100));
    return null;
  }
}
