// What one can do with the chart, as buttons: the span, the way back and forth, pause, and back to live.

import { offeredSpans } from './range.js';
import { element, setText } from './view.js';

const PAN = 0.5;                      // of what is shown
const ZOOM = 2;
const $ = (id) => document.getElementById(id);

export class Toolbar {
  #spans = [];

  // `commands` as for gestures.js, and choose(span), pause().
  constructor(commands, getRange) {
    const width = () => {
      const [from, to] = getRange();
      return to - from;
    };
    const clicks = {
      earlier: () => commands.pan(-PAN * width()),
      later: () => commands.pan(PAN * width()),
      'zoom-in': () => commands.zoom(1 / ZOOM, null),
      'zoom-out': () => commands.zoom(ZOOM, null),
      reset: () => commands.reset(),
      pause: () => commands.pause(),
      live: () => commands.follow(),
    };
    for (const id in clicks) $(id).addEventListener('click', clicks[id]);
    this.choose = commands.choose;
  }

  // `range` is what the chart shows, `behind` how many windows are newer.
  update(store, range, isPaused, behind, locale) {
    buildSpans($('ranges'), this.#spans, this.choose, store, range, locale);
    this.#spans = offeredSpans(store.slide);
    $('pause').setAttribute('aria-pressed', isPaused);
    setText($('pause-words'), locale.text(isPaused ? 'resume' : 'pause'));
    $('live').hidden = !isPaused && range.isLive;
    $('reset').disabled = range.isDefault && !isPaused;
    $('later').disabled = range.isLive;
    setText($('live-words'), locale.text('toLive'));
    $('behind').hidden = behind === 0;
    const count = locale.number(behind) + (behind > 0 && store.isFull && behind >= store.size ? '+' : '');
    setText($('behind'), locale.text('behind', { count }));
  }
}

// One button a span; the one that is chosen is pressed.
export function buildSpans(group, known, choose, store, range, locale) {
  const spans = offeredSpans(store.slide);
  if (group.children.length !== spans.length || spans.some((span, index) => span !== known[index])) {
    group.replaceChildren(...spans.map((span) => {
      const button = element('button');
      button.type = 'button';
      button.dataset.span = span;
      button.addEventListener('click', () => choose(span));
      return button;
    }));
  }
  const [from, to] = store.newest ? range.of(store) : [0, range.chosen(store.slide)];
  for (const button of group.children) {
    const span = Number(button.dataset.span);
    setText(button, locale.shortDuration(span));
    button.title = locale.spanName(span);
    button.setAttribute('aria-pressed', span === Math.round(to - from));
  }
}
