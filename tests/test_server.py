"""The live server, over result topics that the test writes itself: what it must show is known exactly."""

import json
import re
import socket
import time

import pytest

from tests import fixture, oracle
from tests.kafka_server import free_port
from tests.program import Program, until
from tests.web import Sse, WebSocket, answers, get, get_json, raw

SOON = 10
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
                 None, b"", b"{", b"\xff\xfe", b"[]", b"1", b'[{"0": "5"}]', b"{}", b"x" * 100000, b"[" * 50000,
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


def check_metrics(text):
    """Prometheus' text format: each family with its help and type, names tally_..., no sample twice."""
    sample = re.compile(r'(tally_[a-z0-9_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[\d.e+-]+|NaN|[+-]Inf)')
    types, seen = {}, set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types and kind in ("counter", "gauge", "histogram", "summary")
            types[name] = kind
        elif not line.startswith("# HELP ") and line:
            match = sample.fullmatch(line)
            assert match, line
            assert match[1] in types, f"no type: {line}"
            assert types[match[1]] != "counter" or match[1].endswith("_total"), line
            assert (match[1], match[2]) not in seen, line
            seen.add((match[1], match[2]))
    assert len(types) >= 5


def test_the_page(site):
    page = site()
    answer = get(page.port, "/")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src" in answer.headers["Content-Security-Policy"]
    html = answer.body.decode()
    assert not re.search(r'(src|href)="(https?:)?//', html)
    weight = len(answer.body)
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
        answer = raw(port, request.encode() + upgrade + b"\r\n", 3)
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
        assert time.monotonic() - written < 0.5
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
    until(lambda: page.running.descriptors() <= before, 20, "closed connections", every=0.1)
    used = cpu(page.running.pid)
    time.sleep(1)  # what is measured is a second's use
    assert cpu(page.running.pid) - used < 0.3


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_ends_within_a_second_with_clients(site):
    page = site()
    page.fill([0])
    streams = [Sse(page.port), WebSocket(page.port)]
    for stream in streams:
        until(lambda: stream.named("snapshot"), SOON, "the snapshot")
    code, seconds = page.running.stop()
    assert code == 0 and seconds < 1, (code, seconds, page.running.err)
    for stream in streams:
        until(stream.ended.is_set, SOON, "the end of the stream")
        stream.close()
