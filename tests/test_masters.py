"""The runner against real masters in containers, of two Spark versions: what it says, its exit code, and how many drivers
ran. An application is compiled by the compiler among Spark's own jars, and served to the workers by the program.

Masters and workers are shared by what runs on them, and drivers run side by side: most of their time is Java's start.
Each has a memory of its own, to the MiB, by which the master's list tells whose it is."""

import http.client
import json
import os
import random
import re
import ssl
import subprocess
import threading
import time
import urllib.request
import zipfile
from base64 import urlsafe_b64encode
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests import spark_options, spark_submit_lines
from tests.cluster import docker, run
from tests.kafka_server import free_port
from tests.program import ROOT, Program, Result, only_all, until
from tests.test_cluster import ALL

pytestmark = pytest.mark.cluster

VERSIONS = ["4.2.0", "3.5.1"] if ALL else ["4.2.0"]
MAIN = "com.example.KafkaWordCount"
SCALA = {"4.2.0": "2.13", "3.5.1": "2.12"}
OTHER = {"4.2.0": "3.5.1", "3.5.1": "4.2.0"}
AT_ONCE = 3
PATIENCE = 300  # seconds: two cores, each driver two JVMs, and other work beside it
LOST = 10  # seconds until a master takes a silent worker for lost


# ---- Masters and workers

def has_version(image, version):
    found = run("docker", "image", "inspect", "-f", '{{index .Config.Labels "version"}}', image)
    return found.code == 0 and found.out.strip() == version


def image(version):
    """Its name: what the cluster has built, or else one of our own."""
    own = f"tally/spark:{version}"
    for name in ("tally/spark", own):
        if has_version(name, version):
            return name
    none = {name: "-" for name in ("KAFKA_IMAGE", "TALLY_IMAGE", "SPARK_IMAGE")}  # only the base, and what it trusts
    assert run("docker/cluster", "build", env=none).code == 0
    docker("build", "-t", own, "-f", "docker/spark/Dockerfile", "--build-arg", f"SPARK_VERSION={version}", ".",
           timeout=1800)
    return own


class Network:
    """Containers with addresses of their own, which they keep when they start again. All of them go at the end."""

    def __init__(self, folder):
        self.name = f"tally-test-{os.urandom(3).hex()}"
        self.jars, self.compiled = folder / "jars", {}
        self.jars.mkdir()
        folder.chmod(0o755)
        self.jars.chmod(0o755)
        self.names = []
        for _ in range(10):
            self.subnet = f"10.{random.randrange(128, 250)}.{random.randrange(250)}"
            if run("docker", "network", "create", "--subnet", f"{self.subnet}.0/24", self.name).code == 0:
                return
        raise RuntimeError("no subnet is free")

    def start(self, kind, version, *command, java="", memory="1g", env=None, ports=(), of=None):
        name = f"{self.name}-{kind.replace('.', '')}"  # for Java a host's last label does not begin with a digit
        self.names.append(name)
        address = f"{self.subnet}.{1 + len(self.names)}"
        env = {"SPARK_DAEMON_JAVA_OPTS": f"-Dspark.worker.timeout={LOST} {java}", **(env or {})}
        options = [f"--env={key}={value.format(address=address)}" for key, value in env.items()]
        options += [f"--publish=127.0.0.1:{outside}:{inside}" for outside, inside in ports]
        docker("run", "-d", "--init", "--name", name, "--hostname", name, "--network", self.name, "--ip", address,
               "--memory", memory, "--cap-drop", "ALL", "--volume", f"{self.jars}:/jars:ro", *options,
               of or image(version), *command)
        return name, address

    def jar(self, version):
        """The application, compiled for its Scala."""
        if version not in self.compiled:
            path = self.jars / f"words-{SCALA[version]}.jar"
            compiling = ("java -cp '/opt/spark/jars/*' scala.tools.nsc.Main -classpath $(printf %s: /opt/spark/jars/*.jar) "
                         "-d /tmp/words.jar /source/KafkaWordCount.scala")
            docker("run", "--name", f"{self.name}-scala", "--memory", "1g", "--volume", f"{ROOT}/tests/scala:/source:ro",
                   image(version), "sh", "-c", compiling, timeout=300)
            docker("cp", f"{self.name}-scala:/tmp/words.jar", path)
            docker("rm", "-f", f"{self.name}-scala")
            path.chmod(0o644)
            self.compiled[version] = path
        return self.compiled[version]

    def remove(self, *names):
        run("docker", "rm", "-f", "-v", *names)
        self.names = [None if name in names else name for name in self.names]  # addresses are not given twice

    def end(self):
        run("docker", "rm", "-f", "-v", f"{self.name}-scala", *filter(None, self.names))
        run("docker", "network", "rm", self.name)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    made = Network(tmp_path_factory.mktemp("masters"))
    yield made
    made.end()


