"""The whole environment, as `make cluster PROFILE=all` starts it: HDFS, YARN, Hive and Presto beside Kafka and Spark.

What people type in its containers, and the quick starts of the guides to it. It runs for all the tests here; where it
ran before, it goes on running. Each of its tools is a JVM that takes seconds to start: so one session says all that
several tests look at."""

import json
import os
import pty
import re
import select
import socket
import subprocess
import termios
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
import yaml

from tests import oracle
from tests.cluster import OUTSIDE, PAGE, Cluster, closed, docker, inspect, run, running, wait_fresh
from tests.kafka_server import Tail
from tests.program import ROOT, until
from tests.test_cluster import GENDER, Jobs, compose, healthy, one_line
from tests.test_engine import best, expected, wait_for_results
from tests.test_faults import Feed, caught_up, new_result
from tests.test_readme import cluster_blocks
from tests.web import get, get_json

pytestmark = pytest.mark.cluster
__test__ = os.environ.get("TALLY_ALL") == "1"  # else nothing of this is there: what is skipped has failed where CI runs

# container -> {port on 127.0.0.1: port inside}
PUBLISHED = {
    "namenode": {9870: 9870, 9010: 9000},
    "datanode": {9864: 9864},
    "resourcemanager": {8088: 8088},
    "nodemanager": {8042: 8042},
    "historyserver": {8188: 8188, 19888: 19888},
    "hive-metastore-postgresql": {},
    "hive-metastore": {9083: 9083},
    "hive-server": {10000: 10000, 10002: 10002},
    "presto-coordinator": {8089: 8089},
    "broker": {9092: 9092},
    "spark-master": {8080: 8080, 7077: 7077, 6066: 6066},
    "spark-worker-1": {8081: 8081, 4040: 4040},
    "feeder": {},
    "dashboard": {5000: 5000},
}
GIB = 1 << 30
BUDGET = 15 * GIB  # bytes, all of them together

# One container of each image -> what its tool says of its version.
VERSIONS = {
    "namenode": (["hdfs", "version"], r"^Hadoop ([\d.]+)$"),
    "hive-server": (["hive", "--version"], r"^([\d.]+)$"),
    "hive-metastore-postgresql": (["postgres", "--version"], r"\(PostgreSQL\) ([\d.]+)"),
    "presto-coordinator": (["presto", "--version"], r"^Trino CLI (\d+)$"),
    "broker": (["/opt/kafka/bin/kafka-topics.sh", "--version"], r"^([\d.]+)$"),
    "spark-master": (["/spark/bin/spark-submit", "--version"], r"version ([\d.]+)$"),
    "feeder": (["tally", "--version"], r"^tally ([\d.]+)"),
}
HIVE = "jdbc:hive2://127.0.0.1:10000"
PATIENCE = 240  # seconds for a session: on two cores, with other work beside it, each JVM takes its time


def in_container(name, *command, stdin="", timeout=PATIENCE):
    """(exit code, stdout, stderr)"""
    return run("docker", "exec", "-i", name, *command, stdin=None, input=stdin, timeout=timeout)


def clean(name, *command):
    """What is not to stay, where that container still runs."""
    if name in running():
        succeed(in_container(name, *command))


def succeed(result):
    assert result.code == 0, result
    return result


def as_it_runs():
    """The size of a worker that runs already: with another one it would be started anew."""
    if "spark-worker-1" not in running():
        return {}
    return dict(each.split("=", 1) for each in inspect("spark-worker-1")["Config"]["Env"]
                if each.startswith("SPARK_WORKER_"))


@pytest.fixture(scope="module")
def environment():
    found = Cluster(PROFILE="all", **as_it_runs())
    yield found
    found.close()


# ---- Before it is there: what is wrong is said in one line

@pytest.fixture(scope="module")
def ran_before():
    return bool(running())


def compose_over(folder, text):
    """The compose file with this over it, as COMPOSE_FILE."""
    (folder / "over.yaml").write_text(text)
    return f"{ROOT}/docker/compose.yaml:{folder}/over.yaml"


WRONG = {
    "an unknown prefix": ("FOO_CONF_x=1", "", r"(name|data)node is \w+: \w+node: the variable FOO_CONF_x has no known prefix"),
    "too little memory": ("", "services: {namenode: {mem_limit: 40m}}", "namenode is .*(memory is too small|mem_limit)"),
}


@pytest.fixture
def nothing_runs(ran_before):
    if ran_before:
        pytest.skip("the cluster ran before")
    assert run("docker/cluster", "down").code == 0


@pytest.mark.parametrize("name", WRONG)
def test_a_cluster_that_cannot_start(nothing_runs, name, tmp_path):
    variables, over, pattern = WRONG[name]
    (tmp_path / "hadoop.env").write_text(variables + "\n")
    env = {"PROFILE": "hadoop", "HADOOP_ENV": str(tmp_path / "hadoop.env")}
    if over:
        env["COMPOSE_FILE"] = compose_over(tmp_path, over)
    one_line(run("docker/cluster", "up", env=env), 1, pattern)


def test_a_file_of_settings_that_is_not_there(nothing_runs):
    result = run("docker/cluster", "up", env={"PROFILE": "hadoop", "HADOOP_ENV": "/nonexistent.env"})
    one_line(result, 1, "/nonexistent.env")


def test_a_port_that_is_taken(nothing_runs):
    with socket.create_server(("127.0.0.1", 9870)):
        result = run("docker/cluster", "up", env={"PROFILE": "hadoop"})
    one_line(result, 5, "port 9870 of 127.0.0.1 is taken")


# ---- It is all there

def test_make_cluster(environment):
    assert environment.first.code == 0, environment.first.err
    for where in (":9870", ":8088", ":8188", HIVE, ":8089"):
        assert where in environment.first.out
    assert set(running()) >= set(PUBLISHED)
    print(f"\nmake cluster PROFILE=all took {environment.seconds:.0f} s" + " (it ran before)" * environment.found)


