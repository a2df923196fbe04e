"""Nasty input with a fixed seed, and the specs it is for.

In a stream no record trails the largest time so far by more than the lateness, and some trail it by exactly that; so
nothing is late, however the partitions are interleaved. The streams of `beyond` go further, in one partition.
"""

import random

import yaml

from tests import oracle

BASE = 1_700_000_000_000  # 2023-11-14, a whole second

LABELS = {"0": {"name": "female", "zh": "女生"}, "1": {"name": "male", "zh": "男生"},
          "2": {"name": "unknown", "zh": "未知"}, "": "unknown", "NULL": {"name": "unknown"}}

USUAL = [b"0"] * 6 + [b"1"] * 3 + [b"2"]

# (values that count for something, values that are rejected) by format
VALUES = {
    "value": ([b"NULL", b"", None, b"7", b"null", b" 0", b"0 ", b"00", b"-1", b"0\n", b"0\0", b"\0", b"\xff\xfe",
               b"\xc3", "女生".encode(), b'"0"', b"other", b"female", b"x" * 5000], []),
    "csv": ([b"u,i,NULL", b"u,i,", None, b"u,i,7,more", b"u,i, 0", b'u,"a,b",1,', b'u,"say ""1""","2"', b',,"0"',
             b'u,i,"""0"""', b"\xff,\xfe,0", b'u,i"j,1', b"u,i,\xff", b"u,i," + b"x" * 5000],
            [b"", b"u", b"u,i", b'"u"v,i,0', b'u,i,"0', b'u,i,"0"1', b"u,i,0\0", b"u\0,i,0",
             b"u,i,0," + b"x" * 70000]),
    "json": ([b'{"a":{"b":"NULL"}}', b'{"a":{"b":""}}', b'{"a":{"b":null}}', b'{"a":{}}', b"{}", None,
              b'{"a":{"b":1}}', b'{"a":{"b":2,"c":[1,{"b":9}]},"b":"5"}', b' { "a" : { "b" : "0" } } ',
              b'{"a":{"b":true}}', b'{"a":{"b":false}}', b'{"a":{"b":1.50}}', b'{"a":{"b":-7}}',
              b'{"a":{"b":"\\u0030"}}', b'{"a":{"b":"\\"\\u5973"}}', '{"a":{"b":"女"}}'.encode(),
              b'{"a.b":"0"}', b'{"a":{"b":12345678901234567890}}', b'{"a":{"b":1e2}}'],
             [b"", b"0", b"{", b"nonsense", b'{"a":{"b":"0"}', b'{"a":{"b":"0"}}}', b'{"a":{"b":{"c":1}}}',
              b'{"a":{"b":[0]}}', b"{'a':{'b':'0'}}", b'{"a":{"b":NaN}}', b'{"a":{"b":"\xff"}}', b'{"a":{"b":01}}',
              b'\0{"a":{"b":"0"}}', b'{"a":{"b":"0"},}', b"[" * 100000])}
VALUES["json"][0].remove(b'{"a":{"b":true}}')  # once as a listed value, below


def wrap(form, value):
    return {"value": value, "csv": b"u,i," + value + b",z", "json": b'{"a":{"b":"' + value + b'"}}'}[form]


def spec(name, form="value", size="1s", slide=None, lateness="1s", **source):
    labels = dict(LABELS)
    if form == "json":
        labels |= {"true": "truth", "1.50": "price"}
    source = {"topic": f"{name}-in", "format": form, "column": 1, **source}
    source.update({"csv": {"column": 2}, "json": {"field": "a.b"}}.get(form, {}))
    window = {"size": size, "slide": slide or size, "lateness": lateness}
    return {"name": name, "source": source, "window": window, "labels": labels, "sink": {"topic": f"{name}-out"}}


def write_spec(folder, job):
    path = folder / f"{job['name']}.yaml"
    path.write_text(yaml.safe_dump(job, allow_unicode=True, sort_keys=False))
    return path


