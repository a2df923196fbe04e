import os
import subprocess
import threading

import pytest

from tests.kafka_server import Kafka
from tests.program import Program

# ---- Fixtures


@pytest.fixture
def tally(tmp_path):
    """The program, in a folder of its own."""
    program = Program(cwd=tmp_path)
    yield program
    program.end_all()


class KafkaStart:
    """Kafka takes seconds to start: that goes on beside the first, short tests."""

    def __init__(self):
        self.kafka = self.error = None
        self.started, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        try:
            self.kafka = Kafka()
            self.kafka.start(wait=False)
        except BaseException as error:
            self.error = error
        self.started.set()
        self.ended.wait()  # Kafka ends with the thread that started it

    def wait(self):
        self.started.wait()
        if self.error:
            raise self.error
        self.kafka.wait_ready()
        return self.kafka


def pytest_collection_finish(session):
    session.kafka_start = None
    if not session.config.option.collectonly and any("kafka" in getattr(i, "fixturenames", ()) for i in session.items):
        session.kafka_start = KafkaStart()


@pytest.fixture(scope="session")
def kafka(request):
    """A real one, for the whole session. Topics are each test's own, by `unique`."""
    running = request.session.kafka_start.wait()
    yield running
    running.close()


@pytest.fixture
def unique(request):
    """Makes a name that no other test has."""
    return lambda name: f"{name}-{os.urandom(3).hex()}"


# ---- The cluster in Docker: without an engine its tests are left out, and the last but one line says how to run them

NO_ENGINE = "no Docker engine answers"
left_out = []


def engine_answers():
    try:
        return subprocess.run(["docker", "info"], capture_output=True).returncode == 0
    except OSError:
        return False


def pytest_configure(config):
    config.addinivalue_line("markers", "cluster: needs a Docker engine")


def pytest_collection_modifyitems(items):
    marked = [item for item in items if item.get_closest_marker("cluster")]
    if marked and not engine_answers():
        left_out.extend(marked)
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=NO_ENGINE))


# ---- The last line, for people and for CI: N passed, N failed

counted = {"passed": set(), "failed": set(), "skipped": set()}
exit_status = []


def pytest_runtest_logreport(report):
    if report.failed:
        counted["failed"].add(report.nodeid)
    elif report.skipped:
        counted["skipped"].add(report.nodeid)
    elif report.when == "call":
        counted["passed"].add(report.nodeid)


def pytest_collectreport(report):
    if report.failed or report.skipped and os.environ.get("CI") == "true":
        counted["failed"].add(report.nodeid)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Where CI runs, what is skipped has failed."""
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {report.longrepr}"


def pytest_sessionfinish(session, exitstatus):
    if counted["failed"] and exitstatus == 0:
        session.exitstatus = exitstatus = 1
    exit_status.append(int(exitstatus))
    if getattr(session, "kafka_start", None) and session.kafka_start.kafka:
        session.kafka_start.kafka.close()
        session.kafka_start.ended.set()


def pytest_unconfigure(config):
    if config.option.collectonly or not hasattr(config, "workerinput") and not exit_status:
        return
    failed = counted["failed"]
    passed, skipped = counted["passed"] - failed, counted["skipped"] - failed
    failures = len(failed) or int(exit_status[0] != 0)  # a runner that broke is a failure, too
    line = f"{len(passed)} passed, {failures} failed" + (f", {len(skipped)} skipped" if skipped else "")
    if left_out:
        print(f"\n{len(left_out)} tests of the cluster were left out: {NO_ENGINE}; "
              "as root: docker/cluster engine, then tests/run test_cluster.py")
    print(f"\n{line}", flush=True)
