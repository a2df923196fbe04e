"""The page in a real browser, as a person sees it. The screenshots are in build/screenshots."""

import base64
import csv
import io
import json
import re
import shutil
import signal
import time

import pytest

from tests.browser import CTRL, SHIFT, SHOTS, Browser
from tests.kafka_server import free_port
from tests.page_double import PageDouble, past, wave, window
from tests.program import ROOT, SOON, Program, until
from tests.proxy_double import ProxyDouble
from tests.web import get_json

# Before the page's own scripts: the frame in which each total came, and the one in which it stood in the table.
WATCH = """
window.frame = 0;
window.came = {};
window.drawn = {};
requestAnimationFrame(function count() {
  window.frame += 1;
  requestAnimationFrame(count);
});
const note = (known, start, total) => {
  if (!(known[start]?.total >= total)) known[start] = {total, frame: window.frame, at: Date.now()};
};
window.WebSocket = class extends window.WebSocket {
  constructor(...all) {
    super(...all);
    this.addEventListener('message', ({data}) => {
      const {event, data: record} = JSON.parse(data);
      if (event === 'window') note(window.came, record.start, record.total);
    });
  }
};
addEventListener('DOMContentLoaded', () => {
  const body = document.querySelector('#windows tbody');
  new MutationObserver(() => {
    for (const row of body.rows)
      note(window.drawn, row.dataset.start, Number(row.cells[row.cells.length - 1].textContent));
  }).observe(body, {subtree: true, childList: true, characterData: true});
});
"""
FRAMES = 12  # of which there are 60 in a second: a page that looks once a second would need 30 on average


@pytest.fixture(scope="module")
def browser():
    found = Browser()
    yield found
    found.close()


