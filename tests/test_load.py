"""Many live clients at once, and one among them that never reads. TALLY_ALL=1: ten thousand, and minutes of it."""

import contextlib
import os
import statistics
import time

import pytest

from tests.kafka_server import free_port
from tests.load import Feed, processor, resident, settled, stalled
from tests.program import until

ALL = os.environ.get("TALLY_ALL") == "1"
MODES = ["sse", "ws"]
SOON = 30
HISTORY = 600  # windows in a snapshot: more than the kernel takes for one who does not read


@pytest.fixture
def feed(kafka, tmp_path, unique):
    made = Feed(kafka, tmp_path, unique("load"), free_port())
    yield made
    made.close()


def fill(feed, windows):
    feed.broadcast(windows)
    until(lambda: feed.metrics().get(("tally_windows", "")) == windows, SOON, "the history")


def everything(clients, messages):
    """The report, when so many messages have come since the last one, each once and in order."""
    until(lambda: clients.report()["messages"] >= messages, SOON, f"{messages} messages", every=0.02)
    found = clients.report()
    clients.report(anew=True)
    assert found["messages"] == messages and not (found["gaps"] or found["repeats"] or found["closed"]), found
    return found


def broadcast(feed, rate, count=1):
    for _ in range(count):
        began = time.monotonic()
        feed.broadcast()
        time.sleep(max(0, began + 1 / rate - time.monotonic()))  # the pace, not a wait for something


@pytest.mark.parametrize("mode", MODES)
def test_one_that_never_reads_among_200(feed, mode):
    """The others get each broadcast, once; memory does not grow; it is brought to the newest state when it reads."""
    fill(feed, HISTORY)
    clients = feed.clients(mode, 199)
    silent = stalled(mode, feed.port)
    until(lambda: feed.metrics()["tally_clients", mode] == 200, SOON, "the last client")
    broadcast(feed, 10, 20)
    everything(clients, 199 * 20)
    before = resident(feed.server.pid)
    broadcast(feed, 10, 80)
    everything(clients, 199 * 80)
    assert resident(feed.server.pid) - before < 1 << 20
    newest = f'"start":{feed.began + feed.count * 1000},'.encode()
    silent.settimeout(SOON)
    got = b""
    while newest not in got:
        part = silent.recv(65536)
        assert part, "it was closed"
        got += part
    windows = got.count(b"event: window") + got.count(b'"event":"window"')
    assert windows < 100 - 64, "it got what it had missed one by one"
    assert feed.metrics()["tally_client_snapshots_total", ""] >= 1
    silent.close()


if ALL:
    @pytest.mark.parametrize("mode", MODES)
    def test_one_that_never_reads_among_1000(feed, mode):
        """Two minutes in turns with and without it: the others' p99 of a broadcast is the same, the lower quartile of
        600 each, as the rest of the machine disturbs some. Two more with it: memory is flat, it is closed and counted."""
        fill(feed, HISTORY)
        clients = feed.clients(mode, 999)
        broadcast(feed, 10, 50)
        everything(clients, 999 * 50)
        found = {False: [], True: []}
        for n in range(60):
            present = n % 2 == 1
            with stalled(mode, feed.port) if present else contextlib.nullcontext():
                until(lambda: feed.metrics()["tally_clients", mode] == 999 + present, SOON, "the silent one")
                for _ in range(20):
                    broadcast(feed, 10)
                    found[present].append(everything(clients, 999)["by_stamp"]["p99"])
        without, beside = (statistics.quantiles(found[present])[0] for present in (False, True))
        print(f"{mode}: p99 of the others {without:.1f} ms without, {beside:.1f} ms beside one that never reads; "
              f"medians {statistics.median(found[False]):.1f}, {statistics.median(found[True]):.1f}")
        assert beside < 1.1 * without

        sizes = []
        with stalled(mode, feed.port):
            for _ in range(24):
                broadcast(feed, 10, 50)
                everything(clients, 999 * 50)
                sizes.append(resident(feed.server.pid))
            assert feed.metrics()["tally_clients_dropped_total", mode] == 1
        print(f"{mode}: memory {min(sizes) / 1e6:.2f} to {max(sizes) / 1e6:.2f} MB")
        assert max(sizes) - min(sizes) < 256 << 10, sizes

    @pytest.mark.parametrize("mode", MODES)
    def test_ten_thousand(feed, mode):
        """Each gets every broadcast once, for 2 kB of memory, from one thread: the others are librdkafka's."""
        fill(feed, 1)
        before = settled(feed.server.pid)
        clients = feed.clients(mode, 10_000)
        each = (settled(feed.server.pid) - before) / 10_000
        began = processor(feed.server.pid)
        broadcast(feed, 1, 15)
        found = everything(clients, 10_000 * 15)
        used = processor(feed.server.pid)
        print(f"{mode}: {each:.0f} B a client, connected in {clients.connected['connect_seconds']:.1f} s, "
              f"{found['by_stamp']}, {used[''] - began['']:.2f} s of the processor")
        assert each <= 2000
        assert {name for name in used if name.split(":")[0] != "rdk"} == {"", "main"}, used
