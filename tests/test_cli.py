"""The command line without Kafka: the rows of cli.yaml with every build, and the shipped jobs on the shipped data."""

import json
import os
import random
import re
import shlex
import socket
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests import fixture, oracle
from tests.program import BUILDS, PROMPT_S, ROOT, VALGRIND, Program

TABLE = yaml.safe_load((Path(__file__).parent / "cli.yaml").read_text())
SHIPPED = ["gender", "age-range", "action", "province"]
USER_LOG = ROOT / "data" / "user_log.csv"


def content(told):
    """Bytes of a file as the table tells them."""
    if isinstance(told, dict):
        return told_text(told["latin-1"]).encode("latin-1")
    return told_text(told).encode()


def told_text(told):
    if isinstance(told, str):
        return told
    return "".join(piece if isinstance(piece, str) else piece[0] * piece[1] for piece in told)


def broken_case(row):
    spec = row["spec"] if "spec" in row else TABLE["job"].replace(*row["change"], 1)
    assert spec != TABLE["job"], f"{row['name']}: changes nothing"
    return {"name": f"broken spec: {row['name']}", "args": "count b.yaml", "files": {"b.yaml": spec}, "exit": 3,
            "stdin": "x,0\n", "out": "", "err": rf"b\.yaml:{row['at']}: .*(?:{row['err']})",
            "valgrind": row["name"] in ("unknown key", "duplicate key", "YAML that is none", "empty file", "no sink")}


CASES = TABLE["cases"] + [broken_case(row) for row in TABLE["broken"]]
assert len({case["name"] for case in CASES}) == len(CASES)


def builds(case):
    if "TALLY" in os.environ:
        return [("TALLY", Path(os.environ["TALLY"]).resolve(), [])]
    found = [(name, path, []) for name, path in BUILDS.items()]
    return found + ([("valgrind", BUILDS["build"], VALGRIND)] if case.get("valgrind") else [])


def runs():
    """All cases of one build, then those of the next."""
    found = [(build, case) for case in CASES for build in builds(case)]
    found.sort(key=lambda run: list(BUILDS).index(run[0][0]) if run[0][0] in BUILDS else 9)
    return [pytest.param(build, case, id=f"{build[0]}-{case['name']}") for build, case in found]


@pytest.mark.parametrize("build, case", runs())
def test_case(build, case, tmp_path):
    _, path, wrapper = build
    (tmp_path / "j.yaml").write_text(TABLE["job"])
    for name, told in case.get("files", {}).items():
        (tmp_path / name).write_bytes(content(told))
    program = Program(path, wrapper, cwd=tmp_path)
    result = run_shell(program, case["sh"]) if "sh" in case else \
        program.run(*shlex.split(case["args"]), stdin=content(case.get("stdin", "")))
    judge(case, result)


def run_shell(program, line):
    env = {"TALLY": program.command[-1]}
    if len(program.command) > 1:  # valgrind
        line = line.replace('"$TALLY" count', " ".join(program.command[:-1]) + ' "$TALLY" count')
    program.command = ["sh", "-c"]
    return program.run(line, env=env)


def judge(case, result):
    allowed = case.get("exit", 0)
    told = f"exit {result.code}\nstdout:\n{result.out[:2000]}\nstderr:\n{result.err[:4000]}"
    assert result.code in (allowed if isinstance(allowed, list) else [allowed]), told
    if "out" in case:
        assert result.out == case["out"], told
    if "out_re" in case:
        assert re.search(case["out_re"], result.out), told
    if "windows" in case:
        assert windows(result.out) == case["windows"], told
    if "err" in case:
        assert re.search(case["err"], result.err, re.M), told
    most = case.get("err_lines", 1 if result.code else None)
    assert most is None or result.err.count("\n") <= most, told


def windows(out):
    """JSON lines -> [start, count...]"""
    found = []
    for line in out.splitlines():
        record = json.loads(line)
        assert record["total"] == sum(record["counts"].values())
        found.append([record["start"], *record["counts"].values()])
    return found


# ---- Against the independent count

@pytest.fixture(params=[os.environ["TALLY"]] if "TALLY" in os.environ else list(BUILDS))
def program(request, tmp_path):
    found = Program(Path(BUILDS.get(request.param, request.param)).resolve(), cwd=tmp_path)
    yield found
    found.end_all()


def expected_lines(job, records, drop=True):
    counts, dropped, _ = oracle.count(job, records, drop=drop)
    return [value.decode() for value in oracle.results(job, counts).values()], dropped


def check_summary(err, rows, rejected, late, count):
    found = re.search(r"^(\d+) rows, (\d+) rejected.*?, (\d+) late, (\d+) windows, \d+ rows/s$", err, re.M)
    assert found and [int(n) for n in found.groups()] == [rows, rejected, late, count], err


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_job_on_shipped_data(program, name):
    job = yaml.safe_load((ROOT / "jobs" / f"{name}.yaml").read_text())
    rows = list(oracle.read_csv(USER_LOG.read_bytes()))
    assert len(rows) == 10000
    records, rejects = oracle.rows_to_records(rows, int(job["source"]["column"]))
    lines, _ = expected_lines(job, records)
    result = program.run("count", name, USER_LOG)
    assert result.code == 0
    assert result.out.splitlines() == lines
    check_summary(result.err, 10000, sum(rejects.values()), 0, len(lines))
    # The sample shows what the job is about: every series is there, and `other` is not.
    totals = [sum(column) for column in zip(*(json.loads(line)["counts"].values() for line in lines))]
    assert totals.pop() == 0 and all(totals)


