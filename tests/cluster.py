"""The cluster in Docker, as its users meet it: docker/cluster, the program's commands, Kafka and the page."""

import json
import os
import re
import subprocess
import time

from tests.kafka_server import Topics
from tests.program import ROOT, Program, Result, environment, until
from tests.web import Event, WebSocket, get, get_json

MASTER = "spark://localhost:7077"
OUTSIDE, INSIDE = "localhost:9092", "broker:19092"  # Kafka, for this machine and for containers
PAGE = 5000
DRIVER_PAGE = 4040  # of the first driver
SERVICES = ["broker", "dashboard", "feeder", "spark-master", "spark-worker-1"]
PORTS = {4040, 5000, 6066, 7077, 8080, 8081, 9092}

# Beside the gender job, which takes three cores, there shall be room for the tests' own.
ROOM = {"SPARK_WORKER_CORES": "10", "SPARK_WORKER_MEMORY": "10g"}
ADDRESSES = {"TALLY_MASTER": MASTER, "TALLY_JOB_BOOTSTRAP_SERVERS": INSIDE, "TALLY_BOOTSTRAP_SERVERS": OUTSIDE}
CHOSEN = {name: os.environ[name] for name in ("SPARK_VERSION", "KAFKA_VERSION") if name in os.environ}


def run(*command, timeout=900, env=None, **options):
    """(exit code, stdout, stderr); 900 s: images may have to be built."""
    options = {"cwd": ROOT, "stdin": subprocess.DEVNULL, **options}
    done = subprocess.run([str(each) for each in command], capture_output=True, text=True, timeout=timeout,
                          env=environment({**ROOM, **CHOSEN, **(env or {})}), **options)
    return Result(done.returncode, done.stdout, done.stderr)


def docker(*command, timeout=60):
    """What it prints; it has to succeed."""
    result = run("docker", *command, timeout=timeout)
    assert result.code == 0, (command, result)
    return result.out


def inspect(name):
    return json.loads(docker("inspect", name))[0]


def running(*options):
    """Of the cluster: {name: id}. options: "-a", those too that have ended."""
    rows = docker("ps", *options, "--no-trunc", "--filter", "label=com.docker.compose.project=tally", "--format",
                  "{{.Names}} {{.ID}}")
    return dict(row.split() for row in rows.splitlines())


def processes(container, pattern):
    """{id: command line}, within the container, of those whose command line has it."""
    rows = run("docker", "exec", container, "pgrep", "-a", "-f", "--", pattern).out.splitlines()
    return dict(row.split(" ", 1) for row in rows)


class Cluster:
    """As `make cluster` starts it. `first`: what that said; `seconds`: how long it took; `found`: it ran before."""

    def __init__(self, **env):
        self.env = env
        self.program = Program()
        self.kafka = Topics(OUTSIDE)
        self.found = set(running()) >= set(SERVICES)
        began = time.monotonic()
        self.first = self.make("cluster")
        self.seconds = time.monotonic() - began

    def close(self):
        """As it was before."""
        self.program.end_all()
        self.kafka.close()
        if not self.found:
            self.make("cluster-down")

    def make(self, target):
        return run("make", "-s", target, env=self.env)

    # The program, on this machine

    def tally(self, *args, timeout=180, **options):
        return self.program.run(*args, timeout=timeout, env=ADDRESSES, **options)

    def submit(self, path, *options):
        """The driver's id, once its application has registered."""
        result = self.tally("submit", *options, "--wait-running", path)
        assert result.code == 0, result.err
        return result.out.strip()

    def end(self, name):
        """The job of that name, under whatever id its driver runs by now."""
        for driver in self.drivers(name):
            self.tally("kill", driver)

    # What there is

    def state(self):
        result = self.tally("list", "--json")
        assert result.code == 0, result.err
        return json.loads(result.out)

    def active(self, kind, **wanted):
        """The ids of the active drivers or applications with these properties."""
        return [row["id"] for row in self.state()[kind] if row["active"] and wanted.items() <= row.items()]

    def driver_processes(self, name):
        """{id within the worker's container: command line}"""
        return processes("spark-worker-1", f"spark.app.name=tally-{name} .*DriverWrapper")

    def drivers(self, name):
        """The ids of the drivers that run the job."""
        return [re.search(r"/(driver-[\w-]+)/", line)[1] for line in self.driver_processes(name).values()]


def wait_fresh(timeout=90):
    """Until the page shows a window that began after this call."""
    since = int(time.time() * 1000)

    def newest():
        try:
            return any(window["start"] >= since for window in get_json(PAGE, "/api/windows?limit=1")["windows"])
        except OSError:
            return False
    until(newest, timeout, "a new window on the page", every=0.2)


class Watched(WebSocket):
    """A reader of /ws that notes when each event came, in ms since the epoch."""

    def __init__(self, port=PAGE, path="/ws"):
        self.times = []
        super().__init__(port, path)

    async def _collect(self, connection):
        async for message in connection:
            self.times.append(time.time() * 1000)
            told = json.loads(message)
            self.events.append(Event(told["event"], told.get("id"), told["data"]))

    def last_totals(self):
        """{start: (record, ms between the window's end and the arrival of its last total)} of what came live."""
        found = {}
        for at, event in zip(self.times, list(self.events)):
            if event.event == "window":
                record = event.data
                if record["start"] not in found or record["total"] > found[record["start"]][0]["total"]:
                    found[record["start"]] = record, at - record["end"]
        return found

    def records(self):
        """{start: its best record} of the snapshot and of all that came after it."""
        found = {}
        for event in list(self.events):
            told = {"snapshot": lambda data: data["windows"], "window": lambda data: [data]}.get(event.event)
            for record in told(event.data) if told else []:
                if record["total"] >= found.get(record["start"], record)["total"]:
                    found[record["start"]] = record
        return found


def batch_duration():
    """Of the gender job's last batch, in ms, from its driver's page."""
    gauges = json.loads(get(DRIVER_PAGE, "/metrics/json/").body)["gauges"]
    return next(gauge["value"] for name, gauge in gauges.items() if name.endswith(".spark.streaming.gender.latency"))


def closed(starts, size=1000, lateness=1000):
    """Those of the windows that a later one has closed."""
    starts = set(starts)
    return {start for start in starts if max(starts) >= start + size + lateness}
