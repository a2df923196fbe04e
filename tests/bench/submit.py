"""Creating a driver on the cluster of `make cluster`: `tally submit`, curl with the same request, and spark-submit in
cluster mode, by port 7077 and by REST, in the master's container. The jar is missing: that is found out later."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.bench.common import TALLY, Run, in_turns, run, table, temporary
from tests.program import environment

MASTER = "spark://localhost:7077"
JAR = ["--class", "X", "/root/none.jar"]
CREATE = {"action": "CreateSubmissionRequest", "clientSparkVersion": "4.2.0", "appResource": "/root/none.jar",
          "mainClass": "X", "appArgs": [], "environmentVariables": {}, "sparkProperties": {
              "spark.app.name": "X", "spark.jars": "/root/none.jar", "spark.submit.deployMode": "cluster"}}

# /proc has the peak while the process is there: it is looked at until it is gone.
WATCHED = '''"$@" >/dev/null 2>&1 &
while peak=$(grep VmHWM /proc/$!/status 2>/dev/null); do last=$peak; sleep 0.05; done
echo "$last"'''


def curl(folder):
    file = Path(folder) / "create.json"
    file.write_text(json.dumps(CREATE))
    return ["curl", "-sf", "-H", "Content-Type: application/json", "--data", f"@{file}",
            "http://localhost:6066/v1/submissions/create"]


def inside(*command):
    return ["docker", "exec", "spark-master", *command]


def spark_submit(*options):
    return inside("spark-submit", "--master", *options, "--deploy-mode", "cluster", *JAR)


def unless_lost(command):
    """By port 7077 spark-submit waits five seconds, then sees that the driver failed; a good one takes as long."""
    return inside("sh", "-c", '"$@" || [ $? = 255 ]', "sh", *command[3:])


def peak_inside(command):
    """Of a process in the container, in bytes: what it is there when it is run once more."""
    docker, rest = command[:3], command[3:]
    said = subprocess.run([*docker, "sh", "-c", WATCHED, "sh", *rest], stdout=subprocess.PIPE, text=True,
                          env=environment()).stdout
    return int(re.search(r"VmHWM:\s+(\d+) kB", said)[1]) * 1024


def main():
    if subprocess.run(inside("true"), capture_output=True).returncode:
        print("### submit\n\nleft out: there is no cluster (make cluster)\n")
        return
    by_port = spark_submit("spark://spark-master:7077", "--conf", "spark.master.rest.enabled=false")
    by_rest = spark_submit("spark://spark-master:6066", "--conf", "spark.master.rest.enabled=true")
    with temporary() as folder:
        found = in_turns({
            "tally submit": lambda: run([TALLY, "submit", "--master", MASTER, *JAR]),
            "curl, the same request": lambda command=curl(folder): run(command),
            "tally submit, by docker exec": lambda: run(inside("tally", "submit", *JAR)),
            "spark-submit, port 7077, by docker exec": lambda: run(unless_lost(by_port)),
            "spark-submit, REST, by docker exec": lambda: run(by_rest)})
    for name, command in {"tally submit, by docker exec": inside("tally", "submit", *JAR),
                          "spark-submit, port 7077, by docker exec": by_port,
                          "spark-submit, REST, by docker exec": by_rest}.items():
        peak = peak_inside(command)  # not that of docker exec
        found[name] = [Run(each.seconds, peak, each.out) for each in found[name]]
    table("submit: a driver created", "drivers", dict.fromkeys(found, 1), found)


if __name__ == "__main__":
    sys.exit(main())
