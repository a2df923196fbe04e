"""From a window's end to its last total, by Spark on the cluster of `make cluster`, at 10 records a second: in Kafka (the time
that the broker gives the record) and at a reader of /ws. The shipped job beside the same counts with the tutorial's settings
and with none; then each setting changed by itself. The cluster's own gender job is away meanwhile."""

import json
import os
import re
import statistics
import sys
import time
from collections import namedtuple
from pathlib import Path

import yaml

from tests import oracle
from tests.bench.common import commands, goal, temporary, versions
from tests.cluster import ADDRESSES, INSIDE, OUTSIDE, Watched, batch_duration, closed, docker, processes, run, running
from tests.kafka_server import Topics, free_port
from tests.program import ROOT, Program, until
from tests.web import answers

WINDOWS = int(os.environ.get("WINDOWS", 40))  # of the first table; of the second half as many
WARM = 10  # s after the first result: Java's compilers
PATIENCE = 600
SPEC = yaml.safe_load((ROOT / "jobs/gender.yaml").read_text())
CHECKPOINTS = "/spark/work/check"

# Spark's defaults but for these: as many cores as the shipped job has, and the durations of batches on the driver's page.
UNTUNED = {"spark.cores.max": "2", "spark.sql.streaming.metricsEnabled": "true"}
BESIDE = {
    "the tutorial's settings: append mode, 200 shuffle partitions": ("append", {}),
    "update mode, one shuffle partition, else untuned": ("update", {"spark.sql.shuffle.partitions": "1"}),
}