class Master:
    """A master: by its container's address, and, where it publishes them, by ports of this machine."""

    def __init__(self, network, kind, version, java="", publish=False):
        self.version = version
        self.rest, self.page = (free_port(), free_port()) if publish else (None, None)
        ports = [(self.rest, 6066), (self.page, 8080)] if publish else []
        self.name, self.address = network.start(kind, version, "master", java=java, ports=ports)
        self.url = f"spark://{self.address}:7077"

    @property
    def here(self):
        """Options that name it by its published ports."""
        return ["-m", "spark://127.0.0.1:7077", "--rest-port", self.rest, "--ui-port", self.page]

    def json(self):
        with urllib.request.urlopen(f"http://{self.address}:8080/json/", timeout=10) as answer:
            return json.load(answer)

    def status(self):
        try:
            return self.json()["status"]
        except (OSError, http.client.HTTPException, ValueError):  # when it just starts its answer is empty
            return None

    def ready(self, workers=0):
        def is_there():
            return self.status() == "ALIVE" and self.json()["aliveworkers"] >= workers
        until(is_there, PATIENCE, f"{self.name} with {workers} workers", every=0.2)

    def drivers(self, memory):
        """Its rows of all drivers, active or not, with that memory."""
        state = self.json()
        return [row for row in state["activedrivers"] + state["completeddrivers"] if row["memory"] == memory]


def worker(network, kind, version, masters, cores, memory, env=None):
    """Its container's name."""
    env = {"SPARK_WORKER_CORES": str(cores), "SPARK_WORKER_MEMORY": memory, **(env or {})}
    url = "spark://" + ",".join(f"{master.name}:7077" for master in masters)
    return network.start(kind, version, "worker", url, memory="4g", env=env)[0]


def launches(workers, driver):
    """How often workers have started it."""
    return sum(run("docker", "exec", name, "sh", "-c", f"cat /spark/work/*/{driver}/stderr").out.count("Launch Command")
               for name in workers)


# ---- What the program says

def told(result, code, pattern):
    """The exit code, and a last line that says it; no stack of Java's."""
    lines = result.err.strip().splitlines() or [""]
    assert result.code == code, result
    assert re.search(pattern, lines[-1]), result.err
    assert not re.search(r"^\s+at [\w.$]+\(|Exception in thread", result.err, re.M), result.err


class Real:
    """A master of that version, and two workers. The near one tells addresses by which this machine reaches its pages, the
    far one does not; the near one has more cores, the far one more memory."""

    NEAR = ["--driver-cores", 6]
    FAR = 6500  # MiB

    def __init__(self, network, version):
        self.network, self.version = network, version
        self.tag, self.lock = 512, threading.Lock()
        self.jar = network.jar(version)
        self.there = f"file:/jars/{self.jar.name}"
        off = "-Dspark.master.rest.enabled=false"
        self.master = Master(network, f"m-{version}", version, publish=True)
        self.off = Master(network, f"off-{version}", version, java=off)
        self.workers = [worker(network, f"near-{version}", version, [self.master], 13, "6g",
                               {"SPARK_PUBLIC_DNS": "{address}"}),
                        worker(network, f"far-{version}", version, [self.master], 5, "10g")]
        self.master.ready(2)
        self.off.ready()

    def end(self):
        self.network.remove(self.master.name, self.off.name, *self.workers)

    def memory(self):
        """MiB, of one test's drivers and no others."""
        with self.lock:
            self.tag += 1
            return self.tag

    def line(self, memory, *options, master=None):
        """Of submit, up to the application."""
        return ["submit", *(master or self.master.here), "--class", MAIN, "--driver-memory", f"{memory}m",
                "--executor-memory", "512m", "--total-executor-cores", 1, "--name", f"words-{memory}", *options]

    def tally(self, *args, **options):
        return Program().run(*args, timeout=PATIENCE, **options)

    def ask(self, command, *args, **options):
        """One of the other commands."""
        return self.tally(command, *args, *self.master.here, **options)

    def ended(self, memory, count=1):
        """Their rows, once none of them is active."""
        def rows():
            active = [row for row in self.master.json()["activedrivers"] if row["memory"] == memory]
            return not active and len(self.master.drivers(memory)) >= count
        until(rows, PATIENCE, "the drivers' end", every=0.3)
        return self.master.drivers(memory)


@pytest.fixture(scope="module", params=VERSIONS)
def real(request, network):
    made = Real(network, request.param)
    yield made
    made.end()


@pytest.fixture
def started(real):
    """Starts the program in the background; whatever still runs at the end, drivers too, is ended."""
    program = Program()
    yield program.start
    program.end_all()
    real.ask("kill", "--all", "--yes")


# ---- Drivers that end by themselves, or never begin

