"""What the benchmarks share: input of a known size, runs in turns, medians and ratios as a Markdown table."""

import os
import shlex
import statistics
import subprocess
import tempfile
from collections import namedtuple

from tests.program import ROOT, chosen, environment, measured

TALLY = str(chosen())
ROUNDS = int(os.environ.get("ROUNDS", 5))

Run = namedtuple("Run", "seconds memory processor out")


def temporary():
    """A folder for the inputs, on disk: they are in the page cache when they are read."""
    (ROOT / "build").mkdir(exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "build")


def user_log(path, rows):
    """Rows of 48 bytes in the tutorial's format, each gender with its share."""
    block = []
    for i in range(10_000):
        mixed = i * 7919 % 10_000
        gender = "0" if mixed % 10 < 6 else "1" if mixed % 10 < 9 else "2"
        row = f"{328862 + mixed:06d},{323294 + i:06d},{833 + mixed % 99:03d},{2882 + i % 999:04d},{2661 + i % 777:04d}," \
              f"{1 + i % 12:02d},{1 + i % 28:02d},{i % 4},{i % 9},{gender},"
        block.append(row + "abcdefgh"[:47 - len(row)] + "\n")
    data = "".join(block).encode()
    assert len(data) == 480_000
    with open(path, "wb") as file:
        for _ in range(rows // 10_000):
            file.write(data)
    return path


def run(command, out=False):
    """One run: wall time, peak memory, time of the processor. out: keep what it prints."""
    with tempfile.NamedTemporaryFile() as sink:
        code, seconds, memory, processor = measured(command, stdout=sink.name if out else os.devnull)
        if code:
            raise RuntimeError(f"{command}: exit {code}")
        return Run(seconds, memory, processor, sink.read() if out else b"")


def middle(once, least):
    """A run; of an odd number that takes so many seconds together, if one is shorter, the one in the middle."""
    runs = [once()]
    while sum(each.seconds for each in runs) < least or len(runs) % 2 == 0:
        runs.append(once())
    return sorted(runs, key=lambda each: each.seconds)[len(runs) // 2]


def in_turns(contestants, rounds=ROUNDS, least=0):
    """{name: [Run]}: one of each a round, so that what disturbs the machine disturbs all. least: middle()'s."""
    found = {name: [] for name in contestants}
    os.sync()  # the input is written to the disk now, not in somebody's time
    for _ in range(rounds):
        for name, once in contestants.items():
            found[name].append(middle(once, least))
    return found


def ratios(counts, found, of="seconds"):
    """{name: [how many times as much of the seconds (of="processor": of the processor's) it takes as the first, a round]}."""
    costs = {name: [getattr(each, of) / counts[name] for each in runs] for name, runs in found.items()}
    first = next(iter(costs.values()))
    return {name: [cost / ours for cost, ours in zip(each, first, strict=True)] for name, each in costs.items()}


def medians(of_rounds):
    return {name: statistics.median(each) for name, each in of_rounds.items()}


def spread(values):
    """The quartiles; of a single round there are none."""
    if len(values) < 2:
        return ""
    low, _, high = statistics.quantiles(values, method="inclusive")
    return f"{low:.1f} to {high:.1f}"


def table(title, unit, counts, found):
    """The first contestant against the others; counts: how many of the unit each did. Gives {name: the ratio}."""
    lines = [f"### {title}", "", f"| program | {unit}/s | best | worst | ratio | its quartiles | of processor time | peak memory |",
             "|---|--:|--:|--:|--:|--:|--:|--:|"]
    wall, processor = ratios(counts, found), medians(ratios(counts, found, "processor"))
    for name, runs in found.items():
        speeds = [counts[name] / r.seconds for r in runs]
        memory = max(r.memory for r in runs)
        lines.append(f"| {name} | {human(statistics.median(speeds))} | {human(max(speeds))} | {human(min(speeds))} | "
                     f"{statistics.median(wall[name]):.1f} x | {spread(wall[name])} | {processor[name]:.1f} x | "
                     f"{memory / 2**20:.1f} MiB |")
    print("\n".join(lines) + "\n", flush=True)
    return medians(wall)


def goal(what, value, bound, unit=" x", at_most=False):
    """One line that says whether a figure of design reached its goal; RESULTS.md begins with all of them."""
    reached = value <= bound if at_most else value >= bound
    print(f"Goal: {what}: {'at most' if at_most else 'at least'} {human(bound)}{unit}, measured {human(value)}{unit}; "
          f"{'reached' if reached else '**short**'}.\n", flush=True)
    return reached


def versions(**commands):
    """What was compared, in the words of each: {name: a command that prints its version}."""
    said = []
    for name, command in commands.items():
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
        lines = done.stdout.strip().splitlines()
        said.append(f"{name}: {lines[0] if lines else '?'}")
    print("Versions: " + "; ".join(said) + ".\n", flush=True)


def commands(**shown):
    """How each was called, for whoever wants to do it again."""
    print("\n".join(f"- {name}: `{shlex.join(command)}`" for name, command in shown.items()) + "\n", flush=True)


def human(number):
    if number >= 1e6:
        return f"{number / 1e6:.2f} M"
    if number >= 1e4:
        return f"{number / 1e3:.0f} k"
    return f"{number:,.0f}" if number >= 1e3 else f"{number:.3g}"
