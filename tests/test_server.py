"""The live server, over result topics that the test writes itself: what it must show is known exactly."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import time

import pytest
import websockets
from prometheus_client.parser import text_string_to_metric_families

from tests import fixture, oracle, spark_double
from tests import nginx as nginx_server
from tests.kafka_server import free_port
from tests.program import PROMPT_S, ROOT, SOON, Program, chosen, until
from tests.tcp_proxy import TcpProxy
from tests.test_produce import fill, results
from tests.test_submit import Pair
from tests.web import Sse, WebSocket, answers, get, get_json, raw

ALL = os.environ.get("TALLY_ALL") == "1"
START = fixture.BASE


class Site:
    """`tally dashboard` over one job or several, and the result topics."""

    def __init__(self, kafka, folder, names, *options):
        self.kafka, self.specs = kafka, {}
        for name in names:
            spec = fixture.spec(name)
            spec["sink"]["topic"] = name + "-out"
            self.specs[name] = spec
            kafka.create_topic(spec["sink"]["topic"])
        self.paths = [fixture.write_spec(folder, spec) for spec in self.specs.values()]
        self.name, self.spec = next(iter(self.specs.items()))
        self.program, self.options, self.port = Program(cwd=folder), options, free_port()
        self.start()

    def start(self):
        self.running = self.program.start("dashboard", *self.paths, "--bootstrap-servers", self.kafka.address,
                                          "--port", self.port, *self.options)
        self.running.wait_for(r"http://localhost:\d+/")
        until(lambda: answers(self.port), SOON, "the server")

    def write(self, windows, name=None, total=None):
        """windows: numbers n of seconds after START; the counts of n are known. Gives the records."""
        spec = self.specs[name or self.name]
        lines = []
        for n in windows:
            counts = dict(zip(oracle.series(spec), counts_of(n)))
            if total is not None:
                counts["other"] += total - sum(counts.values())
            key, value = oracle.result(spec, START + n * 1000, counts)
            lines.append((key, value))
        self.kafka.write(spec["sink"]["topic"], lines)
        return [json.loads(value) for _, value in lines]

    def shows(self, path, condition):
        return until(lambda: condition(found := get_json(self.port, path)) and found, SOON, path)

    def fill(self, windows, name=None):
        records = self.write(windows, name)
        path = f"/api/windows?job={name or self.name}"
        self.shows(path, lambda d: d["windows"] and d["windows"][-1] == records[-1])
        return records


def counts_of(n):
    return [n % 7 + 1, n % 5, n % 3, n % 2]


@pytest.fixture
def site(kafka, tmp_path, unique):
    made = []

    def make(*names, options=()):
        made.append(Site(kafka, tmp_path, [unique(name) for name in names or ["page"]], *options))
        return made[-1]
    yield make
    for each in made:
        each.program.end_all()


def numbers(data):
    return [(w["start"] - START) // 1000 for w in data["windows"]]


# ---- Requests

def test_windows(site):
    page = site()
    port = page.port
    empty = get_json(port, "/api/windows")
    assert empty["job"] == page.name and empty["windows"] == []
    labels = [label["name"] for label in empty["labels"]]
    assert labels == oracle.series(page.spec)
    records = page.fill(range(20))
    data = get_json(port, "/api/windows")
    assert data["windows"] == records
    for query, wanted in {
            f"from={START + 5000}": range(5, 20), f"from={START + 4999}": range(5, 20),
            f"to={START + 5000}": range(5), f"to={START + 5001}": range(6),
            f"from={START + 3000}&to={START + 7000}": range(3, 7), "limit=3": range(17, 20), "limit=0": range(0),
            f"to={START + 7000}&limit=2": range(5, 7), f"from={START + 7000}&to={START + 7000}": range(0),
            "limit=100000": range(20), "from=0": range(20), f"job={page.name}": range(20),
            "from=-1&to=9999999999999": range(20)}.items():
        assert numbers(get_json(port, f"/api/windows?{query}")) == list(wanted), query


def test_csv(site):
    page = site()
    records = page.fill(range(3))
    answer = get(page.port, f"/api/windows.csv?from={START + 1000}")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{page.name}.csv"'
    download = get(page.port, "/api/windows?limit=2&download")
    assert download.headers["Content-Disposition"] == f'attachment; filename="{page.name}.json"'
    assert json.loads(download.body)["windows"] == records[1:]
    assert not get(page.port, "/api/windows").headers["Content-Disposition"]
    rows = [[field.decode() for field in row] for row in oracle.read_csv(answer.body)]
    assert rows[0] == ["job", "start", "end", *oracle.series(page.spec), "total"]
    assert rows[1:] == [[page.name, str(r["start"]), str(r["end"]), *map(str, r["counts"].values()), str(r["total"])]
                        for r in records[1:]]


def test_of_a_windows_records_the_largest_total_is_shown(site):
    page = site()
    page.fill([0, 1])
    page.write([0], total=100)
    page.write([0], total=50)
    page.fill([2])
    data = get_json(page.port, "/api/windows")
    assert numbers(data) == [0, 1, 2] and data["windows"][0]["total"] == 100


def test_windows_that_come_out_of_order(site):
    page = site()
    page.write([5, 3, 9, 1])
    page.shows("/api/windows", lambda d: numbers(d) == [1, 3, 5, 9])


def test_records_that_are_none(site):
    """Counted, and no harm."""
    page = site()
    page.fill([0])
    topic = page.spec["sink"]["topic"]
    good = json.loads(oracle.result(page.spec, START, dict.fromkeys(oracle.series(page.spec), 1000))[1])
    page.kafka.write(topic, [(b"key", junk) for junk in (
                 None, b"", b"{", b"\xff\xfe", b"[]", b"1", b'[{"0": "5x"}]', b"[1]", b"{}", b"x" * 100000, b"[" * 50000,
                 json.dumps(good | {"job": "another"}).encode(), json.dumps(good | {"total": 7}).encode(),
                 json.dumps(good | {"counts": {"female": -1}, "total": -1}).encode(),
                 json.dumps(good | {"start": "soon"}).encode(), json.dumps(good | {"start": 1e300}).encode(),
                 json.dumps(good | {"counts": {"x": 1}, "total": 1}).encode())])
    records = page.fill([1])
    data = get_json(page.port, "/api/windows")
    assert numbers(data) == [0, 1] and data["windows"][1] == records[0] and data["windows"][0]["total"] < 1000


def test_what_was_there_before(site):
    """History is filled from the topic at start-up, and after a restart."""
    page = site()
    records = page.fill(range(200))
    page.running.stop()
    page.start()
    page.shows("/api/windows", lambda d: d["windows"] == records)


@pytest.mark.parametrize("history", [(), ("--history", "6h")], ids=["", "by time"])
def test_a_slow_way_to_kafka(kafka, tmp_path, unique, history):
    """Kafka's statistics come every 500 ms, long before the topic is known."""
    far = TcpProxy(free_port(), int(kafka.address.rpartition(":")[2]), delay=0.4)
    spec = fixture.spec(unique("page"))
    kafka.create_topic(spec["sink"]["topic"])
    kafka.write(spec["sink"]["topic"], [oracle.result(spec, START, dict(zip(oracle.series(spec), counts_of(1))))])
    program, port = Program(cwd=tmp_path), free_port()
    try:
        running = program.start("dashboard", fixture.write_spec(tmp_path, spec), "--bootstrap-servers",
                                f"127.0.0.1:{far.port}", "--port", port, *history)
        running.wait_for(r"http://localhost:\d+/")
        until(lambda: get_json(port, "/api/windows")["windows"], SOON, "a window")
        assert "partitions now" not in running.err
    finally:
        program.end_all()
        far.close()


