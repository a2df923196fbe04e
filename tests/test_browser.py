"""The page in a real browser, as a person sees it. The screenshot is build/page.png."""

import json
import shutil
import signal
import tempfile
import time

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from tests.kafka_server import free_port
from tests.program import ROOT, Program, until
from tests.web import get_json

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--window-size=1280,900", "--lang=en"]

# A window's end to its last total on the page. The page's clock is the server's: it is one machine.
WATCH = """
window.shown = {};
const body = document.querySelector('#windows tbody');
function look() {
  const now = Date.now();
  for (const row of body.rows) {
    const start = row.dataset.start, total = row.cells[row.cells.length - 1].textContent;
    if (window.shown[start]?.total !== total) window.shown[start] = {total, at: now};
  }
}
new MutationObserver(look).observe(body, {subtree: true, childList: true, characterData: true});
look();
"""


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="tally-browser-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={self.profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(20)
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.get("about:blank")  # not Chromium's own start page

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)

    def text(self, selector):
        """"" while it is not there."""
        return self.driver.execute_script(
            "return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def state(self):
        return self.driver.execute_script("return document.querySelector('#state')?.dataset.state")

    def numbers(self, selector):
        return [int("0" + "".join(c for c in text if c.isdigit())) for text in self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(n => n.textContent)", selector)]

    def rows(self):
        """{start: counts and total} of the table."""
        found = self.driver.execute_script(
            "return [...document.querySelectorAll('#windows tbody tr[data-start]')]"
            ".map(r => [r.dataset.start, [...r.querySelectorAll('td')].map(c => c.textContent)])")
        return {int(start): [int("".join(c for c in text if c.isdigit())) for text in cells] for start, cells in found}

    def complaints(self):
        return [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def requested(self):
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
            if message["method"] == "Network.webSocketCreated":
                urls.append(message["params"]["url"])
        return urls


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
        self.running = self.program.start("run", "gender", "--port", self.port)
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
    browser.driver.get(run.url)
    until(lambda: browser.state() == "live", 10, "a live page")
    browser.complaints(), browser.requested()  # what earlier tests left
    return browser


def test_the_counts_move(page, run):
    count = "#newest [data-series=female] .count"
    until(lambda: page.text(count), 5, "a count")
    first = page.text("#newest-time"), page.text(count)
    until(lambda: (page.text("#newest-time"), page.text(count)) != first, 3, "a count that moved")
    rows = len(page.rows())
    until(lambda: len(page.rows()) > rows, 5, "a row more")
    assert page.text("#job") == "gender" and "gender" in page.driver.title
    assert len(page.numbers("#newest .count")) == 5  # female, male, unknown, other, total


def test_the_page_equals_the_server(page, run):
    until(lambda: len(page.rows()) >= 4, 10, "rows")
    rows, served = page.rows(), run.windows()
    newest = max(rows)
    closed = [start for start in rows if start <= newest - 3000]
    assert closed
    for start in closed:
        assert rows[start] == [*served[start]["counts"].values(), served[start]["total"]]


def test_no_complaints_and_nobody_else_is_asked(browser, run):
    browser.complaints(), browser.requested()
    browser.driver.get(run.url)
    until(lambda: browser.state() == "live", 10, "a live page")
    until(lambda: len(browser.rows()) > 2, 10, "rows")
    assert browser.complaints() == []
    asked = browser.requested()
    own = (run.url, run.url.replace("http", "ws"), "data:", "blob:")
    assert any(url.startswith("ws") for url in asked) and all(url.startswith(own) for url in asked), asked


def test_language_and_theme(page, run):
    driver = page.driver

    def look():
        return driver.execute_script("const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]")
    english = page.text("#newest")
    assert driver.execute_script("return document.documentElement.lang").startswith("en") and "female" in english.lower()
    driver.find_element(By.ID, "lang").click()
    until(lambda: "女生" in page.text("#newest") and "男生" in page.text("#windows"), 3, "Chinese")
    assert driver.execute_script("return document.documentElement.lang").startswith("zh")
    before = look()
    driver.find_element(By.ID, "theme").click()
    until(lambda: look() != before, 3, "the other theme")
    other = look()
    driver.refresh()  # both are remembered
    until(lambda: "女生" in page.text("#newest") and look() == other, 10, "the same again")
    driver.find_element(By.ID, "theme").click()
    driver.find_element(By.ID, "lang").click()
    until(lambda: "female" in page.text("#newest").lower() and look() == before, 3, "as it was")


def test_a_narrow_screen(page, run):
    page.driver.set_window_size(500, 800)  # the narrowest that headless Chromium does by itself
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True})
    try:
        overflow = page.driver.execute_script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0
        until(lambda: page.text("#newest [data-series=female] .count"), 3, "a count")
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.driver.set_window_size(1280, 900)


def test_window_end_to_its_last_total(page, run):
    """p99 of 15 windows is their largest."""
    until(lambda: page.rows(), 10, "rows")
    page.driver.execute_script(WATCH)
    watched_from = time.time() * 1000
    time.sleep(16.5)  # what is measured
    shown = page.driver.execute_script("return window.shown")
    served = run.windows()
    late = {}
    for start, seen in shown.items():
        window = served.get(int(start))
        if window and window["start"] > watched_from and window["end"] + 1000 < time.time() * 1000:
            assert int(seen["total"]) == window["total"], (seen, window)
            late[start] = seen["at"] - window["end"]
    assert len(late) >= 13
    print(f"\nwindow end to its last total on the page, ms: {sorted(late.values())}")
    assert max(late.values()) <= 150, sorted(late.values())


def test_screenshot(page, run):
    """For people; and the chart has drawn something."""
    until(lambda: len(page.rows()) >= 15, 30, "some history")
    inked = page.driver.execute_script("""
        return Math.max(...[...document.querySelectorAll('#chart canvas')].map(c => {
          const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
          let n = 0;
          for (let i = 3; i < d.length; i += 4) n += d[i] > 0;
          return n;
        }))""")
    assert inked > 1000
    target = ROOT / "build" / "page.png"
    target.parent.mkdir(exist_ok=True)
    assert page.driver.save_screenshot(str(target))


def test_the_server_comes_back(page, run):
    """Killed in front of the page, and started again: the page says so, and goes on by itself."""
    run.running.process.send_signal(signal.SIGKILL)
    run.running.wait()
    until(lambda: page.state() == "disconnected", 5, "the page says so")
    words = page.text("#state")
    run.start()
    until(lambda: page.state() == "live", 20, "a live page again")
    assert page.text("#state") != words
    newest = max(run.windows())
    until(lambda: max(page.rows()) > newest, 5, "new windows")
