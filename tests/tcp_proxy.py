"""A piece of network that can be cut, between any two who talk over TCP on 127.0.0.1."""

import select
import socket
import struct
import threading
import time

WAYS = ("reset", "refuse", "swallow")  # to cut it
LOOK_EVERY = 0.02


class TcpProxy:
    """`cut(way)`: "reset", whoever is or gets connected is thrown out; "refuse", and nobody gets connected; "swallow",
    nothing that is sent arrives, and nobody is told. `mend()`: new connections work; those that were swallowed stay dead,
    as where a firewall has forgotten them. `delay`: seconds that what the target says takes on its way."""

    def __init__(self, port, target):
        self.port, self.target, self.way, self.delay = port, target, None, 0
        self.cuts = 0
        self.listener = None
        self._listen()

    def close(self):
        self.cut("refuse")

    def cut(self, way):
        assert way in WAYS
        self.way = way
        self.cuts += 1
        if way == "refuse" and self.listener:
            listener, self.listener = self.listener, None
            listener.shutdown(socket.SHUT_RDWR)  # or accept() would keep the port open
            listener.close()

    def mend(self):
        self.way = None
        if not self.listener:
            self._listen()

    def _listen(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener):
        try:
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
        except OSError:
            pass

    def _serve(self, client):
        server = None
        try:
            if not self.way:
                server = socket.create_connection(("127.0.0.1", self.target))
            self._pump(client, server)
        except OSError:
            pass
        finally:
            for each in (client, server):
                if each:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets
                    each.close()

    def _pump(self, client, server):
        ends, cuts, dead = [each for each in (client, server) if each], self.cuts, not server
        while True:
            ready, _, _ = select.select(ends, [], [], LOOK_EVERY)
            if self.way in ("reset", "refuse"):
                return
            dead = dead or self.cuts != cuts
            for source in ready:
                part = source.recv(65536)
                if not part:
                    return
                time.sleep(self.delay if source is server else 0)
                if not dead:
                    (server if source is client else client).sendall(part)