# name -> (options, application and arguments, the exit code, the last line, how many drivers). {jar}: here, and so served
# to the workers; {there}: on the workers; {other}: for another Scala.
Row = namedtuple("Row", "options application code pattern drivers quick", defaults=[False])
FOLLOW = ["--follow"]
ROWS = {
    "it ends": Row(FOLLOW, ["{jar}", "batch"], 0, r"driver \S+ is FINISHED", 1, True),
    "it exits 1": Row(FOLLOW, ["{jar}", "exit", 1], 1, r"driver \S+ FAILED: ", 1),
    "it throws": Row(FOLLOW, ["{jar}", "throw"], 1, r"driver \S+ FAILED: java.lang.RuntimeException: the root of it "
                     r"\(thrown on as java.lang.IllegalStateException: what was to be done, 1\)", 1, True),
    "a task throws": Row(FOLLOW, ["{jar}", "broken"], 1, r"FAILED: .*ArithmeticException: / by zero", 1),
    "it loops": Row([*FOLLOW, "--timeout", "30s"], ["{jar}", "loop"], 9, r"driver \S+ is RUNNING after [34]\d s, and goes on",
                    1),
    "supervised, it dies and dies": Row([*FOLLOW, "--supervise"], ["{jar}", "throw"], 1,
                                        r"driver \S+ failed 2 times: .*the root of it", 1),
    "too many cores": Row([*FOLLOW, "--driver-cores", 99], ["{jar}", "batch"], 5,
                          r"no room for the driver: it asks for 99 cores and \d+ MiB on one worker; free: .* of 13 cores",
                          0, True),
    "too much memory for an executor": Row([*FOLLOW, "--executor-memory", "20g"], ["{jar}", "batch"], 5,
                                           r"no room for the application's first executor .*20480 MiB", 0),
    "no jar there": Row(FOLLOW, ["file:/nowhere/my.jar"], 7, r"driver \S+: ERROR: .*/nowhere/my.jar", 1, True),
    "no such class": Row(["--class", "no.Such"], ["{jar}"], 5, r"there is no class no.Such in ", 0),
    "no such class there": Row([*FOLLOW, "--class", "no.Such"], ["{there}"], 1,
                               r"FAILED: the jar has no main class no.Such", 1),
    "another Scala": Row(FOLLOW, ["{other}", "broken"], 5, r"Scala 2.1\d", 0),
    "another Scala there": Row([*FOLLOW, "--no-preflight"], ["file:/jars/{other_name}", "broken"], 1,
                               r"FAILED: the jar is built for Scala 2.1\d", 1),
}
SHOWN = [name for name, row in ROWS.items() if ALL or row.quick]


def row_of(real, name):
    """Of Spark 3 nobody can tell from outside which Scala it has."""
    if name == "another Scala" and real.version < "4":
        there = ROWS["another Scala there"]
        return ROWS[name]._replace(code=there.code, pattern=there.pattern, drivers=there.drivers)
    return ROWS[name]


def run_row(real, row):
    memory = real.memory()
    other = real.network.jar(OTHER[real.version]) if ALL else real.jar
    names = {"jar": real.jar, "there": real.there, "other": other, "other_name": other.name}
    application = [str(word).format(**names) for word in row.application]
    result = real.tally(*real.line(memory, *row.options), *application)
    for driver in real.master.drivers(memory):
        if result.code == 9:
            assert real.ask("kill", driver["id"]).out == f"{driver['id']} KILLED\n"
            assert real.ask("wait", driver["id"]).code == 6
    return result, real.ended(memory, row.drivers)


@pytest.fixture(scope="module")
def outcomes(request, real):
    """name -> what came of it, all of those that are asked for side by side."""
    asked = [item.callspec.params for item in request.session.items if item.originalname == "test_what_becomes_of_it"]
    names = [params["name"] for params in asked if params["real"] == real.version]
    if ALL:
        real.network.jar(OTHER[real.version])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(run_row, real, row_of(real, name)) for name in names}


@pytest.mark.parametrize("name", SHOWN)
def test_what_becomes_of_it(real, outcomes, name):
    row, (result, drivers) = row_of(real, name), outcomes[name].result()
    told(result, row.code, row.pattern)
    assert len(drivers) == row.drivers and all(driver["mainclass"] for driver in drivers), (result, drivers)


def test_rest_off(real):
    result = real.tally(*real.line(real.memory(), master=["-m", real.off.url]), real.jar, "batch")
    told(result, 5, r"REST is off on the Spark master at .*spark.master.rest.enabled=true")
    assert not real.off.json()["activedrivers"] + real.off.json()["completeddrivers"]


def test_every_option_is_taken_or_refused(real):
    """By the help text of that Spark."""
    help_text = run("docker", "exec", real.master.name, "spark-submit", "--help")
    text = help_text.out + help_text.err
    assert len(spark_options.listed(text)) > 30, text
    assert spark_options.unknown(Program().run, text) == []


