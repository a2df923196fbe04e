"""Junk on the wire: what it is answered, that it ends soon, that it costs the server little, and that meanwhile a good
client is told everything."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import select
import socket
import ssl
import struct
import time

import pytest

from tests import fixture, oracle
from tests.program import SOON, chosen, until
from tests.strict_clients import ByHand, frame
from tests.test_server import START, Site, TlsSite, get, make_cert
from tests.test_strict_clients import bystander, shared, unharmed  # noqa: F401 (fixtures)
from tests.web import answers, get_json

SANITIZED = "asan" in str(chosen())
REQUEST_S = 10  # dashboard/server.c: a request that is not whole by then ends; libwebsockets looks once a second
IDLE_S = 15  # of a connection between two requests
ENDS_S = IDLE_S - 1
MEMORY = (64 << 20) if SANITIZED else (6 << 20)  # the sanitizers keep for a while what is freed


def loop_seconds(page):
    """What the loop's thread has used, to the microsecond (proc(5), schedstat)."""
    return int(open(f"/proc/{page.running.pid}/task/{page.running.pid}/schedstat").read().split()[0]) / 1e9


def plain_request(server):
    """What one that is in order costs the loop, on a connection of its own."""
    def a_hundred():
        used = loop_seconds(server)
        for _ in range(100):
            assert answers(server.port)
        return (loop_seconds(server) - used) / 100
    if not hasattr(server, "plain"):
        server.plain = min(a_hundred() for _ in range(5))
    return server.plain


@contextlib.contextmanager
def cheaply(server, client, requests):
    """For no more of the loop's time than so many good requests cost, whatever machine and build, and no memory kept; the
    bystander misses nothing, neither in the midst of it nor afterwards."""
    unharmed(server, client)
    plain = plain_request(server)
    used, memory, descriptors = loop_seconds(server), server.running.memory(), server.running.descriptors()
    yield
    unharmed(server, client)
    cost = (loop_seconds(server) - used) / plain
    assert cost < requests, f"as much as {cost:.0f} good requests"
    until(lambda: server.running.descriptors() <= descriptors, ENDS_S, "the end of all connections", every=0.1)
    assert server.running.memory() - memory < MEMORY
    assert server.running.process.poll() is None


def statuses(answer):
    """Of all answers in there."""
    return [int(found) for found in re.findall(rb"^HTTP/1\.[01] (\d{3}) ", answer, re.M)]


def exchange(port, data, timeout=ENDS_S, answers=0):
    """(what came, whether the server ended the connection); sends and reads at once, whoever is faster. Ends by itself
    after so many answers, or with the connection."""
    answer, sent, deadline = bytearray(), 0, time.monotonic() + timeout
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.setblocking(False)
        while (left := deadline - time.monotonic()) > 0:
            readable, writable, _ = select.select([s], [s] if sent < len(data) else [], [], left)
            try:
                if writable:
                    sent += s.send(data[sent:sent + 65536])
                if readable:
                    part = s.recv(65536)
                    if not part:
                        return answer, True
                    answer += part
                    if answers and len(statuses(answer)) >= answers:
                        return answer, False
            except ConnectionError:
                return answer, True
    return answer, False


def ask(line=b"GET /livez HTTP/1.1", *headers, host=True):
    return b"\r\n".join([line, *([b"Host: localhost:PORT"] if host else []), *headers, b"", b""])


