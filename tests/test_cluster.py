"""The real cluster, once: Kafka, Spark and the gender job in Docker, as make and docker exec start them.

It runs for all the tests here, each of which has topics, jobs and checkpoints of its own. Where it ran before, it goes
on running, and what needs it down is left out. Jobs that are to end run side by side: most of their time is Java's
start."""

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests import fixture, oracle
from tests.cluster import (ADDRESSES, INSIDE, MASTER, OUTSIDE, PAGE, PORTS, SERVICES, Cluster, Watched, batch_duration,
                           closed, docker, inspect, processes, run, running, wait_fresh)
from tests.cost import PROGRAM
from tests.kafka_server import Tail, die_with_parent, free_port
from tests.program import ROOT, Running, only_all, until
from tests.test_engine import best, difference, expected, source, wait_for_results
from tests.test_faults import Feed, caught_up, new_result
from tests.test_readme import cluster_blocks
from tests.test_submit import check_cost
from tests.web import get_json

pytestmark = pytest.mark.cluster
ALL = os.environ.get("TALLY_ALL") == "1"


GENDER = yaml.safe_load((ROOT / "jobs/gender.yaml").read_text())
APP = "tally-gender"

LATENCY = 3  # batches, the median: the one under way, that of the last records, and as much again on the way to a browser
AT_ONCE = 3  # jobs side by side: there is room for them
TOGETHER = 300  # seconds for all of them
RECOVERED = 120  # seconds from a fault to a new result: a machine with two cores does other things, too


