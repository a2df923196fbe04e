"""How time and memory grow with the input: rows, records, series, open windows, partitions, the dashboard's history and its
clients. Each from 1 x to 100 x or more. Time is that of the processor, user and system, less that of the same command with
nothing to do; so other work on the machine disturbs little. Each exponent is the slope of a line through the points, log-log:
1 is proportional, 0 is flat. (A submission has no such input.)"""

import sys
from pathlib import Path

from tests.bench.common import TALLY, commands, temporary, versions
from tests.bench.growth_count import rows_of_count, series_of_count, windows_of_count
from tests.bench.growth_dashboard import clients_of_dashboard, history_of_dashboard
from tests.bench.growth_kafka import partitions_of_engine, records_of_kafka, results_of_consume
from tests.kafka_server import Kafka


def main():
    kafka = Kafka().start()
    try:
        with temporary() as folder:
            folder = Path(folder)
            for subject in (rows_of_count, series_of_count, windows_of_count):
                subject(folder)
            for subject in (records_of_kafka, partitions_of_engine, results_of_consume, history_of_dashboard,
                            clients_of_dashboard):
                subject(folder, kafka)
    finally:
        kafka.close()
    versions(tally=[TALLY, "--version"])
    commands(count=["tally", "count", "JOB", "FILE"], engine=["tally", "run", "JOB", "--no-page", "--once"])


if __name__ == "__main__":
    sys.exit(main())