def common(request, folder):
    """What is compared. spark-submit puts "file:" before a path and its jar behind --jars, and says more about itself; ours
    asks for metrics, and gives a Spark 3 its Java options."""
    properties = dict(request["sparkProperties"])
    for name in ("spark.app.submitTime", "spark.master", "spark.sql.streaming.metricsEnabled"):
        properties.pop(name, None)
    if not properties.get("spark.submit.pyFiles"):
        properties.pop("spark.submit.pyFiles", None)
    java = properties.pop("spark.driver.extraJavaOptions", "").rpartition("useDirectMethodHandle=false")[2].strip()
    plain = {name: value.replace("file:", "").replace(folder, "FOLDER") for name, value in properties.items()}
    plain["spark.jars"] = sorted(plain["spark.jars"].split(","))
    resource = request["appResource"].replace("file:", "").replace(folder, "FOLDER")
    return request["mainClass"], resource, request["appArgs"], java, plain


@only_all
def test_lines_for_spark_submit(real, tmp_path):
    """The request for each is what spark-submit itself sends, or neither sends one."""
    with open(spark_submit_lines.__file__, encoding="utf-8") as script:
        sent = subprocess.run(["docker", "exec", "-i", real.master.name, "python3", "-"], stdin=script, timeout=2 * PATIENCE,
                              capture_output=True, check=True).stdout
    env = spark_submit_lines.prepare(tmp_path)
    (tmp_path / "here").mkdir()
    program = Program(cwd=tmp_path / "here")
    for line, theirs in zip(spark_submit_lines.LINES, json.loads(sent), strict=True):
        ours = program.run("submit", "--dry-run", *spark_submit_lines.words(line, tmp_path, 6066), env=env)
        assert (ours.code == 0) == (theirs is not None), (line, ours)
        if theirs:
            assert common(json.loads(ours.out), f"{tmp_path}/here") == common(theirs, "/tmp/lines/here"), line


# ---- Drivers that run until they are killed

@only_all
def test_looking_on(real, started):
    """Logs by the worker's page and out of its container, those of executors, rates, and the end of all."""
    near, far = real.memory() + 2600, real.FAR  # so that the executor of the loop finds room beside its driver only
    stream = started(*real.line(near, *real.NEAR, "--executor-cores", 5, "--total-executor-cores", 5, "--follow",
                                "--conf", "spark.sql.shuffle.partitions=2"), real.jar,
                     "stream")
    loop = started(*real.line(far, "--follow", "--executor-memory", "3200m"), real.jar, "loop")
    stream.wait_for(r"[\d.]+ rows/s in, [\d.]+ rows/s processed, batch \d+ ms, watermark 20\S+Z, [1-9]\d* state rows",
                    timeout=PATIENCE)
    loop.wait_for(r"application app-\S+ \(words-6500\) is RUNNING, 1 executor", timeout=PATIENCE)
    near_id, far_id = stream.out.strip(), loop.out.strip()

    by_page = real.ask("logs", near_id, "--tail", 5, "-v")
    assert by_page.code == 0 and len(by_page.out.splitlines()) == 5 and "container" not in by_page.err, by_page
    by_engine = real.ask("logs", far_id, "--stdout", "--tail", 3, "-v")
    assert by_engine.code == 0 and by_engine.out == "女生 loop\n" * 3, by_engine
    assert f"is read out of the container of {real.workers[1]}" in by_engine.err
    following = started("logs", "-f", "--stdout", "--tail", 1, far_id, *real.master.here)
    following.wait_for(r"(女生 loop\n){10}", "out", PATIENCE)
    assert following.stop()[0] == 0
    executors = real.ask("logs", near_id, "--executor", "all", "--tail", 5)
    assert executors.code == 0 and re.match(r"==> executor 0 on worker-\S+ <==\n.+", executors.out), executors
    executors = real.ask("logs", far_id, "--executor", "all", "--tail", 5, "-v")
    assert executors.code == 0 and len(executors.out.splitlines()) == 6, executors
    assert re.search(rf"log of executor 0 of app-\S+ is read out of the container of {real.workers[1]}", executors.err)
    following = started("logs", "-f", "--executor", 0, far_id, *real.master.here)
    following.wait_for(r"Executor: (?s:.*\n)", "out", PATIENCE)
    assert following.stop()[0] == 0

    looking = started("status", "--follow", far_id, *real.master.here)
    looking.wait_for(r"RUNNING", timeout=PATIENCE)
    killed = real.ask("kill", "--all", "--yes")
    assert killed.code == 0 and sorted(killed.out.splitlines()) == sorted(f"{i} KILLED" for i in (near_id, far_id)), killed
    for follower, driver in ((stream, near_id), (loop, far_id), (looking, far_id)):
        assert follower.wait(30) == 6 and follower.err.strip().endswith(f"driver {driver} was KILLED"), follower.err
    assert len(real.ended(near)) == 1 and len(real.ended(far)) == 1
    assert real.ask("kill", "--all", "--yes").err == "no driver is active\n"


@only_all
def test_supervised_through_three_deaths(real):
    """On the near worker: a log out of a container that is not there yet is looked for again half a minute later only."""
    memory = real.memory()
    submitted = real.tally(*real.line(memory, "--supervise", *real.NEAR), real.there, "thrice")
    assert submitted.code == 0, submitted
    driver = submitted.out.strip()
    waited = real.ask("wait", driver)
    told(waited, 0, r"is FINISHED")
    assert re.search(r"ended and was started again: java.lang.IllegalStateException: death \d of 3", waited.err), waited
    assert len(real.ended(memory)) == 1 and launches(real.workers, driver) == 4