class Jobs:
    """Jobs with topics and checkpoints of their own."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder, self.made = cluster, folder, []

    def make(self, kind="plain", partitions=3, **changes):
        """(the spec, its file)"""
        spec = json.loads(json.dumps(fixture.JOBS[kind]))
        spec["name"] = f"{kind}-{os.urandom(3).hex()}"
        spec["source"].update({"topic": spec["name"] + "-in", **changes.pop("source", {})})
        spec["sink"]["topic"] = spec["name"] + "-out"
        spec["spark"] = {"conf": {"spark.sql.shuffle.partitions": "1", "spark.cores.max": "1"}}
        spec.update(changes)
        # The events are years old: nothing may be thrown away for its time.
        for topic, count in ((source(spec), partitions), (spec["sink"]["topic"], 1)):
            self.cluster.kafka.create_topic(topic, count, retention_ms=-1, message_timestamp_type="CreateTime")
        self.made.append(spec)
        return spec, fixture.write_spec(self.folder, spec)

    def end(self):
        """The volumes stay: nothing of these is to stay in them."""
        for spec in self.made:
            self.cluster.end(spec["name"])
        self.cluster.kafka.close()  # a producer that still asks for a topic has the broker make it again
        for spec in self.made:
            docker("exec", "spark-worker-1", "rm", "-rf", f"/spark/work/check/{spec['name']}")
            for topic in (source(spec), spec["sink"]["topic"]):
                self.cluster.kafka.delete_topic(topic)


@pytest.fixture(scope="module")
def cluster():
    found = Cluster()
    yield found
    found.close()


@pytest.fixture
def job(tmp_path, cluster):
    jobs = Jobs(cluster, tmp_path)
    yield jobs.make
    jobs.end()


def one_line(result, code, pattern):
    """The exit code, and one line that says why; before it there may be progress, and a line on what was begun."""
    lines = [line for line in result.err.strip().splitlines() if not re.match(r"\[ *\d+ s\] ", line)]
    assert result.code == code, result
    assert re.search(pattern, lines[-1], re.I), result.err
    assert len(lines) <= 2 and not re.search(r"\bat [\w.$]+\(|Traceback|Exception in thread", result.err), result.err


# ---- Before there is a cluster

class SecondEngine:
    """A Docker engine beside the other one, whose disk is small. In a network of its own: what it does to bridges and
    firewall rules when it starts would be done to the other's. It takes for this machine's memory what meminfo says."""

    def __init__(self, size, meminfo="/proc/meminfo"):
        self.folder = Path(tempfile.mkdtemp(prefix="tally-engine-", dir="/tmp"))
        self.host = f"unix://{self.folder}/socket"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tally-tests", self.folder], check=True)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["unshare", "--net", "--mount", "sh", "-c", 'mount --bind "$0" /proc/meminfo; exec "$@"', meminfo,
                 "dockerd", "--data-root", self.folder / "data", "--exec-root", self.folder / "exec", "--pidfile",
                 self.folder / "pid", "--host", self.host, "--bridge=none", "--iptables=false", "--ip6tables=false"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)

    def __enter__(self):
        until(lambda: self.docker("info").code == 0, 30, "the second engine")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        subprocess.run(["umount", "-l", self.folder], check=True)
        self.folder.rmdir()

    def docker(self, *command):
        return run("docker", "--host", self.host, *command)

    def up(self, **env):
        return run("docker/cluster", "up", env={"DOCKER_HOST": self.host, **env})


def need_root():
    if os.geteuid() != 0:
        pytest.skip("only root can")


def test_no_engine():
    result = run("docker/cluster", "up", env={"DOCKER_HOST": "unix:///nonexistent"})
    one_line(result, 4, "no Docker engine answers at unix:///nonexistent")


def test_no_docker_at_all(tmp_path):
    for tool in Path("/usr/bin").iterdir():
        if not tool.name.startswith("docker"):
            (tmp_path / tool.name).symlink_to(tool)
    one_line(run("docker/cluster", "up", env={"PATH": str(tmp_path)}), 4, "install Docker")


def test_an_engine_that_is_not_permitted():
    need_root()
    result = run("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "docker/cluster", "up")
    one_line(result, 5, "usermod -aG docker")


def test_a_disk_that_is_too_small():
    need_root()
    with SecondEngine("64m") as engine:
        one_line(engine.up(), 1, r"MB are free in .*need")


def test_a_machine_that_is_too_small(tmp_path):
    need_root()
    (tmp_path / "meminfo").write_text("MemTotal: 2000000 kB\nMemFree: 1000000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
    with SecondEngine("64m", tmp_path / "meminfo") as engine:
        one_line(engine.up(PROFILE="all"), 1, r"has 1953 MiB of memory: PROFILE=all of the cluster needs \d+ MiB")


@only_all
def test_a_disk_that_becomes_full():
    """The check before does not see it: an older image is there."""
    need_root()
    with SecondEngine("96m") as engine:
        run("sh", "-c", f"tar -C {ROOT} -c README.md | docker --host {engine.host} import - tally/spark")
        one_line(engine.up(), 1, "no space left")


@pytest.mark.parametrize("arguments", [[], ["sideways"]])
def test_usage(arguments):
    result = run("docker/cluster", *arguments)
    assert result.code == 2 and "usage: cluster" in result.err


def test_a_port_that_is_taken():
    """Nothing is left half done by that: the next test starts the cluster."""
    if running():
        pytest.skip("the cluster ran before")
    with socket.create_server(("127.0.0.1", 9092)):
        result = run("make", "-s", "cluster")
    assert result.code == 2, result  # make's own
    assert re.search(r"^cluster: port 9092 of 127.0.0.1 is taken", result.err, re.M), result.err
    with socket.create_server(("127.0.0.1", 9092)):
        assert run("docker/cluster", "up").code == 5


BROKEN = {
    "a broker without advertised listeners": ("kafka", [], [], 1, "KAFKA_ADVERTISED_LISTENERS"),
    "a data folder that may not be written": (
        "kafka", ["--env", "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://:9092", "--tmpfs", "/var/lib/kafka/data:mode=755"],
        [], 1, "/var/lib/kafka/data is not writable"),
    "half of a broker's settings": ("kafka", ["--env", "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://:9092"], [], 1,
                                    "formatted: .*process.roles"),
    "a worker without its master": ("spark", [], ["worker"], 2, "usage: .*worker spark://HOST:PORT"),
    "neither master nor worker": ("spark", [], [], 2, "usage: master"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_container_that_cannot_start(cluster, name):
    image, options, command, code, pattern = BROKEN[name]
    container = f"tally-test-{os.urandom(3).hex()}"
    result = run("docker", "run", "--rm", "--name", container, *options, f"tally/{image}", *command, timeout=60)
    one_line(result, code, pattern)


# ---- It is there

def test_make_cluster(cluster):
    assert cluster.first.code == 0, cluster.first.err
    for where in (f"http://localhost:{PAGE}", ":8080", ":8081", ":4040", OUTSIDE, INSIDE):
        assert where in cluster.first.out
    print(f"\nmake cluster took {cluster.seconds:.0f} s" + " (it ran before)" * cluster.found)


def test_make_cluster_again(cluster):
    """All is in place: nothing is started, nothing submitted."""
    before = running(), cluster.active("drivers"), cluster.active("applications", name=APP)
    assert len(before[2]) == 1
    began = time.monotonic()
    result = cluster.make("cluster")
    assert result.code == 0 and "runs already" in result.err, result
    assert (running(), cluster.active("drivers"), cluster.active("applications", name=APP)) == before
    print(f"\nmake cluster, when all is there, took {time.monotonic() - began:.1f} s")


def test_status(cluster):
    result = cluster.make("cluster-status")
    assert result.code == 0, result
    head, *rows = [line.split(maxsplit=4) for line in result.out.splitlines()]
    assert head == ["SERVICE", "HEALTH", "VERSION", "MEMORY", "ADDRESSES"]
    assert [row[0] for row in rows] == SERVICES
    for service, health, version, memory, *addresses in rows:
        assert health == "healthy" and re.fullmatch(r"\d+(\.\d+)+", version), (service, health, version)
        assert re.fullmatch(r"[\d.]+[KMG]iB", memory), memory
        assert service == "feeder" or "127.0.0.1:" in addresses[0]


def test_ports_are_this_machines_only(cluster):
    bound = [each for name in SERVICES for ports in inspect(name)["NetworkSettings"]["Ports"].values()
             for each in ports or []]
    assert {each["HostIp"] for each in bound} == {"127.0.0.1"}
    assert {int(each["HostPort"]) for each in bound} == PORTS


@pytest.mark.parametrize("name", SERVICES)
def test_containers_may_do_little(cluster, name):
    found = inspect(name)
    assert int(docker("exec", name, "id", "-u")) != 0
    assert "no-new-privileges:true" in found["HostConfig"]["SecurityOpt"]
    assert found["HostConfig"]["CapDrop"] == ["ALL"] and not found["HostConfig"]["Privileged"]
    for mount in found["Mounts"]:
        assert mount["Type"] == "bind" or mount["Name"].startswith("tally_"), mount


def test_kafka_has_an_address_on_either_side(cluster):
    """A client is told to come back to where it can."""
    for command, address in ((["kcat"], OUTSIDE), (["docker", "exec", "dashboard", "kcat"], INSIDE)):
        listed = run(*command, "-b", address, "-L", "-m", "5")
        assert re.search(rf"broker 1 at {address}\b", listed.out), listed
        assert '"job":"gender"' in run(*command, "-b", address, "-C", "-t", "result", "-c", "1", "-e").out


# ---- startup.sh

STARTS = {"word for word": "docker exec spark-master sh /root/startup.sh", "on the host": "sh startup.sh",
          "with arguments": "docker exec spark-master sh /root/startup.sh broker:19092 tally sex",
          "a checkpoint alone": "sh startup.sh /spark/work/check/gender/sex"}


@pytest.mark.parametrize("name", STARTS)
def test_startup_when_the_job_runs(cluster, name):
    before = cluster.active("applications")
    result = run(*STARTS[name].split())
    assert result.code == 0 and not result.out, result
    assert re.fullmatch(rf"{APP} runs already: application {before[0]} .*spark://spark-master:7077.*\n", result.err)
    assert cluster.active("applications") == before


@pytest.mark.parametrize("arguments", ["one", "a b c d", "--help", "-x", "one /check", "a b c d /check"])
def test_startup_with_nonsense(cluster, arguments):
    result = run("sh", "startup.sh", *arguments.split())
    assert result.code == 2 and "[BROKERS [GROUP] TOPIC [CHECKPOINT]]" in result.err, result


def test_two_at_once_start_one_job(cluster):
    driver, = cluster.drivers("gender")
    assert cluster.tally("kill", driver).code == 0
    until(lambda: not cluster.active("applications", name=APP), 30, "the end of the application", every=0.2)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: run(*STARTS["word for word"].split()), range(2)))
    assert [result.code for result in results] == [0, 0], results
    assert ["runs already" in result.err for result in results].count(True) == 1, results
    assert len(cluster.active("applications", name=APP)) == 1 and len(cluster.drivers("gender")) == 1
    wait_fresh()


# ---- What Spark counts

def test_the_page_shows_what_the_topic_holds(cluster):
    """Windows that came to a browser, live and from the history, and their records: of those that are closed, each
    equals the independent count, none is missing, none is extra."""
    wait_fresh()
    watched = Watched()
    until(lambda: len(watched.last_totals()) > 5, 60, "windows")
    shown = watched.records()
    watched.close()
    done = closed(shown)
    held = cluster.kafka.read("sex")
    counts = oracle.count(GENDER, [(r.partition, r.time, r.value) for r in held])[0]
    assert done == {start for start in counts if min(shown) <= start <= max(done)}
    results = oracle.results(GENDER, {start: counts[start] for start in done})
    assert {start: json.dumps(shown[start], separators=(",", ":"), ensure_ascii=False).encode() for start in done} == {
        start: results[f"gender/{start}".encode()] for start in done}
    written = best(cluster.kafka.read("result"))
    assert {key: written.get(key) for key in results} == results


def test_the_page_tells_how_the_job_goes(cluster):
    """The cluster's own page, of its own gender driver."""
    wait_fresh()

    def at_work():
        status = get_json(PAGE, "/api/status")
        spark = status["spark"] or {}
        rates = [spark.get("inputRate") or 0, spark.get("processingRate") or 0]
        return status if spark.get("driver") == "RUNNING" and min(rates) > 0 else None
    found = until(at_work, 60, "rates on the page", every=0.2)
    spark = found["spark"]
    assert (found["engine"], found["kafka"], found["topic"], spark["master"]) == ("spark", "connected", "there", "ok")
    assert spark["executors"] >= 1 and spark["cores"] >= 1 and spark["batchMs"] > 0
    assert spark["id"] in cluster.drivers("gender")
    assert spark["application"] in cluster.active("applications", name=APP)