def times(rng, n, slide, lateness):
    """n times: disorder up to the lateness, window boundaries and one ms either side, gaps of seconds."""
    largest = now = BASE
    for _ in range(n):
        now = max(now, largest) + (rng.randrange(3000, 20000) if rng.random() < 0.01 else rng.randrange(0, 120))
        boundary = now // slide * slide + rng.choice([0, slide]) + rng.choice([-1, 0, 1])
        time = rng.choice([now, now, boundary, largest - lateness, largest - rng.randint(0, lateness)])
        time = max(time, largest - lateness)
        largest = max(largest, time)
        yield time


def values(rng, n, form):
    good, bad = VALUES[form]
    nasty = good + bad + ([b'{"a":{"b":true}}'] if form == "json" else [])
    for i in range(n):
        if i < len(nasty) * 2:
            yield nasty[i // 2]
        else:
            yield rng.choice(nasty) if rng.random() < 0.1 else wrap(form, rng.choice(USUAL))


def stream(job, n=3000, partitions=3, seed=1):
    """Records in production order, for a spec."""
    rng = random.Random(seed)
    _, slide, lateness = oracle.window(job)
    found = list(values(rng, n, job["source"]["format"]))
    rng.shuffle(found)
    return [(rng.randrange(partitions), time, value) for time, value in zip(times(rng, n, slide, lateness), found)]


def beyond(job, n=3000, seed=2):
    """One partition; some records trail by the lateness and one ms more, and more than that."""
    rng = random.Random(seed)
    size, slide, lateness = oracle.window(job)
    largest, now, records = BASE, BASE, []
    for _ in range(n):
        now += rng.randrange(0, 120)
        boundary = now // slide * slide + rng.choice([-1, 0, 1])
        behind = largest - lateness + rng.choice([-2, -1, 0, 1])
        just_closed = (largest - lateness) // slide * slide - rng.choice([0, 1, 2])
        time = rng.choice([now, now, now, boundary, behind, just_closed, largest - lateness - rng.randint(0, 2 * size)])
        largest = max(largest, time)
        records.append((0, time, rng.choice(USUAL)))
    return records


def chunks(records, lateness):
    """The stream in pieces, within which any order of the records keeps to the lateness: whoever waits for the
    delivery of each piece may send it to several partitions at once."""
    largest, piece = None, []
    for record in records:
        new_largest = record[1] if largest is None else max(largest, record[1])
        if piece and new_largest - min(time for _, time, _ in piece) > lateness:
            yield piece
            piece = []
        piece.append(record)
        largest = new_largest
    yield piece


def csv_file(records):
    """time,value rows for `count --time-column 0`, nasty in their own way; what they say is for the oracle to read."""
    lines = [b"\xef\xbb\xbf"]
    for n, (_, time, value) in enumerate(records):
        value = value or b""
        if n % 3 == 0 or any(c in value for c in b',"\n\r'):
            value = b'"' + value.replace(b'"', b'""') + b'"'
        lines.append(b"%d,%s%s" % (time, value, b"\r\n" if n % 5 == 0 else b"\n"))
        if n % 97 == 0:
            lines.append(rng_row(n // 97))
    return b"".join(lines).rstrip(b"\r\n")


def rng_row(n):
    bad = [b"\n", b"\r\n", b"17\n", b'"17"x,0\n', b"17,0\0\n", b"\0\n", b"yesterday,0\n", b"-,0\n", b",0\n",
           b'17,"0"0\n', b"17," + b"x" * 70000 + b"\n", b"1.5e3,0\n", b"99999999999999999999,0\n"]
    return bad[n % len(bad)]


# name -> spec; each makes its own topics
JOBS = {job["name"]: job for job in [
    spec("plain"),
    spec("csv", form="csv"),
    spec("json", form="json"),
    spec("sliding", size="5s", slide="1s", lateness="2s"),
    spec("uneven", size="5s", slide="2s", lateness="3s"),
    spec("short", size="1s", slide="300ms", lateness="700ms"),
    spec("strict", lateness="0s"),
]}
