"""Files that only the caller has: served to the workers, on the right address, and nothing else; and what the Docker
engine has."""

import concurrent.futures
import json
import os
import re
import socket
import time
import urllib.error
import urllib.request
import zipfile
from urllib.parse import urlsplit

import pytest

from tests import spark_double as spark
from tests.docker_double import Engine
from tests.program import SOON, until
from tests.spark_double import ID, status
from tests.test_submit import double, program, run_on_spark, waiting  # noqa: F401 (fixtures)

URL = r"is served to the workers at (http://\S+)"
NO_ENGINE = {"DOCKER_HOST": "unix:///nope/docker.sock"}


def make_class(*names):
    """As far as its names go."""
    pool = b"".join(b"\1" + len(name).to_bytes(2, "big") + name.encode() for name in names)
    return b"\xca\xfe\xba\xbe\0\0\0\x34" + (len(names) + 1).to_bytes(2, "big") + pool


def make_jar(path, main_class="my.Main", size=100000, names=()):
    with zipfile.ZipFile(path, "w") as jar:
        manifest = "Manifest-Version: 1.0\r\n" + (f"Main-Class: {main_class}\r\n" if main_class else "")
        jar.writestr("META-INF/MANIFEST.MF", manifest)
        jar.writestr(f"{(main_class or 'my.Main').replace('.', '/')}.class", make_class(*names))
        jar.writestr("data", os.urandom(size))
    return path


