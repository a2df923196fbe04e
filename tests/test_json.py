"""docs/json.md says what --json prints: each name, each type, nothing more."""

import json
import re

import pytest

from tests import spark_double as spark
from tests.program import ROOT
from tests.spark_double import ID, status
from tests.test_submit import JOB, double, followed, program  # noqa: F401 (fixtures)

TYPES = {"string": str, "integer": int, "number": float, "boolean": bool, "object": dict, "array": list, "null": type(None)}


def documented():
    """{command: {name: types}}"""
    found = {}
    for head, body in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", (ROOT / "docs/json.md").read_text(), re.M | re.S):
        rows = re.findall(r"^\| `(\S+)` \| ([a-z, ]+) \|", body, re.M)
        for command in re.findall(r"`tally ([^`]+?)(?: --json)?`", head):
            found[command] = {name: {TYPES[t] for t in types.split(", ")} for name, types in rows}
    return found


def flat(value, prefix=""):
    """(name, type) of all there is: drivers[].id, master.url. What `counts` holds is the spec's."""
    for name, inner in value.items():
        yield prefix + name, type(inner)
        if isinstance(inner, dict) and name != "counts":
            yield from flat(inner, f"{prefix}{name}.")
        elif isinstance(inner, list):
            for row in filter(lambda row: isinstance(row, dict), inner):
                yield from flat(row, f"{prefix}{name}[].")


PAGE = spark.page(drivers=[(ID, "RUNNING")], ended=[("driver-2", "FAILED")], apps=[("app-1", "tally-gender", "RUNNING")])
NO_JAR = spark.NO_JAR

# (arguments, routes, exit code)
ROWS = [
    (JOB, {"create": spark.CREATED}, 0),
    ([*JOB, "--unless-running"], {"create": spark.CREATED, "json": PAGE}, 0),
    (["status", ID], {"status": status("RUNNING")}, 0),
    (["status", ID], {"status": status("ERROR", NO_JAR)}, 7),
    (["status", ID], {"status": spark.UNKNOWN_ID}, 5),
    (["list"], {"json": PAGE}, 0),
    (["list"], {"json": spark.page(state="STANDBY")}, 5),
]


def check(lines, wanted):
    """Each line has nothing else, and all of them together have it all."""
    rows, empty = set(), set()
    for line in lines:
        found = list(flat(json.loads(line)))
        for name, kind in found:
            assert kind in wanted.get(name, ()), f"{name} is {kind.__name__}"
        rows |= {name for name, _ in found}
        empty |= {name for name, kind in found if kind is list}
    empty = {name for name in empty if not any(n.startswith(f"{name}[]") for n in rows)}
    assert {name for name in wanted if name.partition("[]")[0] not in empty} <= rows


@pytest.mark.parametrize("arguments, routes, code", ROWS, ids=[f"{i} {row[0][0]}" for i, row in enumerate(ROWS)])
def test_it_is_documented(program, double, arguments, routes, code):  # noqa: F811
    result = program.run(*arguments, *double(**routes).options, "--json")
    assert result.code == code, result.err
    assert result.out.count("\n") == 1 and result.out.endswith("\n")
    check(result.out.splitlines(), documented()[arguments[0]])


@pytest.mark.parametrize("command", ["wait", "status --follow"])
@pytest.mark.parametrize("end, code", [(status("FINISHED"), 0), (status("ERROR", NO_JAR), 7)], ids=["FINISHED", "ERROR"])
def test_following_is_documented(program, double, command, end, code):  # noqa: F811
    master = followed(double, [status("SUBMITTED"), status("RUNNING"), status("RUNNING"), end])
    result = program.run(*command.split(), ID, *master.options, "--json")
    assert result.code == code, result.err
    assert result.out.count("\n") == 3
    check(result.out.splitlines(), documented()[command])


# (what a kill is answered, what a status then, more arguments, state, exit code)
KILLS = [
    (spark.KILLING, status("KILLED"), [], "KILLED", 0),
    (spark.KILLING, status("RUNNING"), ["--timeout", "0s"], "RUNNING", 9),
    (spark.KILLING, status("RELAUNCHING"), [], "RELAUNCHING", 8),
    (spark.NOT_KILLED, status("FINISHED"), [], "FINISHED", 5),
    (spark.NOT_KILLED, spark.UNKNOWN_ID, [], None, 5),
    (spark.html(500, "Error 500 Server Error"), status("RUNNING"), [], None, 5),
]


@pytest.mark.parametrize("told, then, more, state, code", KILLS, ids=[f"{i} {row[3]}" for i, row in enumerate(KILLS)])
def test_kill_tells_of_each(program, double, told, then, more, state, code):  # noqa: F811
    master = double(kill=told, status=then)
    result = program.run("kill", ID, "driver-2", *more, *master.options, "--json")
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == code and [row["id"] for row in rows] == [ID, "driver-2"], result
    for row in rows:
        assert row["state"] == state and row["exitCode"] == code and bool(row["error"]) == bool(code)
        assert row["error"] is None or row["error"] in result.err
        assert set(row) == set(documented()["kill"])
        assert all(kind in documented()["kill"][name] for name, kind in flat(row))


