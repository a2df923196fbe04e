"""Runs rows and keeps what each printed in RESULTS.md: its part is replaced, the others stay. A row that cannot run here
says so in its first line, `left out: why`, and what is there of an earlier run stays."""

import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.common import ROOT

RESULTS = Path(os.environ.get("RESULTS", ROOT / "tests/bench/RESULTS.md"))
ROWS = ["submit", "produce", "consume", "count", "engine", "latency", "spark", "fanout", "page", "start", "images",
        "growth"]

HEAD = """# Figures

This program beside others, in one run on one machine, each in turn; `make bench` makes them again, `make bench ROW=count`
one of them. Medians of the rounds, ratios too, beside their quartiles; a ratio above 1 says that the first is so many times faster.
Others' figures hold for their documented best settings. A goal that was not reached is printed as such. Peak memory is told from
10 MiB on: what starts and measures a command has as much.

"The run before" is what the last run of the row but this one measured; "differs" says by how much the larger of both is above
the smaller: more than 20 % is printed as **differs**. An exponent, or ours less another's, may be near 0, where percents mean
nothing: of those it is the plain difference, and more than 0.2 (proportional growth has 1) or 2 ms is printed as such.
"""

GOAL = re.compile(r"^Goal: (?P<what>.*): (?P<bound>at (?:least|most) .*), measured (?P<measured>.*); "
                  r"(?P<said>reached|\*\*short\*\*)(?:; the run before (?P<before>.*))?\.$", re.M)
FURTHEST = 1.2
NEAR_ZERO = {"exponent": 0.2, "beyond": 2}  # {a word of the goal: how far apart two runs may be}


def machine():
    said = Path("/proc/cpuinfo").read_text()
    name = re.search(r"model name\s*: (.*)", said)
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) / 2**20
    system = re.search(r'PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())[1]
    return f"{os.cpu_count()} x {name[1] if name else platform.machine()}, {memory:.0f} GiB, {system}, Linux {platform.release()}"


def parts(text):
    """{row: its part}, of a whole RESULTS.md."""
    return {row: part.strip() for row, part in re.findall(r"<!-- row: (\w+) -->\n## \w+\n\n(.*?)(?=<!-- row:|\Z)", text, re.S)}


def measure(row):
    """What the row printed, with when and where; None if it was left out. Shown as it comes."""
    load = os.getloadavg()[0]
    process = subprocess.Popen([sys.executable, "-m", f"tests.bench.{row}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    said = []
    for line in process.stdout:
        said.append(line)
        print(line, end="", flush=True)
    if process.wait():
        raise SystemExit(f"{row}: exit {process.returncode}")
    text = "".join(said).strip()
    if re.search(r"^left out: ", text, re.M):
        return None
    return f"{text}\n\n{time.strftime('%Y-%m-%d', time.gmtime())}, {machine()}, load {load:.1f} before it."


def with_before(text, old):
    """A row's part, its goals with what they were in the part of the run before."""
    known = {goal["what"]: goal["measured"] for goal in GOAL.finditer(old)}

    def and_before(goal):
        before = known.get(goal["what"])
        return f"{goal[0][:-1]}; the run before {before}." if before else goal[0]
    return GOAL.sub(and_before, text)


def number(figure):
    """Of a figure as common.human() writes it, with its unit."""
    digits, letter = re.match(r"(-?[\d.,]+(?:e[-+]\d+)?)(?: ([kM]))?\b", figure).groups()
    return float(digits.replace(",", "")) * {"k": 1e3, "M": 1e6, None: 1}[letter]


def differs(what, measured, before):
    """The last cell of a goal; "" if there was no run before."""
    if not before:
        return ""
    low, high = sorted((number(measured), number(before)))
    most = next((most for word, most in NEAR_ZERO.items() if re.search(rf"\b{word}\b", what)), None)
    if most is not None:
        far, said = high - low > most, f"{high - low:.2g}"
    else:
        far, said = high > FURTHEST * low, f"{100 * (high / low - 1):.0f} %" if low > 0 else "from 0"
    return f"**differs**, {said}" if far else said


def goals(text):
    """The goals' lines of every part, as the table at the top."""
    found = [goal.groupdict(default="") for goal in GOAL.finditer(text)]
    head = ["| what | goal and measured | | the run before | differs |", "|---|---|---|---|---|"] if found else []
    return "\n".join([*head, *("| {what} | {bound}, measured {measured} | {said} | {before} | {differs} |".format(
        **goal, differs=differs(goal["what"], goal["measured"], goal["before"])) for goal in found)])


def write(found):
    known = {row: found[row] for row in ROWS if row in found}
    body = "\n\n".join(f"<!-- row: {row} -->\n## {row}\n\n{part}" for row, part in known.items())
    RESULTS.write_text(f"{HEAD}\n{goals(body)}\n\n{body}\n")


def main(rows):
    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        raise SystemExit(f"no such row: {unknown[0]}; there are {', '.join(ROWS)}")
    found = parts(RESULTS.read_text()) if RESULTS.exists() else {}
    for row in rows or ROWS:
        part = measure(row)
        if part:
            found[row] = with_before(part, found.get(row, ""))
            write(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