def test_latency(cluster):
    """From a window's end to the arrival of its last total, in batches: how long one takes depends on the machine
    (`make bench ROW=spark`). The tutorial's job, which waits for its watermark, is 20 and more behind."""
    wait_fresh()
    watched, batches = Watched(), []
    began = until(lambda: watched.named("snapshot") and time.time() * 1000, 20, "the snapshot")

    def taken():
        batches.append(batch_duration())
        totals = {start: total for start, total in watched.last_totals().items() if start > began}
        return [totals[start][1] for start in closed(totals)] if len(totals) > 22 else None
    delays = until(taken, 60, "20 windows", every=0.1)
    watched.close()
    delay, batch = statistics.median(delays), statistics.median(batches)
    print(f"\na window's end to its last total: p50 {delay:.0f} ms, {delay / batch:.1f} batches, of {len(delays)} windows")
    assert delay <= LATENCY * batch, (delay, batch, sorted(delays))


# name -> (kind, changes). The other streams here are of whole values.
COUNTED = {"csv, sliding": ("csv", {"window": fixture.JOBS["sliding"]["window"]}), "json": ("json", {}),
           **({kind: (kind, {}) for kind in fixture.JOBS} if ALL else {})}


@pytest.fixture(scope="module")
def counted(cluster, tmp_path_factory):
    """name -> (spec, its records, the result of `submit --once`, the driver's log, what it wrote)"""
    jobs = Jobs(cluster, tmp_path_factory.mktemp("counted"))
    made = {name: jobs.make(kind, **changes) for name, (kind, changes) in COUNTED.items()}

    def work(name):
        spec, path = made[name]
        records = fixture.stream(spec)
        cluster.kafka.produce(source(spec), records)
        result = cluster.tally("submit", "--once", "--follow", path, timeout=TOGETHER)
        log = cluster.tally("logs", result.out.strip()).out
        return name, (spec, records, result, log, best(cluster.kafka.read(spec["sink"]["topic"])))
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return dict(pool.map(work, made))
    finally:
        jobs.end()


