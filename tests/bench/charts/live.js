// What the others' pages share: the past from the server, then a window at a time. `startChart(div, names, records)` of the
// library's own file draws the records and gives add(record), which shows one more and drops the oldest.
/* global startChart */

window.chartIsDrawn = false;

async function live() {
  const count = new URLSearchParams(location.search).get('windows');
  const response = await fetch(`api/windows?limit=${count}`);
  const { labels, windows } = await response.json();
  const add = startChart(document.getElementById('chart'), labels.map((label) => label.name), windows);
  let last = windows.at(-1).start;
  const socket = new WebSocket(new URL('ws', location.href.replace('http', 'ws')));
  socket.onmessage = (message) => {
    const { event, data } = JSON.parse(message.data);
    if (event !== 'window' || data.start <= last) return;
    last = data.start;
    add(data);
  };
}

live();
