// How a series looks, on the chart, in its tile and in a picture: the name of a CSS colour, and a dash pattern.

const COLOURS = 7;
const DASHES = [[], [8, 4], [2, 3], [10, 4, 2, 4], [16, 5]];      // 7 and 5 are coprime: 35 different lines
const UNKNOWN_DASH = [3, 5];
const OTHER_DASH = [1, 4];

export function isMuted(label) {
  return label.name === 'other' || label.name === 'unknown';
}

export function seriesStyle(labels, label) {
  if (isMuted(label)) {
    return { colour: '--series-muted', dash: label.name === 'other' ? OTHER_DASH : UNKNOWN_DASH, width: 1.25 };
  }
  const index = labels.filter((each) => !isMuted(each)).indexOf(label);
  return { colour: `--series-${index % COLOURS}`, dash: DASHES[index % DASHES.length], width: 2 };
}

// Those that have a line: all, but what is unknown or other only if there ever was any.
export function drawnSeries(labels, seen) {
  return labels.filter((label) => !isMuted(label) || seen.has(label.name));
}
