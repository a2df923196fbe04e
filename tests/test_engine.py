"""The local engine between two topics of a real Kafka: its results are those of the independent count."""

import json
import random
import re
import signal
import time

import pytest

from tests import fixture, oracle
from tests.kafka_server import Tail
from tests.program import BUILDS, PROMPT_S, SOON, Program, until

TOO_LATE = SOON  # for anything that takes a moment


@pytest.fixture
def job(tmp_path, kafka, unique):
    """Makes a job with topics of its own: (the spec, its file)."""
    def make(kind="plain", partitions=3, **changes):
        spec = json.loads(json.dumps(fixture.JOBS[kind]))
        spec["name"] = unique(kind)
        spec["source"].update({"topic": spec["name"] + "-in", **changes.pop("source", {})})
        spec["sink"]["topic"] = spec["name"] + "-out"
        spec.update(changes)
        if partitions:
            kafka.create_topic(spec["source"]["topic"], partitions)
        return spec, fixture.write_spec(tmp_path, spec)
    return make


@pytest.fixture
def engine(tally, kafka):
    def start(path, *options):
        return tally.start("run", path, "--bootstrap-servers", kafka.address, "--no-page", *options)
    return start


@pytest.fixture
def once(tally, kafka):
    def run(path, *options, timeout=60):
        result = tally.run("run", path, "--bootstrap-servers", kafka.address, "--no-page", "--once", *options,
                           timeout=timeout)
        assert result.code == 0, result.err
        return result
    return run


def source(spec):
    return spec["source"]["topic"]


def best(kafka_records):
    return oracle.deduplicated((r.key, r.value) for r in kafka_records)


def expected(spec, records, drop=False):
    return oracle.results(spec, oracle.count(spec, records, drop)[0])


def wait_for_results(kafka, spec, wanted, timeout=TOO_LATE):
    """Until the topic's results are these, no more and no less; gives all its records."""
    topic = spec["sink"]["topic"]
    until(lambda: kafka.partitions(topic), timeout, f"topic {topic}")
    with Tail(kafka.address, topic) as tail:
        try:
            tail.until(lambda: best(tail.records) == wanted, timeout)
        except TimeoutError as error:
            raise AssertionError(f"{error}\n{difference(best(tail.records), wanted)}") from None
        return tail.records


def difference(got, wanted):
    lines = [f"{len(got)} windows, wanted {len(wanted)}"]
    for key in sorted(set(got) | set(wanted)):
        if got.get(key) != wanted.get(key):
            lines.append(f"got    {got.get(key)}\nwanted {wanted.get(key)}")
    return "\n".join(lines[:9])


# ---- The same results

@pytest.mark.parametrize("kind", fixture.JOBS)
def test_once_equals_the_independent_count(kafka, job, once, kind):
    spec, path = job(kind)
    records = fixture.stream(spec)
    kafka.produce(source(spec), records)
    result = once(path)
    got, wanted = best(kafka.read(spec["sink"]["topic"])), expected(spec, records)
    assert got == wanted, difference(got, wanted)
    rejected = oracle.count(spec, records)[2]
    assert re.search(rf"\b{rejected} rejected", result.err) and re.search(r"\b0 late", result.err), result.err


@pytest.mark.parametrize("kind", ["plain", "json", "uneven"])
def test_running_equals_the_independent_count(kafka, job, engine, kind):
    """Records that come while it runs; the last windows' totals come without anything after them."""
    spec, path = job(kind)
    running = engine(path)
    records = fixture.stream(spec, seed=7)
    for piece in fixture.chunks(records, oracle.window(spec)[2]):
        kafka.produce(source(spec), piece)
    records_out = wait_for_results(kafka, spec, expected(spec, records))
    code, seconds = running.stop()
    assert code == 0 and seconds < PROMPT_S, (code, seconds, running.err)
    for record in records_out:  # totals of a window never fall
        assert json.loads(record.value)["job"] == spec["name"]
    totals = {}
    for record in records_out:
        total = json.loads(record.value)["total"]
        assert total >= totals.get(record.key, 0), record
        totals[record.key] = total


