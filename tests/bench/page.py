"""The page beside pages of the chart libraries that others use, in a real Chromium: what a first visit loads and when it shows
something; and what one more window costs, with 600 and 3,600 windows of 2 and of 10 series. The same server tells all of them
the same; the others' pages have a chart only, ours also its table and sums."""

import gzip
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.common import TALLY, goal, versions
from tests.bench.peers import npm
from tests.browser import Browser
from tests.kafka_server import free_port
from tests.page_double import LABELS, PageDouble, wave, window
from tests.program import Program, until

LOADS = int(os.environ.get("ROUNDS", 5))
UPDATES = int(os.environ.get("UPDATES", 20))
UPDATE_EVERY_S = 0.1
PACKAGES = ["highcharts@13.1.1", "chart.js@4.6.1", "chartjs-adapter-date-fns@3.0.0", "echarts@6.1.0"]
CHARTS = Path(__file__).parent / "charts"
# name -> (its file in charts/, its files in npm)
OTHERS = {
    "Highcharts": ("highcharts.js", ["highcharts/highcharts.js"]),
    "Chart.js": ("chartjs.js", ["chart.js/dist/chart.umd.min.js",
                                "chartjs-adapter-date-fns/dist/chartjs-adapter-date-fns.bundle.min.js"]),
    "ECharts": ("echarts.js", ["echarts/dist/echarts.min.js"]),
}
GOAL_BYTES, GOAL_PAINT_MS = 80_000, 500

# When a frame with the data in it was painted: a message that is posted while a frame is made comes after it.
WATCH = """
window.shownAt = null;
const frames = new MessageChannel();
function isShown() {
  return window.chartIsDrawn ?? (document.querySelector('#windows tbody tr') && document.querySelector('#chart canvas'));
}
frames.port1.onmessage = () => {
  if (isShown()) window.shownAt = performance.now();
  else requestAnimationFrame(() => frames.port2.postMessage(''));
};
requestAnimationFrame(() => frames.port2.postMessage(''));
window.heard = 0;
const Native = window.WebSocket;
window.WebSocket = class extends Native {
  constructor(...all) {
    super(...all);
    this.addEventListener('message', ({data}) => { window.heard += data.startsWith('{"event": "window"'); });
  }
};
"""

LOADED = """
const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .filter((entry) => !/\\/(api|livez|ws)/.test(new URL(entry.name).pathname));
const paint = (name) => performance.getEntriesByName(name)[0]?.startTime;
return [entries.reduce((sum, entry) => sum + entry.encodedBodySize, 0), entries.length, paint('first-paint'),
        paint('first-contentful-paint'), window.shownAt];
"""


class ChartServer(PageDouble):
    """The double, compressed, with the others' pages beside ours."""

    def __init__(self, port, node_path, windows, labels):
        self.node_path, self.packed = node_path, {}
        super().__init__(port, windows, labels=labels)

    async def _http(self, path, headers):
        name = path.partition("?")[0].lstrip("/")
        if name in self._others():
            return self._say(*self._others()[name])
        return await super()._http(path, headers)

    def _others(self):
        files = {"live.js": CHARTS / "live.js"}
        pages = {}
        for chart, libraries in OTHERS.values():
            scripts = [*(Path(each).name for each in libraries), "live.js", f"charts/{chart}"]
            files.update({Path(each).name: self.node_path / each for each in libraries})
            files[f"charts/{chart}"] = CHARTS / chart
            tags = "\n".join(f'<script src="{each}" defer></script>' for each in [*scripts[:-2], scripts[-1], scripts[-2]])
            html = (CHARTS / "index.html").read_text().replace("<!-- libraries -->", tags)
            pages[chart.replace(".js", ".html")] = (html.encode(), "text/html")
        return {**pages, **{name: (file.read_bytes(), "text/javascript") for name, file in files.items()}}

    def _say(self, body, kind):
        """The Content-Security-Policy is ours; Highcharts writes style sheets."""
        status, headers, body = super()._say(body, kind)
        if body not in self.packed:
            self.packed[body] = gzip.compress(body, 9, mtime=0)
        return status, [headers[0], ("Content-Encoding", "gzip")], self.packed[body]


def counts(series, start):
    """Of a window, for so many series."""
    if series == 2:
        return wave(start)["counts"]
    return {f"s{n}": sum(wave(start + n * 7_919_000)["counts"].values()) for n in range(series)}


def record(series, start):
    found = counts(series, start)
    return {**window(start, []), "counts": found, "total": sum(found.values())}


def labels(series):
    return LABELS[:2] if series == 2 else [{"name": f"s{n}", "zh": f"s{n}"} for n in range(series)]


def serve(node_path, windows, series):
    last = int(time.time()) * 1000
    past = [record(series, last - n * 1000) for n in reversed(range(windows))]
    if series == 2:
        for each in past:
            each["counts"] = {name: each["counts"][name] for name in ("female", "male")}
    return ChartServer(free_port(), node_path, past, labels(series))


def pages(windows):
    return {"tally": "", **{name: f"{file.replace('.js', '.html')}?windows={windows}" for name, (file, _) in OTHERS.items()}}


def load(browser, url):
    """(bytes, requests, first paint, first contentful paint, data shown) of a first visit."""
    browser.driver.get("about:blank")
    browser.do("Network.clearBrowserCache")
    browser.open(url)
    until(lambda: browser.js("return window.shownAt"), 30, f"data on {url}")
    return browser.js(LOADED)


