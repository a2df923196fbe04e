"""`tally count gender` on 10 M rows of 48 bytes, against mawk with a map of (window, value), and Python's csv module."""

import json
import os
import sys
from pathlib import Path

from tests.bench.common import TALLY, human, in_turns, run, table, temporary, user_log

ROWS = int(os.environ.get("ROWS", 10_000_000))
PART = ROWS // 10  # what Python counts: its speed does not depend on the length
RATE = 1000  # rows in a window, in all three

MAWK = "{ count[int((NR - 1) / %d), $10]++ } END { for (key in count) { split(key, k, SUBSEP); " \
       "print k[1] \" \" k[2] \" \" count[key] } }" % RATE

PYTHON = """
import csv, sys
counts = {}
with open(sys.argv[1], newline="") as file:
    for n, row in enumerate(csv.reader(file)):
        key = n // %d, row[9]
        counts[key] = counts.get(key, 0) + 1
for (window, value), count in counts.items():
    print(window, value, count)
""" % RATE

NAMES = {"female": "0", "male": "1", "unknown": "2"}


def same(tally, other):
    """Both counted the same: a benchmark of a wrong answer is worth nothing."""
    mine = {(r["start"] // 1000, NAMES[name]): n for r in map(json.loads, tally.out.splitlines())
            for name, n in r["counts"].items() if n}
    theirs = {(int(w), value): int(n) for w, value, n in (line.split() for line in other.out.decode().splitlines())}
    assert mine == theirs, "they do not agree"


def main():
    with temporary() as folder:
        whole, part = user_log(Path(folder) / "whole.csv", ROWS), user_log(Path(folder) / "part.csv", PART)
        count = [TALLY, "count", "gender", "--rate", str(RATE)]
        mawk, python = ["mawk", "-F,", MAWK], ["/usr/bin/python3", "-c", PYTHON, str(part)]
        same(run([*count, str(part)], out=True), run([*mawk, str(part)], out=True))
        same(run([*count, str(part)], out=True), run(python, out=True))
        found = in_turns({"tally count": lambda: run([*count, str(whole)]),
                          "tally count, from a pipe": lambda: run(["sh", "-c", f'cat "$1" | {TALLY} count gender '
                                                                   f"--rate {RATE}", "sh", str(whole)]),
                          "mawk, a map of (window, value)": lambda: run([*mawk, str(whole)]),
                          "Python's csv": lambda: run(python)})
    rows = {name: PART if name.startswith("Python") else ROWS for name in found}
    table(f"count: {human(ROWS)} rows of 48 bytes, {ROWS // RATE:,} windows", "rows", rows, found)


if __name__ == "__main__":
    sys.exit(main())
