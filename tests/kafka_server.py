"""A real Kafka for the tests: one KRaft node on 127.0.0.1, from Maven, without Docker.

By hand, from the root of the repository: /usr/bin/python3 -m tests.kafka_server
"""

import atexit
import ctypes
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections import namedtuple
from pathlib import Path

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaProducer

VERSION = "4.1.1"
POM = Path(__file__).resolve().parent.parent / "docker" / "kafka" / "pom.xml"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tally"
JAVA = ["java", "-Xmx384m", "-Xshare:auto", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]

# timestamp after.max: records from the future must get in, it is the engine that has to refuse them.
# Retention: the fixtures' event times are years old.
CONFIG = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=CONTROLLER://127.0.0.1:{controller},PLAINTEXT://127.0.0.1:{port},BEHIND://127.0.0.1:{behind}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},BEHIND://127.0.0.1:{proxy}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,BEHIND:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
log.retention.ms=-1
log.message.timestamp.after.max.ms=9223372036854775807
"""

logging.getLogger("kafka").setLevel(logging.CRITICAL)  # a broker that is killed is no news here

Record = namedtuple("Record", "partition offset time key value headers")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def die_with_parent():
    """For preexec_fn: a test run that is killed leaves no process behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def jars(folder=CACHE):
    """The folder of Kafka's jars; fetched once for each pom.xml, and seen by others only when it is complete."""
    cache = folder / f"kafka-{VERSION}-{zlib.crc32(POM.read_bytes()):08x}"
    if not cache.is_dir():
        cache.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=cache.name + ".", dir=cache.parent))
        try:
            shutil.copy(POM, work / "pom.xml")
            subprocess.run(["mvn", "-B", "-q", "-f", work / "pom.xml", "dependency:copy-dependencies",
                            "-DincludeScope=runtime", f"-DoutputDirectory={work / 'libs'}"],
                           check=True, stdin=subprocess.DEVNULL)
            try:
                (work / "libs").rename(cache)
            except OSError:  # somebody else was first
                if not cache.is_dir():
                    raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return cache


class Topics:
    """What is in a Kafka, at an address."""

    def __init__(self, address):
        self.address = address
        self._producer = self._admin = None

    def close(self):
        if self._producer:
            self._producer.close(0)
        self._producer = None

    @property
    def admin(self):
        if not self._admin:
            self._admin = AdminClient({"bootstrap.servers": self.address, "logger": quiet})
        return self._admin

    @property
    def producer(self):
        """Patient: it outlives a broker that is gone for a while. A batch whose acknowledgement was lost is sent
        again, so what counts is what the topic holds. (Not librdkafka: its 2.0 sleeps a second over a message now
        and then.)"""
        if not self._producer:
            self._producer = KafkaProducer(bootstrap_servers=self.address, api_version=(2, 5, 0), acks="all",
                                           retries=10000, retry_backoff_ms=50, reconnect_backoff_max_ms=200,
                                           request_timeout_ms=120000, max_in_flight_requests_per_connection=1)
        return self._producer

    def create_topic(self, name, partitions=1, **configs):
        topic = NewTopic(name, partitions, 1, config={k.replace("_", "."): str(v) for k, v in configs.items()})
        self.admin.create_topics([topic])[name].result(20)
        self._until(lambda: len(self.partitions(name)) == partitions, f"topic {name}")
        return name

    def delete_topic(self, name):
        self.admin.delete_topics([name])[name].result(20)
        self._until(lambda: not self.partitions(name), f"the end of topic {name}")

    def partitions(self, topic):
        found = self.admin.list_topics(timeout=30).topics.get(topic)
        return sorted(found.partitions) if found and not found.error else []

    def _until(self, condition, what, timeout=60):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            time.sleep(0.02)

    def end_offsets(self, topic):
        """{partition: offset}"""
        consumer = new_consumer(self.address)
        try:
            return {p: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=30)[1]
                    for p in self.partitions(topic)}
        finally:
            consumer.close()

    def produce(self, topic, records, timeout=60):
        """records: of (partition, time in ms, value in bytes or None). Returns when all are acknowledged."""
        sent = [self.producer.send(topic, value, b"" if value is None else None, partition=partition,
                                   timestamp_ms=time_ms) for partition, time_ms, value in records]
        for each in sent:
            each.get(timeout)

    def write(self, topic, records, timeout=60):
        """records: of (key, value), into partition 0."""
        for each in [self.producer.send(topic, value, key, partition=0) for key, value in records]:
            each.get(timeout)

    def read(self, topic, timeout=60):
        """All that is in the topic now, in the order of each partition."""
        ends = self.end_offsets(topic)
        with Tail(self.address, topic, ends) as tail:
            tail.until(lambda: tail.reached(ends), timeout)
            return [r for r in tail.records if r.offset < ends[r.partition]]

    def committed(self, group, topic):
        """{partition: (offset, metadata)} of a consumer group, from Kafka's own topic of them (this client's
        version shows no metadata)."""
        found = {}
        for message in self.read("__consumer_offsets") if self.partitions("__consumer_offsets") else []:
            key = Fields(message.key)
            if key.integer(2) <= 1 and (key.string(), key.string()) == (group, topic):
                found[key.integer(4)] = message.value and offset_and_metadata(Fields(message.value))
        return {partition: value for partition, value in found.items() if value}


