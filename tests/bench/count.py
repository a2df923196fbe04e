"""`tally count gender` on 10 M rows of 48 bytes, against others that count (window, value): mawk, gawk, Python's csv module,
polars, DuckDB; and `wc -l`, which only looks for line ends, as the limit. JSON lines are no input of count's.

The goals against programs of one thread are of the processor's time, user and system: what each takes on a core of its own.
With other work on the machine it differs by some percent from round to round, the time on the clock by half."""

import json
import os
import shutil
import statistics
import sys
from pathlib import Path

from tests.bench.common import ROOT, ROUNDS, TALLY, commands, goal, human, in_turns, medians, ratios, run, table, temporary, \
    user_log, versions
from tests.bench.peers import pip

ROWS = int(os.environ.get("ROWS", 10_000_000))
PART = ROWS // 10  # what the slow ones count: their speed does not depend on the length
SLOW = "Python's csv", "gawk"
RATE = 1000  # rows in a window

AWK = "{ count[int((NR - 1) / %d), $10]++ } END { for (key in count) { split(key, k, SUBSEP); " \
      "print k[1] \" \" k[2] \" \" count[key] } }" % RATE

NAMES = {"female": "0", "male": "1", "unknown": "2"}
HERE = Path(__file__).parent


def contestants():
    """{name: command}; the file comes behind the last argument, or as FILE."""
    python = str(pip("polars==2.1.0", "duckdb==2.0.0"))
    cores = str(os.cpu_count())
    polars, duckdb = ([python, "-I", str(HERE / f"count_{name}.py"), "FILE", str(RATE)] for name in ("polars", "duckdb"))
    count = [TALLY, "count", "gender", "--rate", str(RATE)]
    return {
        "tally count": [*count, "FILE"],
        "tally count, from a pipe": ["sh", "-c", 'cat "$1" | "$2" count gender --rate "$3"', "sh", "FILE", TALLY, str(RATE)],
        "mawk": ["mawk", "-F,", AWK, "FILE"],
        # Faster than in a locale of several bytes a character: its README.multibyte.
        "gawk": ["env", "LC_ALL=C", "gawk", "-F,", AWK, "FILE"],
        "Python's csv": ["/usr/bin/python3", str(HERE / "count_csv.py"), "FILE", str(RATE)],
        "polars, 1 thread": ["env", "POLARS_MAX_THREADS=1", *polars],
        f"polars, {cores} threads": ["env", f"POLARS_MAX_THREADS={cores}", *polars],
        "DuckDB, 1 thread": [*duckdb, "1"],
        f"DuckDB, {cores} threads": [*duckdb, cores],
        "wc -l": ["wc", "-l", "FILE"],
    }


def on(command, file):
    return [str(file) if part == "FILE" else part for part in command]


def answer(name, out):
    """{(window, value): count}"""
    if name.startswith("tally"):
        return {(r["start"] // 1000, NAMES[series]): n for r in map(json.loads, out.splitlines())
                for series, n in r["counts"].items() if n}
    return {(int(w), value): int(n) for w, value, n in (line.split() for line in out.decode().splitlines())}


def agree(commanded, file):
    """All counted the same: a benchmark of a wrong answer is worth nothing."""
    found = {name: answer(name, run(on(command, file), out=True).out) for name, command in commanded.items()
             if name != "wc -l"}
    first = next(iter(found.values()))
    assert sum(first.values()) == PART
    wrong = [name for name, counts in found.items() if counts != first]
    assert not wrong, f"they do not agree: {', '.join(wrong)}"


def main():
    missing = [name for name in ("mawk", "gawk") if not shutil.which(name)]
    if missing:
        print(f"left out: no {missing[0]} here: make packages-bench")
        return
    commanded = contestants()
    with temporary() as folder:
        files = {rows: user_log(Path(folder) / f"{rows}.csv", rows) for rows in (ROWS, PART)}
        agree(commanded, files[PART])
        rows = {name: PART if name in SLOW else ROWS for name in commanded}
        found = in_turns({name: lambda file=files[rows[name]], command=command: run(on(command, file))
                          for name, command in commanded.items()}, least=1)  # ours take a quarter of a second
    table(f"count: {human(ROWS)} rows of 48 bytes, {ROWS // RATE:,} windows", "rows", rows, found)
    processor = medians(ratios(rows, found, "processor"))
    goal("count, against mawk, time of the processor", processor["mawk"], 10)
    goal("count, against Python's csv, time of the processor", processor["Python's csv"], 20)
    goal("count, rows on one core", statistics.median(ROWS / r.seconds for r in found["tally count"]), 20e6, " rows/s")
    print(f"Medians, rounds: {ROUNDS}. All gave the same counts. tally, the awks and Python have one thread. polars and "
          "DuckDB know the column's type beforehand, the others take it as text.\n")
    python = commanded["DuckDB, 1 thread"][0]
    versions(tally=[TALLY, "--version"], mawk=["mawk", "-W", "version"], gawk=["gawk", "--version"],
             Python=["/usr/bin/python3", "--version"], wc=["wc", "--version"],
             **{name: [python, "-c", f"import {name}; print({name}.__version__)"] for name in ("polars", "duckdb")})
    commands(**{name: [part.replace(f"{ROOT}/", "") for part in command] for name, command in commanded.items()})


if __name__ == "__main__":
    sys.exit(main())