# ---- A worker that goes

# how -> what becomes of a driver that is not supervised, and of one that is: the exit code, the last line, the states of
# all the drivers that it has been. A worker that is ended in good order kills its drivers, and says so: then the master
# starts none anew.
GONE = {
    "kill": ((7, r"driver \S+: ERROR: the master does not say why \(a lost worker", ["ERROR"]),
             (0, r"is FINISHED", ["RELAUNCHING", "FINISHED"])),
    "stop": ((6, r"was KILLED", ["KILLED"]), (6, r"was KILLED", ["KILLED"])),
}


@only_all
@pytest.mark.parametrize("how", GONE)
def test_worker_gone(real, started, how):
    """A supervised driver is started anew elsewhere if its worker is lost, and followed there."""
    supervised = real.memory()
    second = started(*real.line(supervised, "--follow", "--supervise"), real.jar, "sleep", 20)
    row = until(lambda: next((r for r in real.master.drivers(supervised) if r["worker"] != "None"), None), PATIENCE)
    lost = next(name for name in real.workers if name in row["worker"])
    is_near = lost == real.workers[0]
    alone = real.memory() + (0 if is_near else real.FAR)
    first = started(*real.line(alone, "--follow", *(real.NEAR if is_near else [])), real.jar, "loop")
    for follower in (first, second):
        follower.wait_for(r"application app-\S+ .* is RUNNING, 1 executor", timeout=PATIENCE)
    docker(how, *(["-t", "30"] if how == "stop" else []), lost, timeout=60)
    try:
        for follower, memory, (code, pattern, states) in ((first, alone, GONE[how][0]), (second, supervised, GONE[how][1])):
            told(Result(follower.wait(PATIENCE), follower.out, follower.err), code, pattern)
            assert [row["state"] for row in sorted(real.ended(memory), key=lambda row: row["id"])] == states
        assert ("was started anew" in second.err) == (how == "kill"), second.err
    finally:
        docker("start", lost)
        real.master.ready(2)


# ---- A master that goes

# What may become of a driver that runs meanwhile. While a master recovers, it knows no drivers of a worker's until that has
# told them; when the worker comes by itself before that, the master has it kill what it runs (Master.scala,
# WorkerLatestState; seen with 4.2.0). Of one that ends before the master is back, or had not been launched, no worker tells:
# it becomes an ERROR (completeRecovery; seen with 3.5.1 on a busy machine: the driver ended before the master had started).
AFTERWARDS = {"FINISHED": (0, r"is FINISHED"), "KILLED": (6, r"was KILLED"),
              "ERROR": (7, r"ERROR: the master does not say why \(a lost worker, or the master was restarted\?\)")}


@only_all
@pytest.mark.parametrize("until_it_ends", [False, True], ids=["at once", "when the driver has ended"])
def test_master_killed_during_a_follow(real, started, until_it_ends):
    """And started again, at once or late."""
    memory = real.memory()
    follower = started(*real.line(memory, "--follow"), real.jar, "sleep", 25)
    follower.wait_for(r"application app-\S+ .* is RUNNING", timeout=PATIENCE)
    docker("kill", real.master.name)
    follower.wait_for(r"waiting for the Spark master", timeout=PATIENCE)
    if until_it_ends:
        ended = f"Driver {follower.out.strip()} exited successfully"
        until(lambda: any(ended in run("docker", "logs", name).err for name in real.workers), PATIENCE, ended, every=0.5)
    docker("start", real.master.name)
    code = follower.wait(PATIENCE)
    assert re.search(r"the Spark master answers again, after \d+ s", follower.err)
    real.master.ready(2)
    row, = real.ended(memory)
    assert row["state"] == "ERROR" or not until_it_ends
    told(Result(code, follower.out, follower.err), *AFTERWARDS[row["state"]])
    assert launches(real.workers, row["id"]) == 1