@pytest.mark.parametrize("name", COUNTED)
def test_spark_equals_the_independent_count(counted, name):
    spec, records, result, log, got = counted[name]
    assert result.code == 0, result.err
    wanted = expected(spec, records)
    assert got == wanted, difference(got, wanted)
    last = re.findall(r"^tally-job: .*", log, re.M)[-1]
    assert f"{oracle.count(spec, records)[2]} rejected" in last and " 0 late " in f" {last}", last


def with_times(path):
    """The sample with a column of times behind it: ten rows a second."""
    rows = (ROOT / "data/user_log.csv").read_bytes().splitlines()
    path.write_bytes(b"".join(b"%s,%d\n" % (row, fixture.BASE + n * 100) for n, row in enumerate(rows)))
    return rows[0].count(b",") + 1


def test_three_engines_say_the_same(cluster, job, tally, tmp_path):
    """`count`, the local engine and Spark: the 10,000 rows of the sample, with fixed times."""
    spec, path = job(partitions=1, source={"column": 9})
    local = {**spec, "sink": {"topic": spec["sink"]["topic"] + "-local"}}
    (tmp_path / "local").mkdir()
    local_path = fixture.write_spec(tmp_path / "local", local)
    column = with_times(tmp_path / "log.csv")
    lines = tally.run("count", path, "log.csv", "--time-column", column).out.splitlines()
    assert sum(json.loads(line)["total"] for line in lines) == 10_000
    produced = tally.run("produce", path, "log.csv", "--time-column", column, "--rate", "max", env=ADDRESSES)
    assert produced.code == 0, produced.err
    sparks = cluster.tally("run", path, "--master", MASTER, "--once", "--no-page", timeout=TOGETHER)
    assert sparks.code == 0, sparks.err
    assert tally.run("run", local_path, "-b", OUTSIDE, "--once", "--no-page").code == 0
    for sink in (spec["sink"]["topic"], local["sink"]["topic"]):
        got = best(cluster.kafka.read(sink))
        assert [value.decode() for _, value in sorted(got.items())] == lines
    cluster.kafka.delete_topic(local["sink"]["topic"])


