"""Reading a topic of a real Kafka, one partition, to its end: result records of 100 bytes, printed as lines by
`tally consume`, kcat, confluent-kafka, kafka-python; and records of 1 byte, which here only the engine reads, and counts.
kafka-consumer-perf-test.sh reads both and prints none."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.common import TALLY, commands, human, in_turns, run, table, temporary, versions
from tests.bench.kafka_peers import LEAST, TOOL, Broker, peer_versions, pythons, shown, spec
from tests.program import environment

RECORDS = int(os.environ.get("RECORDS", 2_000_000))
SLOW = 10  # kafka-python reads this part of them, from a topic of its own
START = 1795245400000
PERF = "kafka-consumer-perf-test (in a group, prints none)"

# fetch.message.max.bytes: fewer requests; queued.min.messages: librdkafka 2.0 fetches no more for up to a second once that
# many small records wait (CONFIGURATION.md, fetch.queue.backoff.ms of 2.2).
LIBRDKAFKA = {"queued.min.messages": 10000000, "queued.max.messages.kbytes": 1048576, "fetch.message.max.bytes": 10485760}
KCAT = [part for name, value in LIBRDKAFKA.items() for part in ("-X", f"{name}={value}")]

# Documentation of Consumer.consume(): many messages a call.
CONFLUENT = """
import json, sys
from confluent_kafka import Consumer, TopicPartition
consumer = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "bench", "enable.auto.commit": False,
                     "queued.min.messages": 10000000, "queued.max.messages.kbytes": 1048576,
                     "fetch.message.max.bytes": 10485760})
consumer.assign([TopicPartition(sys.argv[2], 0, 0)])
left, write = int(sys.argv[3]), sys.stdout.buffer.write
while left:
    messages = consumer.consume(min(left, 10000), 10)
    write(b"".join([message.value() + b"\\n" for message in messages]))
    left -= len(messages)
consumer.close()
"""

# Documentation of KafkaConsumer: poll() gives many records; fetch sizes and max_poll_records are what there is to set.
PYTHON = """
import sys
from kafka import KafkaConsumer, TopicPartition
consumer = KafkaConsumer(bootstrap_servers=sys.argv[1], enable_auto_commit=False, check_crcs=False, metrics_enabled=False,
                         max_poll_records=10000, fetch_max_bytes=52428800, max_partition_fetch_bytes=10485760)
partition = TopicPartition(sys.argv[2], 0)
consumer.assign([partition])
consumer.seek(partition, 0)
left, write = int(sys.argv[3]), sys.stdout.buffer.write
while left:
    records = consumer.poll(timeout_ms=10000).get(partition, [])
    write(b"".join([record.value + b"\\n" for record in records]))
    left -= len(records)
