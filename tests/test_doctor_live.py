"""tally doctor --live: a real Kafka whose listeners are wrong in every way that can be staged on one machine, servers that
are not Kafka, brokers played here, and, in Docker, what only ports and networks make wrong."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.cluster import docker, run
from tests.docker_double import Engine
from tests.kafka_server import Kafka, free_port
from tests.program import BUILDS, SOON, Program, only_all, until
from tests.test_cluster import ALL
from tests.test_json import documented, flat

NO_DOCKER = {"DOCKER_HOST": "unix:///nonexistent"}
SECONDS = 15  # whatever does not answer: it waits for 9 at most (PROBE_WAIT_MS), and for the resolver
IN_DOCKER = 38  # it takes two or three; the machine has two cores, and six brokers to start; 40 ends it (INSIDE_MS)


@pytest.fixture(params=[os.environ["TALLY"]] if "TALLY" in os.environ else list(BUILDS))
def program(request, tmp_path):
    found = Program(Path(BUILDS.get(request.param, request.param)).resolve(), cwd=tmp_path)
    yield found
    found.end_all()


def live(program, *args, env=NO_DOCKER, seconds=SECONDS):
    """(exit code, what --json prints); in time, and as docs/json.md says."""
    began = time.monotonic()
    done = program.run("doctor", "--live", "--json", *args, env=env, timeout=60)
    assert time.monotonic() - began < seconds, "too long"
    if not done.out:
        return done.code, done.err
    found = json.loads(done.out)
    for name, kind in flat(found):
        assert kind in documented()["doctor --live"].get(name, ()), f"{name} is {kind.__name__}"
    return done.code, found["live"]


def endpoint(found, address, place="host"):
    vantage, = [v for v in found["vantages"] if v["from"] == place]
    matching = [e for e in vantage["endpoints"] if e["address"] == address]
    return matching[0] if matching else None


def broken(found):
    """{(place, address): rule} of what is broken."""
    return {(c["from"], c["address"]): c["rule"] for c in found["causes"] if c["broken"]}


# ---- A real Kafka

class Broken(Kafka):
    """Beside its good listener, which is the tests' own way in, one for each mistake."""

    def __init__(self, folder, other):
        super().__init__()
        self.ports = {name: free_port() for name in ("NAME", "MOVED", "SASL", "TLS", "FOREIGN", "WEB", "BAD", "HOST")}
        self.closed, self.web = free_port(), Web()
        keys = folder / "keys.p12"
        subprocess.run(["keytool", "-genkeypair", "-alias", "b", "-keyalg", "RSA", "-dname", "CN=localhost", "-ext",
                        "san=ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", keys, "-storepass", "secret"],
                       check=True, capture_output=True)
        self.authority = folder / "ca.pem"
        found = subprocess.run(["openssl", "pkcs12", "-in", keys, "-nokeys", "-passin", "pass:secret"], check=True,
                               capture_output=True).stdout
        self.authority.write_bytes(found)
        controller = re.search(r"CONTROLLER://127.0.0.1:(\d+)", (self.dir / "server.properties").read_text())[1]
        self.controller = f"127.0.0.1:{controller}"
        told = {"NAME": "broker:19092", "MOVED": f"localhost:{self.closed}", "SASL": self.at("SASL"),
                "TLS": self.at("TLS"), "FOREIGN": other.address, "WEB": self.web.address, "BAD": "256.1.1.1:9092",
                "HOST": f"host.invalid:{self.ports['HOST']}"}
        listeners = [f"{name}://127.0.0.1:{port}" for name, port in self.ports.items()]
        with open(self.dir / "server.properties", "a") as config:  # what comes later wins
            config.write(f"""
node.id=7
controller.quorum.voters=7@{self.controller}
listeners=CONTROLLER://{self.controller},PLAINTEXT://{self.address},{",".join(listeners)}
advertised.listeners=PLAINTEXT://{self.address},{",".join(f"{name}://{at}" for name, at in told.items())}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,NAME:PLAINTEXT,MOVED:PLAINTEXT,\
SASL:SASL_PLAINTEXT,TLS:SSL,FOREIGN:PLAINTEXT,WEB:PLAINTEXT,BAD:PLAINTEXT,HOST:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
username="u" password="p" user_u="p";
ssl.keystore.location={keys}
ssl.keystore.password=secret
ssl.keystore.type=PKCS12
""")
        subprocess.run(["rm", "-rf", self.dir / "data"], check=True)
        self._java("kafka.tools.StorageTool", "format", "-t", "QnJva2VuQnJva2VuQnJvaw", "-c")

    def at(self, name):
        return f"127.0.0.1:{self.ports[name]}"

    def close(self):
        super().close()
        self.web.close()