def test_kill_all_of_none(program, double):  # noqa: F811
    assert program.run("kill", "--all", *double(json=spark.page()).options, "--json")[:2] == (0, "")


LONG = "女" * 6000 + "x"  # 18001 bytes
# (the log, (line, partial) of each object)
LOGS = [
    (b"", []),
    (b"a\n\nb \"x\"\t\x01\n", [("a", False), ("", False), ('b "x"\t\x01', False)]),
    ("女\nno end".encode(), [("女", False), ("no end", True)]),
    (b"\xff bad\r\n", [("\ufffd bad\r", False)]),
    ((LONG + "\nnext\n").encode(), [("女" * 5461, True), (LONG[5461:], False), ("next", False)]),
    (b"x" * 16384 + b"\ny\n", [("x" * 16384, False), ("y", False)]),
    (b"x" * 40000, [("x" * 16384, True), ("x" * 16384, True), ("x" * 7232, True)]),
    (b"".join(b"%d\n" % i for i in range(90000)), [(str(i), False) for i in range(90000)]),
]


@pytest.mark.parametrize("log, lines", LOGS, ids=range(len(LOGS)))
@pytest.mark.parametrize("more", [[], ["-f"], ["--stdout"]], ids=["all", "follow", "stdout"])
def test_logs_line_by_line(program, double, log, lines, more):  # noqa: F811
    master = double(status=status("FINISHED"), log=spark.log_page(log))
    master.set(json=spark.page(web=master.web))
    result = program.run("logs", ID, *more, *master.options, "--json")
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 0, result.err
    assert [(row["line"], row["partial"]) for row in rows] == lines
    stream = "stdout" if "--stdout" in more else "stderr"
    assert all((row["id"], row["executor"], row["stream"]) == (ID, None, stream) for row in rows)
    assert all(kind in documented()["logs"][name] for row in rows[:9] for name, kind in flat(row))


def test_logs_as_they_grow(program, double):  # noqa: F811
    """A line waits for its end."""
    master = double(status=[status("RUNNING"), status("RUNNING"), status("RUNNING"), status("FINISHED")],
                    log=[spark.log_page(b"one\n"), spark.log_page(b"one\ntw"), spark.log_page(b"one\ntwo\nthree")])
    master.set(json=spark.page(web=master.web))
    result = program.run("logs", "-f", ID, *master.options, "--json")
    rows = [json.loads(line) for line in result.out.splitlines()]
    assert result.code == 0 and [(r["line"], r["partial"]) for r in rows] == [("one", False), ("two", False), ("three", True)]


@pytest.mark.parametrize("which, found", [("all", ["0", "1"]), ("1", ["1"])])
def test_executors_line_by_line(program, double, which, found):  # noqa: F811
    def log(connection, query):
        spark.log_page(f"{query['executorId'][0]}: a\nb".encode())(connection, query)
    master = double(app=spark.app_page([("1", "RUNNING"), ("0", "EXITED")]), log=log)
    master.set(json=spark.page(web=master.web, apps=[("app-1", "x", "RUNNING")]))
    result = program.run("logs", "app-1", "--executor", which, *master.options, "--json")
    assert result.code == 0, result.err
    wanted = [{"id": "app-1", "executor": n, "stream": "stderr", "line": line, "partial": line == "b"}
              for n in found for line in (f"{n}: a", "b")]
    assert [json.loads(line) for line in result.out.splitlines()] == wanted
    assert set(wanted[0]) == set(documented()["logs"])


def test_version(program):  # noqa: F811
    for command in (["--version"], ["submit", "--version"]):
        told = json.loads(program.run(*command, "--json").out)
        assert program.run(*command).out == f"tally {told['version']}\n"
        assert set(told) == set(documented()[" ".join(command)])


def test_records(program, tmp_path):  # noqa: F811
    result = program.run("count", "gender", ROOT / "data" / "user_log.csv")
    wanted = documented()["count"]
    assert wanted == documented()["consume"]
    for line in result.out.splitlines()[:20]:
        record = json.loads(line)
        assert list(record) == list(wanted) and all(kind in wanted[name] for name, kind in flat(record))
        assert sum(record["counts"].values()) == record["total"] and list(record["counts"])[-1] == "other"


def test_each_command_with_the_option_is_documented(program):  # noqa: F811
    commands = re.findall(r"^  ([a-z]+) +\S", program.run("--help").out.split("Commands:")[1].split("\n\n")[0], re.M)
    assert commands
    for command in commands:
        told = "--json" in program.run(command, "--help").out
        assert not told or command in documented(), command


def test_states_are_documented():
    """Of what the program can say, nothing is left out."""
    names = re.findall(r'\[SPARK_\w+\] = "(\w+)"', (ROOT / "cluster/spark_message.c").read_text())
    text = (ROOT / "docs/json.md").read_text()
    assert len(names) >= 8 and all(f"`{name}`" in text for name in names), names
