"""`produce` and `consume` where it gets tight: full queues, records that nobody takes, a broker that goes, Ctrl-C, a reader
that rests. What is in the topic, or printed, is always what was given: none missing, none twice, in order."""

import json
import re
import subprocess
import threading
import time

import pytest

from tests import fixture, oracle
from tests.program import PROMPT_S, chosen, environment, until
from tests.test_engine import TOO_LATE, job, source  # noqa: F401


def rows(folder, count, size=0):
    """A CSV of so many rows, whose column 1 has its number, as wide as that."""
    path = folder / "rows.csv"
    path.write_text("".join(f"u,{n:0{size}d}\n" for n in range(count)))
    return path, [b"%0*d" % (size, n) for n in range(count)]


def values(kafka, spec):
    return [record.value for record in kafka.read(source(spec), 60)]


# ---- produce

FULL = {
    "ten records": (0, ["-X", "queue.buffering.max.messages=10", "-X", "linger.ms=1"]),
    "one batch's worth": (0, ["-X", "queue.buffering.max.messages=500"]),
    "one record more": (0, ["-X", "queue.buffering.max.messages=501"]),
    "a kilobyte": (100, ["-X", "queue.buffering.max.kbytes=1", "-X", "linger.ms=1"]),
    "batches of one": (0, ["-X", "batch.num.messages=1", "-X", "queue.buffering.max.messages=2000"]),
}


@pytest.mark.parametrize("name", FULL)
@pytest.mark.parametrize("times", [(), ("--start-time", fixture.BASE)], ids=["now", "timed"])
def test_a_full_queue(kafka, job, tally, name, times):  # noqa: F811
    """Its rows wait; one by one (with times) as well as many at once."""
    size, settings = FULL[name]
    spec, path = job(partitions=1, source={"column": 1})
    data, wanted = rows(tally.cwd, 1200, size)
    result = tally.run("produce", path, data, "--rate", "max", "--bootstrap-servers", kafka.address, *settings, *times)
    assert result.code == 0 and "1200 rows, 1200 sent" in result.err, result.err
    assert values(kafka, spec) == wanted


