"""A Docker engine on a unix socket that tells of one container, as 20.10 does."""

import http.server
import io
import json
import socketserver
import tarfile
import threading
from urllib.parse import parse_qs, urlsplit


def archive(path, content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(path.rpartition("/")[2])
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


class Engine:
    """The container publishes `port`; its network has this machine at `gateway`; `files` are in it."""

    def __init__(self, path, port, gateway, name="spark-master", files=None):
        row = {"Id": "1241e2aa5519d2c8", "Names": [f"/{name}"], "Labels": {"com.docker.compose.service": "spark-master"},
               "Ports": [{"IP": "127.0.0.1", "PrivatePort": 6066, "PublicPort": port, "Type": "tcp"}],
               "NetworkSettings": {"Networks": {"tally_default": {"Gateway": gateway, "IPAddress": "172.18.0.2"}}}}
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                url = urlsplit(self.path)
                wanted = parse_qs(url.query).get("path", [None])[0]
                body = json.dumps([row]).encode()
                if wanted:
                    body = archive(wanted, files[wanted]) if wanted in (files or {}) else b'{"message":"no such file"}'
                self.send_response(404 if wanted and wanted not in (files or {}) else 200)
                self.send_header("Content-Type", "application/x-tar" if wanted else "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

            def address_string(self):
                return "socket"

        self.server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
