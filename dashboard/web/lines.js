// From records to rows that dygraphs draws. Pure, no DOM.

// The time between two windows.
export function spacing(records, slide) {
  if (slide || records.length < 2) return slide || Infinity;
  return (records.at(-1).start - records[0].start) / (records.length - 1);
}

// How much time makes one point, where a window has less than `least` pixels; 0: each makes its own.
export function binSize(records, slide, msPerPixel, least) {
  if (records.length < 3 || spacing(records, slide) >= least * msPerPixel) return 0;
  const wanted = 2 * least * msPerPixel;
  return slide ? Math.ceil(wanted / slide) * slide : wanted;
}

// Where a step of the slide has no window, one run ends and another begins.
export function runs(records, slide) {
  const result = [];
  let previous = null;
  for (const record of records) {
    if (previous === null || (slide && record.start - previous > 1.5 * slide)) result.push([]);
    result.at(-1).push(record);
    previous = record.start;
  }
  return result;
}

// [from, to] of what is missing between the runs.
export function gaps(parts, slide) {
  return parts.slice(1).map((part, index) => [parts[index].at(-1).start + slide / 2, part[0].start - slide / 2]);
}

// [time, a value of each series ...]: a row a window, or one a bin; between the runs one of nulls, which breaks lines.
export function rows(parts, names, slide, bin) {
  const makeRows = bin ? (run) => binRows(run, names, bin) : (run) => run.map((record) => windowRow(record, names));
  return parts.flatMap((run, index) => {
    const last = parts[index - 1]?.at(-1);
    return last ? [[last.start + slide, ...names.map(() => null)], ...makeRows(run)] : makeRows(run);
  });
}

function windowRow(record, names) {
  return [record.start, ...names.map((name) => record.counts[name] ?? 0)];
}

// Of each series [the smallest, the mean, the largest] of the bin's windows.
function binRows(run, names, bin) {
  const bins = new Map();
  for (const record of run) {
    const key = Math.floor(record.start / bin);
    if (!bins.has(key)) bins.set(key, []);
    bins.get(key).push(windowRow(record, names));
  }
  return [...bins.values()].map((all) => [mean(all, 0), ...names.map((_, index) => {
    const values = all.map((row) => row[index + 1]);
    return [Math.min(...values), mean(all, index + 1), Math.max(...values)];
  })]);
}

function mean(all, column) {
  return all.reduce((sum, row) => sum + row[column], 0) / all.length;
}

export function largest(records, labels) {
  let most = 0;
  for (const { counts } of records) for (const { name } of labels) most = Math.max(most, counts[name] ?? 0);
  return most;
}
