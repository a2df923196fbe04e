"""The live server before clients that end a connection over whatever is not by the letter: npm's ws and eventsource,
Debian's websockets and wsproto; and before frames that no such client would send."""

import os
import re
import struct
import time

import pytest

from tests.kafka_server import free_port
from tests.program import PROMPT_S, SOON, until
from tests.strict_clients import ByHand, Cable, NpmEventSource, NpmWs, Websockets, Wsproto, frame
from tests.test_server import START, Site, cpu, get, numbers, site  # noqa: F401 (a fixture)
from tests.web import Sse

SOCKETS = [NpmWs, Websockets, Wsproto]
ALL = os.environ.get("TALLY_ALL") == "1"


@pytest.fixture
def opened():
    """Opens clients, and ends them."""
    clients = []

    def open_one(kind, *arguments):
        clients.append(kind(*arguments))
        return clients[-1]
    yield open_one
    for each in clients:
        (each.end if hasattr(each, "end") else each.close)()


def snapshot(client):
    until(lambda: client.named("snapshot") or client.error, SOON, "the snapshot")
    assert not client.error, client.error
    return client.named("snapshot")[0]


def starts(client):
    return [(w["start"] - START) // 1000 for w in client.windows()]


# ---- In good order

@pytest.mark.parametrize("kind", [*SOCKETS, NpmEventSource])
@pytest.mark.parametrize("past", [0, 600], ids=["short", "in many frames"])
def test_snapshot_then_windows(site, opened, kind, past):
    page = site()
    records = page.fill(range(past)) if past else []
    client = opened(kind, page.port)
    assert snapshot(client).data["windows"] == records
    new = []
    for n in range(past, past + 40, 4):
        new += page.write(range(n, n + 4))
    until(lambda: len(client.windows()) >= len(new) or client.error, SOON, "the windows")
    until(lambda: client.named("status"), SOON, "the status")
    assert client.windows() == new and len(client.named("snapshot")) == 1 and not client.error, client.error
    assert len({e.id for e in client.named("window")} | {client.named("snapshot")[0].id}) == len(new) + 1


@pytest.mark.parametrize("kind", [*SOCKETS, NpmEventSource])
def test_resumes_after_a_cut(site, opened, kind):
    """By id, a browser's way included: Last-Event-ID. Every window once, in order, and no second snapshot."""
    page, cable = site(options=("--allow-host", "localhost")), None
    try:
        cable = Cable(port := free_port(), page.port)
        page.fill(range(10))
        client = opened(kind, port)
        snapshot(client)
        seen, n = [], 10
        for _ in range(3):
            page.write(range(n, n + 3))
            until(lambda: starts(client)[-1:] == [n + 2], SOON, "windows")
            cable.cut()
            page.write(range(n + 3, n + 8))
            cable.mend()
            if kind is not NpmEventSource:  # which comes back by itself
                until(client.ended.is_set, SOON, "the end")
                assert client.code == 1006
                seen += starts(client)
                client = opened(kind, port, f"/ws?last={client.last_id()}")
            until(lambda: starts(client)[-1:] == [n + 7], SOON, "what was missed")
            n += 8
        assert seen + starts(client) == list(range(10, n))
        assert len(client.named("snapshot")) == (kind is NpmEventSource)
        assert kind is not NpmEventSource or client.opens == 4
    finally:
        if cable:
            cable.close()


@pytest.mark.parametrize("kind", SOCKETS)
def test_closes_with_the_code_that_was_asked_for(site, opened, kind):
    """And the server ends the connection then (RFC 6455, section 7.1.1), and other clients don't notice."""
    page = site()
    page.fill(range(3))
    other = opened(Websockets, page.port)
    snapshot(other)
    spent = []
    for code, reason in [(1000, ""), (1000, "done"), (1001, "gone"), (1011, "é"), (3000, ""), (4999, "x" * 123),
                         *([(None, "")] if kind is not Websockets else [])]:
        client = opened(kind, page.port)
        snapshot(client)
        began = time.monotonic()
        client.leave(code, reason)
        until(client.ended.is_set, SOON, f"the end by {code}")
        assert client.code == (code or 1005) and not client.error, (code, client.code, client.error)
        spent.append(time.monotonic() - began)
        assert spent[-1] < PROMPT_S, code
    assert min(spent) < 1, spent  # nor does each wait until the client hangs up (HANG_UP_S is 2)
    page.write([3])
    until(lambda: starts(other) == [3], SOON, "the other's window")
    until(lambda: clients(page) == (1, 0), SOON, "one client")


def clients(page):
    text = get(page.port, "/metrics").body.decode()
    return tuple(int(re.search(rf'^tally_clients{{transport="{t}"}} (\d+)', text, re.M)[1]) for t in ("ws", "sse"))


def test_an_event_source_closes(site, opened):
    page = site()
    client = opened(NpmEventSource, page.port)
    snapshot(client)
    assert clients(page) == (0, 1)
    client.leave()
    until(lambda: clients(page) == (0, 0), SOON, "no client")
    until(client.ended.is_set, SOON, "its end")
    assert client.code == 2  # CLOSED


def test_the_server_stops_and_starts(site, opened):
    """Sockets are told 1001, going away, and resume; an EventSource comes back by itself."""
    page = site()
    page.fill(range(10))
    sockets = [opened(kind, page.port) for kind in SOCKETS]
    source = opened(NpmEventSource, page.port)
    for client in [*sockets, source]:
        snapshot(client)
    assert page.running.stop()[0] == 0
    for client in sockets:
        until(client.ended.is_set, SOON, "the end")
        assert client.code == 1001 and not client.error, (client, client.code, client.error)
    page.write(range(10, 13))
    page.start()
    page.shows("/api/windows", lambda d: numbers(d) == list(range(13)))
    back = [opened(type(client), page.port, f"/ws?last={client.last_id()}") for client in sockets]
    until(lambda: source.opens == 2, SOON, "the EventSource")
    page.write([13])
    for client in [*back, source]:
        until(lambda c=client: shown(c)[-1:] == [13], SOON, "what was missed")
        assert shown(client) in (list(range(10, 14)), list(range(14))), shown(client)
        assert not client.error


def shown(client):
    """All windows since the newest snapshot, with it; a repeat shows."""
    found = []
    for event in list(client.events):
        if event.event == "snapshot":
            found = numbers(event.data)
        elif event.event == "window":
            found.append((event.data["start"] - START) // 1000)
    return found


# ---- While nothing comes

def test_pings_and_their_answers(site, opened):
    """Each socket is pinged every 15 s, and an SSE client is told something at least as often. Who answers stays, for
    as long as it takes to close one that is silent, or silent in the midst of a frame (that part: TALLY_ALL=1)."""
    page = site()
    page.fill(range(3))
    sockets = [opened(kind, page.port) for kind in SOCKETS]
    source, events = opened(NpmEventSource, page.port), opened(Sse, page.port)
    silent = [opened(ByHand, page.port) for _ in range(4)]
    for each, part in zip(silent, (b"", b"\x81", b"\x81\xfe\x01", frame(1, b"x" * 200, length=300))):
        each.send(part)
    for client in [*sockets, source, events]:
        snapshot(client)
    began, told = time.monotonic(), len(events.named("status"))
    until(lambda: all(client.pings for client in sockets) and ":" in events.lines, 2 * SOON, "pings")
    seconds, told = time.monotonic() - began, len(events.named("status")) - told
    assert seconds < 28  # the second would come after 30 s at the latest
    assert told > seconds / 2.5, (told, seconds)  # one every 1.1 s (QUIET_S), not only one every 5 s (STATUS_EVERY)
    if ALL:
        assert [each.code(50) for each in silent] == [1006] * 4
        assert time.monotonic() - began > 25
        for client in sockets:
            until(lambda c=client: len(c.pings) >= 2, SOON, "another ping")
        found = get(page.port, "/metrics").body.decode()
        assert re.search(r'^tally_clients_dropped_total{transport="ws"} 4$', found, re.M), found
    page.write([3])
    for client in [*sockets, source, events]:
        until(lambda c=client: starts(c) == [3], SOON, "a window")
        assert not client.error and not client.ended.is_set()
    assert all(ping == b":\n" for client in sockets for ping in client.pings)


def test_event_stream_by_the_letter(site, opened):
    page = site()
    page.fill(range(3))
    stream = opened(Sse, page.port)
    snapshot(stream)
    page.write([3])
    until(lambda: starts(stream) == [3], SOON, "a window")
    headers = stream.response.headers
    assert headers["Content-Type"].split(";")[0] == "text/event-stream"
    assert headers["X-Accel-Buffering"] == "no" and "no-store" in headers["Cache-Control"]
    assert re.fullmatch(r"retry: ?[12]\d{3}", stream.lines[0]), stream.lines[0]
    assert all(e.id for e in stream.events if e.event != "status")
    assert all(e.id is None for e in stream.events if e.event == "status")  # it would move the place to resume from


# ---- Frames that no strict client sends

def close_frame(code, reason=b""):
    return frame(8, struct.pack(">H", code) + reason)


GOOD = {  # name: (bytes, the answers to pings)
    "fragments": (frame(1, b"a", final=False) + frame(0, b"b", final=False) + frame(0, b"c"), []),
    "a ping between": (frame(1, "é".encode()[:1], final=False) + frame(9, b"here?") + frame(0, "é".encode()[1:]),
                       [b"here?"]),
    "an empty ping": (frame(9), [b""]),
    "the longest ping": (frame(9, b"p" * 125), [b"p" * 125]),
    "a pong that nobody wants": (frame(10, b"hello"), []),
    "an empty text": (frame(1), []),
    "binary, not UTF-8": (frame(2, b"\xff\xfe"), []),
    "all UTF-8": (frame(1, "aé€😀\U0010ffff".encode()), []),
}


@pytest.mark.parametrize("name", GOOD)
def test_frames_that_are_unusual(site, opened, name):
    page = site()
    client = opened(ByHand, page.port)
    data, pongs = GOOD[name]
    client.send(data)
    for wanted in pongs:
        assert client.until(10) == wanted
    client.send(frame(9, b"still there?"))
    assert client.until(10) == b"still there?"
    client.send(close_frame(1000))
    assert client.code() == 1000 and client.until(8) is None


# name: (bytes, the codes that may come; 1006: the connection ends without). libwebsockets has no word for some.
BAD = {
    **{f"reserved bits {bits}": (frame(1, b"hello", reserved=bits), (1002,)) for bits in (1, 2, 4, 7)},
    **{f"opcode {opcode}": (frame(opcode, b"hello"), (1002,)) for opcode in (3, 7, 11, 15)},
    "a ping of 126 bytes": (frame(9, b"p" * 126), (1002, 1006)),
    "a close of 126 bytes": (frame(8, b"\x03\xe8" + b"x" * 124), (1002, 1006)),
    "a ping in fragments": (frame(9, b"p", final=False), (1002,)),
    "a continuation of nothing": (frame(0, b"a"), (1002,)),
    "a text within a text": (frame(1, b"a", final=False) + frame(1, b"b"), (1002,)),
    "a length with the top bit": (frame(1, b"", length=1 << 63), (1002, 1006)),
    "a length of 2^62": (frame(1, b"x" * 1000, length=1 << 62), (1009,)),
    "a length of 2 MiB": (frame(1, b"x" * 1000, length=2 << 20), (1009,)),
    "2 MiB": (frame(2, b"x" * (2 << 20)), (1009,)),
    "64 KiB in two frames, and a byte": (frame(2, b"x" * 40000, final=False) + frame(0, b"x" * 25537), (1009,)),
    "a million fragments": (frame(1, b"x", final=False) + frame(0, b"x", final=False) * 1_000_000, (1009,)),
    "a million fragments of nothing": (frame(1, b"", final=False) + frame(0, b"", final=False) * 1_000_000, (1009,)),
    "a text without a mask": (frame(1, b"hello", masked=False), (1002,)),
    "a ping without a mask": (frame(9, b"hello", masked=False), (1002,)),
    "a close without a mask": (frame(8, b"\x03\xe8", masked=False), (1002,)),
    "UTF-8: a lone byte": (frame(1, b"\xff"), (1007,)),
    "UTF-8: a surrogate": (frame(1, b"\xed\xa0\x80"), (1007,)),
    "UTF-8: overlong": (frame(1, b"\xc0\xaf"), (1007,)),
    "UTF-8: cut short": (frame(1, b"\xe2\x82"), (1007,)),
    "UTF-8: cut in fragments": (frame(1, b"\xe2", final=False) + frame(0, b"a"), (1007,)),
    "UTF-8: in a reason": (close_frame(1000, b"\xff"), (1007, 1006)),
    "a close of one byte": (frame(8, b"\x03"), (1002,)),
    **{f"close code {code}": (close_frame(code), (1002,))
       for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)},
}


@pytest.fixture(scope="module")
def shared(kafka, tmp_path_factory):
    """One server for all of them: what one does, another would notice."""
    made = Site(kafka, tmp_path_factory.mktemp("frames"), [f"frames-{os.urandom(3).hex()}"])
    made.fill(range(3))
    made.next = 3
    yield made
    made.program.end_all()


@pytest.fixture(scope="module")
def bystander(shared):
    client = Wsproto(shared.port)
    snapshot(client)
    yield client
    client.end()


def unharmed(server, client):
    """The bystander gets what comes next."""
    server.write([server.next])
    server.next += 1
    until(lambda: starts(client) == list(range(3, server.next)), SOON, "the bystander's window")
    assert not client.error and not client.ended.is_set()


@pytest.mark.parametrize("name", BAD)
def test_frames_that_are_wrong(shared, bystander, opened, name):
    data, codes = BAD[name]
    client = opened(ByHand, shared.port)
    client.send(data)
    code = client.code()
    assert code in codes
    if code != 1006:
        client.send(close_frame(code))
        assert client.until(8, 10) is None  # no second one, and the connection ends soon: before a ping would end it
    unharmed(shared, bystander)


@pytest.mark.parametrize("part", [frame(1, b"")[:1], frame(1, b"x" * 300)[:3], frame(1, b"x" * 300)[:7],
                                  frame(1, b"x" * 300)[:200], frame(8, b"\x03\xe8")[:6]])
def test_half_a_frame_and_silence(shared, bystander, opened, part):
    """Costs nothing (test_pings_and_their_answers has its end), and leaves no trace when it goes."""
    held = [opened(ByHand, shared.port) for _ in range(10)]
    for each in held:
        each.send(part)
    unharmed(shared, bystander)
    used = cpu(shared.running.pid)
    time.sleep(0.5)  # what is measured is half a second's use
    assert cpu(shared.running.pid) - used < 0.2
    for each in held:
        each.close()
    until(lambda: clients(shared)[0] == 1, SOON, "the end of them")
    assert not bystander.error and not bystander.ended.is_set()
