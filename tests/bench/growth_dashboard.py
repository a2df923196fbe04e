"""How the dashboard grows: with the windows that it keeps, with its clients."""

import statistics
from pathlib import Path

from tests.bench.common import TALLY, goal
from tests.bench.growth_common import fill_results, report, slope
from tests.kafka_server import free_port
from tests.load import Feed, settled
from tests.program import Program, until
from tests.web import answers, get

HISTORY = [300, 1_000, 3_000, 10_000, 30_000]
CLIENTS = [100, 300, 1_000, 3_000, 10_000]
BROADCASTS = 20


def processor_time(pid):
    """Seconds, of /proc/PID/schedstat, in ns: less coarse than ticks. Of its main thread, which serves."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def history_of_dashboard(folder, kafka):
    path = fill_results(folder, kafka, HISTORY[-1] + 1)
    memory, seconds, newest = [], [], []
    for windows in HISTORY:
        program, port = Program(cwd=folder), free_port()
        try:
            running = program.start("dashboard", path, "--bootstrap-servers", kafka.address, "--port", port, "--history", windows)
            until(lambda: answers(port, "/readyz"), 60, "a dashboard that has read its history")
            memory.append(running.memory())
            seconds.append(answer_time(running.pid, port, windows))
            newest.append(answer_time(running.pid, port, 10))
        finally:
            program.end_all()
    report("history", "the dashboard, windows kept; `/api/windows` with all of them", "windows", HISTORY, seconds, memory, 1.1, 1.1,
           "resident memory")
    goal("`/api/windows?limit=10` of more windows: time, exponent", slope(HISTORY, newest), 0.1, "", at_most=True)


def answer_time(pid, port, windows, rounds=30):
    found = []
    for _ in range(rounds):
        before = processor_time(pid)
        body = get(port, f"/api/windows?limit={windows}").body
        found.append(processor_time(pid) - before)
    assert body.count(b'"start":') == windows, (body.count(b'"start":'), windows)
    return min(found)


def clients_of_dashboard(folder, kafka):
    """The first client is there before: with it come pages of the program and of its libraries."""
    seconds, memory = [], []
    for clients in CLIENTS:
        feed = Feed(kafka, folder, f"clients-{clients}", free_port())
        try:
            broadcast(feed, feed.clients("ws", 1), 1)
            before = settled(feed.server.pid)
            many = feed.clients("ws", clients)
            seconds.append(statistics.median(broadcast(feed, many, clients) for _ in range(BROADCASTS)))
            memory.append(settled(feed.server.pid) - before)
        finally:
            feed.close()
    report("clients", "the dashboard, WebSocket clients; a broadcast to all of them", "clients", CLIENTS, seconds,
           memory, 1.1, 1.1, "memory of the clients")
    print(f"Time of the thread that serves, median of {BROADCASTS} broadcasts; resident memory beyond that with one client.\n")


def broadcast(feed, clients, count):
    """Seconds of the processor until each of so many has it, once."""
    before = processor_time(feed.server.pid)
    feed.broadcast()
    said = until(lambda: (found := clients.report())["messages"] >= count and found, 60, "a broadcast at all clients")
    spent = processor_time(feed.server.pid) - before
    assert said["messages"] == count and said["live"] == count and not (said["gaps"] or said["repeats"]), said
    clients.report(anew=True)
    return spent
