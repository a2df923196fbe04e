// Data pushed and shifted, then chart.update('none'): https://www.chartjs.org/docs/latest/developers/updates.html; no
// animation, no parsing, sorted data, straight ticks, no points, decimation:
// https://www.chartjs.org/docs/latest/general/performance.html
/* global Chart */

window.startChart = (div, names, records) => {
  const canvas = document.createElement('canvas');
  div.append(canvas);
  const chart = new Chart(canvas, {
    type: 'line',
    data: { datasets: names.map((label) => ({ label, data: records.map((r) => ({ x: r.start, y: r.counts[label] })) })) },
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      maintainAspectRatio: false,
      elements: { point: { radius: 0 }, line: { borderWidth: 2 } },
      scales: { x: { type: 'time', ticks: { minRotation: 0, maxRotation: 0, sampleSize: 5 } }, y: { min: 0 } },
      plugins: { decimation: { enabled: true, algorithm: 'min-max' } },
    },
    plugins: [{ id: 'drawn', afterDraw: () => { window.chartIsDrawn = true; } }],
  });
  // The decimation keeps all points in another place: what is set is the whole list.
  return (record) => {
    records = [...records.slice(1), record];
    for (const set of chart.data.datasets) set.data = records.map((r) => ({ x: r.start, y: r.counts[set.label] }));
    chart.update('none');
  };
};
