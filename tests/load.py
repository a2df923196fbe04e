"""Many live clients (bench/clients.c), and a result topic whose records carry the time at which they were sent."""

import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests import fixture, oracle
from tests.program import ROOT, Program, Running, until
from tests.web import get

CLIENTS = ROOT / "build" / "bench" / "clients"
TICK = os.sysconf("SC_CLK_TCK")


class Clients:
    """They are connected when this returns; `connected` is what the program said then."""

    def __init__(self, mode, port, count, timeout=120):
        subprocess.run(["make", "-s", str(CLIENTS.relative_to(ROOT))], cwd=ROOT, check=True)
        self.running = Running([str(CLIENTS), mode, str(port), str(count)], stdin=subprocess.PIPE)
        self.said = 0
        try:
            self.connected = self.next(timeout)
            assert self.connected["live"] == count, f"{self.connected}\n{self.running.err[-2000:]}"
        except BaseException:
            self.running.kill()
            raise

    def next(self, timeout):
        self.said += 1
        until(lambda: self.running.out.count("\n") >= self.said or self.running.process.poll() is not None, timeout,
              "a summary")
        assert self.running.out.count("\n") >= self.said, self.running.err
        return json.loads(self.running.out.splitlines()[self.said - 1])

    def report(self, anew=False, timeout=30):
        """What came since they were connected, or since the last one with `anew`."""
        self.running.process.stdin.write(b"0\n" if anew else b"\n")
        self.running.process.stdin.flush()
        return self.next(timeout)

    def close(self):
        self.running.kill()


class Feed:
    """`tally dashboard` of one job, and its result topic; a broadcast is one record more."""

    def __init__(self, kafka, folder, name, port, **options):
        self.kafka, self.port, self.count, self.loads = kafka, port, 0, []
        self.spec = fixture.spec(name)
        self.spec["labels"]["0"] = {"name": "sent"}
        self.topic = kafka.create_topic(self.spec["sink"]["topic"])
        self.began = int(time.time()) * 1000
        self.program = Program(cwd=folder)
        path = fixture.write_spec(Path(folder), self.spec)
        self.server = self.program.start("dashboard", path, "--bootstrap-servers", kafka.address, "--port", port,
                                         **options)
        self.server.wait_for(r"http://localhost:\d+/")

    def clients(self, mode, count):
        """They end with the feed."""
        self.loads.append(Clients(mode, self.port, count))
        return self.loads[-1]

    def broadcast(self, count=1):
        self.kafka.write(self.topic, [self.record() for _ in range(count)])

    def record(self):
        self.count += 1
        counts = dict.fromkeys(oracle.series(self.spec), 7)
        counts["sent"] = time.time_ns() // 1000
        return oracle.result(self.spec, self.began + self.count * 1000, counts)

    def metrics(self):
        """{(name, transport or ""): value}"""
        return {(sample.name, sample.labels.get("transport", "")): sample.value
                for family in text_string_to_metric_families(get(self.port, "/metrics").body.decode())
                for sample in family.samples}

    def close(self):
        for each in self.loads:
            each.close()
        self.program.end_all()


def stalled(mode, port):
    """The socket of a client that asks, and never reads; the kernel holds little for it."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.connect(("127.0.0.1", port))
    path, more = {"sse": ("/events", ""), "ws": (
        "/ws", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")}[mode]
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n{more}\r\n".encode())
    return s


def resident(pid):
    """VmRSS in bytes."""
    return int(re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def settled(pid, seconds=2, timeout=60):
    """The resident memory, when it has changed by less than a percent for so long."""
    since, size = time.monotonic(), resident(pid)

    def still():
        nonlocal since, size
        if abs(resident(pid) - size) > size / 100:
            since, size = time.monotonic(), resident(pid)
        return time.monotonic() - since >= seconds
    until(still, timeout, "memory at rest", every=0.1)
    return resident(pid)


def processor(pid):
    """{thread: seconds of the processor}, the process itself as ""."""
    found = {}
    for folder in [Path(f"/proc/{pid}"), *Path(f"/proc/{pid}/task").iterdir()]:
        name, fields = re.search(r"\((.*)\) (.*)", (folder / "stat").read_text(), re.S).groups()
        used = sum(map(int, fields.split()[11:13])) / TICK
        key = "" if folder.parent.name == "proc" else name if folder.name != str(pid) else "main"
        found[key] = found.get(key, 0) + used
    return found