@pytest.mark.parametrize("kind", ["plain", "sliding", "uneven", "short", "strict"])
def test_beyond_the_lateness(kafka, job, once, kind):
    """One partition: which pairs of record and window are dropped is known exactly, and said."""
    spec, path = job(kind, partitions=1)
    records = fixture.beyond(spec)
    kafka.produce(source(spec), records)
    result = once(path)
    counts, dropped, _ = oracle.count(spec, records, drop=True)
    got, wanted = best(kafka.read(spec["sink"]["topic"])), oracle.results(spec, counts)
    assert got == wanted, difference(got, wanted)
    assert re.search(rf"\b{dropped} late", result.err), result.err


def test_result_records_to_the_letter(kafka, job, once):
    spec, path = job()
    start = fixture.BASE
    kafka.produce(source(spec), [(0, start, b"0"), (1, start + 999, b"7"), (2, start + 1000, None)])
    once(path)
    records = kafka.read(spec["sink"]["topic"])
    name = spec["name"]
    assert best(records) == {
        f"{name}/{start}".encode(): f'{{"job":"{name}","start":{start},"end":{start + 1000},"counts":'
        '{"female":1,"male":0,"unknown":0,"other":1},"total":2}'.encode(),
        f"{name}/{start + 1000}".encode(): f'{{"job":"{name}","start":{start + 1000},"end":{start + 2000},"counts":'
        '{"female":0,"male":0,"unknown":1,"other":0},"total":1}'.encode()}
    assert kafka.partitions(spec["sink"]["topic"]) == [0]


def test_count_and_engine_say_the_same(kafka, job, once, tally, tmp_path):
    """A CSV by `count`, and by `produce` and the engine."""
    spec, path = job(partitions=0, source={"column": 1})
    data = fixture.csv_file(fixture.stream(spec))
    (tmp_path / "in.csv").write_bytes(data)
    counted = tally.run("count", path, "in.csv", "--time-column", 0)
    produced = tally.run("produce", path, "in.csv", "--time-column", 0, "--rate", "max", "--partitions", 3,
                         "--bootstrap-servers", kafka.address)
    assert produced.code == 0, produced.err
    assert kafka.partitions(source(spec)) == [0, 1, 2]
    records, _ = oracle.rows_to_records(oracle.read_csv(data), 1, time_column=0)
    sent = kafka.read(source(spec))
    assert sorted((r.time, r.value or b"") for r in sent) == sorted((time, value) for _, time, value in records)
    assert not [r for r in sent if r.headers]
    once(path)
    got = best(kafka.read(spec["sink"]["topic"]))
    assert sorted(got.values()) == sorted(line.encode() for line in counted.out.splitlines())
    shown = tally.run("consume", path, "-o", "beginning", "-e", "--bootstrap-servers", kafka.address)
    assert shown.code == 0
    assert shown.out.splitlines() == [r.value.decode() for r in kafka.read(spec["sink"]["topic"])]


def test_nothing_is_fetched_twice(kafka, job, once, tally, tmp_path):
    """More than librdkafka's queue holds (queued.min.messages): its fetcher is woken when it sleeps, not while it fetches."""
    rows = 1_000_000
    spec, path = job(partitions=1, source={"column": 1})
    (tmp_path / "in.csv").write_bytes(b"".join(b"%d,0\n" % (fixture.BASE + n) for n in range(rows)))
    made = tally.run("produce", path, "in.csv", "--time-column", 0, "--rate", "max", "--bootstrap-servers", kafka.address)
    assert made.code == 0, made.err
    said = once(path, "--verbose", "-X", "debug=msg", timeout=60).err
    assert f"{rows} records, " in said
    assert sum(map(int, re.findall(r"Enqueue (\d+) .*message", said))) == rows


def test_memory_does_not_grow_with_the_partitions(kafka, job, tally):
    """A record that librdkafka has read ahead takes some 320 bytes: a partition's bound would be 64 of them here."""
    rows = 600_000
    spec, path = job(partitions=64, source={"column": 0})
    (tally.cwd / "in.csv").write_bytes(b"0\n" * rows)
    at = ["--bootstrap-servers", kafka.address]
    assert tally.run("produce", path, "in.csv", "--rate", "max", *at, timeout=60).code == 0
    code, peak = Program(BUILDS["build"], cwd=tally.cwd).measure("run", path, "--once", "--no-page", *at)
    assert sum(json.loads(value)["total"] for value in best(kafka.read(spec["sink"]["topic"])).values()) == rows
    assert code == 0 and peak < 100 * 2**20, peak