def test_run_ends_its_driver(cluster, job):
    """Ctrl-C: the summary, 0, and nothing is left on the cluster."""
    spec, path = job()
    cluster.kafka.produce(source(spec), fixture.stream(spec, 300))
    port = free_port()
    started = cluster.program.start("run", path, "--master", MASTER, "--port", port, env=ADDRESSES)
    topic = spec["sink"]["topic"]
    wait_for_results(cluster.kafka, spec, expected(spec, fixture.stream(spec, 300)), 90)
    assert cluster.kafka.read(topic)
    code, seconds = started.stop(signal.SIGINT, 30)
    assert code == 0, started.err
    assert not cluster.drivers(spec["name"]) and not cluster.active("applications", name=f"tally-{spec['name']}")


# ---- What breaks while it counts

def kill_process(container, pattern):
    found, = processes(container, pattern)
    docker("exec", container, "kill", "-9", found)


def kill_driver(cluster, name):
    kill_process("spark-worker-1", f"spark.app.name=tally-{name} .*DriverWrapper")


def kill_executor(cluster, name):
    app, = cluster.active("applications", name=f"tally-{name}")
    kill_process("spark-worker-1", f"CoarseGrainedExecutorBackend.*--app-id {app}")


def restart(container):
    """Killed, not asked."""
    docker("kill", container)
    docker("start", container)


def restart_worker(_cluster, _name):
    """Its drivers are started anew under other ids. Who asks for the gender job then shall not get a second one."""
    restart("spark-worker-1")
    again = run("sh", "startup.sh")
    assert again.code == 0, again


FAULTS = {
    "driver": kill_driver,
    "worker": restart_worker,
    "executor": kill_executor,
    "master": lambda *_: restart("spark-master"),
    "broker": lambda *_: restart("broker"),
}


def healthy(name):
    return inspect(name)["State"]["Health"]["Status"] == "healthy"


def new_results(tail):
    """Waits for some; gives the seconds until the first."""
    caught_up(tail)
    took = new_result(tail, RECOVERED)
    count = len(best(tail.records))
    tail.until(lambda: len(best(tail.records)) > count + 20, RECOVERED)
    return took


@pytest.mark.parametrize("faults", [["driver", "worker"], *([[each] for each in FAULTS] if ALL else [])], ids="+".join)
def test_faults_in_mid_stream(cluster, job, faults):
    """Supervised, it goes on by itself, and the records are those of the independent count; so does the gender job."""
    spec, path = job("plain")
    feed = Feed(cluster.kafka, spec, seed=9, pieces_per_second=20)
    cluster.submit(path, "--supervise")
    with Tail(OUTSIDE, spec["sink"]["topic"]) as tail:
        new_results(tail)
        for fault in faults:
            FAULTS[fault](cluster, spec["name"])
            print(f"\n{fault} killed: a new result after {new_results(tail):.1f} s")
    sent = feed.end()
    wait_for_results(cluster.kafka, spec, expected(spec, sent), 60)
    wait_fresh(RECOVERED)
    until(lambda: all(map(healthy, SERVICES)), RECOVERED, "all healthy", every=0.5)
    assert len(cluster.active("applications", name=APP)) == 1 and len(cluster.drivers("gender")) == 1


