"""What breaks in front of an open page: Kafka, the network on either side of the server, the server, the topic. The
page says so within 2 s, comes back by itself, and then shows what the topic holds, as another reader reads it."""

import json
import os
import signal
import time
from collections import namedtuple

import pytest

from tests import oracle
from tests.browser import Browser
from tests.kafka_server import Kafka, Topics, free_port
from tests.program import SOON, until
from tests.tcp_proxy import WAYS, TcpProxy
from tests.test_server import Site
from tests.web import get_json

ALL = os.environ.get("TALLY_ALL") == "1"
ROWS = 20  # of the page's table


@pytest.fixture(scope="module")
def browser():
    found = Browser()
    yield found
    found.close()


class Stand:
    """A Kafka of these tests' own, and the network between it and the server."""

    def __init__(self):
        port = free_port()
        self.kafka = Kafka(proxy=port)
        self.network = TcpProxy(port, self.kafka.behind)
        self.kafka.start()

    def close(self):
        self.network.close()
        self.kafka.close()


@pytest.fixture(scope="module")
def stand():
    found = Stand()
    yield found
    found.close()


class Scene(Site):
    """A page, its server, the result topic, and the network between browser and server."""

    def __init__(self, stand, folder, name, browser):
        self.browser, self.to_kafka = browser, stand.network
        super().__init__(stand.kafka, folder, [name])
        self.topic, self.written = self.spec["sink"]["topic"], 0
        self.to_server = TcpProxy(free_port(), self.port)

    def start(self):
        # By another name than Kafka gives itself: librdkafka keeps a connection to either.
        self.running = self.program.start("dashboard", *self.paths, "--port", self.port, "--allow-host", "localhost",
                                          "-b", f"localhost:{self.to_kafka.port}")
        self.running.wait_for(r"http://localhost:\d+/")

    def close(self):
        """What a test that failed has broken is mended, too."""
        self.to_kafka.mend()
        self.to_server.close()
        self.program.end_all()
        if self.kafka.process:
            self.kafka.resume()
        else:
            self.kafka.start()

    def open(self):
        self.browser.fresh()
        self.browser.open(f"http://localhost:{self.to_server.port}/")
        self.goes_on()

    def more(self, count=3):
        """So many windows, and the newest one before them grows."""
        if self.written:
            self.write([self.written - 1], total=60 + self.written)
        self.write(range(self.written, self.written + count))
        self.written += count

    def truth(self):
        """{start: record}"""
        held = oracle.deduplicated([(r.key, r.value) for r in self.kafka.read(self.topic)])
        return {record["start"]: record for record in map(json.loads, held.values())}

    def equals_the_topic(self, timeout=2 * SOON):
        """Seconds until both the page and /api/windows show just what the topic holds."""
        began, truth = time.monotonic(), self.truth()
        starts = sorted(truth)
        rows = {start: [*truth[start]["counts"].values(), truth[start]["total"]] for start in starts[-ROWS:]}

        def shown():
            try:
                served = get_json(self.port, "/api/windows")["windows"]
            except OSError:
                served = None
            return served, self.browser.rows()
        wanted = [truth[start] for start in starts], rows
        try:
            until(lambda: shown() == wanted, timeout, "the topic's windows")
        except TimeoutError:
            assert shown() == wanted
        return time.monotonic() - began

    def goes_on(self):
        """New results come through, and the page is live. Gives the seconds until all is shown."""
        self.more()
        took = self.equals_the_topic()

        def live():
            if self.browser.state() == "silent":  # the look at the topic took long
                self.more(1)
            return self.browser.state() == "live"
        until(live, SOON, "a live page", every=0.2)
        return took


@pytest.fixture
def scene(stand, tmp_path, unique, browser):
    made = []

    def make(name="page"):
        made.append(Scene(stand, tmp_path, unique(name), browser))
        return made[-1]
    yield make
    browser.driver.get("about:blank")
    for each in made:
        each.close()


# ---- What is cut for a while: how it breaks, how it is mended, and what the page says meanwhile

Fault = namedtuple("Fault", "state break_it mend_it kafka_lives", defaults=[True])