class Between:
    """Between the program and a master, its REST API at / or /spark, its page at /page: does something to the first create,
    and else passes on. context: for TLS."""

    def __init__(self, master, mishap=None, context=None):
        self.master, self.mishap, self.creates = master, mishap, 0
        between = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                between.pass_on(self)

            def do_POST(self):
                between.pass_on(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        create = handler.path.endswith("/create")
        self.creates += create
        handler.close_connection = True
        hurt = self.mishap and create and self.creates == 1
        if hurt and not self.mishap["arrives"]:
            return self.hurt()
        port, path = (8080, handler.path[5:]) if handler.path.startswith("/page/") else (6066, handler.path)
        upstream = http.client.HTTPConnection(self.master.address, port, timeout=60)
        headers = {"Content-Type": handler.headers.get("Content-Type", "")}
        upstream.request(handler.command, path.removeprefix("/spark"), body, headers)
        answer = upstream.getresponse()
        data = answer.read()
        if hurt:
            return self.hurt()
        handler.send_response(answer.status)
        handler.send_header("Content-Type", answer.getheader("Content-Type", "text/html"))
        handler.send_header("Content-Length", str(len(data)))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(data)

    def hurt(self):
        if self.mishap["kill"]:
            docker("kill", self.master.name)


# name -> (does the request arrive, is the master killed then, the exit code, the last line, how many drivers)
MISHAPS = {
    "the answer is lost": (True, False, 0, r"but the master has created the driver: driver-", 1),
    "the request is lost": (False, False, 0, r"the master has created no driver: trying once more", 1),
    "the master is killed after it": (True, True, 10, r"may have been created or not: .* look for .*words-\d+", 1),
    "the master is killed before it": (False, True, 10, r"may have been created or not: .* look for .*words-\d+", 0),
}


@only_all
@pytest.mark.parametrize("name", MISHAPS)
def test_create(real, name):
    arrives, kill, code, pattern, drivers = MISHAPS[name]
    between = Between(real.master, {"arrives": arrives, "kill": kill})
    memory = real.memory()
    by = ["-m", "spark://127.0.0.1:7077", "--rest-port", between.port, "--ui-port", real.master.page]
    try:
        told(real.tally(*real.line(memory, "--deploy-mode", "cluster", master=by), real.there, "sleep", 20 if kill else 1),
             code, pattern)
    finally:
        between.server.shutdown()
        if kill:
            docker("start", real.master.name)
            real.master.ready(2)
    rows = real.ended(memory, drivers)
    assert len(rows) == drivers and all(row["state"] in (AFTERWARDS if kill else ["FINISHED"]) for row in rows), rows
    assert all(launches(real.workers, row["id"]) == 1 for row in rows)


@only_all
@pytest.mark.parametrize("seed", range(4))
def test_a_master_killed_at_any_moment_of_a_create(real, started, seed):
    """It remembers its drivers. What the program says of the driver is true once the master is back."""
    memory = real.memory()
    chance = random.Random(seed)
    try:
        with ThreadPoolExecutor() as pool:
            killing = pool.submit(docker, "kill", real.master.name)
            time.sleep(chance.uniform(0, 0.4))
            result = real.tally(*real.line(memory, "--deploy-mode", "cluster"), real.there, "sleep", 20)
            killing.result()
    finally:
        docker("start", real.master.name)
        real.master.ready(2)
    counts = {0: [1], 10: [0, 1], 4: [0]}
    assert len(real.master.drivers(memory)) in counts[result.code], result
    assert all(row["state"] in AFTERWARDS for row in real.ended(memory, 0))


# ---- Signed requests

KEY = urlsafe_b64encode(bytes(range(48))).decode().rstrip("=")


@only_all
@pytest.mark.parametrize("real", ["4.2.0"], indirect=True)  # before Spark 4 there is no such filter
def test_signed(real, tmp_path):
    java = (f"-Dspark.master.rest.filters=org.apache.spark.ui.JWSFilter "
            f"-Dspark.org.apache.spark.ui.JWSFilter.param.secretKey={KEY}")
    master = Master(real.network, "signed", real.version, java=java)
    name = worker(real.network, "signed-w", real.version, [master], 2, "2g")
    try:
        master.ready(1)
        (tmp_path / "key").write_text(KEY)
        (tmp_path / "wrong").write_text(urlsafe_b64encode(bytes(48)).decode())
        cases = [([], 5, r"HTTP 403 .*--jws-key-file", 0),
                 (["--jws-key-file", tmp_path / "wrong"], 5, r"HTTP 403 ", 0),
                 (["--jws-key-file", tmp_path / "key"], 0, r"is FINISHED", 1)]
        for options, code, pattern, drivers in cases:
            memory = real.memory()
            told(real.tally(*real.line(memory, "--follow", *options, master=["-m", master.url]), real.jar, "exit", 0), code,
                 pattern)
            assert len(master.drivers(memory)) == drivers
    finally:
        real.network.remove(master.name, name)


# ---- Two masters

@only_all
def test_two_masters(real, started):
    """One on standby; the leader killed while a driver is followed; one in recovery while a driver is to be created."""
    network, version = real.network, real.version
    keeper, address = network.start(f"zookeeper-{version}", version, "java", "-cp", "/opt/spark/jars/*",
                                    "org.apache.zookeeper.server.ZooKeeperServerMain", "2181", "/tmp/zookeeper", "500")
    java = f"-Dspark.deploy.recoveryMode=ZOOKEEPER -Dspark.deploy.zookeeper.url={address}:2181"
    masters = [Master(network, f"{n}-{version}", version, java=java) for n in ("a", "b")]
    workers = [worker(network, f"{n}-{version}", version, masters, 4, "4g") for n in ("aw", "bw")]
    try:
        until(lambda: sorted(str(m.status()) for m in masters) == ["ALIVE", "STANDBY"], PATIENCE, "a leader", every=0.3)
        standby, leader = sorted(masters, key=lambda m: m.status(), reverse=True)
        leader.ready(2)
        both = ["-m", f"spark://{standby.address}:7077,{leader.address}:7077"]

        memory = real.memory()
        told(real.tally(*real.line(memory, master=["-m", standby.url]), real.jar, "batch"), 5, r"does not lead")
        told(real.tally(*real.line(memory, "--follow", master=both), real.jar, "batch"), 0, r"is FINISHED")
        assert len(leader.drivers(memory)) == 1 and not standby.drivers(memory)

        followed = real.memory()
        follower = started(*real.line(followed, "--follow", master=both), real.jar, "sleep", 40)
        follower.wait_for(r"application app-\S+ .* is RUNNING", timeout=PATIENCE)
        on = leader.drivers(followed)[0]["worker"]
        idle = next(name for name in workers if name not in on)
        docker("kill", leader.name, idle)
        until(lambda: standby.status() in ("RECOVERING", "COMPLETING_RECOVERY"), PATIENCE, "recovery", every=0.05)
        late = real.memory()
        created = real.tally(*real.line(late, "--follow", master=both), real.jar, "batch")
        told(created, 0, r"is FINISHED")
        assert "recovering: waiting" in created.err
        code = follower.wait(PATIENCE)
        state = standby.drivers(followed)[0]["state"]
        told(Result(code, follower.out, follower.err), *AFTERWARDS[state])
        assert len(standby.drivers(followed)) == len(standby.drivers(late)) == 1
        assert launches([name for name in workers if name != idle], follower.out.strip()) == 1
    finally:
        network.remove(keeper, *(m.name for m in masters), *workers)


# ---- Behind a reverse proxy, behind a gateway

NO_ENGINE = {"DOCKER_HOST": "unix:///nope/docker.sock"}  # no log but by a page


@pytest.fixture
def trust(tmp_path):
    """A server's side of TLS at localhost; the authority that vouches for it is in tmp_path/authority.pem."""
    def make(name, subject, *more):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={subject}",
                        "-keyout", f"{name}.key", "-out", f"{name}.pem", *more], check=True, capture_output=True, cwd=tmp_path)
    make("authority", "an authority")
    make("server", "localhost", "-CA", "authority.pem", "-CAkey", "authority.key", "-addext", "subjectAltName=DNS:localhost",
         "-addext", "basicConstraints=critical,CA:FALSE")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    return context


