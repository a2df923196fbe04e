"""The local engine from Kafka to Kafka: a topic of 1-byte records, counted in windows of 1000 into another topic, by
`tally run --once` and by loops in Python that do the same and only that."""

import json
import os
import sys
from pathlib import Path

from tests.bench.common import ROOT, TALLY, commands, human, in_turns, run, table, temporary, versions
from tests.bench.kafka_peers import LEAST, Broker, peer_versions, pythons, spec

RECORDS = int(os.environ.get("RECORDS", 2_000_000))
SLOW = 10  # kafka-python counts this part, from a topic of its own
START = 1795245400000
HERE = Path(__file__).parent
SCRIPTS = {"confluent-kafka": "engine_confluent.py", "kafka-python": "engine_kafka_python.py"}


class Bench:
    def __init__(self, kafka, folder):
        self.kafka, self.folder, self.runs = kafka, folder, 0
        self.spec = folder / "b.yaml"

    def fill(self, topic, records):
        """By `tally produce`: record n at n ms."""
        file = self.folder / "in.csv"
        with open(file, "w") as out:
            out.writelines(f"{START + n},{n * 7919 % 10 % 3}\n" for n in range(records))
        self.write_spec(topic, "none")
        run([TALLY, "produce", str(self.spec), str(file), "--time-column", "0", "--rate", "max", "--bootstrap-servers",
             self.kafka.address])
        assert self.kafka.end_offsets(topic)[0] == records

    def write_spec(self, source, sink, name="b"):
        self.spec.write_text(spec(source, sink, name).replace("column: 9", "column: 1"))

    def new_sink(self):
        """Each run has a result topic and a group of its own: nothing is counted yet."""
        self.runs += 1
        return self.kafka.topic(f"result-{self.runs}")

    def tally(self):
        sink = self.new_sink()
        self.write_spec("all", sink, f"b{self.runs}")
        return run([TALLY, "run", str(self.spec), "--once", "--no-page", "--bootstrap-servers", self.kafka.address])

    def python(self, script, topic, records):
        return run([pythons(), str(HERE / script), self.kafka.address, topic, self.new_sink(), str(records)])

    def results(self, once):
        """{start: counts} of what one run wrote: of a window's records the one with the largest total counts."""
        once()
        best = {}
        for record in self.kafka.read(f"result-{self.runs}"):
            value = json.loads(record.value)
            best[value["start"]] = max(best.get(value["start"], (-1,)), (value["total"], sorted(value["counts"].items())))
        return best


def check(bench, contestants, counts):
    """All counted the same, each record once."""
    found = {name: bench.results(once) for name, once in contestants.items()}
    first = next(iter(found.values()))
    for name, results in found.items():
        wanted = {start: each for start, each in first.items() if start < START + counts[name]}
        assert results == wanted and sum(total for total, _ in results.values()) == counts[name], f"{name}: not the counts"


def main():
    kafka = Broker().start()
    try:
        with temporary() as folder:
            bench = Bench(kafka, Path(folder))
            bench.fill("all", RECORDS)
            bench.fill("part", RECORDS // SLOW)
            contestants = {
                "tally run --once": bench.tally,
                "confluent-kafka": lambda: bench.python(SCRIPTS["confluent-kafka"], "all", RECORDS),
                "kafka-python": lambda: bench.python(SCRIPTS["kafka-python"], "part", RECORDS // SLOW),
            }
            counts = {name: RECORDS // SLOW if name == "kafka-python" else RECORDS for name in contestants}
            check(bench, contestants, counts)
            table(f"engine: {human(RECORDS)} records of 1 byte from one topic, {RECORDS // 1000:,} windows into another",
                  "records", counts, in_turns(contestants, least=LEAST))
    finally:
        kafka.close()
    print("Start and end of the process are in it. tally also keeps its progress in Kafka once a second, sends what is "
          "counted so far every 100 ms, and takes records in any order from any number of partitions; the loops do not.\n")
    versions(**peer_versions())
    python = pythons().replace(f"{ROOT}/", "")
    commands(**{"tally": ["tally", "run", "b.yaml", "--once", "--no-page", "--bootstrap-servers", "KAFKA"]},
             **{name: [python, f"tests/bench/{script}", "KAFKA", "SOURCE", "SINK", "RECORDS"]
                for name, script in SCRIPTS.items()})


if __name__ == "__main__":
    sys.exit(main())
