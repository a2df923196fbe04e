"""What the program costs, in instructions (tests/cost.py): no clock, so no load of the machine disturbs it."""

import pytest

from tests import cost
from tests.bench.common import user_log

SMALL, LARGE = 10_000, 50_000


def test_count(tmp_path):
    """One row: the difference of two sizes, so that the start does not count."""
    command = [cost.PROGRAM, "count", "gender", "--rate", "1000"]
    costs = [cost.instructions([*command, user_log(tmp_path / "rows.csv", rows)]) for rows in (SMALL, LARGE)]
    cost.check("count, one row", (costs[1] - costs[0]) / (LARGE - SMALL))


KNOWN = {"gcc 12, debian 12, x86_64": 100, "gcc 14, debian 13, x86_64": 120}

CHECKS = {
    "as it was": (KNOWN, "gcc 12, debian 12, x86_64", 100, True),
    "a little more": (KNOWN, "gcc 12, debian 12, x86_64", 110, True),
    "more": (KNOWN, "gcc 12, debian 12, x86_64", 110.1, False),
    "less": (KNOWN, "gcc 14, debian 13, x86_64", 10, True),
    "another compiler": (KNOWN, "clang 19, debian 13, x86_64", 180, True),
    "another compiler, too much": (KNOWN, "clang 19, debian 13, x86_64", 180.1, False),
    "no figure at all": ({}, "gcc 12, debian 12, x86_64", 1, False),
}


@pytest.mark.filterwarnings("ignore:thing. no figure for")
@pytest.mark.parametrize("name", CHECKS)
def test_check(name, tmp_path, monkeypatch):
    known, here, spent, good = CHECKS[name]
    (tmp_path / "baseline.json").write_text(cost.json.dumps({"thing": known}))
    monkeypatch.delenv("COST", raising=False)
    monkeypatch.setattr(cost, "BASELINE", tmp_path / "baseline.json")
    monkeypatch.setattr(cost, "key", lambda: here)
    if good:
        cost.check("thing", spent)
    else:
        with pytest.raises(AssertionError, match="thing: "):
            cost.check("thing", spent)


def test_an_unknown_compiler_is_said(tmp_path, monkeypatch):
    (tmp_path / "baseline.json").write_text(cost.json.dumps({"thing": KNOWN}))
    monkeypatch.delenv("COST", raising=False)
    monkeypatch.setattr(cost, "BASELINE", tmp_path / "baseline.json")
    monkeypatch.setattr(cost, "key", lambda: "tcc 1, debian 13, x86_64")
    with pytest.warns(UserWarning, match="no figure for tcc 1.*1.5 x"):
        cost.check("thing", 150)
