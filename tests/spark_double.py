"""A Spark master (REST and page) and worker (log page) that says what a test wants, in the words of real ones: the
answers were recorded from 4.2.0 and 3.5.1. For what a real one cannot be made to do: to lose an answer, to be on standby."""

import json
import re
import socket
import socketserver
import threading
from urllib.parse import parse_qs, urlsplit

ID = "driver-20261121121235-0000"
WORKER = "worker-20261121121056-127.0.0.1-34941"


def answer(body, status=200, kind="application/json;charset=utf-8", reason="OK"):
    """The bytes of an HTTP answer."""
    body = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return f"HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def html(status, title):
    return answer(f"<html>\n<head>\n<title>{title}</title>\n</head>\n<body>\n<h2>HTTP ERROR {title}</h2>\n</body></html>",
                  status, "text/html;charset=iso-8859-1", "Error")


CREATED = answer({"action": "CreateSubmissionResponse", "message": f"Driver successfully submitted as {ID}",
                  "serverSparkVersion": "4.2.0", "submissionId": ID, "success": True})
NOT_CREATED = answer({"action": "CreateSubmissionResponse", "message": "no room for you\n\tat x", "success": False,
                      "serverSparkVersion": "4.2.0"})
KILLING = answer({"action": "KillSubmissionResponse", "message": f"Kill request for {ID} submitted",
                  "serverSparkVersion": "4.2.0", "submissionId": ID, "success": True})
NOT_KILLED = answer({"action": "KillSubmissionResponse",
                     "message": f"Driver {ID} has already finished or does not exist",
                     "serverSparkVersion": "4.2.0", "submissionId": ID, "success": False})
UNKNOWN_ID = answer({"action": "SubmissionStatusResponse", "serverSparkVersion": "4.2.0", "submissionId": ID,
                     "success": False})
PROBED = answer({"action": "ErrorResponse", "serverSparkVersion": "4.2.0", "message":
                 "Missing an action: please specify one of /create, /kill, /killall, /clear, /status, or /readyz."}, 400)
VERSION = answer({"action": "ErrorResponse", "highestProtocolVersion": "v2", "serverSparkVersion": "9.0.0", "message":
                  "Unknown protocol version 'v1'. Please submit requests through http://[host]:[port]/v2/..."}, 468, reason="468")
MALFORMED = answer({"action": "ErrorResponse", "serverSparkVersion": "4.2.0", "message":
                    "Malformed request: org.apache.spark.deploy.rest.SubmitRestProtocolException: Validation of message "
                    "CreateSubmissionRequest failed!\n\torg.apache.spark.deploy.rest.SubmitRestProtocolMessage.validate"
                    "(SubmitRestProtocolMessage.scala:70)"}, 400, reason="Bad Request")
NO_JAR = ("Exception from the cluster:\njava.nio.file.NoSuchFileException: /nope.jar\n"
          "\tjava.base/sun.nio.fs.UnixException.translateToIOException(UnixException.java:92)\n")


def standby(what="driver submissions", state="STANDBY", kind="CreateSubmissionResponse"):
    return answer({"action": kind, "serverSparkVersion": "4.2.0", "success": False,
                   "message": f"Current state is not alive: {state}. Can only accept {what} in ALIVE state."})


def status(state, message=None, driver=ID):
    told = {"action": "SubmissionStatusResponse", "driverState": state, "serverSparkVersion": "4.2.0",
            "submissionId": driver, "success": True, "workerHostPort": "127.0.0.1:34941", "workerId": WORKER}
    return answer(told if message is None else {**told, "message": message})


def page(state="ALIVE", web="http://127.0.0.1:1", free=3, drivers=(), ended=(), apps=(), memory=2560,
         url="spark://127.0.0.1:7077", workers=1):
    def driver(row):
        return {"id": row[0], "starttime": str(row[2] if len(row) > 2 else 1795263155792), "state": row[1], "cores": 1,
                "memory": 512, "resources": {}, "submitdate": "Sat Nov 21 12:12:35 UTC 2026", "worker": WORKER,
                "mainclass": row[3] if len(row) > 3 else "tally.WindowedCount"}
    worker = {"id": WORKER, "host": "nope.invalid", "port": 34941, "webuiaddress": web, "cores": 4,
              "coresused": 4 - free, "coresfree": free, "memory": 3072, "memoryused": 3072 - memory, "memoryfree": memory,
              "resources": {}, "state": "ALIVE", "lastheartbeat": 1795263162163}
    rows = [{"id": row[0], "starttime": 1795263156000, "name": row[1], "cores": 3 if row[2] != "WAITING" else 0,
             "user": "root", "memoryperexecutor": 1024, "submitdate": "x", "state": row[2], "duration": 12} for row in apps]
    return answer({"url": url, "workers": [worker] * workers, "aliveworkers": workers, "cores": 4,
                   "coresused": 4 - free, "memory": 3072, "memoryused": 512, "activeapps": rows, "completedapps": [],
                   "activedrivers": [driver(row) for row in drivers], "completeddrivers": [driver(row) for row in ended],
                   "status": state})


