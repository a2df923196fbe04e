"""What the program costs, in instructions (tests/cost.py): no clock, so no load of the machine disturbs it."""

import json
import selectors
import socket

import pytest

from tests import cost, fixture
from tests.bench.common import user_log
from tests.kafka_server import free_port
from tests.program import Program, until
from tests.spark_double import CREATED, ID, Double, page, status
from tests.web import answers

SMALL, LARGE = 10_000, 50_000


def test_count(tmp_path):
    """One row: the difference of two sizes, so that the start does not count."""
    command = [cost.PROGRAM, "count", "gender", "--rate", "1000"]
    costs = [cost.instructions([*command, user_log(tmp_path / "rows.csv", rows)]) for rows in (SMALL, LARGE)]
    cost.check("count, one row", (costs[1] - costs[0]) / (LARGE - SMALL))


# ---- A submission and a status

@pytest.fixture(scope="module")
def start():
    """What every command costs before it does anything."""
    return cost.instructions([cost.PROGRAM, "--version"])


@pytest.fixture
def master():
    double = Double(create=CREATED, json=page(), status=status("RUNNING"))
    yield double
    double.close()


def test_submission(master, start):
    spent = cost.instructions([cost.PROGRAM, "submit", *master.options, "--class", "X", "/root/none.jar"])
    cost.check("submit, less the start", spent - start)


def test_status(master, start):
    cost.check("status, less the start", cost.instructions([cost.PROGRAM, "status", ID, *master.options]) - start)


# ---- A broadcast

CLIENTS = 100
LOT = 20  # fewer than LIMIT_BEHIND: whoever is too far behind gets the newest state instead
LOTS = 2, 7
COUNTED = "stream_changed", "on_event"  # with all that they call; what else goes on depends on the time
HANDSHAKE = "GET /ws HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"


class Clients:
    """WebSockets of one selector, which count the windows they are told."""

    def __init__(self, port):
        self.selector, self.told = selectors.DefaultSelector(), {}
        for n in range(CLIENTS):
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall((HANDSHAKE % port).encode())
            self.selector.register(client, selectors.EVENT_READ, n)
            self.told[n] = b""

    def count(self, word):
        """The fewest that one of them has."""
        for key, _ in self.selector.select(0.01):
            part = key.fileobj.recv(1 << 20)
            assert part, "a client was dropped"
            self.told[key.data] += part
        return min(text.count(word) for text in self.told.values())

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()
        self.selector.close()


def results(job, first, count):
    """(key, value) of so many windows."""
    for n in range(first, first + count):
        start = 1_700_000_000_000 + n * 1000
        counts = {"female": n % 7, "male": n % 5, "unknown": 0, "other": 0}
        record = {"job": job, "start": start, "end": start + 1000, "counts": counts, "total": sum(counts.values())}
        yield f"{job}/{start}".encode(), json.dumps(record, separators=(",", ":")).encode()


def spent_on(kafka, topic, folder, lots):
    """Of a dashboard that tells CLIENTS browsers of so many lots of windows."""
    kafka.create_topic(topic)
    spec = (cost.ROOT / "jobs/gender.yaml").read_text().replace("topic: result", f"topic: {topic}")
    (folder / "job.yaml").write_text(spec)
    file, port = folder / "callgrind", free_port()
    only = ["--collect-atstart=no", *(f"--toggle-collect={each}" for each in COUNTED)]
    program = Program(cost.PROGRAM, [*cost.callgrind(file), *only], cwd=folder)
    try:
        running = program.start("dashboard", folder / "job.yaml", "--bootstrap-servers", kafka.address, "--port", port)
        running.wait_for(r"http://localhost:\d+/", timeout=60)
        until(lambda: answers(port, "/readyz"), 60, "a dashboard")
        clients = Clients(port)
        until(lambda: clients.count(b'"snapshot"') == 1, 60, "a snapshot for all")
        for lot in range(lots):
            kafka.write(topic, results("gender", lot * LOT, LOT))
            until(lambda lot=lot: clients.count(b'"event":"window"') == (lot + 1) * LOT, 60, "a lot at all")
        clients.close()
        code, _ = running.stop()
        assert code == 0, running.err
    finally:
        program.end_all()
    return cost.collected(file)


