"""1-byte records into a real Kafka, one partition: `tally produce`, kcat at its best settings, kafka-python."""

import os
import sys
import time
from pathlib import Path

from tests.bench.common import TALLY, human, in_turns, run, table, temporary, user_log
from tests.kafka_server import Kafka

RECORDS = int(os.environ.get("RECORDS", 2_000_000))
PART = RECORDS // 20  # what kafka-python sends

# librdkafka's own advice for throughput: wait longer for bigger batches, and let them be big; no limit in between.
KCAT = ["-X", "linger.ms=50", "-X", "batch.num.messages=100000", "-X", "queue.buffering.max.messages=10000000",
        "-X", "queue.buffering.max.kbytes=2097151"]

PYTHON = """
import sys
from kafka import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1], linger_ms=50, batch_size=1000000, buffer_memory=256 << 20)
with open(sys.argv[3], "rb") as file:
    for line in file:
        producer.send(sys.argv[2], line[:-1])
producer.flush()
producer.close()
"""


def main():
    kafka = Kafka().start()
    try:
        with temporary() as folder:
            bench(kafka, Path(folder))
    finally:
        kafka.close()


def bench(kafka, folder):
    data = user_log(folder / "in.csv", RECORDS)
    with open(data) as source, open(folder / "values", "w") as values, open(folder / "part", "w") as part:
        for n, line in enumerate(source):
            value = line.split(",")[9] + "\n"
            values.write(value)
            part.write(value if n < PART else "")
    (folder / "b.yaml").write_text((Path(__file__).parents[2] / "jobs/gender.yaml").read_text()
                                   .replace("topic: sex", "topic: bench"))

    def into_topic(count, command):
        def once():
            kafka.create_topic("bench")
            try:
                done = run(command)
                arrived = kafka.end_offsets("bench")[0]
                assert arrived == count, f"{command[0]}: {arrived} of {count} records arrived"
                return done
            finally:
                kafka.delete_topic("bench")
                time.sleep(1)  # Kafka deletes the files later: not in the next one's time
        return once
    at = kafka.address
    found = in_turns({
        "tally produce": into_topic(RECORDS, [TALLY, "produce", str(folder / "b.yaml"), str(data), "--rate", "max",
                                              "--bootstrap-servers", at]),
        "kcat, best settings": into_topic(RECORDS, ["kcat", "-P", "-b", at, "-t", "bench", *KCAT, "-l",
                                                    str(folder / "values")]),
        "kcat, acks=all and idempotent": into_topic(RECORDS, [
            "kcat", "-P", "-b", at, "-t", "bench", *KCAT, "-X", "acks=all", "-X", "enable.idempotence=true", "-l",
            str(folder / "values")]),
        "kafka-python": into_topic(PART, ["/usr/bin/python3", "-c", PYTHON, at, "bench", str(folder / "part")]),
    })
    counts = {name: PART if name == "kafka-python" else RECORDS for name in found}
    table(f"produce: {human(RECORDS)} records of 1 byte, one partition", "records", counts, found)


if __name__ == "__main__":
    sys.exit(main())
