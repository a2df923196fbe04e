"""What the benchmarks make of their figures: the ratios of the rounds, and RESULTS.md, which keeps each goal's run before."""

import pytest

from tests.bench import common, growth_common, results

# {what, measured now, measured before: the cell}
APART = {
    ("a against b", "10.6 x", ""): "",
    ("a against b", "10.6 x", "9.0 x"): "18 %",
    ("a against b", "9.0 x", "11.7 x"): "**differs**, 30 %",
    ("a against b", "11.7 x", "9.0 x"): "**differs**, 30 %",
    ("a against b", "120 x", "100 x"): "20 %",
    ("rows on one core", "32.08 M rows/s", "950 k rows/s"): "**differs**, 3277 %",
    ("memory", "12.9 MB", "12.9 MB"): "0 %",
    ("weight", "78.9 kB", "1e+03 kB"): "**differs**, 1167 %",
    ("series", "1,200 x", "1,000 x"): "20 %",
    ("lost", "1 record", "0 record"): "**differs**, from 0",
    ("a: time, exponent", "0.000316", "-0.09"): "0.09",
    ("a: time, exponent", "0.86", "1.08"): "**differs**, 0.22",
    ("submit beyond curl", "5.33 ms", "3.41 ms"): "1.9",
    ("submit beyond curl", "5.33 ms", "-1 ms"): "**differs**, 6.3",
}


@pytest.mark.parametrize("case", APART)
def test_differs(case):
    assert results.differs(*case) == APART[case]


GOALS = [("a, b: time, exponent", 1.01, 1.1, "", True), ("`c`; d", 32.1e6, 20e6, " rows/s", False), ("e", 9, 10, " x", False)]


def part(capsys, goals):
    for goal in goals:
        common.goal(*goal)
    return capsys.readouterr().out.strip()


def test_what_a_goal_prints_is_read(capsys):
    table = results.goals(part(capsys, GOALS)).splitlines()
    assert table[2:] == ["| a, b: time, exponent | at most 1.1, measured 1.01 | reached |  |  |",
                         "| `c`; d | at least 20.00 M rows/s, measured 32.10 M rows/s | reached |  |  |",
                         "| e | at least 10 x, measured 9 x | **short** |  |  |"]


def test_the_run_before_is_the_last_one(capsys, tmp_path, monkeypatch):
    """Of the row that is measured again; the others keep what they have."""
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    measured = {"count": 12, "submit": 300}
    monkeypatch.setattr(results, "measure", lambda row: part(capsys, [(f"{row} against", measured[row], 10, " x", False)]))
    results.main(["count", "submit"])
    results.main(["count"])
    measured["count"] = 15
    results.main(["count"])
    assert (tmp_path / "RESULTS.md").read_text().partition("\n| submit")[2].splitlines()[:2] == [
        " against | at least 10 x, measured 300 x | reached |  |  |",
        "| count against | at least 10 x, measured 15 x | reached | 12 x | **differs**, 25 % |"]
    results.main(["count", "submit"])
    assert results.goals((tmp_path / "RESULTS.md").read_text()).splitlines()[2:] == [
        "| submit against | at least 10 x, measured 300 x | reached | 300 x | 0 % |",
        "| count against | at least 10 x, measured 15 x | reached | 15 x | 0 % |"]


def runs(*seconds):
    return [common.Run(each, 0, each / 2, b"") for each in seconds]


def test_ratios_are_of_each_round():
    """A round in which all are slow disturbs nothing; one does half as much."""
    found = common.ratios({"ours": 8, "other": 4}, {"ours": runs(1, 10, 2), "other": runs(2, 20, 3)})
    assert found == {"ours": [1, 1, 1], "other": [4, 4, 3]}
    assert common.medians(found)["other"] == 4
    with pytest.raises(ValueError):
        common.ratios({"ours": 1, "other": 1}, {"ours": runs(1, 2), "other": runs(1)})


def test_a_short_run_is_repeated_and_the_middle_one_counts():
    once = {name: iter(runs(*seconds)).__next__ for name, seconds in {"short": (0.5, 0.7, 0.9), "long": (7,)}.items()}
    found = common.in_turns(once, 1, least=1)
    assert {name: [each.seconds for each in runs] for name, runs in found.items()} == {"short": [0.7], "long": [7]}


@pytest.mark.parametrize("ys, exponent", [([3, 30, 300], 1), ([7, 7, 7], 0), ([1, 100, 10_000], 2), ([9, 3, 1], -0.477)])
def test_exponent_of_growth(ys, exponent):
    assert growth_common.slope([1, 10, 100], ys) == pytest.approx(exponent, abs=0.001)
