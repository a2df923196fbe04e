"""How `tally count` grows: with rows, with series, with windows open at once."""

import os

from tests.bench.common import TALLY, human, user_log
from tests.bench.growth_common import ROUNDS, cost, job, less, report

ROWS = [100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
SERIES = [3, 10, 100, 1_000, 10_000]
OPEN = [10, 100, 1_000, 10_000, 100_000]
LIST_ROWS = 1_000_000
BASE = 1_700_000_000_000


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
