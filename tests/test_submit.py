"""submit, status, list, logs, kill and wait against a double of Spark's master and worker, with every build."""

import base64
import contextlib
import hmac
import json
import os
import pty
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests import spark_double as spark
from tests.cost import PROGRAM, instructions
from tests.docker_double import Engine
from tests.program import BUILDS, SOON, VALGRIND, Program, chosen, environment, measured, only_all, until
from tests.spark_double import ID, Double, status

OTHER = "driver-20261121121300-0001"
JOB = ["submit", "gender", "--job-bootstrap-servers", "broker:19092"]


@pytest.fixture(params=[os.environ["TALLY"]] if "TALLY" in os.environ else list(BUILDS))
def program(request, tmp_path):
    found = Program(Path(BUILDS.get(request.param, request.param)).resolve(), cwd=tmp_path)
    yield found
    found.end_all()


@pytest.fixture
def double():
    made = []

    def make(**routes):
        made.append(Double(**routes))
        return made[-1]
    yield make
    for one in made:
        one.close()


def one_line(result):
    assert result.err.count("\n") == 1, result.err
    return result.err


# ---- What is sent

def test_a_job_is_submitted_by_one_request(program, double):
    """After a look at the page and at the version."""
    master = double(create=spark.CREATED, json=spark.page(), version=spark.answer(
        {"action": "ErrorResponse", "serverSparkVersion": "3.5.1", "message": "x"}, 400))
    result = program.run(*JOB, *master.options, "--supervise")
    assert (result.code, result.out, result.err) == (0, ID + "\n", "")
    assert [name for name, _, _ in master.requests] == ["json", "version", "create"]
    request = master.created()
    assert request["action"] == "CreateSubmissionRequest"
    assert request["appResource"] == "/opt/tally/tally-job.jar" and request["mainClass"] == "tally.WindowedCount"
    assert request["environmentVariables"] == {"SPARK_ENV_LOADED": "1"}
    properties = request["sparkProperties"]
    assert all(isinstance(value, str) for value in properties.values())
    assert "spark.master" not in properties and "spark.driver.host" not in properties
    assert properties["spark.app.name"] == "tally-gender" and properties["spark.jars"] == "/opt/tally/tally-job.jar"
    assert properties["spark.driver.supervise"] == "true" and properties["spark.submit.deployMode"] == "cluster"
    assert properties["spark.sql.shuffle.partitions"] == "1" and properties["spark.cores.max"] == "2"
    assert properties["spark.driver.extraJavaOptions"].startswith("-XX:+IgnoreUnrecognizedVMOptions --add-opens=")
    arguments = request["appArgs"]
    assert arguments[0] == "--spec" and arguments[2:] == [
        "--brokers", "broker:19092", "--checkpoint", "file:///spark/work/check/gender/sex", "--max-future", "3600000"]
    told = json.loads(arguments[1])
    assert told["source"] == {"topic": "sex", "format": "value", "column": 9, "start": "earliest"}
    assert told["series"] == ["female", "male", "unknown", "other"]
    assert told["labels"] == {"0": 0, "1": 1, "2": 2, "": 2, "NULL": 2} and told["sink"] == {"topic": "result"}


def test_what_the_command_line_changes(program, double):
    master = double(create=spark.CREATED)
    result = program.run("submit", *master.options, "-b", "a:1", "--topic", "sex2", "--group", "g", "--once", "--name", "女",
                         "--checkpoint", "hdfs://n/x", "--max-future", "5s", "--jar", "/root/j.jar", "gender",
                         "-c", "spark.cores.max=7", "-c", "spark.jars=/a.jar", "-c", "spark.driver.extraJavaOptions=-Dx=y")
    assert result.code == 0, result.err
    request = master.created()
    assert request["appArgs"][2:] == ["--brokers", "a:1", "--checkpoint", "hdfs://n/x", "--group", "g", "--max-future",
                                      "5000", "--once"]
    assert json.loads(request["appArgs"][1])["source"]["topic"] == "sex2"
    properties = request["sparkProperties"]
    assert properties["spark.app.name"] == "女" and properties["spark.cores.max"] == "7"
    assert properties["spark.jars"] == "/root/j.jar,/a.jar"
    assert properties["spark.driver.extraJavaOptions"].endswith(" -Dx=y")
    assert properties["spark.driver.supervise"] == "false"


def test_options_end_at_the_jar(program, double):
    master = double(create=spark.CREATED)
    result = program.run("submit", *master.options, "--class", "my.Main", "/root/x.jar", "--name", "y", "-f", "--", "女")
    assert (result.code, result.out) == (0, ID + "\n")
    assert "cluster" in one_line(result)
    request = master.created()
    assert request["appArgs"] == ["--name", "y", "-f", "--", "女"]
    assert request["appResource"] == request["sparkProperties"]["spark.jars"] == "/root/x.jar"
    assert request["sparkProperties"]["spark.app.name"] == "my.Main"


def test_spark_defaults(program, double, tmp_path):
    master = double(create=spark.CREATED)
    (tmp_path / "spark-defaults.conf").write_text(
        "# x\nspark.master spark://127.0.0.1:7077\nspark.cores.max=9\nspark.driver.memory  512m\nspark.driver.host=me\n")
    result = program.run("submit", *master.options[2:], "--deploy-mode", "cluster", "--class", "A", "-c",
                         "spark.cores.max=1", "/x.jar", env={"SPARK_CONF_DIR": str(tmp_path)})
    assert (result.code, result.err) == (0, "")
    properties = master.created()["sparkProperties"]
    assert properties["spark.driver.memory"] == "512m" and properties["spark.cores.max"] == "1"
    assert "spark.master" not in properties and "spark.driver.host" not in properties


def test_no_proxy_on_the_way(program, double):
    master = double(create=spark.CREATED)
    result = program.run(*JOB, *master.options, env={"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"})
    assert result.code == 0, result.err


def test_json(program, double):
    master = double(create=spark.CREATED)
    result = program.run(*JOB, *master.options, "--json")
    assert json.loads(result.out) == {"id": ID, "name": "tally-gender", "application": None}


def test_a_spec_too_long_for_an_argument(program, double, tmp_path):
    """Linux allows 128 KiB in one argument: the driver's command line could not be started."""
    labels = ", ".join(f"'{n:07d}': s" for n in range(15000))
    (tmp_path / "j.yaml").write_text(f"name: j\nsource: {{topic: t, column: 0}}\nwindow: {{size: 1s}}\n"
                                     f"labels: {{{labels}}}\nsink: {{topic: r}}\n")
    master = double(create=spark.CREATED)
    result = program.run("submit", "./j.yaml", "-b", "a:1", *master.options)
    assert result.code == 2 and "131071" in one_line(result)
    result = program.run("submit", *master.options, "--class", "A", "/x.jar", "x" * 131071)
    assert result.code == 0, result.err
    result = program.run("submit", *master.options, "--class", "A", "-c", "spark.k=" + "x" * 131062, "/x.jar")
    assert result.code == 2 and "131071" in one_line(result)
    assert master.count("create") == 1


# ---- What goes wrong with a create

def test_a_lost_answer_is_an_unknown_outcome(program, double):
    """The request may have arrived: it must not be sent again, neither there nor to another master."""
    master, other = double(create=spark.drop), double(create=spark.CREATED)
    result = program.run(*JOB, *master.options)
    assert result.code == 10 and re.search(r"tally-gender.*tally list", one_line(result))
    assert master.count("create") == 1 and other.count("create") == 0


if "TALLY_ALL" in os.environ:
    def test_no_answer_is_an_unknown_outcome(program, double):
        master = double(create=spark.hang)
        result = program.run(*JOB, *master.options)
        assert result.code == 10 and "15 s" in one_line(result)
        assert master.count("create") == 1


