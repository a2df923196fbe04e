"""A proxy that treats WebSockets as some do, between a browser and the real server."""

import select
import socket
import threading

REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class ProxyDouble:
    """`mode`: "pass"; "refuse" an upgrade; "swallow" the frames after it; "cut" all, and close nothing."""

    def __init__(self, port, target, mode="pass"):
        self.port, self.target, self.mode = port, target, mode
        self.url = f"http://localhost:{port}/"
        self.upgrades = 0
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        except OSError:
            pass

    def _serve(self, client):
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(65536)
                if not part:
                    return
                head += part
            is_socket = b"\r\nupgrade: websocket" in head.lower()
            self.upgrades += is_socket
            if is_socket and self.mode == "refuse":
                client.sendall(REFUSAL)
                return
            with socket.create_connection(("127.0.0.1", self.target)) as server:
                server.sendall(head)
                self._pump(client, server, is_socket and self.mode == "swallow")
        except OSError:
            pass
        finally:
            client.close()

    def _pump(self, client, server, swallows):
        is_answered = False
        while True:
            ready, _, _ = select.select([client, server], [], [], 0.1)
            if self.mode == "cut":
                continue
            for source in ready:
                part = source.recv(65536)
                if not part:
                    return
                if source is server and swallows and is_answered:
                    continue
                if source is server and swallows:
                    part, is_answered = part[:part.index(b"\r\n\r\n") + 4], True
                (server if source is client else client).sendall(part)