def fetch(url, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
        return answer.status, int(answer.headers["Content-Length"]), answer.read()


def start(program, master, *args, env=None):
    running = program.start("submit", *master.options, *args, env={**NO_ENGINE, **(env or {})})
    return running, running.wait_for(URL)[1]


@pytest.fixture
def master(double):  # noqa: F811
    return double(create=spark.CREATED, status=status("RUNNING"))


def test_it_is_served_until_a_worker_has_it(program, master, tmp_path):  # noqa: F811
    jar = make_jar(tmp_path / "my.jar")
    running, url = start(program, master, "--deploy-mode", "cluster", "my.jar", "one")
    running.wait_for(ID, "out")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[0-9a-f]{32}/my\.jar", url)
    request = master.created()
    assert request["appResource"] == url and request["mainClass"] == "my.Main" and request["appArgs"] == ["one"]
    assert request["sparkProperties"]["spark.jars"] == "./my.jar"
    time.sleep(0.4)
    assert running.process.poll() is None
    assert fetch(url, "HEAD") == (200, jar.stat().st_size, b"")
    assert fetch(url) == (200, jar.stat().st_size, jar.read_bytes())
    assert running.wait() == 0
    assert running.out == ID + "\n" and running.err.count("\n") == 1
    with pytest.raises(OSError):
        fetch(url)


def test_the_job_s_jar_too(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "job.jar", "tally.WindowedCount")
    running, url = start(program, master, "gender", "-b", "b:1", "--jar", tmp_path / "job.jar")
    fetch(url)
    assert running.wait() == 0
    assert master.created()["mainClass"] == "tally.WindowedCount"


@pytest.mark.parametrize("operand, options", [
    ("file:{}/my.jar", []), ("local:{}/my.jar", []), ("hdfs://n/my.jar", []), ("{}/my.jar", ["--no-serve"]),
    ("{}/nope.jar", []), ("{}/folder.jar", [])])
def test_what_is_the_workers(program, master, tmp_path, operand, options):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    (tmp_path / "folder.jar").mkdir()
    operand = operand.format(tmp_path)
    result = program.run("submit", *master.options, *options, "--class", "A", "--deploy-mode", "cluster", operand)
    assert (result.code, result.out, result.err) == (0, ID + "\n", "")
    request = master.created()
    assert request["appResource"] == request["sparkProperties"]["spark.jars"] == operand


@pytest.mark.parametrize("operand", ["nope.jar", "folder.jar", "./nope.jar", "nope.py"])
def test_a_file_that_is_nowhere(program, master, tmp_path, operand):  # noqa: F811
    (tmp_path / "folder.jar").mkdir()
    line = ["submit", *master.options, "--class", "A", "--deploy-mode", "cluster"]
    result = program.run(*line, operand)
    assert result.code == 5 and f"there is no file {operand} here" in result.err and not master.count("create")
    assert program.run(*line, "--no-preflight", operand).code == 0


def test_a_supervised_driver_may_need_it_again(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    running, url = start(program, master, "--supervise", "my.jar")
    fetch(url)
    assert running.wait() == 0
    assert f"without it driver {ID} cannot be started again on another worker (--follow keeps it)" in running.err


def test_a_name_that_means_something_elsewhere(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "女 a,b#c%41.jar")
    running, url = start(program, master, tmp_path / "女 a,b#c%41.jar")
    assert re.search(r"/___+a_b_c_41\.jar$", url)
    running.wait_for(ID, "out")
    assert master.created()["sparkProperties"]["spark.jars"] == "./" + url.rsplit("/", 1)[1]
    fetch(url)
    assert running.wait() == 0


# (request, the first line of the answer); b"" where the connection just ends
STRANGE = [
    (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"GET /my.jar HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"GET {path}/ HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"GET {path}/../my.jar HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"GET {folder}/ HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"GET {folder}/../../../../etc/passwd HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"GET //etc/passwd HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"POST {path} HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"GET {path}\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"\r\n\r\n", b"HTTP/1.1 404 Not Found"),
    (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", b""),
    (b"\x16\x03\x01\x02\0" * 2000, b""),
    (b"GET {path} HTTP/1.0\r\n\r\n", b"HTTP/1.1 200 OK"),
]


def test_nothing_else_is_to_be_had(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    running, url = start(program, master, "my.jar")
    path, address = urlsplit(url).path, (urlsplit(url).hostname, urlsplit(url).port)
    for request, first in STRANGE:
        request = request.replace(b"{path}", path.encode()).replace(b"{folder}", path.rpartition("/")[0].encode())
        with socket.create_connection(address, timeout=SOON) as client:
            client.sendall(request)
            try:
                answer = client.makefile("rb").readline().rstrip()
            except ConnectionError:
                answer = b""
            assert answer == first, request[:80]
        if first.endswith(b"OK"):
            continue  # cut off after its first line: that is no fetch
        assert running.process.poll() is None
    time.sleep(0.5)
    assert running.process.poll() is None
    fetch(url)
    assert running.wait() == 0


def test_many_at_once(program, master, tmp_path):  # noqa: F811
    jar = make_jar(tmp_path / "my.jar", size=3 << 20)
    running, url = start(program, master, "--follow", "my.jar")
    running.wait_for(ID, "out")
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        got = list(pool.map(lambda _: fetch(url)[2] == jar.read_bytes(), range(100)))
    assert all(got)
    master.set(status=status("FINISHED"))
    assert running.wait() == 0


def test_those_who_say_nothing_give_way(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    running, url = start(program, master, "my.jar")
    silent = [socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) for _ in range(80)]
    assert fetch(url)[0] == 200
    assert running.wait() == 0
    for client in silent:
        client.close()


def test_a_file_that_changes_meanwhile(program, master, tmp_path):  # noqa: F811
    """Removed: it is still served. Shorter: the worker sees that bytes are missing."""
    jar = make_jar(tmp_path / "my.jar")
    whole = jar.read_bytes()
    running, url = start(program, master, "--follow", "my.jar")
    jar.rename(tmp_path / "other.jar")
    assert fetch(url)[2] == whole
    os.truncate(tmp_path / "other.jar", 1000)
    with pytest.raises(Exception):
        fetch(url)
    master.set(status=status("FINISHED"))
    assert running.wait() == 0


def test_who_leaves_is_told_what_that_means(program, master, tmp_path):  # noqa: F811
    (tmp_path / "my.py").write_text("x = 1\n")
    running, _ = start(program, master, "--follow", "my.py")
    running.wait_for("is RUNNING")
    assert running.stop()[0] == 130 and f"driver {ID} goes on (tally kill {ID}): its files are served no more" in running.err


# ---- The driver's end before the fetch

@pytest.mark.parametrize("state, code, words", [
    ("ERROR", 7, "ERROR: java.net.ConnectException: Connection refused: did its worker reach 127.0.0.1? (--serve-address)"), ("KILLED", 6, "KILLED"), ("FINISHED", 0, "")])
def test_an_end_before(program, double, tmp_path, state, code, words):  # noqa: F811
    message = "Exception from the cluster:\njava.net.ConnectException: Connection refused\n\tat x" if state == "ERROR" else None
    master = double(create=spark.CREATED, status=[status("SUBMITTED"), status(state, message)])
    make_jar(tmp_path / "my.jar")
    result = program.run("submit", *master.options, "my.jar", env=NO_ENGINE)
    assert (result.code, result.out) == (code, ID + "\n")
    assert words in result.err


def test_patience(program, double, tmp_path):  # noqa: F811
    master = double(create=spark.CREATED, status=status("SUBMITTED"))
    make_jar(tmp_path / "my.jar")
    result = program.run("submit", *master.options, "--timeout", "1s", "my.jar", env=NO_ENGINE)
    assert result.code == 9 and f"no worker has fetched the jar within 1 s: it is served no more; driver {ID}" in result.err
    running, _ = start(program, double(create=spark.CREATED, status=status("SUBMITTED")), "my.jar")
    running.wait_for(ID, "out")
    assert running.stop()[0] == 130
    assert f"driver {ID} fails if it comes to start" in running.err


# ---- The address

def test_the_address_that_containers_reach(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    engine = Engine(tmp_path / "docker.sock", master.rest, "127.0.0.3")
    try:
        running, url = start(program, master, "--verbose", "my.jar", env={"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
        assert urlsplit(url).hostname == "127.0.0.3" and engine.asked == ["/containers/json"]
        with pytest.raises(OSError):
            fetch(url.replace("127.0.0.3", "127.0.0.1"))
        fetch(url)
        assert running.wait() == 0
        assert "the master is the container spark-master" in running.err and f"{url}: fetched by 127.0.0." in running.err
    finally:
        engine.close()


def test_of_several_masters_one_is_known(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    running = program.start("submit", *master.options, "--master", "spark://nope.invalid:7077,127.0.0.1:7077", "my.jar",
                            env=NO_ENGINE)
    fetch(running.wait_for(URL)[1])
    assert running.wait() == 0
    result = program.run("submit", "--master", "spark://nope.invalid", "my.jar", env=NO_ENGINE)
    assert result.code == 4 and "local files cannot be served: no host 'nope.invalid' is known" in result.err


# (--serve-address, exit code, words on stderr or the URL's origin)
ADDRESSES = [
    ("127.0.0.5", 0, r"http://127\.0\.0\.5:\d+/"),
    ("localhost", 0, r"http://localhost:\d+/"),
    ("[::1]", 0, r"http://\[::1\]:\d+/"),
    ("::1", 0, r"http://\[::1\]:\d+/"),
    ("0.0.0.0", 2, "workers need one address to ask"),
    ("::", 2, "workers need one address to ask"),
    ("192.0.2.77", 2, "192.0.2.77 is no address of this machine"),
    ("nope.invalid", 2, "--serve-address 'nope.invalid': "),
    ("127.0.0.1:x", 2, "'x' is no port"),
    ("127.0.0.1:0", 2, "'0' is no port"),
    ("[::1]:70000", 2, "'70000' is no port"),
]


@pytest.mark.parametrize("address, code, words", ADDRESSES, ids=[row[0] for row in ADDRESSES])
def test_serve_address(program, master, tmp_path, address, code, words):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    if code:
        result = program.run("submit", *master.options, "--serve-address", address, "my.jar", env=NO_ENGINE)
        assert result.code == code and words in result.err and not master.count("create")
        return
    running, url = start(program, master, "--serve-address", address, "my.jar")
    assert re.match(words, url)
    fetch(url)
    assert running.wait() == 0


def test_serve_address_with_a_port(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = program.run("submit", *master.options, "--serve-address", f"127.0.0.1:{port}", "my.jar", env=NO_ENGINE)
        assert result.code == 5 and "cannot serve files on 127.0.0.1: Address already in use" in result.err
    running, url = start(program, master, "--serve-address", f"127.0.0.1:{port}", "my.jar")
    assert urlsplit(url).port == port
    fetch(url)
    assert running.wait() == 0


# ---- The main class

@pytest.mark.parametrize("main_class, code, words", [
    (None, 2, "--class is needed: the manifest of my.jar names no main class"), ("broken", 3, "my.jar is no jar")])
def test_no_main_class(program, master, tmp_path, main_class, code, words):  # noqa: F811
    if main_class == "broken":
        (tmp_path / "my.jar").write_bytes(b"x" * 1000)
    else:
        make_jar(tmp_path / "my.jar", main_class)
    result = program.run("submit", *master.options, "my.jar", env=NO_ENGINE)
    assert result.code == code and words in result.err and not master.requests


# As spark-submit does, whoever has the jar for the workers.
@pytest.mark.parametrize("operand, options", [("my.jar", []), ("my.jar", ["--no-serve"]), ("{}/my.jar", ["--no-serve"]),
                                              ("file:{}/my.jar", []), ("file://{}/my.jar", [])])
def test_the_class_of_the_manifest(program, tmp_path, operand, options):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    result = program.run("submit", "--dry-run", "-m", "spark://h", *options, operand.format(tmp_path), env=NO_ENGINE)
    request = json.loads(result.out)
    assert (request["mainClass"], request["sparkProperties"]["spark.app.name"]) == ("my.Main", "my.jar")


@pytest.mark.parametrize("operand", ["file:/nope/my.jar", "file://h/my.jar", "hdfs://n/my.jar", "/nope/my.jar"])
def test_no_manifest_here(program, operand):  # noqa: F811
    result = program.run("submit", "--dry-run", "-m", "spark://h", operand, env=NO_ENGINE)
    assert result.code == 2 and f"--class is needed: the main class in {operand}" in result.err


def test_the_fetch_is_seen_while_waiting(program, double, tmp_path):  # noqa: F811
    """--follow serves to the end: a supervised driver may be started again on another worker."""
    master = double(create=spark.CREATED, status=status("RUNNING"), json=spark.page(
        drivers=[(ID, "RUNNING")], apps=[("app-1", "my.jar", "RUNNING")]))
    make_jar(tmp_path / "my.jar")
    running, url = start(program, master, "--follow", "--supervise", "my.jar")
    fetch(url)
    running.wait_for("application app-1")
    fetch(url)
    master.set(status=status("FINISHED"))
    assert running.wait() == 0


# ---- What goes along

def test_dependencies_are_served_to_the_end(program, double, tmp_path):  # noqa: F811
    """Those of options of their own that are here, in their place among the others."""
    master = double(create=spark.CREATED, status=status("RUNNING"))
    make_jar(tmp_path / "my.jar")
    for name in ("a.jar", "z.zip", "conf.jar"):
        (tmp_path / name).write_bytes(name.encode())
    running, app = start(program, master, "--jars", "/nope/b.jar,a.jar,http://h/c.jar,", "--archives", "z.zip#in,hdfs:/y.zip",
                         "--conf", "spark.files=conf.jar", "my.jar")
    fetch(app)
    running.wait_for(f"driver {ID} is followed to its end: until then its files are served")
    properties = master.created()["sparkProperties"]
    own, b, a, c = properties["spark.jars"].split(",")
    assert (own, b, c) == ("./my.jar", "/nope/b.jar", "http://h/c.jar") and fetch(a)[2] == b"a.jar"
    archive, y = properties["spark.archives"].split(",")
    assert archive.endswith("/z.zip#in") and fetch(archive.removesuffix("#in"))[2] == b"z.zip" and y == "hdfs:/y.zip"
    assert properties["spark.files"] == f"{tmp_path}/conf.jar"  # not served
    time.sleep(0.5)
    assert running.process.poll() is None and fetch(a)[0] == 200
    master.set(status=status("FINISHED"))
    assert running.wait() == 0
    with pytest.raises(OSError):
        fetch(a)


def test_dependencies_of_the_environment(program, master, tmp_path):  # noqa: F811
    make_jar(tmp_path / "a.jar")
    running, url = start(program, master, "--class", "A", "/nope/my.jar", env={"TALLY_JARS": "a.jar"})
    running.wait_for(ID, "out")
    assert master.created()["sparkProperties"]["spark.jars"] == f"/nope/my.jar,{url}"
    master.set(status=status("FINISHED"))
    assert running.wait() == 0


def test_a_script_and_its_files(program, master, tmp_path):  # noqa: F811
    for name in ("my.py", "more.py", "note.txt"):
        (tmp_path / name).write_text(name)
    running, url = start(program, master, "--py-files", "more.py,/nope/b.py", "--files", "note.txt", "my.py", "one", "more.py")
    running.wait_for(ID, "out")
    request = master.created()
    assert request["appResource"] == "" and "spark.jars" not in request["sparkProperties"]
    *options, script, one, two = request["appArgs"]
    settings = dict(option.split("=", 1) for option in options[5::2])
    py_files, files = settings["spark.submit.pyFiles"], settings["spark.files"]
    assert options[2:4] == ["--deploy-mode", "client"] and (one, two) == ("one", "more.py") and script == url and fetch(script)[2] == b"my.py"
    assert fetch(files)[2] == b"note.txt"
    assert py_files.endswith("/more.py,/nope/b.py") and fetch(py_files.split(",")[0])[2] == b"more.py"
    master.set(status=status("FINISHED"))
    assert running.wait() == 0


@pytest.mark.parametrize("application", ["my.jar", "my.py"])
def test_dry_run_serves_nothing(program, tmp_path, application):  # noqa: F811
    make_jar(tmp_path / "my.jar")
    make_jar(tmp_path / "a.jar")
    (tmp_path / "my.py").write_text("")
    result = program.run("submit", "--master", "spark://nope.invalid", "--deploy-mode", "cluster", "--dry-run", "--jars",
                         "a.jar", application, env=NO_ENGINE)
    assert (result.code, result.err) == (0, "")
    request = json.loads(result.out)
    if application == "my.jar":
        assert request["appResource"] == "my.jar" and request["sparkProperties"]["spark.jars"] == f"my.jar,{tmp_path}/a.jar"
    else:
        assert "my.py" in request["appArgs"] and request["sparkProperties"]["spark.jars"] == f"{tmp_path}/a.jar"


# ---- Whether it fits

SCALA = {"2.12": "scala/Serializable", "2.13": "scala/collection/IterableOnce"}
# (Scala of the jar, options, the cluster's Spark; None: no page of it, words; None: it fits)
FITTING = [
    ("2.12", [], "4.2.0", "my.jar was compiled with Scala 2.12 or older, and the cluster's Spark 4.2.0 is built with 2.13"),
    ("2.13", [], "3.1.2", "my.jar was compiled with Scala 2.13, and the cluster's Spark 3.1.2 is built with an older one"),
    ("2.12", [], "3.5.1", None),
    ("2.13", [], "4.2.0", None),
    ("2.12", ["--no-preflight"], "4.2.0", None),
    ("2.12", [], None, None),
    ("2.13", ["--class", "Main"], "4.2.0", "there is no class Main in my.jar: is it my.Main? (--class)"),
    ("2.13", ["--class", "my.Other"], None, "there is no class my.Other in my.jar"),
    ("2.13", ["--class", "my.Other", "--no-preflight"], "4.2.0", None),
    ("2.13", ["--class", "my.Other", "--jars", "/nope/other.jar"], "4.2.0", None),
    ("2.13", ["--class", "my.Other", "--packages", "g:a:1"], "4.2.0", None),
    ("2.12", ["--class", "my.Main", "--jars", "/nope/other.jar"], "4.2.0", "my.jar was compiled with Scala 2.12"),
]


@pytest.mark.parametrize("scala, options, version, words", FITTING, ids=[f"{i}" for i in range(len(FITTING))])
def test_whether_a_jar_fits(program, double, tmp_path, scala, options, version, words):  # noqa: F811
    routes = {"json": spark.page(), "version": spark.answer(
        {"action": "ErrorResponse", "serverSparkVersion": version, "message": "x"}, 400)} if version else {}
    master = double(create=spark.CREATED, status=status("RUNNING"), **routes)
    make_jar(tmp_path / "my.jar", names=["my/Main", SCALA[scala]])
    line = ["--deploy-mode", "cluster", *options, "my.jar"]
    if words:
        result = program.run("submit", *master.options, *line, env=NO_ENGINE)
        assert result.code == 5 and words in result.err and result.err.count("\n") == 1 and master.count("create") == 0
    else:
        running, url = start(program, master, *line)
        fetch(url)
        assert running.wait() == 0 and master.count("create") == 1


def test_run_serves_it_to_the_end(tally, double, tmp_path):  # noqa: F811
    jar = make_jar(tmp_path / "job.jar", "tally.WindowedCount")
    master = waiting(double, status("RUNNING"), apps=[("app-1", "tally-gender", "RUNNING")])
    running = run_on_spark(tally, master, "--jar", jar)
    url = running.wait_for(URL)[1]
    running.wait_for("app-1")
    assert master.created()["appResource"] == url and fetch(url)[2] == jar.read_bytes() and fetch(url)[0] == 200
    master.set(status=status("FINISHED"))
    assert running.wait() == 0


# ---- Logs out of a container

@pytest.mark.parametrize("more", [[], ["--tail", "3"], ["-f"]], ids=["all", "tail", "follow"])
def test_a_log_by_the_docker_engine(program, double, tmp_path, more):  # noqa: F811
    """Where no page of the worker can be reached."""
    rows = [f"{i} 女生\n".encode() for i in range(60000)]
    engine = Engine(tmp_path / "docker.sock", 1, "127.0.0.3", "nope.invalid",
                    {f"/spark/work/nope.invalid/{ID}/stderr": b"".join(rows)})
    master = double(status=status("FINISHED"), json=spark.page())
    result = program.run("logs", ID, "--verbose", *more, *master.options, text=False,
                         env={"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    engine.close()
    assert result.code == 0 and result.out == b"".join(rows[-3:] if "--tail" in more else rows)
    assert result.err.count("is read out of the container of nope.invalid: http://127.0.0.1:1: ") == 1


@pytest.fixture
def engine(tmp_path):
    """(an engine whose container is the worker, its files, what a run needs to ask it)"""
    files = {}
    made = Engine(tmp_path / "docker.sock", 1, "127.0.0.3", "nope.invalid", files)
    yield made, files, {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"}
    made.close()


LOG_PATH = f"/spark/work/nope.invalid/{ID}/stderr"


@pytest.mark.parametrize("which, out", [
    ("all", f"==> executor 0 on {spark.WORKER} <==\nzero\n\n==> executor 1 on {spark.WORKER} <==\none\n"), ("1", "one\n")])
@pytest.mark.parametrize("folder", ["/spark/work/nope.invalid", "/opt/spark/work", "/spark/work"])
def test_executors_logs_by_the_docker_engine(program, double, engine, which, out, folder):  # noqa: F811
    _, files, env = engine
    files.update({f"{folder}/app-1/0/stderr": b"zero\n", f"{folder}/app-1/1/stderr": b"one\n"})
    master = double(json=spark.page(apps=[("app-1", "x", "RUNNING")]), app=spark.app_page([("0", "EXITED"), ("1", "RUNNING")]))
    result = program.run("logs", "--executor", which, "app-1", *master.options, env=env)
    assert (result.code, result.out) == (0, out), result.err


def test_a_log_that_grows_is_read_once(program, double, engine):  # noqa: F811
    made, files, env = engine
    master = double(status=status("RUNNING"), json=spark.page())
    running = program.start("logs", "-f", ID, *master.options, env=env)
    until(lambda: sum("archive" in path for path in made.asked) > 6, SOON)  # it is waited for
    wanted = "".join(f"{i} 女生\n" for i in range(30000))
    files[LOG_PATH] = wanted.encode()[:200001]
    running.wait_for("\n", "out")
    until(lambda: len(running.out) > 100000, SOON)
    files[LOG_PATH] = wanted.encode()
    until(lambda: running.out == wanted, SOON)
    gets = sum(path.startswith("/containers/") and "stderr" in path for path in made.asked)
    heads = len(made.asked)
    until(lambda: len(made.asked) >= heads + 3, SOON)
    assert gets <= 3 and sum(path.startswith("/containers/") and "stderr" in path for path in made.asked) == gets
    files[LOG_PATH] = b"anew\n"
    until(lambda: running.out == wanted + "anew\n", SOON)
    master.set(status=status("FINISHED"))
    assert running.wait() == 0 and running.out == wanted + "anew\n"


# More than a container's log may hold for us: its end is given.
@pytest.mark.parametrize("more, lost", [([], True), (["-f"], True), (["--tail", "2"], False), (["--tail", "1000000"], True)],
                         ids=["all", "follow", "tail", "long tail"])
def test_a_log_too_long_for_the_docker_engine(program, double, engine, more, lost):  # noqa: F811
    _, files, env = engine
    whole = b"".join(b"%07d %0100d\n" % (i, i) for i in range(200000))
    files[LOG_PATH] = whole
    master = double(status=status("FINISHED"), json=spark.page())
    result = program.run("logs", ID, *more, *master.options, env=env, text=False)
    assert result.code == 0
    assert result.err.count("are left out: out of a container only the last 16 MiB") == lost, result.err
    assert whole.endswith(result.out) and result.out[:1] == b"0"
    assert result.out == b"".join(whole.splitlines(True)[-2:]) if "2" in more else len(result.out) > (16 << 20) - 200


def test_a_log_outgrows_the_docker_engine(program, double, engine):  # noqa: F811
    """While it is followed: what comes is read, whatever stands before it."""
    _, files, env = engine
    whole = b"".join(b"%07d %0100d\n" % (i, i) for i in range(160000))
    files[LOG_PATH] = whole[:16000000]
    master = double(status=status("RUNNING"), json=spark.page())
    running = program.start("logs", "-f", "--tail", "3", ID, *master.options, env=env)
    until(lambda: running.out.endswith(whole[:16000000][-100:].decode()), SOON)
    begun = len(running.out)
    files[LOG_PATH] = whole
    until(lambda: running.out.endswith("%0100d\n" % 159999), SOON)
    assert running.out[begun:].encode() == whole[16000000:] and "left out" not in running.err
    files[LOG_PATH] = whole + b"x" * (17 << 20) + b"\nend\n"
    until(lambda: running.out.endswith("\nend\n"), SOON)
    assert running.err.count("are left out") == 1


def test_restarts_by_the_docker_engine(program, double, engine):  # noqa: F811
    """A supervised driver whose log is not there yet when it is looked at first: it is read as soon as it is."""
    made, files, env = engine
    master = double(status=status("RUNNING"), json=spark.page(drivers=[(ID, "RUNNING")]))
    running = program.start("wait", ID, *master.options, env=env)
    until(lambda: any(LOG_PATH.replace("/", "%2F") in path or LOG_PATH in path for path in made.asked), SOON)
    run = b'Launch Command: "java" "-cp" "x" "my.Main"\n========================================\n\n'
    files[LOG_PATH] = run + b'Exception in thread "main" java.lang.X: why\n' + run
    running.wait_for("ended and was started again: java.lang.X: why")
    master.set(status=status("FINISHED"))
    assert running.wait() == 0


def test_another_worker_is_not_asked_for_it(program, double, tmp_path):  # noqa: F811
    """Where the worker's name leads nowhere, the port of its page may be another one's on the master's host."""
    engine = Engine(tmp_path / "docker.sock", 1, "127.0.0.3", "nope.invalid",
                    {f"/spark/work/nope.invalid/{ID}/stderr": b"hello\n"})
    other = spark.answer(f"==== Bytes 0-0 of 0 of /w/{ID}/stderr ====\nError: invalid log directory /w/{ID}/")
    master = double(status=status("FINISHED"), log=lambda connection, _: connection.sendall(other))
    master.set(json=spark.page(web=f"http://nope.invalid:{master.ui}"))
    result = program.run("logs", ID, *master.options, env={"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    engine.close()
    assert result.code == 0 and result.out == "hello\n", result


def test_no_log_by_the_docker_engine(program, double, tmp_path):  # noqa: F811
    engine = Engine(tmp_path / "docker.sock", 1, "127.0.0.3", "nope.invalid")
    master = double(status=status("FINISHED"), json=spark.page())
    result = program.run("logs", ID, *master.options, env={"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    engine.close()
    assert result.code == 4 and f"the log of {ID} is not to be had: http://127.0.0.1:1: " in result.err
    assert len(engine.asked) == 4 and engine.asked[0] == "/containers/json"


def test_the_engine_is_asked_without_a_proxy(program, double, tmp_path):  # noqa: F811
    master = double(create=spark.CREATED, status=status("RUNNING"))
    make_jar(tmp_path / "my.jar")
    engine = Engine(tmp_path / "docker.sock", 7, "127.0.0.3")
    running, url = start(program, master, "--proxy", master.web, "--master", "spark://127.0.0.1:7077", "--rest-port", "7", "my.jar",
                         env={"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    engine.close()
    assert urlsplit(url).hostname == "127.0.0.3" and engine.asked == ["/containers/json"]
    fetch(url)
    assert running.wait() == 0