def first_visits(browser, node_path):
    server = serve(node_path, 600, 2)
    found = {name: [] for name in pages(600)}
    for _ in range(LOADS):
        for name, page in pages(600).items():
            found[name].append(load(browser, server.url + page))
    server.close()
    return found


def show_visits(found, real):
    print("### First visit, 600 windows of 2 series\n\n| page | kB compressed | requests | first paint | first contentful paint | "
          "data painted | ratio |\n|---|--:|--:|--:|--:|--:|--:|")
    first = statistics.median(each[4] for each in found["tally"])
    for name, visits in {**found, "tally, by its own server, its first windows": real}.items():
        weight, requests, paint, contentful, shown = (statistics.median(column) for column in zip(*visits))
        print(f"| {name} | {weight / 1000:.1f} | {requests:.0f} | {paint:.0f} ms | {contentful:.0f} ms | {shown:.0f} ms | "
              f"{shown / first:.1f} x |")
    print(f"\nMedians of {LOADS} visits each, in turns, with an empty cache; bytes and requests without the data. From the start of "
          "the navigation. The server that all of them share closes the connection after each answer, the program's own does not.\n",
          flush=True)


def main_thread(browser):
    """Processor seconds of the page's main thread so far."""
    metrics = {each["name"]: each["value"] for each in browser.do("Performance.getMetrics")["metrics"]}
    return metrics["TaskDuration"]


def processor_time(root):
    """Seconds of user and system time of a process and all below it: Chromium draws in several."""
    parents, times = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        parents[pid], times[pid] = int(fields[1]), int(fields[11]) + int(fields[12])
    family, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family |= more
        grown = bool(more)
    return sum(times.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def redraw(browser, server, name, page, windows, series):
    """(ms of the main thread, ms of all of Chromium) for one more window."""
    browser.open(server.url + page)
    until(lambda: browser.js("return window.shownAt"), 30, f"{name}: data")
    if name == "tally":
        span = 15 if windows == 600 else 60
        browser.click(f"#ranges [data-span='{span * 60_000}']")
    time.sleep(1)  # what comes after the load
    root = browser.driver.service.process.pid
    last, heard = max(server.windows), browser.js("return window.heard")
    before, spent = main_thread(browser), processor_time(root)
    for n in range(1, UPDATES + 1):
        server.send(record(series, last + n * 1000))
        time.sleep(UPDATE_EVERY_S)
    until(lambda: browser.js("return window.heard") == heard + UPDATES, 60, f"{name}: {UPDATES} updates")
    time.sleep(0.2)  # the last is drawn
    return [1000 * (main_thread(browser) - before) / UPDATES, 1000 * (processor_time(root) - spent) / UPDATES]


def redraws(browser, node_path):
    found = {}
    for series in (2, 10):
        for windows in (600, 3600):
            server = serve(node_path, windows, series)
            for name, page in pages(windows).items():
                found[name, windows, series] = redraw(browser, server, name, page, windows, series)
            server.close()
    return found


def show_redraws(found):
    cases = list(dict.fromkeys((windows, series) for _, windows, series in found))
    print("### One more window\n\n| page | " + " | ".join(f"{windows:,} x {series}" for windows, series in cases) + " |\n|---|"
          + "--:|" * len(cases))
    for name in dict.fromkeys(name for name, _, _ in found):
        cells = [found[name, *case] for case in cases]
        print(f"| {name} | " + " | ".join(f"{main:.1f} ({whole:.0f})" for main, whole in cells) + " |")
    print(f"\nms of the page's main thread (in brackets: of all of Chromium's processes) for each of {UPDATES} windows, one every "
          f"{1000 * UPDATE_EVERY_S:.0f} ms; windows x series in view.\n", flush=True)


def real_visits(browser):
    """Of the program itself, not of the double."""
    with tempfile.TemporaryDirectory() as folder:
        program, port = Program(cwd=folder), free_port()
        try:
            program.start("run", "gender", "--port", port).wait_for(f"http://localhost:{port}/")
            return [load(browser, f"http://localhost:{port}/") for _ in range(LOADS)]
        finally:
            program.end_all()


def main():
    node_path = npm(*PACKAGES)
    browser = Browser()
    try:
        browser.do("Page.enable")
        browser.do("Performance.enable", timeDomain="threadTicks")  # of the processor, not of the clock
        browser.do("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        real = real_visits(browser)
        weight, requests, paint, contentful, shown = (statistics.median(column) for column in zip(*real))
        print(f"`tally run gender`: {weight / 1000:.1f} kB in {requests:.0f} requests, first paint {paint:.0f} ms, first contentful "
              f"paint {contentful:.0f} ms, data painted {shown:.0f} ms.\n")
        goal("page weight, first load", weight / 1000, GOAL_BYTES / 1000, " kB", at_most=True)
        goal("first paint", paint, GOAL_PAINT_MS, " ms", at_most=True)
        show_visits(first_visits(browser, node_path), real)
        show_redraws(redraws(browser, node_path))
    finally:
        browser.close()
    versions(tally=[TALLY, "--version"])
    print("Packages: " + ", ".join(PACKAGES) + f". Chromium {browser.driver.capabilities['browserVersion']}.\n")


if __name__ == "__main__":
    sys.exit(main())
