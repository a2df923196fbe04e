"""How time and memory grow with the input: rows, records, series, open windows, partitions, the dashboard's history. Time is
that of the processor, user and system, less that of the same command with nothing to do; so other work on the machine disturbs
little. Each exponent is the slope of a line through the points, log-log: 1 is proportional, 0 is flat."""

import math
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import yaml

from tests.bench.common import TALLY, commands, goal, human, temporary, user_log, versions
from tests.bench.picture import draw
from tests.kafka_server import Kafka, free_port
from tests.program import Program, environment, until
from tests.web import get

ROUNDS = int(os.environ.get("ROUNDS", 3))
MB = 2**20
ROWS = [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
RECORDS = [30_000, 100_000, 300_000, 1_000_000, 3_000_000]
RESULTS = [10_000, 30_000, 100_000, 300_000, 1_000_000]
SERIES = [3, 10, 100, 1_000, 10_000]
OPEN = [10, 100, 1_000, 10_000, 100_000]
PARTITIONS = [1, 4, 16, 64]
WAITING = 30_000
HISTORY = [300, 1_000, 3_000, 10_000, 30_000]
LIST_ROWS = 1_000_000
BASE = 1_700_000_000_000

Cost = namedtuple("Cost", "seconds memory")

# As in tests/program.py: a small process forks, or its memory would be taken for the command's.
MEASURE = """
import os, subprocess, sys
with open(os.devnull, "rb") as source, open(os.devnull, "wb") as sink:
    child = subprocess.Popen(sys.argv[1:], stdin=source, stdout=sink, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
"""


def cost(command, rounds=ROUNDS):
    """The least of some runs: what disturbs only adds."""
    found = []
    for _ in range(rounds):
        done = subprocess.run(["/usr/bin/python3", "-I", "-S", "-c", MEASURE, *map(str, command)], env=environment(),
                              stdout=subprocess.PIPE, check=True)
        code, seconds, kilobytes = done.stdout.split()
        assert code == b"0", f"{command}: exit {code}"
        found.append(Cost(float(seconds), int(kilobytes) * 1024))
    return Cost(min(each.seconds for each in found), min(each.memory for each in found))


def slope(xs, ys):
    """Of the line with the least squares, log-log."""
    logs = [(math.log(x), math.log(max(y, 1e-9))) for x, y in zip(xs, ys)]
    mean_x, mean_y = (sum(each) / len(logs) for each in zip(*logs))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def less(costs, start):
    """What the command costs beyond its start: from a tenth of that on it can be told from noise."""
    return [max(each.seconds - start.seconds, start.seconds / 10) for each in costs]


def report(name, title, across, xs, seconds, memory, time_goal, memory_goal, memory_from=0):
    """memory_from: where the bounds of queues are reached; before, memory grows up to them."""
    print(f"### {title}\n\n| {across} | " + " | ".join(human(x) for x in xs) + " |\n|---|" + "--:|" * len(xs))
    print("| time | " + " | ".join(f"{1000 * s:.1f} ms" for s in seconds) + " |")
    print("| memory | " + " | ".join(f"{m / MB:.1f} MiB" for m in memory) + " |\n")
    path = draw(name, title, across, {"processor time, ms": {"time": (xs, [1000 * s for s in seconds])},
                                      "peak memory, MiB": {"memory": (xs, [m / MB for m in memory])}})
    print(f"![{title}]({path.relative_to(Path(__file__).parent)})\n")
    goal(f"{title}: time, exponent", slope(xs, seconds), time_goal, "", at_most=True)
    first = next(i for i, x in enumerate(xs) if x >= memory_from)
    goal(f"{title}: memory, exponent", slope(xs[first:], memory[first:]), memory_goal, "", at_most=True)


# ---- count

def job(folder, name, series=3, lateness="1s", column=0, source="none", sink="counted"):
    labels = {f"v{n}": {"name": f"s{n}"} for n in range(series)}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"name": name, "source": {"topic": source, "column": column, "format": "value"},
                                    "window": {"size": "1s", "slide": "1s", "lateness": lateness}, "labels": labels,
                                    "sink": {"topic": sink}}, sort_keys=False))
    return path