@pytest.mark.parametrize("setting", ["queued.max.messages.kbytes=20", "queued.min.messages=4"])
def test_a_full_queue_does_not_stop_the_fetcher(kafka, job, once, setting):
    """librdkafka 2.0 looks at a queue that was full once a second, or when it is woken: here each fetch fills it, 300 times."""
    spec, path = job(partitions=1)
    noise = random.Random(1)
    records = [(0, fixture.BASE + n, noise.randbytes(5000)) for n in range(3000)]
    kafka.produce(source(spec), records)
    once(path, "-X", setting, "-X", "fetch.message.max.bytes=50000")
    assert best(kafka.read(spec["sink"]["topic"])) == expected(spec, records)


def test_partitions_one_after_the_other(kafka, job, once):
    """Each holds up the next, minutes ahead of it, until it has been counted; then nobody waits whether more comes of it."""
    spec, path = job(partitions=8)
    records = [(p, fixture.BASE + p * 300_000 + n * 1000, b"%d" % (n % 3)) for p in range(8) for n in range(300)]
    kafka.produce(source(spec), records)
    result = once(path, timeout=20)
    got, wanted = best(kafka.read(spec["sink"]["topic"])), expected(spec, records)
    assert got == wanted, difference(got, wanted)
    assert re.search(r"\b0 late", result.err), result.err


def test_more_waits_than_there_is_room_for(kafka, job, once):
    """What has no room to wait is read again: each record counts once. (LIMIT_WAITING: 2048 of each partition.)"""
    spec, path = job(partitions=512)
    records = [(p, fixture.BASE + p * 400_000 + n * 100, b"%d" % (n % 3)) for p in range(4) for n in range(8000)]
    kafka.produce(source(spec), records)
    result = once(path, "--verbose")
    got, wanted = best(kafka.read(spec["sink"]["topic"])), expected(spec, records)
    assert got == wanted, difference(got, wanted)
    assert f"{len(records)} records, " in result.err and re.search(r"\b0 late", result.err), result.err[-2000:]
    assert "set aside" in result.err


def test_a_second_run_changes_nothing(kafka, job, once):
    spec, path = job()
    records = fixture.stream(spec, 500)
    kafka.produce(source(spec), records)
    once(path)
    once(path)
    assert best(kafka.read(spec["sink"]["topic"])) == expected(spec, records)
    more = [(p, t + 1_000_000, v) for p, t, v in fixture.stream(spec, 300, seed=3)]
    kafka.produce(source(spec), more)
    once(path)
    got, wanted = best(kafka.read(spec["sink"]["topic"])), expected(spec, records + more)
    assert got == wanted, difference(got, wanted)


def test_an_empty_topic(kafka, job, once):
    spec, path = job()
    once(path)
    assert not kafka.partitions(spec["sink"]["topic"]) or not kafka.read(spec["sink"]["topic"])


def test_the_last_total_is_not_held_back(kafka, job, engine):
    """Updates of a window go out every 100 ms at most; one that event time has just passed does not wait for its turn."""
    spec, path = job(partitions=1)
    engine(path)
    until(lambda: kafka.partitions(spec["sink"]["topic"]), TOO_LATE, "the result topic")
    with Tail(kafka.address, spec["sink"]["topic"]) as tail:
        def sent(start, total):
            """When the engine gave this result to its client, by that client's stamp."""
            found = []
            tail.until(lambda: found.extend(r for r in tail.records if json.loads(r.value)["start"] == start
                                            and json.loads(r.value)["total"] == total) or found, TOO_LATE)
            return found[0].time
        apart, deadline = [], time.monotonic() + SOON
        while min(apart, default=100) > 70 and time.monotonic() < deadline:  # a busy machine has its own delays
            start = fixture.BASE // 1000 * 1000 + len(apart) * 10_000
            kafka.produce(source(spec), [(0, start, b"0")])
            first = sent(start, 1)
            kafka.produce(source(spec), [(0, start + 1, b"0"), (0, start + 1000, b"0")])
            apart.append(sent(start, 2) - first)
        assert min(apart) <= 70, apart  # its turn comes after 80 ms at the soonest (EMIT_SLACK_MS)


