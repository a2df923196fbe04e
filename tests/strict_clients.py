"""Clients that end a connection over whatever is not by the letter: npm's ws and eventsource, Debian's websockets and
wsproto, and frames made by hand."""

import asyncio
import json
import os
import socket
import struct
import subprocess
import threading
import time

from websockets.exceptions import ConnectionClosed
from websockets.legacy.client import WebSocketClientProtocol, connect  # whose pings can be seen
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, Ping, Request
from wsproto.frame_protocol import CloseReason

from tests.kafka_server import die_with_parent
from tests.program import ROOT, SOON
from tests.web import Event, Stream

SCRIPT = ROOT / "tests" / "strict_clients.js"


class Strict(Stream):
    """`code`: of the close frame that came, 1005 for one without, 1006 for none; `pings` that were answered."""

    def __init__(self):
        super().__init__()
        self.pings, self.code, self.opens = [], None, 0

    def tell(self, text):
        told = json.loads(text)
        self.events.append(Event(told["event"], told.get("id"), told["data"]))

    def begin(self, work, *arguments):
        def guarded():
            try:
                work(*arguments)
            except Exception as error:
                self.error = error
            self.ended.set()
        threading.Thread(target=guarded, daemon=True).start()


class Node(Strict):
    def __init__(self, kind, url):
        super().__init__()
        self.process = subprocess.Popen(["node", SCRIPT, kind, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, preexec_fn=die_with_parent)
        self.begin(self._read)

    def _read(self):
        for line in self.process.stdout:
            told = json.loads(line)
            if "event" in told:
                self.events.append(Event(told["event"], told["id"], told["data"]))
            elif "message" in told:
                self.tell(told["message"])
            elif "ping" in told:
                self.pings.append(told["ping"].encode("latin-1"))
            elif "close" in told:
                self.code = told["close"]
            elif "error" in told:
                self.error = told["error"]
            self.opens += "open" in told
        self.process.wait()

    def leave(self, code=None, reason=""):
        self.process.stdin.write("close" + (f" {code} {reason}" if code else "") + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.ended.wait(10)


class NpmWs(Node):
    def __init__(self, port, path="/ws"):
        super().__init__("ws", f"ws://localhost:{port}{path}")


class NpmEventSource(Node):
    def __init__(self, port, path="/events"):
        super().__init__("eventsource", f"http://localhost:{port}{path}")


class Websockets(Strict):
    def __init__(self, port, path="/ws"):
        super().__init__()
        self.loop, self.connection = asyncio.new_event_loop(), None
        self.begin(self.loop.run_until_complete, self._read(f"ws://localhost:{port}{path}"))

    async def _read(self, uri):
        strict = self

        class Protocol(WebSocketClientProtocol):
            async def pong(self, data=b""):
                strict.pings.append(data)
                await super().pong(data)

        self.connection = await connect(uri, create_protocol=Protocol, max_size=None, ping_interval=None)
        self.opens = 1
        try:
            while True:
                self.tell(await self.connection.recv())
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else 1006
            if closed.sent and closed.sent.code in (1002, 1007, 1009):  # it found something wrong
                self.error = closed
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    def leave(self, code=None, reason=""):
        assert code  # it has no way to say none
        asyncio.run_coroutine_threadsafe(self.connection.close(code, reason), self.loop)

    def end(self):
        if self.connection and not self.ended.is_set():
            self.loop.call_soon_threadsafe(self.connection.transport.abort)
        self.ended.wait(10)


class Wsproto(Strict):
    def __init__(self, port, path="/ws"):
        super().__init__()
        self.socket = socket.create_connection(("127.0.0.1", port), 60)
        self.protocol, self.text, self.lock = WSConnection(ConnectionType.CLIENT), "", threading.Lock()
        self._send(Request(host=f"localhost:{port}", target=path))
        self.begin(self._read)

    def _send(self, event):
        with self.lock:
            self.socket.sendall(self.protocol.send(event))

    def _read(self):
        try:
            while data := self.socket.recv(65536):
                self.protocol.receive_data(data)
                for event in self.protocol.events():
                    self._take(event)
        except ConnectionResetError:
            pass
        self.code = self.code or 1006
        self.socket.close()

    def _take(self, event):
        if isinstance(event, AcceptConnection):
            self.opens = 1
        elif isinstance(event, Message):
            self.text += event.data
            if event.message_finished:
                self.tell(self.text)
                self.text = ""
        elif isinstance(event, Ping):
            self.pings.append(bytes(event.payload))
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            self.code = int(event.code)
            if self.protocol.state.name == "REMOTE_CLOSING":
                try:
                    self._send(event.response())
                except OSError:  # a server that ends waits for nobody
                    pass

    def leave(self, code=None, reason=""):
        self._send(CloseConnection(code=code or CloseReason.NO_STATUS_RCVD, reason=reason))

    def end(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.ended.wait(10)


# ---- Frames by hand (RFC 6455, section 5.2)

def frame(opcode, payload=b"", final=True, reserved=0, masked=True, length=None):
    """`length`: what it says of itself, if that isn't the truth."""
    said = len(payload) if length is None else length
    head = bytes([final << 7 | reserved << 4 | opcode])
    bit = masked << 7
    if said < 126:
        head += bytes([bit | said])
    else:
        head += struct.pack(">BH", bit | 126, said) if said < 65536 else struct.pack(">BQ", bit | 127, said)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


class ByHand:
    """A connection whose frames are the test's own."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.sendall(b"GET /ws HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" % port)
        self.bytes = b""
        while b"\r\n\r\n" not in self.bytes:
            self.bytes += self.socket.recv(65536)
        head, _, self.bytes = self.bytes.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head

    def send(self, data):
        try:
            self.socket.sendall(data)
        except ConnectionError:
            pass  # it has ended already: what it said is read

    def _need(self, count):
        while len(self.bytes) < count:
            part = self.socket.recv(65536)
            if not part:
                raise EOFError
            self.bytes += part
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken

    def next(self):
        """(opcode, payload)"""
        first, length = self._need(2)
        assert first & 0x70 == 0 and length & 0x80 == 0, "a server masks nothing and reserves nothing"
        if length >= 126:
            length = int.from_bytes(self._need(2 if length == 126 else 8), "big")
        return first & 0xf, self._need(length)

    def until(self, opcode, timeout=SOON):
        """The payload of the next frame of that kind; None if the connection ended before."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
                found, payload = self.next()
                if found == opcode:
                    return payload
        except (EOFError, ConnectionError):
            return None

    def code(self, timeout=SOON):
        """Of the close frame: 1005 if it has none, 1006 if none came and the connection ended."""
        payload = self.until(8, timeout)
        if payload is None:
            return 1006
        assert len(payload) != 1, "half a code"
        return struct.unpack(">H", payload[:2])[0] if payload else 1005

    def close(self):
        self.socket.close()


class Cable:
    """Between clients and the server: it can be cut, and put together again."""

    def __init__(self, port, target):
        self.target, self.pairs, self.whole = target, [], True
        self.listener = socket.create_server(("127.0.0.1", port), backlog=16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                client, _ = self.listener.accept()
                if not self.whole:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.target))
                self.pairs.append((client, server))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()
        except OSError:
            pass

    @staticmethod
    def _carry(source, sink):
        try:
            while part := source.recv(65536):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        """Without a goodbye: both sides are reset."""
        self.whole, pairs, self.pairs = False, self.pairs, []
        for each in [s for pair in pairs for s in pair]:
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def mend(self):
        self.whole = True

    def close(self):
        self.listener.close()
        self.cut()
