"""The test runner itself: what is broken must not look green."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import test_units

HERE = Path(__file__).parent

CLUSTER = "import pytest\ndef test_a(): pass\n@pytest.mark.cluster\n@pytest.mark.parametrize('n', [1, 2])\n" \
          "def test_b(n): pass\n"

PLANTED = {
    "good": ("def test_a(): pass\ndef test_b(): pass\n", 0, "2 passed, 0 failed"),
    "failure": ("def test_a(): pass\ndef test_b(): assert 1 == 2\n", 1, "1 passed, 1 failed"),
    "broken fixture": ("import pytest\n@pytest.fixture\ndef f(): 1/0\ndef test_a(f): pass\n", 1, "0 passed, 1 failed"),
    "broken teardown": ("import pytest\n@pytest.fixture\ndef f():\n  yield\n  1/0\ndef test_a(f): pass\n", 1,
                        "0 passed, 1 failed"),
    "a file that is no Python": ("def test_a(: pass\n", 2, "0 passed, 1 failed"),
    "no test": ("", 5, "0 passed, 1 failed"),
    "skip": ("import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('x')\n", 0,
             "1 passed, 0 failed, 1 skipped"),
    "skip in CI": ("import pytest\ndef test_a(): pass\ndef test_b(): pytest.skip('x')\n", 1, "1 passed, 1 failed"),
    "skip mark in CI": ("import pytest\n@pytest.mark.skip\ndef test_b(): pass\n", 1, "0 passed, 1 failed"),
    "no engine": (CLUSTER, 0, "1 passed, 0 failed, 2 skipped"),
    "no engine in CI": (CLUSTER, 1, "1 passed, 2 failed"),
    "skipped file in CI": ("import pytest\npytest.importorskip('no_such_thing')\n", 1, "0 passed, 1 failed"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_last_line_and_exit_code(tmp_path, name):
    text, code, line = PLANTED[name]
    folder = tmp_path / "tests"
    folder.mkdir()
    for file in ("run", "__init__.py", "conftest.py", "program.py", "kafka_server.py"):
        shutil.copy(HERE / file, folder)
    (folder / "test_planted.py").write_text(text)
    (folder / "test_other.py").write_text("def test_other(): pass\n")
    env = {**os.environ, "CI": "true" if "CI" in name else "", "PYTHON": sys.executable,
           "DOCKER_HOST": "unix:///nonexistent"}
    done = run_tests(folder, env, "test_planted.py")
    told = done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == line, told
    assert (done.returncode != 0) == (code != 0), told
    said = "2 tests of the cluster were left out: no Docker engine answers; as root: docker/cluster engine, then " \
           "tests/run test_cluster.py"
    assert (said in done.stdout.splitlines()[-3:]) == (text == CLUSTER), told
    if name == "skipped file in CI":  # beside others, too
        done = run_tests(folder, env, "test_planted.py", "test_other.py")
        assert done.stdout.splitlines()[-1] == "1 passed, 1 failed" and done.returncode, done.stdout


def run_tests(folder, env, *files):
    return subprocess.run([folder / "run", *files], env=env, capture_output=True, text=True, timeout=60)


TAP = {
    "good": ("echo 1..2; echo 'ok 1 - a'; echo 'ok 2 - b'", [("a", False), ("b", False)]),
    "two groups": ("echo 1..1; echo 'ok 1 - a'; echo 1..1; echo 'ok 1 - b'", [("a", False), ("b", False)]),
    "failure": ("echo 1..2; echo 'ok 1 - a'; echo 'not ok 2 - b'; exit 1", [("a", False), ("b", True)]),
    "crash": ("echo 1..2; echo 'ok 1 - a'; kill -SEGV $$", [("a", False), ("all cases ran", True)]),
    "nothing": ("exit 0", [("all cases ran", True)]),
    "a leak at the end": ("echo 1..1; echo 'ok 1 - a'; exit 77", [("a", False), ("exit code", True)]),
}


@pytest.mark.parametrize("name", TAP)
def test_unit_programs(tmp_path, name):
    script, expected = TAP[name]
    program = tmp_path / "unit"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    assert [(case, bool(wrong)) for case, wrong in test_units.cases(program)] == expected


def test_every_file_is_run():
    there = sorted(file.name for file in HERE.glob("test_*.py"))
    assert sorted(re.findall(r"test_\w+\.py", (HERE / "run").read_text().split("set --")[1].split("\nfi")[0])) == there