@only_all
def test_proxy_and_gateway(real, started, trust, tmp_path):
    """spark.ui.reverseProxy: all pages by the master's, the worker's and the driver's own lead nowhere from here. The same
    once more through a gateway that speaks TLS."""
    java = f"-Dspark.ui.reverseProxy=true -Dspark.worker.timeout={LOST}"
    master = Master(real.network, f"proxy-{real.version}", real.version, java=java)
    name = worker(real.network, f"proxy-w-{real.version}", real.version, [master], 6, "6g", {"SPARK_DAEMON_JAVA_OPTS": java})
    gateway = Between(master, context=trust)
    url = f"https://localhost:{gateway.port}"
    untrusted = ["--rest-url", f"{url}/spark", "--ui-url", f"{url}/page"]
    ways = [["-m", master.url], [*untrusted, "--cacert", tmp_path / "authority.pem"]]
    try:
        master.ready(1)
        told(real.tally("list", *untrusted), 4, r"--cacert")
        followers = []
        for way in ways:
            line = real.line(real.memory(), "--follow", "--serve-address", f"{real.network.subnet}.1",
                             "--conf", "spark.ui.reverseProxy=true", "--conf", "spark.sql.shuffle.partitions=2", master=way)
            followers.append(started(*line, real.jar, "stream", env=NO_ENGINE))
        for way, follower in zip(ways, followers):
            follower.wait_for(r"1 executor.* rows/s processed, batch \d+ ms, watermark 20", timeout=PATIENCE)
            driver = follower.out.strip()
            assert real.tally("status", driver, *way).out.startswith(f"{driver} RUNNING worker-")
            assert driver in real.tally("list", *way).out
            logs = real.tally("logs", driver, "--tail", 5, "-v", *way, env=NO_ENGINE)
            assert logs.code == 0 and len(logs.out.splitlines()) == 5, logs
            executors = real.tally("logs", driver, "--executor", "all", "--tail", 5, *way, env=NO_ENGINE)
            assert executors.code == 0 and re.match(r"==> executor 0 on worker-\S+ <==\n.+", executors.out), executors
        for way, follower in zip(reversed(ways), followers):
            driver = follower.out.strip()
            assert real.tally("kill", driver, *way).out == f"{driver} KILLED\n"
            assert follower.wait(PATIENCE) == 6, follower.err
        assert len(master.json()["completeddrivers"]) == 2 and not master.json()["activedrivers"]
    finally:
        gateway.server.shutdown()
        real.network.remove(master.name, name)


