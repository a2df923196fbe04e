"""A dashboard's server that says what a test wants: the page's own files, and messages as the real one sends them."""

import asyncio
import contextlib
import json
import math
import mimetypes
import threading
import time
import zlib
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import websockets

from tests.program import ROOT, SOON

WEB = ROOT / "dashboard" / "web"
DYGRAPHS = Path("/usr/share/javascript/dygraphs/dygraph.min.js")
CSP = "default-src 'self'"  # as in dashboard/reply.c
SNAPSHOT = 600              # as LIMIT_SNAPSHOT
QUIET = 1.1                 # seconds, as in dashboard/stream.c
LABELS = [{"name": "female", "zh": "女生"}, {"name": "male", "zh": "男生"}, {"name": "unknown", "zh": "未知"},
          {"name": "other", "zh": "other"}]


def window(start, counts, size=1000, job="gender"):
    names = [label["name"] for label in LABELS]
    counts = dict(zip(names, [*counts, *[0] * len(names)]))
    return {"job": job, "start": start, "end": start + size, "counts": counts, "total": sum(counts.values())}


def wave(start, size=1000):
    """Counts that look alive, and are the same each time."""
    n = start // size
    chance = zlib.crc32(str(n).encode())
    female = 6 + 2 * math.sin(n / 97) + chance % 7 - 3
    male = 4 - 1.5 * math.sin(n / 61) + (chance >> 8) % 5 - 2
    return window(start, [max(0, round(female)), max(0, round(male)), int((chance >> 16) % 11 == 0)], size)


def past(count, until=None, step=1000):
    """So many windows, the newest of which starts at `until`, or now."""
    last = (until or int(time.time() * 1000)) // step * step
    return [wave(last - n * step, step) for n in reversed(range(count))]


class PageDouble:
    def __init__(self, port, windows=(), jobs=("gender",), window_of=(1000, 1000, 1000), labels=None):
        self.port, self.url = port, f"http://localhost:{port}/"
        self.jobs, self.labels = list(jobs), labels or LABELS
        self.windows = {w["start"]: w for w in windows}
        size, slide, lateness = window_of or (0, 0, 0)
        self.window = {"size": size, "slide": slide, "lateness": lateness} if window_of else None
        self.status = {"kafka": "connected", "source_lag": 0, "result_lag": 0, "clients": 1, "engine": "local",
                       "spark": None}
        self.age = 0 if self.windows else None  # of the newest record, in ms: it is what a test says, however slow all is
        self.asked, self.clients, self.answers_ws = [], set(), True
        self.loop, self.started = asyncio.new_event_loop(), threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.started.wait(SOON)

    @property
    def last_record(self):
        return None if self.age is None else int(time.time() * 1000) - self.age

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())

    async def _serve(self):
        self.stop = asyncio.Event()
        async with websockets.serve(self._client, "127.0.0.1", self.port, process_request=self._http, max_size=None,
                                    ping_interval=None, close_timeout=0.2):
            self.started.set()
            while not self.stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stop.wait(), QUIET)
                for socket in list(self.clients):
                    with contextlib.suppress(websockets.ConnectionClosed):
                        await self._tell(socket, "status", self._status())

    def close(self):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(10)

    # ---- HTTP

    def _list(self, query):
        low, high = int(query.get("from", [-2**62])[0]), int(query.get("to", [2**62])[0])
        limit = int(query.get("limit", [3600])[0])
        return [self.windows[s] for s in sorted(self.windows) if low <= s < high][-limit:]

    async def _http(self, path, headers):
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        self.asked.append(path)
        if parts.path == "/ws":
            return None if self.answers_ws else (HTTPStatus.SERVICE_UNAVAILABLE, [], b"")
        answers = {"/api/jobs": lambda: {"jobs": self.jobs},
                   "/api/windows": lambda: {**self._head(query), "windows": self._list(query)},
                   "/livez": lambda: {}}
        if parts.path in answers:
            return self._say(json.dumps(answers[parts.path]()).encode(), "application/json")
        name = parts.path.lstrip("/") or "index.html"
        file = DYGRAPHS if name == DYGRAPHS.name else WEB / name
        if file.parent not in (WEB, DYGRAPHS.parent) or not file.is_file():
            return HTTPStatus.NOT_FOUND, [], b""
        return self._say(file.read_bytes(), mimetypes.guess_type(file.name)[0])

    def _say(self, body, kind):
        return HTTPStatus.OK, [("Content-Type", kind), ("Content-Security-Policy", CSP)], body

    # ---- the feed

    def _head(self, query=None):
        job = (query or {}).get("job", self.jobs)[0]
        return {"job": job, "edition": "0", "labels": self.labels, "window": self.window}

    def _status(self):
        return {"now": int(time.time() * 1000), "job": self.jobs[0], "last_record": self.last_record, **self.status}

    async def _client(self, socket, path):
        query = parse_qs(urlsplit(path).query)
        head = self._head(query)
        windows = [{**self.windows[s], "job": head["job"]} for s in sorted(self.windows)][-SNAPSHOT:]
        await self._tell(socket, "snapshot", {**head, "windows": windows}, "0-1")
        await self._tell(socket, "status", self._status())
        self.clients.add(socket)
        try:
            await socket.wait_closed()
        finally:
            self.clients.discard(socket)

    async def _tell(self, socket, event, data, number=None):
        await socket.send(json.dumps({"event": event, "id": number, "data": data}))

    def _all(self, event, data, number=None):
        async def tell():
            for socket in list(self.clients):
                await self._tell(socket, event, data, number)
        asyncio.run_coroutine_threadsafe(tell(), self.loop).result(SOON)

    def say(self, **changes):
        """A status."""
        self.status.update(changes)
        self._all("status", self._status())

    def send(self, *windows, age=0):
        """Updates of windows, as they come from the topic."""
        for each in windows:
            self.windows[each["start"]] = each
            self.age = age
            self._all("window", each, f"0-{len(self.windows)}")

    def snapshot(self):
        """As to one who was far behind."""
        head = self._head()
        self._all("snapshot", {**head, "windows": [self.windows[s] for s in sorted(self.windows)][-SNAPSHOT:]}, "0-1")

    def drop_clients(self):
        async def drop():
            for socket in list(self.clients):
                await socket.close(1001)
        asyncio.run_coroutine_threadsafe(drop(), self.loop).result(SOON)
