"""Whatever is killed, paused or restarted: the results, de-duplicated by window, equal the independent count."""

import os
import random
import threading
import time
from collections import Counter

import pytest

from tests import fixture, oracle
from tests.kafka_server import Tail
from tests.program import PROMPT_S, SOON, until
from tests.test_engine import best, difference, engine, expected, job, source, wait_for_results  # noqa: F401

ALL = os.environ.get("TALLY_ALL") == "1"
STREAMS = 10 if ALL else 2
KILLS = 10 if ALL else 5  # in each stream
PAUSE = 60 if ALL else 10  # seconds

RESUME_ENGINE = PROMPT_S  # from the start of the program to its first new result
RESUME_BROKER = 9.0  # seconds from Kafka's being ready to the first new result; librdkafka's own pauses grow to 10 s
FLAT = 8 << 20  # bytes


class Feed(threading.Thread):
    """Sends a stream piece by piece, at so many pieces a second, until it is told to end."""

    def __init__(self, kafka, spec, seed, pieces_per_second=100):
        super().__init__(daemon=True)
        self.kafka, self.spec, self.pause = kafka, spec, 1 / pieces_per_second
        self.pieces = fixture.chunks(fixture.stream(spec, 100_000, seed=seed), oracle.window(spec)[2])
        self.sent, self.error, self.ended = [], None, threading.Event()
        self.start()

    def run(self):
        try:
            for piece in self.pieces:
                self.kafka.produce(source(self.spec), piece, timeout=120)
                self.sent += piece
                if self.ended.wait(self.pause):
                    return
            raise RuntimeError("the stream was too short")
        except Exception as error:
            self.error = error

    def end(self):
        """All that was sent, as the topic holds it: a piece may be there twice, if Kafka could not answer."""
        self.ended.set()
        self.join(150)
        assert not self.is_alive() and not self.error, self.error
        held = [(r.partition, r.time, r.value) for r in self.kafka.read(source(self.spec))]
        assert not Counter(self.sent) - Counter(held)
        return held


def new_result(tail, timeout):
    """Seconds until a new result record."""
    began = time.monotonic()
    count = len(tail.records)
    tail.until(lambda: len(tail.records) > count, timeout)
    return time.monotonic() - began


def caught_up(tail):
    while tail.poll(0.1):
        pass


@pytest.mark.parametrize("seed", range(STREAMS))
def test_the_engine_is_killed(kafka, job, engine, seed):  # noqa: F811
    """SIGKILL at seeded points: some while it starts, some after so many results, some after so many ms."""
    rng = random.Random(seed)
    spec, path = job(["plain", "uneven"][seed % 2])
    kafka.create_topic(spec["sink"]["topic"])
    feed = Feed(kafka, spec, seed)
    slowest, killed = 0, 0
    with Tail(kafka.address, spec["sink"]["topic"]) as tail:
        while killed < KILLS:
            caught_up(tail)
            began = time.monotonic()
            running = engine(path)
            how = rng.choice(["starting", "results", "time", "results"]) if killed else "results"
            if how == "starting":
                time.sleep(rng.uniform(0, 0.25))  # the point, not a condition
            else:
                new_result(tail, SOON)
                slowest = max(slowest, time.monotonic() - began)
                if how == "time":
                    time.sleep(rng.uniform(0, 0.3))
                else:
                    wanted = len(tail.records) + rng.randrange(0, 40)
                    tail.until(lambda: len(tail.records) >= wanted, SOON)
            assert running.process.poll() is None, running.err
            running.kill()
            killed += 1
    engine(path)
    time.sleep(rng.uniform(0, 0.3))
    wanted = expected(spec, feed.end())
    wait_for_results(kafka, spec, wanted)
    print(f"\nseed {seed}: {killed} kills, {len(wanted)} windows, first new result within {slowest:.2f} s")
    assert slowest <= RESUME_ENGINE


def disturb(kafka, job, engine, break_it, mend_it):  # noqa: F811
    """The engine works, Kafka breaks and is mended, the engine works on: (seconds that took, growth in memory)."""
    spec, path = job()
    kafka.create_topic(spec["sink"]["topic"])
    feed = Feed(kafka, spec, seed=5, pieces_per_second=50)
    running = engine(path)
    with Tail(kafka.address, spec["sink"]["topic"]) as tail:
        tail.until(lambda: len(best(tail.records)) > 20, SOON)
        before = running.memory()
        break_it()
        caught_up(tail)  # with what was there before
        mend_it()
        mended = time.monotonic()
        new_result(tail, SOON)
        took = time.monotonic() - mended
        count = len(best(tail.records))
        tail.until(lambda: len(best(tail.records)) > count + 20, SOON)
    sent = feed.end()
    wait_for_results(kafka, spec, expected(spec, sent))
    growth = running.memory() - before
    code, seconds = running.stop()
    assert code == 0 and seconds < PROMPT_S, (code, seconds, running.err)
    print(f"\nresumed {took:.2f} s after Kafka was ready, memory {growth / 2**20:+.1f} MiB")
    assert took <= RESUME_BROKER
    assert growth < FLAT


def test_the_broker_is_killed(kafka, job, engine):  # noqa: F811
    disturb(kafka, job, engine, kafka.kill, kafka.start)


def test_the_broker_is_restarted(kafka, job, engine):  # noqa: F811
    disturb(kafka, job, engine, kafka.stop, kafka.start)


def test_the_broker_is_paused(kafka, job, engine):  # noqa: F811
    def pause():
        kafka.pause()
        time.sleep(PAUSE)  # the length of the fault

    def resume():
        kafka.resume()
        kafka.wait_ready()
    disturb(kafka, job, engine, pause, resume)


def test_engine_and_broker_are_killed_together(kafka, job, engine):  # noqa: F811
    spec, path = job("uneven")
    kafka.create_topic(spec["sink"]["topic"])
    feed = Feed(kafka, spec, seed=6)
    running = engine(path)
    until(lambda: len(best(kafka.read(spec["sink"]["topic"]))) > 5, SOON, "results")
    kafka.kill()
    running.kill()
    kafka.start()
    engine(path)
    until(lambda: len(feed.sent) > 1000, SOON, "more input")
    wait_for_results(kafka, spec, expected(spec, feed.end()))


def test_stopped_while_the_broker_is_away(kafka, job, engine):  # noqa: F811
    """Ctrl-C ends it soon even so: it waits for what it has sent, but not for long (STOP_SEND_MS, STOP_COMMIT_MS)."""
    spec, path = job()
    records = fixture.stream(spec, 500)
    kafka.produce(source(spec), records)
    running = engine(path)
    wait_for_results(kafka, spec, expected(spec, records))
    kafka.kill()
    try:
        time.sleep(0.5)
        code, seconds = running.stop()
        assert seconds < PROMPT_S, (code, seconds, running.err)
    finally:
        kafka.start()
