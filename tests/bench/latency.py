"""How long after a window's end its last total is on the page: `tally run gender`, the local engine, in a real Chromium, at
10 and at 1,000 records/s; and where the time goes, by the clock of one machine."""

import json
import os
import statistics
import sys
import tempfile
import time

from confluent_kafka import Consumer, TopicPartition

from tests.bench.common import TALLY, commands, goal, temporary, user_log, versions
from tests.browser import Browser
from tests.kafka_server import Kafka, free_port, quiet
from tests.program import Program, until
from tests.web import WebSocket, get_json

WINDOWS = int(os.environ.get("WINDOWS", 62))
WARM_S = 3  # the page is there, and Chromium has drawn it a few times
GOAL_MS = 150

# Before the page's own scripts. In the page: when a window's message came, when its total was in the table, and when that was
# painted: a message that is posted while a frame is made is delivered after the frame.
WATCH = """
window.seen = {came: {}, drawn: {}, painted: {}};
function note(stage, start, total, at = Date.now()) {
  const known = window.seen[stage];
  if (!(known[start]?.total >= total)) known[start] = {total, at};
}
const Native = window.WebSocket;
window.WebSocket = class extends Native {
  constructor(...all) {
    super(...all);
    this.addEventListener('message', ({data}) => {
      const at = Date.now();
      const {event, data: record} = JSON.parse(data);
      if (event === 'window') note('came', record.start, record.total, at);
    });
  }
};
const channel = new MessageChannel();
let waiting = [];
channel.port1.onmessage = () => {
  for (const [start, total] of waiting.splice(0)) note('painted', start, total);
};
function look(rows) {
  const at = Date.now();
  for (const row of rows) {
    const total = Number(row.cells[row.cells.length - 1].textContent.replace(/\\D/g, ''));
    if (window.seen.drawn[row.dataset.start]?.total >= total) continue;
    note('drawn', row.dataset.start, total, at);
    waiting.push([row.dataset.start, total]);
  }
  if (waiting.length) channel.port2.postMessage('');
}
addEventListener('DOMContentLoaded', () => {
  const body = document.querySelector('#windows tbody');
  new MutationObserver(() => look([...body.rows].slice(0, 3)))
    .observe(body, {subtree: true, childList: true, characterData: true});
});
"""

STAGES = {"sent": "the engine gives its result to Kafka", "ws": "a client of `/ws` has it (Python)",
          "came": "the page has it", "drawn": "it is in the page", "painted": "it is painted"}


class TimedSocket(WebSocket):
    """What /ws says, and when."""

    def __init__(self, port):
        self.came = {}
        super().__init__(port)

    async def _collect(self, connection):
        async for message in connection:
            now = time.time() * 1000
            told = json.loads(message)
            if told["event"] == "window":
                note(self.came, told["data"], now)


def note(known, record, at):
    """The first moment of the largest total."""
    start = record["start"]
    if start not in known or record["total"] > known[start]["total"]:
        known[start] = {"total": record["total"], "at": at}


def results(address):
    """{start: its last total, and when the engine sent that}: librdkafka stamps a record when it is given one."""
    found = {}
    consumer = Consumer({"bootstrap.servers": address, "group.id": "bench", "fetch.wait.max.ms": 10, "logger": quiet})
    low, high = consumer.get_watermark_offsets(TopicPartition("result", 0), timeout=10)
    consumer.assign([TopicPartition("result", 0, low)])
    at = low
    while at < high:
        for message in consumer.consume(1000, 1):
            at = message.offset() + 1
            note(found, json.loads(message.value()), message.timestamp()[1])
    consumer.close()
    return found


def measure(browser, rate, *options):
    """{stage: [ms after the window's end]} of so many windows."""
    with tempfile.TemporaryDirectory() as folder:
        program, port = Program(cwd=folder), free_port()
        try:
            running = program.start("run", "gender", "--rate", rate, "--port", port, "--verbose", *options)
            running.wait_for(f"http://localhost:{port}/", timeout=30)
            socket = TimedSocket(port)
            browser.open(f"http://localhost:{port}/")
            until(lambda: browser.rows(), 20, "a window on the page")
            time.sleep(WARM_S)
            since = time.time() * 1000
            time.sleep(WINDOWS + 1.5)  # what is measured
            stages = {**browser.js("return window.seen"), "ws": dict(socket.came)}
            address = options[1] if options else running.wait_for(r"in this process: (\S+) ")[1]
            sent = results(address)
            final = {w["start"]: w for w in get_json(port, "/api/windows")["windows"]}
            socket.close()
        finally:
            program.end_all()
    return lateness(final, {"sent": sent, **stages}, since)


def lateness(final, stages, since):
    now = time.time() * 1000
    windows = [w for w in final.values() if w["start"] > since and w["end"] + 1200 < now]
    assert len(windows) >= WINDOWS - 2, f"{len(windows)} windows"
    found = {name: [] for name in STAGES}
    for window in windows:
        for name in STAGES:
            seen = stages[name].get(str(window["start"])) or stages[name][window["start"]]
            assert seen["total"] == window["total"], (name, window, seen)
            found[name].append(seen["at"] - window["end"])
    return found


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def show(title, found):
    print(f"### {title}\n\n| until | p50 | p95 | p99 | worst |\n|---|--:|--:|--:|--:|")
    for name, words in STAGES.items():
        values = found[name]
        print(f"| {words} | {statistics.median(values):.0f} | {percentile(values, 0.95):.0f} | "
              f"{percentile(values, 0.99):.0f} | {max(values):.0f} |")
    print(f"\nms after the end of each of {len(values)} windows of one second; below 0: its last record came so long before.\n",
          flush=True)


def main():
    browser = Browser()
    browser.do("Page.enable")
    browser.do("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    kafka = None
    try:
        for rate in (10, 1000):
            found = measure(browser, rate)
            show(f"{rate:,} records/s, broker in the process", found)
            goal(f"window end to its last total on the page, p99, {rate:,} records/s", percentile(found["painted"], 0.99), GOAL_MS,
                 " ms", at_most=True)
        kafka = Kafka().start()
        with temporary() as folder:
            feed = user_log(f"{folder}/in.csv", (WINDOWS + 60) * 1000 // 10_000 * 10_000)
            show("1,000 records/s, a real Kafka",
                 measure(browser, 1000, "--bootstrap-servers", kafka.address, "--feed", feed))
    finally:
        browser.close()
        if kafka:
            kafka.close()
    versions(tally=[TALLY, "--version"])
    print(f"Chromium {browser.driver.capabilities['browserVersion']}.\n")
    commands(measured=["tally", "run", "gender", "--rate", "1000", "--port", "N"])


if __name__ == "__main__":
    sys.exit(main())