class Run:
    def __init__(self, folder):
        self.program, self.port = Program(cwd=folder), free_port()
        self.url = f"http://localhost:{self.port}/"
        self.start()

    def start(self):
        self.running = self.program.start("run", "gender", "--port", self.port, "--allow-host", "localhost")
        self.running.wait_for(self.url)

    def windows(self):
        return {w["start"]: w for w in get_json(self.port, "/api/windows")["windows"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One for all tests here, so that there is some history to show."""
    found = Run(tmp_path_factory.mktemp("run"))
    yield found
    found.program.end_all()


@pytest.fixture
def page(browser, run):
    browser.fresh()
    browser.open(run.url)
    until(lambda: browser.state() == "live", SOON, "a live page")
    return browser


def test_the_counts_move(page, run):
    count = "#newest [data-series=female] .count"
    until(lambda: page.text(count), SOON, "a count")
    first = page.text("#newest-time"), page.text(count)
    until(lambda: (page.text("#newest-time"), page.text(count)) != first, SOON, "a count that moved")
    rows = len(page.rows())
    until(lambda: len(page.rows()) > rows, SOON, "a row more")
    assert page.text("#job") == "gender" and "gender" in page.driver.title
    assert len(page.numbers("#newest .count")) == 5  # female, male, unknown, other, total


def test_the_page_equals_the_server(page, run):
    until(lambda: len(page.rows()) >= 4, SOON, "rows")
    rows, served = page.rows(), run.windows()
    newest = max(rows)
    closed = [start for start in rows if start <= newest - 3000]
    assert closed
    for start in closed:
        assert rows[start] == [*served[start]["counts"].values(), served[start]["total"]]


def test_no_complaints_and_nobody_else_is_asked(browser, run):
    browser.fresh()
    browser.open(run.url)
    until(lambda: browser.state() == "live", SOON, "a live page")
    until(lambda: len(browser.rows()) > 2, SOON, "rows")
    assert browser.complaints() == []
    asked = browser.requested()
    own = (run.url, run.url.replace("http", "ws"), "data:", "blob:")
    assert any(url.startswith("ws") for url in asked) and all(url.startswith(own) for url in asked), asked


def test_language_and_theme(page, run):
    driver = page.driver

    def look():
        return driver.execute_script("const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]")
    english = page.text("#newest")
    assert driver.execute_script("return document.documentElement.lang").startswith("en")
    assert "female" in english.lower()
    page.click("#lang")
    until(lambda: "女生" in page.text("#newest") and "男生" in page.text("#windows"), SOON, "Chinese")
    assert driver.execute_script("return document.documentElement.lang").startswith("zh")
    before = look()
    page.click("#theme")
    until(lambda: look() != before, SOON, "the other theme")
    other = look()
    page.reload()  # both are remembered
    until(lambda: "女生" in page.text("#newest") and look() == other, SOON, "the same again")
    page.click("#theme")
    page.click("#lang")
    until(lambda: "female" in page.text("#newest").lower() and look() == before, SOON, "as it was")


def test_each_last_total_is_drawn_at_once(browser, run):
    """In frames: how long one takes depends on the machine. In ms from the window's end: `make bench ROW=latency`."""
    browser.fresh()
    script = browser.do("Page.addScriptToEvaluateOnNewDocument", source=WATCH)["identifier"]
    browser.open(run.url)
    browser.do("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    began = until(lambda: browser.js("return Object.keys(window.drawn).length") and time.time() * 1000, 20, "a total drawn")

    def ended():
        """And no more records of them."""
        found = [w for w in run.windows().values() if w["start"] > began and w["end"] < time.time() * 1000 - 2000]
        return len(found) >= 15 and found
    windows = until(ended, 60, "15 windows", every=0.5)
    came, drawn = browser.js("return [window.came, window.drawn]")
    frames, late = [], []
    for window in windows:
        start, total = str(window["start"]), window["total"]
        assert (came[start]["total"], drawn[start]["total"]) == (total, total), (window, came[start], drawn[start])
        frames.append(drawn[start]["frame"] - came[start]["frame"])
        late.append(drawn[start]["at"] - window["end"])
    print(f"\na last total drawn after {sorted(frames)} frames, {sorted(late)} ms after its window's end")
    assert max(frames) <= FRAMES


# ---- On a live run: zoom, pan, pause, downloads

# The page keeps its objects to itself; its URLs of downloads tell the range, once that is chosen.
def chosen_range(page):
    href = page.js("return document.querySelector('#csv').href")
    found = {name: int(value) for name, value in re.findall(r"(from|to)=(\d+)", href)}
    return (found["from"], found["to"] - 1) if found else None


def width(page):
    low, high = chosen_range(page)
    return high - low


def some_history(page, run):
    """Enough of it that one can go back."""
    until(lambda: len(run.windows()) >= 30, 2 * SOON, "some history", every=0.2)
    until(lambda: len(page.rows()) == 20, SOON, "rows")


def pressed(page):
    return page.js("return [...document.querySelectorAll('#ranges [aria-pressed=true]')].map(b => b.textContent)")


def test_spans(page, run):
    until(lambda: page.text("#ranges"), SOON, "buttons")
    assert page.js("return [...document.querySelectorAll('#ranges button')].map(b => b.title)") == \
        ["1 minute", "5 minutes", "15 minutes", "60 minutes"]
    for span, words in ((60_000, "1 min"), (900_000, "15 mins"), (3_600_000, "60 mins")):  # as the British say
        page.click(f"#ranges [data-span='{span}']")
        until(lambda: pressed(page) == [words], SOON, words)
    assert page.js("return document.querySelector('#reset').disabled") is False
    page.click("#reset")
    until(lambda: page.js("return document.querySelector('#reset').disabled"), SOON, "as it was")


def test_pause_and_back_to_live(page, run):
    until(lambda: len(page.rows()) > 3, SOON, "rows")
    page.click("#pause")
    until(lambda: page.seen("#paused"), SOON, "paused")
    before = page.rows(), page.text("#newest-time"), page.text("#newest")
    until(lambda: page.numbers("#behind") and page.numbers("#behind")[0] >= 2, SOON, "some behind")
    assert (page.rows(), page.text("#newest-time"), page.text("#newest")) == before
    assert page.state() == "live"  # the connection is told all the same
    page.click("#live")
    until(lambda: not page.seen("#paused") and page.rows() != before[0], SOON, "live again")
    assert not page.seen("#live")


def ends_live(page):
    until(lambda: not page.seen("#live") and chosen_range(page) is None, SOON, "back to live")


def test_zoom_by_mouse(page, run):
    some_history(page, run)
    page.drag("#chart", 0.7, 0.85)
    until(lambda: chosen_range(page), SOON, "a zoom")
    zoomed = width(page)
    assert zoomed <= 15_000
    page.wheel("#chart", dy=-200, modifiers=CTRL)
    until(lambda: width(page) < zoomed, SOON, "nearer")
    nearer = width(page)
    page.wheel("#chart", dy=300, modifiers=CTRL)
    until(lambda: width(page) > nearer, SOON, "farther")
    (x, y) = page.place("#chart")
    for count in (1, 2):
        page.mouse("mousePressed", x, y, "left", clickCount=count)
        page.mouse("mouseReleased", x, y, "left", clickCount=count)
    ends_live(page)


def test_pan_by_mouse(page, run):
    some_history(page, run)
    page.drag("#chart", 0.8, 0.9, modifiers=SHIFT)
    until(lambda: chosen_range(page), SOON, "moved")
    first, span = chosen_range(page)[0], width(page)
    page.wheel("#chart", dx=-200)
    until(lambda: chosen_range(page)[0] < first, SOON, "moved farther")
    assert abs(width(page) - span) <= 1
    until(lambda: page.numbers("#behind")[0] > 0, SOON, "behind")
    page.click("#live")
    ends_live(page)


def test_a_wheel_alone_scrolls_the_page(page, run):
    until(lambda: len(page.rows()) >= 3, SOON, "some history")
    page.screen(1280, 500)
    page.place("#chart")
    before = page.js("return scrollY")
    page.wheel("#chart", dy=120)
    until(lambda: page.js("return scrollY") > before, SOON, "scrolled")
    assert chosen_range(page) is None


def test_keyboard(page, run):
    some_history(page, run)
    page.js("document.querySelector('#chart').focus()")
    assert page.js("return document.activeElement.id") == "chart"
    described = page.js(
        "return document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent")
    assert "Home" in described and "Escape" in described
    page.key("ArrowLeft")
    until(lambda: chosen_range(page), SOON, "moved")
    first, span = chosen_range(page)[0], width(page)
    page.key("ArrowLeft")
    until(lambda: chosen_range(page)[0] < first, SOON, "moved farther")
    page.key("+")
    until(lambda: width(page) < span, SOON, "nearer")
    page.key("-")
    until(lambda: abs(width(page) - span) <= 2, SOON, "farther")
    page.key("+")
    page.key("+")
    page.key("+")
    page.key("Home")
    oldest = min(run.windows())
    until(lambda: chosen_range(page)[0] <= oldest <= chosen_range(page)[1], SOON, "the oldest")
    page.key("End")
    ends_live(page)
    page.key("ArrowLeft")
    until(lambda: chosen_range(page), SOON, "moved")
    page.key("Escape")
    ends_live(page)
    page.key("ArrowLeft", SHIFT)  # from window to window, read out
    page.key("ArrowLeft", SHIFT)
    until(lambda: re.search(r"\d\d:\d\d:\d\d: female \d+, male \d+.*Total \d+", page.text("#readout")), SOON, "counts")
    assert page.seen("#chart .tip")


def test_the_tip_has_the_counts(page, run):
    some_history(page, run)
    x, y = page.place("#chart", 0.8)
    page.mouse("mouseMoved", x, y)
    until(lambda: page.seen("#chart .tip"), SOON, "a tip")
    assert "female" in page.text("#chart .tip") and "Total" in page.text("#chart .tip")
    page.mouse("mouseMoved", 5, 5)
    until(lambda: not page.seen("#chart .tip"), SOON, "no tip")


def test_touch(page, run):
    page.screen(390, 700, mobile=True)
    some_history(page, run)
    x, y = page.place("#chart")
    page.touch(((x, y), (x + 120, y)))
    until(lambda: chosen_range(page), SOON, "moved by a swipe")
    span = width(page)
    page.touch(((x - 30, y), (x - 110, y)), ((x + 30, y), (x + 110, y)))
    until(lambda: width(page) < span * 0.7, SOON, "zoomed by a pinch")
    page.click("#live")
    ends_live(page)
    page.js("scrollTo(0, 0)")
    x, y = page.js("const b = document.querySelector('#chart').getBoundingClientRect();"
                   "return [b.left + b.width / 2, Math.min(innerHeight - 20, b.bottom - 20)]")
    page.touch(((x, y), (x, y - 250)))
    until(lambda: page.js("return scrollY") > 50, SOON, "a vertical swipe scrolls")
    assert chosen_range(page) is None


def test_buttons_for_those_who_cannot_drag(page, run):
    some_history(page, run)
    page.click("#earlier")
    until(lambda: chosen_range(page), SOON, "earlier")
    span = width(page)
    page.click("#zoom-in")
    until(lambda: width(page) < span, SOON, "nearer")
    page.click("#zoom-out")
    until(lambda: abs(width(page) - span) <= 2, SOON, "farther")
    page.click("#reset")
    ends_live(page)


def axes_ink(page, picture):
    """How many pixels are not ground where the picture has its times and its counts: dygraphs' canvas has no words."""
    return page.driver.execute_async_script("""
        const [data, done] = arguments;
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        createImageBitmap(new Blob([bytes], {type: 'image/png'})).then((image) => {
          const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
          context.drawImage(image, 0, 0);
          const ink = (...box) => {
            const all = new Uint32Array(context.getImageData(...box).data.buffer);
            return all.filter((pixel) => pixel !== all[0]).length;
          };
          done([ink(0, 1130, 2400, 70), ink(0, 220, 118, 880)]);
        });""", base64.b64encode(picture).decode())


def test_downloads(page, run):
    until(lambda: len(page.rows()) >= 5, SOON, "rows")
    assert "all windows" in page.text("#download-what")
    page.click("#csv")
    rows = list(csv.DictReader(io.StringIO(page.downloaded("gender.csv").decode())))
    served = run.windows()
    for row in rows[:-3]:
        assert int(row["total"]) == served[int(row["start"])]["total"]
    page.click("#json")
    told = json.loads(page.downloaded("gender.json"))
    assert told["job"] == "gender" and len(told["windows"]) >= 5
    page.click("#png")
    picture = page.downloaded("gender.png")
    assert picture.startswith(b"\x89PNG") and len(picture) > 10_000
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (2400, 1200)
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS / "download.png").write_bytes(picture)
    assert all(ink > 300 for ink in axes_ink(page, picture))
    page.click("#pause")  # now it is what one sees
    until(lambda: "shown" in page.text("#download-what"), SOON, "a range")
    low, high = chosen_range(page)
    page.click("#csv")
    starts = [int(row["start"]) for row in csv.DictReader(io.StringIO(page.downloaded("gender.csv").decode()))]
    assert starts and all(low <= start <= high for start in starts)


def test_local_time_or_utc(page, run):
    page.do("Emulation.setTimezoneOverride", timezoneId="Asia/Shanghai")
    page.reload()
    until(lambda: page.rows(), SOON, "rows")

    def hours():
        """What the first row's hour is ahead of UTC."""
        start, words = until(lambda: page.js("const r = document.querySelector('#windows tbody tr');"
                                             "return r && [+r.dataset.start, r.cells[0].textContent]"), SOON, "a row")
        return (int(words.split(":")[0][-2:]) - time.gmtime(start / 1000).tm_hour) % 24
    assert hours() == 8 and "UTC+8" in page.text("#windows-caption")
    page.click("#zone")
    until(lambda: hours() == 0 and "(UTC)" in page.text("#windows-caption"), SOON, "UTC")
    page.reload()  # it is remembered
    until(lambda: page.rows() and hours() == 0, SOON, "UTC again")
    page.click("#zone")
    until(lambda: hours() == 8, SOON, "local time")


def test_what_the_browser_prefers(page, run):
    page.languages("zh-CN,zh")
    page.prefers(color_scheme="dark", reduced_motion="reduce")
    page.reload()
    until(lambda: "女生" in page.text("#newest"), SOON, "Chinese")
    assert page.js("return document.documentElement.dataset.theme") == "dark"
    assert page.js("return getComputedStyle(document.querySelector('#state'), '::before').animationName") == "none"
    page.js("""
        window.redrawn = 0;
        new MutationObserver(() => window.redrawn++).observe(document.querySelector('#newest'),
            {subtree: true, childList: true, characterData: true});
        window.watched = performance.now();""")
    until(lambda: page.js("return window.redrawn") >= 3, SOON, "three frames")
    redrawn, seconds = page.js("return [window.redrawn, (performance.now() - window.watched) / 1000]")
    assert redrawn <= seconds + 1  # once a second


def test_a_hidden_tab_draws_nothing_and_catches_up(page, run):
    until(lambda: len(page.rows()) >= 3, SOON, "rows")
    own = page.driver.current_window_handle
    page.js("""
        window.hiddenFor = window.drawn = 0;
        let since = 0;
        document.addEventListener('visibilitychange', () => {
          if (document.hidden) since = performance.now();
          else window.hiddenFor = performance.now() - since;
        });
        new MutationObserver(() => { window.drawn += document.hidden; }).observe(
            document.querySelector('#windows tbody'), {subtree: true, childList: true, characterData: true});""")
    page.driver.switch_to.new_window("tab")
    try:
        before = max(run.windows())
        until(lambda: max(run.windows()) >= before + 3000, SOON, "three windows")
        newest = max(run.windows())
    finally:
        page.driver.close()
        page.driver.switch_to.window(own)
    until(lambda: max(page.rows()) >= newest, SOON, "caught up")
    hidden, drawn = page.js("return [window.hiddenFor, window.drawn]")
    assert hidden > 1000 and drawn == 0, (hidden, drawn)
    rows, served = page.rows(), run.windows()
    assert set(rows) >= set(sorted(served)[-10:-3])


def first_paint(browser, url):
    browser.open(url)
    return until(lambda: browser.js("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"), SOON,
                 "a paint")


def test_first_paint_and_weight(browser, run):
    """The first paint in half a second; where nothing is painted fast, beside the table, which needs no script."""
    browser.fresh()
    browser.do("Network.setCacheDisabled", cacheDisabled=True)
    try:
        table = min(first_paint(browser, run.url + "table") for _ in range(3))
        paint = min(first_paint(browser, run.url) for _ in range(3))
        until(lambda: browser.state() == "live", SOON, "a live page")
        weight = browser.js("""
            const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
            return all.reduce((sum, each) => sum + each.encodedBodySize, 0);""")
    finally:
        browser.do("Network.setCacheDisabled", cacheDisabled=False)
    print(f"\nfirst paint {paint:.0f} ms, of the table {table:.0f} ms, {weight} bytes compressed")
    assert paint < max(500, 8 * table) and weight <= 80_000


# ---- Behind proxies

def through(browser, run, mode):
    proxy = ProxyDouble(free_port(), run.port, mode)
    browser.fresh()
    browser.open(proxy.url)
    return proxy


@pytest.mark.parametrize("mode", ["refuse", "swallow"])
def test_events_where_a_websocket_is_blocked_and_back(browser, run, mode):
    proxy = through(browser, run, mode)
    try:
        until(lambda: browser.state() == "live", SOON, "live by events")
        assert browser.js("return document.querySelector('#state').dataset.by") == "sse"
        rows = browser.rows()
        until(lambda: browser.rows() != rows, SOON, "news")
        proxy.mode = "pass"  # the proxy lets it through now
        browser.js("dispatchEvent(new Event('online'))")
        until(lambda: browser.js("return document.querySelector('#state').dataset.by") == "ws", 8, "a WebSocket")
        rows = browser.rows()
        until(lambda: browser.rows() != rows, SOON, "news")
        until(lambda: len(browser.rows()) >= 4, SOON, "rows")
        served, seen = run.windows(), browser.rows()
        assert all(seen[s][-1] == served[s]["total"] for s in sorted(seen)[:-3])
    finally:
        proxy.close()


def test_a_cut_cable_is_told(browser, run):
    proxy = through(browser, run, "pass")
    try:
        until(lambda: browser.state() == "live" and len(browser.rows()) > 2, SOON, "a live page")
        proxy.mode = "cut"
        print(f"\ntold after {browser.told('disconnected'):.2f} s")
        proxy.mode = "pass"
        until(lambda: browser.state() == "live", SOON, "live again")
        until(lambda: len(browser.rows()) > 4, SOON, "rows")
        served, seen = run.windows(), browser.rows()
        assert all(seen[s][-1] == served[s]["total"] for s in sorted(seen)[:-3])
    finally:
        proxy.close()


# ---- States and truth, with a server that says what is needed

@pytest.fixture
def double(browser):
    started = []

    def start(*args, **options):
        found = PageDouble(free_port(), *args, **options)
        started.append(found)
        browser.fresh()
        browser.open(found.url)
        return found
    yield start
    browser.driver.get("about:blank")
    for each in started:
        each.close()


SPARK = {"id": "driver-20261121101500-0003", "driver": "RUNNING", "application": "app-20261121101503-0007",
         "executors": 2, "cores": 2, "inputRate": 10.0, "processingRate": 400.1, "batchMs": 120,
         "watermark": 1795245400000, "stateRows": 4, "master": "ok"}

# What the server says, the state, the words in both languages.
STATES = [
    ("silent", {}, 60_000, "Connected, but no new results", "已连接，但没有新结果"),
    ("topic-gone", {"topic": "gone"}, 0, "The topic with the results is gone from Kafka", "结果主题已从 Kafka 中消失"),
    ("kafka-lost", {"kafka": "lost"}, 0, "The server has lost Kafka", "服务器与 Kafka 失去连接"),
    *[("stopped", {"spark": {**SPARK, "driver": driver}}, 0, english, chinese) for driver, english, chinese in (
        ("FINISHED", "The job has finished", "作业已结束"),
        ("FAILED", "The job has failed", "作业失败"),
        ("KILLED", "The job was killed", "作业被终止"),
        ("ERROR", "The job ended with an error of Spark", "作业因 Spark 出错而结束"),
        ("NOT_FOUND", "Spark does not know the job any more", "Spark 已不知道这个作业"),
        ("lost", "Spark has lost the job", "Spark 与作业失去联系"))],
    ("live", {"spark": SPARK}, 0, "Live", "实时"),
    ("live", {"spark": {**SPARK, "master": "lost"}}, 0, "Live", "实时"),
]


@pytest.mark.parametrize("state, status, age, english, chinese", STATES,
                         ids=lambda v: v if isinstance(v, str) and v.isascii() and " " not in v else "")
def test_states_in_words(browser, double, state, status, age, english, chinese):
    server = double(past(90))
    until(lambda: browser.state() == "live", SOON, "live")
    server.age += age
    server.say(**status)
    until(lambda: browser.state() == state, SOON, state)
    assert browser.text("#state") == english
    until(lambda: english in browser.text("#summary"), 15, "an announcement")
    browser.click("#lang")
    until(lambda: browser.text("#state") == chinese, SOON, chinese)
    browser.click("#lang")
    driver = (status.get("spark") or {}).get("driver", "").lower()
    master = (status.get("spark") or {}).get("master", "").replace("ok", "")
    browser.shot("-".join(["state", state, *[part for part in (driver, master and f"master-{master}") if part]]))


def test_no_results_yet(browser, double):
    server = double()
    until(lambda: browser.text("#state") == "Connected, no results yet", SOON, "words")
    until(lambda: browser.text("#newest-time") == "No window yet", SOON, "words")
    assert not browser.seen("#history")
    browser.shot("state-no-results-yet")
    server.send(wave(int(time.time()) * 1000))
    until(lambda: browser.state() == "live" and browser.rows(), SOON, "the first window")


def test_disconnected_and_back(browser, double):
    server = double(past(90))
    until(lambda: browser.state() == "live", SOON, "live")
    server.answers_ws = False
    server.drop_clients()
    browser.told("disconnected")
    assert browser.text("#state").startswith("Disconnected, reconnecting")
    browser.shot("state-disconnected")
    server.windows = {w["start"]: w for w in past(700)}  # meanwhile the topic was made anew
    server.answers_ws = True
    until(lambda: browser.state() == "live", SOON, "live again")
    until(lambda: sorted(browser.rows()) == sorted(server.windows)[-20:], SOON, "the topic's windows")


@pytest.mark.parametrize("jobs", [["gender"], ["gender", "age-range"]], ids=["one", "two"])
def test_a_topic_that_was_emptied(browser, double, jobs):
    server = double(past(90), jobs=jobs)
    chart = "#chart" if len(jobs) == 1 else ".card .chart"
    until(lambda: browser.seen(chart), SOON, "a chart")
    server.windows, server.age = {}, None
    server.snapshot()
    server.say()
    until(lambda: not browser.seen(chart), SOON, "no chart")
    assert browser.rows() == {} and not browser.seen("#newest-counting") and not browser.seen(".card .legend")
    state = "#state" if len(jobs) == 1 else ".card .state"
    until(lambda: browser.text(state) == "Connected, no results yet", SOON, "words")
    browser.shot(f"emptied-{len(jobs)}")
    server.send(wave(int(time.time()) * 1000))
    until(lambda: browser.seen(chart), SOON, "a chart again")


def test_the_age_of_the_data(browser, double):
    server = double(past(20))
    until(lambda: "just now" in browser.text("#age"), SOON, "its age")
    server.age += 125_000
    server.say()
    until(lambda: browser.text("#age") == "Newest result: 2 minutes ago", SOON, "its age")
    server.send(wave(max(server.windows) + 1000))
    until(lambda: "just now" in browser.text("#age"), SOON, "its age")


def test_the_jobs_panel(browser, double):
    server = double(past(90))
    until(lambda: browser.seen("#about"), SOON, "what is known")
    assert "local" in browser.text("[data-fact=engine]") and not browser.text("[data-fact=driver]")
    server.say(engine="spark", spark=SPARK, source_lag=None)
    until(lambda: browser.text("[data-fact=driver] dd") == "RUNNING", SOON, "the driver")
    facts = {name: browser.text(f"[data-fact={name}] dd") for name in
             ("id", "application", "executors", "cores", "inputRate", "processingRate", "batchMs", "stateRows")}
    assert facts == {"id": "", "application": SPARK["application"], "executors": "2", "cores": "2",
                     "inputRate": "10 records/s", "processingRate": "400 records/s", "batchMs": "120 milliseconds",
                     "stateRows": "4"}
    assert browser.text("[data-fact=driverId] dd") == SPARK["id"] and not browser.text("[data-fact=sourceLag]")
    browser.shot("job-panel", full=True)
    server.say(spark={**SPARK, "master": "lost"})
    until(lambda: browser.text("[data-fact=master] dd") == "does not answer", SOON, "the master")


def test_gaps_partial_windows_corrections_and_late_ones(browser, double):
    all_of_them = past(120)
    missing = all_of_them[30:55] + all_of_them[80:82]
    server = double([w for w in all_of_them if w not in missing])
    until(lambda: len(browser.rows()) == 20, SOON, "rows")
    browser.click("#ranges [data-span='300000']")
    newest = all_of_them[-1]["start"]
    assert newest in browser.rows() and browser.seen(f"#windows [data-start='{newest}'] .counting")
    assert not browser.seen(f"#windows [data-start='{newest - 5000}'] .counting")
    browser.click("#ranges [data-span='60000']")
    browser.rest()
    browser.js("document.querySelector('#zoom-out').click()")
    browser.shot("gaps", full=True)
    x, y = browser.place("#chart", 0.31)  # within the long gap
    browser.rest()
    browser.mouse("mouseMoved", x, y)
    until(lambda: "no window" in browser.text("#chart .tip"), SOON, "a gap under the pointer")
    ink = painted(browser)
    server.send(*missing[:25])            # late ones find their place
    until(lambda: painted(browser) != ink, SOON, "drawn")
    browser.rest()
    browser.mouse("mouseMoved", x + 1, y)
    until(lambda: "female" in browser.text("#chart .tip"), SOON, "counts there now")
    corrected = window(newest - 4000, [40, 2])
    server.send(corrected)
    until(lambda: browser.rows()[newest - 4000] == [40, 2, 0, 0, 42], SOON, "corrected")
    server.send(window(newest - 4000, [1, 1]))  # an older state of it
    server.send(wave(newest + 1000))
    until(lambda: newest + 1000 in browser.rows(), SOON, "the next")
    assert browser.rows()[newest - 4000] == [40, 2, 0, 0, 42]
    browser.shot("gaps-filled")


def painted(browser):
    return browser.js("return document.querySelector('#chart canvas').toDataURL()")


def test_redrawn_only_for_a_reason(browser, double):
    server = double(past(90))
    until(lambda: browser.rows(), SOON, "rows")
    browser.rest()
    browser.js("""
        window.strokes = 0;
        const stroke = CanvasRenderingContext2D.prototype.stroke;
        CanvasRenderingContext2D.prototype.stroke = function (...all) {
          window.strokes++;
          stroke.apply(this, all);
        };""")
    time.sleep(2)  # the length of what is watched
    server.say(source_lag=7)
    until(lambda: browser.text("[data-fact=sourceLag] dd").startswith("7"), SOON, "the status")
    assert browser.js("return window.strokes") == 0
    server.send(wave(int(time.time()) * 1000 + 1000))
    until(lambda: browser.js("return window.strokes") > 0, SOON, "drawn")


def test_history_beyond_the_snapshot(browser, double):
    server = double(past(3700))
    until(lambda: browser.rows(), SOON, "rows")
    assert not any(path.startswith("/api/windows?") for path in server.asked)
    browser.click("#ranges [data-span='3600000']")
    until(lambda: any("/api/windows?" in path for path in server.asked), SOON, "a question")
    # What is in view is summed: all of the hour, which is what the page keeps.
    newest = max(server.windows)
    want = sum(server.windows[s]["counts"]["female"] for s in sorted(server.windows) if s > newest - 3_600_000)
    until(lambda: browser.numbers("#newest [data-series=female] .sum")
          and str(want) in browser.text("#newest [data-series=female] .sum").replace(",", ""), SOON, f"{want} in view")
    assert "mean of" in browser.text("#binned")
    time.sleep(0.5)
    assert sum("/api/windows?" in path for path in server.asked) <= 2
    browser.shot("hour")
    server.send(*[wave(newest + n * 1000) for n in range(1, 51)])
    until(lambda: newest + 50_000 in browser.rows(), SOON, "fifty more")


def test_a_snapshot_leaves_no_hole(browser, double):
    """Too far behind, it gets the newest 600; what lies between is asked for."""
    first = past(300, until=int(time.time() * 1000) - 1_500_000)
    server = double(first)
    until(lambda: browser.rows(), SOON, "rows")
    browser.click("#ranges [data-span='3600000']")
    server.windows = {w["start"]: w for w in past(1800)}
    del server.windows[first[10]["start"]]
    server.age = 0
    server.snapshot()
    want = sum(w["total"] for w in server.windows.values())
    until(lambda: str(want) in browser.text("#newest [data-series=total] .sum").replace(",", ""), SOON, "all of them")


def test_times_without_windows(browser, double):
    now = int(time.time() * 1000)
    points = [{**window(now - n * 1700 - n * n * 40, [n % 4, 3 + n % 3]), "end": now - n * 1700 - n * n * 40}
              for n in reversed(range(30))]
    double(points, window_of=None)
    until(lambda: len(browser.rows()) == 20, SOON, "rows")
    assert browser.text("#newest-title") == "Newest result" and browser.text("#windows thead th") == "Time"
    assert browser.text("#window-size") == "" and not browser.seen("#newest-counting")
    assert "–" not in browser.text("#newest-time")
    browser.shot("no-windows", full=True)


def test_many_series(browser, double):
    names = [f"region-{n:02}" for n in range(34)]
    labels = [{"name": name, "zh": name} for name in [*names, "other"]]
    now = int(time.time()) * 1000

    def many(start):
        counts = {name: (start // 1000 * (n + 3)) % (60 - n) for n, name in enumerate(names)} | {"other": 0}
        return {"job": "gender", "start": start, "end": start + 1000, "counts": counts, "total": sum(counts.values())}
    double([many(now - n * 1000) for n in reversed(range(60))], labels=labels)
    until(lambda: len(browser.numbers("#newest .count")) == 36, SOON, "tiles")
    x, y = browser.place("#chart")
    browser.mouse("mouseMoved", x, y)
    browser.shot("many-series", full=True)
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")


def test_sliding_windows_have_a_mean_and_no_sum(browser, double):
    windows = [{**wave(w["start"], 10_000), "end": w["start"] + 60_000} for w in past(50, step=10_000)]
    double(windows, window_of=(60_000, 10_000, 1000))
    until(lambda: "Mean in view" in browser.text("#newest .sum"), SOON, "a mean")
    assert "1 minute, one every 10 seconds" in browser.text("#window-size")


def test_several_jobs(browser, double):
    server = double(past(200), jobs=["gender", "age-range", "province"])
    until(lambda: browser.js("return document.querySelectorAll('.card').length") == 3, SOON, "three charts")
    until(lambda: browser.js("return [...document.querySelectorAll('.card .state')].map(n => n.dataset.state).join()")
          == "live,live,live", SOON, "all live")
    links = browser.js("return [...document.querySelectorAll('#jobs a')].map(a => a.textContent)")
    assert links == ["All", "gender", "age-range", "province"]
    browser.click("#spans [data-span='60000']")
    browser.shot("several-jobs", full=True)
    browser.click(".card:nth-child(2) h2 a")
    until(lambda: browser.text("#job") == "age-range" and browser.rows(), SOON, "its own page")
    assert browser.text("#jobs [aria-current]") == "age-range"
    assert "job=age-range" in browser.js("return document.querySelector('#csv').href")
    assert any(path.startswith("/ws?job=province") for path in server.asked)


def test_the_axes(browser, double):
    """Whole counts from 0 on; round times of the reader's clock, also where that is not UTC by whole hours."""
    double([window(w["start"], [1 + n % 2, 1]) for n, w in enumerate(past(200, step=60_000))],
           window_of=(60_000, 60_000, 0))
    browser.do("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
    browser.reload()

    def labels(axis):
        return browser.js("return [...document.querySelectorAll('#chart .dygraph-axis-label-' + arguments[0])]"
                          ".map(n => n.textContent)", axis)
    until(lambda: labels("y"), SOON, "a chart")
    assert labels("y") == ["0", "1", "2"]
    for span, wrong in ((3_600_000, r"\d\d:\d[^05]"), (21_600_000, r"\d\d:[^03]\d")):
        browser.click(f"#ranges [data-span='{span}']")
        until(lambda: pressed(browser), SOON, "a span")
        for _ in ("local", "UTC"):
            browser.rest()
            found = labels("x")
            assert len(found) >= 3 and not [each for each in found if re.fullmatch(wrong, each)], found
            browser.click("#zone")


def test_nothing_stays_of_an_earlier_frame(browser, double):
    """dygraphs clears only within the axes: where these move, as larger counts need more room, old lines stay."""
    server = double(past(90))
    until(lambda: browser.rows(), SOON, "rows")
    last = max(server.windows)
    server.send(window(last + 1000, [123_456, 3]))
    until(lambda: last + 1000 in browser.rows(), SOON, "a large count")
    grown = browser.rest()
    browser.reload()
    until(lambda: last + 1000 in browser.rows(), SOON, "the same")
    assert browser.rest() == grown


def test_announcements_are_few(browser, double):
    server = double(past(90))
    until(lambda: browser.text("#summary").startswith("Live. "), SOON, "the first")
    browser.js("""
        window.said = [];
        new MutationObserver(() => window.said.push(document.querySelector('#summary').textContent))
            .observe(document.querySelector('#summary'), {subtree: true, childList: true, characterData: true});""")
    for n in range(20):
        server.send(wave(int(time.time()) * 1000 + n * 1000))
        time.sleep(0.1)
    assert browser.js("return window.said") == []
    server.say(kafka="lost")
    until(lambda: browser.js("return window.said.length") == 1, 15, "what matters is said soon")


# ---- How it looks, and for whom

SCREENS = {"phone": (360, 740, True), "tablet": (640, 900, False), "desktop": (1280, 900, False),
           "wall": (3840, 2160, False)}


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_screens(browser, double, screen, theme, language):
    double(past(400))
    browser.languages("zh-CN,zh" if language == "zh" else "en-GB,en")
    browser.prefers(color_scheme=theme)
    width, height, mobile = SCREENS[screen]
    browser.screen(width, height, mobile)
    browser.reload()
    until(lambda: browser.state() == "live" and len(browser.rows()) == 20, SOON, "a live page")
    browser.shot(f"{screen}-{theme}-{language}", full=screen != "wall")
    assert browser.js("return document.documentElement.scrollWidth <= innerWidth")
    assert painted_share(browser) > 0.003
    assert browser.complaints() == []


def painted_share(browser):
    return browser.js("""
        const c = document.querySelector('#chart canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0;
        for (let i = 3; i < d.length; i += 4) n += d[i] > 0;
        return n / (d.length / 4);""")


@pytest.mark.parametrize("jobs", [["gender"], ["gender", "age-range"]], ids=["one", "two"])
def test_wall(browser, double, jobs):
    server = double(past(400), jobs=jobs)
    browser.screen(3840, 2160)
    browser.open(server.url + "?wall")
    chart = "#chart" if len(jobs) == 1 else ".card .chart"
    until(lambda: browser.seen(chart), SOON, "a chart")
    browser.rest(f"{chart} canvas")
    browser.shot(f"wall-mode-{len(jobs)}")
    assert not any(browser.seen(controls) for controls in (".controls", ".toolbar", "nav"))
    assert browser.js("return document.documentElement.scrollHeight <= innerHeight + 1")
    assert browser.js("return parseFloat(getComputedStyle(document.documentElement).fontSize)") >= 40


def test_paused_and_zoomed_look_so(browser, double):
    server = double(past(400))
    until(lambda: len(browser.rows()) == 20, SOON, "rows")
    browser.click("#pause")
    server.send(*[wave(max(server.windows) + n * 1000) for n in range(1, 13)])
    until(lambda: "12 behind" in browser.text("#behind"), SOON, "behind")
    browser.shot("paused")
    browser.drag("#chart", 0.4, 0.6, hold=lambda: browser.shot("selecting"))
    until(lambda: chosen_range(browser) and width(browser) < 70_000, SOON, "a zoom")
    x, y = browser.place("#chart", 0.45)
    browser.mouse("mouseMoved", x, y)
    browser.shot("zoomed")
    browser.screen(360, 740, mobile=True)
    browser.js("scrollTo(0, document.querySelector('.toolbar').offsetTop - 20)")
    browser.shot("paused-phone")


AXE = ROOT / "build/npm/node_modules/axe-core/axe.min.js"


@pytest.mark.parametrize("how", ["light", "dark", "zh", "paused", "phone", "stopped", "disconnected", "several", "wall",
                                 "empty"])
def test_no_accessibility_violation(browser, double, how):
    jobs = ["gender", "age-range"] if how == "several" else ["gender"]
    server = double([] if how == "empty" else past(90), jobs=jobs)
    browser.prefers(color_scheme="dark" if how == "dark" else "light")
    if how == "zh":
        browser.languages("zh-CN,zh")
    if how == "phone":
        browser.screen(360, 740, mobile=True)
    browser.open(server.url + ("?wall" if how == "wall" else ""))
    what = ".card[class] canvas" if how == "several" else "#state[data-state=silent]" if how == "empty" else "#history"
    until(lambda: browser.seen(what), SOON, "a page")
    if how == "paused":
        browser.click("#pause")
        server.send(wave(max(server.windows) + 2000))
        until(lambda: browser.seen("#behind"), SOON, "behind")
    if how == "stopped":
        server.say(engine="spark", spark={**SPARK, "driver": "FAILED"})
        until(lambda: browser.state() == "stopped", SOON, "stopped")
    if how == "disconnected":
        server.answers_ws = False
        server.drop_clients()
        until(lambda: browser.state() == "disconnected", SOON, "disconnected")
    browser.js(AXE.read_text())
    found = browser.driver.execute_async_script(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations))")
    assert [(v["id"], [n["html"][:200] for n in v["nodes"]]) for v in found] == []


def luminance(colour):
    return sum(part * share for part, share in zip(linear(colour), (0.2126, 0.7152, 0.0722)))


def linear(colour):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def palettes():
    text = (ROOT / "dashboard/web/style.css").read_text()
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6});", re.search(block, text, re.S)[1]))
                   for block in (r":root \{(.*?)\n\}", r':root\[data-theme="dark"\] \{(.*?)\n\}'))
    return {"light": light, "dark": dark}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrasts(theme):
    """WCAG 1.4.3 for what is read, 1.4.11 for lines, marks and the edges of buttons."""
    colours = palettes()[theme]
    for ground in ("paper", "shade"):
        for name, least in {"ink": 7, "quiet": 4.5, "link": 4.5, "bad": 4.5, "good": 3, "warn": 3, "edge": 3,
                            **{n: 3 for n in colours if n.startswith("series-")}}.items():
            found = contrast(colours[name], colours[ground])
            assert found >= least, (name, ground, round(found, 2))


# Machado, Oliveira, Fernandes: A Physiologically-based Model for Simulation of Color Vision Deficiency (2009).
# Severity 1: a kind of cone is missing.
BLIND = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def lab(rgb):
    """CIELAB of linear sRGB under D65."""
    r, g, b = (min(1, max(0, part)) for part in rgb)
    xyz = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047, 0.2126 * r + 0.7152 * g + 0.0722 * b, \
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    f = [part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eye", BLIND)
def test_the_first_two_series_differ_for_all_eyes(theme, eye):
    seen = [lab([sum(m * p for m, p in zip(row, linear(palettes()[theme][name]))) for row in BLIND[eye]])
            for name in ("series-0", "series-1")]
    distance = sum((a - b) ** 2 for a, b in zip(*seen)) ** 0.5
    assert distance > 30, round(distance)


def test_without_javascript(browser, double):
    server = double(past(5))
    browser.do("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(server.url)
    until(lambda: "/table" in server.asked, SOON, "it goes to the table")


@pytest.mark.parametrize("script", [True, False], ids=["", "without JavaScript"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_without_a_script(browser, tally, tmp_path, script, theme):
    """The table, and the page that asks for the token: they are seen, in the page's look, in both themes."""
    (tmp_path / "token").write_text("sesame")
    port = free_port()
    tally.start("run", "gender", "--port", port, "--token-file", "token").wait_for(r"http://localhost:\d+/")
    browser.do("Emulation.setScriptExecutionDisabled", value=not script)
    browser.prefers(color_scheme=theme)
    for path, part in (("/?token=wrong", ".sign-in input"), ("/?token=sesame", None), ("/table", "table")):
        browser.open(f"http://localhost:{port}{path}")
        if part:
            assert browser.seen(part), path
            paper = browser.js("return getComputedStyle(document.body).backgroundColor")
            wanted = palettes()[theme]["paper"]
            assert [int(n) for n in re.findall(r"\d+", paper)] == list(bytes.fromhex(wanted[1:])), path
            browser.shot(f"{part.strip('.').split(' ')[0]}-{theme}{'' if script else '-without-script'}")
    assert not [c for c in browser.complaints() if "401" not in str(c)]


# ---- The pure parts

def ask(browser, script):
    """What an expression gives with the page's own modules at hand."""
    return browser.driver.execute_async_script("""
        const done = arguments[0];
        const names = ['feed', 'lines', 'range', 'series', 'state', 'store'];
        Promise.all(names.map((name) => import(`./${name}.js`)))
          .then((all) => Object.assign({}, ...all))
          .then((m) => done(%s)).catch((error) => done(String(error)));""" % script)


PURE = [
    ("m.offeredSpans(1000).map((s) => s / 60000)", [1, 5, 15, 60]),
    ("m.offeredSpans(60000).map((s) => s / 60000)", [15, 60, 360, 1440]),
    ("m.offeredSpans(7 * 86400000).length", 4),
    ("m.runs([{start: 0}, {start: 10}, {start: 30}, {start: 40}], 10).map((r) => r.length)", [2, 2]),
    ("m.runs([{start: 0}, {start: 10}, {start: 300}], 0).length", 1),
    ("m.gaps(m.runs([{start: 0}, {start: 30}], 10), 10)", [[5, 25]]),
    ("m.rows(m.runs([{start: 0, counts: {a: 1}}, {start: 30, counts: {b: 2}}], 10), ['a', 'b'], 10, 0)",
     [[0, 1, 0], [10, None, None], [30, 0, 2]]),
    ("m.rows([[{start: 0, counts: {a: 1}}, {start: 1, counts: {a: 5}}, {start: 4, counts: {}}]], ['a'], 1, 4)",
     [[0.5, [1, 3, 5]], [4, [0, 0, 0]]]),
    ("m.binSize([{start: 0}, {start: 1}, {start: 2}], 1, 10, 2)", 40),
    ("m.binSize([{start: 0}, {start: 100}, {start: 200}], 100, 10, 2)", 0),
    ("m.health('open', {kafka: 'lost', spark: {driver: 'FAILED'}}, 0, 1000)", "kafka-lost"),
    ("m.health('waiting', {kafka: 'connected'}, 0, 1000)", "disconnected"),
    ("m.health('open', {driver: 'FAILED'}, 0, 1000)", "stopped"),
    ("m.health('open', {spark: {driver: null}}, 0, 1000)", "live"),
    ("m.health('open', {}, 20000, 10000)", "live"),
    ("m.health('open', {}, null, 1000)", "silent"),
    ("[0, 1, 10].map((n) => m.retryDelay(n, 1))", [1000, 2000, 10000]),
    ("m.retryDelay(5, 0)", 500),
]

STORE = """(() => {
    const store = new m.WindowStore(5);
    const labels = [{name: 'a'}];
    const w = (start, total) => ({job: 'j', start, end: start + 10, counts: {a: total}, total});
    const snapshot = (...windows) => store.applySnapshot(
        {job: 'j', labels, window: {size: 10, slide: 10, lateness: 10}, windows});
    const all = () => store.between(-Infinity, Infinity).map((r) => [r.start, r.total]);
    %s })()"""

STORES = [
    ("snapshot(w(0, 1), w(20, 1)); store.add(w(10, 3)); store.add(w(20, 0)); store.add(w(0, 4)); return all()",
     [[0, 4], [10, 3], [20, 1]]),
    ("snapshot(); for (let n = 0; n < 9; n++) store.add(w(n * 10, n)); return [store.size, store.oldest.start,"
     "store.add(w(0, 99))]", [5, 40, False]),
    ("snapshot(w(0, 1), w(10, 1), w(20, 1)); snapshot(w(20, 2), w(30, 1)); return [all(), store.coveredFrom]",
     [[[0, 1], [10, 1], [20, 2], [30, 1]], 20]),
    ("snapshot(w(0, 1), w(10, 1)); snapshot(w(20, 2)); const known = store.between(0, 19); store.add(w(5, 1));"
     "store.replace(0, known, [w(10, 1)]); return [all(), store.coveredFrom]", [[[5, 1], [10, 1], [20, 2]], 0]),
    ("snapshot(w(0, 1), w(10, 1)); snapshot(); return all()", []),
    ("snapshot(w(0, 1), w(10, 2)); const f = store.frozen(); store.add(w(20, 3));"
     "return [f.size, store.countAfter(10)]", [2, 1]),
    ("snapshot(w(0, 1), w(10, 1), w(20, 1)); return [0, 10, 20].map((s) => store.isClosed(store.get(s)))",
     [True, False, False]),
    ("snapshot(w(0, 1), w(10, 2), w(20, 3)); return [store.nearest(14).start, store.nearest(16).start,"
     "store.step(10, 1).start, store.step(10, -1).start, store.step(20, 1) ?? null]", [10, 20, 20, 0, None]),
    ("snapshot(w(0, 1), w(10, 2), w(20, 3)); return store.sums(0, 20)",
     {"windows": 2, "total": 5, "counts": {"a": 5}}),
]

RANGE = """(() => {
    const store = new m.WindowStore();
    store.applySnapshot({job: 'j', labels: [], window: {size: 1000, slide: 1000, lateness: 0},
        windows: Array.from({length: 401}, (_, n) => ({job: 'j', start: n * 1000, total: 1, counts: {}}))});
    const r = new m.Range();
    %s })()"""

RANGES = [
    ("return [r.of(store), r.isLive, r.isDefault]", [[100000, 400000], True, True]),
    ("r.choose(60000); return r.of(store)", [340000, 400000]),
    ("r.pan(store, -50000); return [r.of(store), r.isLive]", [[50000, 350000], False]),
    ("r.pan(store, -50000); r.pan(store, 900000); return [r.of(store), r.isLive]", [[100000, 400000], True]),
    ("r.zoom(store, 0.5); return [r.of(store), r.isLive]", [[250000, 400000], True]),
    ("r.zoom(store, 0.5, 200000); return [r.of(store), r.isLive]", [[150000, 300000], False]),
    ("r.zoom(store, 1e-9); return r.of(store)[1] - r.of(store)[0]", 4000),
    ("r.zoom(store, 1e9); return r.of(store)[1] - r.of(store)[0]", 3600000),
    ("r.pan(store, -1e12); const [a, b] = r.of(store); return b > 0 && a < 0", True),
    ("r.home(store); return r.of(store)[0]", 0),
]


def test_pure_parts(browser, run):
    browser.fresh()
    browser.open(run.url)
    wrong = []
    cases = [*PURE, *[(STORE % s, want) for s, want in STORES], *[(RANGE % s, want) for s, want in RANGES]]
    for script, want in cases:
        got = ask(browser, script)
        if got != want:
            wrong.append((script[-200:], got, want))
    assert wrong == []


# ---- The picture for the README, and the end of the run

def test_screenshot(page, run):
    """For people; and the chart has drawn something."""
    until(lambda: len(page.rows()) >= 15, SOON, "some history")
    assert painted_share(page) > 0.003
    page.shot("live")
    shutil.copy(SHOTS / "live.png", ROOT / "build" / "page.png")


def test_the_server_comes_back(page, run):
    """Killed in front of the page, and started again: the page says so, and goes on by itself."""
    run.running.process.send_signal(signal.SIGKILL)
    run.running.wait()
    until(lambda: page.state() == "disconnected", SOON, "the page says so")
    words = page.text("#state")
    run.start()
    until(lambda: page.state() == "live", SOON, "a live page again")
    assert page.text("#state") != words
    newest = max(run.windows())
    until(lambda: max(page.rows()) > newest, SOON, "new windows")
