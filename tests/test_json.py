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