@pytest.mark.parametrize("comes", [True, False], ids=["it comes", "ctrl-c before"])
def test_wait_topic(kafka, tmp_path, unique, tally, comes):
    """A page may start before the job that makes its topic."""
    spec, port = fixture.spec(unique("page")), free_port()
    running = tally.start("dashboard", fixture.write_spec(tmp_path, spec), "-b", kafka.address, "--port", port,
                          "--wait-topic", "-v")
    running.wait_for(r"waiting for topic")
    if comes:
        kafka.create_topic(spec["sink"]["topic"])
        until(lambda: answers(port), SOON, "the page")
    assert running.stop()[0] == 0


def test_history_is_bounded(site):
    page = site()
    page.fill(range(5000))
    data = get_json(page.port, "/api/windows")
    assert 1000 <= len(data["windows"]) <= 3600 and numbers(data)[-1] == 4999
    page.running.stop()
    page.start()
    data = page.shows("/api/windows", lambda d: d["windows"] and numbers(d)[-1] == 4999)
    assert 1000 <= len(data["windows"]) <= 3600


def test_several_jobs(site):
    page = site("one", "two")
    one, two = page.specs
    first, second = page.fill([1, 2], one), page.fill([7], two)
    assert get_json(page.port, f"/api/windows?job={one}")["windows"] == first
    assert get_json(page.port, f"/api/windows?job={two}")["windows"] == second
    stream = Sse(page.port, f"/events?job={two}")
    until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    page.write([3], one)
    third = page.write([8], two)
    until(lambda: stream.windows(), SOON, "a window")
    assert stream.windows() == third
    stream.close()
    assert get(page.port, "/api/windows?job=three").status == 404


def test_status_health_metrics(site):
    page = site()
    page.fill(range(3))
    status = get_json(page.port, "/api/status")
    assert status["job"] == page.name or page.name in json.dumps(status)
    assert "kafka" in status
    for path in ("/livez", "/readyz"):
        assert get(page.port, path).status == 200
    metrics = get(page.port, "/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain")
    check_metrics(metrics.body.decode())


SAMPLE = re.compile(r'(tally_[a-z0-9_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[\d.e+-]+|NaN|[+-]Inf)')


def check_metrics(text):
    """Prometheus' text format, by its own parser and by the letter: each family with its help and type before its
    samples, names tally_..., no sample twice, histograms that add up. Gives {(name, labels): value}."""
    types, helps, seen = {}, set(), set()
    assert text.endswith("\n")
    for line in text.splitlines():
        _, kind, name, rest = (line + " ").split(" ", 3) if line.startswith("# ") else ("", "", "", "")
        if kind == "HELP":
            assert name not in helps and rest.strip()
            helps.add(name)
        elif kind == "TYPE":
            assert name in helps and name not in types and rest.strip() in ("counter", "gauge", "histogram")
            types[name] = rest.strip()
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            family = match[1] if match[1] in types else re.sub("_(bucket|sum|count)$", "", match[1])
            assert family in types, f"no type: {line}"
            assert types[family] != "counter" or family.endswith("_total"), line
            assert (match[1], match[2]) not in seen, line
            seen.add((match[1], match[2]))
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation, family
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
        if family.type == "histogram":
            check_histogram(family)
    assert len(found) == len(seen) and set(types) == helps
    return found


def check_histogram(family):
    jobs = {s.labels["job"] for s in family.samples}
    for job in jobs:
        own = [s for s in family.samples if s.labels["job"] == job]
        buckets = [s for s in own if s.name.endswith("_bucket")]
        bounds, values = [float(s.labels["le"]) for s in buckets], [s.value for s in buckets]
        assert bounds == sorted(bounds) and bounds[-1] == float("inf") and values == sorted(values)
        assert [s.value for s in own if s.name.endswith("_count")] == values[-1:]
        assert len([s for s in own if s.name.endswith("_sum")]) == 1


def test_the_page(site):
    page = site()
    answer = get(page.port, "/")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src" in answer.headers["Content-Security-Policy"]
    html = answer.body.decode()
    assert not re.search(r'(src|href)="(https?:)?//', html)
    weight = len(get(page.port, "/", Accept_Encoding="gzip").body)
    for path in set(re.findall(r'(?:src|href)="([\w./-]+\.(?:js|css|svg))"', html)):
        part = get(page.port, "/" + path, Accept_Encoding="gzip")
        assert part.status == 200, path
        assert {"js": "javascript", "css": "text/css", "svg": "image/svg"}[path.rsplit(".", 1)[1]] \
            in part.headers["Content-Type"]
        weight += len(part.body)
    assert weight <= 80_000, weight
    head = get(page.port, "/", method="HEAD")
    assert head.status == 200 and not head.body


# ---- What is refused

def test_errors_are_json(site):
    page = site()
    for path, status in {"/nowhere": 404, "/api/nowhere": 404, "/api/windows?from=soon": 400,
                         "/api/windows?limit=-1": 400, "/api/windows?limit=many": 400, "/api/windows?to=": 400,
                         "/api/windows?job=nobody": 404, "/../../etc/passwd": 404, "/%2e%2e/%2e%2e/etc/passwd": 404,
                         "/api/windows?from=99999999999999999999": 400, "/app.js/": 404}.items():
        answer = get(page.port, path)
        assert answer.status == status, (path, answer)
        assert answer.headers["Content-Type"].startswith("application/json"), path
        assert isinstance(json.loads(answer.body)["error"], str)
    for method in ("POST", "PUT", "DELETE"):
        assert get(page.port, "/api/windows", method=method, Content_Length="0").status == 405, method


