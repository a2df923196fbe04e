"""Creating a driver on the cluster of `make cluster`: `tally submit`; curl with the one request that creates it, and with the
three that `tally submit` makes (the master's state, REST's version, the create); spark-submit in cluster mode, by port 7077
and by REST. On this machine, and in the master's container. The jar is missing: that is found out later."""

import json
import statistics
import subprocess
import sys
from pathlib import Path

from tests.bench.common import ROUNDS, TALLY, Run, commands, goal, in_turns, run, table, temporary, versions
from tests.cluster import ADDRESSES
from tests.program import MEASURE, Program, environment, until

PAIRS = 5 * ROUNDS  # of those that take milliseconds
WARM = 100  # submissions that are not counted: a master that has just started answers slowly, Java's compilers are at work
JAR = ["--class", "X", "/root/none.jar"]
CREATE = {"action": "CreateSubmissionRequest", "clientSparkVersion": "4.2.0", "appResource": "/root/none.jar",
          "mainClass": "X", "appArgs": [], "environmentVariables": {}, "sparkProperties": {
              "spark.app.name": "X", "spark.jars": "/root/none.jar", "spark.submit.deployMode": "cluster"}}


def curl(host, body, *before):
    """One curl: a connection each, as `tally submit` has them."""
    first = [each for url in before for each in ("-s", f"http://{host}:{url}", "--next")]
    return ["curl", *first, "-sf", "-H", "Content-Type: application/json", "--data", body,
            f"http://{host}:6066/v1/submissions/create"]


def spark_submit(url, rest):
    return ["spark-submit", "--master", url, "--conf", f"spark.master.rest.enabled={rest}", "--deploy-mode", "cluster", *JAR]


def idle():
    """All those drivers have ended: there is room for the next. (What runs besides has begun before.)"""
    listed = json.loads(Program().run("list", "--json", env=ADDRESSES).out)
    return not [row for row in listed["drivers"] if row["active"] and row.get("class") == "X"]


def one(command):
    def once():
        until(idle, 60, "the end of the drivers before", every=0.1)
        return run(command)
    return once


def inside(command):
    """Measured in the container. By port 7077 spark-submit waits five seconds, then sees that the driver failed (255); a
    good one takes as long."""
    def once():
        until(idle, 60, "the end of the drivers before", every=0.1)
        said = subprocess.run(["docker", "exec", "spark-master", "python3", "-I", "-S", "-c", MEASURE, "/dev/null",
                               "/dev/null", *command], stdout=subprocess.PIPE, text=True, check=True, env=environment())
        code, seconds, kilobytes, processor = said.stdout.split()
        assert code in ("0", "255"), (command, code)
        return Run(float(seconds), int(kilobytes) * 1024, float(processor), b"")
    return once


def difference(found, ours, other):
    """ms, the median of the pairs."""
    return statistics.median((a.seconds - b.seconds) * 1000 for a, b in zip(found[ours], found[other]))


def bench(folder):
    body = json.dumps(CREATE)
    file = Path(folder) / "create.json"
    file.write_text(body)
    three = ["8080/json/", "6066/v1/submissions/"]
    here = {"tally submit": [TALLY, "submit", "--master", "spark://localhost:7077", *JAR],
            "curl, the same three requests": curl("localhost", f"@{file}", *three),
            "curl, the create alone": curl("localhost", f"@{file}")}
    there = {"tally submit": ["tally", "submit", *JAR],
             "curl, the same three requests": curl("spark-master", body, *three)}
    slow = {"spark-submit, port 7077": spark_submit("spark://spark-master:7077", "false"),
            "spark-submit, REST": spark_submit("spark://spark-master:6066", "true")}
    for _ in range(WARM):
        one(here["tally submit"])()
    found = in_turns({name: one(command) for name, command in here.items()}, PAIRS)
    table("submit: a driver created, from this machine", "drivers", dict.fromkeys(found, 1), found)
    inner = in_turns({name: inside(command) for name, command in {**there, **slow}.items()}, least=0.5)
    ratios = table("submit: the same in the master's container", "drivers", dict.fromkeys(inner, 1), inner)
    for other in list(here)[1:]:
        print(f"tally submit against {other}: {difference(found, 'tally submit', other):+.1f} ms, the median of {PAIRS} pairs.\n")
    goal("submit beyond curl's same requests", difference(found, *list(here)[:2]), 10, " ms", at_most=True)
    goal("submit against spark-submit by port 7077", ratios["spark-submit, port 7077"], 100)
    goal("submit, peak memory", max(each.memory for each in found["tally submit"]) / 1e6, 16, " MB", at_most=True)
    commands(**{**here, **{f"{name}, in the container": command for name, command in {**there, **slow}.items()}})


def main():
    if subprocess.run(["docker", "exec", "spark-master", "true"], capture_output=True).returncode:
        print("left out: there is no cluster (make cluster)")
        return
    with temporary() as folder:
        bench(folder)
    versions(tally=[TALLY, "--version"], curl=["curl", "--version"],
             spark=["docker", "exec", "spark-master", "cat", "/opt/spark/RELEASE"])


if __name__ == "__main__":
    sys.exit(main())