# ---- What is refused, and how it is said

NAMES = {name: f"refused-{os.urandom(3).hex()}" for name in "topic broker cores trigger".split()}
REFUSED = {
    "a master that is down": (["--rest-port", "1", "--ui-port", "1", "gender"], 4, r"spark-master:1\b"),
    "REST switched off": (["--master", "spark://tally-test-norest:7077", "gender"], 5, r"spark\.master\.rest\.enabled"),
    "a missing jar": (["--wait-running", "--class", "X", "/root/none.jar"], 7, r"/root/none\.jar"),
    "no free cores": (["--wait-running", "--name", NAMES["cores"], "--conf", "spark.driver.cores=64", "gender"], 5,
                      r"64 cores"),
    "a driver that fails at once": (["--wait-running", "--name", NAMES["topic"], "--topic", NAMES["topic"],
                                     "--supervise", "gender"], 1, NAMES["topic"]),
    "a trigger that is no number": (["--wait-running", "--name", NAMES["trigger"], "--conf", "spark.tally.trigger=1s",
                                     "gender"], 1, "spark.tally.trigger takes milliseconds, not '1s'"),
    "a broker that the worker cannot reach": (["--wait-running", "--name", NAMES["broker"], "--topic", NAMES["broker"],
                                               "--job-bootstrap-servers", "broker:1", "gender"], 1, r"broker:1\b"),
}


@pytest.fixture(scope="module")
def refused(cluster):
    """name -> the result of `tally submit`, as typed in the master's container. Side by side: most of them wait."""
    norest = docker("run", "--rm", "--detach", "--name", "tally-test-norest", "--hostname", "tally-test-norest",
                    "--network", "tally_default", "--env", "SPARK_DAEMON_JAVA_OPTS=-Dspark.master.rest.enabled=false",
                    inspect("spark-master")["Config"]["Image"], "master").strip()

    def work(name):
        return name, run("docker", "exec", "spark-master", "tally", "submit", *REFUSED[name][0])
    try:
        until(lambda: run("docker", "exec", norest, "curl", "-fsS", "http://tally-test-norest:8080/json/").code == 0,
              60, "the master without REST", every=0.3)
        with ThreadPoolExecutor(len(REFUSED)) as pool:
            return dict(pool.map(work, REFUSED))
    finally:
        docker("rm", "--force", norest)


@pytest.mark.parametrize("name", REFUSED)
def test_one_line_and_an_exit_code(cluster, refused, name):
    options, code, pattern = REFUSED[name]
    one_line(refused[name], code, pattern)


def test_what_was_refused_is_not_left_behind(cluster, refused):
    assert len(cluster.active("drivers")) == len(cluster.drivers("gender")) == 1


def test_kafka_away_from_the_host(cluster, job):
    """`run --master` relays from this machine: an address that only containers know is told."""
    _, path = job()
    result = cluster.tally("run", path, "--master", MASTER, "-b", "localhost:1", "--no-page")
    one_line(result, 4, r"localhost:1\b")


# ---- What it costs

JAR = ["--class", "X", "/root/none.jar"]  # the answer comes before anybody looks for it


def test_submit_costs_little_more_than_curl(cluster, tmp_path):
    """Beside curl, which sends the same three; `make bench ROW=submit` has the times."""
    body = {"action": "CreateSubmissionRequest", "clientSparkVersion": "4.2.0", "appResource": "/root/none.jar",
            "mainClass": "X", "appArgs": [], "environmentVariables": {}, "sparkProperties": {
                "spark.app.name": "X", "spark.jars": "/root/none.jar", "spark.submit.deployMode": "cluster"}}
    (tmp_path / "create.json").write_text(json.dumps(body))
    curl = ["curl", "-sf", "http://localhost:8080/json/", "--next", "-s", "http://localhost:6066/v1/submissions/", "--next",
            "-sf", "-H", "Content-Type: application/json", "--data", f"@{tmp_path}/create.json",
            "http://localhost:6066/v1/submissions/create"]
    check_cost([str(PROGRAM), "submit", "--master", MASTER, *JAR], curl)
    until(lambda: len(cluster.active("drivers")) == 1, 30, "the end of those drivers", every=0.2)


