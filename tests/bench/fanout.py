"""10,000 live clients and one broadcast a second: `tally dashboard` by SSE and by WebSocket, fed from a real Kafka,
Node's socket.io and Flask-SocketIO, each in a process of its own. The clients (clients.c) share the two cores with it.

Ours: the time runs from just before the record goes to Kafka, so Kafka is in it. Theirs: from just before `emit`.
CLIENTS, BROADCASTS, ROUNDS in the environment make it shorter."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

from tests.bench.common import TALLY, commands, goal, temporary, versions
from tests.bench.peers import npm, pip
from tests.kafka_server import Kafka, free_port
from tests.load import Clients, Feed, processor, settled
from tests.program import Running

ROUNDS = int(os.environ.get("ROUNDS", 3))
CLIENTS = int(os.environ.get("CLIENTS", 10_000))
BROADCASTS = int(os.environ.get("BROADCASTS", 20))

# Both take a message a line, stamp it, and send it to all. socket.io: as its pages on performance and on memory say
# (socket.io/docs/v4/performance-tuning, .../memory-usage): the native add-ons of ws, no compression, the first
# request is not kept. Flask-SocketIO: the server that socketio.run() takes by itself where gevent-websocket is.
NPM = ["socket.io@4.8.4", "bufferutil@4.1.0", "utf-8-validate@6.0.5"]
NODE = """
const { Server } = require("socket.io");
require("bufferutil");
require("utf-8-validate");
const http = require("http").createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, httpCompression: false,
                              serveClient: false });
io.engine.on("connection", (raw) => { raw.request = null; });
http.listen({ port: Number(process.argv[1]), host: "127.0.0.1", backlog: 4096 }, () => console.log("ready"));
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const message = JSON.parse(line);
    message.counts.sent = Date.now() * 1000;
    io.emit("window", message);
});
"""
PIP = ["flask-socketio==5.6.1", "gevent==25.9.1", "gevent-websocket==0.10.1"]
FLASK = """
from gevent import monkey
monkey.patch_all()
import json, sys, time
from flask import Flask
from flask_socketio import SocketIO
from gevent.fileobject import FileObject
app = Flask("peer")
socketio = SocketIO(app, async_mode="gevent")
def broadcast():
    print("ready", flush=True)
    for line in FileObject(sys.stdin.buffer):
        message = json.loads(line)
        message["counts"]["sent"] = time.time_ns() // 1000
        socketio.emit("window", message)
socketio.start_background_task(broadcast)
socketio.run(app, host="127.0.0.1", port=int(sys.argv[1]))
"""

Round = namedtuple("Round", "load connect memory processor report")


class Peer:
    def __init__(self, port, command, env):
        self.port, self.count = port, 0
        self.server = Running([*map(str, command), str(port)], env=env, stdin=subprocess.PIPE)
        self.server.wait_for("ready", "out")

    def broadcast(self):
        """The message that ours would send, its id included."""
        self.count += 1
        start = int(time.time()) * 1000
        message = {"id": f"0-{self.count}", "job": "gender", "start": start, "end": start + 1000,
                   "counts": {"sent": 0, "male": 7, "unknown": 7, "other": 7}, "total": 21 + time.time_ns() // 1000}
        self.server.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.server.process.stdin.flush()

    def close(self):
        self.server.kill()


def measure(server, mode):
    load = os.getloadavg()[0]
    pid = server.server.pid
    before = settled(pid)
    clients = Clients(mode, server.port, CLIENTS)
    memory = (settled(pid) - before) / CLIENTS
    used = processor(pid)[""]
    for _ in range(BROADCASTS):
        next_one = time.monotonic() + 1
        server.broadcast()
        time.sleep(max(0, next_one - time.monotonic()))
    used = processor(pid)[""] - used
    report = clients.report()
    clients.close()
    server.close()
    assert report["live"] == CLIENTS and report["gaps"] == report["repeats"] == 0, report
    return Round(load, clients.connected["connect_seconds"], memory, used / BROADCASTS, report)


def row(name, rounds):
    """The best round's times, and the medians of all."""
    best = min(rounds, key=lambda r: r.report["by_stamp"]["p99"])

    def times(which):
        middle = {p: statistics.median(r.report[which][p] for r in rounds) for p in ("p50", "p99")}
        return " | ".join(f"{best.report[which][p]:.0f} ({middle[p]:.0f})" for p in middle)
    complete = min(r.report["messages"] for r in rounds) / (CLIENTS * BROADCASTS)
    return (f"| {name} | {times('by_stamp')} | {times('by_first')} | "
            f"{statistics.median(r.connect for r in rounds):.1f} s | "
            f"{statistics.median(r.memory for r in rounds) / 1000:.1f} kB | "
            f"{statistics.median(r.processor for r in rounds) * 1000:.0f} ms | {best.report['bytes']:.0f} | "
            f"{complete:.1%} | {best.load:.1f} |")


def check(name, rounds):
    """Against the goals: medians of the rounds."""
    for p, most in (("p50", 100), ("p99", 250)):
        goal(f"{name}, {CLIENTS:,} clients, {p}", statistics.median(r.report["by_stamp"][p] for r in rounds), most, " ms",
             at_most=True)
    goal(f"{name}, memory a client", statistics.median(r.memory for r in rounds) / 1000, 2, " kB", at_most=True)


def main():
    kafka = Kafka().start()
    try:
        with temporary() as folder:
            found = bench(kafka, Path(folder))
    finally:
        kafka.close()
    print(f"### fan-out: {CLIENTS:,} live clients, {BROADCASTS} broadcasts, one a second; times in ms, best round "
          f"(median of {ROUNDS})\n\n"
          "| server | p50 | p99 | from the first receipt: p50 | p99 | all connected | memory a client | "
          "processor a broadcast | bytes | received in time | load before |\n|---|" + "--:|" * 10)
    print("\n".join(row(name, rounds) for name, rounds in found.items()) + "\n", flush=True)
    for name in list(found)[:2]:
        check(name, found[name])
    print(f"By pip: {', '.join(PIP)}; by npm: {', '.join(NPM)}.\n")
    versions(tally=[TALLY, "--version"], Node=["node", "--version"], Python=["/usr/bin/python3", "--version"])
    commands(**{"tally dashboard": ["tally", "dashboard", "JOB.yaml", "--bootstrap-servers", "KAFKA"]})


def bench(kafka, folder):
    env = {"NODE_PATH": str(npm(*NPM))}
    python = pip(*PIP)
    made = iter(range(1000))
    contestants = {
        "tally dashboard, SSE": ("sse", lambda: Feed(kafka, folder, f"job{next(made)}", free_port())),
        "tally dashboard, WebSocket": ("ws", lambda: Feed(kafka, folder, f"job{next(made)}", free_port())),
        "socket.io, Node": ("eio", lambda: Peer(free_port(), ["node", "-e", NODE], env)),
        "Flask-SocketIO, gevent": ("eio", lambda: Peer(free_port(), [python, "-I", "-c", FLASK], None)),
    }
    found = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, (mode, start) in contestants.items():
            found[name].append(measure(start(), mode))
    return found


if __name__ == "__main__":
    sys.exit(main())
