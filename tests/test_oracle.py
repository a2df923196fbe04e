"""The independent count on cases that one can count by hand, and what the fixture promises."""

import pytest

from tests import fixture, oracle


@pytest.mark.parametrize("data, rows", [
    (b"", []),
    (b"\n", [[]]),
    (b"a,b\r\n\"c\"\"d\",e", [[b"a", b"b"], [b'c"d', b"e"]]),
    (b"\xef\xbb\xbf\"a\nb\",c\n,\n\"\"\n", [[b"a\nb", b"c"], [b"", b""], [b""]]),
    (b"\"a\"x,1\nb\"c\n\"d\ne\n", ["bad quoting", [b'b"c'], "bad quoting", [b"e"]]),
    (b"a,\"b\nc\"x,d\n", ["bad quoting", [b'c"x', b"d"]]),
    (b"a\0\n" + b"x" * 65536 + b"\n" + b"x" * 65537, ["NUL byte", [b"x" * 65536], "over-long row"]),
])
def test_csv(data, rows):
    assert list(oracle.read_csv(data)) == rows


@pytest.mark.parametrize("time, size, slide, starts", [
    (1999, 1000, 1000, [1000]), (2000, 1000, 1000, [2000]), (0, 1000, 1000, [0]),
    (5000, 5000, 1000, [1000, 2000, 3000, 4000, 5000]), (5000, 5000, 2000, [2000, 4000]),
    (5999, 5000, 2000, [2000, 4000]), (6000, 5000, 2000, [2000, 4000, 6000]), (100, 1000, 300, [-600, -300, 0]),
])
def test_windows(time, size, slide, starts):
    assert sorted(oracle.starts(time, size, slide)) == starts


def test_count_by_hand():
    spec = fixture.spec("j", lateness="1s")
    records = [(0, 1000, b"0"), (0, 3000, b"1"), (0, 1999, b"0"), (0, 2000, None), (0, 2999, b"x")]
    order = ["female", "male", "unknown", "other"]
    assert oracle.count(spec, records, drop=True) == (
        {1000: dict(zip(order, [1, 0, 0, 0])), 3000: dict(zip(order, [0, 1, 0, 0])),
         2000: dict(zip(order, [0, 0, 1, 1]))}, 1, 0)
    assert oracle.count(spec, records)[0][1000]["female"] == 2
    assert oracle.duration("1m") == 60_000 and oracle.duration("250ms") == 250


@pytest.mark.parametrize("name", fixture.JOBS)
def test_the_fixture_keeps_to_the_lateness(name):
    """And reaches it, stands on boundaries and beside them, leaves gaps, and has what must be rejected."""
    spec = fixture.JOBS[name]
    size, slide, lateness = oracle.window(spec)
    records = fixture.stream(spec)
    largest, behind = 0, []
    for _, time, _ in records:
        largest = max(largest, time)
        behind.append(largest - time)
    assert max(behind) == lateness
    assert {time % slide for _, time, _ in records} >= {0, 1, slide - 1}
    assert len({partition for partition, _, _ in records}) == 3
    counts, _, rejected = oracle.count(spec, records)
    assert oracle.count(spec, records, drop=True) == (counts, 0, rejected)
    assert max(b - a for a, b in zip(sorted(counts), sorted(counts)[1:])) > slide
    assert (rejected > 0) == (spec["source"]["format"] != "value")
    # However the pieces' own order turns out, nothing in them trails by more.
    largest = 0
    for piece in fixture.chunks(records, lateness):
        largest = max([largest] + [time for _, time, _ in piece])
        assert largest - min(time for _, time, _ in piece) <= lateness