# ---- Progress

def check_commit(kafka, spec):
    """The promise of a commit: no record before it has a part in a window that is open at its watermark."""
    size, slide, _ = oracle.window(spec)
    records = kafka.read(source(spec))
    committed = kafka.committed(f"tally-{spec['name']}", source(spec))
    for partition, (offset, metadata) in committed.items():
        watermark = int(metadata) if metadata else None  # none: where the job began
        for r in records:
            if r.partition == partition and r.offset < offset and watermark is not None:
                assert max(oracle.starts(r.time, size, slide)) + size <= watermark, (r, offset, metadata)
    return committed


@pytest.mark.parametrize("kind", ["plain", "uneven"])
def test_commits(kafka, job, engine, kind):
    spec, path = job(kind)
    records = fixture.stream(spec)
    kafka.produce(source(spec), records)
    running = engine(path)
    wait_for_results(kafka, spec, expected(spec, records))

    def committed():
        found = check_commit(kafka, spec)
        return len(found) == 3 and all(offset > 0 and metadata for offset, metadata in found.values())
    until(committed, TOO_LATE, "a commit of each partition", every=0.3)
    running.stop()
    check_commit(kafka, spec)


def feed_until(kafka, spec, condition, timeout):
    """Feeds partition 0 alone, ten records a second that are 100 ms apart; gives them."""
    sent = []

    def turn():
        sent.append((0, fixture.BASE + len(sent) * 100, b"1"))
        kafka.produce(source(spec), sent[-1:])
        return condition()
    until(turn, timeout, "progress", every=0.1)
    return sent


def progress(kafka, spec):
    return kafka.committed(f"tally-{spec['name']}", source(spec)).get(0, (0, ""))[0]


def test_an_idle_partition_does_not_hold_the_others_up(kafka, job, engine):
    spec, path = job(partitions=2)
    early = [(1, fixture.BASE, b"0")]
    kafka.produce(source(spec), early)
    running = engine(path)
    # Open windows are closed and committed, though partition 1 says no more.
    early += feed_until(kafka, spec, lambda: progress(kafka, spec) > 20, 60)
    last = early[-1][1]
    wait_for_results(kafka, spec, expected(spec, early))
    # The watermark is now that of partition 0: older records of partition 1 are late.
    kafka.produce(source(spec), [(1, last - 3000, b"2"), (1, last, b"2")])
    wait_for_results(kafka, spec, expected(spec, [*early, (1, last, b"2")]))
    running.stop()
    assert re.search(r"\b1 late", running.err), running.err


def test_a_partition_without_records_does_not_hold_the_others_up(kafka, job, engine):
    spec, path = job(partitions=3)
    engine(path)
    records = feed_until(kafka, spec, lambda: progress(kafka, spec) > 20, 60)
    wait_for_results(kafka, spec, expected(spec, records))
    check_commit(kafka, spec)


def test_a_partition_that_is_read_slowly_is_not_idle(kafka, job, once):
    """All of one partition, then all of the other, in the topic before the engine starts: nothing is late."""
    spec, path = job(partitions=2)
    records = [(p, fixture.BASE + i * 10, b"%d" % p) for p in (0, 1) for i in range(20_000)]
    kafka.produce(source(spec), records)
    once(path)
    got, wanted = best(kafka.read(spec["sink"]["topic"])), expected(spec, records)
    assert got == wanted, difference(got, wanted)


def test_start_at_the_latest(kafka, job, engine):
    spec, path = job(source={"start": "latest"})
    base = fixture.BASE
    kafka.produce(source(spec), [(p, base, b"0") for p in range(3)])
    running = engine(path)
    topic, sent = spec["sink"]["topic"], 0

    def results():
        nonlocal sent
        sent += 1
        kafka.produce(source(spec), [(0, base + 10000 + sent, b"1")])
        return kafka.partitions(topic) and kafka.read(topic)
    until(results, TOO_LATE, "a result", every=0.05)
    kafka.produce(source(spec), [(p, base + 20000, b"2") for p in range(3)])
    key = f"{spec['name']}/{base + 20000}".encode()
    until(lambda: b'"total":3' in best(kafka.read(topic)).get(key, b""), TOO_LATE, "the last window")
    assert f"{spec['name']}/{base}".encode() not in best(kafka.read(topic))
    until(lambda: kafka.committed(f"tally-{spec['name']}", source(spec)), TOO_LATE, "a commit")
    running.stop()
    # With progress, it goes on from there, not from the latest.
    kafka.produce(source(spec), [(p, base + 30000, b"0") for p in range(3)])
    engine(path)
    key = f"{spec['name']}/{base + 30000}".encode()
    until(lambda: b'"total":3' in best(kafka.read(topic)).get(key, b""), TOO_LATE, "what came in between")