# What the spec's spark.conf may change; each by itself.
SETTINGS = {
    "trigger every 250 ms (0)": {"spark.tally.trigger": "250"},
    "trigger every 1 s (0)": {"spark.tally.trigger": "1000"},
    "state in RocksDB (in memory)": {
        "spark.sql.streaming.stateStore.providerClass":
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"},
    "2 shuffle partitions (1)": {"spark.sql.shuffle.partitions": "2"},
    "200 shuffle partitions (1)": {"spark.sql.shuffle.partitions": "200"},
    "locality wait 3 s, Spark's default (0)": {"spark.locality.wait": "3s"},
    "checkpoint by Hadoop's LocalFs, its default (CheckpointFs)": {
        "spark.hadoop.fs.AbstractFileSystem.file.impl": "org.apache.hadoop.fs.local.LocalFs"},
    "fetch.max.wait.ms 500, Kafka's default (1)": {"spark.tally.source.kafka.fetch.max.wait.ms": "500"},
    "kafkaConsumer.pollTimeoutMs 512 (120,000)": {"spark.tally.source.kafkaConsumer.pollTimeoutMs": "512"},
    "batches without data, Spark's default (none)": {"spark.sql.streaming.noDataMicroBatches.enabled": "true"},
    "both compilers, G1: Java's defaults (C1, serial)": {"spark.driver.extraJavaOptions": "-Xshare:auto",
                                                         "spark.executor.extraJavaOptions": "-Xshare:auto"},
}

# Milliseconds each, but `first`: seconds from the submission to the first result.
Found = namedtuple("Found", "kafka page batches first")


class Measurement:
    """A job on topics of its own, fed at 10 records a second, its results on a page of its own."""

    def __init__(self, folder, conf=None):
        self.program, self.topics = Program(), Topics(OUTSIDE)
        self.spec = json.loads(json.dumps(SPEC))
        name = f"bench-{os.urandom(3).hex()}"
        self.source, self.sink, self.checkpoint = name + "-in", name + "-out", f"{CHECKPOINTS}/{name}"
        self.spec["source"]["topic"], self.spec["sink"]["topic"] = self.source, self.sink
        self.spec["spark"]["conf"].update(conf or {})
        self.path = Path(folder) / f"{name}.yaml"
        self.path.write_text(json.dumps(self.spec))  # which YAML is, too
        self.driver = None
        self.topics.create_topic(self.source, 1, message_timestamp_type="CreateTime")
        self.topics.create_topic(self.sink, 1, message_timestamp_type="LogAppendTime")

    def close(self):
        if self.driver:
            self.program.run("kill", self.driver, env=ADDRESSES, timeout=60)
        self.program.end_all()
        docker("exec", "spark-worker-1", "rm", "-rf", self.checkpoint)
        for topic in (self.source, self.sink):
            self.topics.delete_topic(topic)

    def submit(self):
        self._submit("--checkpoint", f"file://{self.checkpoint}", self.path)

    def submit_untuned(self, mode, conf):
        options = [each for pair in {**UNTUNED, **conf}.items() for each in ("--conf", "=".join(pair))]
        self._submit(*options, ROOT / "tests/bench/spark_untuned.py", INSIDE, self.source, self.sink,
                     f"file://{self.checkpoint}", mode)

    def _submit(self, *words):
        """It may stay, to serve what it submits."""
        submitted = self.program.start("submit", "--name", f"tally-{self.sink}", *words, env=ADDRESSES)
        self.driver = submitted.wait_for(r"^driver-\S+", stream="out", timeout=PATIENCE)[0]

    def measure(self, submit, windows):
        port = free_port()
        self.program.start("produce", self.path, "--loop", "--rate", "10", env=ADDRESSES)
        self.program.start("dashboard", self.path, "--port", port, env=ADDRESSES)
        until(lambda: answers(port), 20, "the page")
        watched, began = Watched(port), time.monotonic()
        submit()
        until(watched.windows, PATIENCE, "the first result", every=0.1)
        first = time.monotonic() - began
        time.sleep(WARM)
        after = int(time.time()) * 1000 + 1000
        wanted = {after + n * 1000 for n in range(windows)}
        batches = []

        def taken():
            batches.append(batch_duration())
            return wanted <= closed(watched.last_totals())
        until(taken, PATIENCE + windows, f"{windows} windows", every=0.5)
        totals = watched.last_totals()
        watched.close()
        self.check(wanted, totals)
        ends = {record.key: record.time for record in best_records(self.topics.read(self.sink))}
        return Found([ends[b"gender/%d" % start] - start - 1000 for start in wanted],
                     [totals[start][1] for start in wanted], batches, first)

    def check(self, wanted, totals):
        """A latency of a wrong total is worth nothing."""
        counts = oracle.count(self.spec, [(r.partition, r.time, r.value) for r in self.topics.read(self.source)])[0]
        expected = oracle.results(self.spec, {start: counts[start] for start in wanted})
        for start in wanted:
            got = json.dumps(totals[start][0], separators=(",", ":"), ensure_ascii=False).encode()
            assert got == expected[f"gender/{start}".encode()], (start, got)


def best_records(records):
    """Of each window the first record with its largest total."""
    found = {}
    for record in records:
        total = json.loads(record.value)["total"]
        if record.key not in found or total > found[record.key][0]:
            found[record.key] = total, record
    return [record for _, record in found.values()]


def p95(values):
    return sorted(values)[int(len(values) * 0.95)]


def row(name, found):
    figures = [f"{of(each):.0f}" for each in (found.kafka, found.page, found.batches) for of in (statistics.median, p95)]
    print(f"| {name} | {' | '.join(figures)} | {found.first:.0f} s |", flush=True)


def head(title):
    print(f"### {title}\n\n| | in Kafka, p50 | p95 | at /ws, p50 | p95 | batch, p50 | p95 | first result |\n"
          f"|---|--:|--:|--:|--:|--:|--:|--:|", flush=True)


def measure(folder, windows, conf=None, untuned=None):
    measurement = Measurement(folder, conf)
    try:
        submit = (lambda: measurement.submit_untuned(*untuned)) if untuned else measurement.submit
        return measurement.measure(submit, windows)
    finally:
        measurement.close()


def bench(folder):
    head(f"spark: ms from a window's end to its last total, {WINDOWS} windows of a second, 10 records/s")
    shipped = measure(folder, WINDOWS)
    row("the shipped job", shipped)
    for name, untuned in BESIDE.items():
        row(name, measure(folder, WINDOWS, untuned=untuned))
    print()
    goal("Spark, a window's end to its last total on the page, p50 of 10 records/s", statistics.median(shipped.page) / 1000,
         0.3, " s", at_most=True)
    head(f"Each setting by itself (in brackets the shipped one), {WINDOWS // 2} windows")
    row("the shipped job", measure(folder, WINDOWS // 2))
    for name, conf in SETTINGS.items():
        row(name, measure(folder, WINDOWS // 2, conf))
    print()


def main():
    if "spark-worker-1" not in running():
        print("left out: there is no cluster (make cluster)")
        return
    for line in processes("spark-worker-1", "spark.app.name=tally-gender .*DriverWrapper").values():
        docker("exec", "spark-master", "tally", "kill", re.search(r"/(driver-[\w-]+)/", line)[1])
    try:
        with temporary() as folder:
            bench(folder)
    finally:
        again = run("sh", "startup.sh")
        assert again.code == 0, again
    commands(**{"the shipped job": ["tally", "submit", "--checkpoint", f"file://{CHECKPOINTS}/NAME", "SPEC"],
                "the others": ["tally", "submit", "--conf", "...", "tests/bench/spark_untuned.py", INSIDE, "SOURCE", "SINK",
                               f"file://{CHECKPOINTS}/NAME", "append|update"]})
    versions(spark=["docker", "exec", "spark-master", "cat", "/opt/spark/RELEASE"],
             kafka=["docker", "inspect", "-f", '{{index .Config.Labels "version"}}', "broker"],
             java=["docker", "exec", "spark-worker-1", "java", "-version"])


if __name__ == "__main__":
    sys.exit(main())
