"""A Docker engine on a unix socket that tells of one container, as 20.10 does."""

import base64
import http.server
import io
import json
import socketserver
import tarfile
import threading
import zlib
from urllib.parse import parse_qs, urlsplit


def archive(path, content):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo(path.rpartition("/")[2])
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def stat(path, content):
    """Its time is made of what is in it."""
    told = {"name": path.rpartition("/")[2], "size": len(content), "mode": 0o644, "mtime": f"x{zlib.crc32(content)}", "linkTarget": ""}
    return base64.b64encode(json.dumps(told).encode()).decode()


class Engine:
    """The container publishes `port`; its network has this machine at `gateway`; `files` are in it, as long as they are."""

    def __init__(self, path, port, gateway, name="spark-master", files=None):
        row = {"Id": "1241e2aa5519d2c8", "Names": [f"/{name}"], "Labels": {"com.docker.compose.service": "spark-master"},
               "Ports": [{"IP": "127.0.0.1", "PrivatePort": 6066, "PublicPort": port, "Type": "tcp"}],
               "NetworkSettings": {"Networks": {"tally_default": {"Gateway": gateway, "IPAddress": "172.18.0.2"}}}}
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.answer(True)

            def do_HEAD(self):
                asked.append(f"HEAD {self.path}")
                self.answer(False)

            def answer(self, whole):
                url = urlsplit(self.path)
                wanted = parse_qs(url.query).get("path", [None])[0]
                body = json.dumps([row]).encode()
                content = files.get(wanted) if files else None
                if wanted:
                    body = archive(wanted, content) if content is not None else b'{"message":"no such file"}'
                self.send_response(404 if wanted and content is None else 200)
                self.send_header("Content-Type", "application/x-tar" if wanted else "application/json")
                if content is not None:
                    self.send_header("X-Docker-Container-Path-Stat", stat(wanted, content))
                self.send_header("Content-Length", str(len(body)))
                try:
                    self.end_headers()
                    self.wfile.write(body if whole else b"")
                except OSError:
                    pass  # the client has enough, or has been killed

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