# ---- What an application brings along

SCRIPT = """import sys, more
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
if "fail" in sys.argv:
    raise ValueError("what the script says")
jars = context._jsc.sc().listJars().mkString(" ")
print(context.parallelize([1, 2], 2).map(more.double).sum(), sys.argv[1:], "packages" if "tiny" in jars else "none",
      context.appName, context.getConf().get("spark.tally.whose"))
"""


@pytest.fixture
def repository(real, tmp_path):
    """A Maven repository with one package, com.example:tiny:1.0, that the workers reach."""
    folder = tmp_path / "repository/com/example/tiny/1.0"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "tiny-1.0.jar", "w") as jar:
        jar.writestr("tiny.txt", "x")
    (folder / "tiny-1.0.pom").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>com.example</groupId><artifactId>tiny</artifactId><version>1.0</version></project>")

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Handler, directory=tmp_path / "repository")
    with ThreadingHTTPServer((f"{real.network.subnet}.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield ["--packages", "com.example:tiny:1.0", "--repositories", "http://{}:{}".format(*server.server_address)]
        server.shutdown()


def ended_well(real, *line):
    """What the driver printed."""
    result = real.tally(*line)
    told(result, 0, r"is FINISHED")
    return real.ask("logs", result.out.strip(), "--stdout").out


@only_all
def test_packages(real, repository):
    """In an application for the JVM they are the driver's alone (DriverWrapper.scala leaves spark.jars as it was)."""
    memory = real.memory()
    said = ended_well(real, *real.line(memory, "--follow", *real.NEAR, *repository), real.jar, "find", "tiny.txt")
    assert said.endswith("driver true, executor false\n")
    assert len(real.ended(memory)) == 1


@only_all
def test_python(real, repository, tmp_path):
    """The script and its module are served from here; its packages are the executors', too. What is set holds, not what the
    worker's spark-defaults.conf says."""
    for name in real.workers:
        docker("exec", "-u", "0", name, "sh", "-c", "echo spark.tally.whose theirs >> /opt/spark/conf/spark-defaults.conf")
    (tmp_path / "app.py").write_text(SCRIPT)
    (tmp_path / "more.py").write_text("def double(number):\n    return 2 * number\n")

    def line(memory, *more):
        """A script's has no main class."""
        words = [word for word in real.line(memory, "--follow", *real.NEAR, *more) if word not in ("--class", MAIN)]
        return [*words, "--conf", "spark.tally.whose=ours", "--py-files", tmp_path / "more.py", tmp_path / "app.py"]
    memory = real.memory()
    assert ended_well(real, *line(memory, *repository), "女生").endswith(f"6 ['女生'] packages words-{memory} ours\n")
    assert len(real.ended(memory)) == 1
    memory = real.memory()
    told(real.tally(*line(memory), "fail"), 1, r"driver \S+ FAILED: ValueError: what the script says")
    assert len(real.ended(memory)) == 1


KAFKA = {"KAFKA_NODE_ID": "1", "KAFKA_PROCESS_ROLES": "broker,controller", "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@{address}:9093",
         "KAFKA_LISTENERS": "CONTROLLER://:9093,PLAINTEXT://:9092", "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://{address}:9092",
         "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
         "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER", "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1"}


@only_all
def test_run_serves_the_jobs_jar(real, tmp_path):
    """It is here, and not under that name on the workers."""
    if run("docker", "image", "inspect", "tally/kafka").code:
        assert run("docker/cluster", "build", env={"TALLY_IMAGE": "-", "SPARK_IMAGE": "-"}).code == 0
    name, address = real.network.start(f"kafka-{real.version}", real.version, of="tally/kafka", env=KAFKA)
    kafka = ["-b", f"{address}:9092"]
    try:
        docker("cp", f"{real.master.name}:/opt/tally/tally-job.jar", tmp_path / "mine.jar")
        until(lambda: real.tally("produce", "gender", *kafka, "--rate", "max").code == 0, PATIENCE, "Kafka", every=1)
        memory = real.memory()
        result = real.tally("run", "gender", *kafka, "--job-bootstrap-servers", kafka[1], *real.master.here, "--once",
                            "--no-page", "--jar", tmp_path / "mine.jar", "-c", f"spark.driver.memory={memory}m", "-c", "spark.executor.memory=512m",
                            "-c", "spark.driver.cores=6", "-c", "spark.cores.max=1")
        assert result.code == 0 and "mine.jar is served to the workers" in result.err, result
        assert [row["state"] for row in real.ended(memory)] == ["FINISHED"]
        best = {}
        for line in real.tally("consume", "gender", *kafka, "--exit", "--json").out.splitlines():
            record = json.loads(line)
            best[record["start"]] = max(record["total"], best.get(record["start"], 0))
        assert sum(best.values()) == (ROOT / "data/user_log.csv").read_text().count("\n")
    finally:
        real.network.remove(name)