@pytest.fixture(scope="module")
def wrong(tmp_path_factory, kafka):
    found = Broken(tmp_path_factory.mktemp("wrong"), kafka).start()
    yield found
    found.close()


def test_good(program, kafka):
    code, found = live(program, kafka.address)
    at = endpoint(found, kafka.address)
    assert (code, found["causes"], at["ok"], at["works"], at["answered_by"], at["node"]) == (0, [], True, True, 1, 1)
    assert list(at["steps"]) == ["resolve", "connect", "api_versions", "metadata", "identity"]
    assert all(0 <= ms < 5000 for ms in at["steps"].values())
    assert at["advertised"] == [{"node": 1, "address": kafka.address}]
    assert at["cluster"] == "MDAwMDAwMDAwMDAwMDAwMA"


def test_by_table(program, kafka):
    done = program.run("doctor", "--live", kafka.address, env=NO_DOCKER)
    assert done.code == 0
    assert re.search(rf"^{kafka.address} +ok \d+ ms$", done.out, re.M)
    assert f"from the host: {kafka.address} works" in done.out
    assert "from this machine only: the Docker engine at /nonexistent cannot be asked" in done.err


# (listener asked, the address at fault or None for itself, its failure, rule, words of the symptom, of the cause)
MISTAKES = [
    ("NAME", "broker:19092", "unresolved", "HOST-NAME-ONLY", "Failed to resolve 'broker:19092'", "only containers know"),
    ("MOVED", "localhost:{closed}", "refused", "PORT-MISMATCH", "Connect to ipv4#127.0.0.1:{closed} failed: Connection refused",
     "clients are told to come back to localhost:{closed}"),
    ("BAD", "256.1.1.1:9092", "unresolved", "HOST-NAME-ONLY", "Failed to resolve", ""),
    ("HOST", "host.invalid:", "unresolved", "HOST-NAME-ONLY", "Failed to resolve", ""),
    ("SASL", None, "sasl", "PROTO-MISMATCH", "Disconnected", "log in"),
    ("TLS", None, "tls", "PROTO-MISMATCH", "SSL handshake failed", "TLS"),
    ("WEB", "{web.address}", "http", None, None, "web server"),
]


@pytest.mark.parametrize("name, at_fault, failure, rule, symptom, cause", MISTAKES, ids=lambda v: v if str(v).isupper() else "")
def test_mistakes(program, wrong, name, at_fault, failure, rule, symptom, cause):
    code, found = live(program, wrong.at(name))
    at_fault = (at_fault or wrong.at(name)).format(**vars(wrong))
    told, = [c for c in found["causes"] if c["address"].startswith(at_fault)]
    assert (code, told["broken"], told["rule"], told["from"]) == (1, True, rule, "host")
    assert endpoint(found, told["address"])["failure"] == failure
    assert (symptom or "").format(**vars(wrong)) in (told["symptom"] or "")
    assert cause.format(**vars(wrong)) in told["cause"] and told["fix"]
    assert not endpoint(found, wrong.at(name))["works"]


@pytest.mark.parametrize("command", [["consume", "gender"], ["produce", "gender"], ["run", "gender", "--port", "0"],
                                     ["dashboard", "gender", "--port", "0"]], ids=lambda c: c[0])
def test_other_commands_say_where_they_are_sent(program, wrong, command):
    """The bootstrap address answers; what it tells its clients does not: said once, and soon."""
    for topic in ("sex", "result"):
        if not wrong.partitions(topic):
            wrong.create_topic(topic)
    running = program.start(*command, "-b", wrong.at("MOVED"))
    running.wait_for(f"localhost:{wrong.closed}.*clients are told to come back to localhost:{wrong.closed}", timeout=15)
    assert running.stop()[1] < 5
    assert running.err.count("clients are told") == 1, running.err