@pytest.mark.parametrize("path", ["/", "/api/windows", "/events", "/ws", "/metrics"])
def test_another_host_or_origin(site, path):
    """A page of somewhere else, or a name that was pointed at us, reads nothing."""
    port = (page := site()).port
    upgrade = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
              b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" if path == "/ws" else b""
    good = 101 if path == "/ws" else 200

    def status(host, origin=None):
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n" + (f"Origin: {origin}\r\n" if origin else "")
        answer = raw(port, request.encode() + upgrade + b"\r\n", SOON)
        return int(answer.split(b" ", 2)[1]) if answer else None
    for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"LOCALHOST:{port}"):
        assert status(host) == good, host
    for host in ("evil.example", f"evil.example:{port}", f"localhost.evil.example:{port}", f"127.0.0.1.evil:{port}", ""):
        assert status(host) in (403, 400), host
    assert status("evil.example") == 403
    assert status(f"localhost:{port}", f"http://localhost:{port}") == good
    for origin in ("http://evil.example", f"http://evil.example:{port}", "null", "http://localhost:1",
                   f"http://localhost:{port}.evil.example"):
        assert status(f"localhost:{port}", origin) == 403, origin
    assert answers(page.port)


def test_allowed_host_and_origin(site):
    page = site(options=("--allow-host", "shop.example", "--allow-origin", "https://shop.example"))
    assert get(page.port, "/api/windows", Host="shop.example", Origin="https://shop.example").status == 200
    assert get(page.port, "/api/windows", Host="shop.example").status == 200
    assert get(page.port, "/api/windows", Host="other.example").status == 403
    assert get(page.port, "/api/windows", Origin="https://other.example").status == 403


def test_only_on_loopback(site):
    page = site()
    listening = [line.split()[1] for table in ("tcp", "tcp6")
                 for line in open(f"/proc/{page.running.pid}/net/{table}").readlines()[1:]
                 if line.split()[3] == "0A" and line.split()[1].endswith(f":{page.port:04X}")]
    assert listening and all(address.startswith("0100007F:") or address.startswith("0" * 24 + "01000000:")
                             for address in listening), listening


@pytest.mark.parametrize("request_", [
    b"nonsense\r\n\r\n", b"\0\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    b"GET /api/windows?" + b"from=1&" * 2000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: nonsense\r\nConnection: Upgrade\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
], ids=["text", "binary", "short", "version", "long path", "many headers", "long query", "upgrade", "no upgrade", "h2"])
def test_junk_on_the_wire(site, request_):
    page = site()
    try:
        raw(page.port, request_.replace(b"Host: localhost", b"Host: localhost:%d" % page.port), 1)
    except ConnectionError:
        pass
    assert answers(page.port) and page.running.process.poll() is None


# ---- Live

@pytest.mark.parametrize("kind", [Sse, WebSocket])
def test_snapshot_then_windows(site, kind):
    page = site()
    records = page.fill(range(5))
    stream = kind(page.port)
    snapshot = until(lambda: stream.named("snapshot"), SOON, "the snapshot")[0]
    assert snapshot.data["job"] == page.name and snapshot.data["windows"] == records
    assert [label["name"] for label in snapshot.data["labels"]] == oracle.series(page.spec)
    assert re.fullmatch(r"\d+-\d+(\.\d+-\d+)*", snapshot.id)
    new = page.write([5])
    until(lambda: stream.windows() == new, SOON, "a window")
    new += page.write([6]) + page.write([5], total=100)
    until(lambda: stream.windows() == new, SOON, "two more")
    assert len({e.id for e in stream.named("window")}) == 3
    until(lambda: stream.named("status"), SOON, "the status")
    stream.close()


def test_a_burst_is_shown_at_once(site):
    """Many records at a time come through as fast as one."""
    page = site()
    page.fill([0])
    reader = Sse(page.port)
    until(lambda: reader.named("snapshot"), SOON, "the snapshot")
    for n in range(1, 2001, 500):
        page.write(range(n, n + 500))
        written = time.monotonic()
        until(lambda: reader.newest() == START + (n + 499) * 1000, SOON, "the last of the burst")
        assert time.monotonic() - written < PROMPT_S  # one at a time, each would wait 10 ms for the next (fetch.wait.max.ms)
    reader.close()


def test_sse_form(site):
    page = site()
    page.fill([0])
    stream = Sse(page.port)
    headers = stream.response.headers
    assert headers["Content-Type"].startswith("text/event-stream") and "no-" in headers["Cache-Control"]
    assert headers["X-Accel-Buffering"] == "no"
    until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    assert any(re.fullmatch(r"retry: ?\d+", line) for line in stream.lines)
    assert all(re.match(r"(event|id|retry|data): ?|:|$", line) for line in stream.lines)
    stream.close()


def resume(kind, port, last):
    return Sse(port, Last_Event_ID=last) if kind is Sse else WebSocket(port, f"/ws?last={last}")


