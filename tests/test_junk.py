"""Junk on the wire: what it is answered, that it ends soon, that it costs the server little, and that meanwhile a good
client is told everything."""

import contextlib
import os
import re
import select
import socket
import ssl
import struct
import time

import pytest

from tests import fixture, oracle
from tests.program import chosen, until
from tests.strict_clients import ByHand, Wsproto, frame
from tests.test_server import SOON, START, Site, cpu, get, make_cert, site  # noqa: F401 (a fixture)
from tests.test_strict_clients import shared, snapshot, starts, unharmed  # noqa: F401 (a fixture)
from tests.web import answers

SANITIZED = "asan" in str(chosen())
SLOWER = 8 if SANITIZED else 1  # what the sanitizers cost
REQUEST_S = 10  # dashboard/server.c: a request that is not whole by then ends; libwebsockets looks once a second
IDLE_S = 15  # of a connection between two requests
ENDS_S = REQUEST_S + 3
MEMORY = (64 << 20) if SANITIZED else (6 << 20)  # the sanitizers keep for a while what is freed


@pytest.fixture(scope="module")
def bystander(shared):
    client = Wsproto(shared.port)
    snapshot(client)
    yield client
    client.end()


@contextlib.contextmanager
def cheaply(server, client, seconds):
    """Within so many seconds of the server's processor time, and no memory kept; the bystander misses nothing, neither
    in the midst of it nor afterwards. Processor time: how long it takes by the clock is other processes' affair."""
    unharmed(server, client)
    used, memory, descriptors = cpu(server.running.pid), server.running.memory(), server.running.descriptors()
    yield
    unharmed(server, client)
    assert cpu(server.running.pid) - used < seconds * SLOWER
    until(lambda: server.running.descriptors() <= descriptors, ENDS_S, "the end of all connections", every=0.1)
    assert server.running.memory() - memory < MEMORY
    assert server.running.process.poll() is None


def statuses(answer):
    """Of all answers in there."""
    return [int(found) for found in re.findall(rb"^HTTP/1\.[01] (\d{3}) ", answer, re.M)]


def exchange(port, data, timeout=ENDS_S, half=False):
    """(what came, whether the server ended the connection); sends and reads at once, whoever is faster."""
    answer, sent, deadline = b"", 0, time.monotonic() + timeout
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.setblocking(False)
        while (left := deadline - time.monotonic()) > 0:
            readable, writable, _ = select.select([s], [s] if sent < len(data) else [], [], left)
            try:
                if writable:
                    sent += s.send(data[sent:sent + 65536])
                    if sent == len(data) and half:
                        s.shutdown(socket.SHUT_WR)
                if readable:
                    part = s.recv(65536)
                    if not part:
                        return answer, True
                    answer += part
            except ConnectionError:
                return answer, True
    return answer, False


def ask(line=b"GET /livez HTTP/1.1", *headers, host=True):
    return b"\r\n".join([line, *([b"Host: localhost:PORT"] if host else []), *headers, b"", b""])