FAULTS = {
    "kafka-stopped": Fault("kafka-lost", lambda s: s.kafka.stop(), lambda s: s.kafka.start(), False),
    "kafka-killed": Fault("kafka-lost", lambda s: s.kafka.kill(), lambda s: s.kafka.start(), False),
    "kafka-stalled": Fault("kafka-lost", lambda s: s.kafka.pause(), lambda s: s.kafka.resume(), False),
    **{f"network-to-kafka-{way}": Fault("kafka-lost", lambda s, way=way: s.to_kafka.cut(way),
                                        lambda s: s.to_kafka.mend()) for way in WAYS},
    **{f"network-to-page-{way}": Fault("disconnected", lambda s, way=way: s.to_server.cut(way),
                                       lambda s: s.to_server.mend()) for way in WAYS},
    "server-killed": Fault("disconnected", lambda s: s.running.kill(), lambda s: s.start()),
    "server-ended": Fault("disconnected", lambda s: s.running.stop(signal.SIGTERM), lambda s: s.start()),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(scene, browser, name):
    fault, found = FAULTS[name], scene()
    found.open()
    fault.break_it(found)
    told = browser.told(fault.state)
    browser.shot(f"fault-{name}")
    if fault.kafka_lives:
        found.more()
    fault.mend_it(found)
    took = found.goes_on()
    print(f"\n{name}: told after {told:.2f} s, all shown {took:.2f} s after it was mended")


@pytest.mark.parametrize("way", WAYS if ALL else ["swallow"])
def test_a_silent_topic_and_the_network_to_the_page(scene, browser, way):
    """Where no results come, the page hears nothing but the server's own words."""
    found = scene()
    found.open()
    until(lambda: browser.state() == "silent", SOON, "silence")
    found.to_server.cut(way)
    told = browser.told("disconnected")
    found.to_server.mend()
    until(lambda: browser.state() == "silent", SOON, "connected again")
    took = found.goes_on()
    print(f"\nsilent, {way}: told after {told:.2f} s, all shown {took:.2f} s after news")


# ---- Another server, or another topic, in the place of the first

def test_another_job_on_the_same_port(scene, browser):
    """Its results lie at the same offsets, with windows of the same times: an id of the first one seems to fit."""
    one, other = scene("one"), scene("other")
    one.open()
    one.more(9)
    one.equals_the_topic()
    other.running.kill()
    other.write(range(30, 30 + one.written))
    one.running.kill()
    other.port, other.to_server = one.port, one.to_server
    other.start()
    other.written = 30 + one.written
    until(lambda: len(get_json(other.port, "/api/windows")["windows"]) == one.written, SOON, "its history")
    other.goes_on()
    assert browser.text("#job") == other.name


def test_another_topic_of_the_same_job(scene, browser):
    one, other = scene("one"), scene("other")
    one.open()
    one.more(9)
    one.equals_the_topic()
    one.running.kill()
    other.running.kill()
    path, = other.paths
    path.write_text(path.read_text().replace(f"name: {other.name}\n", f"name: {one.name}\n"))
    other.spec["name"] = one.name
    other.write(range(one.written), total=33)
    other.written, other.port = one.written, one.port
    other.start()
    other.goes_on()


def delete(found):
    found.kafka.delete_topic(found.topic)
    Topics.close(found.kafka)  # a producer asks for its topic again and again


def make_anew(found, partitions=1):
    delete(found)
    found.kafka.create_topic(found.topic, partitions)


@pytest.mark.parametrize("records", [0, 3, 10, 40] if ALL else [3, 40])
def test_the_topic_is_made_anew(scene, browser, records):
    """With fewer records than the old one had, with as many or more; smaller counts of the same windows among them."""
    found = scene()
    found.open()
    found.more(7)
    found.equals_the_topic()
    make_anew(found)
    if records:
        found.write(range(5, 5 + records), total=1000 + records)
    found.equals_the_topic()
    found.written = 5 + records
    found.goes_on()


def test_the_topic_is_deleted_and_stays_so_for_a_while(scene, browser):
    found = scene()
    found.open()
    delete(found)
    browser.told("topic-gone")
    assert browser.text("#state") == "The topic with the results is gone from Kafka"
    browser.shot("fault-topic-gone")
    found.kafka.create_topic(found.topic)
    found.equals_the_topic()
    assert browser.rows() == {}
    found.written = 0
    found.goes_on()


def test_the_topic_is_made_anew_while_kafka_is_lost(scene, browser):
    """No look at the topic tells it, for it has more records than the old one."""
    found = scene()
    found.open()
    found.to_kafka.cut("refuse")
    browser.told("kafka-lost")
    make_anew(found)
    found.write(range(2, 40), total=77)
    found.to_kafka.mend()
    found.equals_the_topic()
    found.written = 40
    found.goes_on()


@pytest.mark.parametrize("records", [2, 30] if ALL else [30])
def test_kafka_comes_back_empty(scene, browser, records):
    found = scene()
    found.open()
    found.kafka.stop()
    found.kafka.wipe()
    until(lambda: browser.state() == "kafka-lost", SOON, "a page that says so")
    found.kafka.start()
    found.kafka.create_topic(found.topic)
    found.write(range(2, 2 + records), total=77)
    found.equals_the_topic()
    found.written = 2 + records
    found.goes_on()


@pytest.mark.parametrize("before, after", [(1, 3), (3, 1)])
def test_the_topic_is_made_anew_with_other_partitions(scene, browser, before, after):
    found = scene()
    if before > 1:
        found.running.kill()
        make_anew(found, before)
        found.start()
    found.open()
    make_anew(found, after)
    key, value = oracle.result(found.spec, 1_700_000_900_000, dict.fromkeys(oracle.series(found.spec), 9))
    found.kafka.producer.send(found.topic, value, key, partition=after - 1).get(20)
    found.equals_the_topic()
    found.written = 0
    found.goes_on()