consumer.close()
"""


def result_record(n):
    """Of 100 bytes, as the job of kafka_peers.spec() writes them."""
    counts = {"a": 10 + n % 30, "bb": 10 + n // 30 % 40, "other": 0}
    return json.dumps({"job": "b", "start": START + n * 1000, "end": START + n * 1000 + 1000, "counts": counts,
                       "total": sum(counts.values())}, separators=(",", ":"))


def fill(kafka, folder, name, lines, count):
    """A topic of these lines, by kcat."""
    kafka.topic(name)
    (folder / "lines").write_text("\n".join(lines) + "\n")
    subprocess.run(["kcat", "-P", "-b", kafka.address, "-t", name, "-X", "linger.ms=50", "-l", str(folder / "lines")],
                   check=True, env=environment())
    assert kafka.end_offsets(name)[0] == count


def readers(at, topic, part):
    """Who prints what is in a topic: {name: (command, how many records it reads)}."""
    python = pythons()
    kcat = ["kcat", "-C", "-q", "-e", "-b", at, *KCAT]
    return {
        "kcat": ([*kcat, "-t", topic, "-p", "0", "-o", "beginning"], RECORDS),
        "confluent-kafka": ([python, "-I", "-c", CONFLUENT, at, topic, str(RECORDS)], RECORDS),
        "kafka-python": ([python, "-I", "-c", PYTHON, at, part, str(RECORDS // SLOW)], RECORDS // SLOW),
    }


def perf_test(at, topic):
    """It prints what it read: `time, time, MB, MB/s, records, ...`."""
    return [*TOOL, "org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", at, "--topic", topic, "--messages",
            str(RECORDS), "--fetch-size", "10485760", "--hide-header", "--timeout", "60000"]


def check_lines(name, command, lines, count):
    """All of them, each as it was, in their order."""
    wanted = hashlib.sha256("".join(line + "\n" for line in lines[:count]).encode()).hexdigest()
    assert hashlib.sha256(run(command, out=True).out).hexdigest() == wanted, f"{name}: not the records of the topic"


def run_perf(command, size):
    """Checked each time: it ends well when it has read less, too."""
    done = run(command, out=True)
    said = done.out.decode().split(", ")
    assert int(said[4]) == RECORDS and abs(float(said[2]) * 2**20 - RECORDS * size) < 2**20, said
    return done


def turns(called, perf, size):
    """What in_turns() takes, of {name: (command, count)}."""
    return {**{name: lambda command=command: run(command) for name, (command, _) in called.items()},
            PERF: lambda: run_perf(perf, size)}


def print_records(kafka, folder):
    at, lines = kafka.address, [result_record(n) for n in range(RECORDS)]
    assert len(lines[0]) == 100 == len(lines[-1])
    fill(kafka, folder, "all", lines, RECORDS)
    fill(kafka, folder, "part", lines[:RECORDS // SLOW], RECORDS // SLOW)
    (folder / "b.yaml").write_text(spec("none", "all"))
    ours = [TALLY, "consume", str(folder / "b.yaml"), "-o", "beginning", "-e", "--bootstrap-servers", at]
    called = {"tally consume (and checks them)": (ours, RECORDS), **readers(at, "all", "part")}
    for name, (command, count) in called.items():
        check_lines(name, command, lines, count)
    perf = perf_test(at, "all")
    run_perf(perf, 100)
    table(f"consume: {human(RECORDS)} result records of 100 bytes, one partition, printed", "records",
          {**{name: count for name, (_, count) in called.items()}, PERF: RECORDS},
          in_turns(turns(called, perf, 100), least=LEAST))
    return {**{name: command for name, (command, _) in called.items()}, PERF: perf}


class Engine:
    """`tally run --once`, each time as a new job with a result topic of its own: nothing is counted yet."""

    def __init__(self, kafka, folder):
        self.kafka, self.folder, self.runs = kafka, folder, 0

    def command(self):
        return [TALLY, "run", str(self.folder / "b.yaml"), "--once", "--no-page", "--bootstrap-servers", self.kafka.address]

    def once(self):
        self.runs += 1
        (self.folder / "b.yaml").write_text(spec("all", f"result-{self.runs}", f"b{self.runs}"))
        return run(self.command())

    def check(self):
        """Each record counts once, in the largest of its window's results."""
        self.once()
        out = run([TALLY, "consume", str(self.folder / "b.yaml"), "-o", "beginning", "-e", "--bootstrap-servers",
                   self.kafka.address], out=True).out
        totals = {}
        for record in map(json.loads, out.splitlines()):
            totals[record["start"]] = max(record["total"], totals.get(record["start"], 0))
        assert sum(totals.values()) == RECORDS, f"tally run: {sum(totals.values())} of {RECORDS} records counted"


def count_records(kafka, folder):
    at, lines = kafka.address, [str(n % 3) for n in range(RECORDS)]
    fill(kafka, folder, "all", lines, RECORDS)
    fill(kafka, folder, "part", lines[:RECORDS // SLOW], RECORDS // SLOW)
    engine, called, perf = Engine(kafka, folder), readers(at, "all", "part"), perf_test(at, "all")
    engine.check()
    for name, (command, count) in called.items():
        check_lines(name, command, lines, count)
    run_perf(perf, 1)
    counts = {"tally run --once": RECORDS, **{name: count for name, (_, count) in called.items()}, PERF: RECORDS}
    table(f"consume: {human(RECORDS)} records of 1 byte, one partition; ours counts them, the others print them", "records",
          counts, in_turns({"tally run --once": engine.once, **turns(called, perf, 1)}, least=LEAST))
    return {"tally run --once": engine.command()}


def main():
    kafka = Broker().start()
    try:
        with temporary() as folder:
            called = print_records(kafka, Path(folder))
            for topic in ("all", "part"):
                kafka.delete_topic(topic)
            called |= count_records(kafka, Path(folder))
    finally:
        kafka.close()
    versions(**peer_versions())
    commands(**shown(called))


if __name__ == "__main__":
    sys.exit(main())
