"""Runs the program: to its end, or in the background. Every process is ended by its own id, whatever happens."""

import os
import re
import signal
import subprocess
import threading
import time
from collections import namedtuple
from pathlib import Path

from tests.kafka_server import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
BUILDS = {"build": ROOT / "build" / "tally", "asan": ROOT / "build" / "asan" / "tally"}

# What must come anyway is waited for so long: that tells a hang, not how fast the machine is.
SOON = 30  # seconds
# What does not wait for anybody takes a fraction of a second here, and less than this on a slow and busy machine. What does
# wait takes 5 s or more: libwebsockets for the answer to a close (dashboard/stream.c), KAFKA_PATIENCE_MS for a broker
# (cluster/kafka.h).
PROMPT_S = 4

VALGRIND = ["valgrind", "-q", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect", "--error-exitcode=99"]

# A sanitizer's finding must not look like one of the program's own exit codes.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:exitcode=77", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=77",
              "LSAN_OPTIONS": "exitcode=77"}
FINDING = re.compile(r"(AddressSanitizer|LeakSanitizer|runtime error|^==\d+== (ERROR|Invalid|Use of))[^\n]*", re.M)

Result = namedtuple("Result", "code out err")


def only_all(test):
    """Where TALLY_ALL is not set, it is not there: what is skipped has failed where CI runs."""
    return test if os.environ.get("TALLY_ALL") == "1" else None


def chosen():
    """The program under test: TALLY in the environment, or the ordinary build."""
    return Path(os.environ.get("TALLY", BUILDS["build"])).resolve()


def environment(extra=None):
    """Nothing of the caller's settings."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TALLY", "SPARK", "KAFKA", "MASTER", "DEPLOY_MODE"))}
    return {**clean, "LC_ALL": "C.UTF-8", **SANITIZERS, **(extra or {})}


def until(condition, timeout, what="the condition", every=0.01):
    """Waits for a condition, and gives what it gave."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout} s")
        time.sleep(every)
    return found


def check(result, command):
    found = FINDING.search(result.err)
    if found or result.code in (77, 99) or result.code in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS):
        raise AssertionError(f"{command}: {found and found[0]} (exit {result.code})\n{result.err[-8000:]}")
    return result


# Linux counts the memory of the process that forks as the child's, until it is another program: so a small one forks.
MEASURE = """
import os, subprocess, sys, time
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "wb") as sink:
    began = time.perf_counter()
    child = subprocess.Popen(sys.argv[3:], stdin=source, stdout=sink, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    print(os.waitstatus_to_exitcode(status), time.perf_counter() - began, usage.ru_maxrss, usage.ru_utime + usage.ru_stime)
"""


def measured(command, stdin=os.devnull, stdout=os.devnull, cwd=None):
    """(exit code, seconds, peak memory in bytes, seconds of the processor); the memory is 10 MiB at least."""
    done = subprocess.run(["/usr/bin/python3", "-I", "-S", "-c", MEASURE, str(stdin), str(stdout), *command], cwd=cwd,
                          env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    code, seconds, kilobytes, processor = done.stdout.split()
    return int(code), float(seconds), int(kilobytes) * 1024, float(processor)


class Program:
    def __init__(self, path=None, wrapper=(), cwd=None):
        self.command = [*wrapper, str(path or chosen())]
        self.cwd = cwd
        self.started = []

    def run(self, *args, stdin=b"", timeout=120, env=None, text=True, **options):
        """(exit code, stdout, stderr) of a run to its end. stdin: bytes, or a file."""
        feed = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
        options = {"stdout": subprocess.PIPE, "cwd": self.cwd, **options}
        command = self.command + [str(a) for a in args]
        done = subprocess.run(command, stderr=subprocess.PIPE, timeout=timeout, env=environment(env), **feed, **options)
        out = done.stdout or b""
        result = Result(done.returncode, out.decode("utf-8", "replace") if text else out,
                        done.stderr.decode("utf-8", "replace"))
        return check(result, command)

    def measure(self, *args):
        """(exit code, peak memory in bytes) of a run whose output nobody wants."""
        code, _, peak, _ = measured(self.command + [str(a) for a in args], cwd=self.cwd)
        return code, peak

    def start(self, *args, **options):
        running = Running(self.command + [str(a) for a in args], **{"cwd": self.cwd, **options})
        self.started.append(running)
        return running

    def end_all(self):
        """At teardown; a sanitizer's finding in the background counts."""
        for running in self.started:
            running.kill()
        for running in self.started:
            check(Result(0, "", running.err), running.command)


class Running:
    """A process in the background; its output is collected as it comes, in `out` and `err`."""

    def __init__(self, command, env=None, stdin=subprocess.DEVNULL, **options):
        self.command = command
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment(env), preexec_fn=die_with_parent, **options)
        self.pid = self.process.pid
        self._parts = {"out": [], "err": []}
        self._readers = [threading.Thread(target=self._collect, args=(name, pipe), daemon=True)
                         for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr))]
        for reader in self._readers:
            reader.start()

    def _collect(self, name, pipe):
        while part := pipe.read1(65536):
            self._parts[name].append(part)

    @property
    def out(self):
        return b"".join(self._parts["out"]).decode("utf-8", "replace")

    @property
    def err(self):
        return b"".join(self._parts["err"]).decode("utf-8", "replace")

    def wait_for(self, pattern, stream="err", timeout=SOON):
        """The match of a regular expression in the output, as soon as it is there."""
        def found():
            match = re.search(pattern, getattr(self, stream), re.M)
            if not match and self.process.poll() is not None and not any(r.is_alive() for r in self._readers):
                raise AssertionError(f"{self.command}: ended with {self.process.returncode} before {pattern!r}:\n"
                                     f"{self.out[-2000:]}{self.err[-4000:]}")
            return match
        try:
            return until(found, timeout, repr(pattern))
        except TimeoutError as error:
            raise AssertionError(f"{self.command}: {error}:\n{self.out[-2000:]}{self.err[-4000:]}") from None

    def wait(self, timeout=SOON):
        """Its exit code."""
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return code

    def stop(self, sig=signal.SIGINT, timeout=SOON):
        """(exit code, seconds it took)"""
        began = time.monotonic()
        self.process.send_signal(sig)
        return self.wait(timeout), time.monotonic() - began

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def memory(self, which="VmRSS"):
        """In bytes; VmHWM: the most that it had."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{which}:\s+(\d+) kB", status)[1]) * 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))
