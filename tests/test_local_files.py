"""Jars that only the caller has: served to the workers, on the right address, and nothing else."""

import concurrent.futures
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
from tests.spark_double import ID, status
from tests.test_submit import double, program  # noqa: F401 (fixtures)

URL = r"is served to the workers at (http://\S+)"
NO_ENGINE = {"DOCKER_HOST": "unix:///nope/docker.sock"}


def make_jar(path, main_class="my.Main", size=100000):
    with zipfile.ZipFile(path, "w") as jar:
        manifest = "Manifest-Version: 1.0\r\n" + (f"Main-Class: {main_class}\r\n" if main_class else "")
        jar.writestr("META-INF/MANIFEST.MF", manifest)
        jar.writestr("my/Main.class", b"\xca\xfe\xba\xbe\0\0\0\x34\0\1")
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
    make_jar(tmp_path / "job.jar")
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
        with socket.create_connection(address, timeout=5) as client:
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
        assert result.code == code and words in result.err and not master.requests
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


def test_the_fetch_is_seen_while_waiting(program, double, tmp_path):  # noqa: F811
    """--follow serves to the end: a supervised driver may be started again on another worker."""
    master = double(create=spark.CREATED, status=status("RUNNING"), json=spark.page(
        drivers=[(ID, "RUNNING")], apps=[("app-1", "my.Main", "RUNNING")]))
    make_jar(tmp_path / "my.jar")
    running, url = start(program, master, "--follow", "--supervise", "my.jar")
    fetch(url)
    running.wait_for("application app-1")
    fetch(url)
    master.set(status=status("FINISHED"))
    assert running.wait() == 0