def test_names_mechanisms(program, wrong):
    _, found = live(program, wrong.at("SASL"))
    assert endpoint(found, wrong.at("SASL"))["reason"] == "the listener wants SASL (PLAIN)"


def test_other_cluster(program, wrong, kafka):
    code, found = live(program, wrong.at("FOREIGN"))
    assert code == 1 and endpoint(found, kafka.address)["ok"]
    told, = found["causes"]
    assert told["broken"] and f"another cluster answers at {kafka.address}" in told["cause"]


def test_controller(program, wrong):
    code, found = live(program, wrong.controller)
    assert code == 1 and endpoint(found, wrong.controller)["failure"] == "controller"


def test_several(program, wrong):
    """One that works changes nothing for another that works nowhere."""
    code, found = live(program, f"{wrong.address},{wrong.at('NAME')}", wrong.at("MOVED"))
    assert code == 1 and found["bootstrap"] == [wrong.address, wrong.at("NAME"), wrong.at("MOVED")]
    assert set(broken(found)) == {("host", "broker:19092"), ("host", f"localhost:{wrong.closed}")}
    assert endpoint(found, wrong.address)["answered_by"] == 7


SASL = ["-X", "security.protocol=sasl_plaintext", "-X", "sasl.mechanism=PLAIN", "-X", "sasl.username=u", "-X"]


@pytest.mark.parametrize("name, settings, code, failure", [
    ("TLS", ["-X", "security.protocol=ssl", "-X", "ssl.ca.location={authority}"], 0, None),
    ("TLS", ["-X", "security.protocol=ssl"], 1, "client"),
    ("SASL", [*SASL, "sasl.password=p"], 0, None),
    ("SASL", [*SASL, "sasl.password=x"], 1, "client"),
    ("TLS", [*SASL, "sasl.password=p"], 1, "tls"),
    ("NAME", ["-X", "security.protocol=ssl", "-X", "ssl.ca.location={authority}"], 1, "plaintext"),
])
def test_settings(program, wrong, name, settings, code, failure):
    got, found = live(program, wrong.at(name), *[s.format(**vars(wrong)) for s in settings])
    assert (got, endpoint(found, wrong.at(name))["failure"]) == (code, failure)
    if failure == "plaintext":
        assert "Invalid receive (size = 369295617" in found["causes"][0]["cause"]


def test_round_trip(program, wrong):
    code, found = live(program, "--round-trip", wrong.address)
    trip = found["vantages"][0]["round_trip"]
    assert code == 0 and trip["ok"] and trip["address"] == wrong.address and trip["produce"] > 0 and trip["consume"] > 0
    until(lambda: not wrong.partitions("tally-doctor-probe"), SOON)


# ---- What is not Kafka

class Server:
    """Does `serve` with each connection; `listens`: it accepts them."""

    def __init__(self, serve, backlog=16, host="127.0.0.1"):
        self.socket = socket.create_server((host, 0), backlog=backlog)
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.serve, self.open = serve, []
        if serve:
            threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            try:
                client = self.socket.accept()[0]
            except OSError:
                return
            self.open.append(client)
            threading.Thread(target=self.one, args=(client,), daemon=True).start()

    def one(self, client):
        try:
            self.serve(client)
        except (OSError, struct.error):
            pass

    def close(self):
        self.socket.close()
        for each in self.open:
            each.close()


def read_lines(client):
    got = b""
    while b"\r\n\r\n" not in got:
        part = client.recv(1000)
        if not part:
            return False
        got += part
    return True


def http(client):
    if read_lines(client):
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def answering(data):
    def serve(client):
        client.recv(1000)
        client.sendall(data)
        client.close()
    return serve


class Web(Server):
    def __init__(self):
        super().__init__(http)


def closing(client):
    client.close()


def silent(client):
    time.sleep(60)


