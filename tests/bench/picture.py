"""Draws how something grows: log-log, one picture a subject, in tests/bench/pictures. The same figures give the same file."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "tally", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False,
                            "axes.spines.right": False})
from matplotlib import pyplot, ticker  # noqa: E402

FOLDER = Path(__file__).parent / "pictures"


def draw(name, title, across, panels):
    """panels: {what it costs: {line: ([x], [y])}}. The dotted line is what proportional growth would be."""
    FOLDER.mkdir(exist_ok=True)
    figure, axes = pyplot.subplots(1, len(panels), figsize=(3.6 * len(panels), 2.9), squeeze=False)
    for at, (what, lines) in zip(axes[0], panels.items()):
        for label, (xs, ys) in lines.items():
            at.loglog(xs, ys, marker="o", markersize=3.5, linewidth=1.4, label=label)
        proportional(at, lines)
        at.set_xlabel(across)
        at.set_title(what, fontsize=9, loc="left")
        at.grid(True, which="major", linewidth=0.4)
        for axis in (at.xaxis, at.yaxis):
            axis.set_major_formatter(ticker.FuncFormatter(short))
            axis.set_minor_formatter(ticker.NullFormatter())
        if len(lines) > 1:
            at.legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=10, x=0.02, ha="left")
    figure.tight_layout()
    path = FOLDER / f"{name}.svg"
    figure.savefig(path, metadata={"Date": None, "Creator": None}, facecolor="white")
    pyplot.close(figure)
    return path


def proportional(axes, lines):
    xs, ys = next(iter(lines.values()))
    low, high = min(y for _, each in lines.values() for y in each), max(y for _, each in lines.values() for y in each)
    axes.loglog([xs[0], xs[-1]], [ys[0], ys[0] * xs[-1] / xs[0]], ":", color="grey", linewidth=1)
    axes.set_ylim(low / 2, max(high * 2, low * 10))


def short(value, _position=None):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