def app_page(executors=(), app="app-1", name="tally-gender", ui=None, web="http://127.0.0.1:1"):
    """What tally reads of a 4.2.0 master's page of an application. executors: (id, state)"""
    rows = "".join(f"""<tr>
      <td>{number}</td>
      <td>
        <a href="{web}">{WORKER}</a>
      </td>
      <td>1</td>
      <td>512</td>
      <td>0</td>
      <td></td>
      <td>{state}</td>
      <td>
        <a href="{web}/logPage/?appId={app}&amp;executorId={number}&amp;logType=stdout">stdout</a>
      </td>
    </tr>""" for number, state in executors)
    link = f'<li><strong>\n<a href="{ui}">Application Detail UI</a>\n</strong></li>' if ui else ""
    return answer(f"""<html><head><title>Application: {name}</title></head><body><a href="/">x</a><ul>{link}</ul>
      <table><thead><th width="" class="">ExecutorID</th></thead><tbody>{rows}</tbody></table></body></html>""",
                  kind="text/html;charset=utf-8")


NO_APP = answer("<html><head><title>Not Found</title></head><body>No running application with ID app-9</body></html>",
                kind="text/html;charset=utf-8")


def metrics(app="app-1", rate=10.0):
    """A driver's gauges, 4.2.0 with spark.sql.streaming.metricsEnabled=true."""
    told = {"inputRate-total": rate, "processingRate-total": 22.8, "latency": 875, "eventTime-watermark": 1795274297273,
            "states-rowsTotal": 27, "states-usedBytes": 10272}
    gauges = {f"{app}.driver.spark.streaming.a.query.{name}": {"value": value} for name, value in told.items()}
    return answer({"version": "4.0.0", "gauges": {f"{app}.driver.BlockManager.disk.diskSpaceUsed_MB": {"value": 0}, **gauges},
                   "counters": {}})


# ---- What is no answer

def drop(connection):
    """The request was read, and then the connection is gone."""


def hang(connection):
    connection.recv(1)  # until the client gives up


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"action\":\"")
    try:
        while True:
            connection.sendall(b"x" * 65536)
    except OSError:
        pass


def log_page(data, most=1 << 20):
    """As LogPage.scala gives it: bytes made text and bytes again, so that a character that is cut becomes U+FFFD."""
    def give(connection, query):
        offset = int(query.get("offset", [max(0, len(data) - 102400)])[0])
        start = min(max(offset, 0), len(data))
        end = min(len(data), start + min(int(query["byteLength"][0]), most))
        text = data[start:end].decode("utf-8", "replace").encode()
        connection.sendall(answer(f"==== Bytes {start}-{end} of {len(data)} of /work/{ID}/stderr ====\n".encode() + text,
                                  kind="text/plain;charset=utf-8"))
    return give


class Double:
    """Routes are "POST create", "GET status", "POST kill", "GET json", "GET log", "GET app", "GET metrics", and "version",
    which is what an action that misses gets, "root", the page for people: each has one answer or a list of them, of which the last stays; that of a log
    or a status may be a function. Other paths give 404."""

    def __init__(self, **routes):
        self.routes = {}
        self.set(version=PROBED)
        self.set(**routes)
        self.requests, self.methods, self.authorizations = [], [], []  # (route, path, body)
        self.servers = [self.serve() for _ in range(2)]
        self.rest, self.ui = (server.server_address[1] for server in self.servers)

    def set(self, **routes):
        for name, told in routes.items():
            self.routes[name] = list(told) if isinstance(told, list) else [told]

    def serve(self, address=("127.0.0.1", 0)):
        double = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                double.handle(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        server = Server(address, Handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    def handle(self, connection):
        with connection.makefile("rb") as reader:
            try:
                while head := reader.readline():
                    length, authorization = 0, None
                    while (line := reader.readline()) not in (b"\r\n", b""):
                        found = re.match(rb"(?i)content-length: *(\d+)", line)
                        length = int(found[1]) if found else length
                        if line.lower().startswith(b"authorization:"):
                            authorization = line.split(b":", 1)[1].strip().decode()
                    self.authorizations.append(authorization)
                    if not self.reply(connection, head.decode("latin-1"), reader.read(length)):
                        return
            except OSError:
                return

    def reply(self, connection, head, body):
        """False when the connection ends with it."""
        method, target, _ = head.split(" ", 2)
        parts = urlsplit(target)
        name = next((n for n in ("create", "status", "kill", "metrics", "json", "log", "app") if f"/{n}" in parts.path),
                    "version" if parts.path.endswith("/v1/submissions/") else "root" if parts.path == "/" else None)
        self.requests.append((name, parts.path, body))
        self.methods.append(method)
        told = self.routes.get(name)
        if not told:
            connection.sendall(html(404, "Error 404 Not Found"))
            return True
        told = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(told, bytes):
            connection.sendall(told)
            return True
        if name == "log":
            told(connection, parse_qs(parts.query))
            return True
        if getattr(told, "by_path", False):
            connection.sendall(told(parts.path))
            return True
        told(connection)
        connection.shutdown(socket.SHUT_RDWR)
        return False

    def count(self, name):
        return sum(request[0] == name for request in self.requests)

    def created(self):
        """What the only create asked for."""
        bodies = [body for name, _, body in self.requests if name == "create"]
        assert len(bodies) == 1
        assert bodies[0].isascii()
        return json.loads(bodies[0])

    @property
    def options(self):
        return ["--master", "spark://127.0.0.1:7077", "--rest-port", self.rest, "--ui-port", self.ui]

    @property
    def web(self):
        return f"http://127.0.0.1:{self.ui}"

    def stop_rest(self):
        """Nobody listens there any more."""
        self.servers[0].shutdown()
        self.servers[0].server_close()

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()
