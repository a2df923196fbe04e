"""How the commands that read or write a real Kafka grow: with records, with partitions."""

import os

from tests.bench.common import TALLY, human, user_log
from tests.bench.growth_common import cost, fill_results, job, less, report

# With fewer, memory still grows up to the bounds of the queues.
RECORDS = [300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000]
RESULTS = [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
PARTITIONS = [1, 3, 10, 30, 100]
SHARED = 300_000
WAITING = 30_000


def records_of_kafka(folder, kafka):
    at = ["--bootstrap-servers", kafka.address]
    produced, counted = [], []
    for records in RECORDS:
        kafka.create_topic("growth")
        path = job(folder, f"records-{records}", column=9, source="growth", sink=f"counted-{records}")
        data = user_log(folder / "rows.csv", records)
        produced.append(cost([TALLY, "produce", path, data, "--rate", "max", *at], 1))
        assert kafka.end_offsets("growth") == {0: records}
        counted.append(cost([TALLY, "run", path, "--no-page", "--once", *at], 1))
        kafka.delete_topic("growth")
    kafka.create_topic("growth")
    nothing = cost([TALLY, "run", path, "--no-page", "--once", *at])
    idle = cost([TALLY, "produce", path, os.devnull, "--rate", "max", *at])
    report("produce", "`produce`, records of 1 byte", "records", RECORDS, less(produced, idle), [c.memory for c in produced], 1.1,
           0.1)
    report("engine", "the engine, from Kafka to Kafka", "records", RECORDS, less(counted, nothing), [c.memory for c in counted],
           1.1, 0.1)


def partitions_of_engine(folder, kafka):
    """As many records in all; and as many waiting in each, of which librdkafka shall not read more ahead than of one."""
    for name, each in (("all", lambda partitions: SHARED), ("each", lambda partitions: WAITING * partitions)):
        costs, starts = [], []
        for partitions in PARTITIONS:
            first, counted = backlog(folder, kafka, f"{name}-{partitions}", partitions, each(partitions))
            starts.append(first)
            costs.append(counted)
        seconds = [less([cost], start)[0] for cost, start in zip(costs, starts)]
        words = f"{human(SHARED)} records in all" if name == "all" else f"{human(WAITING)} waiting in each"
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


def results_of_consume(folder, kafka):
    at = ["--bootstrap-servers", kafka.address, "-o", "beginning", "-e"]
    nothing = cost([TALLY, "consume", fill_results(folder, kafka, 1), *at])
    costs = [cost([TALLY, "consume", fill_results(folder, kafka, count), *at], 1) for count in RESULTS]
    report("consume", "`consume`, result records", "records", RESULTS, less(costs, nothing), [c.memory for c in costs], 1.1, 0.1)
