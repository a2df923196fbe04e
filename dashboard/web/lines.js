// From records to what a line is made of. Pure, no DOM.

// How much time makes one point, where a window has less than `least` pixels; 0: each makes its own.
export function binSize(records, slide, msPerPixel, least) {
  if (records.length < 3) return 0;
  const apart = slide || (records.at(-1).start - records[0].start) / (records.length - 1);
  if (apart >= least * msPerPixel) return 0;
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

// One point a window, or one a bin with the mean, the smallest and the largest of its windows.
export function points(run, name, bin) {
  const result = [];
  let current = null;
  for (const record of run) {
    const value = record.counts[name] ?? 0;
    const key = bin ? Math.floor(record.start / bin) : record.start;
    if (current?.key !== key) {
      current = { key, times: 0, sum: 0, n: 0, least: value, most: value };
      result.push(current);
    }
    current.n++;
    current.times += record.start;
    current.sum += value;
    current.least = Math.min(current.least, value);
    current.most = Math.max(current.most, value);
  }
  return result.map(({ times, sum, n, least, most }) => ({ time: times / n, value: sum / n, least, most }));
}

export function largest(records, labels) {
  let most = 0;
  for (const { counts } of records) for (const { name } of labels) most = Math.max(most, counts[name] ?? 0);
  return most;
}