def test_status_costs_what_curl_does(cluster):
    """Likewise; of a driver that is there."""
    driver = cluster.active("drivers")[0]
    ours = [str(PROGRAM), "status", driver, "--master", MASTER]
    curl = ["curl", "-sf", f"http://localhost:6066/v1/submissions/status/{driver}"]
    check_cost(ours, curl)


# ---- The README, and the end

DRIVER = r"driver-\d{14}-\d{4}"


def run_until_page(line, env):
    """What stays: until Spark's first window is on its page; then Ctrl-C."""
    port = free_port()
    started = Running(["sh", "-c", f"exec {line}"], cwd=ROOT, env={**env, "TALLY_PORT": str(port)})
    try:
        started.wait_for(f":{port}/", timeout=120)
        until(lambda: get_json(port, "/api/windows")["windows"], 60, "a window", every=0.2)
    finally:
        code, _ = started.stop(timeout=30)  # it takes its driver along
    assert code == 0, started.err


@pytest.mark.parametrize("block", cluster_blocks(), ids=lambda block: block[0][:40])
def test_readme(cluster, block):
    """Its commands for a cluster, in the order they stand there: an id in them is that of the driver before. The gender
    job of `make cluster` is not harmed by any."""
    env, driver = {}, ""
    for line in block:
        if line.startswith("export "):
            env.update([line.removeprefix("export ").split("=", 1)])
        elif re.match(r"build/tally run\b(?!.*--once)", line):
            run_until_page(line, env)
        else:
            result = run("sh", "-c", re.sub(DRIVER, driver, line), env=env, timeout=180)
            assert result.code == (6 if "tally wait" in line and "tally kill" in " ".join(block) else 0), (line, result)
            driver = (re.findall(DRIVER, result.out) or [driver])[0] if "submit" in line else driver
    assert len(cluster.drivers("gender")) == 1 and len(cluster.active("applications", name=APP)) == 1
    wait_fresh()


def test_down(cluster):
    """Nothing but the volumes stays."""
    if cluster.found:
        pytest.skip("the cluster ran before")
    assert cluster.make("cluster-down").code == 0
    assert not running("-a")
    assert "tally_default" not in docker("network", "ls", "--format", "{{.Name}}").split()
    assert {"tally_kafka", "tally_spark-work"} <= set(docker("volume", "ls", "--quiet").split())
    for port in PORTS:
        socket.create_server(("127.0.0.1", port)).close()
    status = run("docker/cluster", "status")
    one_line(status, 1, "make cluster")
    assert cluster.make("cluster-down").code == 0, "again, it is well"


# ---- Other ways up

def compose():
    return ["docker", "compose"] if run("docker", "compose", "version").code == 0 else ["docker-compose"]


@only_all
def test_compose_alone():
    """Volumes of its own, and so everything from nothing."""
    if running():
        pytest.skip("the cluster ran before")
    env = {"COMPOSE_PROJECT_NAME": "tally-test"}
    try:
        up = run(*compose(), "-f", "docker/compose.yaml", "up", "--build", "--detach", env=env)
        assert up.code == 0, up
        state = until(lambda: inspect("submit")["State"]["Status"] == "exited" and inspect("submit")["State"], 180,
                      "the end of submit", every=0.5)
        assert state["ExitCode"] == 0, run("docker", "logs", "submit")
        wait_fresh()
    finally:
        run(*compose(), "-f", "docker/compose.yaml", "down", "--volumes", env=env)


@only_all
def test_an_older_spark(tmp_path):
    """Spark 3.5.1 keeps its own progress: it cannot read that of a later one."""
    if running():
        pytest.skip("the cluster ran before")
    work = tmp_path / "work"
    work.mkdir()
    work.chmod(0o777)
    cluster = Cluster(SPARK_VERSION="3.5.1", SPARK_WORK=str(work))
    jobs = Jobs(cluster, tmp_path)
    try:
        assert cluster.first.code == 0, cluster.first.err
        assert re.search(r"spark-master +healthy +3\.5\.1", cluster.make("cluster-status").out)
        for kind in ("csv", "json", "sliding"):
            spec, path = jobs.make(kind)
            records = fixture.stream(spec)
            cluster.kafka.produce(source(spec), records)
            assert cluster.tally("submit", "--once", "--follow", path).code == 0
            got, wanted = best(cluster.kafka.read(spec["sink"]["topic"])), expected(spec, records)
            assert got == wanted, difference(got, wanted)
    finally:
        jobs.end()
        cluster.close()
