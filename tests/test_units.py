"""The C unit tests: each program of build/tests and build/asan/tests is run once, each of its cmocka cases is one here."""

import os
import re
import subprocess

import pytest

from tests.program import ROOT, environment

CASE = re.compile(r"^(not )?ok (\d+)(?: - (.*))?$")


def programs(folder):
    """Executables, whatever else lies beside them."""
    return sorted(p for p in folder.glob("*") if p.is_file() and os.access(p, os.X_OK)) if folder.is_dir() else []


def cases(program):
    """[(name, what went wrong or "")]. Fewer cases than planned, or an exit code that the cases do not explain, is
    one more that failed: a crash must not look like success."""
    try:
        done = subprocess.run([str(program)], capture_output=True, cwd=ROOT, timeout=600, stdin=subprocess.DEVNULL,
                              env=environment({"CMOCKA_MESSAGE_OUTPUT": "TAP"}))
    except (OSError, subprocess.TimeoutExpired) as error:
        return [("run", str(error))]
    out = done.stdout.decode("utf-8", "replace")
    told = out[-3000:] + done.stderr.decode("utf-8", "replace")[-6000:]
    planned = sum(int(n) for n in re.findall(r"^1\.\.(\d+)", out, re.M))
    matches = [match for line in out.splitlines() if (match := CASE.match(line))]
    found = [(match[3] or match[2], told if match[1] else "") for match in matches]
    if not found or len(found) != planned:
        found.append(("all cases ran", f"{len(found)} of {planned}, exit {done.returncode}\n{told}"))
    elif done.returncode and not any(wrong for _, wrong in found):
        found.append(("exit code", f"{done.returncode}\n{told}"))
    return found


def all_cases():
    for folder in (ROOT / "build" / "tests", ROOT / "build" / "asan" / "tests"):
        found = programs(folder)
        if not found:
            yield pytest.param("there is nothing to run: make first", id=f"{folder.relative_to(ROOT)}")
        for program in found:
            for name, wrong in cases(program):
                yield pytest.param(wrong, id=f"{program.relative_to(ROOT / 'build')}: {name}")


def pytest_generate_tests(metafunc):
    if "wrong" in metafunc.fixturenames:
        metafunc.parametrize("wrong", list(all_cases()))


def test_unit(wrong):
    assert not wrong, wrong