WS = (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
      b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
SMUGGLED = b"GET /api/jobs HTTP/1.1\r\nHost: localhost:PORT\r\n\r\n"
ENDED = None  # without a word
ANY = "any"  # the word may be lost with what was not read

# name: (bytes, the status that comes; where it is in CLOSED the connection ends, too)
JUNK = {
    "a line of 100 kB": (ask(b"GET /livez HTTP/1.1", b"X: " + b"y" * 100_000), ENDED),
    "a cookie of 100 kB": (ask(b"GET /livez HTTP/1.1", b"Cookie: " + b"y" * 100_000), ENDED),
    "10,000 lines": (ask(b"GET /livez HTTP/1.1", *[b"X-%d: y" % n for n in range(10_000)]), ENDED),
    "10,000 hosts": (ask(b"GET /livez HTTP/1.1", *[b"Host: x"] * 10_000), ENDED),
    "an address of 1 MB": (ask(b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1"), ENDED),
    "a query of 1 MB": (ask(b"GET /livez?" + b"a=b&" * 250_000 + b" HTTP/1.1"), ENDED),
    "a method of 10 kB": (ask(b"X" * 10_000 + b" / HTTP/1.1"), 403),
    "a method of 100 kB": (ask(b"X" * 100_000 + b" / HTTP/1.1"), ANY),
    "a NUL in the address": (ask(b"GET /livez\0/x HTTP/1.1"), ENDED),
    "a NUL in a header": (ask(b"GET /livez HTTP/1.1", b"Cookie: a\0b"), 200),
    "a NUL by percent": (ask(b"GET /livez%00x HTTP/1.1"), ENDED),
    "a bad escape": (ask(b"GET /livez%zz HTTP/1.1"), 403),
    "a short escape": (ask(b"GET /livez% HTTP/1.1"), 403),
    "half an escape": (ask(b"GET /livez%2 HTTP/1.1"), 403),
    "a bad escape in the query": (ask(b"GET /api/windows?from=%zz HTTP/1.1"), 403),
    **{f"up by {path.decode()}": (ask(b"GET " + path + b" HTTP/1.1"), 404) for path in (
        b"/../etc/passwd", b"/a/../../etc/passwd", b"/%2e%2e/etc/passwd", b"/%2e%2e%2fetc%2fpasswd", b"/..%2fetc/passwd",
        b"/..%5cetc/passwd", b"/..\\etc\\passwd", b"/%252e%252e/etc/passwd", b"/..;/etc/passwd", b"/....//etc/passwd",
        b"/%c0%ae%c0%ae/etc/passwd", b"/./../.././etc/passwd", b"//etc/passwd", b"/app.js/../../etc/passwd",
        b"/web/app.js", b"/.git/config")},
    "up by ..": (ask(b"GET .. HTTP/1.1"), 403),
    "up by /..": (ask(b"GET /.. HTTP/1.1"), 200),  # that is /
    "an absolute address": (ask(b"GET http://localhost:PORT/livez HTTP/1.1"), 403),
    "an absolute address of another": (ask(b"GET http://evil.example/livez HTTP/1.1"), 403),
    "an authority": (ask(b"CONNECT evil.example:443 HTTP/1.1"), ENDED),
    "an asterisk": (ask(b"OPTIONS * HTTP/1.1"), 403),
    "HTTP/1.0": (b"GET /livez HTTP/1.0\r\nHost: localhost:PORT\r\n\r\n", 200),
    "HTTP/1.0 without a host": (b"GET /livez HTTP/1.0\r\n\r\n", 403),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", 403),
    "an upgrade to h2c": (ask(b"GET /livez HTTP/1.1", b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings",
                              b"HTTP2-Settings: AAMAAABkAAQAAP__"), 400),
    "a TLS hello": (bytes.fromhex("16030100c8010000c40303") + bytes(range(194)), 403),
    "binary": (bytes(range(256)) * 4, 403),
    "no method": (b" / HTTP/1.1\r\n\r\n", 403),
    "an unknown method": (ask(b"BREW /livez HTTP/1.1"), 403),
    "chunks of absurd length": (ask(b"POST /livez HTTP/1.1", b"Transfer-Encoding: chunked") + b"ffffffffffffffff\r\nx", 400),
    "chunks that are none": (ask(b"POST /livez HTTP/1.1", b"Transfer-Encoding: chunked") + b"zz\r\nx\r\n", 400),
    "a chunked GET": (ask(b"GET /livez HTTP/1.1", b"Transfer-Encoding: chunked") + b"0\r\n\r\n" + SMUGGLED, 400),
    "a length and chunks": (ask(b"POST /livez HTTP/1.1", b"Content-Length: 5", b"Transfer-Encoding: chunked") +
                            b"0\r\n\r\n" + SMUGGLED, 400),
    "two lengths": (ask(b"POST /livez HTTP/1.1", b"Content-Length: 5", b"Content-Length: 6") + b"hello" + SMUGGLED, 400),
    "two equal lengths": (ask(b"GET /livez HTTP/1.1", b"Content-Length: 0", b"Content-Length: 0") + SMUGGLED, 400),
    "a length of 2^64": (ask(b"POST /livez HTTP/1.1", b"Content-Length: 18446744073709551616"), 400),
    "a negative length": (ask(b"POST /livez HTTP/1.1", b"Content-Length: -1"), 400),
    "no host": (ask(host=False), 403),
    "two hosts": (ask(b"GET /livez HTTP/1.1", b"Host: localhost:PORT"), 403),
    "two hosts, one of them another": (ask(b"GET /livez HTTP/1.1", b"Host: evil.example"), 403),
    **{f"host {host.decode('latin-1')[:40]}": (ask(b"GET / HTTP/1.1", b"Host: " + host, host=False), 403) for host in (
        b"evil.example", b"evil.example:PORT", b"localhost:1", b"localhost.evil.example:PORT",
        b"127.0.0.1.nip.example:PORT", b"localhost:PORT.evil.example", b"localhost:PORT@evil.example",
        b"evil.example#localhost:PORT", b"2130706433:PORT", b"0x7f.1:PORT", b"0.0.0.0:PORT", b"[::ffff:127.0.0.1]:PORT",
        b"localhost:PORT, evil.example", b"", b"\xff\xfe", b"x" * 3000)},
    **{f"origin {origin.decode('latin-1')}": (ask(b"GET /api/windows HTTP/1.1", b"Origin: " + origin), 403) for origin in (
        b"null", b"http://evil.example", b"http://localhost:PORT.evil.example", b"http://localhost:1", b"file://",
        b"http://evil.example\thttp://localhost:PORT", b"\xff")},
    "a socket from another origin": (ask(b"GET /ws HTTP/1.1", *WS, b"Origin: http://evil.example"), 403),
    "a socket of version 8": (ask(b"GET /ws HTTP/1.1", *WS[:2], b"Sec-WebSocket-Version: 8", WS[3]), 426),
    "a socket without a version": (ask(b"GET /ws HTTP/1.1", *WS[:2], WS[3]), 426),
    "a socket without a key": (ask(b"GET /ws HTTP/1.1", *WS[:3]), 400),
    "a socket with a short key": (ask(b"GET /ws HTTP/1.1", *WS[:3], b"Sec-WebSocket-Key: x"), 400),
    "a socket with a long key": (ask(b"GET /ws HTTP/1.1", *WS[:3], b"Sec-WebSocket-Key: " + b"x" * 3000), 400),
    "a socket with two keys": (ask(b"GET /ws HTTP/1.1", *WS, WS[3]), 400),
    "a socket without an upgrade": (ask(b"GET /ws HTTP/1.1", *WS[2:]), 426),
    "a socket by POST": (ask(b"POST /ws HTTP/1.1", *WS), 404),
    "a socket elsewhere": (ask(b"GET /livez HTTP/1.1", *WS), 404),
    "a socket twice": (ask(b"GET /ws HTTP/1.1", *WS) * 2, 101),
    "a socket and HTTP behind it": (ask(b"GET /ws HTTP/1.1", *WS) + ask(), 101),
}
# What may come behind them on the same connection would be another's.
CLOSED = {name for name in JUNK if name.startswith(("chunks", "a chunked", "a length", "two lengths", "two equal", "a negative",
                                                    "a socket twice", "a socket and"))}


@pytest.mark.parametrize("name", JUNK)
def test_requests_that_are_wrong(shared, bystander, name):
    data, status = JUNK[name]
    with cheaply(shared, bystander, 1000):
        answer, ended = exchange(shared.port, data.replace(b"PORT", b"%d" % shared.port),
                                 answers=0 if status in (ENDED, ANY) or name in CLOSED else 1)
        assert status == ANY or statuses(answer) == [status][:status is not ENDED], answer[:200]
        assert ended or status is not ENDED and name not in CLOSED
        assert b"root:" not in answer and b'"jobs":[' not in answer


# What would come, if it came: the server does not wait for long. Afterwards it has answered so many times.
SLOW = {
    "nothing at all": (b"", 0),
    "half a line": (b"GET / HT", 0),
    "HTTP/0.9": (b"GET /livez\r\n", 0),
    "half a head": (b"GET / HTTP/1.1\r\nHost: localhost:PORT\r\n", 0),
    "a line without a colon": (ask(b"GET /livez HTTP/1.1", b"nonsense"), 0),
    "a line that goes on": (ask(b"GET /livez HTTP/1.1", b"Cookie: a", b" b"), 0),
    "a body that never comes": (ask(b"POST / HTTP/1.1", b"Content-Length: 1000000"), 1),
    "a body in part": (ask(b"POST / HTTP/1.1", b"Content-Length: 1000") + b"x" * 100, 1),
    "one request and silence": (ask(), 1),
    "1,000 requests and silence": (ask() * 1000, 1000),
    "1,000 wrong ones and silence": (ask(b"GET /nowhere HTTP/1.1") * 1000, 1000),
    "a body behind a GET": (ask(b"GET /livez HTTP/1.1", b"Content-Length: 5") + b"hello", 1),
}


def test_requests_that_never_end(shared, bystander):
    with cheaply(shared, bystander, 10_000), concurrent.futures.ThreadPoolExecutor(len(SLOW)) as pool:
        ends = {name: pool.submit(exchange, shared.port, data.replace(b"PORT", b"%d" % shared.port), IDLE_S + 5)
                for name, (data, _) in SLOW.items()}
        unharmed(shared, bystander)
        for name, end in ends.items():
            answer, ended = end.result()
            assert ended and len(statuses(answer)) == SLOW[name][1], (name, answer[:100], ended)


def test_slow_loris(shared, bystander):
    """500 connections that send a header's byte now and then."""
    with cheaply(shared, bystander, 20_000):
        head = ask(b"GET / HTTP/1.1", b"X: " + b"y" * 1000).replace(b"PORT", b"%d" % shared.port)
        open_ones = {socket.create_connection(("127.0.0.1", shared.port), 5): 0 for _ in range(500)}
        began = time.monotonic()
        try:
            while open_ones and time.monotonic() - began < 2 * SOON:  # else they would stay for 500 s
                for s, sent in list(open_ones.items()):
                    try:
                        s.send(head[sent:sent + 1])
                        open_ones[s] = sent + 1
                    except ConnectionError:  # it is shown the door
                        s.close()
                        del open_ones[s]
                unharmed(shared, bystander)
                assert answers(shared.port)
                select.select([], [], [], 0.5)  # what makes them slow
            assert not open_ones, f"{len(open_ones)} of them stay"
        finally:
            for s in open_ones:
                s.close()


# ---- Frames

FLOODS = {
    "pings": frame(9, b"p" * 125) * 20_000,
    "empty pings": frame(9) * 100_000,
    "pongs that nobody wants": frame(10) * 100_000,
    "short messages": frame(1, b"x") * 100_000,
    "long messages": frame(2, b"x" * 65_536) * 20,
    "a message in a million frames": frame(1, b"x", final=False) + frame(0, b"x", final=False) * 1_000_000,
    "frames of 2^62": frame(2, b"x" * 1_000_000, length=1 << 62),
    "no frames": bytes(range(256)) * 4_000,
    "nothing but 0xff": b"\xff" * 1_000_000,
}


@pytest.mark.parametrize("name", FLOODS)
def test_floods_of_frames(shared, bystander, name):
    """Each is a few megabytes at most: what it costs is bounded by what the sender sends. In the midst of them windows come."""
    with cheaply(shared, bystander, 20_000):
        client = ByHand(shared.port)
        told = sent = 0
        client.socket.settimeout(0.01)
        data = FLOODS[name]
        try:
            while sent < len(data):
                with contextlib.suppress(TimeoutError):
                    sent += client.socket.send(data[sent:sent + 16384])
                with contextlib.suppress(TimeoutError):  # its answers are read, or it would be closed for that
                    if not client.socket.recv(1 << 20):
                        break
                if sent * 5 // len(data) > told:
                    told = sent * 5 // len(data)
                    unharmed(shared, bystander)
        except ConnectionError:
            pass  # the server has ended it
        finally:
            client.close()


# ---- TLS

@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\1" * 2000, b"\0" * 1000,
                                  bytes.fromhex("16030100c8010000c40303") + bytes(range(194))],
                         ids=["plain", "a long hello", "zeros", "a bad hello"])
def test_junk_on_the_tls_port(tls, data):
    page, cert = tls
    answer, ended = exchange(page.port, data)
    assert ended and not statuses(answer)
    context = ssl.create_default_context(cafile=cert)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", page.port), 5), server_hostname="localhost") as s:
        s.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % page.port)
        assert s.recv(1000).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("masked, code", [(True, 1000), (False, 1002)])
