"""Records of 1 byte and of 100 bytes into a real Kafka, one partition: `tally produce`, kcat, confluent-kafka, kafka-python
and Kafka's own kafka-producer-perf-test.sh. Ours reads a CSV and takes a column; the others read a list of the values."""

import os
import sys
from pathlib import Path

from tests.bench.common import TALLY, commands, goal, human, in_turns, run, table, temporary, user_log, versions
from tests.bench.kafka_peers import LEAST, TOOL, Broker, peer_versions, pythons, shown, spec

RECORDS = int(os.environ.get("RECORDS", 2_000_000))
SLOW = 10  # kafka-python sends this part of them

# librdkafka's INTRODUCTION.md, "High throughput": a longer linger.ms for bigger batches, and batch.num.messages as large;
# its wiki's FAQ: a queue that does not fill up. acks=all is its default, and so for all here; only some are idempotent.
LIBRDKAFKA = {"linger.ms": 50, "batch.num.messages": 100000, "queue.buffering.max.messages": 10000000,
              "queue.buffering.max.kbytes": 2097151}
KCAT = [part for name, value in LIBRDKAFKA.items() for part in ("-X", f"{name}={value}")]

# Its documentation of produce_batch(): less overhead than produce(); BufferError when the queue is full, which it is not here.
CONFLUENT = """
import sys
from itertools import islice
from confluent_kafka import Producer
producer = Producer({"bootstrap.servers": sys.argv[1], "linger.ms": 50, "batch.num.messages": 100000,
                     "queue.buffering.max.messages": 10000000, "queue.buffering.max.kbytes": 2097151})
with open(sys.argv[3], "rb") as file:
    while batch := [{"value": line[:-1]} for line in islice(file, 10000)]:
        producer.produce_batch(sys.argv[2], batch)
        producer.poll(0)
sys.exit(producer.flush())
"""

# Documentation of KafkaProducer: batch_size and linger_ms for batches; its metrics cost time for each record.
PYTHON = """
import sys
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1], acks="all", enable_idempotence=True, linger_ms=50,
                         batch_size=1000000, metrics_enabled=False)
with open(sys.argv[3], "rb") as file:
    for line in file:
        producer.send(sys.argv[2], line[:-1])
producer.flush()
producer.close()
"""

# callgrind on 400,000 records less 200,000; rdkafka_broker.c, rd_kafka_toppar_producer_serve(), and its pull request 4989.
LIMIT = """Limit: librdkafka. Of 2,740 instructions for a record of 1 byte 520 are ours, for the CSV and the batches; the
others are librdkafka 2.0.2's and libc's for it (kcat, one record a call: 3,660). Of an idempotent client it sends one batch
a partition at a time: its thread's time for a record and the broker's add up, and a better caller changes nothing there.
"""


def write_inputs(folder, size):
    """The CSV with a value of this size in column 9, the list of the values, and a part of it."""
    rows = user_log(folder / "rows.csv", RECORDS)
    with open(rows) as source, open(folder / "in.csv", "w") as wide, open(folder / "values", "w") as values, \
            open(folder / "part", "w") as part:
        for n, line in enumerate(source):
            cells = line.split(",")
            cells[9] = cells[9] * size
            wide.write(",".join(cells))
            values.write(cells[9] + "\n")
            part.write(cells[9] + "\n" if n < RECORDS // SLOW else "")
    rows.unlink()
    (folder / "bench.yaml").write_text(spec("bench"))


def contestants(folder, at):
    python, values = pythons(), str(folder / "values")
    kcat = ["kcat", "-P", "-b", at, "-t", "bench", *KCAT]
    properties = [f"bootstrap.servers={at}", "acks=all", "linger.ms=50", "batch.size=1000000", "buffer.memory=268435456"]
    return {
        "tally produce (idempotent)": [TALLY, "produce", str(folder / "bench.yaml"), str(folder / "in.csv"), "--rate", "max",
                                       "--bootstrap-servers", at],
        "kcat (not idempotent)": [*kcat, "-l", values],
        "kcat, idempotent": [*kcat, "-X", "enable.idempotence=true", "-l", values],
        "confluent-kafka (not idempotent)": [python, "-I", "-c", CONFLUENT, at, "bench", values],
        "kafka-python (idempotent)": [python, "-I", "-c", PYTHON, at, "bench", str(folder / "part")],
        "kafka-producer-perf-test (idempotent)": [
            *TOOL, "org.apache.kafka.tools.ProducerPerformance", "--topic", "bench", "--num-records", str(RECORDS),
            "--payload-file", values, "--throughput", "-1", "--producer-props", *properties],
    }


def into_topic(kafka, count, command):
    def once():
        kafka.topic("bench")
        try:
            done = run(command)
            arrived = kafka.end_offsets("bench")[0]
            assert arrived == count, f"{command[0]}: {arrived} of {count} records arrived"
            return done
        finally:
            kafka.delete_topic("bench")
    return once


def bench(kafka, folder, size):
    write_inputs(folder, size)
    called = contestants(folder, kafka.address)
    counts = {name: RECORDS // SLOW if name.startswith("kafka-python") else RECORDS for name in called}
    once = {name: into_topic(kafka, counts[name], command) for name, command in called.items()}
    in_turns(once, 1)  # the broker's JVM compiles what it needs
    ratios = table(f"produce: {human(RECORDS)} records of {size} byte{'' if size == 1 else 's'}, one partition, acks=all",
                   "records", counts, in_turns(once, least=LEAST))
    if size == 1:
        goal("produce, 1-byte records, against kafka-python", ratios["kafka-python (idempotent)"], 30)
        goal("produce, 1-byte records, against kcat at its best, which is not idempotent", ratios["kcat (not idempotent)"], 1)
        goal("produce, 1-byte records, against kcat, idempotent as ours", ratios["kcat, idempotent"], 1)
    return called


def main():
    kafka = Broker().start()
    try:
        for size in (1, 100):
            with temporary() as folder:
                called = bench(kafka, Path(folder), size)
    finally:
        kafka.close()
    print(LIMIT)
    versions(**peer_versions())
    commands(**shown(called))


if __name__ == "__main__":
    sys.exit(main())
