"""The independent count: what the program's results are compared with. It shares no code with the program, and says
everything in the simplest way that is right, however slow.

A spec is the job's YAML as a dict. A record is (partition, time in ms, value): bytes, or None.
"""

import json

MAX_ROW = 65536  # bytes
MAX_TIME = 253402300799999  # ms: the end of the year 9999


# ---- Labels

def duration(text):
    """"500ms" -> 500, in ms."""
    number = text.rstrip("mshd")
    return int(number) * {"ms": 1, "s": 1000, "m": 60000, "h": 3600000, "d": 86400000}[text[len(number):]]


def window(spec):
    """(size, slide, lateness) in ms."""
    size = duration(spec["window"]["size"])
    return size, duration(spec["window"].get("slide", f"{size}ms")), duration(spec["window"].get("lateness", "0s"))


def label_names(spec):
    """value (bytes) -> the series it counts for."""
    return {str(value).encode(): label if isinstance(label, str) else label["name"]
            for value, label in spec["labels"].items()}


def series(spec):
    """In the order of the spec, each once, `other` last."""
    return [*dict.fromkeys(label_names(spec).values()), "other"]


# ---- How a Kafka record holds the value

class Rejected(Exception):
    pass


def field_value(spec, record):
    source = spec["source"]
    if record is None:
        return b""
    if source.get("format", "value") == "value":
        return record
    if source["format"] == "csv":
        return csv_value(record, int(source["column"]))
    return json_value(record, source["field"])


def csv_value(record, column):
    rows = list(read_csv(record))
    if len(rows) != 1 or isinstance(rows[0], str) or column >= len(rows[0]):
        raise Rejected("no such column")
    return rows[0][column]


def number(text):
    return ("number", text)


def json_value(record, path):
    try:
        value = json.loads(record.decode(), parse_int=number, parse_float=number, parse_constant=lambda _: 1 / 0)
    except (ValueError, ZeroDivisionError, RecursionError):
        raise Rejected("no JSON")
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, (dict, list)):
        raise Rejected("no scalar")
    if isinstance(value, tuple):
        return value[1].encode()
    return {None: b"", True: b"true", False: b"false"}[value] if not isinstance(value, str) else value.encode()


# ---- Counting

def starts(time, size, slide):
    """Of all windows [start, start + size) with the time in them."""
    last = time // slide * slide
    return [s for s in range(last, last - size - slide, -slide) if s <= time < s + size]


def count(spec, records, drop=False):
    """({start: {series: count}}, dropped pairs, rejected records).

    drop: the records are those of one partition, and pairs of them and windows which are late are dropped: a pair is
    late when the window's end is at or before the watermark, the largest time so far less the lateness."""
    size, slide, lateness = window(spec)
    names, order = label_names(spec), series(spec)
    counts, dropped, rejected, largest = {}, 0, 0, None
    for _, time, record in records:
        try:
            value = field_value(spec, record)
        except Rejected:
            rejected += 1
            continue
        largest = time if largest is None else max(largest, time)
        for start in starts(time, size, slide):
            if drop and start + size <= largest - lateness:
                dropped += 1
                continue
            row = counts.setdefault(start, dict.fromkeys(order, 0))
            row[names.get(value, "other")] += 1
    return counts, dropped, rejected


def result(spec, start, counts):
    """(key, value) of the result record, as bytes, to the letter."""
    size = window(spec)[0]
    value = {"job": spec["name"], "start": start, "end": start + size, "counts": counts,
             "total": sum(counts.values())}
    return f"{spec['name']}/{start}".encode(), json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def results(spec, counts):
    """{key: value} of all windows, in the order of their starts."""
    return dict(result(spec, start, counts[start]) for start in sorted(counts))


def deduplicated(records):
    """{key: value}: of a window's records the one with the largest total, then the last."""
    best = {}
    for key, value in records:
        total = json.loads(value)["total"]
        if key not in best or total >= best[key][0]:
            best[key] = total, value
    return {key: value for key, (_, value) in best.items()}


# ---- CSV

def read_csv(data):
    """Rows of a file: a list of fields (bytes), or for a row that cannot be read the reason, a string."""
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while at < len(data):
        row, following = read_row(data, at)
        if row == "bad quoting":  # costs only the first line of it
            following = data.find(b"\n", at) + 1 or len(data)
        raw = data[at:following].rstrip(b"\r\n")
        if row != "bad quoting" and b"\0" in raw:
            row = "NUL byte"
        if row != "bad quoting" and len(raw) > MAX_ROW:
            row = "over-long row"
        yield row
        at = following


def read_row(data, at):
    """(fields or "bad quoting", where the next row begins)"""
    fields, begin = [], at
    while True:
        field, at, ended_by = read_quoted(data, at) if data[at:at + 1] == b'"' else read_plain(data, at)
        fields.append(field)
        if ended_by == "bad":
            return "bad quoting", at
        if ended_by == "row":
            return (fields if data[begin:at].rstrip(b"\r\n") else []), at


def read_plain(data, at):
    begin = at
    while at < len(data) and data[at:at + 1] not in (b",", b"\n"):
        at += 1
    field = data[begin:at]
    if data[at:at + 1] == b",":
        return field, at + 1, "comma"
    return (field[:-1] if field.endswith(b"\r") else field), min(at + 1, len(data)), "row"


def read_quoted(data, at):
    field, at = b"", at + 1
    while True:
        quote = data.find(b'"', at)
        if quote < 0:
            return field, at, "bad"
        field, at = field + data[at:quote], quote + 1
        if data[at:at + 1] != b'"':
            break
        field, at = field + b'"', at + 1
    for end, ended_by in ((b",", "comma"), (b"\r\n", "row"), (b"\n", "row")):
        if data.startswith(end, at):
            return field, at + len(end), ended_by
    return field, at, "row" if at == len(data) else "bad"


def is_time(field):
    return field.isdigit() and int(field) <= MAX_TIME


def rows_to_records(rows, column, rate=10, time_column=None, header=False):
    """What `count` makes of the rows: (records of partition 0, {reason: rejects}). Columns are indexes or names."""
    rows, rejects, records = list(rows), {}, []
    if header and rows:
        names = [name.decode() for name in rows.pop(0)]
        column = names.index(column) if isinstance(column, str) else column
        time_column = names.index(time_column) if isinstance(time_column, str) else time_column
    for n, row in enumerate(rows):
        if isinstance(row, list) and len(row) <= max(column, -1 if time_column is None else time_column):
            row = "short row"
        if isinstance(row, list) and time_column is not None and not is_time(row[time_column]):
            row = "bad time"
        if isinstance(row, str):
            rejects[row] = rejects.get(row, 0) + 1
        else:
            records.append((0, n * 1000 // rate if time_column is None else int(row[time_column]), row[column]))
    return records, rejects
