"""What the rows with a real Kafka share: the broker, and the others' settings."""

from tests.bench.common import TALLY
from tests.bench.peers import pip
from tests.kafka_server import VERSION, Kafka, jars
from tests.program import until

# What kafka-run-class.sh of 4.1.1 gives every JVM, with the heap that kafka-server-start.sh and kafka-*-perf-test.sh set.
JVM = ["-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35",
       "-XX:+ExplicitGCInvokesConcurrent"]
TOOL = ["java", "-Xmx512M", *JVM, "-cp", f"{jars()}/*"]

KAFKA_PYTHON = ["kafka-python==3.0.12", "crc32c==2.8"]  # its README: CRC32C in C where that package is installed
CONFLUENT = "confluent-kafka==2.16.1"
LEAST = 1.5  # seconds a round: what takes half a second runs three times, and the middle one counts


class Broker(Kafka):
    """The tests' Kafka with the JVM's settings that Kafka ships with."""

    java = ["java", "-Xms1G", "-Xmx1G", *JVM]

    def __init__(self):
        """A deleted topic's files go after the broker's delay, not the topic's own (LogManager.deleteLogs): by default a minute
        later, in some other round's time."""
        super().__init__()
        with open(self.dir / "server.properties", "a") as file:
            file.write("log.segment.delete.delay.ms=100\n")

    def topic(self, name):
        return self.create_topic(name, retention_ms=-1, segment_bytes=1 << 30)

    def delete_topic(self, name):
        """And its files: the next round has the disk for itself."""
        super().delete_topic(name)
        until(lambda: not list((self.dir / "data").glob(f"{name}-[0-9]*")), 60, f"the end of the files of {name}")


def pythons():
    """The Python with both packages."""
    return str(pip(CONFLUENT, *KAFKA_PYTHON))


def spec(source, sink="bench-result", name="b"):
    """A job whose value is column 9, and whose result records can be of 100 bytes."""
    return (f"name: {name}\nsource: {{topic: {source}, column: 9}}\nwindow: {{size: 1s}}\n"
            f"labels: {{\"0\": a, \"1\": bb, \"2\": bb}}\nsink: {{topic: {sink}}}\n")


def peer_versions():
    say = "import confluent_kafka as c, kafka; print(f'{c.version()} with librdkafka {c.libversion()[0]}; {kafka.__version__}')"
    return {"tally": [TALLY, "--version"], "Kafka, both perf tests": ["echo", VERSION],
            "kcat": ["sh", "-c", "kcat -V | grep Version"], "confluent-kafka; kafka-python": [pythons(), "-I", "-c", say]}


def shown(called):
    """Commands without the folders of this machine, and scripts by their place in the source."""
    return {name: [part if len(part.splitlines()) < 2 else "<script>" for part in map(without_folder, command)]
            for name, command in called.items()}


def without_folder(part):
    return part.rpartition("/")[2] if part.startswith("/") and "\n" not in part and not part.endswith("*") else part
