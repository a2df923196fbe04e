"""Every command of the README is run, as it stands there, in the order it stands there."""

import os
import re
import signal
import subprocess

import pytest

from tests.kafka_server import free_port
from tests.program import ROOT, SOON, environment, until
from tests.web import get_json

README = (ROOT / "README.md").read_text()

# What is not run here, and why that is enough.
ELSEWHERE = {
    "make test": "runs this",
    "make lint": "with TALLY_ALL",
    "make bench": "with TALLY_ALL",
}


# What test_cluster.py runs, a block at a time, in the cluster that it has started.
CLUSTER = r"docker |sh startup\.sh|make cluster|.*(--master |-m |MASTER=)spark://|" \
          r"(build/)?tally (submit|status|list|logs|kill|wait)\b"
# What wants all of the environment: test_environment.py.
ENVIRONMENT = r"docker .*\b(namenode|hive-server|presto-coordinator)\b"
# It has tests of its own for these.
STARTS_OR_ENDS = r"make cluster(-down)?$|docker[ -]compose .*|docker/cluster"


def blocks():
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S):
        yield [line for line in block.replace("\\\n", "").splitlines() if line and not line.startswith("#")]


def is_clusters(block):
    return any(re.match(CLUSTER, line) for line in block)


def commands():
    return [line for block in blocks() for line in block if not is_clusters(block)]


def is_environments(block):
    return any(re.match(ENVIRONMENT, line) for line in block)


def cluster_blocks(environments=False):
    found = ([line for line in block if not re.match(STARTS_OR_ENDS, line)] for block in blocks()
             if is_clusters(block) and is_environments(block) == environments)
    return [block for block in found if block]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """Where the commands are typed: the repository's files, and room for one's own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("build", "jobs", "data", "Makefile", "packages", "cluster", "dashboard", "docker", "runner", "tests"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def stays(command):
    return re.match(r"make run|build/tally (run|dashboard)", command) and "--once" not in command


def run_until_page(command, folder):
    """Starts it, waits for a window on its page, ends it as a person would."""
    port = free_port()
    if "--port" in command:
        command = re.sub(r"--port \d+", f"--port {port}", command)
    running = subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=folder, stderr=subprocess.PIPE, text=True,
                               env=environment({"TALLY_PORT": str(port)}), start_new_session=True)

    def on_page():
        assert running.poll() is None, running.stderr.read()
        try:
            return get_json(port, "/api/windows")["windows"]
        except OSError:
            return None

    try:
        until(on_page, 2 * SOON, "a window on the page")
        os.killpg(running.pid, signal.SIGINT)
        said = running.communicate(timeout=SOON)[1]
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
    assert running.returncode == 0 or command == "make run" and running.returncode == -signal.SIGINT, said
    assert re.search(r"\d+ records, \d+ windows", said) or "dashboard" in command, said


@pytest.mark.parametrize("command", commands())
def test_command(command, checkout, kafka):
    if command in ELSEWHERE and not (os.environ.get("TALLY_ALL") and command != "make test"):
        return
    typed = command.replace("localhost:9092", kafka.address).replace("PREFIX=/usr/local", f"PREFIX={checkout}/usr")
    if stays(command):
        run_until_page(typed, checkout)
        return
    done = subprocess.run(["sh", "-c", typed], cwd=checkout, env=environment(), capture_output=True, text=True,
                          timeout=900)
    assert done.returncode == 0, done.stderr
    if "count" in command or "consume" in command or "kcat" in command:
        assert '"job":' in done.stdout
