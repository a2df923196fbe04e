// Data by setOption: https://echarts.apache.org/handbook/en/how-to/data/dynamic-data; no animation, no symbols, and points that
// share a pixel taken together (series-line.sampling): https://echarts.apache.org/en/option.html#series-line.sampling
/* global echarts */

window.startChart = (div, names, records) => {
  const chart = echarts.init(div);
  const rows = (name) => records.map((r) => [r.start, r.counts[name]]);
  chart.on('rendered', () => { window.chartIsDrawn = true; });
  chart.setOption({
    animation: false,
    legend: {},
    xAxis: { type: 'time' },
    yAxis: { type: 'value', min: 0 },
    series: names.map((name) => ({ name, type: 'line', showSymbol: false, sampling: 'minmax', data: rows(name) })),
  });
  return (record) => {
    records = [...records.slice(1), record];
    chart.setOption({ series: names.map((name) => ({ name, data: rows(name) })) });
  };
};