def test_broadcast(kafka, unique, tmp_path):
    """To one browser: the difference of two runs, of which all else is the same."""
    few, many = (spent_on(kafka, unique("result"), tmp_path, lots) for lots in LOTS)
    cost.check("broadcast, one client", (many - few) / (CLIENTS * LOT * (LOTS[1] - LOTS[0])))


# ---- A record of the local engine

RECORDS, PARTITIONS = 20_000, 200
MORE = 1.5  # times as many instructions for a record; to look at all partitions for each takes 3 and more


def spent_by_engine(kafka, name, folder, partitions):
    """On counting as many records, which lie in so many partitions."""
    spec, file = fixture.spec(name), folder / f"callgrind.{partitions}"
    kafka.create_topic(spec["source"]["topic"], partitions)
    kafka.produce(spec["source"]["topic"], [(n % partitions, fixture.BASE + n, b"0") for n in range(RECORDS)])
    only = ["--collect-atstart=no", "--toggle-collect=source_turn"]
    result = Program(cost.PROGRAM, [*cost.callgrind(file), *only]).run(
        "run", fixture.write_spec(folder, spec), "--bootstrap-servers", kafka.address, "--no-page", "--once")
    assert result.code == 0, result.err
    return cost.collected(file)


def test_a_record_of_many_partitions(kafka, unique, tmp_path):
    one, many = (spent_by_engine(kafka, unique("engine"), tmp_path, partitions) for partitions in (1, PARTITIONS))
    print(f"\ninstructions for a record: {one / RECORDS:.0f} of 1 partition, {many / RECORDS:.0f} of {PARTITIONS}")
    assert many <= one * MORE


# ---- The comparison

KNOWN = {"gcc 12, debian 12, x86_64": 100, "gcc 14, debian 13, x86_64": 120}

# name: (known figures, this toolchain, what was spent, whether CI runs it, whether that is well)
CHECKS = {
    "as it was": (KNOWN, "gcc 12, debian 12, x86_64", 100, "", True),
    "a little more": (KNOWN, "gcc 12, debian 12, x86_64", 110, "", True),
    "more": (KNOWN, "gcc 12, debian 12, x86_64", 110.1, "", False),
    "less": (KNOWN, "gcc 14, debian 13, x86_64", 10, "", True),
    "another compiler": (KNOWN, "clang 19, debian 13, x86_64", 180, "", True),
    "another compiler, much": (KNOWN, "clang 19, debian 13, x86_64", 1000, "", True),
    "another compiler in CI": (KNOWN, "clang 19, debian 13, x86_64", 180, "true", True),
    "another compiler in CI, much": (KNOWN, "clang 19, debian 13, x86_64", 180.1, "true", False),
    "no figure at all": ({}, "gcc 12, debian 12, x86_64", 1, "", False),
}


@pytest.mark.filterwarnings("ignore:thing. no figure for")
@pytest.mark.parametrize("name", CHECKS)
def test_check(name, tmp_path, monkeypatch):
    known, here, spent, ci, good = CHECKS[name]
    (tmp_path / "baseline.json").write_text(cost.json.dumps({"thing": known}))
    monkeypatch.delenv("COST", raising=False)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(cost, "BASELINE", tmp_path / "baseline.json")
    monkeypatch.setattr(cost, "key", lambda: here)
    if good:
        cost.check("thing", spent)
    else:
        with pytest.raises(AssertionError, match="thing: "):
            cost.check("thing", spent)


@pytest.mark.parametrize("spent, said", [(150, "not more"), (1000, "more")])
def test_an_unknown_compiler_is_said(spent, said, tmp_path, monkeypatch):
    (tmp_path / "baseline.json").write_text(cost.json.dumps({"thing": KNOWN}))
    monkeypatch.delenv("COST", raising=False)
    monkeypatch.setenv("CI", "")
    monkeypatch.setattr(cost, "BASELINE", tmp_path / "baseline.json")
    monkeypatch.setattr(cost, "key", lambda: "tcc 1, debian 13, x86_64")
    with pytest.warns(UserWarning, match=f"no figure for tcc 1.*, {said} than 1.5 x"):
        cost.check("thing", spent)
