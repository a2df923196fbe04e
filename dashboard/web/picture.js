// The chart as a PNG: on its background, with title, series and time axis.

import { Graph } from './graph.js';
import { readLook } from './look.js';
import { drawnSeries, seriesStyle } from './series.js';
import { element } from './view.js';

const WIDTH = 1200;
const HEIGHT = 600;
const SCALE = 2;                      // sharp in print, too
const MARGIN = 32;

export function drawPicture(view) {
  const look = readLook(16 / parseFloat(getComputedStyle(document.documentElement).fontSize));
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH * SCALE;
  canvas.height = HEIGHT * SCALE;
  const context = canvas.getContext('2d');
  context.scale(SCALE, SCALE);
  context.fillStyle = look.paper;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const top = drawLegend(context, view, look, drawTitle(context, view, look));
  context.translate(MARGIN, top);
  drawGraph(context, view, look, WIDTH - 2 * MARGIN, HEIGHT - top - MARGIN / 2);
  return canvas;
}

// dygraphs draws on the page, if unseen, and writes what stands at the axes beside its canvas.
function drawGraph(context, view, look, width, height) {
  const div = element('div', 'picture');
  div.style.width = `${width}px`;
  div.style.height = `${height}px`;
  document.body.append(div);
  const graph = new Graph(div, { pixelRatio: SCALE });
  graph.draw(view, look);
  context.drawImage(graph.canvas, 0, 0, width, height);
  context.font = look.font;
  context.fillStyle = look.quiet;
  context.textBaseline = 'middle';
  const { left, top } = div.getBoundingClientRect();
  const words = document.createRange();
  for (const label of div.querySelectorAll('.dygraph-axis-label')) {
    words.selectNodeContents(label);
    const box = words.getBoundingClientRect();
    context.fillText(label.textContent, box.left - left, (box.top + box.bottom) / 2 - top);
  }
  graph.destroy();
  div.remove();
}

function drawTitle(context, { store, locale, range: [from, to] }, look) {
  context.textBaseline = 'alphabetic';
  context.fillStyle = look.ink;
  context.font = `700 26px ${look.family}`;
  context.fillText(store.job, MARGIN, MARGIN + 22);
  const left = MARGIN + context.measureText(store.job).width + 16;
  context.font = `15px ${look.family}`;
  context.fillStyle = look.quiet;
  const date = { year: 'numeric', month: 'short', day: 'numeric' };
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
  const span = `${locale.tick(from, { ...date, ...time })} – ${locale.tick(to, { ...date, ...time })}`;
  context.fillText(`${locale.text('chartTitle')} · ${span} ${locale.zoneName()}`, left, MARGIN + 22);
  return MARGIN + 40;
}

// In as many rows as it takes; returns where it ends.
function drawLegend(context, { store, locale }, look, top) {
  let [x, y] = [MARGIN, top + 14];
  context.font = `15px ${look.family}`;
  for (const label of drawnSeries(store.labels, store.seen)) {
    const style = seriesStyle(store.labels, label);
    const name = locale.seriesName(label);
    const width = 40 + context.measureText(name).width + 24;
    if (x + width > WIDTH - MARGIN && x > MARGIN) [x, y] = [MARGIN, y + 22];
    context.strokeStyle = look.colour(style.colour);
    context.lineWidth = 3;
    context.setLineDash(style.dash);
    context.beginPath();
    context.moveTo(x, y - 5);
    context.lineTo(x + 32, y - 5);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = look.ink;
    context.fillText(name, x + 40, y);
    x += width;
  }
  return y + 12;
}

export function savePicture(view) {
  const name = `${view.store.job}.png`;
  drawPicture(view).toBlob((blob) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }, 'image/png');
}