def test_masks_on_the_tls_port(tls, masked, code):
    page, cert = tls
    context = ssl.create_default_context(cafile=cert)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", page.port), 5), server_hostname="localhost") as s:
        s.sendall(ask(b"GET /ws HTTP/1.1", *WS).replace(b"PORT", b"%d" % page.port))
        got = b""
        while b'"event":"snapshot"' not in got:
            got += s.recv(65536)
        s.sendall(frame(8, struct.pack(">H", 1000), masked=masked))
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while part := s.recv(65536):
                got += part
        assert got.endswith(b"\x88\x02" + struct.pack(">H", code))


@pytest.fixture(scope="module")
def tls(kafka, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = make_cert(folder)
    page = TlsSite(kafka, folder, [f"tls-{os.urandom(3).hex()}"], "--tls-cert", cert, "--tls-key", key)
    page.write([0])
    yield page, cert
    page.program.end_all()


# ---- Answers that are long

SERIES = 200


@pytest.fixture(scope="module")
def long_history(kafka, tmp_path_factory):
    """2,500 windows of 200 series: 15 MB of JSON."""
    class Wide(Site):
        def __init__(self, *arguments):
            kept = fixture.LABELS
            fixture.LABELS = {str(n): f"a-series-of-many-{n}" for n in range(SERIES)}
            try:
                super().__init__(*arguments)
            finally:
                fixture.LABELS = kept

        def write(self, windows, name=None, total=None):
            lines = [oracle.result(self.spec, START + n * 1000, dict.fromkeys(oracle.series(self.spec), n + 10**9))
                     for n in windows]
            self.kafka.write(self.spec["sink"]["topic"], lines, 60)
            return [json.loads(value) for _, value in lines]

    page = Wide(kafka, tmp_path_factory.mktemp("wide"), [f"wide-{os.urandom(3).hex()}"], "--history", "2500")
    for n in range(0, 2500, 500):
        page.write(range(n, n + 500))
    until(lambda: (found := get_json(page.port, "/api/windows?limit=1")["windows"]) and
          found[0]["start"] == START + 2499_000, 30, "the history")
    yield page
    page.program.end_all()


def test_a_long_answer_holds_up_nobody(long_history):
    """It is made while it is sent. Measured in the loop's own time: a small request beside it waits for a piece of it
    only; and what is not read is not made."""
    page = long_history
    memory, used = page.running.memory(), loop_seconds(page)
    with socket.socket() as slow, socket.create_connection(("127.0.0.1", page.port), 10) as small:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", page.port))
        slow.sendall(b"GET /api/windows HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % page.port)
        assert slow.recv(1000).startswith(b"HTTP/1.1 200 ")
        small.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % page.port)
        assert small.recv(65536).startswith(b"HTTP/1.1 200 ")
        piece = loop_seconds(page) - used
        assert page.running.memory() - memory < MEMORY  # it has 15 MB
    used = loop_seconds(page)
    get(page.port, "/api/windows")
    whole = loop_seconds(page) - used
    assert piece < whole / 3, (piece, whole)


@pytest.mark.parametrize("path", ["/api/windows", "/api/windows.csv"])
def test_a_long_answer_is_whole(long_history, path):
    page = long_history
    whole = get(page.port, path)
    assert whole.status == 200 and whole.headers["Transfer-Encoding"] == "chunked" and len(whole.body) > 5_000_000
    if path.endswith("csv"):
        rows = whole.body.decode().splitlines()
        assert len(rows) == 2501 and rows[1].split(",")[1] == str(START) and rows[2500].split(",")[1] == str(START + 2499_000)
    else:
        assert [w["start"] for w in json.loads(whole.body)["windows"]] == [START + n * 1000 for n in range(2500)]
    old = exchange(page.port, b"GET %s HTTP/1.0\r\nHost: localhost:%d\r\n\r\n" % (path.encode(), page.port))[0]
    head, _, body = old.partition(b"\r\n\r\n")
    assert body == whole.body and b"chunked" not in head and b"Content-Length: %d\r\n" % len(body) in head
    assert get(page.port, path, method="HEAD").body == b""
    part = get(page.port, path + "?limit=2")
    assert int(part.headers["Content-Length"]) == len(part.body) and not part.headers["Transfer-Encoding"]


def test_several_long_answers_on_one_connection(long_history):
    page, port = long_history, long_history.port
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)
    bodies = set()
    for _ in range(3):
        connection.request("GET", "/api/windows")
        bodies.add(connection.getresponse().read())
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok\n"
    connection.close()
    assert len(bodies) == 1
    assert page.running.process.poll() is None


def test_a_long_answer_that_is_overtaken(long_history):
    """Who reads so slowly that windows go before they are sent gets no answer with a hole: it ends, and is not whole."""
    page = long_history
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(("127.0.0.1", page.port))
        s.settimeout(SOON)
        s.sendall(b"GET /api/windows HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % page.port)
        got = s.recv(1000)
        page.write(range(2500, 3500))
        until(lambda: get_json(page.port, "/api/windows?limit=1")["windows"][0]["start"] == START + 3499_000, SOON, "them")
        with contextlib.suppress(ConnectionError):
            while part := s.recv(65536):
                got += part
    assert got.startswith(b"HTTP/1.1 200 ") and not got.endswith(b"0\r\n\r\n") and len(got) < 5_000_000
    starts_ = [int(n) for n in re.findall(rb'"start":(\d+),', re.sub(rb"\r\n[0-9a-f]{8}\r\n", b"", got))]
    assert starts_ == list(range(START, START + 1000 * len(starts_), 1000))
