"""Debian's Chromium, as a person with a mouse, fingers, a keyboard and settings of their own."""

import base64
import json
import shutil
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.program import ROOT, SOON, until

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
         "--window-size=1280,900", "--lang=en"]
SHOTS = ROOT / "build" / "screenshots"
CTRL, SHIFT = 2, 8  # of Input.dispatch...Event

# An outage is told within 2 s, and on a slow and busy machine within this: a page that did not ask whether its server is there
# would say so after 3.9 s at the soonest (DEAD_AFTER_MS less the 1.1 s between two words of the server: web/feed.js), one whose
# server waits for Kafka's answer after 10 s (socket.timeout.ms: dashboard/relay.c).
TOLD_S = 3.5


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="tally-browser-")
        self.downloads = tempfile.mkdtemp(prefix="tally-downloads-")
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*FLAGS, f"--user-data-dir={self.profile}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(60)
        self.kept = []  # of the log, which can be read but once
        self.driver.set_script_timeout(60)
        self.do("Network.enable")
        self.do("Browser.setDownloadBehavior", behavior="allow", downloadPath=self.downloads)
        self.driver.get("about:blank")  # not Chromium's own start page

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.profile, ignore_errors=True)
        shutil.rmtree(self.downloads, ignore_errors=True)

    def do(self, command, **values):
        return self.driver.execute_cdp_cmd(command, values)

    def js(self, script, *values):
        return self.driver.execute_script(script, *values)

    def open(self, url):
        """Again, where Chromium gave up because the machine's networks changed: containers come and go."""
        for _ in range(5):
            self.driver.get(url)
            self.kept = self.driver.get_log("browser")
            bad = [entry for entry in self.kept if "ERR_NETWORK_CHANGED" in entry["message"]]
            if not bad:
                return
        raise RuntimeError(f"{url}: {bad}")

    def reload(self):
        self.open(self.js("return location.href"))

    # ---- settings

    def fresh(self):
        """As a browser that was never here, with an ordinary screen."""
        self.driver.get("about:blank")
        self.do("Storage.clearDataForOrigin", origin="*", storageTypes="all")
        self.do("Emulation.clearDeviceMetricsOverride")
        self.do("Emulation.setEmulatedMedia", media="", features=[])
        self.do("Emulation.setTouchEmulationEnabled", enabled=False)
        self.do("Emulation.setScriptExecutionDisabled", value=False)
        self.do("Emulation.setTimezoneOverride", timezoneId="")
        self.languages("en-GB,en")
        self.complaints(), self.requested()  # what earlier tests left

    def languages(self, accepted):
        agent = self.js("return navigator.userAgent")
        self.do("Network.setUserAgentOverride", userAgent=agent, acceptLanguage=accepted)

    def screen(self, width, height, mobile=False, scale=1):
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                mobile=mobile)
        if mobile:
            self.do("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=2)

    def prefers(self, **features):
        """color_scheme="dark", reduced_motion="reduce"."""
        self.do("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()])

    # ---- what is seen

    def text(self, selector):
        """"" while it is not there."""
        return self.js("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def seen(self, selector):
        return self.js("return document.querySelector(arguments[0])?.checkVisibility() ?? false", selector)

    def state(self):
        return self.js("return document.querySelector('#state')?.dataset.state")

    def told(self, state, within=TOLD_S):
        """The seconds from now until the page says so; by its own script and clock, as to ask it from here takes time."""
        since = time.time()
        self.js("""
            const node = document.querySelector('#state');
            const look = () => {
              if (node.dataset.state === arguments[0]) window.toldAt ||= Date.now();
            };
            window.toldAt = 0;
            new MutationObserver(look).observe(node, {attributes: true});
            look();""", state)
        took = until(lambda: self.js("return window.toldAt"), within + SOON, f"a page that says {state}") / 1000 - since
        assert took <= within, f"{state} told after {took:.2f} s"
        return took

    def rest(self, selector="#chart canvas"):
        """What a canvas shows when it has shown the same for half a second."""
        seen = [None]

        def still():
            seen.append(self.js("return document.querySelector(arguments[0]).toDataURL()", selector))
            return seen[-1] == seen[-2]
        until(still, SOON, "a drawing at rest", every=0.5)
        return seen[-1]

    def numbers(self, selector):
        return [int("0" + "".join(c for c in text if c.isdigit())) for text in self.js(
            "return [...document.querySelectorAll(arguments[0])].map(n => n.textContent)", selector)]

    def rows(self):
        """{start: counts and total} of the table."""
        found = self.js(
            "return [...document.querySelectorAll('#windows tbody tr[data-start]')]"
            ".map(r => [r.dataset.start, [...r.querySelectorAll('td')].map(c => c.textContent)])")
        return {int(start): [int("".join(c for c in text if c.isdigit())) for text in cells] for start, cells in found}

    def complaints(self):
        found, self.kept = [*self.kept, *self.driver.get_log("browser")], []
        return [entry for entry in found if entry["level"] in ("SEVERE", "WARNING")]

    def requested(self):
        urls = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
            if message["method"] == "Network.webSocketCreated":
                urls.append(message["params"]["url"])
        return urls

    def shot(self, name, full=False):
        """A screenshot, of the whole page if so wanted, in build/screenshots."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        time.sleep(0.15)  # a frame or two
        clip = {}
        if full:
            width, height = self.js("return [innerWidth, document.documentElement.scrollHeight]")
            clip = {"clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
                    "captureBeyondViewport": True}
        picture = self.do("Page.captureScreenshot", format="png", **clip)["data"]
        (SHOTS / f"{name}.png").write_bytes(base64.b64decode(picture))

    # ---- what hands do

    def click(self, selector):
        self.js("document.querySelector(arguments[0]).click()", selector)

    def place(self, selector, across=0.5, down=0.5):
        """A point of an element, on the screen."""
        return self.js("""
            const node = document.querySelector(arguments[0]);
            node.scrollIntoView({block: 'center'});
            const box = node.getBoundingClientRect();
            return [box.left + box.width * arguments[1], box.top + box.height * arguments[2]];
            """, selector, across, down)

    def mouse(self, kind, x, y, button="none", modifiers=0, **more):
        self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, modifiers=modifiers,
                buttons=1 if button == "left" else 0, **more)

    def wheel(self, selector, dx=0, dy=0, across=0.5, modifiers=0):
        x, y = self.place(selector, across)
        self.mouse("mouseWheel", x, y, modifiers=modifiers, deltaX=dx, deltaY=dy)

    def drag(self, selector, start, end, modifiers=0, hold=None):
        """By mouse; `hold` is called with the button still down."""
        (x, y), (to, _) = self.place(selector, start), self.place(selector, end)
        self.mouse("mouseMoved", x, y, modifiers=modifiers)
        self.mouse("mousePressed", x, y, "left", modifiers, clickCount=1)
        for n in range(1, 6):
            self.mouse("mouseMoved", x + (to - x) * n / 5, y, "left", modifiers)
        if hold:
            hold()
        self.mouse("mouseReleased", to, y, "left", modifiers, clickCount=1)

    def touch(self, *paths, steps=8):
        """Each finger goes from a point to another, ((x, y), (x, y)), all at once."""
        def points(n):
            return [{"x": a[0] + (b[0] - a[0]) * n / steps, "y": a[1] + (b[1] - a[1]) * n / steps, "id": i}
                    for i, (a, b) in enumerate(paths)]
        self.do("Input.dispatchTouchEvent", type="touchStart", touchPoints=points(0))
        for n in range(1, steps + 1):
            self.do("Input.dispatchTouchEvent", type="touchMove", touchPoints=points(n))
        self.do("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def key(self, key, modifiers=0):
        text = {"text": key} if len(key) == 1 else {}
        self.do("Input.dispatchKeyEvent", type="keyDown", key=key, modifiers=modifiers, **text)
        self.do("Input.dispatchKeyEvent", type="keyUp", key=key, modifiers=modifiers)

    def downloaded(self, name):
        path = Path(self.downloads) / name
        until(lambda: path.exists() and path.stat().st_size > 0, SOON, f"{name} downloaded")
        found = path.read_bytes()
        path.unlink()
        return found
