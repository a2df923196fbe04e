"""What a run costs, in instructions counted by valgrind's callgrind: the same however loaded the machine is. `check` compares
with tests/bench/instructions.json and fails on a rise of more than 10 %. To write that file anew, after a change that is
worth its price:

    COST=write tests/run test_cost.py

A figure holds for the compiler and the system that it was measured with (its key). Where they are not known, a warning says how
the cost compares with 1.5 times the largest of the known ones: nobody's tests fail because of his compiler. Where CI runs, which has
a known one, that is the bound: a new compiler there does not end the check."""

import json
import os
import platform
import re
import subprocess
import tempfile
import warnings
from pathlib import Path

from tests.program import BUILDS, ROOT, Result, check as check_result, environment

PROGRAM = BUILDS["build"]  # never the one with the sanitizers: valgrind and they exclude each other
BASELINE = ROOT / "tests" / "bench" / "instructions.json"
RISE = 1.10
ANYWHERE = 1.5


def callgrind(file):
    """The wrapper for a process in the background (Program(PROGRAM, callgrind(file))); once it has ended,
    collected(file) tells what it cost."""
    return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={file}"]


def collected(file):
    return int(re.search(r"^(?:summary|totals): (\d+)", Path(file).read_text(), re.M)[1])


def instructions(command, env=None, **options):
    """Of a command's whole run, in user space; it must end well."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "callgrind"
        whole = [*callgrind(file), *map(str, command)]
        done = subprocess.run(whole, env=environment(env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, timeout=120, **options)
        check_result(Result(done.returncode, "", done.stderr), whole)
        assert done.returncode == 0, f"{whole}: exit {done.returncode}\n{done.stderr[-4000:]}"
        return collected(file)


def key(program=PROGRAM):
    """What the count depends on: the compiler, as it stands in the program, the system with its libraries, the machine."""
    found = set(re.findall(rb"(clang version|GCC:)(?: \([^)]*\))? (\d+)\.", Path(program).read_bytes()))
    name, version = next((f for f in found if f[0] != b"GCC:"), None) or max(found)  # clang's has the C library's GCC, too
    system = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)', Path("/etc/os-release").read_text(), re.M))
    return f"{'gcc' if name == b'GCC:' else 'clang'} {version.decode()}, {system['ID']} {system.get('VERSION_ID', '?')}, " \
           f"{platform.machine()}"


def bound(known, here):
    """(the most that this may cost here, whether it was measured here)"""
    if here in known:
        return known[here] * RISE, True
    return max(known.values()) * ANYWHERE, False


def check(what, cost):
    """Fails when `what` costs more than it did. `cost`: instructions for one of what is counted, a row or a submission."""
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    known, here = baseline.get(what, {}), key()
    if os.environ.get("COST") == "write":
        baseline[what] = {**known, here: round(cost, 1)}
        BASELINE.write_text(json.dumps(baseline, indent=2, sort_keys=True) + "\n")
        return
    assert known, f"{what}: no figure in {BASELINE.name}; {what} costs {cost:.1f} with {here}: COST=write tests/run test_cost.py"
    most, measured = bound(known, here)
    if not measured:
        warnings.warn(f"{what}: no figure for {here}: {cost:.1f} instructions, {'more' if cost > most else 'not more'} than "
                      f"{ANYWHERE} x the largest known, {most:.1f}; COST=write tests/run test_cost.py writes one")
        if os.environ.get("CI") != "true":
            return
    assert cost <= most, f"{what}: {cost:.1f} instructions with {here}, at most {most:.1f} of {known}; " \
                         "if it is worth that: COST=write tests/run test_cost.py"