@pytest.mark.parametrize("kind", [Sse, WebSocket])
def test_resume_without_gap_or_repeat(site, kind):
    """Disconnected again and again while records come: every window once, none missing."""
    page = site()
    page.fill(range(10))
    stream = kind(page.port)
    until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    seen, n = [], 10
    for _ in range(5):
        page.write(range(n, n + 3))
        until(lambda: len(stream.windows()) >= 2, SOON, "windows")
        stream.close()
        seen += stream.windows()
        page.write(range(n + 3, n + 8))  # while it is away
        stream, n = resume(kind, page.port, stream.last_id()), n + 8
    wanted = list(range(10, n))
    until(lambda: len(seen) + len(stream.windows()) >= len(wanted), SOON, "the rest")
    page.write([n])
    until(lambda: stream.windows()[-1]["start"] == START + n * 1000, SOON, "one more")
    seen += stream.windows()
    assert [(w["start"] - START) // 1000 for w in seen] == wanted + [n]
    assert not stream.named("snapshot")
    stream.close()


@pytest.mark.parametrize("kind", [Sse, WebSocket])
@pytest.mark.parametrize("last", ["nonsense", "0-999999", "7-1", "0-1.1-1.2-1", "99999999999999999999-1", "0-0"])
def test_resume_from_where_nobody_was(site, kind, last):
    """A snapshot, or all windows: never a gap."""
    page = site()
    records = page.fill(range(3))
    stream = resume(kind, page.port, last)
    new = page.write([3])

    def shown():
        """The newest window comes by itself, or within a snapshot that was made after it."""
        found = {w["start"]: w for e in stream.named("snapshot") for w in e.data["windows"]}
        return list((found | {w["start"]: w for w in stream.windows()}).values())

    until(lambda: new[0] in shown(), SOON, "the newest window")
    assert shown() == records + new
    stream.close()


@pytest.mark.parametrize("kind", [Sse, WebSocket])
def test_resume_after_a_restart_of_the_server(site, kind):
    page = site()
    page.fill(range(10))
    stream = kind(page.port)
    last = until(lambda: stream.named("snapshot"), SOON, "the snapshot")[0].id
    page.running.kill()
    until(stream.ended.is_set, SOON, "the end of the stream")
    new = page.write(range(10, 13))
    page.start()
    page.shows("/api/windows", lambda d: numbers(d) == list(range(13)))
    stream = resume(kind, page.port, last)
    until(lambda: stream.named("snapshot") or len(stream.windows()) == 3, SOON, "what was missed")
    shown = stream.windows() or stream.named("snapshot")[0].data["windows"][10:]
    assert shown == new
    stream.close()


@pytest.mark.parametrize("path", ["/events", "/ws"])
def test_a_client_that_never_reads(site, path):
    """Memory does not grow with it, the others are served, and it is brought up to date or closed."""
    page = site()
    page.fill(range(3000))
    upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" if path == "/ws" else ""
    stalled = []
    for _ in range(20):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect(("127.0.0.1", page.port))
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{page.port}\r\n{upgrade}\r\n".encode())
        stalled.append(s)
    reader = Sse(page.port)
    until(lambda: reader.named("snapshot"), SOON, "the snapshot of one who reads")
    before = page.running.memory()
    for n in range(3000, 13000, 500):
        page.write(range(n, n + 500))
        until(lambda: reader.newest() >= START + (n + 499) * 1000, SOON, "the others")
    assert page.running.memory() - before < 8 << 20
    for s in stalled:
        s.close()
    reader.close()
    assert answers(page.port)


@pytest.mark.parametrize("kind", [Sse, WebSocket])
def test_clients_that_come_and_go(site, kind):
    """Neither descriptors nor memory nor the processor stay behind."""
    page = site()
    page.fill(range(100))
    before = page.running.descriptors()
    for _ in range(50):
        stream = kind(page.port)
        until(lambda: stream.named("snapshot"), SOON, "the snapshot")
        stream.close()
    page.fill([100])
    until(lambda: page.running.descriptors() <= before, SOON, "closed connections", every=0.1)
    used = cpu(page.running.pid)
    time.sleep(1)  # what is measured is a second's use
    assert cpu(page.running.pid) - used < 0.3


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_ends_at_once_with_clients(site):
    page = site()
    page.fill([0])
    streams = [Sse(page.port), WebSocket(page.port)]
    for stream in streams:
        until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    code, seconds = page.running.stop()
    assert code == 0 and seconds < PROMPT_S, (code, seconds, page.running.err)
    for stream in streams:
        until(stream.ended.is_set, SOON, "the end of the stream")
        stream.close()


# ---- Results that carry no window: the tutorials'

def write_bare(page, *records, base=START):
    """records: (seconds after START, value)"""
    page.kafka.produce(page.spec["sink"]["topic"], [(0, base + int(1000 * n), value) for n, value in records])


def told(data):
    """[(seconds, counts without zeros)]"""
    return [((w["start"] - START) / 1000, {k: v for k, v in w["counts"].items() if v}) for w in data["windows"]]


@pytest.mark.parametrize("records, wanted", [
    ([(1, b'[{"0": "5"}]'), (2, b'[{"0": "7"}]')], [(1, {"female": 5}), (2, {"female": 7})]),
    ([(1, b'[{"0":1},{"2":3},{"1":6}]'), (2, b'[{"0":2},{"1":1}]')],
     [(1, {"female": 1, "unknown": 3, "male": 6}), (2, {"female": 2, "male": 1})]),
    ([(1, b'[{"0": "5"}]'), (1.1, b'[{"1": "3"}]'), (1.2, b'[{"": "1"}]'), (2, b'[{"1": "4"}]'), (2.1, b'[{"0": "2"}]')],
     [(1, {"female": 5, "male": 3, "unknown": 1}), (2, {"male": 4, "female": 2})]),
    ([(1, b'[{"2":1},{"NULL":2},{"new":3}]')], [(1, {"unknown": 3, "other": 3})]),
    ([(1, b'[{"0":1}]'), (1, b'[{"0":2}]'), (1, b'[{"0":3}]')],
     [(1, {"female": 1}), (1.001, {"female": 2}), (1.002, {"female": 3})]),
    ([(2, b'[{"0":1}]'), (1, b'[{"0":2}]'), (2, b'[{"0":3}]')],
     [(1, {"female": 2}), (2, {"female": 1}), (2.001, {"female": 3})]),
], ids=["one label", "a list", "a label a record", "other labels", "one time", "back in time"])
def test_results_without_windows(site, records, wanted):
    page = site()
    write_bare(page, *records)
    data = page.shows("/api/windows", lambda d: told(d) == wanted)
    assert data["window"] is None and all(w["start"] == w["end"] for w in data["windows"])
    page.running.stop()
    page.start()
    page.shows("/api/windows", lambda d: told(d) == wanted)


@pytest.mark.parametrize("kind", [Sse, WebSocket])
def test_points_live(site, kind):
    """Who was told of windows gets a new snapshot when there are none; a point that grows is told again."""
    page = site()
    page.fill([0])
    stream = kind(page.port)
    until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    assert stream.named("snapshot")[0].data["window"]["size"] == 1000
    write_bare(page, (5, b'[{"0":"1"}]'), (5.2, b'[{"1":"2"}]'))
    until(lambda: len(stream.named("snapshot")) == 2, SOON, "another snapshot")
    last = stream.named("snapshot")[1].data
    assert last["window"] is None and told(last)[-1] == (5, {"female": 1, "male": 2})
    write_bare(page, (6, b'[{"0":"3"}]'))
    until(lambda: any(w["start"] == START + 6000 for w in stream.windows()), SOON, "the point")
    stream.close()


# ---- History

def test_history_of_a_time(site):
    """By the times of the records, where they are more than enough of them otherwise; and from the end, where they are old."""
    page = site(options=("--history", "2h", "-v"))
    page.fill(range(5000))
    page.running.stop()
    page.start()
    data = page.shows("/api/windows", lambda d: d["windows"] and numbers(d)[-1] == 4999)
    assert numbers(data) == list(range(5000))
    assert len(get_json(page.port, "/api/windows?limit=4000")["windows"]) == 4000


@pytest.mark.parametrize("back, most", [(0, 100), (3 * 3600 * 1000, 100)], ids=["records of now", "old records"])
def test_history_of_many_windows(site, back, most):
    page = site(options=("--history", str(most)))
    at = int(time.time() * 1000) - back
    lines = [oracle.result(page.spec, START + n * 1000, dict(zip(oracle.series(page.spec), counts_of(n))))[1]
             for n in range(3000)]
    page.kafka.produce(page.spec["sink"]["topic"], [(0, at, line) for line in lines])
    page.shows("/api/windows", lambda d: numbers(d) == list(range(2900, 3000)))
    page.running.stop()
    page.start()
    page.shows("/api/windows", lambda d: numbers(d) == list(range(2900, 3000)))


def test_history_of_windows_with_many_updates(site):
    """What lies further back than so many records per window is found by its time."""
    page = site(options=("--history", "60s"))
    lines = [oracle.result(page.spec, START + n // 50 * 1000, {name: 50 for name in oracle.series(page.spec)} | {"other": n})
             for n in range(100 * 50)]
    page.kafka.write(page.spec["sink"]["topic"], lines)
    page.running.stop()
    page.start()
    page.shows("/api/windows", lambda d: numbers(d) == list(range(40, 100)))


@pytest.mark.skipif("asan" in str(chosen()), reason="the sanitizer keeps what was freed")
def test_memory_while_a_long_history_is_read(site):
    """So many records are read, most of them for nothing; few of them wait at a time, and none is missing."""
    page = site(options=("--history", "10000"))
    page.running.stop()
    fill(page.kafka, page.spec["sink"]["topic"], results(page.spec, 150_000), page.program.cwd)
    page.start()
    page.shows("/api/windows?limit=1", lambda d: numbers(d) == [149_999])
    assert numbers(get_json(page.port, "/api/windows?limit=100000")) == list(range(140_000, 150_000))
    peak = page.running.memory("VmHWM")
    assert peak < 36 << 20, f"{peak / 2**20:.1f} MiB"


def test_history_that_is_too_long(tally, tmp_path, kafka, unique):
    spec = fixture.spec(unique("page"))
    kafka.create_topic(spec["sink"]["topic"])
    result = tally.run("dashboard", fixture.write_spec(tmp_path, spec), "-b", kafka.address, "--history", "30d")
    assert result.code == 2 and "--history" in result.err and "at most" in result.err, result.err


def test_two_jobs_of_one_name(tally, tmp_path, kafka, unique):
    spec = fixture.spec(unique("page"))
    kafka.create_topic(spec["sink"]["topic"])
    path = fixture.write_spec(tmp_path, spec)
    result = tally.run("dashboard", path, path, "-b", kafka.address)
    assert result.code == 2 and spec["name"] in result.err, result.err


# ---- Clients and their bounds

@pytest.mark.parametrize("path", ["/events", "/ws"])
def test_more_clients_than_there_may_be(site, path):
    page = site(options=("--max-clients", "2"))
    page.fill([0])
    streams = [Sse(page.port), WebSocket(page.port)]
    for stream in streams:
        until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    answer = get(page.port, path, **(UPGRADE if path == "/ws" else {}))
    assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
    assert json.loads(answer.body)["error"]
    assert get(page.port, "/api/windows").status == 200
    found = check_metrics(get(page.port, "/metrics").body.decode())
    assert found["tally_clients", (("transport", "ws"),)] == found["tally_clients", (("transport", "sse"),)] == 1
    assert found["tally_clients_refused_total", ()] == 1 and found["tally_clients_limit", ()] == 2
    streams.pop().close()
    until(lambda: get(page.port, path, **UPGRADE).status == 101 if path == "/ws" else opens(page.port), SOON, "a place")
    streams.pop().close()


UPGRADE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
           "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ=="}


def opens(port):
    stream = Sse(port)
    found = stream.response.status == 200
    stream.close()
    return found


def test_a_slow_client_is_brought_to_the_newest_state(site):
    """Not through every window on the way; and counted."""
    page = site()
    page.fill(range(3))
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.connect(("127.0.0.1", page.port))
        s.sendall(f"GET /events HTTP/1.1\r\nHost: localhost:{page.port}\r\n\r\n".encode())
        for n in range(3, 10_003, 1000):  # more than the kernel holds for it
            page.fill(range(n, n + 1000))
        s.settimeout(SOON)
        got, newest = b"", f'"start":{START + 10_002_000},'.encode()
        while newest not in got:
            part = s.recv(65536)
            assert part
            got += part
    assert got.count(b"event: snapshot") >= 2 and got.count(b"event: window") < 5000
    found = check_metrics(get(page.port, "/metrics").body.decode())
    assert found["tally_client_snapshots_total", ()] >= 1


def test_idle_clients_are_pinged(site):
    """Every 15 s: a comment, or a ping whose answer is wanted."""
    page = site()
    page.fill([0])
    stream = Sse(page.port)
    with socket.create_connection(("127.0.0.1", page.port), 20) as s:
        s.sendall(f"GET /ws HTTP/1.1\r\nHost: localhost:{page.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
        got = b""
        while b"\x89\x02:\n" not in got:
            got += s.recv(65536)
    until(lambda: ":" in stream.lines, SOON, "a comment")
    stream.close()


if ALL:  # it takes a minute
    def test_dead_clients_are_closed_and_counted(site):
        """One that never answers a ping, one that never reads: both go, and /metrics says so."""
        page = site()
        page.fill(range(3000))
        sockets = []
        for path in ("/ws", "/events"):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            s.connect(("127.0.0.1", page.port))
            upgrade = "".join(f"{k.replace('_', '-')}: {v}\r\n" for k, v in UPGRADE.items()) if path == "/ws" else ""
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{page.port}\r\n{upgrade}\r\n".encode())
            sockets.append(s)
        until(lambda: all(check_metrics(get(page.port, "/metrics").body.decode())
                          ["tally_clients_dropped_total", (("transport", kind),)] == 1 for kind in ("ws", "sse")),
              70, "both", every=1)
        for s in sockets:
            s.close()


def test_goodbye(site):
    """Clients are told to come back: a WebSocket by its close, an EventSource by retry."""
    page = site()
    page.fill([0])
    streams = [Sse(page.port), WebSocket(page.port)]
    for stream in streams:
        until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    page.running.stop()
    for stream in streams:
        until(stream.ended.is_set, SOON, "the end of the stream")
    retry = [int(line.split(":")[1]) for line in streams[0].lines if line.startswith("retry:")]
    assert len(retry) == 1 and 1000 <= retry[0] <= 3000
    assert streams[1].close_code == 1001


# ---- Metrics

def test_metrics_tell_what_happens(site):
    page = site()
    page.fill(range(3))
    page.kafka.write(page.spec["sink"]["topic"], [(b"x", b"junk")])
    stream = Sse(page.port)
    until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    now = int(time.time() * 1000) // 1000 * 1000
    for n in (0, 1):  # one that ended some time ago, one that is not over
        start = now - 3000 + n * 10_000
        page.kafka.write(page.spec["sink"]["topic"],
                         [oracle.result(page.spec, start, dict.fromkeys(oracle.series(page.spec), 1))])
    until(lambda: len(stream.windows()) == 2, SOON, "the windows")
    found = check_metrics(get(page.port, "/metrics").body.decode())
    job = (("job", page.name),)
    assert found["tally_result_records_total", job] == 6 and found["tally_result_records_rejected_total", job] == 1
    assert found["tally_windows", job] == found["tally_window_updates_total", job] == 5
    assert found["tally_window_latency_seconds_count", job] == 1
    assert 2 <= found["tally_window_latency_seconds_sum", job] <= time.time() - now / 1000 + 2
    assert found["tally_result_lag", job] == 0 and found["tally_kafka_connected", job] == 1
    memory = found["tally_resident_memory_bytes", ()]
    assert abs(memory - page.running.memory()) < 4 << 20 and found["tally_sent_bytes_total", ()] > 500
    assert ("tally_spark_master_connected", job) not in found
    stream.close()


# ---- The access log

CLF = re.compile(r'127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(\w+) (\S+) HTTP/1\.1" (\d{3}) (\d+|-)')


@pytest.mark.parametrize("to", ["access.log", "-"])
def test_access_log(site, tmp_path, to):
    (tmp_path / "token").write_text("sesame\n")
    page = site(options=("--access-log", to, "--token-file", "token"))
    headers = {"Authorization": "Bearer sesame"}
    body = get(page.port, "/api/windows?from=1&to=2", **headers).body
    get(page.port, "/?token=sesame&lang=zh")
    get(page.port, "/api/status?job=x&token=sesame")
    get(page.port, "/", method="HEAD", **headers)
    get(page.port, "/no%22%20thing%7f", **headers)
    get(page.port, "/api/windows", method="POST", Content_Length="0", **headers)
    get(page.port, "/ws")
    Sse(page.port, **headers).close()
    assert get(page.port, "/ws", **UPGRADE, **headers).status == 101

    def lines():
        text = (tmp_path / to).read_text() if to != "-" else page.running.err
        return [CLF.fullmatch(line).groups() for line in text.splitlines() if '" ' in line and "/livez" not in line]
    until(lambda: len(lines()) == 9, SOON, "the lines")
    assert lines() == [("GET", "/api/windows?from=1&to=2", "200", str(len(body))), ("GET", "/?token=...&lang=zh", "200", any_()),
                       ("GET", "/api/status?job=x&token=...", "404", any_()), ("HEAD", "/", "200", "0"),
                       ("GET", "/no\\x22\\x20thing\\x7f", "404", any_()), ("POST", "/api/windows", "405", any_()),
                       ("GET", "/ws", "401", any_()), ("GET", "/events", "200", "-"), ("GET", "/ws", "101", "-")]
    assert "sesame" not in page.running.err and (to == "-" or (tmp_path / to).stat().st_mode & 0o777 == 0o640)


class any_(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


# ---- The token

def test_token(site, tmp_path):
    (tmp_path / "token").write_text("open-sesame\n")
    page = site(options=("--token-file", "token"))
    for path in ("/", "/api/windows", "/events", "/table", "/metrics", "/app.js", "/ws"):
        for headers in ({}, {"Authorization": "Bearer open-sesam"}, {"Authorization": "Bearer open-sesame1"},
                        {"Authorization": "Basic open-sesame"}, {"Cookie": f"tally_token_{page.port}=x"}):
            answer = get(page.port, path, **headers)
            assert answer.status == 401 and "open-sesame" not in answer.body.decode(), (path, headers)
            assert answer.headers["WWW-Authenticate"] and json.loads(answer.body)["error"]
        assert get(page.port, path + "?token=wrong").status == 401
        good = get(page.port, path, Authorization="Bearer open-sesame") if path != "/events" else None
        assert path == "/events" or good.status == (426 if path == "/ws" else 200) and not good.headers["Set-Cookie"]
    for path in ("/livez", "/readyz"):
        until(lambda: get(page.port, path).status == 200, SOON, path)
    form = get(page.port, "/", Accept="text/html,*/*", Accept_Language="zh-CN")
    assert form.status == 401 and b'name="token"' in form.body and "令牌".encode() in form.body
    entered = get(page.port, f"/?job={page.name}&token=open-sesame&lang=zh")
    assert entered.status == 200 and b"open-sesame" not in entered.body
    assert f'0;url=./?job={page.name}&amp;lang=zh"'.encode() in entered.body
    cookie, *attributes = entered.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} == set(attributes)
    for path in ("/", "/api/windows", "/table"):
        assert get(page.port, path, Cookie="a=b; " + cookie).status == 200
    secure = get(page.port, "/table?token=open-sesame", X_Forwarded_Proto="https")
    assert b"0;url=table\"" in secure.body and "; Secure" in secure.headers["Set-Cookie"]
    assert not get(page.port, "/api/windows?token=open-sesame").headers["Set-Cookie"]


# ---- The base path

def test_base_path(site):
    page = site(options=("--base-path", "/tally"))
    page.write([0])
    page.shows("/tally/api/windows", lambda d: numbers(d) == [0])
    assert page.running.wait_for(r"http://localhost:\d+/tally/")
    for path in ("/", "/app.js", "/api/windows", "/table", "/metrics", "/livez"):
        assert get(page.port, "/tally" + path).status == 200, path
    for path in ("/", "/app.js", "/api/windows", "/tallyho/", "/tallyapi/windows", "/metrics", "/ws"):
        answer = get(page.port, path)
        assert answer.status == 404 and "/tally/" in json.loads(answer.body)["error"], path
    assert get(page.port, "/livez").status == get(page.port, "/readyz").status == 200
    answer = get(page.port, "/tally")
    assert answer.status == 308 and answer.headers["Location"] == "/tally/"
    assert get(page.port, "/ws", **UPGRADE).status == 404
    for stream in (Sse(page.port, "/tally/events"), WebSocket(page.port, "/tally/ws")):
        until(lambda: stream.named("snapshot"), SOON, "the snapshot")
        stream.close()


@pytest.mark.parametrize("path", ["tally", "/tally/", "/a//b", "/../x", "/a?b", "", "/ä"])
def test_base_path_that_is_none(tally, kafka, path):
    result = tally.run("dashboard", "gender", "-b", kafka.address, "--base-path", path)
    assert result.code == 2 and "--base-path" in result.err


# ---- The table

def test_table(site):
    page = site("one", "two")
    page.fill([1, 2, 5])
    answer = get(page.port, "/table")
    html = answer.body.decode()
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Content-Language"] is None and "Accept-Language" in answer.headers["Vary"]
    assert '<meta http-equiv="refresh" content="5">' in html and "<script" not in html and '<html lang="en">' in html
    rows = re.findall(r"<tr>(.*?)</tr>", html.split("<tbody>")[1])
    shown = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    stamp = [time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(START // 1000 + n)) for n in range(6)]
    assert [row[0] for row in shown] == [stamp[5], "no data: windows missing here: 2", stamp[2], stamp[1]]
    assert shown[0][1:] == [str(n) for n in counts_of(5)] + [str(sum(counts_of(5)))]
    for headers, query in (({"Accept_Language": "zh-CN,zh;q=0.9,en;q=0.8"}, ""), ({}, "?lang=zh")):
        html = get(page.port, "/table" + query, **headers).body.decode()
        assert '<html lang="zh">' in html and all(word in html for word in ("女生", "其他", "合计"))
    assert '<html lang="en">' in get(page.port, "/table?lang=en", Accept_Language="zh").body.decode()
    other = list(page.specs)[1]
    assert f"<h1>{other}</h1>" in get(page.port, f"/table?job={other}").body.decode()
    assert get(page.port, "/table?job=nobody").status == 404


# ---- TLS

def make_cert(folder, name="cert"):
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


def https_get(port, path, cert, **headers):
    context = ssl.create_default_context(cafile=cert)
    connection = http.client.HTTPSConnection("localhost", port, timeout=SOON, context=context)
    connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    return answer, connection


async def wss_events(port, path, cert, count, after=None):
    """The first events; `after`: done then, and how it was closed."""
    context = ssl.create_default_context(cafile=cert)
    async with websockets.connect(f"wss://localhost:{port}{path}", ssl=context, max_size=None) as connection:
        found = [json.loads(await asyncio.wait_for(connection.recv(), SOON))["event"] for _ in range(count)]
        if after:
            after()
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    await asyncio.wait_for(connection.recv(), SOON)
        return found, connection.close_code


class TlsSite(Site):
    def start(self):
        self.running = self.program.start("dashboard", *self.paths, "-b", self.kafka.address, "--port", self.port,
                                          *self.options)
        self.running.wait_for(r"https://localhost:\d+/")


def test_tls(kafka, tmp_path, unique):
    cert, key = make_cert(tmp_path)
    (tmp_path / "token").write_text("sesame")
    page = TlsSite(kafka, tmp_path, [unique("page")], "--tls-cert", cert, "--tls-key", key)
    try:
        page.write(range(3000))

        def windows():
            answer, connection = https_get(page.port, "/api/windows", cert)
            with contextlib.closing(connection):
                assert answer.status == 200
                return len(json.loads(answer.read())["windows"])
        until(lambda: windows() == 3000, SOON, "the windows")  # more than one piece
        answer, connection = https_get(page.port, "/events", cert)
        assert answer.status == 200 and answer.readline().startswith(b"retry:")
        while not answer.readline().startswith(b"event: snapshot"):
            pass
        connection.close()
        answers_ = raw(page.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 2)
        assert not answers_.startswith(b"HTTP/1.1 200")
        events, code = asyncio.run(wss_events(page.port, "/ws", cert, 2, page.running.process.terminate))
        assert "snapshot" in events and code == 1001
        assert page.running.wait() == 0
    finally:
        page.program.end_all()


def test_tls_clients_that_are_cut_off(kafka, tmp_path, unique):
    """To write to one who is gone does no harm; with TLS it is OpenSSL who writes."""
    cert, key = make_cert(tmp_path)
    page = TlsSite(kafka, tmp_path, [unique("page")], "--tls-cert", cert, "--tls-key", key)
    try:
        context = ssl.create_default_context(cafile=cert)
        for n in range(20):
            s = context.wrap_socket(socket.create_connection(("127.0.0.1", page.port), 5), server_hostname="localhost")
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.sendall(b"GET /api/windows HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % page.port)
            s.close()  # before the answer is written
        with contextlib.closing(https_get(page.port, "/livez", cert)[1]):
            assert page.running.process.poll() is None
        asyncio.run(wss_events(page.port, "/ws", cert, 2))
        code, seconds = page.running.stop()
        assert code == 0 and seconds < PROMPT_S
    finally:
        page.program.end_all()


@pytest.mark.parametrize("case, said", [("readable", "chmod 600"), ("missing", "cannot read"), ("other", "is not that of"),
                                        ("swapped", "holds no certificate"), ("phrase", "pass phrase"),
                                        ("alone", "belong together")])
def test_tls_files_that_do_not_do(tally, kafka, tmp_path, unique, case, said):
    cert, key = make_cert(tmp_path)
    spec = fixture.spec(unique("page"))
    kafka.create_topic(spec["sink"]["topic"])
    if case == "readable":
        key.chmod(0o644)
    elif case == "missing":
        key.unlink()
    elif case == "other":
        key = make_cert(tmp_path, "other")[1]
    elif case == "swapped":
        cert, key = key, cert
    elif case == "phrase":
        subprocess.run(["openssl", "ec", "-in", key, "-aes256", "-passout", "pass:x", "-out", tmp_path / "locked"],
                       check=True, capture_output=True)
        key = tmp_path / "locked"
        key.chmod(0o600)
    result = tally.run("dashboard", fixture.write_spec(tmp_path, spec), "-b", kafka.address, "--port", free_port(),
                       "--tls-cert", cert, *([] if case == "alone" else ["--tls-key", key]))
    assert result.code == (2 if case == "alone" else 3) and said in result.err, result.err


# ---- Behind a proxy

@pytest.fixture
def nginx(tmp_path):
    """docs/proxy/nginx.conf, with this port, certificate and server in the place of its own."""
    started = []

    def start(port, server_port, cert, key):
        process = nginx_server.start(tmp_path, **{
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl", "127.0.0.1:5000": f"127.0.0.1:{server_port}",
            "shop.example;": "localhost;", "/etc/ssl/shop.example.pem": str(cert),
            "/etc/ssl/shop.example.key": str(key)})
        started.append(process)
        until(lambda: listens(port) or process.poll() is not None, SOON, "nginx")
        assert process.poll() is None, (tmp_path / "error.log").read_text()
    yield start
    for process in started:
        process.kill()
        process.wait()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def test_behind_nginx(site, nginx, tmp_path):
    """TLS at the proxy, a base path, the upgrade, a stream that is not held back, the token's cookie."""
    cert, key = make_cert(tmp_path)
    (tmp_path / "token").write_text("sesame")
    page = site(options=("--base-path", "/tally", "--allow-host", "localhost", "--token-file", "token"))
    port = free_port()
    nginx(port, page.port, cert, key)
    page.write([0])
    answer, connection = https_get(port, "/tally/?token=sesame", cert)
    cookie, *attributes = answer.headers["Set-Cookie"].split("; ")
    assert answer.status == 200 and {"Secure", "HttpOnly", "SameSite=Strict", "Path=/tally/"} == set(attributes)
    connection.close()
    for path, status in {"/tally/": 200, "/tally/app.js": 200, "/tally/api/windows": 200, "/": 404}.items():
        answer, connection = https_get(port, path, cert, Cookie=cookie, Origin=f"https://localhost:{port}")
        assert answer.status == status, path
        connection.close()
    answer, connection = https_get(port, "/tally/events", cert, Cookie=cookie)
    while not answer.readline().startswith(b"event: snapshot"):
        pass
    began = time.monotonic()
    page.write([1])
    while not answer.readline().startswith(b"event: window"):
        pass
    assert time.monotonic() - began < PROMPT_S  # one that collects before it passes on would hold it until it has 4 kB
    connection.close()

    async def by_websocket():
        context = ssl.create_default_context(cafile=cert)
        headers = {"additional_headers" if websockets.version.version >= "14" else "extra_headers": {"Cookie": cookie}}
        async with websockets.connect(f"wss://localhost:{port}/tally/ws", ssl=context, origin=f"https://localhost:{port}",
                                      **headers) as ws:
            return json.loads(await asyncio.wait_for(ws.recv(), SOON))["event"]
    assert asyncio.run(by_websocket()) in ("snapshot", "status")


# ---- The job on a Spark cluster

def test_spark_on_the_page(site, kafka):
    """Driver, application, rates; a master that is lost, and back; a job that ends."""
    master = spark_double.Double()
    name = "tally-x"
    try:
        web = master.web
        master.set(json=spark_double.page(), app=spark_double.app_page([(0, "RUNNING"), (1, "EXITED")], ui=web),
                   metrics=spark_double.metrics())
        page = site(options=(*master.options, "--name", name))

        def spark(condition):
            return page.shows("/api/status", lambda d: d["spark"] and condition(d["spark"]))["spark"]
        empty = spark(lambda s: s["driver"] == "NOT_FOUND")
        assert empty == {"master": "ok", "id": None, "driver": "NOT_FOUND", "application": None, "executors": None,
                         "cores": None, "inputRate": None, "processingRate": None, "batchMs": None, "watermark": None,
                         "stateRows": None}
        drivers = [("driver-0", "RUNNING", 1795263150000), (spark_double.ID, "RUNNING", 1795263155792),
                   ("driver-9", "RUNNING", 1795263175792)]
        master.set(json=spark_double.page(drivers=drivers[:1]))
        assert spark(lambda s: not s["driver"])["id"] is None  # whose it is nobody knows yet
        master.set(json=spark_double.page(drivers=drivers, apps=[("app-1", name, "RUNNING"), ("app-2", "x", "RUNNING")]))
        assert spark(lambda s: s["inputRate"]) == {
            "master": "ok", "id": spark_double.ID, "driver": "RUNNING", "application": "app-1", "executors": 1, "cores": 3,
            "inputRate": 10.0, "processingRate": 22.8, "batchMs": 875, "watermark": 1795274297273, "stateRows": 27}
        stream = Sse(page.port)
        until(lambda: stream.named("status"), SOON, "the status")
        assert stream.named("status")[0].data["spark"]["application"] == "app-1"
        stream.close()
        assert "Spark driver: RUNNING" in get(page.port, "/table").body.decode()
        found = check_metrics(get(page.port, "/metrics").body.decode())
        assert found["tally_spark_master_connected", (("job", page.name),)] == 1
        began = time.monotonic()
        master.set(json=spark_double.hang)
        lost = spark(lambda s: s["master"] == "lost")
        assert lost["driver"] == "RUNNING" and time.monotonic() - began < 14  # before HTTP_TOTAL_MS ends the request
        assert get(page.port, "/livez").status == 200
        master.set(json=spark_double.page(drivers=drivers[:1], ended=[(spark_double.ID, "KILLED", 1795263155792)]))
        ended = spark(lambda s: s["master"] == "ok")
        assert (ended["id"], ended["driver"], ended["application"]) == (spark_double.ID, "KILLED", None)
    finally:
        master.close()


STANDBY, RECOVERING, DEAD = spark_double.page("STANDBY"), spark_double.page("RECOVERING"), spark_double.drop
LEADS = "leads"

# What two masters say, step by step; then: master, executors. One that is lost leaves what was said last.
MASTERS = {
    "the first leads": [(LEADS, STANDBY, "ok", 1)],
    "the first is on standby": [(STANDBY, LEADS, "ok", 2)],
    "the first is dead": [(DEAD, LEADS, "ok", 2)],
    "the first hangs": [(spark_double.hang, LEADS, "ok", 2)],
    "none leads": [(STANDBY, RECOVERING, "lost", None), (STANDBY, LEADS, "ok", 2)],
    "leadership changes": [(LEADS, STANDBY, "ok", 1), (DEAD, STANDBY, "lost", 1), (DEAD, RECOVERING, "lost", 1),
                           (DEAD, LEADS, "ok", 2), (STANDBY, LEADS, "ok", 2), (LEADS, DEAD, "ok", 1)],
}


@pytest.mark.parametrize("name", MASTERS)
def test_several_masters_of_the_panel(site, name):
    pair = Pair(spark_double.Double, {}, {})
    both = pair.first, pair.second
    try:
        rows = {"drivers": [(spark_double.ID, "RUNNING", 1795263155792)], "apps": [("app-1", "tally-x", "RUNNING")]}
        for executors, master in enumerate(both, 1):
            master.set(app=spark_double.app_page([(n, "RUNNING") for n in range(executors)]))
        page = None
        for *told, wanted, executors in MASTERS[name]:
            for master, each in zip(both, told):
                master.set(json=spark_double.page(**rows) if each == LEADS else each)
            page = page or site(options=(*pair.options, "--name", "tally-x"))
            found = page.shows("/api/status", lambda d: d["spark"] and d["spark"]["master"] == wanted and
                               d["spark"]["executors"] == executors)["spark"]
            assert (found["id"], found["driver"]) == ((spark_double.ID, "RUNNING") if executors else (None, None))
        stream = WebSocket(page.port)
        until(lambda: stream.named("status"), SOON, "the status")
        assert stream.named("status")[-1].data["spark"]["master"] == wanted
        stream.close()
    finally:
        for master in both:
            master.close()


def test_without_a_master(site):
    page = site()
    assert get_json(page.port, "/api/status")["spark"] is None


def test_run_on_spark_shows_its_driver(tally, kafka, tmp_path, unique):
    """`run --master` knows which driver is its own."""
    spec, port = fixture.spec(unique("page")), free_port()
    kafka.create_topic(spec["source"]["topic"])
    master = spark_double.Double(create=spark_double.CREATED, status=spark_double.status("RUNNING"), kill=spark_double.KILLING)
    rows = {"drivers": [(spark_double.ID, "RUNNING", 1795263155792), ("driver-9", "RUNNING", 1795263155800)],
            "apps": [("app-1", "tally-" + spec["name"], "RUNNING")]}
    try:
        master.set(json=spark_double.page(**rows), metrics=spark_double.metrics(),
                   app=spark_double.app_page([(0, "RUNNING")], ui=master.web, name="tally-" + spec["name"]))
        running = tally.start("run", fixture.write_spec(tmp_path, spec), *master.options, "-b", kafka.address, "--port", port,
                              "--job-bootstrap-servers", "broker:19092", "--no-preflight", "--jar", "local:/x.jar")
        running.wait_for(r"http://localhost:\d+/")
        found = until(lambda: (get_json(port, "/api/status")["spark"] or {}).get("inputRate") and
                      get_json(port, "/api/status"), SOON, "the rates")
        assert found["engine"] == "spark" and found["driver"] == "RUNNING"
        described = set(re.findall(r"`(\w+)`", (ROOT / "docs/feed.md").read_text()))
        assert not {*found, *found["spark"]} - described
        assert (found["spark"]["id"], found["spark"]["executors"], found["spark"]["batchMs"]) == (spark_double.ID, 1, 875)
        master.set(status=spark_double.status("KILLED"))
        assert running.stop()[0] == 0
    finally:
        master.close()
