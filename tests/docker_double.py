"""A Docker engine on a unix socket that tells of one container, as 20.10 does."""

import http.server
import json
import socketserver
import threading


class Engine:
    """The container publishes `port`; its network has this machine at `gateway`."""

    def __init__(self, path, port, gateway):
        row = {"Id": "1241e2aa5519d2c8", "Names": ["/spark-master"], "Labels": {"com.docker.compose.service": "spark-master"},
               "Ports": [{"IP": "127.0.0.1", "PrivatePort": 6066, "PublicPort": port, "Type": "tcp"}],
               "NetworkSettings": {"Networks": {"tally_default": {"Gateway": gateway, "IPAddress": "172.18.0.2"}}}}
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                body = json.dumps([row]).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
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
