"""From nothing to the first count: `tally run gender` until it is at /ws and on the page in a real Chromium; `make run` in a
clean clone. What the program weighs, and what it costs to start it, beside others."""

import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.common import ROOT, TALLY, commands, in_turns, run, temporary, versions
from tests.browser import Browser
from tests.cost import instructions
from tests.kafka_server import die_with_parent, free_port
from tests.program import environment, until
from tests.web import WebSocket

ROUNDS = int(os.environ.get("ROUNDS", 5))
STARTS = 4 * ROUNDS

# When a count that is not 0 was painted, on the clock of the machine.
WATCH = """
window.countedAt = null;
const frames = new MessageChannel();
frames.port1.onmessage = () => {
  const counts = [...document.querySelectorAll('#windows tbody td')].map((cell) => Number(cell.textContent));
  if (counts.some((count) => count > 0)) window.countedAt = Date.now();
  else requestAnimationFrame(() => frames.port2.postMessage(''));
};
requestAnimationFrame(() => frames.port2.postMessage(''));
"""

STARTED = {"tally --version": [TALLY, "--version"], "kcat -V": ["kcat", "-V"], "curl --version": ["curl", "--version"],
           "python3 -c pass": ["/usr/bin/python3", "-c", "pass"], "node -v": ["node", "-v"], "java -version": ["java", "-version"]}


def first_count(port, began):
    """Seconds until a client of /ws has a window that counted something."""
    socket = WebSocket(port)

    def counted():
        told = [each.data for each in list(socket.events) if each.event != "status"]
        windows = [window for data in told for window in data.get("windows", [data])]
        return any(window["total"] > 0 for window in windows)
    until(counted, 60, "a count at /ws", every=0.001)
    socket.close()
    return time.time() - began


class Started:
    """A command that runs the gender job; its process group is ended by its own id."""

    def __init__(self, command, cwd):
        self.began = time.time()
        self.process = subprocess.Popen(command, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=die_with_parent)

    def port(self):
        """Of the page, as soon as it is said."""
        for line in self.process.stderr:
            found = re.search(r"the page: http://localhost:(\d+)/", line)
            if found:
                return int(found[1])
        raise RuntimeError("it ended before it told its page")

    def stop(self):
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=20)


def once(browser, command, cwd):
    """(s until it tells its page, until a count is at /ws, until one is painted)"""
    started = Started(command, cwd)
    port = started.port()
    told = time.time() - started.began
    browser.driver.execute_script("setTimeout((url) => location.assign(url), 0, arguments[0])", f"http://localhost:{port}/")
    found = first_count(port, started.began)
    painted = until(lambda: browser.js("return window.countedAt"), 60, "a count on the page", every=0.005) / 1000 - started.began
    started.stop()
    browser.driver.get("about:blank")
    return told, found, painted


def clone(browser, folder):
    """The same from a clean clone, and the seconds of the compilation in it."""
    began = time.time()
    subprocess.run(["git", "clone", "-q", ROOT, folder / "clone"], check=True)
    subprocess.run(["make", "-s", f"-j{os.cpu_count()}", "build"], cwd=folder / "clone", stdout=subprocess.DEVNULL, check=True)
    built = time.time() - began
    return built, [built + each for each in once(browser, ["make", "run"], folder / "clone")]


def first_counts():
    browser = Browser()
    browser.do("Page.enable")
    browser.do("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
    try:
        with temporary() as folder:
            command = [TALLY, "run", "gender", "--port", str(free_port())]
            found = [once(browser, command, folder) for _ in range(ROUNDS)]
            built, cloned = clone(browser, Path(folder))
    finally:
        browser.close()
    print("### The first count\n\n| from | its page is told | a count at `/ws` | a count painted in Chromium |\n|---|--:|--:|--:|")
    told, at, painted = (statistics.median(column) for column in zip(*found))
    print(f"| `tally run gender`, built | {told:.2f} s | {at:.2f} s | {painted:.2f} s |")
    print(f"| `git clone`, `make build`, `make run` ({built:.1f} s to build) | " + " | ".join(f"{each:.1f} s" for each in cloned) + " |")
    print(f"\nMedians of {ROUNDS} runs, one clone. All packages are there, and Chromium runs already. The clone is built by "
          f"make -j{os.cpu_count()}.\n", flush=True)


def starts():
    commands_there = {name: command for name, command in STARTED.items() if shutil.which(command[0])}
    found = in_turns({name: lambda command=command: run(command) for name, command in commands_there.items()}, STARTS)
    print("### A start\n\n| command | ms | worst | M instructions | libraries | peak memory |\n|---|--:|--:|--:|--:|--:|")
    for name, command in commands_there.items():
        times = [1000 * each.seconds for each in found[name]]
        counted = None if name.startswith("java") else instructions(command)
        memory = max(each.memory for each in found[name]) / 2**20
        print(f"| `{name}` | {statistics.median(times):.1f} | {max(times):.1f} | {counted / 1e6 if counted else 0:.1f} | "
              f"{libraries(command[0])} | {memory:.0f} MiB |".replace("| 0.0 |", "| |"))
    print(f"\nMedians of {STARTS} starts each, in turns. Libraries: what the dynamic linker loads. Memory: 10 MiB is the least that is "
          "told.\n", flush=True)


def libraries(program):
    said = subprocess.run(["ldd", os.path.realpath(shutil.which(program))], stdout=subprocess.PIPE, text=True).stdout
    return sum(1 for line in said.splitlines() if "=>" in line)


def weight():
    with tempfile.TemporaryDirectory() as folder:
        stripped = Path(folder) / "tally"
        subprocess.run(["strip", "-o", stripped, TALLY], check=True)
        small, large = stripped.stat().st_size, os.stat(TALLY).st_size
    print(f"The program has {large / 1e6:.2f} MB as it is built, with what a debugger needs, {small / 1e6:.2f} MB stripped; the page, "
          f"the jobs and the sample are in it. It loads {libraries(TALLY)} libraries.\n", flush=True)


def main():
    weight()
    starts()
    first_counts()
    versions(tally=[TALLY, "--version"], kcat=["kcat", "-V"], curl=["curl", "--version"], python=["/usr/bin/python3", "-V"],
             node=["node", "-v"], java=["java", "--version"])
    commands(start=["tally", "run", "gender"])


if __name__ == "__main__":
    sys.exit(main())