def test_latest_and_killed_before_the_first_window_closes(kafka, job, engine):
    """Where a job begins is progress, too: what came after that is not lost."""
    spec, path = job(partitions=1, source={"start": "latest"})
    base, topic = fixture.BASE, spec["sink"]["topic"]
    kafka.produce(source(spec), [(0, base, b"0")])
    running = engine(path)
    until(lambda: kafka.committed(f"tally-{spec['name']}", source(spec)), TOO_LATE, "a commit")
    running.kill()
    kafka.produce(source(spec), [(0, base + 1, b"1")])
    engine(path)
    key = f"{spec['name']}/{base}".encode()
    until(lambda: kafka.partitions(topic) and b'"male":1' in best(kafka.read(topic)).get(key, b""), TOO_LATE, "it")
    assert b'"total":1' in best(kafka.read(topic))[key]


# ---- What is refused

def test_records_from_the_future(kafka, job, engine, once):
    """More than an hour ahead of the clock: rejected and counted, and no window ends because of them."""
    spec, path = job(partitions=1)
    now = int(time.time() * 1000)
    near, far = now + 3_500_000, now + 3_700_000
    records = [(0, now - 5000, b"0"), (0, far, b"0"), (0, now - 4500, b"1"), (0, 250_000_000_000_000, b"1")]
    kafka.produce(source(spec), records)
    result = once(path)
    assert best(kafka.read(spec["sink"]["topic"])) == expected(spec, [records[0], records[2]])
    assert re.search(r"\b2 rejected \(too far ahead 2\)", result.err), result.err
    spec, path = job(partitions=1)
    records = [(0, now, b"0"), (0, near, b"1"), (0, far, b"2")]
    kafka.produce(source(spec), records)
    once(path, "--max-future", "2h")
    assert best(kafka.read(spec["sink"]["topic"])) == expected(spec, records)


@pytest.mark.parametrize("command", [("run", "--no-page"), ("run", "--no-page", "--once"), ("consume", "-e"),
                                     ("dashboard", "--port", "0")])
def test_a_topic_that_does_not_exist(kafka, job, tally, command):
    spec, path = job(partitions=0)
    began = time.monotonic()
    result = tally.run(command[0], path, *command[1:], "--bootstrap-servers", kafka.address)
    assert result.code == 5, result.err
    assert re.search(rf"{spec['name']}-(in|out)", result.err)
    assert result.err.count("\n") <= 2 and time.monotonic() - began < 10


def test_the_source_is_deleted_while_it_runs(kafka, job, engine):
    spec, path = job(partitions=1)
    records = fixture.stream(spec, 100, partitions=1)
    kafka.produce(source(spec), records)
    running = engine(path)
    wait_for_results(kafka, spec, expected(spec, records))
    kafka.delete_topic(source(spec))
    assert running.wait(30) in (1, 5)
    assert source(spec) in running.err.splitlines()[-1], running.err


def test_progress_that_kafka_no_longer_has(kafka, job, once):
    """A topic made anew is shorter than the progress: counted from the earliest, and said."""
    spec, path = job(partitions=1)
    kafka.produce(source(spec), [(0, fixture.BASE + i * 500, b"0") for i in range(100)])
    once(path)
    kafka.delete_topic(source(spec))
    kafka.create_topic(source(spec), 1)
    again = [(0, fixture.BASE + 1_000_000 + i * 500, b"1") for i in range(10)]
    kafka.produce(source(spec), again)
    once(path)
    got = best(kafka.read(spec["sink"]["topic"]))
    assert expected(spec, again).items() <= got.items()