WS = (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13",
      b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
SLOW = {}
JUNK = {
    # name: (bytes, the answers that may come, [] for none; whether it may stay open)
    "a line and no end": (b"GET / HTTP/1.1", ),
    "half a head": (b"GET / HTTP/1.1\r\nHost: localhost:PORT\r\n", ),
    "nothing at all": (b"", ),
    "a body that never comes": (ask(b"POST / HTTP/1.1", b"Content-Length: 1000000"), ),
    "a body in part": (ask(b"POST / HTTP/1.1", b"Content-Length: 1000") + b"x" * 100, ),
    "a body behind a GET": (ask(b"GET /livez HTTP/1.1", b"Content-Length: 5") + b"hello", ),
    "a line of 100 kB": (ask(b"GET /livez HTTP/1.1", b"X: " + b"y" * 100_000), ),
    "a cookie of 100 kB": (ask(b"GET /livez HTTP/1.1", b"Cookie: " + b"y" * 100_000), ),
    "10,000 lines": (ask(b"GET /livez HTTP/1.1", *[b"X-%d: y" % n for n in range(10_000)]), ),
    "10,000 hosts": (ask(b"GET /livez HTTP/1.1", *[b"Host: x"] * 10_000), ),
    "an address of 1 MB": (ask(b"GET /" + b"x" * 1_000_000 + b" HTTP/1.1"), ),
    "a query of 1 MB": (ask(b"GET /livez?" + b"a=b&" * 250_000 + b" HTTP/1.1"), ),
    "NULs in the address": (ask(b"GET /livez\0/x HTTP/1.1"), ),
    "NULs in a header": (ask(b"GET /livez HTTP/1.1", b"Cookie: a\0b"), ),
    "a NUL by percent": (ask(b"GET /livez%00x HTTP/1.1"), ),
    "a bad escape": (ask(b"GET /livez%zz HTTP/1.1"), ),
    "a short escape": (ask(b"GET /livez% HTTP/1.1"), ),
    "half an escape": (ask(b"GET /livez%2 HTTP/1.1"), ),
    "a bad escape in the query": (ask(b"GET /api/windows?from=%zz HTTP/1.1"), ),
    **{f"up by {path.decode('latin-1')}": (ask(b"GET " + path + b" HTTP/1.1"), ) for path in (
        b"/../etc/passwd", b"/..", b"/a/../../etc/passwd", b"/%2e%2e/etc/passwd", b"/%2e%2e%2fetc%2fpasswd",
        b"/..%2fetc/passwd", b"/..%5cetc/passwd", b"/..\\etc\\passwd", b"/%252e%252e/etc/passwd", b"/..;/etc/passwd",
        b"/....//etc/passwd", b"/%c0%ae%c0%ae/etc/passwd", b"/./../.././etc/passwd", b"//etc/passwd",
        b"/app.js/../../etc/passwd", b"/web/app.js", b"..", b"/.git/config")},
    "an absolute address": (ask(b"GET http://localhost:PORT/livez HTTP/1.1"), ),
    "an absolute address of another": (ask(b"GET http://evil.example/livez HTTP/1.1"), ),
    "an authority": (ask(b"CONNECT evil.example:443 HTTP/1.1"), ),
    "an asterisk": (ask(b"OPTIONS * HTTP/1.1"), ),
    "HTTP/0.9": (b"GET /livez\r\n", ),
    "HTTP/1.0": (b"GET /livez HTTP/1.0\r\nHost: localhost:PORT\r\n\r\n", ),
    "HTTP/1.0 without a host": (b"GET /livez HTTP/1.0\r\n\r\n", ),
    "HTTP/9.9": (ask(b"GET /livez HTTP/9.9"), ),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0", ),
    "an upgrade to h2c": (ask(b"GET /livez HTTP/1.1", b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings",
                              b"HTTP2-Settings: AAMAAABkAAQAAP__"), ),
    "a TLS hello": (bytes.fromhex("16030100c8010000c40303") + bytes(range(194)), ),
    "binary": (bytes(range(256)) * 4, ),
    "no method": (b" / HTTP/1.1\r\n\r\n", ),
    "an unknown method": (ask(b"BREW /livez HTTP/1.1"), ),
    "a method of 100 kB": (ask(b"X" * 100_000 + b" / HTTP/1.1"), ),
    "lines without CR": (b"GET /livez HTTP/1.1\nHost: localhost:PORT\n\n", ),
    "a line that goes on": (ask(b"GET /livez HTTP/1.1", b"Cookie: a", b" b"), ),
    "a space before the colon": (ask(b"GET /livez HTTP/1.1", b"Content-Length : 5"), ),
    "a line without a colon": (ask(b"GET /livez HTTP/1.1", b"nonsense"), ),
    "chunks of absurd length": (ask(b"POST /livez HTTP/1.1", b"Transfer-Encoding: chunked") + b"ffffffffffffffff\r\nx", ),
    "chunks that are none": (ask(b"POST /livez HTTP/1.1", b"Transfer-Encoding: chunked") + b"zz\r\nx\r\n", ),
    "a chunked GET": (ask(b"GET /livez HTTP/1.1", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", ),
    "a length of 2^64": (ask(b"POST /livez HTTP/1.1", b"Content-Length: 18446744073709551616"), ),
    "a negative length": (ask(b"POST /livez HTTP/1.1", b"Content-Length: -1"), ),
    "two lengths": (ask(b"POST /livez HTTP/1.1", b"Content-Length: 5", b"Content-Length: 6") + b"hello", ),
    "a length and chunks": (ask(b"POST /livez HTTP/1.1", b"Content-Length: 5", b"Transfer-Encoding: chunked") + b"0\r\n\r\n", ),
    "no host": (ask(host=False), ),
    "two hosts": (ask(b"GET /livez HTTP/1.1", b"Host: localhost:PORT"), ),
    "two hosts, one of them another": (ask(b"GET /livez HTTP/1.1", b"Host: evil.example"), ),
    **{f"host {host.decode('latin-1')[:40]}": (ask(b"GET / HTTP/1.1", b"Host: " + host, host=False), ) for host in (
        b"evil.example", b"evil.example:PORT", b"localhost:1", b"localhost.evil.example:PORT", b"127.0.0.1.nip.example:PORT",
        b"localhost:PORT.evil.example", b"localhost:PORT@evil.example", b"evil.example#localhost:PORT", b"2130706433:PORT",
        b"0x7f.1:PORT", b"0.0.0.0:PORT", b"[::ffff:127.0.0.1]:PORT", b"localhost:PORT, evil.example", b"", b"\xff\xfe",
        b"x" * 3000)},
    **{f"origin {origin.decode('latin-1')}": (ask(b"GET /api/windows HTTP/1.1", b"Origin: " + origin), ) for origin in (
        b"null", b"http://evil.example", b"http://localhost:PORT.evil.example", b"http://localhost:1", b"file://",
        b"http://evil.example\thttp://localhost:PORT", b"\xff")},
    "a socket from another origin": (ask(b"GET /ws HTTP/1.1", *WS, b"Origin: http://evil.example"), ),
    "a socket of version 8": (ask(b"GET /ws HTTP/1.1", *WS[:2], b"Sec-WebSocket-Version: 8", WS[3]), ),
    "a socket without a version": (ask(b"GET /ws HTTP/1.1", *WS[:2], WS[3]), ),
    "a socket without a key": (ask(b"GET /ws HTTP/1.1", *WS[:3]), ),
    "a socket with a short key": (ask(b"GET /ws HTTP/1.1", *WS[:3], b"Sec-WebSocket-Key: x"), ),
    "a socket with a long key": (ask(b"GET /ws HTTP/1.1", *WS[:3], b"Sec-WebSocket-Key: " + b"x" * 3000), ),
    "a socket without an upgrade": (ask(b"GET /ws HTTP/1.1", *WS[2:]), ),
    "a socket by POST": (ask(b"POST /ws HTTP/1.1", *WS), ),
    "a socket elsewhere": (ask(b"GET /livez HTTP/1.1", *WS), ),
    "a socket twice": (ask(b"GET /ws HTTP/1.1", *WS) * 2, ),
    "a socket and HTTP behind it": (ask(b"GET /ws HTTP/1.1", *WS) + ask(), ),
    "1,000 requests at once": (ask() * 1000, ),
    "1,000 wrong ones at once": (ask(b"GET /nowhere HTTP/1.1") * 1000, ),
}


@pytest.mark.parametrize("name", JUNK)
def test_requests_that_are_wrong(shared, bystander, name):
    data, = JUNK[name]
    with cheaply(shared, bystander, 2):
        t=time.monotonic()
        c=cpu(shared.running.pid)
        answer, ended = exchange(shared.port, data.replace(b"PORT", b"%d" % shared.port))
        print("REPORT", repr(name[:40]), statuses(answer)[:3], len(statuses(answer)), ended, f"{time.monotonic()-t:.1f}", f"cpu {cpu(shared.running.pid)-c:.2f}", answer[:40] if not statuses(answer) else "")
