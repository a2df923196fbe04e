"""`tally run`: the whole thing in one process, as a newcomer starts it."""

import json
import random
import re
import signal
import socket
import statistics
import subprocess
import time

import pytest

from tests import fixture, oracle
from tests.kafka_server import Tail, free_port
from tests.program import PROMPT_S, SOON, until
from tests.test_engine import best, difference
from tests.web import get_json

BROKER = r"Kafka broker.*\b(127\.0\.0\.1:\d+)"
PAGE = r"http://localhost:(\d+)/"


@pytest.fixture
def run(tally):
    def start(*args, page=True, **options):
        port = free_port()
        running = tally.start("run", *args, *(["--port", port] if page else ["--no-page"]), **options)
        running.broker = running.wait_for(BROKER)[1]
        if page:
            assert int(running.wait_for(PAGE)[1]) == port
            running.port = port
        return running
    return start


def results_on_page(port):
    try:
        return get_json(port, "/api/windows")["windows"]
    except OSError:
        return []


def kcat(*args, stdin=b"", timeout=SOON):
    done = subprocess.run(["kcat", *args], input=stdin, capture_output=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_count_comes_at_once(run):
    running = run("gender")
    until(lambda: results_on_page(running.port), SOON, "the first count")
    took = time.monotonic() - running.began
    print(f"\nthe first count after {took:.2f} s")
    assert took < PROMPT_S
    first = results_on_page(running.port)[-1]
    assert first["job"] == "gender" and list(first["counts"]) == ["female", "male", "unknown", "other"]
    assert abs(first["start"] - time.time() * 1000) < 10_000
    until(lambda: len(results_on_page(running.port)) >= 6, SOON, "more windows")
    windows, seconds = results_on_page(running.port), time.monotonic() - running.began
    starts = [w["start"] for w in windows]
    assert all(start % 1000 == 0 for start in starts) and starts == sorted(set(starts))
    # 10 records/s; one that is sent late, on a busy machine, counts for another window.
    assert 10 * (len(windows) - 2) <= sum(w["total"] for w in windows) <= 10 * seconds + 1, windows


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_ends_at_once_with_a_summary(run, sig):
    running = run("gender")
    until(lambda: len(results_on_page(running.port)) >= 2, SOON, "two windows")
    said = len(running.err)
    code, seconds = running.stop(sig)
    assert code == 0 and seconds < PROMPT_S, (code, seconds)
    summary = running.err[said:]
    assert re.search(r"\d+ (records|rows).*\d+ windows", summary, re.S), summary


def test_kcat_reads_the_results(run):
    running = run("gender")
    until(lambda: len(results_on_page(running.port)) >= 2, SOON, "two windows")
    lines = kcat("-C", "-b", running.broker, "-t", "result", "-o", "beginning", "-c", "5", "-K", "\t").decode()
    for line in lines.splitlines():
        key, value = line.split("\t")
        record = json.loads(value)
        assert key == f"gender/{record['start']}" and record["total"] == sum(record["counts"].values())
    assert lines.count("\n") == 5


def counted(port, series):
    return sum(w["counts"][series] for w in results_on_page(port))


def test_a_producer_of_somebody_elses(run):
    """kcat, kafka-python and librdkafka feed it while it feeds itself."""
    from kafka import KafkaProducer
    running = run("gender")
    until(lambda: results_on_page(running.port), SOON, "the first count")
    kcat("-P", "-b", running.broker, "-t", "sex", stdin=b"kcat\n" * 500)
    until(lambda: counted(running.port, "other") == 500, SOON, "kcat's records")
    python = KafkaProducer(bootstrap_servers=running.broker)
    for _ in range(300):
        python.send("sex", b"python")
    python.flush(10)
    python.close()
    until(lambda: counted(running.port, "other") == 800, SOON, "kafka-python's records")
    code, seconds = running.stop()
    assert code == 0 and seconds < PROMPT_S, (code, seconds, running.err)


def test_the_results_equal_the_page(run):
    running = run("gender")
    until(lambda: len(results_on_page(running.port)) >= 5, SOON, "windows")
    with Tail(running.broker, "result") as tail:
        def same():
            tail.poll()
            got = best(tail.records)
            shown = {f"gender/{w['start']}".encode(): w for w in results_on_page(running.port)}
            return len(shown) >= 5 and {k: json.loads(v) for k, v in got.items()} == shown
        until(same, SOON, "the same on the page and in the topic")


@pytest.mark.parametrize("kind", ["plain", "uneven"])
def test_the_nasty_fixture_in_process(run, tally, tmp_path, kind):
    """Fed with a CSV and its own times, at full speed: what is in the in-process broker is the independent count."""
    spec = fixture.JOBS[kind] | {"source": {"topic": "in", "column": 1}, "sink": {"topic": "out"}}
    path = fixture.write_spec(tmp_path, spec)
    data = fixture.csv_file(fixture.stream(fixture.JOBS[kind]))
    (tmp_path / "in.csv").write_bytes(data)
    records, _ = oracle.rows_to_records(oracle.read_csv(data), 1, time_column=0)
    wanted = oracle.results(spec, oracle.count(spec, records, drop=True)[0])
    running = run(path, "--feed", "in.csv", "--time-column", 0, "--rate", "max", page=False)
    with Tail(running.broker, "out") as tail:
        try:
            tail.until(lambda: best(tail.records) == wanted, SOON)
        except TimeoutError:
            raise AssertionError(difference(best(tail.records), wanted)) from None
    code, seconds = running.stop()
    assert code == 0 and seconds < PROMPT_S, (code, seconds, running.err)
    once = tally.run("run", path, "--feed", "in.csv", "--time-column", 0, "--rate", "max", "--no-page", "--once")
    late = oracle.count(spec, records, drop=True)[1]
    assert once.code == 0 and re.search(rf"\b{len(records)} records, {len(wanted)} windows closed, {late} late", once.err)


def test_once(tally, tmp_path):
    spec = fixture.JOBS["plain"] | {"source": {"topic": "in", "column": 1}, "sink": {"topic": "out"}}
    path = fixture.write_spec(tmp_path, spec)
    (tmp_path / "in.csv").write_text("x,0\nx,1\nx\nx,7\n" * 1000)
    result = tally.run("run", path, "--feed", "in.csv", "--rate", "max", "--once", "--no-page")
    assert result.code == 0, result.err
    assert re.search(r"\b3[, ]?000 records", result.err), result.err


def test_the_sample_once(tally):
    result = tally.run("run", "gender", "--rate", "max", "--once", "--no-page")
    assert result.code == 0, result.err
    assert re.search(r"\b10[, ]?000 records", result.err), result.err


def test_port_5000_is_taken_and_was_not_asked_for(tally):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 5000))
            taken.listen()
        except OSError:
            pass  # somebody has it already
        running = tally.start("run", "gender")
        port = int(running.wait_for(PAGE)[1])
        assert port != 5000 and re.search(r"\b5000\b.*(taken|in use)", running.err), running.err
        until(lambda: results_on_page(port), SOON, "the page there")