def drop(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


STRANGERS = [
    ("http", http, "http"), ("http at once", answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "http"),
    ("tls", answering(b"\x15\x03\x03\x00\x02\x02\x50"), "tls"), ("closed", closing, "closed"), ("reset", drop, "closed"),
    ("silent", silent, "silent"), ("ssh", answering(b"SSH-2.0-OpenSSH_9.2\r\n"), "not-kafka"),
    ("half an answer", answering(b"\0\0\0\x20\0\0"), "not-kafka"), ("too long", answering(b"\x7f\xff\xff\xff" * 4), "not-kafka"),
    ("another answer", answering(b"\0\0\0\x06\0\0\0\0\0\0"), "not-kafka"), ("control bytes", answering(b"\x1b[2J" * 9), "not-kafka"),
]


@pytest.mark.parametrize("serve, failure", [row[1:] for row in STRANGERS], ids=[row[0] for row in STRANGERS])
def test_strangers(program, serve, failure):
    server = Server(serve)
    code, found = live(program, server.address)
    server.close()
    assert (code, endpoint(found, server.address)["failure"]) == (1, failure)
    assert found["causes"][0]["broken"] and "\x1b" not in json.dumps(found, ensure_ascii=False)


def test_a_reset_that_is_faster_than_we(program):
    """Some of these come before the connection is looked at; they are no missing route."""
    server = Server(drop)
    found = [live(program, server.address, seconds=SOON) for _ in range(40)]
    server.close()
    assert {(code, endpoint(told, server.address)["failure"]) for code, told in found} == {(1, "closed")}


def test_nothing_answers(program):
    """A full backlog, where the kernel drops what comes; a closed port; no such name. All of it in time."""
    full = Server(None, backlog=0)
    filling = []
    for _ in range(8):
        filling.append(socket.socket())
        filling[-1].setblocking(False)
        filling[-1].connect_ex(full.socket.getsockname())
    time.sleep(0.2)
    closed = f"127.0.0.1:{free_port()}"
    code, found = live(program, full.address, closed, "no-such-host.invalid:9092")
    for each in filling:
        each.close()
    full.close()
    failures = [e["failure"] for e in found["vantages"][0]["endpoints"]]
    assert failures == ["timeout", "refused", "unresolved"] and code == 4
    assert len(broken(found)) == 3


@pytest.mark.parametrize("args, words", [(["nonsense"], "'nonsense' is no address"), (["h:99999"], "HOST:PORT is needed"),
                                         (["--from", "x"], "--from needs an address"), (["a:1", ":9092"], "no address")])
def test_usage(program, args, words):
    code, err = live(program, *args)
    assert code == 2 and words in err


@pytest.mark.parametrize("sig, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(program, sig, code):
    server = Server(silent)
    running = program.start("doctor", "--live", server.address, env=NO_DOCKER)
    until(lambda: server.open, SOON)
    time.sleep(0.3)
    began = time.monotonic()
    assert running.stop(sig)[0] == code and time.monotonic() - began < 2.5  # else what is left of 3 s (PROBE_WAIT_MS)
    server.close()


# ---- Brokers that tell what no real one alone can be made to tell

class Played(Server):
    """Answers as node `me`; its metadata has `nodes`: {id: address}."""

    def __init__(self, me, nodes, cluster="C", versions=((3, 0, 13), (18, 0, 4), (32, 1, 4)), **options):
        super().__init__(self.talk, **options)
        self.me, self.nodes, self.cluster, self.versions = me, nodes, cluster, versions

    def talk(self, client):
        while head := client.recv(4, socket.MSG_WAITALL):
            request = client.recv(struct.unpack(">i", head)[0], socket.MSG_WAITALL)
            api, version, correlation = struct.unpack(">hhi", request[:8])
            body = {18: self.of_versions, 3: self.of_metadata, 32: self.of_configs}[api](request)
            client.sendall(struct.pack(">ii", len(body) + 4, correlation) + body)

    def of_versions(self, _):
        return struct.pack(">hi", 0, len(self.versions)) + b"".join(struct.pack(">hhh", *v) for v in self.versions)

    def of_metadata(self, _):
        body = struct.pack(">ii", 0, len(self.nodes))
        for node, address in self.nodes.items():
            host, port = address.rsplit(":", 1)
            body += struct.pack(">ih", node, len(host)) + host.encode() + struct.pack(">ih", int(port), -1)
        return body + struct.pack(">h", len(self.cluster)) + self.cluster.encode() + struct.pack(">ii", 1, 0)

    def of_configs(self, request):
        asked = [int(name) for name in re.findall(rb"\x04\x00.(\d+)\x00\x00\x00\x01", request)]
        body = struct.pack(">ii", 0, len(asked))
        for node in asked:
            name = str(node).encode()
            body += struct.pack(">hhbh", 0 if node == self.me else 42, -1, 4, len(name)) + name + struct.pack(">i", 0)
        return body


def test_crossed(program):
    """Two brokers, each where the other says it is."""
    one, two = Played(1, {}), Played(2, {})
    one.nodes = two.nodes = {1: two.address, 2: one.address}
    code, found = live(program, one.address)
    assert code == 1 and set(broken(found).values()) == {"CROSSED"} and len(broken(found)) == 2
    assert "is advertised by node 1, and node 2 answers there" in found["causes"][0]["cause"]
    done = program.run("doctor", "--live", one.address, env=NO_DOCKER)
    assert re.search(rf"{two.address} +node 2, not 1", done.out) and "Timed out waiting for a node assignment" in done.out
    one.close()
    two.close()


def test_twice(program):
    one = Played(1, {})
    one.nodes = {1: one.address, 2: one.address}
    code, found = live(program, one.address)
    assert code == 1 and broken(found) == {("host", one.address): "ADV-DUP"}
    one.close()


def test_from_another_machine(program):
    """It asks by an address of the broker's machine, and is sent to its own localhost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        route.connect(("192.0.2.1", 9))  # sends nothing
        own = route.getsockname()[0]
    one = Played(1, {}, host="0.0.0.0")
    port = one.address.rsplit(":", 1)[1]
    closed = f"localhost:{free_port()}"
    one.nodes = {1: closed}
    code, found = live(program, f"{own}:{port}")
    told, = found["causes"]
    assert code == 1 and told["address"] == closed and "works on the broker's machine only" in told["cause"]
    assert f"advertise {own}:{port}" in told["fix"]
    one.close()


def test_follows_all(program):
    """A cluster of which one broker cannot be reached, and one that is reached by the second step only."""
    far, near = Played(3, {}), Played(1, {})
    lost = f"127.0.0.1:{free_port()}"
    near.nodes = far.nodes = {1: near.address, 2: lost, 3: far.address}
    code, found = live(program, near.address)
    assert code == 1 and list(broken(found)) == [("host", lost)]
    assert endpoint(found, far.address)["answered_by"] == 3 and endpoint(found, lost)["node"] == 2
    near.close()
    far.close()


@pytest.mark.parametrize("versions, identity", [(((3, 0, 1), (18, 0, 0)), False), (((3, 1, 5), (18, 0, 2), (32, 0, 0)), True)])
def test_old_brokers(program, versions, identity):
    class Old(Played):
        def of_metadata(self, request):
            whole = super().of_metadata(request)
            version = struct.unpack(">h", request[2:4])[0]
            body = whole if version >= 3 else whole[4:]
            return body if version >= 2 else body[:-len(self.cluster) - 10] + struct.pack(">ii", 1, 0)
    old = Old(1, {}, versions=versions)
    old.nodes = {1: old.address}
    code, found = live(program, old.address)
    assert code == 0 and endpoint(found, old.address)["answered_by"] == (1 if identity else None)
    old.close()


def test_last_line(program, wrong):
    done = program.run("doctor", "--live", wrong.at("MOVED"), env=NO_DOCKER)
    assert done.code == 1 and done.err.splitlines()[-1].endswith("1 thing is broken")


def test_too_many(program):
    one = Played(1, {i: f"127.0.0.1:{1 + i}" for i in range(257)})
    code, found = live(program, one.address)
    assert code == 1 and endpoint(found, one.address)["failure"] == "not-kafka"
    one.close()


def test_many(program):
    """A cluster of more addresses than are looked at."""
    one = Played(1, {})
    one.nodes = {1: one.address, **{i: f"127.0.0.1:{1 + i}" for i in range(2, 200)}}
    code, found = live(program, one.address)
    assert code == 1 and len(found["vantages"][0]["endpoints"]) == 64
    one.close()


# ---- In Docker: what ports and networks make wrong

def default(broker, own):
    return {"KAFKA_NODE_ID": "1", "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:29093",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,HOST:PLAINTEXT,IN:PLAINTEXT",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER", "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_HEAP_OPTS": "-Xmx256m -XX:TieredStopAtLevel=1", **own}


class Room:
    """Brokers in two networks, one whose settings are right, and others."""

    BOTH = "CONTROLLER://:29093,HOST://:9092,IN://:19092"

    def __init__(self, folder):
        assert run("docker", "image", "inspect", "tally/kafka").code == 0 or run("docker/cluster", "build").code == 0
        self.prefix = f"dl-{os.urandom(3).hex()}"
        self.names, self.networks, self.client = [], [], None
        self.file = folder / "compose.yaml"
        self.one, self.two = self.network("a"), self.network("b")
        host = {name: free_port() for name in ("good", "moved", "bound", "swap", "k1", "k2")}
        self.host = {name: f"localhost:{port}" for name, port in host.items()}
        self.closed = free_port()
        self.broker("good", self.one, host["good"], self.both("good"))
        only = {"KAFKA_LISTENERS": "CONTROLLER://:29093,HOST://:9092", "KAFKA_INTER_BROKER_LISTENER_NAME": "HOST",
                "KAFKA_ADVERTISED_LISTENERS": f"HOST://localhost:{self.closed}"}
        self.file.write_text(f"services:\n  moved:\n    environment:\n      {list(only)[2]}: {only[list(only)[2]]}\n")
        self.broker("moved", self.two, host["moved"], only, "--label", f"com.docker.compose.project.config_files={self.file}")
        bound = self.both("bound")
        bound["KAFKA_LISTENERS"] = bound["KAFKA_LISTENERS"].replace("HOST://", "HOST://127.0.0.1")
        self.broker("bound", self.one, host["bound"], bound)
        if ALL:
            self.more(host)
        self.client = f"{self.prefix}-client"  # somebody whom it matters to that a broker is reached there
        docker("run", "-d", "--init", "--name", self.client, "--network", self.two, "--entrypoint", "sleep", "tally/kafka",
               "3600")
        for name in self.names:
            until(lambda n=name: "Kafka Server started" in run("docker", "logs", n).err, 120, name, every=0.3)

    def more(self, host):
        # What is published is the listener for containers.
        swap = {**self.both("swap"), "KAFKA_LISTENERS": "CONTROLLER://:29093,HOST://:19092,IN://:9092"}
        swap["KAFKA_ADVERTISED_LISTENERS"] = swap["KAFKA_ADVERTISED_LISTENERS"].replace(":19092", ":9092")
        self.broker("swap", self.one, host["swap"], swap)
        # The published ports of these two are exchanged.
        self.three = self.network("c")
        voters = {"KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@{self.prefix}-k1:29093"}
        self.broker("k1", self.three, host["k2"], {**self.both("k1"), **voters})
        self.broker("k2", self.three, host["k1"], {**self.both("k2"), **voters, "KAFKA_NODE_ID": "2",
                                                 "KAFKA_PROCESS_ROLES": "broker",
                                                 "KAFKA_LISTENERS": "HOST://:9092,IN://:19092"})

    def both(self, name):
        return {"KAFKA_LISTENERS": self.BOTH, "KAFKA_INTER_BROKER_LISTENER_NAME": "IN",
                "KAFKA_ADVERTISED_LISTENERS": f"HOST://{self.host[name]},IN://{self.prefix}-{name}:19092"}

    def network(self, name):
        self.networks.append(f"{self.prefix}-{name}")
        docker("network", "create", self.networks[-1])
        return self.networks[-1]

    def broker(self, name, network, port, own, *options):
        name = f"{self.prefix}-{name}"
        self.names.append(name)
        docker("run", "-d", "--init", "--name", name, "--hostname", name, "--network", network, "--memory", "700m",
               "--publish", f"127.0.0.1:{port}:9092", *options, *[f"--env={k}={v}" for k, v in default(name, own).items()],
               "tally/kafka")

    def inside(self, name, port):
        return f"{self.prefix}-{name}:{port}"

    def end(self):
        run("docker", "rm", "-f", "-v", *self.names, *filter(None, [self.client]))
        for name in self.networks:
            run("docker", "network", "rm", name)


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    made = None
    try:
        made = Room(tmp_path_factory.mktemp("room"))
        yield made
    finally:
        if made:
            made.end()


def left_over():
    """What a probe has made and not removed."""
    return "".join(docker(*command, "-q", "--filter", "label=tally.doctor") for command in (["ps", "-a"], ["images"]))


def pause(name):
    """The kernel does not always freeze a busy JVM at once."""
    until(lambda: run("docker", "pause", name).code == 0, SOON, f"{name} paused", every=0.5)


@pytest.fixture
def nothing_left():
    yield
    until(lambda: not left_over(), SOON, "what the probe made is gone")


def in_docker(program, *args):
    return live(program, *args, env={}, seconds=IN_DOCKER)


@pytest.mark.cluster
def test_docker_good(program, room, nothing_left):
    code, found = in_docker(program, "--round-trip", room.host["good"])
    assert [v["from"] for v in found["vantages"]] == ["host", room.one]
    assert not [v for v in found["vantages"] if v["error"]]
    inside = room.inside("good", 19092)
    assert endpoint(found, inside, room.one)["works"] and endpoint(found, room.host["good"])["works"]
    assert not endpoint(found, room.inside("good", 9092), room.one)["works"]  # it sends to the host's address
    note, = [c for c in found["causes"] if c["address"] == room.host["good"]]
    assert not note["broken"] and note["fix"] == f"from there {inside} works"
    trips = [v["round_trip"] for v in found["vantages"]]
    assert all(trip["ok"] for trip in trips) and trips[1]["address"] in (inside, room.inside("bound", 19092))
    assert code == 0


@pytest.mark.cluster
def test_docker_moved(program, room, nothing_left):
    """A remapped port, and containers that are sent to their own localhost."""
    code, found = in_docker(program, room.host["moved"])
    address = f"localhost:{room.closed}"
    assert code == 1 and broken(found)["host", address] == "PORT-MISMATCH"
    assert broken(found)[room.two, address] == "LOCAL-INTERNAL"
    assert {c["line"] for c in found["causes"] if c["address"] == address} == {f"{room.file}:4"}


@pytest.mark.cluster
def test_docker_alone(program, room, nothing_left):
    """Where nobody but the broker is in its network, containers that are sent to localhost are worth a note."""
    docker("network", "disconnect", room.two, room.client)
    try:
        _, found = in_docker(program, room.host["moved"])
    finally:
        docker("network", "connect", room.two, room.client)
    told, = [c for c in found["causes"] if c["from"] == room.two]
    assert told["rule"] == "LOCAL-INTERNAL" and not told["broken"]


@pytest.mark.cluster
def test_docker_bound(program, room, nothing_left):
    code, found = in_docker(program, room.host["bound"])
    assert code == 1 and broken(found) == {("host", room.host["bound"]): "BIND-LOCALHOST"}
    told, = [c for c in found["causes"] if c["broken"]]
    assert told["symptom"] == "Disconnected while requesting ApiVersion"
    assert endpoint(found, room.inside("bound", 9092), room.one)["failure"] == "refused"
    assert endpoint(found, room.inside("bound", 19092), room.one)["works"]


@only_all
@pytest.mark.cluster
def test_docker_crossed(program, room, nothing_left):
    code, found = in_docker(program, room.host["k1"], room.host["k2"])
    assert code == 1
    assert {at: rule for (place, at), rule in broken(found).items() if place == "host"} == \
        {room.host["k1"]: "CROSSED", room.host["k2"]: "CROSSED"}
    assert endpoint(found, room.host["k1"])["node"] == 1 and endpoint(found, room.host["k1"])["answered_by"] == 2
    assert endpoint(found, room.inside("k1", 19092), room.three)["works"]


@only_all
@pytest.mark.cluster
def test_docker_other_listener(program, room, nothing_left):
    code, found = in_docker(program, room.host["swap"])
    address = room.inside("swap", 9092)
    assert code == 1 and broken(found) == {("host", address): "CROSSED"}
    told, = [c for c in found["causes"] if c["broken"]]
    assert "leads to another listener" in told["cause"] and room.host["swap"] in told["fix"]
    assert endpoint(found, address, room.one)["works"]


@only_all
@pytest.mark.cluster
def test_docker_all(program, room, nothing_left):
    """Without an address: every broker in Docker, whoever's, each judged by itself."""
    code, found = in_docker(program)
    assert code == 1 and found["bootstrap"] == []
    assert {"host", room.one, room.two} <= {v["from"] for v in found["vantages"]}
    wrong = {(place, at) for place, at in broken(found) if place in ("host", room.one, room.two)}
    assert ("host", room.host["good"]) not in wrong and ("host", room.host["bound"]) in wrong
    assert {("host", f"localhost:{room.closed}"), (room.two, f"localhost:{room.closed}")} <= wrong
    done = program.run("doctor", "--live", env={}, timeout=60)
    assert re.search(rf"^{room.inside('good', 19092)} +- +(- +)*ok \d+ ms", done.out, re.M)


@pytest.mark.cluster
@pytest.mark.parametrize("sig, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_docker_interrupted(program, room, nothing_left, sig, code):
    """Nothing is left behind, whenever it comes."""
    name = room.inside("good", 0)[:-2]
    pause(name)
    try:
        running = program.start("doctor", "--live", room.host["good"], env={})
        until(lambda: run("docker", "ps", "-q", "--filter", "label=tally.doctor").out.strip(), SOON, "the probe's container")
        assert running.stop(sig)[0] == code
    finally:
        docker("unpause", name)


@only_all
@pytest.mark.cluster
def test_docker_killed(program, room):
    """What it had no time to remove ends by itself, and the next run removes it, once it is no one's any more."""
    name = room.inside("good", 0)[:-2]
    pause(name)
    try:
        running = program.start("doctor", "--live", room.host["good"], env={})
        until(lambda: run("docker", "ps", "-q", "--filter", "label=tally.doctor").out.strip(), SOON, "the probe's container")
        running.stop(signal.SIGKILL)
    finally:
        docker("unpause", name)
    until(lambda: not run("docker", "ps", "-q", "--filter", "label=tally.doctor").out.strip(), SOON, "its end")
    assert left_over()
    until(lambda: in_docker(program, room.host["good"]) and not left_over(), 150, "the removal of what is a minute old", every=5)


@pytest.mark.cluster
def test_docker_limits_what_runs(program, room, nothing_left):
    """Its container: not root, nothing to write, no capabilities."""
    name = room.inside("good", 0)[:-2]
    pause(name)
    try:
        running = program.start("doctor", "--live", room.host["good"], env={})
        made = until(lambda: run("docker", "ps", "-q", "--filter", "label=tally.doctor").out.strip(), SOON, "the container")
        found = json.loads(run("docker", "inspect", made).out)[0]
        running.wait(30)
    finally:
        docker("unpause", name)
    host = found["HostConfig"]
    assert found["Config"]["User"] == "65534:65534" and host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"] and host["NetworkMode"] == room.one and not host["Binds"]


@pytest.mark.parametrize("host", ["tcp://127.0.0.1:1", "nonsense"])
def test_an_engine_elsewhere(program, kafka, host):
    """Which one is not asked is said, and the rest is done."""
    done = program.run("doctor", "--live", kafka.address, env={"DOCKER_HOST": host})
    assert done.code == 0 and f"it is '{host}', and only a unix:// address is asked" in done.err, done


def test_no_engine(program, tmp_path, kafka):
    """An engine that tells of containers and takes nothing: the rest is said all the same."""
    engine = Engine(tmp_path / "docker.sock", kafka.port, "127.0.0.1", name="broker")
    code, found = live(program, kafka.address, env={"DOCKER_HOST": f"unix://{tmp_path / 'docker.sock'}"})
    engine.close()
    assert code == 0 and endpoint(found, kafka.address)["works"]
