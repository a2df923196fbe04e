// Where the axes have their marks. Pure, no DOM.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME_STEPS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500,
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
];

// From 0 to at least `most`, about `count` steps, in whole numbers: there is no half of a buyer.
export function countTicks(most, count) {
  const rough = Math.max(1, most / Math.max(1, count));
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 5, 10].find((each) => each * power >= rough) * power);
  const steps = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: steps + 1 }, (_, n) => n * step);
}

// Round times within [from, to], at most `count`. `offset` is what the reader's clock is ahead of UTC, in ms.
export function timeTicks(from, to, count, offset) {
  const step = TIME_STEPS.find((each) => (to - from) / each <= count) ?? TIME_STEPS.at(-1);
  const ticks = [];
  for (let at = Math.ceil((from + offset) / step) * step - offset; at <= to; at += step) ticks.push(at);
  return { step, ticks };
}

// What of a time tells two marks apart.
export function tickOptions(step) {
  if (step >= DAY) return { month: 'short', day: 'numeric' };
  const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  if (step < MINUTE) options.second = '2-digit';
  if (step < SECOND) options.fractionalSecondDigits = 3;
  return options;
}
