"""HTTP, SSE and WebSocket as a client sees them, on 127.0.0.1."""

import asyncio
import http.client
import json
import socket
import threading
from collections import namedtuple

import websockets

from tests.program import SOON

Response = namedtuple("Response", "status headers body")


def get(port, path, method="GET", timeout=SOON, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return Response(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def get_json(port, path, **headers):
    answer = get(port, path, **headers)
    assert answer.status == 200, (path, answer)
    assert answer.headers["Content-Type"].startswith("application/json")
    return json.loads(answer.body)


def answers(port, path="/livez"):
    try:
        return get(port, path).status == 200
    except OSError:
        return False


def raw(port, request, timeout=5):
    """What comes back on a connection for these bytes, until it is closed or silent."""
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        s.sendall(request)
        answer = b""
        try:
            while part := s.recv(65536):
                answer += part
                if b"\r\n\r\n" in answer:
                    s.settimeout(0.3)
        except (TimeoutError, ConnectionError):
            pass
        return answer


Event = namedtuple("Event", "event id data")


class Stream:
    """Events of /events or /ws, collected in the background."""

    def __init__(self):
        self.events, self.error, self.lines = [], None, []
        self.ended = threading.Event()

    def named(self, name):
        return [e for e in list(self.events) if e.event == name]

    def windows(self):
        return [e.data for e in self.named("window")]

    def newest(self):
        """The start of the newest window it was told of; one who is far behind gets a snapshot."""
        told = [e.data["windows"][-1] if e.event == "snapshot" and e.data["windows"] else e.data
                for e in list(self.events) if e.event != "status"]
        return max((w.get("start", 0) for w in told), default=0)

    def last_id(self):
        return [e.id for e in list(self.events) if e.id is not None][-1]


class Sse(Stream):
    def __init__(self, port, path="/events", **headers):
        super().__init__()
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        fields = {}
        try:
            while line := self.response.readline():
                line = line.decode().rstrip("\r\n")
                self.lines.append(line)
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    fields[name] = fields[name] + "\n" + value if name == "data" and "data" in fields else value
                elif "data" in fields:
                    self.events.append(Event(fields.get("event"), fields.get("id"), json.loads(fields["data"])))
                    fields = {}
                else:
                    fields = {}
        except Exception as error:
            self.error = error
        self.ended.set()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.ended.wait(10)  # what had come is collected: nothing is added from here on
        self.connection.close()


class WebSocket(Stream):
    def __init__(self, port, path="/ws"):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stop = None
        self.uri = f"ws://127.0.0.1:{port}{path}"
        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._read()), daemon=True)
        self.thread.start()

    async def _read(self):
        self.stop = asyncio.Event()
        try:
            async with websockets.connect(self.uri, max_size=None) as connection:
                reader = asyncio.ensure_future(self._collect(connection))
                waiter = asyncio.ensure_future(self.stop.wait())
                await asyncio.wait({reader, waiter}, return_when=asyncio.FIRST_COMPLETED)
                self.close_code = connection.close_code  # None: it was this side that ended
                reader.cancel()
                waiter.cancel()
        except Exception as error:
            self.error = error
        self.ended.set()

    async def _collect(self, connection):
        async for message in connection:
            told = json.loads(message)
            self.events.append(Event(told["event"], told.get("id"), told["data"]))

    def close(self):
        if self.stop:
            self.loop.call_soon_threadsafe(self.stop.set)
            self.ended.wait(10)
        self.thread.join(10)