TOO_LARGE = {
    "the topic's limit": ({"max_message_bytes": 1000}, []),
    "the client's limit": ({}, ["-X", "message.max.bytes=1000"]),
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_record_that_is_too_large(kafka, job, tally, name):  # noqa: F811
    """It ends in an error, which says so: it is not left out."""
    config, settings = TOO_LARGE[name]
    spec, path = job(partitions=0, source={"column": 1})
    kafka.create_topic(source(spec), **config)
    (tally.cwd / "in.csv").write_text(f"u,1\nu,{'x' * 2000}\nu,3\n")
    result = tally.run("produce", path, "in.csv", "--rate", "max", "--bootstrap-servers", kafka.address, *settings)
    assert result.code == 1 and re.search("did not take a record: .*size", result.err, re.I), result.err


AWAY = {"killed": lambda kafka: kafka.kill(), "restarted": lambda kafka: kafka.stop(), "paused": lambda kafka: kafka.pause()}


@pytest.mark.parametrize("how", AWAY)
def test_a_broker_that_goes_in_the_middle(kafka, job, tally, how):  # noqa: F811
    """Each record is in the topic once, whatever had to be sent again."""
    spec, path = job(partitions=1, source={"column": 1})
    data, wanted = rows(tally.cwd, 60_000)
    running = tally.start("produce", path, data, "--rate", 6000, "--bootstrap-servers", kafka.address)  # 10 s
    until(lambda: kafka.end_offsets(source(spec))[0] > 1000, TOO_LATE, "the first records")
    AWAY[how](kafka)
    try:
        time.sleep(1)  # the length of the fault
        assert running.process.poll() is None, running.err
    finally:
        if how == "paused":
            kafka.resume()
        else:
            kafka.start()
    assert running.wait(60) == 0, running.err
    assert values(kafka, spec) == wanted


@pytest.mark.parametrize("times", [(), ("--start-time", fixture.BASE)], ids=["now", "timed"])
def test_ctrl_c_in_the_middle(kafka, job, tally, times):  # noqa: F811
    """It says where to go on; gone on there, the topic is as if nothing had been."""
    spec, path = job(partitions=1, source={"column": 1})
    data, wanted = rows(tally.cwd, 20_000)
    command = ["produce", path, data, "--rate", 1000, "--bootstrap-servers", kafka.address, *times]  # 20 s
    running = tally.start(*command)
    until(lambda: kafka.end_offsets(source(spec))[0] > 100, TOO_LATE, "the first records")
    code, seconds = running.stop()
    skip = re.search(r"go on with --skip (\d+)$", running.err, re.M)
    assert code == 130 and seconds < PROMPT_S and skip, (code, seconds, running.err)
    assert values(kafka, spec) == wanted[:int(skip[1])]
    result = tally.run(*command[:3], "--rate", "max", *command[5:], "--skip", skip[1])
    assert result.code == 0, result.err
    assert values(kafka, spec) == wanted


# ---- consume

def fill(kafka, topic, lines, folder, partition=0, batch=10_000):
    (folder / "lines").write_text("\n".join(lines) + "\n")
    subprocess.run(["kcat", "-P", "-b", kafka.address, "-t", topic, "-p", str(partition), "-X",
                    f"batch.num.messages={batch}", "-l", str(folder / "lines")], check=True, env=environment())


def results(spec, count, start=fixture.BASE):
    order = oracle.series(spec)
    return [oracle.result(spec, start + i * 1000, {name: i % 50 for name in order})[1].decode() for i in range(count)]


def test_a_reader_that_rests(kafka, job, tally):  # noqa: F811
    """More records wait than the client keeps for us, and it stops to fetch; then all of them come."""
    spec, path = job(partitions=1)
    kafka.create_topic(spec["sink"]["topic"])
    lines = results(spec, 300_000)
    fill(kafka, spec["sink"]["topic"], lines, tally.cwd)
    process = subprocess.Popen([str(chosen()), "consume", str(path), "-o", "beginning", "-e", "--bootstrap-servers",
                                kafka.address], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment())
    sizes = []

    def rests():
        """Its memory grows no more."""
        with open(f"/proc/{process.pid}/statm") as file:
            sizes.append(int(file.read().split()[1]))
        return sizes[-1] > 4000 and len(sizes) > 10 and len(set(sizes[-10:])) == 1
    try:
        until(rests, 2 * TOO_LATE, "a full queue", every=0.1)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert out.decode().splitlines() == lines


@pytest.mark.skipif("asan" in str(chosen()), reason="the sanitizer keeps what was freed")
def test_what_waits_in_many_partitions(kafka, job, tally):  # noqa: F811
    """What is read ahead is bounded over all of them: memory is far below what all records take in the client."""
    spec, path = job(partitions=1)
    topic = spec["sink"]["topic"]
    kafka.create_topic(topic, 64)
    lines = results(spec, 5_000)
    for partition in range(64):
        fill(kafka, topic, lines, tally.cwd, partition)
    command = ["consume", path, "-o", "beginning", "-e", "--bootstrap-servers", kafka.address]
    assert tally.run(*command).out.count("\n") == 64 * len(lines)
    code, peak = tally.measure(*command)
    assert code == 0 and peak < 32 << 20, f"{peak / 2**20:.1f} MiB"


def test_an_end_that_comes_twice(kafka, job, tally):  # noqa: F811
    """-e: the end of one partition, met again behind each new record, is not that of the other."""
    spec, path = job(partitions=1)
    topic = spec["sink"]["topic"]
    kafka.create_topic(topic, 2)
    lines = results(spec, 20_000)
    fill(kafka, topic, lines, tally.cwd, 1, batch=50)
    ended = threading.Event()

    def write_on():
        while not ended.is_set():
            kafka.producer.send(topic, lines[0].encode(), partition=0).get(TOO_LATE)
    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        result = tally.run("consume", path, "-o", "beginning", "-e", "--bootstrap-servers", kafka.address, "-X",
                           "fetch.message.max.bytes=8000", timeout=60)
    finally:
        ended.set()
        writer.join()
    assert result.code == 0, result.err
    assert [line for line in result.out.splitlines() if line != lines[0]] == lines[1:]


COUNTS = [0, 1, 511, 512, 513, 1500]  # -c, around what is taken at once


@pytest.mark.parametrize("count", COUNTS)
def test_so_many_and_no_more(kafka, job, tally, count):  # noqa: F811
    spec, path = job(partitions=1)
    kafka.create_topic(spec["sink"]["topic"])
    lines = results(spec, 1500)
    fill(kafka, spec["sink"]["topic"], lines, tally.cwd)
    stop = ["-c", count] if count else ["-e"]
    result = tally.run("consume", path, "-o", "beginning", *stop, "--bootstrap-servers", kafka.address)
    assert result.code == 0 and result.out.splitlines() == lines[:count or None], result.err


def test_records_of_others_among_them(kafka, job, tally):  # noqa: F811
    """They are counted and left out; a record as others' JSON writers write it is taken as it is."""
    spec, path = job(partitions=1)
    kafka.create_topic(spec["sink"]["topic"])
    good = results(spec, 3)
    spaced = json.dumps(json.loads(good[1]), ensure_ascii=False)
    other = good[0].replace(spec["name"], "other")
    fill(kafka, spec["sink"]["topic"], [good[0], other, spaced, "7", good[2][:-1], good[2]], tally.cwd)
    result = tally.run("consume", path, "-o", "beginning", "-e", "--bootstrap-servers", kafka.address)
    assert result.code == 0 and result.out.splitlines() == [good[0], spaced, good[2]]
    assert "3 records of topic" in result.err