def test_two_at_once(tally):
    ports = []
    for _ in range(2):
        running = tally.start("run", "gender")
        ports.append(int(running.wait_for(PAGE)[1]))
        until(lambda: results_on_page(ports[-1]), SOON, "the page")
    assert ports[0] != ports[1]


@pytest.mark.parametrize("seed", range(12))
def test_interrupted_at_any_moment(tally, seed):
    rng = random.Random(seed)
    sig = rng.choice([signal.SIGINT, signal.SIGTERM])
    running = tally.start("run", "gender", "--port", free_port())
    time.sleep(rng.uniform(0, 0.5) ** 2 * 2)  # the point, not a condition
    code, seconds = running.stop(sig)
    before_main = -sig if code < 0 and not running.err else 0
    assert code in (0, 128 + sig, before_main) and seconds < PROMPT_S, (code, seconds, running.err)


def test_interrupted_twice(run):
    running = run("gender", "--rate", "max")
    until(lambda: results_on_page(running.port), SOON, "the first count")
    running.process.send_signal(signal.SIGINT)
    code, seconds = running.stop(signal.SIGINT)
    assert code in (0, 130, -signal.SIGINT) and seconds < PROMPT_S


def test_full_speed_in_bounded_memory(run):
    """The feed waits for the engine: neither the broker nor the engine grow, and nothing is lost on the way."""
    running = run("gender", "--rate", "max")
    until(lambda: len(results_on_page(running.port)) >= 3, SOON, "windows")
    before = running.memory()
    count = len(results_on_page(running.port))
    until(lambda: len(results_on_page(running.port)) >= count + 5, SOON, "five more")
    assert running.memory() - before < 16 << 20
    totals = [w["total"] for w in results_on_page(running.port)[1:-1]]
    assert statistics.median(totals) > 1000, totals  # 10 is the rate of its own
    code, seconds = running.stop()
    assert code == 0 and seconds < PROMPT_S, (code, seconds)


def test_verbose_says_where_values_come_from(tally):
    running = tally.start("run", "gender", "--no-page", "--rate", "50", "--verbose", env={"TALLY_PORT": "5099"})
    running.wait_for(BROKER)
    running.wait_for(r"rate.*50.*(command line|option)")
    running.stop()


def test_a_real_kafka_is_not_fed(kafka, tally, tmp_path, unique):
    spec = fixture.spec(unique("real"))
    path = fixture.write_spec(tmp_path, spec)
    topic = kafka.create_topic(spec["source"]["topic"], 2)
    port = free_port()
    running = tally.start("run", path, "--bootstrap-servers", kafka.address, "--port", port)
    running.wait_for(PAGE)
    kafka.produce(topic, [(0, fixture.BASE, b"0"), (1, fixture.BASE + 1, b"1")])
    until(lambda: [w["total"] for w in results_on_page(port)] == [2], SOON, "the count on the page")
    assert kafka.end_offsets(topic) == {0: 1, 1: 1}
    code, seconds = running.stop()
    assert code == 0 and seconds < PROMPT_S, (code, seconds, running.err)
