"""Lines for spark-submit, and what a real one sends for them: to be run by the Python of a Spark image, in its container,
with the lines as JSON on standard input; out go the requests (null: it sent none). Nothing of Spark's is started: a small
server plays the REST API of a master, on a port of its own."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEFAULTS = """# comment
spark.eventLog.dir \\t hdfs://n:8021/dir  \n! more
spark.continued = one, \\
   two
spark.unicode:\\u5973 =x\\:y\nspark.executor.memory 3g\nspark.empty
sparkling 1\nspark.x defaults\nspark.trailing = b\\t\\ \n"""

# Each behind --master and --deploy-mode cluster, in a folder without files; {p}: a file with spark.x=file.
LINES = [
    ["--class", "A", "/x.jar", "--name", "a b", "", "女", "--", "-v"],
    ["--class=A", "--name=b c", "--conf=spark.y=1=2", "-c", "spark.z= 'q' \"r\" ", "--supervise", "--verbose", "/x.jar"],
    ["--class", "A", "--conf", "spark.executor.memory=5g", "--executor-memory", "6g", "--driver-memory", "1g",
     "--conf", "spark.driver.memory=2g", "/x.jar"],
    ["--class", "A", "--properties-file", "{p}", "/x.jar"],
    ["--class", "A", "--jars", "a.jar,/b.jar,local:/c.jar", "--files", "f,/g", "--archives", "e.zip#e", "rel.jar"],
    ["--class", "A", "--jars", "", "--files", "", "--packages", "", "--conf", "sparkling=1", "/my app.jar"],
    ["--class", "A", "--driver-java-options", "-Da=b -Dc=d", "--driver-class-path", "/a:/b", "--driver-library-path", "/l",
     "--total-executor-cores", "4", "--executor-cores", "2", "--driver-cores", "3", "file:/x.jar"],
    ["--class", "A", "--packages", "g:a:1", "--exclude-packages", "g:b", "--repositories", "https://r", "hdfs:///x.jar"],
    ["--class", "A", "--driver-java-options", "-Xmx2g", "/x.jar"],
    ["--class", "A", "--driver-memory", "1.5g", "/x.jar"],
    ["--class", "A", "--executor-cores", "0", "/x.jar"],
    ["--class", "A", "--conf", "spark.x", "/x.jar"],
    ["--class", "A", "--nonsense", "1", "/x.jar"],
    ["--class", "A"],
]
ENVIRONMENT = {"SPARK_DRIVER_MEMORY": "700m", "SPARK_EXECUTOR_CORES": "5"}


def prepare(folder):
    """spark-defaults.conf and the file {p}; the environment that names them."""
    with open(f"{folder}/spark-defaults.conf", "w", encoding="utf-8") as file:
        file.write(DEFAULTS)
    with open(f"{folder}/p.conf", "w", encoding="utf-8") as file:
        file.write("spark.x=file\n")
    return {**ENVIRONMENT, "SPARK_CONF_DIR": str(folder)}


def words(line, folder, port):
    return ["--master", f"spark://127.0.0.1:{port}", "--deploy-mode", "cluster", "--conf", "spark.master.rest.enabled=true",
            *(word.replace("{p}", f"{folder}/p.conf") for word in line)]


class Master(BaseHTTPRequestHandler):
    requests = []

    def answer(self, **told):
        body = json.dumps({"serverSparkVersion": "4.2.0", "submissionId": "driver-1", "success": True, **told}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer(action="CreateSubmissionResponse", message="")

    def do_GET(self):
        self.answer(action="SubmissionStatusResponse", driverState="RUNNING")

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Master)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.makedirs("/tmp/lines/here")
    env = {**os.environ, **prepare("/tmp/lines")}
    sent = []
    for line in LINES:
        Master.requests.clear()
        subprocess.run(["spark-submit", *words(line, "/tmp/lines", server.server_port)], env=env, cwd="/tmp/lines/here",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        sent.append(Master.requests[-1] if Master.requests else None)
    json.dump(sent, sys.stdout)


if __name__ == "__main__":
    main()
