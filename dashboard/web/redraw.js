// At most once in a while, not while hidden, and never without a reason.

const REDRAW_MS = 30;
const REDRAW_CALM_MS = 1000;          // for readers who prefer reduced motion
const calm = matchMedia('(prefers-reduced-motion: reduce)');

// Returns what to call when `show` is due; with true it is the reader who waits, and it is done with the next frame.
export function scheduler(show) {
  let due = false;
  let hurry = false;
  let frameAt = 0;                    // the frame or the timer that is asked for
  let timer = 0;
  let drawnAt = -Infinity;

  function draw() {
    frameAt = 0;
    due = hurry = false;
    drawnAt = performance.now();
    show();
  }

  function askForFrame() {
    timer = 0;
    frameAt ||= requestAnimationFrame(draw);
  }

  function arm() {
    if (!due || frameAt || document.hidden) return;
    const wait = hurry ? 0 : drawnAt + (calm.matches ? REDRAW_CALM_MS : REDRAW_MS) - performance.now();
    if (wait > 0) {
      timer ||= setTimeout(askForFrame, wait);
      return;
    }
    clearTimeout(timer);
    askForFrame();
  }

  document.addEventListener('visibilitychange', arm);
  return (isReader = false) => {
    due = true;
    hurry ||= isReader;
    arm();
  };
}
