// What hands do on the chart: mouse, fingers and keys become commands.
//
//   show(from, to)  pan(ms)  zoom(factor, at)  point(time | null)  step(direction)  home()  follow()  reset()

const DRAG_PIXELS = 6;                // less is a click
const KEY_ZOOM = 1.5;
const KEY_PAN = 0.1;                  // of what is shown
const WHEEL_ZOOM = 0.002;

export class Gestures {
  #chart;
  #do;
  #pointers = new Map();              // the fingers on the chart: id -> x
  #drag = null;                       // { from, x, pans }

  constructor(chart, commands) {
    this.#chart = chart;
    this.#do = commands;
    const { div } = chart;
    const handlers = {
      wheel: (event) => this.#wheel(event),
      pointerdown: (event) => this.#down(event),
      pointermove: (event) => this.#move(event),
      pointerup: (event) => this.#up(event),
      pointercancel: (event) => this.#cancel(event),
      pointerleave: (event) => event.pointerType === 'mouse' && !this.#drag && commands.point(null),
      dblclick: () => commands.reset(),
      keydown: (event) => this.#key(event),
      blur: () => commands.point(null),
    };
    for (const name in handlers) {
      const handler = (event) => chart.view && handlers[name](event);
      div.addEventListener(name, handler, { passive: name !== 'wheel' && name !== 'keydown' });
    }
  }

  // While a hand holds the chart it must not move away under it.
  get isHeld() {
    return this.#pointers.size > 0;
  }

  // A trackpad's pinch comes as a wheel with ctrl. A wheel alone scrolls the page, sideways the chart.
  #wheel(event) {
    const { deltaX, deltaY } = event;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.#do.zoom(Math.exp(deltaY * WHEEL_ZOOM), this.#chart.timeAt(event.clientX));
    } else if (Math.abs(deltaX) > Math.abs(deltaY) || event.shiftKey) {
      event.preventDefault();
      this.#do.pan((deltaX || deltaY) * this.#chart.msPerPixel);
    }
  }

  #down(event) {
    if (event.button !== 0) return;
    this.#pointers.set(event.pointerId, event.clientX);
    const pans = event.pointerType === 'touch' || event.shiftKey;
    this.#drag = this.#pointers.size === 1 ? { from: event.clientX, x: event.clientX, pans, moved: false } : null;
    if (this.#drag) this.#chart.div.setPointerCapture(event.pointerId);
    this.#chart.select(null);
  }

  #move(event) {
    if (this.#pointers.size === 2 && this.#pointers.has(event.pointerId)) this.#pinch(event);
    else if (this.#drag && this.#pointers.has(event.pointerId)) this.#dragTo(event.clientX);
    else if (event.pointerType === 'mouse') this.#do.point(this.#chart.timeAt(event.clientX));
    if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, event.clientX);
  }

  #dragTo(x) {
    const drag = this.#drag;
    drag.moved ||= Math.abs(x - drag.from) >= DRAG_PIXELS;
    if (!drag.moved) return;
    this.#do.point(null);
    if (drag.pans) this.#do.pan((drag.x - x) * this.#chart.msPerPixel);
    else this.#chart.select(Math.min(drag.from, x), Math.max(drag.from, x));
    drag.x = x;
  }

  // The moment between the fingers stays between them.
  #pinch(event) {
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)[1];
    const before = this.#pointers.get(event.pointerId);
    const apart = Math.max(8, Math.abs(event.clientX - other));
    const middle = (event.clientX + other) / 2;
    this.#do.zoom(Math.max(8, Math.abs(before - other)) / apart, this.#chart.timeAt(middle));
    this.#do.pan((before - event.clientX) / 2 * this.#chart.msPerPixel);
  }

  #up(event) {
    const drag = this.#drag;
    this.#cancel(event);
    if (!drag) return;
    if (!drag.moved) this.#do.point(this.#chart.timeAt(event.clientX));
    else if (!drag.pans) {
      this.#do.show(this.#chart.timeAt(Math.min(drag.from, drag.x)), this.#chart.timeAt(Math.max(drag.from, drag.x)));
    }
  }

  #cancel(event) {
    this.#pointers.delete(event.pointerId);
    this.#drag = null;
    this.#chart.select(null);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [from, to] = this.#chart.view.range;
    const keys = {
      ArrowLeft: () => (event.shiftKey ? this.#do.step(-1) : this.#do.pan(-KEY_PAN * (to - from))),
      ArrowRight: () => (event.shiftKey ? this.#do.step(1) : this.#do.pan(KEY_PAN * (to - from))),
      PageUp: () => this.#do.pan(from - to),
      PageDown: () => this.#do.pan(to - from),
      '+': () => this.#do.zoom(1 / KEY_ZOOM, null),
      '=': () => this.#do.zoom(1 / KEY_ZOOM, null),
      '-': () => this.#do.zoom(KEY_ZOOM, null),
      Home: () => this.#do.home(),
      End: () => this.#do.follow(),
      Escape: () => this.#do.reset(),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  }
}