@pytest.mark.parametrize("told, code, text", [
    (spark.NOT_CREATED, 5, "no room for you$"),
    (spark.VERSION, 5, "Unknown protocol version 'v1'.*HTTP 468"),
    (spark.MALFORMED, 5, "Validation of message CreateSubmissionRequest failed!"),
    (spark.html(500, "Error 500 java.lang.NumberFormatException: 1.5"), 10, "HTTP 500.*NumberFormatException"),
    (spark.html(502, "Bad Gateway"), 10, "HTTP 502"),
    (spark.html(503, "No server is available"), 5, "HTTP 503"),
    (spark.html(403, "Error 403 Forbidden"), 5, "HTTP 403"),
    (spark.html(200, "Spark Master at spark://h:7077"), 5, "is a page.*--rest-port"),
    (spark.answer("hello", kind="text/plain"), 5, "no Spark master"),
    (spark.answer("{}"), 5, "no Spark master"),
    (spark.answer(""), 5, "no Spark master"),
    (spark.answer(b"\xff\xfe\0{"), 5, "no Spark master"),
    (spark.standby(), 5, "does not lead.*STANDBY"),
    (spark.standby(state="RECOVERING"), 5, "RECOVERING"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", 10, "HTTP"),
    (spark.endless, 10, "longer than"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", 10, "tally list"),
], ids=str)
def test_what_is_no_creation(program, double, told, code, text):
    def once(connection):
        connection.sendall(told)
    master = double(create=once if isinstance(told, bytes) and code == 10 else told)
    result = program.run(*JOB, *master.options, "--timeout", "0s")  # not waiting for a recovery
    assert result.code == code and result.out == ""
    assert re.search(text, one_line(result).rstrip("\n")), result.err
    assert master.count("create") == 1


def test_rest_is_off(program, double):
    master = double(json=spark.page())
    master.stop_rest()
    result = program.run(*JOB, *master.options)
    assert result.code == 5 and "spark.master.rest.enabled=true" in one_line(result)


def test_nobody_there(program):
    result = program.run(*JOB, "-m", "spark://127.0.0.1:7077", "--rest-port", 1, "--ui-port", 1)
    assert result.code == 4
    assert one_line(result) == "tally: no Spark master answers at http://127.0.0.1:1: Connection refused\n"
    result = program.run("list", "-m", "spark://nope.invalid")
    assert result.code == 4 and "no host of that name" in one_line(result)


def test_the_port_of_drivers(program, double):
    master = double(status=spark.drop)
    result = program.run("status", ID, "-m", f"spark://127.0.0.1:{master.rest}", "--rest-port", master.rest)
    assert result.code == 5 and "not REST" in one_line(result)


# ---- Several masters: --rest-port is one for all, so they are told apart by their addresses

class Pair:
    """Two masters at 127.0.0.1 and 127.0.0.2, on the same ports. Preflight asks both for their pages first."""

    def __init__(self, double, first, second):
        for _ in range(20):
            self.first = double(**first)
            try:
                self.second = double()
                self.second.routes = {}
                self.second.set(version=spark.PROBED, **second)
                for n, port in enumerate((self.first.rest, self.first.ui)):
                    self.second.servers[n].shutdown()
                    self.second.servers[n].server_close()
                    self.second.servers[n] = self.second.serve(("127.0.0.2", port))
                break
            except OSError:
                continue
        self.options = ["-m", "spark://127.0.0.1,127.0.0.2", *self.first.options[2:]]


def test_the_next_master_when_one_is_on_standby(program, double):
    pair = Pair(double, {"create": spark.standby()}, {"create": spark.CREATED})
    result = program.run(*JOB, *pair.options)
    assert (result.code, result.out, result.err) == (0, ID + "\n", "")
    assert pair.first.count("create") == pair.second.count("create") == 1
    assert pair.second.created()["sparkProperties"]["spark.master"] == "spark://127.0.0.1:7077,127.0.0.2:7077"


def test_the_next_master_when_one_is_gone(program, double):
    pair = Pair(double, {}, {"create": spark.CREATED})
    pair.first.close()
    assert program.run(*JOB, *pair.options).out == ID + "\n"


def test_not_the_next_master_when_the_answer_is_lost(program, double):
    pair = Pair(double, {"create": spark.drop}, {"create": spark.CREATED})
    assert program.run(*JOB, *pair.options).code == 10
    assert pair.first.count("create") == 1 and pair.second.count("create") == 0


def test_no_master_leads(program, double):
    pair = Pair(double, {"create": spark.standby()}, {"create": spark.standby(state="RECOVERING")})
    result = program.run(*JOB, *pair.options, "--timeout", "0s")
    assert result.code == 5 and re.search("none.*STANDBY.*RECOVERING", one_line(result))


def test_the_leader_is_listed(program, double):
    pair = Pair(double, {"json": spark.page("STANDBY")}, {"json": spark.page("ALIVE", drivers=[(ID, "RUNNING")])})
    result = program.run("list", *pair.options)
    assert result.code == 0 and " ALIVE, " in result.out and ID in result.out


# ---- States

ENDS = [("FINISHED", 0), ("FAILED", 1), ("KILLED", 6), ("ERROR", 7), ("UNKNOWN", 8), ("SOMETHING_NEW", 8)]


@pytest.mark.parametrize("state, code", ENDS)
def test_wait_exits_by_the_state(program, double, state, code):
    master = double(status=[status("SUBMITTED"), status("RUNNING"), status(state)])
    result = program.run("wait", ID, *master.options)
    assert result.code == code and result.out == ""
    told = result.err.splitlines()
    assert [line.split()[3] for line in told[:3]] == ["SUBMITTED", "RUNNING", "UNKNOWN" if state == "SOMETHING_NEW" else state]
    assert len(told) == 3 if code == 0 else len(told) == 4 and ID in told[3]


@pytest.mark.parametrize("state, code", ENDS + [("RUNNING", 0), ("SUBMITTED", 0), ("RELAUNCHING", 0)])
def test_status(program, double, state, code):
    master = double(status=status(state))
    result = program.run("status", ID, *master.options)
    name = "UNKNOWN" if state == "SOMETHING_NEW" else state
    assert (result.code, result.out) == (code, f"{ID} {name} {spark.WORKER}\n")
    told = json.loads(program.run("status", ID, *master.options, "--json").out)
    assert told == {"id": ID, "state": name, "worker": spark.WORKER, "workerHostPort": "127.0.0.1:34941", "message": None,
                    "sparkVersion": "4.2.0"}


def test_an_unknown_driver(program, double):
    master = double(status=spark.UNKNOWN_ID, kill=spark.NOT_KILLED)
    for command in ("status", "wait", "logs", "kill"):
        result = program.run(command, ID, *master.options)
        assert result.code == 5 and "200" in one_line(result), command


def test_a_driver_that_is_forgotten_is_lost(program, double):
    master = double(status=[status("RUNNING"), spark.UNKNOWN_ID])
    result = program.run("wait", ID, *master.options)
    assert result.code == 8 and "restarted" in result.err


def test_a_master_that_recovers_is_waited_for(program, double):
    recovering = spark.standby("driver status", "RECOVERING", "SubmissionStatusResponse")
    master = double(status=[status("RUNNING"), recovering, recovering, status("FINISHED")])
    result = program.run("wait", ID, *master.options)
    assert result.code == 0
    assert re.search(r"RUNNING.*\nwaiting for the Spark master: .*RECOVERING.*\nthe Spark master answers again, .*\n.*FINISHED",
                     result.err), result.err


def test_the_reason_of_an_error(program, double):
    master = double(status=status("ERROR", spark.NO_JAR))
    result = program.run("status", ID, *master.options)
    assert result.code == 7 and "the jar is not on the worker: no file /nope.jar" in one_line(result)


def test_the_reason_of_a_failure(program, double):
    log = b'Launch Command: "java"\n====\n\nException in thread "main" java.lang.X: why\n\tat a.b(C.java:1)\n'
    master = double(status=status("FAILED"), log=spark.log_page(log))
    master.set(json=spark.page(web=master.web))
    result = program.run("wait", ID, *master.options)
    assert result.code == 1 and result.err.endswith(f"FAILED: java.lang.X: why (tally logs {ID})\n")


SCRIPT_DIED = b'1\nTraceback (most recent call last):\n  File "a.py", line 3\n    raise X("y")\nValueError: my own words\n'


def two_logs(stderr, stdout):
    return lambda c, query: spark.log_page({"stderr": stderr, "stdout": stdout}[query["logType"][0]])(c, query)


def test_the_reason_of_a_script_is_in_its_output(program, double):
    """Where Spark sends a Python application's standard error (PythonRunner.scala)."""
    master = double(status=status("FAILED"), log=two_logs(b"INFO it ends\n", SCRIPT_DIED))
    master.set(json=spark.page(web=master.web))
    result = program.run("status", ID, *master.options)
    assert result.code == 1 and result.err.endswith(f"FAILED: ValueError: my own words (tally logs --stdout {ID})\n")
    master.set(log=two_logs(b"INFO it ends\n", b"1\n"))
    assert "the last line of its log: INFO it ends" in program.run("status", ID, *master.options).err


def test_wait_times_out(program, double):
    master = double(status=status("RUNNING"))
    began = time.monotonic()
    result = program.run("wait", ID, *master.options, "--timeout", "700ms")
    assert result.code == 9 and "RUNNING after" in result.err
    assert time.monotonic() - began < 10  # it is not a request's 15 s (HTTP_TOTAL_MS) that end it


def test_a_relaunched_driver_is_followed(program, double):
    """Its worker was lost: the master makes a new id and links the two nowhere."""
    new = "driver-20261121121300-0001"
    master = double(status=[status("RELAUNCHING"), status("FINISHED", driver=new)],
                    json=spark.page(drivers=[(new, "RUNNING", 1795263180000)], ended=[(ID, "RELAUNCHING")]))
    result = program.run("wait", ID, *master.options)
    assert result.code == 0 and f"goes on as {new}" in result.err and f"driver {new} is FINISHED" in result.err
    assert master.requests[-1][1].endswith(f"/status/{new}")


def test_a_relaunched_driver_among_others_is_lost(program, double):
    master = double(status=status("RELAUNCHING"),
                    json=spark.page(drivers=[("d1", "RUNNING", 1795263180000), ("d2", "RUNNING", 1795263190000)],
                                    ended=[(ID, "RELAUNCHING")]))
    assert program.run("wait", ID, *master.options).code == 8


def test_a_relaunched_driver_is_known_by_its_applications_name(program, double):
    """Jobs of ours all have the same main class. The newest log of that name is not there at once."""
    def log(connection, query):
        names = {ID: b"mine", "d1": b"mine" if master.count("status") > 3 else b"", "d2": b"other"}
        spark.log_page(b'Launch Command: "-Dspark.app.name=%s"\n' % names[query["driverId"][0]])(connection, query)
    master = double(status=[status("RUNNING"), *[status("RELAUNCHING")] * 3, status("FINISHED", driver="d1")], log=log)
    master.set(json=spark.page(web=master.web, drivers=[(ID, "RUNNING")]))
    master.routes["json"] += [spark.page(web=master.web, ended=[(ID, "RELAUNCHING")], drivers=[
        ("d1", "RUNNING", 1795263180000), ("d2", "RUNNING", 1795263190000), ("d0", "RUNNING", 1)])]
    master.routes["json"][:1] *= 4  # the application's name is asked for first
    result = program.run("wait", ID, *master.options)
    assert result.code == 0 and "goes on as d1" in result.err, result.err


@pytest.mark.parametrize("sig, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_while_a_master_is_silent(program, double, sig, code):
    master = double(status=spark.hang)
    running = program.start("wait", ID, *[str(o) for o in master.options])
    until(lambda: master.count("status"), SOON, "the request")
    assert running.stop(sig)[0] == code
    assert running.err.count("\n") == 1


def test_kill(program, double):
    master = double(kill=spark.KILLING, status=[status("RUNNING"), status("RUNNING"), status("KILLED")])
    result = program.run("kill", ID, *master.options)
    assert (result.code, result.out, result.err) == (0, f"{ID} KILLED\n", "")
    master = double(kill=spark.NOT_KILLED, status=status("FINISHED"))
    result = program.run("kill", ID, *master.options)
    assert result.code == 5 and "FINISHED" in one_line(result)


# ---- The page

def test_list(program, double):
    master = double(json=spark.page(drivers=[(ID, "RUNNING")], ended=[("driver-a", "FAILED", 1), ("driver-b", "KILLED", 2)],
                                    apps=[("app-1", "tally-gender", "RUNNING")]))
    out = program.run("list", *master.options).out
    assert re.search(rf"(?s)^spark://127.0.0.1:7077 ALIVE, 1 of 4 cores.*WORKER.*{spark.WORKER} +ALIVE +3 of +4 .*"
                     rf"{ID} +RUNNING.*driver-b +KILLED.*driver-a +FAILED.*app-1 +RUNNING.*tally-gender\n", out), out
    told = json.loads(program.run("list", *master.options, "--json").out)
    assert told["master"]["status"] == "ALIVE" and told["workers"][0]["coresFree"] == 3
    assert [d["id"] for d in told["drivers"]] == [ID, "driver-b", "driver-a"]
    assert told["applications"][0]["name"] == "tally-gender"


def test_list_of_a_master_that_does_not_lead(program, double):
    master = double(json=spark.page("RECOVERING"))
    result = program.run("list", *master.options)
    assert result.code == 5 and "RECOVERING" in one_line(result) and "RECOVERING" in result.out


@pytest.mark.parametrize("told", [spark.html(404, "x"), spark.answer("[]"), spark.answer('{"status":"ALIVE"}')], ids=str)
def test_no_page_of_a_master(program, double, told):
    result = program.run("list", *double(json=told).options)
    assert result.code == 5 and "--ui-port" in one_line(result)


# ---- Logs

TEXT = "".join(f"line {n} 女生 é 😀 {'x' * (n % 97)}\n" for n in range(3000)).encode()


@pytest.mark.parametrize("data", [b"", TEXT, TEXT + b"\xff\xfe no line end", b"\xe5\xa5\xb3" * 1000], ids=len)
def test_logs_are_the_bytes_of_the_file(program, double, data):
    """However the worker cuts them: here into pieces of 1000 bytes."""
    master = double(status=status("FINISHED"), log=spark.log_page(data, most=1000))
    master.set(json=spark.page(web=master.web))
    result = program.run("logs", ID, *master.options, text=False)
    assert result.code == 0, result.err
    assert result.out == data.decode("utf-8", "replace").encode()


@pytest.mark.parametrize("data", [TEXT, TEXT[:-1], b"a\n\n\nb", b"\n", b"", b"one"], ids=len)
@pytest.mark.parametrize("lines", [0, 1, 2, 40, 2999, 3000, 9999, "all"])
def test_the_tail_is_of_lines(tally, double, data, lines):
    """However many pages it takes: here pieces of 1000 bytes, which begin within characters."""
    master = double(status=status("FINISHED"), log=spark.log_page(data, most=1000))
    master.set(json=spark.page(web=master.web))
    out = tally.run("logs", ID, *master.options, "--tail", lines, text=False).out
    rows = data.splitlines(keepends=True)
    assert out == b"".join(rows if lines == "all" else rows[len(rows) - min(lines, len(rows)):])


def test_a_worker_whose_name_is_unknown_here(program, double):
    """Containers' names: the port is published where the master's is."""
    master = double(status=status("FINISHED"), log=spark.log_page(b"hello\n"))
    master.set(json=spark.page(web=f"http://nope.invalid:{master.ui}"))
    assert program.run("logs", ID, *master.options).out == "hello\n"
    master.set(json=spark.page(web="http://nope.invalid:1"), log=lambda connection, _: connection.sendall(spark.html(404, "x")))
    result = program.run("logs", ID, *master.options)
    assert result.code == 4 and re.search("nope.invalid:1: .*127.0.0.1:1: .*/proxy/", one_line(result))


def test_logs_of_a_driver_that_never_ran(program, double):
    missing = spark.answer(f"==== Bytes 0-0 of 0 of /w/{ID}/stderr ====\nError: invalid log directory /w/{ID}/")
    master = double(status=status("ERROR"), log=lambda connection, _: connection.sendall(missing))
    master.set(json=spark.page(web=master.web))
    assert program.run("logs", ID, *master.options).out == ""


def test_logs_through_the_masters_proxy(program, double):
    """spark.ui.reverseProxy: the worker's own address may lead nowhere."""
    master = double(status=status("FINISHED"), log=spark.log_page(b"hello\n"))
    master.set(json=spark.page(web="http://nope.invalid:1"))
    assert program.run("logs", ID, *master.options).out == "hello\n"
    assert master.requests[-1][1] == f"/proxy/{spark.WORKER}/log/"


def test_a_log_that_grows_while_it_is_read(program, double):
    """Without -f there is an end."""
    told = [spark.log_page(b"a\n" * n * 100000) for n in range(1, 50)]
    master = double(status=status("RUNNING"), log=told)
    master.set(json=spark.page(web=master.web))
    assert program.run("logs", ID, *master.options).out == "a\n" * 100000


# How a log may change beneath its reader, from one look to the next; and what must have been printed at the end.
MOVED = {
    "oldest file deleted": ([TEXT[:20000], TEXT[7000:30000], TEXT[7000:]], TEXT),
    "deleted and grown beyond": ([TEXT[:20000], TEXT[7000:60000], TEXT[30000:]], TEXT),
    "begun anew": ([b"one\ntwo\n", b"three\n", b"three\nfour\n"], b"one\ntwo\nthree\nfour\n"),
    "emptied and filled": ([b"one\ntwo\n", b"", b"three\n"], b"one\ntwo\nthree\n"),
    "bytes that are no text": ([b"\xff\xfe\n" * 9, b"\xff\xfe\n" * 9 + b"x\n"], b"\xff\xfe\n" * 9 + b"x\n"),
}


@pytest.mark.parametrize("name", MOVED)
def test_no_line_is_lost_or_repeated(program, double, name):
    versions, wanted = MOVED[name]
    seen = []

    def log(connection, query):
        spark.log_page(versions[min(master.count("status") - 1, len(versions) - 1)])(connection, query)
        seen.append(query)
    master = double(status=[status("RUNNING")] * len(versions) + [status("FINISHED")], log=log)
    master.set(json=spark.page(web=master.web))
    out = program.run("logs", "-f", ID, *master.options, text=False).out
    assert out == wanted.decode("utf-8", "replace").encode()


def test_a_worker_that_restarts_while_its_log_is_followed(program, double):
    def gone(connection, _):
        connection.sendall(spark.html(503, "x"))
    master = double(status=[status("RUNNING")] * 4 + [status("FINISHED")],
                    log=[spark.log_page(b"one\n"), spark.log_page(b"one\n"), gone, gone, spark.log_page(b"one\ntwo\n")])
    master.set(json=spark.page(web=master.web))
    result = program.run("logs", "-f", ID, *master.options)
    assert (result.code, result.out) == (0, "one\ntwo\n")


EXECUTORS = {"0": b"zero\n" * 3, "1": "one 女\n".encode() * 3}


def with_executors(double, **told):
    def log(connection, query):
        data = b'Launch Command: "java" "-Dspark.app.name=tally-gender"\n' if "driverId" in query else (
            EXECUTORS[query["executorId"][0]] if query["appId"] == ["app-1"] else b"")
        spark.log_page(data)(connection, query)
    master = double(status=status("RUNNING"), log=log, app=spark.app_page([("1", "EXITED"), ("0", "RUNNING")]))
    master.set(json=spark.page(web=master.web, drivers=[(ID, "RUNNING")], apps=[("app-1", "tally-gender", "RUNNING")]), **told)
    return master


@pytest.mark.parametrize("what", ["app-1", ID])
@pytest.mark.parametrize("more, out", [
    (["1"], "one 女\n" * 3),
    (["0", "--tail", "1"], "zero\n"),
    (["all", "--tail", "2"], f"==> executor 0 on {spark.WORKER} <==\nzero\nzero\n\n"
                             f"==> executor 1 on {spark.WORKER} <==\none 女\none 女\n"),
], ids=str)
def test_logs_of_executors(program, double, what, more, out):
    result = program.run("logs", "--executor", *more, what, *with_executors(double).options)
    assert (result.code, result.out, result.err) == (0, out, "")


@pytest.mark.parametrize("args, told, code, text", [
    (["7", "app-1"], {}, 5, "no executor 7: it has had 2"),
    (["0", "app-9"], {}, 5, "no driver or application app-9"),
    (["0", "app-1"], {"app": spark.NO_APP}, 5, "no application app-1"),
    (["x", "app-1"], {}, 2, "number, or all"),
    (["0", ID], {"log": lambda connection, _: connection.sendall(spark.html(500, "x"))}, 5, "application of driver"),
], ids=str)
def test_no_logs_of_executors(program, double, args, told, code, text):
    result = program.run("logs", "--executor", *args, *with_executors(double, **told).options)
    assert result.code == code and re.search(text, one_line(result)) and result.out == ""


def test_executors_of_the_application_in_the_drivers_log(program, double):
    master = with_executors(double)
    others = master.routes["log"][0]

    def log(connection, query):
        (spark.log_page(CONNECTED) if "driverId" in query else others)(connection, query)
    master.set(log=log, json=spark.page(web=master.web, drivers=[(ID, "RUNNING")], apps=BY_ITS_LOG["another of that name"]))
    result = program.run("logs", "--executor", "1", ID, *master.options)
    assert (result.code, result.out, result.err) == (0, "one 女\n" * 3, "")


def test_following_executors_ends_with_the_application(program, double):
    master = with_executors(double)
    master.set(json=[*[master.routes["json"][0]] * 4, spark.drop, spark.page(web=master.web)])
    result = program.run("logs", "-f", "--executor", "1", "app-1", *master.options)
    assert (result.code, result.out) == (0, "one 女\n" * 3)


@pytest.mark.parametrize("args, text", [(["--tail", "-1"], "number of lines, or all"), (["--tail", "x"], "lines, or all"),
                                        (["--stdout", "--stderr"], "one at a time")], ids=str)
def test_logs_refused(program, double, args, text):
    result = program.run("logs", ID, "-m", "spark://127.0.0.1", *args)
    assert result.code == 2 and text in one_line(result)


def test_following_logs(program, double):
    master = double(status=[status("RUNNING")] * 3 + [status("FINISHED")],
                    log=[spark.log_page(b"one\n"), spark.log_page(b"one\ntwo\n"), spark.log_page(b"one\ntwo\nthree")])
    master.set(json=spark.page(web=master.web))
    result = program.run("logs", "-f", ID, *master.options)
    assert (result.code, result.out) == (0, "one\ntwo\nthree")


def test_logs_go_on_where_the_driver_is_started_anew(program, double):
    def log(connection, query):
        logs = {ID: b"one\ntwo\n", OTHER: b"three\nfour\n"}
        spark.log_page(logs[query["driverId"][0]])(connection, query)
    master = double(status=[status("RUNNING"), status("RELAUNCHING"), status("FINISHED", driver=OTHER)], log=log)
    master.set(json=spark.page(web=master.web, drivers=[(OTHER, "RUNNING", 1795263180000)], ended=[(ID, "RELAUNCHING")]))
    result = program.run("logs", "-f", "--tail", 1, ID, *master.options)
    assert (result.code, result.out) == (0, "two\nthree\nfour\n") and f"goes on as {OTHER}" in one_line(result)


def test_following_ends_by_ctrl_c(program, double):
    master = double(status=status("RUNNING"), log=spark.log_page(b"one\n"))
    master.set(json=spark.page(web=master.web))
    running = program.start("logs", "-f", ID, *[str(o) for o in master.options])
    running.wait_for("one", "out")
    assert running.stop()[0] == 0 and running.out == "one\n"


# ---- Staying with what was submitted

def waiting(double, states, log=b"", **told):
    master = double(create=spark.CREATED, kill=spark.KILLING, status=states, log=spark.log_page(log))
    master.set(json=[spark.page(web=master.web), spark.page(web=master.web, drivers=[(ID, "RUNNING")], **told)])
    return master


def test_wait_running(program, double):
    master = waiting(double, status("RUNNING"), apps=[("app-1", "tally-gender", "RUNNING")])
    result = program.run(*JOB, *master.options, "--wait-running")
    assert (result.code, result.out) == (0, ID + "\n") and "app-1" in one_line(result)
    assert master.count("kill") == 0


def test_wait_running_for_an_application_that_names_itself(program, double):
    """By SparkSession's appName, which wins over every setting."""
    log = LAUNCHED + b"x INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-1\n"
    master = waiting(double, status("RUNNING"), log, apps=[("app-1", "its own", "RUNNING")])
    result = program.run(*JOB, *master.options, "--wait-running", "--timeout", "20s")
    assert (result.code, result.out) == (0, ID + "\n") and "app-1 (its own)" in one_line(result)


def test_the_jobs_own_error_ends_it(program, double):
    log = b"Launch Command: x\nINFO a\ntally-job: error: topic 'sex' is not there: create it\nINFO b\n"
    master = waiting(double, [status("RUNNING"), status("RUNNING"), status("KILLED")], log)
    result = program.run(*JOB, *master.options, "--supervise", "--wait-running")
    assert result.code == 1 and one_line(result) == "tally: topic 'sex' is not there: create it\n"
    assert master.count("kill") == 1


def test_restarting_again_and_again_ends_it(program, double):
    log = b'Launch Command: x\nException in thread "main" java.lang.X: why\n\tat y\n' * 3
    master = waiting(double, [status("RUNNING"), status("KILLED")], log)
    result = program.run(*JOB, *master.options, "--supervise", "--wait-running")
    assert result.code == 1 and "java.lang.X: why" in one_line(result) and master.count("kill") == 1


CONNECTED = b"x INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-1\n"
# What the master lists beside, or instead of, an application of the name that was asked for; the log tells of app-1.
BY_ITS_LOG = {"another of that name": [("app-2", "tally-gender", "RUNNING"), ("app-1", "tally-gender", "RUNNING")],
              "a name of its own": [("app-1", "as the program says", "RUNNING")]}


@pytest.mark.parametrize("apps", BY_ITS_LOG.values(), ids=list(BY_ITS_LOG))
def test_the_application_is_the_one_of_the_drivers_log(program, double, apps):
    master = waiting(double, status("RUNNING"), CONNECTED, apps=apps)
    result = program.run(*JOB, *master.options, "--no-preflight", "--wait-running", "--timeout", "5s")
    assert result.code == 0 and f"app-1 ({apps[-1][1]}) is RUNNING" in one_line(result)
    master = followed(double, [status("RUNNING"), status("FINISHED")], LAUNCHED + CONNECTED, apps)
    for line in (["wait", ID], [*JOB, "--no-preflight", "--follow"]):
        master.set(status=[*[status("RUNNING")] * 2, status("FINISHED")])
        result = program.run(*line, *master.options)
        assert result.code == 0 and f"app-1 ({apps[-1][1]}) is RUNNING" in result.err and "app-2" not in result.err, result.err


def test_a_script_that_restarts_again_and_again(program, double):
    master = waiting(double, [status("RUNNING"), status("KILLED")])
    master.set(log=two_logs(b"Launch Command: x\nINFO it ends\n" * 3, SCRIPT_DIED * 2))
    result = program.run(*JOB, *master.options, "--supervise", "--wait-running")
    assert result.code == 1 and one_line(result).endswith("failed 2 times: ValueError: my own words\n")


@pytest.mark.parametrize("state, code", ENDS[1:4])
def test_a_driver_that_does_not_get_there(program, double, state, code):
    master = waiting(double, [status("SUBMITTED"), status(state, spark.NO_JAR if state == "ERROR" else None)])
    result = program.run(*JOB, *master.options, "--wait-running")
    assert result.code == code and one_line(result)


def test_no_cores_are_free(tally, double):
    master = waiting(double, status("SUBMITTED"), free=0)
    master.set(status=[status("SUBMITTED")] * 22 + [status("KILLED")])
    result = tally.run(*JOB, *master.options, "--wait-running")
    assert result.code == 5 and re.search("driver asks for 1 core.*0 of 4 cores", one_line(result))
    assert master.count("kill") == 1


# Judged once the application has registered and has had no executor for 10 s: (more, exit code, what is said)
WITHOUT_EXECUTORS = {
    "room": (["--no-preflight", "--executor-cores", "2"], 0, ""),
    "no worker has the cores": (["--executor-cores", "3", "--total-executor-cores", "6"], 5,
                                "application asks for 3 cores and 1024 MiB on one worker; free: 2 of 4 cores"),
    "more than all may have": (["--no-preflight", "--executor-cores", "3", "--total-executor-cores", "2"], 5, "could ever start.*3 cores.*take 2"),
}


@pytest.mark.parametrize("more, code, text", WITHOUT_EXECUTORS.values(), ids=list(WITHOUT_EXECUTORS))
def test_no_executor_can_start(tally, double, more, code, text):
    master = waiting(double, status("RUNNING"), apps=[("app-1", "tally-gender", "WAITING")], free=2)
    master.routes["json"][0] = spark.page(web=master.web, workers=2)  # preflight's
    master.set(status=[status("RUNNING")] * 22 + [status("KILLED")])
    result = tally.run(*JOB, *master.options, "--wait-running", *more)
    assert result.code == code and re.search(text, result.err), result.err
    assert master.count("kill") == bool(code)


@pytest.mark.parametrize("state, apps", [("SUBMITTED", []), ("RUNNING", [("app-1", "tally-gender", "WAITING")])], ids=str)
def test_room_is_waited_for_without_preflight(tally, double, state, apps):
    """As the refusal says of --no-preflight."""
    master = waiting(double, [*[status(state)] * 24, status("RUNNING")])
    full = {"web": master.web, "free": 0, "drivers": [(ID, state)]}
    master.set(json=[*[spark.page(**full, apps=apps)] * 24, spark.page(**full, apps=[("app-1", "tally-gender", "RUNNING")])])
    result = tally.run(*JOB, *master.options, "--no-preflight", "--wait-running")
    assert result.code == 0 and "app-1" in result.err and master.count("kill") == 0, result.err


def test_an_executor_a_moment_later(tally, double):
    """The time that an application may go without one begins when it has registered."""
    master = waiting(double, status("RUNNING"))
    full, rows = {"web": master.web, "free": 0, "drivers": [(ID, "RUNNING")]}, [("app-1", "tally-gender", "WAITING")]
    master.set(json=[*[spark.page(**full)] * 22, *[spark.page(**full, apps=rows)] * 3,
                     spark.page(**full, apps=[("app-1", "tally-gender", "RUNNING")])])
    result = tally.run(*JOB, *master.options, "--no-preflight", "--wait-running")
    assert result.code == 0 and "app-1" in result.err and master.count("kill") == 0, result.err


def test_following_ends_with_the_driver(program, double):
    master = waiting(double, [status("RUNNING"), status("RUNNING"), status("FAILED")],
                     apps=[("app-1", "tally-gender", "RUNNING")])
    result = program.run(*JOB, *master.options, "--follow")
    assert result.code == 1 and "FAILED" in result.err


def test_wait_running_times_out(program, double):
    master = waiting(double, status("RUNNING"))
    result = program.run(*JOB, *master.options, "--wait-running", "--timeout", "1s")
    assert result.code == 9 and master.count("kill") == 0


def test_unless_running(program, double):
    master = waiting(double, status("RUNNING"))
    master.set(json=spark.page(apps=[("app-1", "tally-gender", "RUNNING")]))
    result = program.run(*JOB, *master.options, "--unless-running")
    assert (result.code, result.out) == (0, "") and re.search("tally-gender.*app-1", one_line(result))
    assert master.count("create") == 0
    assert program.run(*JOB, *master.options, "--unless-running", "--name", "other").out == ID + "\n"


def test_unless_running_waits_for_one_that_starts(program, double):
    """Its application has no name before it registers."""
    master = double(create=spark.CREATED, json=spark.page(drivers=[(ID, "RUNNING")]))
    running = program.start(*JOB, *master.options, "--unless-running")
    until(lambda: master.count("json") >= 3, SOON, "looks at the page")
    assert running.process.poll() is None and master.count("create") == 0
    master.set(json=spark.page(drivers=[(ID, "RUNNING")], apps=[("app-7", "tally-gender", "RUNNING")]))
    assert running.wait() == 0 and re.search("tally-gender.*app-7", running.err)
    assert master.count("create") == 0


@only_all  # a minute: so long an application may take to register
@pytest.mark.parametrize("name, creates", [("tally-gender", 0), ("tally-action", 1)])
def test_unless_running_a_driver_that_starts_for_long(program, double, name, creates):
    master = double(create=spark.CREATED, log=spark.log_page(LAUNCHED.replace(b"tally-gender", name.encode())))
    master.set(json=spark.page(web=master.web, drivers=[("driver-1", "RUNNING")]))
    result = program.run(*JOB, *master.options, "--unless-running", "--json", timeout=90)
    assert result.code == 0 and master.count("create") == creates
    assert json.loads(result.out) == {"id": ID if creates else None, "name": "tally-gender", "application": None}
    assert ("driver-1: nothing is submitted" in result.err) == (not creates)


# ---- spark-submit's own words

LINE = ["submit", "--dry-run", "-m", "spark://h", "--deploy-mode", "cluster", "--class", "A"]


def dry_run(program, *args, **options):
    result = program.run(*LINE, *args, **options)
    assert result.code == 0, result.err
    return json.loads(result.out), result.err


# option, value: the properties it makes
MADE = {
    ("--jars", "/a.jar,/b.jar"): {"spark.jars": "/root/x.jar,/a.jar,/b.jar"},
    ("--packages", "g:a:1"): {"spark.jars.packages": "g:a:1"},
    ("--exclude-packages", "g:a"): {"spark.jars.excludes": "g:a"},
    ("--repositories", "https://r"): {"spark.jars.repositories": "https://r"},
    ("--py-files", "/a.py"): {"spark.submit.pyFiles": "/a.py"},
    ("--files", "/a,/b"): {"spark.files": "/a,/b"},
    ("--archives", "/a.zip#a"): {"spark.archives": "/a.zip#a"},
    ("--conf", "spark.a=b=c"): {"spark.a": "b=c"},
    ("-c", "spark.a=b"): {"spark.a": "b"},
    ("--name", "女 1"): {"spark.app.name": "女 1"},
    ("--driver-memory", "2G"): {"spark.driver.memory": "2G"},
    ("--driver-cores", "2"): {"spark.driver.cores": "2"},
    ("--driver-java-options", "-Da=b -Dc=d"): {"spark.driver.extraJavaOptions": ...},
    ("--driver-class-path", "/a:/b"): {"spark.driver.extraClassPath": "/a:/b"},
    ("--driver-library-path", "/l"): {"spark.driver.extraLibraryPath": "/l"},
    ("--executor-memory", "600m"): {"spark.executor.memory": "600m"},
    ("--executor-cores", "2"): {"spark.executor.cores": "2"},
    ("--total-executor-cores", "4"): {"spark.cores.max": "4"},
    ("--supervise",): {"spark.driver.supervise": "true"},
    ("--driver-memory=1g",): {"spark.driver.memory": "1g"},
    ("--verbose",): {},
}


@pytest.mark.parametrize("option", MADE, ids=" ".join)
def test_what_an_option_becomes(tally, option):
    request, _ = dry_run(tally, *option, "/root/x.jar")
    properties = request["sparkProperties"]
    usual = {"spark.app.name": "A", "spark.driver.supervise": "false", "spark.submit.deployMode": "cluster",
             "spark.jars": "/root/x.jar", "spark.sql.streaming.metricsEnabled": "true"}
    java = properties.pop("spark.driver.extraJavaOptions")
    made = dict(MADE[option])
    assert java.endswith(" -Da=b -Dc=d" if made.pop("spark.driver.extraJavaOptions", 0) else "useDirectMethodHandle=false")
    assert properties == {**usual, **made}


# Which of several holds: as both versions of spark-submit were seen to send it.
PRECEDENCE = {
    "an option of its own beats --conf before it": ("--conf spark.executor.memory=5g --executor-memory 6g",
                                                    "spark.executor.memory", "6g"),
    "and behind it": ("--executor-memory 6g --conf spark.executor.memory=5g", "spark.executor.memory", "6g"),
    "the driver's cores, too": ("--driver-cores 2 --conf spark.driver.cores=3", "spark.driver.cores", "2"),
    "of the driver's memory the last holds": ("--driver-memory 1g --conf spark.driver.memory=2g", "spark.driver.memory", "2g"),
    "in either order": ("--conf spark.driver.memory=2g --driver-memory 1g", "spark.driver.memory", "1g"),
    "--name beats --conf": ("--name n --conf spark.app.name=m", "spark.app.name", "n"),
    "--conf beats the file": ("--properties-file p.conf --conf spark.x=line", "spark.x", "line"),
    "the file beats no defaults": ("--properties-file p.conf", "spark.y", None),
    "the file beats the defaults": ("--properties-file p.conf --load-spark-defaults", "spark.x", "file"),
    "what only the defaults have": ("--properties-file p.conf --load-spark-defaults", "spark.y", "defaults"),
    "without a file, the defaults": ("", "spark.x", "defaults"),
    "the last --conf": ("--conf spark.x=1 -c spark.x=2", "spark.x", "2"),
    "the environment is weaker than --conf": ("--conf spark.executor.cores=3", "spark.executor.cores", "3"),
    "and than the option": ("--executor-cores 4", "spark.executor.cores", "4"),
    "but stronger than a file": ("--properties-file p.conf", "spark.executor.cores", "7"),
}


@pytest.mark.parametrize("name", PRECEDENCE)
def test_which_setting_holds(tally, tmp_path, name):
    line, key, value = PRECEDENCE[name]
    (tmp_path / "spark-defaults.conf").write_text("spark.x defaults\nspark.y=defaults\n")
    (tmp_path / "p.conf").write_text("spark.x : \\\n   file\nspark.executor.cores 6\n")
    request, said = dry_run(tally, *line.split(), "/root/x.jar",
                            env={"SPARK_CONF_DIR": str(tmp_path), "TALLY_EXECUTOR_CORES": "7"})
    assert request["sparkProperties"].get(key) == value and said == ""


def test_properties_that_are_not_sparks(tally, tmp_path):
    (tmp_path / "p.conf").write_text("mine=1\nspark.x=\\u5973\n")
    request, said = dry_run(tally, "--properties-file", "p.conf", "x.jar")
    assert request["sparkProperties"]["spark.x"] == "女" and "mine" not in request["sparkProperties"]
    assert re.search("p.conf: mine .*left out\n$", said)


@pytest.mark.parametrize("content, code, text", [
    (b"spark.a=\\u12\n", 3, "p.conf.*four hexadecimal"),
    (b"spark.a=x\\u0000y\n", 3, "p.conf.*spark.a holds a NUL"),
    (b"spark.a=\xff\n", 2, "spark.a is not UTF-8"),
    (b"#" * (1 << 20) + b"\n", 3, "p.conf: longer than 1048576"),
    (None, 3, "p.conf: No such file"),
], ids=["unicode", "NUL", "UTF-8", "long", "missing"])
def test_properties_files_that_cannot_be(tally, tmp_path, content, code, text):
    if content is not None:
        (tmp_path / "p.conf").write_bytes(content)
    result = tally.run(*LINE, "--properties-file", "p.conf", "x.jar")
    assert result.code == code and re.search(text, one_line(result)) and result.out == ""


@pytest.mark.parametrize("line, text", [
    ("--proxy-user u", "proxy-user.*drops it"), ("--principal p", "principal.*kinit"), ("--keytab f", "keytab.*kinit"),
    ("--remote sc://h", "Spark Connect"), ("--deploy-mode client", "client.*spark-submit"),
    ("-m yarn", "for YARN use spark-submit"), ("-m k8s://https://h", "for Kubernetes use spark-submit"),
    ("-m local[2]", "for client mode use spark-submit"), ("-m localhost:7077", "begin with spark://"),
    ("--executor-memory 1.5g", "1.5g.*whole number"), ("--driver-memory 512", "512.*unit"), ("--executor-memory 0g", "0g"),
    ("--conf spark.driver.memory=1024", "spark.driver.memory '1024'.*bytes"), ("--driver-cores 0", "driver-cores '0'"),
    ("--executor-cores x", "executor-cores 'x'"), ("--total-executor-cores 1.5", "1.5"),
    ("--conf spark.submit.deployMode=client", "spark.submit.deployMode client: .*--deploy-mode cluster"),
    ("--driver-java-options -Xmx2g", "spark.driver.*-Xmx2g.*use --driver-memory"),
    ("--conf spark.executor.extraJavaOptions=-Xmx2g", "spark.executor.*-Xmx2g.*use --executor-memory"),
    ("--conf spark.executor.extraJavaOptions=-Dspark.a=b", "spark.executor.*-Dspark.a=b.*use --conf"),
    ("--conf spark.cores.max=0", "spark.cores.max '0'"), ("--name ''", "name is empty"),
    ("--drivermemory 1g", "no option --drivermemory: did you mean --driver-memory\\?"),
    ("--drvier-memory=1g", "no option --drvier-memory=1g: did you mean --driver-memory\\?"),
    ("--total-executors-core 1", "did you mean --total-executor-cores"), ("--nonsense-of-mine", "see tally submit --help"),
    ("--kill a --status b", "alone"), ("--status a b.jar", "alone"),
])
def test_what_is_refused(tally, line, text):
    args = [a.strip("'") for a in line.split(" ")]
    result = tally.run("submit", "-m", "spark://h", "--class", "A", *args, *(["x.jar"] if "alone" != text else []))
    assert result.code == 2 and re.search(text, one_line(result)), result.err


def test_no_option_of_another_command(tally):
    result = tally.run("list", "--jason")
    assert result.code == 2 and "did you mean --json?" in one_line(result)


# What is here: h/1.jar, h/2.jar and the folder h/3.jar. Arguments of submit: the request's part. As both versions of
# spark-submit send it, but that they put "file:" before each path and the application behind --jars, take no Python
# (its path likewise), and make a folder of the blank behind a comma. FOLDER: the one it is called in.
PATHS = {
    ("rel.jar",): ("appResource", "FOLDER/rel.jar"),
    ("./rel.jar",): ("appResource", "FOLDER/rel.jar"),
    ("--no-serve", "h/1.jar"): ("appResource", "FOLDER/h/1.jar"),
    ("/my app.jar",): ("appResource", "file:/my%20app.jar"),
    ("my app.jar",): ("appResource", "file:FOLDER/my%20app.jar"),
    ("/100%.jar",): ("appResource", "file:/100%25.jar"),
    ("/a[1]?.jar",): ("appResource", "file:/a%5B1%5D%3F.jar"),
    ("/女.jar",): ("appResource", "/女.jar"),
    ("file:/a.jar",): ("appResource", "file:/a.jar"),
    ("hdfs://n/a%20b.jar",): ("appResource", "hdfs://n/a%20b.jar"),
    ("rel.py",): ("script", "FOLDER/rel.py"),
    ("--files", "rel,/f,local:/l,http://h/f", "/x.jar"): ("spark.files", "FOLDER/rel,/f,local:/l,http://h/f"),
    ("--files", ",/a,, /b,", "/x.jar"): ("spark.files", "/a,/b"),
    ("--files", "/a b", "/x.jar"): ("spark.files", "/a b"),
    ("--conf", "spark.files=rel", "/x.jar"): ("spark.files", "FOLDER/rel"),
    ("--archives", "e.zip#e", "/x.jar"): ("spark.archives", "FOLDER/e.zip#e"),
    ("--py-files", "m.py", "/x.py"): ("spark.submit.pyFiles", "FOLDER/m.py"),
    ("--jars", "h/*.jar", "/x.jar"): ("spark.jars", "/x.jar,FOLDER/h/1.jar,FOLDER/h/2.jar"),
    ("--conf", "spark.jars=h/*.jar,/z.jar", "/x.jar"): ("spark.jars", "/x.jar,FOLDER/h/1.jar,FOLDER/h/2.jar,/z.jar"),
    ("--jars", "", "/x.jar"): ("spark.jars", "/x.jar"),
    ("--files", "", "/x.jar"): ("spark.files", ""),
    ("--packages", "", "/x.jar"): ("spark.jars.packages", ""),
}


@pytest.mark.parametrize("args", PATHS, ids=" ".join)
def test_paths_are_sent_as_spark_submit_does(tally, tmp_path, args):
    (tmp_path / "h/3.jar").mkdir(parents=True)
    for name in ("1.jar", "2.jar"):
        (tmp_path / "h" / name).write_text("x")
    part, expected = PATHS[args]
    request, said = dry_run(tally, *args)
    request["script"] = (request["appArgs"] or [None])[-1]
    found = request[part] if part in request else request["sparkProperties"][part]
    assert (json.loads(json.dumps(found).replace(str(tmp_path), "FOLDER")), said) == (expected, "")


def test_a_pattern_that_nothing_matches(tally):
    request, said = dry_run(tally, "--jars", "/nope/*.jar,/a.jar", "/x.jar")
    assert request["sparkProperties"]["spark.jars"] == "/x.jar,/a.jar"
    assert re.search(r"spark.jars: no file here matches /nope/\*.jar: it is left out", said) and said.count("\n") == 1


def test_what_is_no_setting_of_sparks(tally):
    request, said = dry_run(tally, "--conf", "sparkling=1", "-c", "my.password=secret", "-c", "spark.a=b", "/x.jar")
    assert request["sparkProperties"]["spark.a"] == "b" and not {"sparkling", "my.password"} & set(request["sparkProperties"])
    assert said.count("left out") == 2 and "my.password" in said and "secret" not in said


# environment, line: the setting and what it is
ENVIRONMENT = {
    "driver's memory": ({"SPARK_DRIVER_MEMORY": "3g"}, "", "spark.driver.memory", "3g"),
    "executors' memory": ({"SPARK_EXECUTOR_MEMORY": "3g"}, "", "spark.executor.memory", "3g"),
    "executors' cores": ({"SPARK_EXECUTOR_CORES": "3"}, "", "spark.executor.cores", "3"),
    "weaker than the option": ({"SPARK_EXECUTOR_MEMORY": "3g"}, "--executor-memory 2g", "spark.executor.memory", "2g"),
    "weaker than --conf": ({"SPARK_EXECUTOR_CORES": "3"}, "--conf spark.executor.cores=2", "spark.executor.cores", "2"),
    "weaker than a file": ({"SPARK_DRIVER_MEMORY": "3g"}, "--properties-file p.conf", "spark.driver.memory", "1g"),
    "empty": ({"SPARK_EXECUTOR_MEMORY": ""}, "", "spark.executor.memory", None),
    "its mode is weaker than the line's": ({"DEPLOY_MODE": "client"}, "", "spark.submit.deployMode", "cluster"),
}


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_what_spark_submit_takes_from_the_environment(tally, tmp_path, name):
    env, line, key, value = ENVIRONMENT[name]
    (tmp_path / "p.conf").write_text("spark.driver.memory 1g\n")
    request, _ = dry_run(tally, *line.split(), "/x.jar", env=env)
    assert request["sparkProperties"].get(key) == value


@pytest.mark.parametrize("env, args, code, text", [
    ({"MASTER": "spark://127.0.0.1:1,127.0.0.2:1"}, [], 0, '"spark.master":"spark://127.0.0.1:1,127.0.0.2:1"'),
    ({"MASTER": "spark://a:1"}, ["-m", "spark://b:1,c:1"], 0, '"spark.master":"spark://b:1,c:1"'),
    ({"MASTER": "spark://a:1"}, ["-c", "spark.master=spark://b:1,c:1"], 0, '"spark.master":"spark://b:1,c:1"'),
    ({"MASTER": "yarn"}, [], 2, "for YARN use spark-submit"), ({"MASTER": ""}, [], 2, "where is Spark"),
    ({"MASTER": "spark://a:1", "DEPLOY_MODE": "client"}, [], 2, "DEPLOY_MODE client: .*--deploy-mode cluster"),
    ({"DEPLOY_MODE": "client"}, ["-m", "spark://a:1", "-c", "spark.submit.deployMode=cluster"], 0, '"cluster"'),
])
def test_its_master_and_mode(tally, env, args, code, text):
    result = tally.run("submit", "--dry-run", *args, "--class", "A", "/x.jar", env=env)
    assert result.code == code and re.search(text, result.out + result.err), result


@pytest.mark.parametrize("line", ["--num-executors 4", "--queue q"])
def test_what_is_left_out(tally, line):
    request, said = dry_run(tally, *line.split(), "x.jar")
    assert line.split()[0] in said and "standalone" in said
    assert not set(request["sparkProperties"]) & {"spark.executor.instances", "spark.yarn.queue"}


def test_options_that_only_tell(program, double):
    assert re.fullmatch(r"tally \S+\n", program.run("submit", "--version").out)
    master = double(kill=spark.KILLING, status=[status("RUNNING"), status("KILLED")])
    assert program.run("submit", *master.options, "--status", ID).out == f"{ID} RUNNING {spark.WORKER}\n"
    assert program.run("submit", *master.options, "--kill", ID).out == f"{ID} KILLED\n"
    assert program.run("submit", *master.options, "--status", "a b").code == 2


@pytest.mark.parametrize("version, opens", [("3.5.1", True), ("4.2.0", False), (None, True)])
def test_a_python_application(program, double, version, opens):
    """spark-submit runs once more, in the driver; there it needs to be told its master, and all else that is set: but for
    what the master fills in."""
    told = spark.answer({"action": "ErrorResponse", "serverSparkVersion": version, "message": "x"}, 400)
    page = {"json": spark.page(url="spark://inside:7077"), "version": told} if version else {}
    master = double(create=spark.CREATED, **page)
    result = program.run("submit", *master.options, "--deploy-mode", "cluster", "--py-files", "/m.py", "--files", "/f",
                         "--packages", "g:a:1", "--repositories", "http://r", "--exclude-packages", "g:b",
                         "--conf", "spark.my.own={{NAME}}", "/root/app.py", "--name", "x")
    assert (result.code, result.err) == (0, "")
    request = master.created()
    assert request["appResource"] == "" and request["mainClass"] == "org.apache.spark.deploy.SparkSubmit"
    *options, script, name, x = request["appArgs"]
    assert (script, name, x) == ("/root/app.py", "--name", "x")
    assert options[:4] == ["--master", "spark://inside:7077" if version else "spark://127.0.0.1:7077", "--deploy-mode", "client"]
    told = [f"{name}={value}" for name, value in request["sparkProperties"].items() if name != "spark.my.own"]
    assert options[4::2] == ["--conf"] * len(told) and sorted(options[5::2]) == sorted(told)
    assert {"spark.submit.pyFiles=/m.py", "spark.files=/f", "spark.jars.packages=g:a:1", "spark.jars.excludes=g:b",
            "spark.jars.repositories=http://r"} <= set(told)
    assert request["sparkProperties"]["spark.app.name"] == "app.py" and "spark.jars" not in request["sparkProperties"]
    assert ("spark.driver.extraJavaOptions" in request["sparkProperties"]) == opens


def test_an_application_in_r(tally):
    result = tally.run(*LINE, "x.R")
    assert result.code == 2 and "client mode" in one_line(result)


@pytest.mark.parametrize("what", ["kill", "status"])
def test_dry_run_is_for_submissions(program, double, what):
    master = double(kill=spark.KILLING, status=status("RUNNING"))
    result = program.run("submit", "--dry-run", f"--{what}", ID, *master.options)
    assert result.code == 2 and "--dry-run" in one_line(result) and master.requests == []


def test_dry_run_asks_nothing(program, double):
    master = double(create=spark.CREATED, json=spark.page())
    result = program.run(*JOB, *master.options, "--dry-run")
    assert result.code == 0 and result.err == "" and result.out.count("\n") == 1
    assert json.loads(result.out)["mainClass"] == "tally.WindowedCount" and master.requests == []


# What is there only once it is sent: the jar itself before --jars, URLs in the place of local paths, Java options before 4.0.
GROWN = {
    "the application's jar": ("spark.jars", ["--jars", "/" + "j" * 131050, "/root/x.jar"]),
    "a script's files": ("spark.submit.pyFiles", ["--py-files", "/" + "p" * 131000 + ",m.py", "/root/x.py"]),
    "Java options": ("spark.driver.extraJavaOptions", ["--driver-java-options", "-D" + "x" * 130900, "/root/x.jar"]),
}


@pytest.mark.parametrize("name", GROWN)
def test_what_is_too_long_once_it_is_sent(program, double, name, tmp_path):
    told, line = GROWN[name]
    (tmp_path / "m.py").write_text("x = 1\n")
    master = double(create=spark.CREATED, json=spark.page())
    args = ["--deploy-mode", "cluster", "--class", "A", "--serve-address", "127.0.0.1"]
    if name == "Java options":
        master.set(version=spark.answer({"action": "ErrorResponse", "serverSparkVersion": "3.5.1", "message": "x"}, 400))
    result = program.run("submit", *master.options, *args, "-c", "spark.driver.memory=500m", "-c", "spark.executor.memory=500m", *line)
    assert result.code == 2 and f"{told} is 131" in result.err and master.count("create") == 0, result.err


# ---- The page at the usual port, when only the REST port was given

def at_usual_port(double, told, number, **routes):
    """A master whose page has port 8080; what it says of its REST port, "{}" being the real one."""
    master = double(create=spark.CREATED, kill=spark.KILLING, status=status("KILLED"), **routes)
    host = f"127.0.21.{number}"
    rest = master.serve((host, 0))
    try:
        page = master.serve((host, 8080))
    except OSError:
        rest.shutdown()
        rest.server_close()
        pytest.skip("port 8080 is taken")
    master.servers += [rest, page]
    port = rest.server_address[1]
    page = f"<ul><li><strong>URL:</strong> spark://h:7077</li><li><strong>REST URL:</strong> spark://h:{told.format(port)}\n<span>"
    master.set(root=spark.answer(page if told else "<ul></ul>", kind="text/html"))
    return master, ["-m", f"spark://{host}:7077", "--rest-port", port]


@pytest.mark.parametrize("told, fits", [("{}", True), ("6066", False), ("", False)], ids=["its own", "another's", "REST is off"])
def test_a_page_by_guess(tally, double, told, fits):
    """Another master's page is nothing to judge by: neither who has room, nor what runs."""
    full = spark.page(free=0, drivers=[(ID, "RUNNING")], apps=[("app-1", "tally-gender", "RUNNING")])
    master, where = at_usual_port(double, told, 1 + fits, json=full)
    said = "127.0.21.1:8080 is the page of a master whose REST API is"
    result = tally.run(*JOB, *where, "--name", "other")
    assert (result.code, result.err.count(said), "no room" in result.err) == ((5, 0, True) if fits else (0, 1, False)), result
    result = tally.run(*JOB, *where, "--unless-running")
    assert (result.code, result.err.count(said)) == ((0, 0) if fits else (5, 1)), result
    result = tally.run("kill", "--all", *where)
    assert (result.code, result.err.count(said), master.count("kill")) == ((0, 0, 1) if fits else (5, 1, 0)), result
    count = master.count("root")
    assert "no room" in tally.run(*JOB, *where, "--ui-port", "8080", "--name", "other").err  # told so
    assert master.count("root") == count


# ---- Preflight

ROOM = {
    "the driver's cores": (dict(free=1), ["-c", "spark.driver.cores=2"], "driver.*2 cores.*512 MiB.*1 of 4 cores"),
    "the driver's memory": (dict(memory=500), [], "driver.*512 MiB.*500 of 3072 MiB"),
    "Spark's own default of it": (dict(memory=1000), ["--deploy-mode", "cluster", "--class", "A", "/x.jar"],
                                  "driver.*1 core and 1024 MiB"),
    "no core for an executor": (dict(free=1), [], "first executor.*1 core and 512 MiB"),
    "no memory for an executor": (dict(memory=1000), [], "first executor.*512 MiB"),
    "an executor's cores": (dict(free=3), ["--executor-cores", "3", "--total-executor-cores", "3"], "executor.*3 cores"),
    "executors that can never be": (dict(), ["--executor-cores", "3"], "could ever start.*3 cores.*take 2"),
    "nobody there": (dict(workers=0), [], "no living worker"),
    "many there": (dict(workers=9, free=0), [], "and 6 more workers"),
    "who holds it": (dict(free=0, drivers=[("driver-9", "RUNNING")], apps=[("app-1", "other", "RUNNING")]), [],
                     r"held by: other \(3 cores\), driver-9 \(1 core, 512 MiB\)"),
}


@pytest.mark.parametrize("name", ROOM)
def test_there_is_no_room(program, double, name):
    told, args, text = ROOM[name]
    master = double(create=spark.CREATED, json=spark.page(**told))
    base = ["submit"] if "--class" in args else JOB
    result = program.run(*base, *master.options, "--wait-running", "--supervise", *args)
    assert result.code == 5 and re.search(text, one_line(result)), result.err
    assert master.count("create") == 0 and len(result.err) < 1100


def test_there_is_room(program, double):
    """On one worker, or on two."""
    for told, args in ((dict(free=2, memory=1024), []), (dict(free=1, memory=512, workers=2), []),
                       (dict(free=3), ["--executor-cores", "2"])):
        master = double(create=spark.CREATED, json=spark.page(**told))
        assert program.run(*JOB, *master.options, *args).code == 0


def test_without_preflight(program, double):
    master = double(create=spark.CREATED, json=spark.page(free=0))
    assert program.run(*JOB, *master.options, "--no-preflight").code == 0
    assert [name for name, _, _ in master.requests] == ["create"]
    assert "--add-opens" in master.created()["sparkProperties"]["spark.driver.extraJavaOptions"]


def test_a_job_that_runs_already(program, double):
    apps = [("app-1", "tally-gender", "RUNNING")]
    master = double(create=spark.CREATED, json=spark.page(apps=apps))
    result = program.run(*JOB, *master.options)
    assert result.code == 5 and re.search("tally-gender runs already.*app-1.*checkpoint", one_line(result))
    assert master.count("create") == 0
    assert program.run(*JOB, *master.options, "--name", "other").code == 0
    assert program.run(*JOB, *master.options, "--no-preflight").code == 0
    assert program.run("submit", *master.options, "--class", "A", "--name", "tally-gender", "/x.jar").code == 0


@pytest.mark.parametrize("version, opens", [("3.5.1", True), ("4.0.0", False), ("4.2.0-SNAPSHOT", False)])
def test_java_options_by_version(program, double, version, opens):
    master = double(create=spark.CREATED, json=spark.page(), version=spark.answer(
        {"action": "ErrorResponse", "serverSparkVersion": version, "message": "x"}, 400))
    assert program.run(*JOB, *master.options).code == 0
    assert ("--add-opens" in master.created()["sparkProperties"]["spark.driver.extraJavaOptions"]) == opens


@pytest.mark.parametrize("code, exits", [(200, 0), (404, 5), (410, 5), (403, 0), (405, 0), (500, 0)])
def test_a_jar_by_http(program, double, code, exits):
    jars = double(log=lambda connection, _: connection.sendall(spark.answer("", code)))
    master = double(create=spark.CREATED, json=spark.page())
    result = program.run("submit", *master.options, "--deploy-mode", "cluster", "--class", "A", f"{jars.web}/log/x.jar")
    assert result.code == exits and jars.methods == ["HEAD"]
    assert master.count("create") == (exits == 0)
    assert exits == 0 or "no jar at http://" in one_line(result)


def test_a_jar_that_cannot_be_asked_for(program, double):
    """The workers may have another way to it."""
    master = double(create=spark.CREATED, json=spark.page())
    assert program.run("submit", *master.options, "--class", "A", "http://nope.invalid/x.jar").code == 0


def test_no_page_is_no_reason(program, double):
    master = double(create=spark.CREATED)
    result = program.run(*JOB, *master.options, "--verbose")
    assert result.code == 0 and "--ui-port" in result.err


def test_rest_is_off_by_preflight(program, double):
    master = double(json=spark.page())
    master.stop_rest()
    result = program.run(*JOB, *master.options)
    assert result.code == 5 and "spark.master.rest.enabled=true" in one_line(result)


def test_masters_by_their_own_names(program, double):
    pair = Pair(double, {"json": spark.page("STANDBY", url="spark://one:7077")},
                {"json": spark.page(url="spark://two:7077"), "create": spark.CREATED})
    assert program.run(*JOB, *pair.options).code == 0
    assert pair.second.created()["sparkProperties"]["spark.master"] == "spark://one:7077,two:7077"
    assert pair.first.count("create") == pair.first.count("version") == 0


def test_a_recovery_is_waited_for(program, double):
    master = double(create=spark.CREATED, json=[spark.page("RECOVERING"), spark.page("COMPLETING_RECOVERY"), spark.page()])
    result = program.run(*JOB, *master.options)
    assert (result.code, result.out) == (0, ID + "\n") and "recovering" in one_line(result)
    assert master.count("create") == 1


def test_a_recovery_that_takes_too_long(program, double):
    master = double(create=spark.standby(state="RECOVERING"), json=spark.page("RECOVERING"))
    result = program.run(*JOB, *master.options, "--timeout", "1s")
    assert result.code == 5 and re.search("recovering(.*\n)+.*RECOVERING", result.err) and master.count("create") >= 1


def test_a_create_that_meets_a_recovery(program, double):
    """Refused is not lost: it is sent again, with no page to look at, too."""
    master = double(create=[spark.standby(state="RECOVERING"), spark.standby(state="RECOVERING"), spark.CREATED])
    result = program.run(*JOB, *master.options)
    assert result.code == 0 and master.count("create") == 3 and "recovering" in one_line(result)


# ---- Never twice, never lost

class Losing(Double):
    """Its page lists what was created; `what` tells of each create what becomes of driver and answer."""

    def __init__(self, *what, before=(), after=None):
        self.drivers = list(before)
        self.after = after
        super().__init__(create=[self.create(*one) for one in what], json=lambda connection: connection.sendall(self.page()))

    def create(self, made, answer):
        def act(connection):
            self.drivers += [(ID if n == 0 else f"driver-{n}", "SUBMITTED", 1795263180000, name) for n, name in enumerate(made)]
            answer(connection) if callable(answer) else connection.sendall(answer)
        return act

    def page(self):
        created = self.count("create")
        return self.after(self) if created and self.after else spark.page(drivers=self.drivers, workers=2)


OURS, OTHER = "tally.WindowedCount", "some.Other"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"action\":"
ERROR_500 = spark.html(500, "Error 500 x")
OLD = [("driver-old", "RUNNING", 1, OURS)]
NO_DRIVER = (), spark.drop


def dead(_):
    raise OSError


# name: (creates, the drivers before, the page after), exit code, creates that arrive, drivers of ours in the end, the line
LOST = {
    "reset after the request, created": (([([OURS], spark.drop)],), 0, 1, 1, "has created"),
    "the same beside an old one": (([([OURS], spark.drop)], OLD), 0, 1, 2, "has created"),
    "reset after the request, not created": (([NO_DRIVER, ([OURS], spark.CREATED)],), 0, 2, 1, "once more"),
    "not created, an old one there": (([NO_DRIVER, ([OURS], spark.CREATED)], OLD), 0, 2, 2, "once more"),
    "somebody else's, of another class": (([([OTHER], spark.drop), ([OURS], spark.CREATED)],), 0, 2, 1, "once more"),
    "twice not created": (([NO_DRIVER, NO_DRIVER],), 4, 2, 0, "no driver was created"),
    "the second time created": (([NO_DRIVER, ([OURS], spark.drop)],), 0, 2, 1, "has created"),
    "two of that class": (([([OURS, OURS], spark.drop)],), 10, 1, 2, "tally list"),
    "the page is gone": (([([OURS], spark.drop)], (), dead), 10, 1, 1, "tally list"),
    "the master does not lead any more": (([((), spark.drop)], (), lambda _: spark.page("STANDBY")), 10, 1, 0, "tally list"),
    "another master": (([((), spark.drop)], (), lambda _: spark.page(url="spark://other:7077")), 10, 1, 0, "tally list"),
    "it was restarted, and has forgotten": (([((), spark.drop)], OLD, lambda _: spark.page()), 10, 1, 1, "tally list"),
    "a body that stops half way": (([([OURS], HALF)],), 0, 1, 1, "has created"),
    "a gigabyte of JSON": (([([OURS], spark.endless)],), 0, 1, 1, "longer than.*has created"),
    "500 with HTML, created": (([([OURS], ERROR_500)],), 0, 1, 1, "HTTP 500.*has created"),
    "500 with HTML, not created": (([((), ERROR_500)] * 2,), 5, 2, 0, "HTTP 500.*no driver was created"),
    "502 of a gateway, created": (([([OURS], spark.html(502, "Bad Gateway"))],), 0, 1, 1, "HTTP 502.*has created"),
    "468": (([((), spark.VERSION)],), 5, 1, 0, "HTTP 468"),
    "no answer in time, created": (([([OURS], spark.hang)],), 0, 1, 1, "15 s.*has created"),
}
SLOW = {"no answer in time, created"} if "TALLY_ALL" not in os.environ else set()


@pytest.mark.parametrize("name", [name for name in LOST if name not in SLOW])
def test_exactly_the_right_number(program, name):
    (creates, *more), code, sent, drivers, text = LOST[name]
    master = Losing(*creates, **dict(zip(("before", "after"), more)))
    try:
        result = program.run(*JOB, *master.options)
        assert result.code == code, result.err
        assert result.out == (ID + "\n" if code == 0 else "")
        assert re.search(text, result.err), result.err
        assert master.count("create") == sent
        assert sum(row[3] == OURS for row in master.drivers) == drivers
    finally:
        master.close()


# ---- Behind a filter, a gateway, a proxy

KEY = bytes(range(200, 248))
KEY_TEXT = base64.urlsafe_b64encode(KEY).decode().rstrip("=")


def signed_by(key, header):
    """Of "Bearer HEADER.PAYLOAD.SIGNATURE", as the filter checks it: the payload."""
    head, payload, signature = header.removeprefix("Bearer ").split(".")
    def bytes_of(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert header.startswith("Bearer ") and json.loads(bytes_of(head)) == {"alg": "HS256", "typ": "JWT"}
    assert bytes_of(signature) == hmac.new(key, f"{head}.{payload}".encode(), "sha256").digest()
    return json.loads(bytes_of(payload))


@pytest.mark.parametrize("way", ["file", "environment"])
def test_signed_requests(program, double, tmp_path, way):
    (tmp_path / "key").write_text(f"{KEY_TEXT}\n")
    args, env = (["--jws-key-file", "key"], {}) if way == "file" else ([], {"TALLY_JWS_KEY": KEY_TEXT + "=="})
    master = double(create=spark.CREATED, json=spark.page(), status=status("RUNNING"))
    result = program.run(*JOB, *master.options, *args, "--verbose", env=env)
    assert result.code == 0 and KEY_TEXT not in result.err + result.out
    assert program.run("status", ID, *master.options, *args, env=env).code == 0
    assert [name for name, _, _ in master.requests] == ["json", "version", "create", "status"]
    for header in master.authorizations:
        told = signed_by(KEY, header)
        assert abs(told["iat"] - time.time()) < 30 and told["exp"] == told["iat"] + 600
    assert KEY_TEXT not in program.run(*JOB, *master.options, *args, "--dry-run", env=env).out


def test_unsigned_requests(program, double):
    master = double(create=spark.CREATED, json=spark.page(), version=spark.html(403, "Error 403 Authorization header is missing."))
    result = program.run(*JOB, *master.options)
    assert result.code == 5 and re.search("403.*--jws-key-file", one_line(result))
    assert set(master.authorizations) == {None} and master.count("create") == 0


@pytest.mark.parametrize("content, text", [
    (KEY_TEXT[:40], "30 bytes: HS256 needs 32"), ("", "0 bytes"), ("a+b/" * 20, "not base64url"), ("a" * 45, "not base64url"),
    ("a b", "one line"), ("a" * 9000, "no key"), ("a" * 2100, "one line"), ("a" * 1400, "up to 1024"), ("a\0b", "no key"),
    (None, "No such file"),
], ids=str)
def test_keys_that_cannot_be(tally, tmp_path, content, text):
    if content is not None:
        (tmp_path / "key").write_text(content)
    result = tally.run("list", "-m", "spark://h", "--jws-key-file", "key")
    assert result.code == 3 and re.search(text, one_line(result)) and (not content or content not in result.err)


@pytest.fixture
def gateway(double, tmp_path):
    """https://localhost:PORT/spark and /page before a master; its authority is in gateway.pem."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
                    tmp_path / "gateway.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "gateway.pem", tmp_path / "key.pem")
    master = double(create=spark.CREATED, json=spark.page(), status=status("RUNNING"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            while True:
                try:
                    connection = context.wrap_socket(listener.accept()[0], server_side=True)
                except ssl.SSLError:
                    continue  # who does not trust us
                except OSError:
                    return
                threading.Thread(target=master.handle, args=(connection,), daemon=True).start()
        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        master.urls = ["--rest-url", f"https://localhost:{port}/spark/", "--ui-url", f"https://localhost:{port}/page"]
        yield master


def test_a_gateway(program, gateway):
    trusting = [*gateway.urls, "--cacert", "gateway.pem"]
    result = program.run(*JOB, *trusting)
    assert (result.code, result.out, result.err) == (0, ID + "\n", "")
    assert program.run("status", ID, *trusting).code == program.run("list", *trusting).code == 0
    assert [path for _, path, _ in gateway.requests] == ["/page/json/", "/spark/v1/submissions/",
                                                         "/spark/v1/submissions/create",
                                                         f"/spark/v1/submissions/status/{ID}", "/page/json/"]


def test_what_a_gateway_passes_on(program, gateway):
    """Where workers and drivers lead nowhere from here: by the master's page, as it is reached itself."""
    told = followed(lambda **routes: gateway.set(**routes) or gateway, [status("RUNNING"), status("RUNNING"),
                                                                        status("FINISHED")])
    told.set(app=spark.app_page([("0", "RUNNING")], ui="/proxy/app-1"),
             json=spark.page(web="http://nope.invalid:1", drivers=[(ID, "RUNNING")], apps=RUNNING_APP))
    result = program.run("wait", ID, *gateway.urls, "--cacert", "gateway.pem")
    assert result.code == 0 and RATES in result.err
    paths = {path for _, path, _ in gateway.requests}
    assert {"/page/app/", "/page/proxy/app-1/metrics/json/", f"/page/proxy/{spark.WORKER}/log/"} <= paths


def test_a_gateway_that_is_not_trusted(program, gateway):
    result = program.run("status", ID, *gateway.urls)
    assert result.code == 4 and "--cacert" in one_line(result)
    result = program.run("status", ID, *gateway.urls, "--cacert", "nope.pem")
    assert result.code in (3, 4) and "nope.pem" in one_line(result) and gateway.requests == []


def test_a_gateway_without_a_page(program, gateway):
    result = program.run(*JOB, *gateway.urls[:2], "--cacert", "gateway.pem")
    assert (result.code, result.err) == (0, "") and gateway.count("json") == 0
    result = program.run("list", *gateway.urls[:2], "--cacert", "gateway.pem")
    assert result.code == 4 and "where is the page of the Spark master? give its URL by --ui-url" in one_line(result)


@pytest.mark.parametrize("url", ["h:1", "ftp://h", "https://", "https://h?x", "https://u:p@h", "http://h:", "https://h h"])
def test_urls_that_cannot_be(tally, url):
    result = tally.run("list", "--rest-url", url)
    assert result.code == 2 and "https://HOST" in one_line(result) and "u:p" not in result.err
    assert tally.run("list", "-m", "spark://a,b", "--rest-url", "http://h").code == 2


def test_a_proxy_that_was_asked_for(program, double):
    """It sees whole URLs."""
    master = double(status=status("RUNNING"))
    result = program.run("status", ID, "-m", "spark://nope.invalid", "--verbose",
                         env={"TALLY_PROXY": f"http://me:secret@127.0.0.1:{master.rest}"})
    assert result.code == 0 and len(master.requests) == 1 and "secret" not in result.err


@pytest.fixture
def answers_all():
    """Starts who gives one answer to every request: text -> (its port, what was asked)."""
    started = []

    def serve(listener, text, asked):
        with contextlib.suppress(OSError):  # shut down
            while True:
                with listener.accept()[0] as connection:
                    asked.append(connection.recv(65536).split(b" ")[0].decode())
                    connection.sendall(f"HTTP/1.1 {text}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    def start(text):
        listener, asked = socket.create_server(("127.0.0.1", 0)), []
        started.append((listener, threading.Thread(target=serve, args=(listener, text, asked), daemon=True)))
        started[-1][1].start()
        return listener.getsockname()[1], asked

    yield start
    for listener, thread in started:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(SOON)
        listener.close()


HTTP, HTTPS = ["-m", "spark://nope.invalid"], ["--rest-url", "https://nope.invalid/spark", "--ui-url", "https://nope.invalid/page"]
# What a proxy that passes nothing on says, of which master -> the end of the line.
REFUSED = [("407 Proxy Authentication Required", HTTP, "HTTP 407: it asks for a name and a password: TALLY_PROXY="),
           ("407 Proxy Authentication Required", HTTPS, "HTTP 407: it asks for a name and a password: TALLY_PROXY="),
           ("403 Access denied", HTTPS, "the proxy does not pass it on: HTTP 403"),
           ("502 Bad Gateway", HTTPS, "the proxy does not pass it on: HTTP 502")]


@pytest.mark.parametrize("text, master, line", REFUSED)
@pytest.mark.parametrize("more", [[], ["--no-preflight"]], ids=["", "no preflight"])
def test_a_proxy_that_passes_nothing_on(program, answers_all, text, master, line, more):
    """Then nothing can have been created, and who was silent was not the master."""
    port, asked = answers_all(text)
    result = program.run(*JOB, *master, "--proxy", f"http://127.0.0.1:{port}", *more)
    assert result.code == 4 and line in one_line(result), result
    assert asked if master == HTTPS else asked.count("POST") == len(more)


def test_a_proxy_that_is_not_there(program):
    result = program.run("status", ID, *HTTP, "--proxy", "http://127.0.0.1:1")
    assert result.code == 4 and one_line(result).endswith("the proxy: Connection refused\n")


@pytest.mark.parametrize("text, code, line", [("401 Unauthorized", 5, "asks for a name and a password (HTTP 401)"),
                                              ("502 Bad Gateway", 5, "HTTP 502")])
def test_a_gateway_that_lets_nobody_through(program, answers_all, text, code, line):
    """It is asked for nothing before it is asked for a driver."""
    port, asked = answers_all(text)
    result = program.run(*JOB, "--rest-url", f"http://127.0.0.1:{port}/spark", "--ui-url", f"http://127.0.0.1:{port}/page")
    assert result.code == code and line in one_line(result) and "POST" not in asked
    result = program.run("list", "--rest-url", f"http://127.0.0.1:{port}/spark", "--ui-url", f"http://127.0.0.1:{port}/page")
    assert result.code == 5 and "--ui-port" not in one_line(result)


# ---- run --master

def kafka_port(tally):
    """Of a broker on this machine."""
    return tally.start("run", "gender", "--no-page").wait_for(r"Kafka broker.*\b127\.0\.0\.1:(\d+)")[1]


def run_on_spark(tally, master, *options):
    return tally.start("run", "gender", "-b", f"127.0.0.1:{kafka_port(tally)}", "--job-bootstrap-servers", "broker:1",
                       "--no-page", *[str(o) for o in master.options], *options)


def test_run_names_kafka_as_it_is_seen_here(tally, double):
    master = waiting(double, [status("RUNNING"), status("FINISHED")], apps=[("app-1", "tally-gender", "RUNNING")])
    here = f"0.0.0.0:{kafka_port(tally)}"  # which reaches it, too, and is not refused as localhost is
    assert tally.start("run", "gender", "-b", here, "--no-page", *[str(o) for o in master.options]).wait() == 0
    assert here in master.created()["appArgs"]


def test_ctrl_c_kills_the_driver(tally, double):
    master = waiting(double, status("RUNNING"), apps=[("app-1", "tally-gender", "RUNNING")])
    running = run_on_spark(tally, master)
    running.wait_for("app-1")
    until(lambda: master.count("status") > 3, SOON, "polling")
    master.set(status=status("KILLED"))
    master.routes["status"].insert(0, status("RUNNING"))
    assert running.stop()[0] == 0
    assert master.count("kill") == 1 and "KILLED" in running.err


def test_ctrl_c_when_the_master_is_gone(tally, double):
    """What could not be killed is named."""
    master = waiting(double, status("RUNNING"), apps=[("app-1", "tally-gender", "RUNNING")])
    running = run_on_spark(tally, master)
    running.wait_for("app-1")
    until(lambda: master.count("status") > 3, SOON, "polling")
    master.set(kill=spark.drop, status=spark.drop)
    assert running.stop()[0] == 4
    assert re.search(f"driver {ID} may go on", running.err)


def test_a_master_that_is_silent_for_a_while(tally, double):
    master = waiting(double, [status("RUNNING"), spark.drop, spark.html(500, "x"), status("FINISHED")],
                     apps=[("app-1", "tally-gender", "RUNNING")])
    assert run_on_spark(tally, master).wait() == 0


@pytest.mark.parametrize("state, code", ENDS[:4])
def test_the_drivers_end_is_the_end_of_run(tally, double, state, code):
    master = waiting(double, [status("RUNNING"), status("RUNNING"), status(state)],
                     apps=[("app-1", "tally-gender", "RUNNING")])
    running = run_on_spark(tally, master)
    assert running.wait() == code
    assert master.count("kill") == 0


# ---- Following

RUNNING_APP = [("app-1", "tally-gender", "RUNNING")]
LAUNCHED = b'Launch Command: "java" "-Dspark.app.name=tally-gender" "-Dx=y"\n'


def followed(double, states, log=LAUNCHED, apps=RUNNING_APP, **told):
    master = double(create=spark.CREATED, status=states, log=log if callable(log) or isinstance(log, list) else
                    spark.log_page(log))
    master.set(**{"json": spark.page(web=master.web, drivers=[(ID, "RUNNING")], apps=apps), "metrics": spark.metrics(),
                  "app": spark.app_page([("0", "RUNNING"), ("1", "EXITED")], ui=master.web), **told})
    return master


RATES = (f"driver {ID} is RUNNING on {spark.WORKER}; application app-1 (tally-gender) is RUNNING, 1 executor on 3 cores; "
         "10 rows/s in, 22.8 rows/s processed, batch 875 ms, watermark 2026-11-21T15:18:17Z, 27 state rows")
NO_RATES = RATES.split("; 10 rows")[0]


@pytest.mark.parametrize("command", [["wait"], ["status", "--follow"]], ids=str)
def test_what_following_shows(program, double, command):
    master = followed(double, [status("SUBMITTED"), status("RUNNING"), status("RUNNING"), status("FINISHED")])
    result = program.run(*command, ID, *master.options)
    assert result.code == 0 and result.out == ("" if command == ["wait"] else f"{ID} FINISHED {spark.WORKER}\n")
    assert result.err.splitlines() == [f"driver {ID} is SUBMITTED on {spark.WORKER}", RATES,
                                       f"driver {ID} is FINISHED on {spark.WORKER}"]


@pytest.mark.parametrize("told, line", [
    ({"app": spark.app_page([("0", "RUNNING")], ui="http://nope.invalid:4040"), "metrics": spark.html(404, "x")}, NO_RATES),
    ({"metrics": spark.metrics("app-7")}, NO_RATES),  # another driver's page, at the port that is published
    ({"metrics": spark.answer("[]")}, NO_RATES),
    ({"app": spark.NO_APP}, NO_RATES.replace("1 executor ", "0 executors ")),
    ({"json": spark.html(500, "x")}, f"driver {ID} is RUNNING on {spark.WORKER}"),
    ({"log": spark.log_page(b"no name\n")}, f"driver {ID} is RUNNING on {spark.WORKER}"),
    ({"log": spark.log_page(b"x INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-1\n")}, RATES),
    ({"app": spark.app_page([("0", "RUNNING")], ui="/proxy/app-1")}, RATES),
], ids=["unreachable", "another's", "no metrics", "no page of it", "no page", "no name", "its id", "proxy"])
def test_following_does_without_what_it_cannot_reach(program, double, told, line):
    master = followed(double, [status("RUNNING"), status("FINISHED")], **told)
    result = program.run("wait", ID, *master.options)
    assert result.code == 0 and result.err.splitlines() == [line, f"driver {ID} is FINISHED on {spark.WORKER}"]


@only_all  # 20 s: the log is asked for every 2 s
def test_an_application_that_names_itself_late(program, double):
    """A busy machine: its id comes when the log has been searched for its name again and again."""
    def is_late():
        return master.count("json") > 14

    def log(connection, query):
        told = b"x INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-1\n" if is_late() else b""
        spark.log_page(LAUNCHED + told)(connection, query)

    def state(connection):
        connection.sendall(status("FINISHED" if master.count("metrics") else "RUNNING"))
    master = followed(double, state, log, apps=[("app-1", "its own", "RUNNING")])
    result = program.run("wait", ID, *master.options, "--timeout", "40s")
    assert result.code == 0 and RATES.replace("tally-gender", "its own") in result.err, result


@pytest.mark.parametrize("command", [["wait"], ["status", "-f"]], ids=str)
def test_following_as_json(program, double, command):
    master = followed(double, [status("SUBMITTED"), status("RUNNING"), status("RUNNING"), status("FINISHED")])
    result = program.run(*command, ID, "--json", *master.options)
    told = [json.loads(line) for line in result.out.splitlines()]
    assert [row["state"] for row in told] == ["SUBMITTED", "RUNNING", "FINISHED"]
    assert told[1]["application"] == {"id": "app-1", "name": "tally-gender", "state": "RUNNING", "executors": 1, "cores": 3}
    assert told[1]["streaming"] == {"inputRate": 10.0, "processingRate": 22.8, "batchMs": 875, "watermark": 1795274297273,
                                    "stateRows": 27}
    assert told[2]["application"] is None and told[0]["id"] == ID and told[0]["time"] > 1e12


@pytest.mark.parametrize("died, stdout, why", [
    (b'Exception in thread "main" java.lang.X: why\n\tat y\n', b"1\n", "java.lang.X: why"),
    (b"INFO it ends\n", SCRIPT_DIED, "ValueError: my own words"),
], ids=["a program", "a script"])
def test_a_supervised_driver_that_is_started_again(program, double, died, stdout, why):
    first = LAUNCHED + b"x\n"
    log = spark.log_page(first), two_logs(first + died + LAUNCHED, stdout)

    def growing(connection, query):
        log[master.count("status") > 4](connection, query)
    master = followed(double, [status("RUNNING")] * 9 + [status("KILLED")], log=growing)
    result = program.run("wait", ID, *master.options)
    assert result.code == 6 and f"driver {ID} ended and was started again: {why}\n" in result.err, result.err


def test_a_master_that_is_lost_for_a_while(program, double):
    """With recovery the driver goes on."""
    master = followed(double, [status("RUNNING"), spark.drop, spark.drop, status("RUNNING"), status("FINISHED")])
    result = program.run("submit", *JOB[1:], *master.options, "--follow", "--no-preflight")
    assert result.code == 0 and "FINISHED" in result.err
    master = followed(double, [status("RUNNING"), spark.drop, spark.drop, status("FINISHED")])
    result = program.run("wait", ID, *master.options)
    assert result.code == 0 and result.err.count("waiting for the Spark master: ") == 1 and "answers again" in result.err


def trace(*causes):
    return (LAUNCHED + b'Exception in thread "main" java.lang.reflect.InvocationTargetException\n\tat a.b(C.java:1)\n' +
            "".join(f"Caused by: {cause}\n\tat x\n\t... 6 more\n" for cause in causes).encode())


@pytest.mark.parametrize("log, reason", [
    (trace("a.X: outer", "b.Y: inner"), "b.Y: inner (thrown on as a.X: outer)"),
    (trace("java.lang.NoClassDefFoundError: scala/collection/mutable/ArrayOps$ofInt",
           "java.lang.ClassNotFoundException: scala.collection.mutable.ArrayOps$ofInt"),
     "the jar is built for Scala 2.12, this Spark (4.2.0) has 2.13: take one built for that: java.lang.ClassNotFoundException"),
    (b"x" * (2 << 20) + b"\n" + trace("z.Z: at the end"), "z.Z: at the end"),
], ids=["root first", "Scala", "a long log"])
@pytest.mark.parametrize("command", [["wait", ID], ["status", ID], [*JOB, "--follow", "--no-preflight"]], ids=lambda c: c[0])
def test_the_root_cause_stands_first(program, double, command, log, reason):
    master = followed(double, status("FAILED"), log=log)
    result = program.run(*command, *master.options)
    assert result.code == 1 and f"tally: driver {ID} FAILED: {reason}" in result.err, result.err


# ---- Killing

def killable(double, *ids, kill=spark.KILLING, end="KILLED"):
    asked = []

    def told(path):
        asked.append(path)
        driver = path.rsplit("/", 1)[1]
        return status(end if asked.count(path) > 1 else "RUNNING", driver=driver)
    told.by_path = True
    return double(kill=kill, status=told, json=spark.page(drivers=[(i, "RUNNING") for i in ids], ended=[("d-old", "FINISHED")]))


def killed(master):
    return [path.rsplit("/", 1)[1] for name, path, _ in master.requests if name == "kill"]


def test_several_are_killed_at_once(program, double):
    master = killable(double)
    result = program.run("kill", ID, OTHER, *master.options)
    assert (result.code, result.out, result.err) == (0, f"{ID} KILLED\n{OTHER} KILLED\n", "")
    names = [name for name, _, _ in master.requests]
    assert names[:2] == ["kill", "kill"] and killed(master) == [ID, OTHER]


def test_one_of_several_is_not_there(program, double):
    master = killable(double, kill=[spark.NOT_KILLED, spark.KILLING], end="FINISHED")
    result = program.run("kill", ID, OTHER, *master.options)
    assert result.code == 5 and result.out == f"{OTHER} FINISHED\n" and ID in one_line(result)


def test_kill_all(program, double):
    master = killable(double, ID, OTHER)
    result = program.run("kill", "--all", *master.options)
    assert (result.code, sorted(result.out.split()[::2]), result.err) == (0, [ID, OTHER], "")
    assert sorted(killed(master)) == [ID, OTHER]
    result = program.run("kill", "--all", *killable(double).options)
    assert (result.code, result.out, result.err) == (0, "", "no driver is active\n")
    result = program.run("kill", "--all", *killable(double, ID, kill=spark.NOT_KILLED).options)
    assert (result.code, result.out, result.err) == (0, "", "")  # it ended by itself meanwhile


def test_more_are_killed_than_a_master_remembers(program, double):
    """Drivers that wait for cores end at once, and the master keeps 200: each is told all the same."""
    ids = [f"driver-{n:04}" for n in range(450)]

    def told(path):
        driver = path.rsplit("/", 1)[1]
        return status("KILLED", driver=driver) if driver in killed(master)[-200:] else spark.UNKNOWN_ID
    told.by_path = True
    master = double(kill=spark.KILLING, status=told, json=spark.page(drivers=[(i, "SUBMITTED") for i in ids]))
    result = program.run("kill", "--all", *master.options)
    assert (result.code, result.err) == (0, "") and sorted(result.out.splitlines()) == [f"{i} KILLED" for i in ids]


def test_a_kill_that_takes_too_long(program, double):
    master = killable(double, end="RUNNING")
    began = time.monotonic()
    result = program.run("kill", ID, "--timeout", "1s", *master.options)
    assert result.code == 9 and f"{ID} is still RUNNING 1 s after the kill" in one_line(result)
    assert time.monotonic() - began < 15  # without --timeout 20 s (DRIVER_KILL_MS)


@pytest.mark.parametrize("args", [[], ["--all", ID]], ids=str)
def test_kill_what(program, args):
    result = program.run("kill", "-m", "spark://127.0.0.1", *args)
    assert result.code == 2 and "--all" in one_line(result)


@pytest.mark.parametrize("typed, more, code, kills", [(b"y\n", [], 0, 1), (b"n\n", [], 1, 0), (b"\n", [], 1, 0),
                                                     (b"yes\n", [], 0, 1), (b"", ["-y"], 0, 1)], ids=str)
def test_on_a_terminal_it_asks_first(tally, double, typed, more, code, kills):
    master = killable(double, ID)
    ours, theirs = pty.openpty()
    os.write(ours, typed)
    running = subprocess.run([*tally.command, "kill", "--all", *more, *[str(o) for o in master.options]], stdin=theirs,
                             stdout=subprocess.PIPE, stderr=theirs, timeout=SOON, env=environment({"TERM": "xterm"}))
    os.close(theirs)
    shown = ""
    with contextlib.suppress(OSError):  # EIO: that was all
        while part := os.read(ours, 65536):
            shown += part.decode()
    os.close(ours)
    assert running.returncode == code and len(killed(master)) == kills
    assert ("kill this driver? [y/N]" in shown and ID in shown) == (not more)


@pytest.mark.parametrize("end, code", [(lambda running, ours: running.send_signal(signal.SIGINT), 130),
                                       (lambda running, ours: running.send_signal(signal.SIGTERM), 143),
                                       (lambda running, ours: os.write(ours, b"\4"), 1)], ids=["ctrl-c", "term", "ctrl-d"])
@pytest.mark.parametrize("term", ["xterm", "dumb"])
def test_an_answer_that_does_not_come(tally, double, term, end, code):
    master = killable(double, ID)
    ours, theirs = pty.openpty()
    running = subprocess.Popen([*tally.command, "kill", "--all", *[str(o) for o in master.options]], stdin=theirs,
                               stdout=subprocess.PIPE, stderr=theirs, env=environment({"TERM": term}))
    os.close(theirs)
    shown = ""
    with contextlib.suppress(OSError):  # EIO: that was all
        while part := os.read(ours, 65536):
            asked = "[y/N]" in shown
            shown += part.decode()
            if "[y/N]" in shown and not asked:
                end(running, ours)
    os.close(ours)
    assert running.wait(SOON) == code and not killed(master), shown
    assert re.search(r"\[y/N\] (\^D\x08\x08)?\r\n.*tally: ", shown), shown


def test_names_that_tell_a_terminal_something(program, double):
    """Each cluster's user may give any: in words they are one line; as JSON, as they are."""
    name = "a\n\033[2Jb\x7f\u009b2J 女"
    master = followed(double, [status("RUNNING"), status("FINISHED")], CONNECTED, [("app-1", name, "RUNNING")])
    master.set(json=spark.page(web=master.web, drivers=[(ID, "RUNNING", 1795263155792, name)], apps=[("app-1", name, "RUNNING")]))
    listed = program.run("list", *master.options).out
    assert listed.count("a  [2Jb   2J 女\n") == 2 and "\033" not in listed and "\u009b" not in listed, repr(listed)
    assert json.loads(program.run("list", *master.options, "--json").out)["applications"][0]["name"] == name
    said = program.run("wait", ID, *master.options).err
    assert "(a  [2Jb   2J 女) is RUNNING" in said and "\033" not in said, repr(said)


def test_the_same_twice(program, double):
    master = killable(double, ID)
    result = program.run("kill", ID, ID, *master.options)
    assert (result.code, result.out, killed(master)) == (0, f"{ID} KILLED\n", [ID])


@pytest.mark.parametrize("command", ["status", "wait", "kill", "logs"])
def test_the_id_of_an_application(program, double, command):
    app = "app-20261122045103-0000"
    unknown = spark.answer({"action": "SubmissionStatusResponse", "serverSparkVersion": "4.2.0", "submissionId": app,
                            "success": False})
    master = double(status=unknown, kill=spark.NOT_KILLED)
    result = program.run(command, app, *master.options)
    assert result.code == 5 and "that is an application's id" in one_line(result)


# ---- What it costs

SUBMISSIONS = 800 if "TALLY_ALL" in os.environ else 80


def test_peak_memory_of_a_submission(double):
    master = double(create=spark.CREATED)
    code, _, peak, _ = measured([str(chosen()), *JOB, *[str(o) for o in master.options]])
    assert code == 0 and peak <= 16 << 20, peak


def check_cost(ours, curl):
    """Beside curl, which sends the same, in instructions: a clock would tell what else goes on here."""
    spent, theirs = instructions(ours), instructions(curl)
    code, _, peak, _ = measured(ours)
    print(f"\n{ours[1]}: {spent / theirs:.2f} x the instructions of curl, {peak / 2**20:.1f} MiB")
    assert spent <= 1.25 * theirs and (code, peak <= 16 << 20) == (0, True)


def test_status_costs_what_curl_does(double):
    master = double(status=status("RUNNING"))
    ours = [str(PROGRAM), "status", ID, *[str(o) for o in master.options]]
    curl = ["curl", "-sf", f"http://127.0.0.1:{master.rest}/v1/submissions/status/{ID}"]
    check_cost(ours, curl)


def test_many_submissions_in_a_row(tally, double):
    """Each creates one driver; what they held open is closed."""
    master = double(create=spark.CREATED, json=spark.page(free=1000, memory=1 << 20))
    for _ in range(SUBMISSIONS):
        result = tally.run(*JOB, *master.options)
        assert (result.code, result.out, result.err) == (0, ID + "\n", "")
    assert master.count("create") == SUBMISSIONS and len(master.requests) == 3 * SUBMISSIONS
    until(lambda: threading.active_count() < 20, SOON, "the end of the connections")


@pytest.mark.parametrize("command", [JOB, [*JOB, "--follow"], ["status", ID], ["status", ID, "--follow", "--json"], ["list"],
                                     ["logs", ID, "-f"], ["kill", ID, "--yes"], ["wait", ID]], ids=" ".join)
def test_no_leak_by_valgrind(double, tmp_path, command):
    master = followed(double, status("FINISHED"), kill=spark.KILLING, apps=[])
    result = Program(BUILDS["build"], VALGRIND, cwd=tmp_path).run(*command, *master.options, timeout=120)
    assert result.code == 0, result.err


# ---- Kafka at localhost, and the job in a container

@pytest.mark.parametrize("name, servers, more, code", [
    ("nope.invalid", "localhost:9092", [], 5), ("nope.invalid", "127.0.0.1:9092,localhost:9093", [], 5),
    ("nope.invalid", "localhost:9092", ["--no-preflight"], 0), ("nope.invalid", "localhost:9092,broker:19092", [], 0),
    ("nope.invalid", "broker:19092", [], 0), ("other", "localhost:9092", [], 0)])
def test_localhost_of_a_container(program, double, tmp_path, name, servers, more, code):
    """The worker, nope.invalid, is one that this machine's engine runs."""
    engine = Engine(tmp_path / "docker.sock", 1, "172.18.0.1", name=name)
    master = double(create=spark.CREATED, json=spark.page())
    result = program.run("submit", "gender", "--job-bootstrap-servers", servers, *more, *master.options,
                         env={"DOCKER_HOST": f"unix://{tmp_path}/docker.sock"})
    engine.close()
    assert result.code == code, result.err
    assert code == 0 or f"look for Kafka at {servers}, but the worker nope.invalid is a container" in result.err