class Kafka(Topics):
    """The process. `proxy`: the port of a proxy before a listener of its own, on the port `behind`."""

    java = JAVA

    def __init__(self, proxy=None):
        self.port, self.behind = free_port(), free_port()
        super().__init__(f"127.0.0.1:{self.port}")
        self.dir = Path(tempfile.mkdtemp(prefix="tally-kafka-"))
        self.process = None
        (self.dir / "server.properties").write_text(
            CONFIG.format(port=self.port, controller=free_port(), data=self.dir / "data", behind=self.behind,
                          proxy=proxy or self.behind))
        self._format()
        atexit.register(self.close)

    def _format(self):
        self._java("kafka.tools.StorageTool", "format", "-t", "MDAwMDAwMDAwMDAwMDAwMA", "-c")

    def wipe(self):
        """While it is stopped: all that it held is gone."""
        assert self.process is None
        shutil.rmtree(self.dir / "data")
        self._format()

    def _command(self, name, *args):
        return [*self.java, "-cp", f"{jars()}/*", name, *args, str(self.dir / "server.properties")]

    def _java(self, name, *args):
        done = subprocess.run(self._command(name, *args), capture_output=True, text=True, cwd=self.dir)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stdout}{done.stderr}")

    def start(self, wait=True):
        assert self.process is None
        with open(self.dir / "log", "ab") as log:
            self.process = subprocess.Popen(self._command("kafka.Kafka"), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, cwd=self.dir, start_new_session=True,
                                            preexec_fn=die_with_parent)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=120):
        """Until it takes a request, which is later than an open port."""
        deadline = time.monotonic() + timeout
        while True:
            probe = AdminClient({"bootstrap.servers": self.address, "log_level": 0, "logger": quiet})
            try:
                if probe.list_topics(timeout=1).brokers:
                    return
            except KafkaException:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("Kafka did not start:\n" + (self.dir / "log").read_text()[-4000:])

    def _end(self, sig, timeout=30):
        if self.process:
            self.process.send_signal(sig)
            self.process.send_signal(signal.SIGCONT)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def stop(self):
        self._end(signal.SIGTERM)

    def kill(self):
        self._end(signal.SIGKILL)

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def restart(self):
        """The same port and data."""
        self.stop()
        self.start()

    def close(self):
        atexit.unregister(self.close)
        super().close()
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


def new_consumer(address):
    return Consumer({"bootstrap.servers": address, "group.id": "tests", "enable.auto.commit": False,
                     "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10, "reconnect.backoff.max.ms": 200,
                     "logger": quiet})


class Tail:
    """A topic read as it grows, from the beginning, at any broker's address."""

    def __init__(self, address, topic, partitions=(0,)):
        self.topic, self.records = topic, []
        self.consumer = new_consumer(address)
        self.consumer.assign([TopicPartition(topic, p, 0) for p in partitions])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.consumer.close()

    def poll(self, timeout=0.05):
        """The new ones."""
        new = [record(m) for m in self.consumer.consume(1000, timeout) if m.error() is None]
        self.records += new
        return new

    def reached(self, ends):
        after = {r.partition: r.offset + 1 for r in self.records}
        return all(after.get(p, 0) >= end for p, end in ends.items())

    def until(self, condition, timeout=60):
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.topic}: not what it should hold within {timeout} s; "
                                   f"{len(self.records)} records, the last {self.records[-2:]}")
            self.poll()


class Fields:
    """Kafka's encoding, as far as committed offsets need it."""

    def __init__(self, data):
        self.data = data

    def take(self, n):
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def integer(self, n):
        return int.from_bytes(self.take(n), "big", signed=True)

    def string(self):
        return self.take(self.integer(2)).decode()

    def compact_string(self):
        return self.take(self.integer(1) - 1).decode()  # as long as it is shorter than 127


def offset_and_metadata(value):
    version = value.integer(2)
    offset = value.integer(8)
    if version >= 3:
        value.take(4)  # the leader's epoch
    return offset, value.compact_string() if version >= 4 else value.string()


def record(message):
    return Record(message.partition(), message.offset(), message.timestamp()[1], message.key(), message.value(),
                  message.headers())


class Quiet:
    """librdkafka's word on every broker that is killed in a test is not wanted on stderr."""

    def log(self, *_args):
        pass


quiet = Quiet()


def main():
    kafka = Kafka().start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        print(kafka.address, flush=True)
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        kafka.close()


if __name__ == "__main__":
    sys.exit(main())