def rows_of_count(folder):
    nothing = cost([TALLY, "count", "gender", os.devnull])
    costs = []
    for rows in ROWS:
        file = user_log(folder / "rows.csv", rows)
        costs.append(cost([TALLY, "count", "gender", "--rate", "1000", file], 1 if rows == ROWS[-1] else ROUNDS))
    os.unlink(folder / "rows.csv")
    report("count", "`count`, rows of 48 bytes", "rows", ROWS, less(costs, nothing), [c.memory for c in costs], 1.1, 0.1)


def series_of_count(folder):
    """As many rows and windows, of more and more values."""
    costs, starts = [], []
    for series in SERIES:
        path = job(folder, "series", series)
        with open(folder / "series.csv", "w") as file:
            file.writelines(f"v{n * 7919 % series}\n" for n in range(LIST_ROWS))
        starts.append(cost([TALLY, "count", path, os.devnull]))
        costs.append(cost([TALLY, "count", path, "--rate", str(LIST_ROWS // 10), folder / "series.csv"]))
    seconds = [less([each], start)[0] for each, start in zip(costs, starts)]
    report("series", f"`count`, series ({human(LIST_ROWS)} rows, 10 windows)", "series", SERIES, seconds, [c.memory for c in costs],
           0.2, 0.2)


def windows_of_count(folder):
    """Each row is of one of the windows that are open, in no order."""
    costs = []
    for windows in OPEN:
        path = job(folder, "open", lateness=f"{windows}s", column=1)
        with open(folder / "open.csv", "w") as file:
            file.writelines(f"{BASE + (windows + n // 1000 - n * 7919 % windows) * 1000},v{n % 3}\n" for n in range(LIST_ROWS))
        costs.append(cost([TALLY, "count", path, "--time-column", "0", folder / "open.csv"]))
    nothing = cost([TALLY, "count", "gender", os.devnull])
    report("windows", f"`count`, windows open at once ({human(LIST_ROWS)} rows, in no order)", "windows open", OPEN,
           less(costs, nothing), [c.memory for c in costs], 0.3, 1.0)


# ---- Kafka to Kafka

def records_of_kafka(folder, kafka):
    at = ["--bootstrap-servers", kafka.address]
    data = user_log(folder / "rows.csv", RECORDS[-1])
    produced, counted = [], []
    for records in RECORDS:
        kafka.create_topic("growth")
        path = job(folder, f"records-{records}", column=9, source="growth", sink=f"counted-{records}")
        with open(folder / "part.csv", "wb") as part, open(data, "rb") as whole:
            part.write(whole.read(48 * records))
        produced.append(cost([TALLY, "produce", path, folder / "part.csv", "--rate", "max", *at], 1))
        assert kafka.end_offsets("growth") == {0: records}
        counted.append(cost([TALLY, "run", path, "--no-page", "--once", *at], 1))
        kafka.delete_topic("growth")
    kafka.create_topic("growth")
    nothing = cost([TALLY, "run", path, "--no-page", "--once", *at])
    idle = cost([TALLY, "produce", path, os.devnull, "--rate", "max", *at])
    report("produce", "`produce`, records of 1 byte", "records", RECORDS, less(produced, idle), [c.memory for c in produced], 1.1,
           0.1, memory_from=1_000_000)
    report("engine", "the engine, from Kafka to Kafka", "records", RECORDS, less(counted, nothing), [c.memory for c in counted],
           1.1, 0.1, memory_from=300_000)


def partitions_of_engine(folder, kafka):
    """As many records in all; and as many in each: what librdkafka reads ahead is bounded for all partitions together."""
    for name, each in (("all", lambda partitions: RECORDS[2]), ("each", lambda partitions: WAITING * partitions)):
        costs, starts = [], []
        for partitions in PARTITIONS:
            first, counted = backlog(folder, kafka, f"{name}-{partitions}", partitions, each(partitions))
            starts.append(first)
            costs.append(counted)
        seconds = [less([cost], start)[0] for cost, start in zip(costs, starts)]
        words = f"{human(RECORDS[2])} records in all" if name == "all" else f"{human(WAITING)} waiting in each"
        report(f"partitions-{name}", f"the engine, partitions ({words})", "partitions", PARTITIONS, seconds,
               [each.memory for each in costs], 0.2 if name == "all" else 1.1, 0.3)


def backlog(folder, kafka, name, partitions, records):
    """(of the engine with nothing to do, with so many records)"""
    path = job(folder, f"partitions-{name}", column=9, source=f"p-{name}", sink=f"counted-p-{name}")
    command = [TALLY, "run", path, "--no-page", "--once", "--bootstrap-servers", kafka.address]
    kafka.create_topic(f"p-{name}", partitions)
    first = cost(command, 1)
    data = user_log(folder / "rows.csv", records)
    cost([TALLY, "produce", path, data, "--rate", "max", "--bootstrap-servers", kafka.address], 1)
    assert sum(kafka.end_offsets(f"p-{name}").values()) == records
    return first, cost(command, 1)


def fill_results(folder, kafka, count):
    """A topic of so many windows, as `count` writes them."""
    kafka.create_topic(f"results-{count}")
    path = job(folder, f"results-{count}", sink=f"results-{count}")
    (folder / "windows.csv").write_text("v1\n" * count)
    with open(folder / "results", "wb") as out:
        subprocess.run([TALLY, "count", path, "--rate", "1", folder / "windows.csv"], stdout=out, check=True, env=environment(),
                       stderr=subprocess.DEVNULL)
    subprocess.run(["kcat", "-P", "-b", kafka.address, "-t", f"results-{count}", "-l", folder / "results"], check=True,
                   stderr=subprocess.DEVNULL)
    assert kafka.end_offsets(f"results-{count}") == {0: count}
    return path


def results_of_consume(folder, kafka):
    at = ["--bootstrap-servers", kafka.address, "-o", "beginning", "-e"]
    nothing = cost([TALLY, "consume", fill_results(folder, kafka, 1), *at])
    costs = [cost([TALLY, "consume", fill_results(folder, kafka, count), *at], 1) for count in RESULTS]
    report("consume", "`consume`, result records", "records", RESULTS, less(costs, nothing), [c.memory for c in costs], 1.1, 0.1,
           memory_from=300_000)


# ---- the dashboard

def processor_time(pid):
    """Seconds, of /proc/PID/schedstat, in ns: less coarse than ticks. Of its main thread, which serves."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def history_of_dashboard(folder, kafka):
    path = fill_results(folder, kafka, HISTORY[-1] + 1)
    memory, seconds, newest = [], [], []
    for windows in HISTORY:
        program, port = Program(cwd=folder), free_port()
        try:
            running = program.start("dashboard", path, "--bootstrap-servers", kafka.address, "--port", port, "--history", windows)
            until(lambda: answers(port), 60, "a dashboard that has read its history")
            memory.append(running.memory())
            seconds.append(answer_time(running.pid, port, windows))
            newest.append(answer_time(running.pid, port, 10))
        finally:
            program.end_all()
    report("history", "the dashboard, windows kept; `/api/windows` with all of them", "windows", HISTORY, seconds, memory, 1.1, 1.1)
    goal("`/api/windows?limit=10` of more windows: time, exponent", slope(HISTORY, newest), 0.1, "", at_most=True)


def answers(port):
    try:
        return get(port, "/readyz").status == 200
    except OSError:
        return False


def answer_time(pid, port, windows, rounds=5):
    found = []
    for _ in range(rounds):
        before = processor_time(pid)
        body = get(port, f"/api/windows?limit={windows}").body
        found.append(processor_time(pid) - before)
    assert body.count(b'"start":') == windows, (body.count(b'"start":'), windows)
    return min(found)


def main():
    kafka = Kafka().start()
    try:
        with temporary() as folder:
            folder = Path(folder)
            for subject in (rows_of_count, series_of_count, windows_of_count):
                subject(folder)
            for subject in (records_of_kafka, partitions_of_engine, results_of_consume, history_of_dashboard):
                subject(folder, kafka)
    finally:
        kafka.close()
    versions(tally=[TALLY, "--version"])
    commands(count=["tally", "count", "JOB", "FILE"], engine=["tally", "run", "JOB", "--no-page", "--once"])


if __name__ == "__main__":
    sys.exit(main())
