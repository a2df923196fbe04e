// Live data by Series.addPoint(point, redraw, shift), and one Chart.redraw() for all series, without animation:
// https://api.highcharts.com/class-reference/Highcharts.Series#addPoint, .../Highcharts.Chart#redraw. No marks on points.
/* global Highcharts */

window.startChart = (div, names, records) => {
  const chart = Highcharts.chart(div, {
    chart: { animation: false, events: { render: () => { window.chartIsDrawn = true; } } },
    title: { text: undefined },
    accessibility: { enabled: false },
    xAxis: { type: 'datetime' },
    yAxis: { min: 0 },
    plotOptions: { series: { animation: false, marker: { enabled: false }, states: { hover: { enabled: false } } } },
    series: names.map((name) => ({ type: 'line', name, data: records.map((r) => [r.start, r.counts[name]]) })),
  });
  return (record) => {
    names.forEach((name, n) => chart.series[n].addPoint([record.start, record.counts[name]], false, true));
    chart.redraw(false);
  };
};