@pytest.mark.parametrize("name", fixture.JOBS)
def test_nasty_csv(program, tmp_path, name):
    """What the fixture says, as a CSV file: the whole stream is one partition."""
    job = {**fixture.JOBS[name]}
    job["source"] = {"topic": "t", "column": 1}
    path = fixture.write_spec(tmp_path, job)
    data = fixture.csv_file(fixture.stream(fixture.JOBS[name]))
    (tmp_path / "in.csv").write_bytes(data)
    rows = list(oracle.read_csv(data))
    records, rejects = oracle.rows_to_records(rows, 1, time_column=0)
    lines, late = expected_lines(job, records)
    result = program.run("count", path, "in.csv", "--time-column", 0)
    assert result.code == 0, result.err
    assert result.out.splitlines() == lines
    check_summary(result.err, len(rows), sum(rejects.values()), late, len(lines))


@pytest.mark.parametrize("name", [name for name in fixture.JOBS if name not in ("csv", "json")])
def test_beyond_the_lateness(program, tmp_path, name):
    """Records that trail by one ms more than the lateness, and by much more: what is dropped is known exactly."""
    job = fixture.JOBS[name] | {"source": {"topic": "t", "column": 1}}
    path = fixture.write_spec(tmp_path, job)
    records = fixture.beyond(job)
    lines, late = expected_lines(job, records)
    assert late > 100
    data = b"".join(b"%d,%s\n" % (time_ms, value) for _, time_ms, value in records)
    result = program.run("count", path, "--time-column", 0, stdin=data)
    assert result.out.splitlines() == lines
    check_summary(result.err, len(records), 0, late, len(lines))


@pytest.mark.parametrize("seed", range(3))
def test_junk_never_crashes(program, tmp_path, seed):
    """Quotes, separators, NULs and long runs in any order: the rows are those that the oracle sees."""
    rng = random.Random(seed)
    pieces = [b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"0", b"1", b"x", b"\0", b"\xef\xbb\xbf", b"y" * 3000]
    data = b"".join(rng.choices(pieces, [5, 2, 9, 9, 2, 1, 9, 5, 5, 0.3, 0.2, 0.2], k=3000))
    (tmp_path / "j.yaml").write_text(TABLE["job"])
    rows = list(oracle.read_csv(data))
    records, rejects = oracle.rows_to_records(rows, 1)
    job = yaml.safe_load(TABLE["job"])
    lines, late = expected_lines(job, records)
    result = program.run("count", "j.yaml", stdin=data)
    assert result.code == 0
    assert result.out.splitlines() == lines
    check_summary(result.err, len(rows), sum(rejects.values()), late, len(lines))


def test_a_slow_pipe(program, tmp_path):
    """Input that comes byte by byte is counted as any other."""
    (tmp_path / "j.yaml").write_text(TABLE["job"])
    running = program.start("count", "j.yaml", stdin=subprocess.PIPE)
    data = b'\xef\xbb\xbfx,0\r\n"a\nb","1"\r\n\nx,""'
    for i in range(len(data)):
        running.process.stdin.write(data[i:i + 1])
        running.process.stdin.flush()
        time.sleep(0.002)
    running.process.stdin.close()
    assert running.wait() == 0
    assert windows(running.out) == [[0, 1, 1, 1, 0]]


@pytest.mark.parametrize("sig", [2, 15])
def test_interrupted_while_it_waits(program, tmp_path, sig):
    (tmp_path / "j.yaml").write_text(TABLE["job"])
    running = program.start("count", "j.yaml", stdin=subprocess.PIPE)
    running.process.stdin.write(b"x,0\n" * 100000)
    running.process.stdin.flush()
    running.wait_for(r"start", "out")
    code, seconds = running.stop(sig)
    assert code in (128 + sig, -sig) and seconds < PROMPT_S, (code, seconds, running.err)


def test_memory_does_not_grow_with_the_input(tally, tmp_path):
    """A line of a hundred megabytes, a quote never closed, and 300,000 windows."""
    (tmp_path / "j.yaml").write_text(TABLE["job"])
    with open(tmp_path / "in.csv", "wb") as file:
        file.write(b"y" * 100_000_000 + b"\n")
        file.writelines(b"%d000,0\n" % n for n in range(300_000))
        file.write(b'300000000,"0\n')
        file.writelines(b"%d000,0\n" % n for n in range(300_000, 600_000))
    code, peak = tally.measure("count", "j.yaml", "in.csv", "--time-column", 0)
    assert code == 0 and peak < 20 << 20, peak


# ---- What is in the way

def test_the_port_asked_for_is_taken(program):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = program.run("run", "gender", "--port", port)
    assert result.code == 1
    assert re.search(rf"{port}.*(taken|in use)", result.err.splitlines()[-1]), result.err


UNREACHABLE = [("produce", "gender"), ("consume", "gender"), ("run", "gender", "--no-page"),
               ("run", "gender", "--no-page", "--once"), ("dashboard", "gender", "--port", "0")]


def test_an_unreachable_broker_is_said_in_time(program):
    """All at once: each waits for some seconds."""
    started = [program.start(*args, "--bootstrap-servers", "127.0.0.1:1") for args in UNREACHABLE]
    for running in started:
        assert running.wait() == 4, running.err
        assert time.monotonic() - running.began < 18  # 5 (KAFKA_PATIENCE_MS), not the 20 of a group (FIRST_GROUP_MS)
        assert "127.0.0.1:1" in running.err.splitlines()[-1] and running.err.count("\n") <= 2, running.err