@pytest.mark.parametrize("name", PUBLISHED)
def test_container(environment, name):
    """Healthy, never restarted, without root and capabilities, within a budget, published as it is to be."""
    until(lambda: healthy(name), 60, f"{name} is healthy", every=0.5)
    found = inspect(name)
    assert found["RestartCount"] == 0
    bound = [(each["HostIp"], int(each["HostPort"]), int(inside.removesuffix("/tcp")))
             for inside, published in found["NetworkSettings"]["Ports"].items() for each in published or []]
    assert sorted(bound) == sorted(("127.0.0.1", *pair) for pair in PUBLISHED[name].items())
    limits = found["HostConfig"]
    assert limits["Memory"] > 0 and limits["CapDrop"] == ["ALL"] and not limits["Privileged"]
    assert "no-new-privileges:true" in limits["SecurityOpt"]
    users = docker("top", name, "-eo", "uid,pid,comm").splitlines()[1:]
    assert users and not [row for row in users if row.split()[0] == "0"], users
    for mount in found["Mounts"]:
        assert mount["Type"] == "bind" or mount["Name"].startswith("tally_"), mount


def in_bytes(text):
    number, unit = re.fullmatch(r"([\d.]+)([KMG]?i?B)", text).groups()
    return float(number) * {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": GIB}[unit]


def test_memory(environment):
    """What they take, and what they could take at most."""
    rows = docker("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *PUBLISHED).splitlines()
    taken = {row.split()[0]: in_bytes(row.split()[1]) for row in rows}
    limits = {name: inspect(name)["HostConfig"]["Memory"] for name in PUBLISHED}
    print(f"\n{sum(taken.values()) / GIB:.1f} GiB together, {sum(limits.values()) / GIB:.1f} at most")
    assert set(taken) == set(PUBLISHED) and 0 < sum(taken.values()) <= BUDGET and sum(limits.values()) <= BUDGET


@pytest.fixture(scope="module")
def shown_versions(environment):
    """container -> what `make cluster-status` says"""
    rows = [line.split() for line in succeed(environment.make("cluster-status")).out.splitlines()[1:]]
    return {row[0]: row[2] for row in rows}


@pytest.mark.parametrize("name", VERSIONS)
def test_version(environment, shown_versions, name):
    """The image's label and the tool say the same (Debian's PostgreSQL more precisely)."""
    command, pattern = VERSIONS[name]
    result = succeed(in_container(name, *command))
    told = re.search(pattern, result.out + result.err, re.M)[1]
    label = inspect(inspect(name)["Config"]["Image"])["Config"]["Labels"] or {}
    assert f"{told}.".startswith(f"{shown_versions[name]}."), (told, shown_versions[name])
    assert label["version"] == shown_versions[name]


@pytest.mark.parametrize("name", VERSIONS)
def test_an_image_knows_time_zones(environment, name):
    image = inspect(name)["Config"]["Image"]
    assert docker("run", "--rm", "--env", "TZ=Asia/Shanghai", "--entrypoint", "date", image, "+%Z%z") == "CST+0800\n"


def test_the_time_zone_can_be_set(environment):
    """For each service; Compose leaves out those whose profile is not named."""
    told = run(*compose(), "-f", "docker/compose.yaml", "config",
               env={"TZ": "Asia/Shanghai", "COMPOSE_PROFILES": "all"})
    zones = {name: service.get("environment", {}).get("TZ")
             for name, service in yaml.safe_load(succeed(told).out)["services"].items() if name in PUBLISHED}
    assert zones == dict.fromkeys(PUBLISHED, "Asia/Shanghai")


# ---- The metastore's password

@pytest.fixture(scope="module")
def password(environment):
    found = docker("exec", "hive-metastore-postgresql", "cat", "/run/metastore/password").strip()
    assert len(found) >= 20
    return found


def files_with(password, container):
    """Their names. By standard input: in a command line all could see it."""
    folders = ["/etc", "/home", "/run", "/tmp", "/opt/hive-client"]
    result = in_container(container, "grep", "-rlsFf", "-", *folders, stdin=password)
    assert result.code in (0, 1, 2), result  # 2: some cannot be read
    return result.out.split()


def test_only_the_database_and_the_metastore_have_the_password(environment, password):
    assert files_with(password, "hive-metastore-postgresql") == ["/run/metastore/password"]
    assert sorted(files_with(password, "hive-metastore")) == ["/etc/hadoop/hive-site.xml", "/run/metastore/password"]
    for name in ("hive-server", "presto-coordinator", "spark-master", "spark-worker-1", "namenode", "historyserver"):
        assert files_with(password, name) == [], name


def test_the_password_is_in_no_image_and_no_log(environment, password):
    for name in PUBLISHED:
        image = inspect(name)["Config"]["Image"]
        logs = run("docker", "logs", name)
        for what in (docker("inspect", name), docker("inspect", image), docker("history", "--no-trunc", image)):
            assert what and password not in what, name
        assert logs.code == 0 and password not in logs.out + logs.err, name


def test_no_process_shows_the_password(environment, password):
    """In its command line, seen from outside and inside, or in its environment."""
    assert password not in subprocess.run(["ps", "-ef", "-ww"], capture_output=True, text=True, check=True).stdout
    for name in PUBLISHED:
        shown = in_container(name, "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null").out
        assert "PATH=" in shown and password not in shown, name


@pytest.mark.parametrize("port", [9870, 9864, 8088, 8042, 8188, 19888, 10002])
def test_no_page_shows_the_password(environment, password, port):
    """Hadoop's servers, and Hive's, show their configuration to everybody."""
    answer = get(port, "/conf")
    assert answer.status == 200 and b"fs.defaultFS" in answer.body and password.encode() not in answer.body


# ---- What people type

# (container, what is typed in its bash, standard input, exit code, what is to be read)
TYPED = [
    ("namenode", "hdfs dfs -ls /", "", 0, r" /check$"),
    ("namenode", "hadoop fs -ls hdfs://namenode:8020/", "", 0, r" hdfs://namenode:8020/check$"),
    ("namenode", "hadoop fs -ls hdfs://namenode:9000/", "", 0, r" hdfs://namenode:9000/check$"),
    ("datanode", "hdfs dfsadmin -report", "", 0, r"^Live datanodes \(1\):$"),
    ("namenode", "hdfs fsck /", "", 0, r"is HEALTHY$"),
    ("namenode", "hdfs frobnicate", "", 2, r"^hdfs: there is no command frobnicate"),
    ("resourcemanager", "yarn node -list", "", 0, r"^Total Nodes:1\n.*\n *nodemanager:\d+\s+RUNNING"),
    ("nodemanager", "mapred job -list", "", 0, r"^Total jobs:\d+$"),
    ("historyserver", "mapred queue -list", "", 0, r"^Queue Name : default *$"),
    ("hive-server", "hive --service version", "", 0, r"^4\."),
    ("hive-server", "hiveserver2", "", 0, r"^HiveServer2 runs here already"),
    ("hive-metastore", "hive --service metastore", "", 0, r"^the metastore runs here already"),
    ("hive-metastore", "schematool -dbType postgres -info", "", 0, r"^Metastore schema version:\s+4\.0\.0$"),
    ("hive-metastore-postgresql", """psql -h /tmp -d metastore -Atc 'SELECT "SCHEMA_VERSION" FROM "VERSION"'""", "", 0,
     r"^4\.0\.0$"),
    ("hive-server", "beeline", f"!connect {HIVE}\nroot\n\nshow databases;\n!quit\n", 0, r"^\| default +\|$"),
    ("hive-server", "beeline -u jdbc:hive2://localhost:10000 -n root -e 'show databases'", "", 0, r"^\| default +\|$"),
    ("hive-server", "hive -e 'show databases'", "", 0, r"^\| default +\|$"),
    ("hive-server", "hive -e 'select nonsense'", "", 1, r"nonsense"),
    ("presto-coordinator", "presto --execute 'SELECT 6 * 7'", "", 0, r'^"42"$'),
    ("presto-coordinator", "presto --catalog tpch --schema tiny", "show tables;\n", 0, r'^"nation"$'),
    ("presto-coordinator", "presto --execute 'SELECT nonsense'", "", 1, r"nonsense"),
    ("spark-master", "tally list", "", 0, r"tally-gender"),
    *[(name, "echo $((6 * 7)) in $(hostname)", "", 0, rf"^42 in {name}$") for name in PUBLISHED],
]


@pytest.fixture(scope="module")
def typed(environment):
    """All of it, two at a time: most of it is Java's start."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda row: in_container(row[0], "bash", "-ic", row[1], stdin=row[2]), TYPED))


@pytest.mark.parametrize("number", range(len(TYPED)), ids=[f"{row[0]}: {row[1][:50]}" for row in TYPED])
def test_what_people_type(typed, number):
    _, _, _, code, pattern = TYPED[number]
    assert typed[number].code == code, typed[number]
    assert re.search(pattern, typed[number].out + typed[number].err, re.M), typed[number]


class Terminal:
    """`docker exec -it`, typed on: pyspark makes a session only for one who sits at a terminal."""

    def __init__(self, name, *command):
        self.screen, inside = pty.openpty()
        termios.tcsetwinsize(inside, (40, 120))
        self.process = subprocess.Popen(["docker", "exec", "-it", name, *command], stdin=inside, stdout=inside,
                                        stderr=inside, start_new_session=True)
        os.close(inside)

    def type(self, line):
        os.write(self.screen, line.encode() + b"\n")

    def read_until(self, pattern, timeout=PATIENCE):
        """What came since the last time, once it matches."""
        text, deadline = b"", time.monotonic() + timeout
        while not re.search(pattern, text.decode("utf-8", "replace")):
            ready = select.select([self.screen], [], [], max(0.0, deadline - time.monotonic()))[0]
            assert ready, f"{pattern!r}: not within {timeout} s: {text[-4000:]}"
            try:
                text += os.read(self.screen, 65536)
            except OSError:
                raise AssertionError(f"ended before {pattern!r}: {text[-4000:]}") from None
        return text.decode("utf-8", "replace")

    def close(self):
        """What would still run in the container is asked to end: without its terminal it goes on."""
        if self.process.poll() is None:
            os.write(self.screen, b"\x03\x04")
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        os.close(self.screen)


SUM, ANSWER = "1234 * 5678", r"\b7006652\b"
# name -> (container, command, [(what is waited for, what is typed then)])
TERMINALS = {
    "bash": ("namenode", "bash", [(r"\$ $", f"echo $(({SUM}))"), (ANSWER, "exit")]),
    "presto": ("presto-coordinator", "presto", [(r"trino> ", f"select {SUM};"),
                                                (ANSWER + r"[\s\S]*trino> ", "quit")]),
    "beeline": ("hive-server", "beeline", [
        (r"beeline> ", f"!connect {HIVE}"), (r"Enter username", "scott"), (r"Enter password", ""),
        (r"10000> ", f"select {SUM};"), (ANSWER, "!quit")]),
}


@pytest.mark.parametrize("name", TERMINALS)
def test_a_terminal(environment, name):
    container, command, steps = TERMINALS[name]
    terminal = Terminal(container, command)
    try:
        for pattern, line in steps:
            terminal.read_until(pattern)
            terminal.type(line)
        assert terminal.process.wait(60) == 0
    finally:
        terminal.close()


# ---- The quick starts: a table of breweries

# The guides' own names, but for these: who has followed them keeps what he made.
FOLDER, DATABASE = "/tally-test/openbeer/breweries", "openbeer_tally_test"
FILE = f"hdfs://namenode:8020{FOLDER}/breweries.csv"
BREWERIES = """\
,name,city,state,id
0,NorthGate Brewing ,Minneapolis, MN,0
1,Against the Grain Brewery,Louisville, KY,1
2,Brasserie Dieu du Ciel!   ,Montréal, QC,2
3,青岛啤酒厂,青岛, 山东,3
4,Žatecký pivovar,,CZ,4
5,Cigar City,Tampa; FL, FL,5
6,O'Fallon Brewery's,O'Fallon, MO,6
7,Brewery of 100 % \\ $HOME,Nowhere, XX,2147483647
8,NorthGate Brewing ,Minneapolis, MN,-8
9,🍺,Köln, NW,9
"""
ROWS = [tuple(line.split(",")) for line in BREWERIES.splitlines()]


def integer(text):
    return int(text) if re.fullmatch(r"-?\d+", text) else None


def trimmed(rows):
    """Blanks at the end of a CHAR do not count, and the order is nobody's."""
    return sorted((tuple(each.rstrip() if isinstance(each, str) else each for each in row) for row in rows), key=str)


# What is no number is none to a column of INT.
WANTED = trimmed((integer(first), *middle, integer(last)) for first, *middle, last in ROWS)
NAMES = Counter(row[1] for row in WANTED)


def cells(line):
    """Of a line with tabs: numbers in the first column and in the last."""
    first, *middle, last = line.split("\t")
    return (integer(first), *middle, integer(last))


@pytest.fixture(scope="module")
def brewery(environment, tmp_path_factory):
    """The file in HDFS."""
    path = tmp_path_factory.mktemp("brewery") / "breweries.csv"
    path.write_text(BREWERIES)
    docker("cp", path, "namenode:breweries.csv")
    remove = "hdfs dfs -rm -r -f -skipTrash /tally-test"
    succeed(in_container("namenode", "bash", "-c", f"{remove} && hdfs dfs -mkdir -p {FOLDER} && "
                                                   f"hdfs dfs -put /breweries.csv {FOLDER}/breweries.csv"))
    yield FILE
    clean("hive-server", "hive", "-e", f"drop database if exists {DATABASE} cascade")
    clean("namenode", "bash", "-c", remove)
    run("docker", "exec", "--user", "0", "namenode", "rm", "-f", "/breweries.csv")


def test_a_file_that_was_copied_is_found_as_the_guides_say(brewery):
    """`docker cp breweries.csv namenode:breweries.csv`, then, in its bash, `hdfs dfs -put breweries.csv ...`."""
    assert docker("exec", "namenode", "cat", "breweries.csv") == BREWERIES


TABLE = f"""\
drop database if exists {DATABASE} cascade;
create database if not exists {DATABASE};
use {DATABASE};
CREATE EXTERNAL TABLE IF NOT EXISTS breweries(
    NUM INT,
    NAME CHAR(100),
    CITY CHAR(100),
    STATE CHAR(100),
    ID INT )
ROW FORMAT DELIMITED
FIELDS TERMINATED BY ','
STORED AS TEXTFILE
location '{FOLDER}';
select name as ten_names from breweries limit 10;
select count(*) as counted from breweries;
select count(*) as in_minneapolis from breweries where city = 'Minneapolis';
select num, name, city, state, id from breweries;
"""


@pytest.fixture(scope="module")
def beeline(brewery):
    """column names -> the rows below them, of one session, with a user that nobody has heard of"""
    result = succeed(in_container("hive-server", "beeline",
                                  stdin=f"!connect {HIVE}\nscott\n\n!set outputformat tsv2\n{TABLE}!quit\n"))
    found = {}
    for line in result.out.splitlines():
        if re.fullmatch(r"ten_names|counted|in_minneapolis|num\tname.*", line):
            below = found[line.split("\t")[0]] = []
        else:
            below.append(line)
    assert set(found) == {"ten_names", "counted", "in_minneapolis", "num"}, result
    return found


def test_beeline_counts(beeline):
    assert beeline["counted"] == [str(len(WANTED))]
    assert beeline["in_minneapolis"] == ["2"]
    assert len(beeline["ten_names"]) == 10 and "NorthGate Brewing" in [each.rstrip() for each in beeline["ten_names"]]


def test_beeline_shows_the_rows(beeline):
    assert trimmed(map(cells, beeline["num"])) == WANTED


# ---- The quick starts: Spark

# The gender job holds three of the worker's cores, and half of its memory may be others'.
SMALL = ["--master", "spark://spark-master:7077", "--conf", "spark.cores.max=1", "--executor-memory", "512m"]


@pytest.fixture(scope="module")
def pyspark(brewery):
    """What it showed for each of these lines."""
    terminal = Terminal("spark-master", "/spark/bin/pyspark", *SMALL)
    shown = []
    try:
        shown.append(terminal.read_until(r">>> $"))
        for line in (f'brewfile = spark.read.csv("{FILE}")', "brewfile.show()", 'print("COUNT", brewfile.count())',
                     'import json; print("ROWS", json.dumps([list(row) for row in brewfile.collect()]))',
                     'print("SQUARES", sc.parallelize(range(10), 2).map(lambda x: x * x).sum())'):
            terminal.type(line)
            shown.append(terminal.read_until(r">>> $"))
        terminal.type("exit()")
        assert terminal.process.wait(60) == 0
    finally:
        terminal.close()
    return shown


def as_spark_reads(row):
    """Nothing between two commas is no value; blanks stay."""
    return [each or None for each in row]


def test_pyspark_reads_from_hdfs(pyspark):
    banner, _, table, count, rows, squares = pyspark
    assert "SparkSession available as 'spark'" in banner, banner
    assert re.search(r"^\| +3\| +青岛啤酒厂\|", table, re.M), table
    assert f"COUNT {len(ROWS)}\r" in count, count
    assert json.loads(re.search(r"ROWS (\[.*\])\r", rows)[1]) == [as_spark_reads(row) for row in ROWS]
    assert f"SQUARES {sum(n * n for n in range(10))}\r" in squares, "Python on the worker"


SCALA = f"""\
val df = spark.read.csv("{FILE}")
df.show()
println("COUNT " + df.count())
df.collect().foreach(row => println("ROW " + row.mkString("|")))
"""


@pytest.fixture(scope="module")
def spark_shell(pyspark):
    """After pyspark: both at once are more than the container has room for."""
    return succeed(in_container("spark-master", "/spark/bin/spark-shell", *SMALL, stdin=SCALA)).out


def test_spark_shell_reads_from_hdfs(spark_shell):
    assert re.search(rf"COUNT {len(ROWS)}$", spark_shell, re.M), spark_shell
    rows = [line.split("|") for line in re.findall(r"ROW (.*)$", spark_shell, re.M)]
    assert rows == [[each or "null" for each in row] for row in ROWS]


# Two kinds of table: as people type it (a format of Spark's choice), and one of Hive's.
WRITTEN = [(1, "žluťoučký kůň"), (2, None)]
SPARK_SQL = f"""\
use {DATABASE};
select 'brewery' as what, num, name, city, state, id from breweries;
create table plain (n int, word string);
insert into plain values (1, 'žluťoučký kůň'), (2, null);
create table stored (n int, word string) stored as parquet;
insert into stored select * from plain;
select 'plain' as what, word, n from plain;
"""


@pytest.fixture(scope="module")
def spark_sql(beeline, spark_shell):
    """Lines of cells"""
    result = in_container("spark-master", "/spark/bin/spark-sql", "--conf", "spark.ui.showConsoleProgress=false", "-e",
                          SPARK_SQL)
    return [line.split("\t") for line in succeed(result).out.splitlines()]


def test_spark_sql_shows_hives_rows(spark_sql):
    shown = [(integer(row[1]), *row[2:5], integer(row[5])) for row in spark_sql if row[0] == "brewery"]
    assert trimmed(shown) == WANTED


def test_spark_sql_reads_what_it_wrote(spark_sql):
    assert sorted((int(n), None if word == "NULL" else word) for what, word, n in
                  (row for row in spark_sql if row[0] == "plain")) == WRITTEN


@pytest.mark.parametrize("table", ["plain", "stored"])
def test_beeline_reads_what_spark_wrote(spark_sql, table):
    result = succeed(in_container("hive-server", "beeline", "-u", HIVE, "-n", "anybody", "--silent=true",
                                  "--outputformat=tsv2", "-e", f"select n, word from {DATABASE}.{table}"))
    head, *rows = [line.split("\t") for line in result.out.splitlines()]
    assert head == ["n", "word"]
    assert sorted((int(n), None if word == "NULL" else word) for n, word in rows) == WRITTEN


# ---- The quick starts: a word count on YARN

WORDS = "/tally-test/words"


@pytest.fixture(scope="module")
def counted_words(brewery):
    """(the job's number, what it wrote)"""
    jar = "/opt/hadoop/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar"
    result = succeed(in_container("namenode", "bash", "-c", f"hadoop jar {jar} wordcount {FOLDER} {WORDS}"))
    job = re.search(r"\bjob_(\d+_\d+)\b", result.out + result.err)[1]
    return job, succeed(in_container("namenode", "bash", "-c", f"hdfs dfs -cat '{WORDS}/part-r-*'")).out


def test_word_count(counted_words):
    wanted = Counter(re.findall(r"[^ \t\n\r\f]+", BREWERIES))
    assert dict(line.rsplit("\t", 1) for line in counted_words[1].splitlines()) == {
        word: str(count) for word, count in wanted.items()}


def test_the_histories_have_the_job(counted_words):
    number = counted_words[0]

    def state(port, path, *keys):
        answer = get(port, path)
        found = json.loads(answer.body) if answer.status == 200 else {}
        for key in keys[:-1]:
            found = found.get(key, {})
        return found.get(keys[-1])
    job, app = f"/ws/v1/history/mapreduce/jobs/job_{number}", f"/application_{number}"
    until(lambda: state(19888, job, "job", "state") == "SUCCEEDED", 60, "MapReduce's history", every=0.3)
    until(lambda: state(8188, f"/ws/v1/applicationhistory/apps{app}", "finalAppStatus") == "SUCCEEDED", 60,
          "YARN's history", every=0.3)
    assert state(8088, f"/ws/v1/cluster/apps{app}", "app", "finalStatus") == "SUCCEEDED"
    assert number in [row["id"].removeprefix("job_") for row in get_json(19888, job.rsplit("/", 1)[0])["jobs"]["job"]]


# ---- Presto

def on_presto(*statements):
    """The rows of them all, as dicts."""
    result = succeed(in_container("presto-coordinator", "presto", "--output-format", "JSON", "--execute",
                                  "; ".join(statements)))
    return [json.loads(line) for line in result.out.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def presto(environment, spark_sql):
    """(rows by the name in `what`, what the page shows, the records of `sex` up to where Presto was to read)"""
    wait_fresh()
    page = get_json(PAGE, "/api/windows")["windows"]
    records = environment.kafka.read("sex")
    ends = {record.partition: record.offset + 1 for record in records}  # in order: the last one stays
    assert list(ends) == [0]
    series = ", ".join(f"max_by({name}, total) as {name}" for name in ("female", "male", "unknown", "other"))
    rows = on_presto(
        "select 'catalog' as what, catalog_name as name from system.metadata.catalogs",
        "select 'orders' as what, count(*) as n from tpch.tiny.orders",
        "drop table if exists memory.default.tally_test",
        "create table memory.default.tally_test as select 7 as n",
        "insert into memory.default.tally_test values 8",
        "select 'memory' as what, n from memory.default.tally_test",
        "drop table memory.default.tally_test",
        f"select 'brewery' as what, num, name, city, state, id from hive.{DATABASE}.breweries",
        f"select 'names' as what, count(*) as n, name from hive.{DATABASE}.breweries group by name",
        f"select 'plain' as what, n, word from hive.{DATABASE}.plain",
        f"select 'stored' as what, n, word from hive.{DATABASE}.stored",
        "select 'window' as what, date_diff('millisecond', timestamp '1970-01-01 00:00:00', window_start) as start, "
        f"{series}, max(total) as total from kafka.default.result where job = 'gender' group by window_start",
        "select 'sex' as what, coalesce(sex, '') as value, count(*) as n from kafka.default.sex "
        f"where _partition_offset < {ends[0]} group by 2")
    found = {}
    for row in rows:
        found.setdefault(row.pop("what"), []).append(row)
    return found, page, records


def test_presto_has_its_catalogs(presto):
    assert {row["name"] for row in presto[0]["catalog"]} >= {"hive", "kafka", "memory", "tpch"}
    assert presto[0]["orders"] == [{"n": 15000}]
    assert sorted(row["n"] for row in presto[0]["memory"]) == [7, 8]


def test_presto_shows_hives_rows(presto):
    assert trimmed(row.values() for row in presto[0]["brewery"]) == WANTED
    assert {row["name"].rstrip(): row["n"] for row in presto[0]["names"]} == NAMES


@pytest.mark.parametrize("table", ["plain", "stored"])
def test_presto_reads_what_spark_wrote(presto, table):
    assert sorted((row["n"], row["word"]) for row in presto[0][table]) == WRITTEN


def test_presto_says_what_the_page_shows(presto):
    """The windows that were closed when the page was asked: the same ones, with the same counts."""
    rows, page, _ = presto
    done = closed(window["start"] for window in page)
    assert len(done) > 1
    shown = {window["start"]: {**window["counts"], "total": window["total"]} for window in page
             if window["start"] in done}
    told = {row.pop("start"): row for row in rows["window"]}
    assert {start: row for start, row in told.items() if min(done) <= start <= max(done)} == shown


def test_presto_counts_the_source_topic(presto):
    rows, _, records = presto
    assert {row["value"]: row["n"] for row in rows["sex"]} == Counter((each.value or b"").decode() for each in records)


# ---- The tutorial's own line

@pytest.fixture
def scala_jar(environment):
    """An application in Scala, by the compiler among Spark's own jars: its path in master and worker."""
    docker("cp", ROOT / "tests/scala/KafkaWordCount.scala", "spark-master:/tmp/")
    succeed(in_container("spark-master", "sh", "-c", "java -cp '/opt/spark/jars/*' scala.tools.nsc.Main -classpath "
                         "$(printf %s: /opt/spark/jars/*.jar) -d /tmp/words.jar /tmp/KafkaWordCount.scala"))
    path = ROOT / f"docker/root/tally-test-{os.urandom(3).hex()}.jar"
    docker("cp", "spark-master:/tmp/words.jar", path)
    path.chmod(0o644)
    yield f"/root/{path.name}"
    path.unlink()


def test_the_tutorials_line(environment, scala_jar):
    """It reads Kafka and keeps its progress in HDFS."""
    topic = f"tutorial-{os.urandom(3).hex()}"
    checkpoint = f"hdfs://namenode:9000/check/{topic}"
    for name in (topic, f"{topic}-counts"):
        environment.kafka.create_topic(name)
    words = [b"%d" % (n % 7 % 3) for n in range(1000)]
    environment.kafka.produce(topic, [(0, 1_795_000_000_000 + n, word) for n, word in enumerate(words)])
    line = ("tally submit --class com.example.KafkaWordCount --master spark://spark-master:7077 --deploy-mode cluster "
            f"{scala_jar} broker:19092 {topic} {checkpoint}")
    submitted = succeed(in_container("spark-master", *line.split()))
    try:
        def counted():
            return {r.key: int(r.value) for r in environment.kafka.read(f"{topic}-counts")} == Counter(words)
        until(counted, PATIENCE, "the counts", every=1)
        assert f"/check/{topic}/offsets/0" in docker("exec", "namenode", "hdfs", "dfs", "-ls", f"/check/{topic}/offsets")
    finally:
        environment.tally("kill", submitted.out.strip())
        for name in (topic, f"{topic}-counts"):
            environment.kafka.delete_topic(name)
        clean("namenode", "hdfs", "dfs", "-rm", "-r", "-f", "-skipTrash", checkpoint)


# ---- The gender job, meanwhile

def batches():
    """The numbers of those that are in its checkpoint."""
    listed = succeed(in_container("namenode", "hdfs", "dfs", "-ls", "/check/gender/sex/offsets")).out
    return {int(number) for number in re.findall(r"/offsets/(\d+)$", listed, re.M)}


def test_its_checkpoint_is_in_hdfs_and_grows(environment):
    before = max(batches())
    until(lambda: max(batches()) > before, 60, "a new batch in the checkpoint")


def test_all_stood_it(environment, typed, spark_sql, counted_words, presto):
    """After all of that nothing has been restarted, or killed for want of memory, and the job counts on."""
    wait_fresh()
    for name in PUBLISHED:
        assert healthy(name) and inspect(name)["RestartCount"] == 0, name
        told = in_container(name, "sh", "-c", "cd /sys/fs/cgroup; cat memory.events memory/memory.oom_control")
        assert set(re.findall(r"^oom_kill (\d+)$", told.out, re.M)) == {"0"}, (name, told)


# ---- What is wrong is said in one line

# name -> (image, options, command, the last line)
HADOOP = ["--hostname", "namenode", "--env", "CORE_CONF_fs_defaultFS=hdfs://namenode:9000"]
SETTINGS = {
    "a name with a dot": ("hadoop", ["--env", "CORE_CONF_fs.defaultFS=hdfs://namenode:9000"], "namenode",
                          r"CORE_CONF_fs\.defaultFS .*write _ for a dot"),
    "no property": ("hadoop", ["--env", "HDFS_CONF_=1"], "namenode", "HDFS_CONF_ names no property"),
    "no file system": ("hadoop", ["--env", "CORE_CONF_fs_defaultFS=namenode:9000"], "namenode",
                       "CORE_CONF_fs_defaultFS=namenode:9000: hdfs://HOST:PORT"),
    "a control character": ("hadoop", ["--env", "HDFS_CONF_x=a\1b"], "namenode", "a control character .* HDFS_CONF_x"),
    "not a number": ("hadoop", [*HADOOP, "--env", "HDFS_CONF_dfs_replication=many"], "namenode",
                     'dfs.replication is "many": a number'),
    "a heap that is no size": ("hadoop", [*HADOOP, "--env", "HADOOP_HEAPSIZE_MAX=lots"], "namenode",
                               "Invalid maximum heap size: -Xmxlots"),
    "too little memory": ("hadoop", [*HADOOP, "--memory", "40m"], "namenode", "memory is too small"),
    "a precondition without a port": ("hadoop", ["--env", "SERVICE_PRECONDITION=namenode"], "datanode",
                                      "SERVICE_PRECONDITION: namenode has no port"),
    "a precondition that nobody meets": (
        "hadoop", ["--env", "SERVICE_PRECONDITION=localhost:1", "--env", "SERVICE_PRECONDITION_TIMEOUT=1"], "datanode",
        "localhost:1 did not answer within 1 s"),
    "a metastore without a password": ("hive", [], "metastore", "no password for the database"),
    "a user that is no name": ("postgresql", ["--env", "POSTGRES_USER=a b"], "", 'POSTGRES_USER "a b" is not a plain name'),
    "a password that is not there": ("postgresql", ["--env", "POSTGRES_PASSWORD_FILE=/none"], "", "/none is missing"),
    "Presto's heap": ("presto", ["--env", "TRINO_HEAP=1"], "", "TRINO_HEAP=1: a size"),
    "Presto's metastore": ("presto", ["--env", "HIVE_METASTORE=there"], "", "HIVE_METASTORE=there: thrift://HOST:PORT"),
}


def last_line(result):
    return result.err.strip().splitlines()[-1]


@pytest.mark.parametrize("name", SETTINGS)
def test_wrong_settings(environment, name):
    image, options, command, pattern = SETTINGS[name]
    result = run("docker", "run", "--rm", *options, f"tally/{image}", *command.split(), timeout=60)
    assert result.code == 1 and re.search(pattern, last_line(result)), result


# Variables as the files have them that this convention comes from -> a property, its value, and who reads it.
VARIABLES = {
    "CORE_CONF_io_compression_codecs=org.apache.hadoop.io.compress.SnappyCodec":
        ("io.compression.codecs", "org.apache.hadoop.io.compress.SnappyCodec"),
    "HDFS_CONF_dfs_namenode_datanode_registration_ip___hostname___check=true":
        ("dfs.namenode.datanode.registration.ip-hostname-check", "true"),
    "YARN_CONF_yarn_nodemanager_disk___health___checker_max___disk___utilization___per___disk___percentage=98.5":
        ("yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage", "98.5"),
    "YARN_CONF_yarn_resourcemanager_resource__tracker_address=resourcemanager:8031":
        ("yarn.resourcemanager.resource_tracker.address", "resourcemanager:8031"),
    "MAPRED_CONF_mapreduce_map_env=HADOOP_MAPRED_HOME=/opt/hadoop-3.2.1/":
        ("mapreduce.map.env", "HADOOP_MAPRED_HOME=/opt/hadoop-3.2.1/"),
    "MAPRED_CONF_mapreduce_map_java_opts=-Dx=<\"&\">": ("mapreduce.map.java.opts", '-Dx=<"&">'),
}


def test_variables_become_properties(environment, tmp_path):
    """Beside ours, and over them: in a container that waits, and so has written its files."""
    (tmp_path / "their.env").write_text("# theirs\n" + "\n".join(VARIABLES) + "\n\n")
    container = f"tally-test-{os.urandom(3).hex()}"
    docker("run", "--detach", "--rm", "--name", container, "--env-file", tmp_path / "their.env", "--env",
           "SERVICE_PRECONDITION=localhost:1", "tally/hadoop", "nodemanager")
    try:
        until(lambda: "waiting for localhost:1" in run("docker", "logs", container).err, 60, "its waiting")
        found = {}
        for name in ("core", "hdfs", "yarn", "mapred"):
            tree = ElementTree.fromstring(docker("exec", container, "cat", f"/etc/hadoop/{name}-site.xml"))
            found |= {each.findtext("name"): each.findtext("value") for each in tree}
    finally:
        docker("rm", "--force", container)
    for name, value in VARIABLES.values():
        assert found[name] == value
    assert found["dfs.replication"] == "1" and found["fs.defaultFS"] == "hdfs://namenode:9000"


# name -> (image, its folder, what is done to the volume, options, command, the last line)
KAFKA = ["--env", "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://broker:9092"]
IMAGES, BLOCKS, POSTGRES = "/hadoop/dfs/name", "/hadoop/dfs/data", "/var/lib/postgresql/data"
DAMAGED = {
    "the name node's, without VERSION": ("hadoop", IMAGES, "mkdir current; echo x >current/edits", HADOOP, "namenode",
                                         "no current/VERSION: the volume is damaged"),
    "the name node's, cut off": ("hadoop", IMAGES, "mkdir current; echo x | tee current/VERSION current/fsimage_0; "
                                 "echo 0 fsimage_0 >current/fsimage_0.md5", HADOOP, "namenode",
                                 "no fsimage that agrees with its checksum: the volume is damaged"),
    "the data node's, of another name node": (
        "hadoop", BLOCKS, "mkdir current; echo clusterID=CID-other >current/VERSION",
        ["--network", "tally_default", "--env", "CORE_CONF_fs_defaultFS=hdfs://namenode:9000"], "datanode",
        "belongs to another name node"),
    "not writable": ("hadoop", IMAGES, "touch x; chmod 555 .", HADOOP, "namenode", "name is not writable for user hadoop"),
    "PostgreSQL's, of another version": ("postgresql", POSTGRES, "mkdir 17; echo 16 >17/PG_VERSION", [], "",
                                         "holds PostgreSQL 16, this is 17"),
    "PostgreSQL's, half of it": ("postgresql", POSTGRES, "mkdir -p 17/base", [], "", "no PG_VERSION: the volume is damaged"),
    "PostgreSQL's, emptied": ("postgresql", POSTGRES, "mkdir 17; echo 17 >17/PG_VERSION", [], "", "17 cannot be used: "),
    "Kafka's": ("kafka", "/var/lib/kafka/data", "echo garbage >meta.properties", KAFKA, "",
                "names no cluster and node: the volume is damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_volume(environment, name):
    image, folder, damage, options, command, pattern = DAMAGED[name]
    volume = f"tally-test-{os.urandom(3).hex()}"
    docker("volume", "create", volume)
    try:
        mounted = ["--rm", "--volume", f"{volume}:{folder}"]
        docker("run", *mounted, "--entrypoint", "sh", f"tally/{image}", "-c", f"cd {folder}; {damage}")
        result = run("docker", "run", "--name", volume, *mounted, *options, f"tally/{image}", *command.split(), timeout=60)
        assert result.code == 1 and re.search(pattern, last_line(result)), result
    finally:
        run("docker", "rm", "--force", volume)
        docker("volume", "rm", "--force", volume)


# ---- The README

@pytest.mark.parametrize("block", cluster_blocks(environments=True), ids=lambda block: block[0][:40])
def test_readme(environment, block):
    for line in block:
        result = run("sh", "-c", line, timeout=180)
        assert result.code == 0, (line, result)


# ---- What breaks, and comes back by itself

CHECKPOINTS = "hdfs://namenode:9000/check"
KILLED = ["datanode", "namenode", "broker", "spark-worker-1"]
BACK = 240  # seconds: all that starts again is Java on two cores
QUERIES = {
    "namenode": ["hdfs", "dfs", "-cat", "/tmp/kept"],
    "hive-server": ["beeline", "-u", "jdbc:hive2://127.0.0.1:10000", "--silent=true", "--outputformat=csv2",
                    "--showHeader=false", "-e", "select count(*) from kept"],
    "presto-coordinator": ["presto", "--output-format", "CSV_UNQUOTED", "--execute", "select count(*) from hive.default.kept"],
}


def answers():
    """What HDFS, Hive and Presto hold of ours; None where one does not answer."""
    results = {name: run("docker", "exec", name, *command, timeout=120) for name, command in QUERIES.items()}
    return {name: result.out.strip() if result.code == 0 else None for name, result in results.items()}


HELD = {"namenode": "女 kept", "hive-server": "2", "presto-coordinator": "2"}


@pytest.fixture(scope="module")
def kept(environment):
    """A file, a table and a topic that are to be there after all that follows."""
    docker("exec", "namenode", "sh", "-c", "echo '女 kept' | hdfs dfs -put -f - /tmp/kept")
    docker("exec", "hive-server", *QUERIES["hive-server"][:-1],
           "drop table if exists kept; create table kept (a int, b string); insert into kept values (1, 'a'), (2, 'b')",
           timeout=120)
    topic = f"kept-{os.urandom(3).hex()}"
    environment.kafka.create_topic(topic, 3, retention_ms=-1)
    records = [(n % 3, 1_795_000_000_000 + n, b"%d" % n) for n in range(1000)]
    environment.kafka.produce(topic, records)
    yield topic, sorted(records)
    if "broker" in running():
        environment.kafka.delete_topic(topic)
    clean("hive-server", "hive", "-e", "drop table kept")
    clean("namenode", "hdfs", "dfs", "-rm", "-skipTrash", "/tmp/kept")


def is_kept(environment, kept):
    topic, records = kept
    assert answers() == HELD
    assert sorted((r.partition, r.time, r.value) for r in environment.kafka.read(topic)) == records


def page_equals_topic(environment):
    """Of the windows that are closed each has the independent count of the records in the topic, and none is missing."""
    wait_fresh(BACK)
    held = environment.kafka.read("sex")
    counts = oracle.count(GENDER, [(r.partition, r.time, r.value) for r in held])[0]
    newest = max(counts)

    def shown():
        windows = {w["start"]: w for w in get_json(PAGE, "/api/windows?limit=100000")["windows"]}
        return windows if max(windows) > newest else None
    page = until(shown, BACK, "the newest of these windows on the page", every=0.5)
    done = {start for start in closed(counts) if start >= min(page)}
    results = oracle.results(GENDER, {start: counts[start] for start in done})
    assert len(done) > 20 and {start: page.get(start) for start in done} == {
        int(key.split(b"/")[1]): json.loads(value) for key, value in results.items()}


@pytest.fixture(scope="module")
def counting(environment, tmp_path_factory):
    """A job of its own whose progress is in HDFS, fed all the while: (its results as they come, a check of them all)."""
    jobs = Jobs(environment, tmp_path_factory.mktemp("counting"))
    spec, path = jobs.make("plain")
    feed = Feed(environment.kafka, spec, seed=5, pieces_per_second=10)
    checkpoint = f"{CHECKPOINTS}/{spec['name']}"

    def check():
        sent = feed.end()
        wait_for_results(environment.kafka, spec, expected(spec, sent), BACK)
    try:
        environment.submit(path, "--supervise", "--checkpoint", checkpoint)
        with Tail(OUTSIDE, spec["sink"]["topic"]) as tail:
            yield tail, check
    finally:
        feed.ended.set()
        if "spark-worker-1" in running():
            jobs.end()
        clean("namenode", "hdfs", "dfs", "-rm", "-r", "-f", "-skipTrash", checkpoint)


def all_healthy():
    return all(inspect(name)["State"]["Health"]["Status"] == "healthy" for name in PUBLISHED)


@pytest.mark.parametrize("name", KILLED)
def test_killed_and_started(environment, kept, counting, name):
    tail, _ = counting
    caught_up(tail)
    new_result(tail, BACK)
    docker("kill", name)
    docker("start", name)
    caught_up(tail)
    began = time.monotonic()
    count = len(best(tail.records))
    tail.until(lambda: len(best(tail.records)) > count + 20, BACK)
    print(f"\n{name} killed: twenty new windows after {time.monotonic() - began:.1f} s")
    until(all_healthy, BACK, "all healthy", every=0.5)
    wait_fresh(BACK)
    until(lambda: answers() == HELD, BACK, "HDFS, Hive and Presto", every=1)


def test_the_counts_are_right(environment, kept, counting):
    _, check = counting
    check()
    page_equals_topic(environment)
    is_kept(environment, kept)
    assert len(environment.active("applications", name="tally-gender")) == 1


# ---- Down, and up again

def need_own(environment):
    if environment.found:
        pytest.skip("the cluster ran before")


def test_down_and_up(environment, kept):
    """What is kept is kept, the job goes on from its checkpoint, and no window is lost or wrong."""
    need_own(environment)
    before = max(batches())
    assert environment.make("cluster-down").code == 0
    assert not running("-a")
    up = environment.make("cluster")
    assert up.code == 0, up
    is_kept(environment, kept)
    page_equals_topic(environment)
    after = batches()
    assert min(after) <= before + 1 and max(after) > before, (before, after)
    assert {inspect(name)["RestartCount"] for name in PUBLISHED} == {0}


def test_without_hdfs_again(environment):
    """The job whose progress is in HDFS is not started where there is none, over and over; the cluster's own job runs."""
    need_own(environment)
    assert environment.make("cluster-down").code == 0
    smaller = Cluster()
    try:
        assert smaller.first.code == 0, smaller.first
        wait_fresh()
        drivers = smaller.active("drivers")
        assert len(drivers) == 1 and len(smaller.drivers("gender")) == 1
        wait_fresh()
        assert smaller.active("drivers") == drivers
        shell = in_container("spark-master", "/spark/bin/spark-shell", *SMALL,
                             stdin='println("SUM " + spark.range(10).selectExpr("sum(id)").first)\n')
        assert "SUM [45]" in succeed(shell).out
    finally:
        smaller.close()


def test_down(environment):
    need_own(environment)
    assert environment.make("cluster-down").code == 0
    assert not running("-a")
    for port in (port for ports in PUBLISHED.values() for port in ports):
        socket.create_server(("127.0.0.1", port)).close()