def test_somebody_elses_progress(kafka, job, once, tally):
    """A commit beyond the end, or one without a watermark, as another tool leaves them."""
    from kafka import KafkaConsumer, OffsetAndMetadata
    from kafka import TopicPartition as Partition
    spec, path = job(partitions=1)
    records = fixture.stream(spec, 200, partitions=1)
    kafka.produce(source(spec), records)
    other = KafkaConsumer(bootstrap_servers=kafka.address, group_id=f"tally-{spec['name']}",
                          enable_auto_commit=False)
    other.assign([Partition(source(spec), 0)])
    other.commit({Partition(source(spec), 0): OffsetAndMetadata(5000, "")})
    other.close()
    result = once(path)
    got, wanted = best(kafka.read(spec["sink"]["topic"])), expected(spec, records)
    assert got == wanted, difference(got, wanted)
    assert "5000" in result.err or "earliest" in result.err, result.err


# ---- produce and consume

ROWS = "".join(f"u,{i % 3}\n" for i in range(50))


def test_produce_at_a_rate(kafka, job, tally):
    spec, path = job(partitions=0, source={"column": 1})
    before = time.time() * 1000
    result = tally.run("produce", path, "-", "--rate", 100, "--bootstrap-servers", kafka.address, stdin=ROWS.encode())
    assert result.code == 0, result.err
    sent = kafka.read(source(spec))
    assert [r.value for r in sent] == [b"%d" % (i % 3) for i in range(50)]
    # Each has the time it was sent at: no row before it is due, and the last one long before the 4.9 s of the default rate.
    assert all(r.time - before >= n * 10 - 1 for n, r in enumerate(sent)), (before, sent)
    assert sent[-1].time - sent[0].time < 3000


def test_produce_with_a_start_time(kafka, job, tally):
    """The row n has the time START + n x 1000 / rate, so a second run gives the same records."""
    spec, path = job(partitions=1, source={"column": 1})
    result = tally.run("produce", path, "-", "--rate", 1000, "--start-time", fixture.BASE, "--skip", 10,
                       "--bootstrap-servers", kafka.address, stdin=ROWS.encode())
    assert result.code == 0, result.err
    sent = kafka.read(source(spec))
    assert len(sent) == 40 and sent[0].value == b"1"
    assert [r.time - sent[0].time for r in sent] == list(range(40))
    assert sent[0].time in (fixture.BASE, fixture.BASE + 10)


def test_produce_in_a_loop(kafka, job, tally):
    spec, path = job(partitions=1, source={"column": 1})
    (tally.cwd / "in.csv").write_text(ROWS)
    running = tally.start("produce", path, "in.csv", "--rate", 1000, "--loop", "--bootstrap-servers", kafka.address)
    until(lambda: kafka.end_offsets(source(spec))[0] > 120, TOO_LATE, "a second round")
    code, seconds = running.stop()
    assert code in (0, 130) and seconds < PROMPT_S
    sent = [r.value for r in kafka.read(source(spec))]
    assert sent == [b"%d" % (i % 50 % 3) for i in range(len(sent))]


def test_consume(kafka, job, tally):
    spec, path = job(partitions=1)
    topic, start = spec["sink"]["topic"], fixture.BASE
    kafka.create_topic(topic)
    order = oracle.series(spec)
    lines = [oracle.result(spec, start + i * 1000, dict.fromkeys(order, i)) for i in range(5)]
    kafka.write(topic, lines)
    values = [value.decode() for _, value in lines]
    at = ["--bootstrap-servers", kafka.address]
    assert tally.run("consume", path, "-o", "beginning", "-e", *at).out.splitlines() == values
    assert tally.run("consume", path, "-o", "beginning", "-c", 2, *at).out.splitlines() == values[:2]
    running = tally.start("consume", path, "-o", "end", *at)
    sent = []

    def shown():
        sent.append(oracle.result(spec, start + (10 + len(sent)) * 1000, dict.fromkeys(order, 7)))
        kafka.write(topic, sent[-1:])
        return running.out
    until(shown, TOO_LATE, "a new record", every=0.1)
    assert not set(running.out.splitlines()) & set(values)
    code, seconds = running.stop(signal.SIGTERM)
    assert code == 0 and seconds < PROMPT_S
