"""What the parts of the row `growth` share: what a command costs, the exponent of its growth, a table and a picture of it."""

import math
import os
import subprocess
from collections import namedtuple
from pathlib import Path

import yaml

from tests.bench.common import TALLY, goal, human, run
from tests.bench.picture import draw
from tests.program import environment

ROUNDS = int(os.environ.get("ROUNDS", 3))
MB = 2**20

Cost = namedtuple("Cost", "seconds memory")


def cost(command, rounds=ROUNDS):
    """The least of some runs: what disturbs only adds."""
    found = [run([str(part) for part in command]) for _ in range(rounds)]
    return Cost(min(each.processor for each in found), min(each.memory for each in found))


def slope(xs, ys):
    """Of the line with the least squares, log-log."""
    logs = [(math.log(x), math.log(max(y, 1e-9))) for x, y in zip(xs, ys)]
    mean_x, mean_y = (sum(each) / len(logs) for each in zip(*logs))
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / sum((x - mean_x) ** 2 for x, _ in logs)


def less(costs, start):
    """What the command costs beyond its start: from a tenth of that on it can be told from noise."""
    return [max(each.seconds - start.seconds, start.seconds / 10) for each in costs]


def report(name, title, across, xs, seconds, memory, time_goal, memory_goal, which="peak memory"):
    """A row of points: xs, at least 1 to 100; seconds and bytes (which: of what memory) of each; the most for both exponents."""
    assert xs[-1] >= 100 * xs[0], xs
    print(f"### {title}\n\n| {across} | " + " | ".join(human(x) for x in xs) + " |\n|---|" + "--:|" * len(xs))
    print("| time | " + " | ".join(f"{1000 * s:.1f} ms" for s in seconds) + " |")
    print(f"| {which} | " + " | ".join(f"{m / MB:.1f} MiB" for m in memory) + " |\n")
    path = draw(name, title, across, {"processor time, ms": {"time": (xs, [1000 * s for s in seconds])},
                                      f"{which}, MiB": {"memory": (xs, [m / MB for m in memory])}})
    print(f"![{title}]({path.relative_to(Path(__file__).parent)})\n")
    goal(f"{title}: time, exponent", slope(xs, seconds), time_goal, "", at_most=True)
    goal(f"{title}: memory, exponent", slope(xs, memory), memory_goal, "", at_most=True)


def job(folder, name, series=3, lateness="1s", column=0, source="none", sink="counted"):
    labels = {f"v{n}": {"name": f"s{n}"} for n in range(series)}
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"name": name, "source": {"topic": source, "column": column, "format": "value"},
                                    "window": {"size": "1s", "slide": "1s", "lateness": lateness}, "labels": labels,
                                    "sink": {"topic": sink}}, sort_keys=False))
    return path


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
