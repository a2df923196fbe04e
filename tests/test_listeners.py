"""The doctor's rules against real brokers in containers: what it says of a compose file happens when that is started, and
once its correction is started clients get exactly as far as its table says (other machines are not played).

In a row 5500n stands for a free port of this machine, 192.0.2.10 for its address. Rows run side by side: most of their
time is Java's start."""

import json
import os
import re
import subprocess
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from tests.cluster import docker, run
from tests.kafka_server import free_port
from tests.program import Program, until
from tests.test_cluster import ALL, compose

pytestmark = pytest.mark.cluster

AT_ONCE = 5
PATIENCE = 180  # seconds: two cores, some JVMs side by side, and other work beside them
ATTEMPT = 6  # seconds for one message; librdkafka asks again every second

# ---- Compose files

ENVIRONMENT = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@broker:29093",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_LISTENERS": "CONTROLLER://:29093,HOST://:55001,PLAINTEXT://:19092",
    "KAFKA_ADVERTISED_LISTENERS": "HOST://localhost:55001,PLAINTEXT://broker:19092",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,HOST:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_HEAP_OPTS": "-Xmx256m -XX:TieredStopAtLevel=1",  # it starts sooner
}
BOUND, MAP = ENVIRONMENT["KAFKA_LISTENERS"], ENVIRONMENT["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]
SIX = {"net.ipv6.conf.all.disable_ipv6": 0}  # Docker before 26 gives a container no ::1


def kafka(*changes, **more):
    """A service: the variables above with changes (None: without), and keys beside them."""
    names = {}
    for change in changes:
        names.update({"KAFKA_" + name: value for name, value in change.items()})
    names = {name: value for name, value in {**ENVIRONMENT, **names}.items() if value is not None}
    service = {"image": "tally/kafka", "ports": ["55001:55001"], "environment": names, **more}
    return {key: value for key, value in service.items() if value is not None}


def broker(*changes, **more):
    return {"broker": kafka(*changes, **more)}


def listeners(bound, told, **more):
    return {"LISTENERS": bound, "ADVERTISED_LISTENERS": told, **more}


def single(bound, told, **more):
    """One listener beside the controller's."""
    return listeners(f"CONTROLLER://:29093,PLAINTEXT://{bound}", f"PLAINTEXT://{told}", INTER_BROKER_LISTENER_NAME=None,
                     LISTENER_SECURITY_PROTOCOL_MAP=None, **more)


def client(address, **more):
    return {"image": "tally/tally", "entrypoint": ["sleep", "infinity"], "init": True,
            "environment": {"KAFKA_BOOTSTRAP_SERVERS": address}, **more}


def pair(one, two, **more):
    """Two nodes of one cluster, `one` and `two`, each by its changes and keys."""
    cluster = {"CONTROLLER_QUORUM_VOTERS": "1@one:29093,2@two:29093", "NUM_PARTITIONS": "2",
               "DEFAULT_REPLICATION_FACTOR": "2"}
    return {"one": kafka(cluster, one, ports=one.pop("ports", ["55001:55001"])),
            "two": kafka(cluster, {"NODE_ID": "2"}, two, ports=two.pop("ports", ["55002:55002"])), **more}


# ---- Rows

# It ends, and its log has it: Kafka's own words, which the doctor quotes.
Start = namedtuple("Start", "rule says services quick fixed", defaults=[False, "ok"])
IMAGE = "KAFKA_ADVERTISED_LISTENERS is not set"
NO_ROLES = 'Missing required configuration "process.roles" which has no default value'
STARTS = {
    "PARSE advertised": Start("PARSE", r"Unable to parse \S+ to a broker endpoint",
                              broker({"ADVERTISED_LISTENERS": "localhost:55001"}), True),
    "PARSE no port": Start("PARSE", r"Unable to parse \S+ to a broker endpoint",
                           broker({"ADVERTISED_LISTENERS": "PLAINTEXT://broker"}), fixed=None),
    "PARSE quotes": Start("PARSE", r'No security protocol defined for listener "PLAINTEXT',
                          broker({"LISTENERS": '"PLAINTEXT://:19092,CONTROLLER://:29093"'})),
    "PARSE port bound": Start("PARSE", r"port out of range:99999",
                              broker(single(":99999", "broker:19092")), fixed=None),
    "NAME-DUP": Start("NAME-DUP", r"Each listener must have a different name",
                      broker({"LISTENERS": "CONTROLLER://:29093,PLAINTEXT://:19092,plaintext://:55001"})),
    "PORT-DUP": Start("PORT-DUP", r"Each listener must have a different port",
                      broker({"LISTENERS": "CONTROLLER://:29093,PLAINTEXT://:55001,HOST://:55001"})),
    "PORT-DUP IPv4 and IPv6, all addresses": Start(
        "PORT-DUP", r"Address already in use", broker({
            "LISTENERS": "CONTROLLER://:29093,PLAINTEXT://:19092,HOST://0.0.0.0:55001,SIX://[::]:55001",
            "LISTENER_SECURITY_PROTOCOL_MAP": f"{MAP},SIX:PLAINTEXT"}, sysctls=SIX)),
    "ADV-NOT-SUBSET": Start("ADV-NOT-SUBSET", r"must be equal to or a subset of the ones defined in listeners",
                            broker({"LISTENERS": "CONTROLLER://:29093,PLAINTEXT://:19092"})),
    "ADV-WILDCARD": Start("ADV-WILDCARD", r"cannot use the nonroutable meta-address 0\.0\.0\.0",
                          broker({"ADVERTISED_LISTENERS": "HOST://0.0.0.0:55001,PLAINTEXT://broker:19092"})),
    "BIND-FOREIGN address": Start("BIND-FOREIGN", r"Cannot assign requested address",
                                  broker(single("192.0.2.10:55001", "192.0.2.10:55001")), fixed="suspicious"),
    "BIND-FOREIGN service": Start("BIND-FOREIGN", r"Cannot assign requested address",
                                  {**broker(single("app:55001", "localhost:55001")), "app": client("broker:19092")}),
    "MAP-MISSING": Start("MAP-MISSING", r"No security protocol defined for listener HOST",
                         broker({"LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"})),
    "MAP-MISSING controller": Start("MAP-MISSING", r"No security protocol defined for listener CONTROLLER|"
                                    r"Controller listener with name CONTROLLER defined in \S+ not found in listener",
                                    broker({"LISTENER_SECURITY_PROTOCOL_MAP": "HOST:PLAINTEXT,PLAINTEXT:PLAINTEXT"})),
    "MAP-BADPROTO": Start("MAP-BADPROTO", r"Invalid security protocol",
                          broker({"LISTENER_SECURITY_PROTOCOL_MAP":
                                  "CONTROLLER:PLAINTEXT,HOST:PLAIN,PLAINTEXT:PLAINTEXT"})),
    "MAP-BADPROTO no colon": Start("MAP-BADPROTO", r"Error parsing configuration property 'listener.security.protocol.map'",
                                   broker({"LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT"})),
    "IBL-UNKNOWN default": Start("IBL-UNKNOWN",
                                 r"inter.broker.listener.name must be a listener name defined in advertised.listeners",
                                 broker(listeners("CONTROLLER://:29093,HOST://:55001,INTERNAL://:19092",
                                                  "HOST://localhost:55001,INTERNAL://broker:19092",
                                                  LISTENER_SECURITY_PROTOCOL_MAP="CONTROLLER:PLAINTEXT,HOST:PLAINTEXT,"
                                                                                 "INTERNAL:PLAINTEXT",
                                                  INTER_BROKER_LISTENER_NAME=None))),
    "IBL-UNKNOWN name": Start("IBL-UNKNOWN", r"inter.broker.listener.name not found in listener.security.protocol.map",
                              broker({"INTER_BROKER_LISTENER_NAME": "INTERNAL"})),
    "IBL-BOTH": Start("IBL-BOTH", r"Only one of inter.broker.listener.name and security.inter.broker.protocol should",
                      broker({"SECURITY_INTER_BROKER_PROTOCOL": "PLAINTEXT"})),
    "ROLES": Start("ROLES", r"Invalid value BROKER for configuration process.roles",
                   broker({"PROCESS_ROLES": "BROKER,CONTROLLER"})),
    "CTRL-MISSING names": Start("CTRL-MISSING", r"controller.listener.names must contain at least one value",
                                broker({"CONTROLLER_LISTENER_NAMES": None})),
    "CTRL-MISSING listener": Start("CTRL-MISSING", r"must contain at least one value appearing in the 'listeners'",
                                   broker({"LISTENERS": "HOST://:55001,PLAINTEXT://:19092"})),
    "CTRL-MISSING letters": Start("CTRL-MISSING", r"must contain at least one value appearing in the 'listeners'",
                                  broker({"CONTROLLER_LISTENER_NAMES": "controller"})),
    "CTRL-MISSING a broker has it": Start("CTRL-MISSING", r"must not contain a value appearing in the 'listeners'", {
        **broker({"PROCESS_ROLES": "broker", "CONTROLLER_QUORUM_VOTERS": "2@other:29093"}),
        "other": kafka(listeners("CONTROLLER://:29093", "CONTROLLER://other:29093", NODE_ID="2", PROCESS_ROLES="controller",
                                 CONTROLLER_QUORUM_VOTERS="2@other:29093", INTER_BROKER_LISTENER_NAME=None), ports=None)}),
    "CTRL-MISSING a controller has more": Start("CTRL-MISSING", r"must only contain KRaft controller listeners|"
                                                r"The listeners config must only contain",
                                                broker({"PROCESS_ROLES": "controller",
                                                        "ADVERTISED_LISTENERS": "CONTROLLER://broker:29093"})),
    "VOTERS id": Start("VOTERS", r"the node id 1 must be included in the set of voters",
                       broker({"CONTROLLER_QUORUM_VOTERS": "2@broker:29093"}), True),
    "VOTERS name": Start("VOTERS", r"UnknownHostException: kafak",
                         broker({"CONTROLLER_QUORUM_VOTERS": "1@kafak:29093"})),
    "VOTERS port": Start("VOTERS", r"Received a fatal error while waiting for the controller to acknowledge",
                         broker({"CONTROLLER_QUORUM_VOTERS": "1@broker:29094",
                                 "INITIAL_BROKER_REGISTRATION_TIMEOUT_MS": "9000"})),
    "VOTERS none": Start("VOTERS", r"controller.quorum.voters must contain a parseable set of",
                         broker({"CONTROLLER_QUORUM_VOTERS": None})),
    "VOTERS form": Start("VOTERS", r"Each entry should be in the form `\{id\}@\{host\}:\{port\}`",
                         broker({"CONTROLLER_QUORUM_VOTERS": "broker:29093"})),
    "VOTERS wildcard": Start("VOTERS", r"0\.0\.0\.0\) is not routeable",
                             broker({"CONTROLLER_QUORUM_VOTERS": "1@0.0.0.0:29093"})),
    "VOTERS no id": Start("VOTERS", r'Missing required configuration "node.id" which has no default value',
                          broker({"NODE_ID": None})),
    "VOTERS two ids": Start("VOTERS", r"You must set `node.id` to the same value as `broker.id`",
                            broker({"BROKER_ID": "7"})),
    "WRONG-STYLE": Start("WRONG-STYLE", IMAGE, {"broker": {
        "image": "tally/kafka", "ports": ["55001:55001"], "environment": {
            name.replace("KAFKA_", "KAFKA_CFG_"): value for name, value in ENVIRONMENT.items()}}}),
    "WRONG-STYLE some": Start("WRONG-STYLE", NO_ROLES,
                              broker({"PROCESS_ROLES": None, "CFG_PROCESS_ROLES": "broker,controller"})),
    "IMG-REQUIRED": Start("IMG-REQUIRED", IMAGE, broker({"ADVERTISED_LISTENERS": None})),
    "IMG-REQUIRED one variable": Start("IMG-REQUIRED", NO_ROLES, {"broker": {
        "image": "tally/kafka", "ports": ["55001:55001"], "environment": {
            "KAFKA_BROKER_ID": "3", "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://localhost:55001"}}}),
    "IMG-REQUIRED roles": Start("IMG-REQUIRED|ROLES", NO_ROLES, broker({"PROCESS_ROLES": None})),
    "ZK-LATEST": Start("ZK-LATEST", NO_ROLES, {"broker": {
        "image": "tally/kafka", "ports": ["55001:55001"], "environment": {
            "KAFKA_BROKER_ID": "1", "KAFKA_ZOOKEEPER_CONNECT": "zookeeper:2181",
            "KAFKA_LISTENERS": "PLAINTEXT://:55001",
            "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://localhost:55001"}}}),
}

# It starts, and clients fail: [(from the host "" or from a service, bootstrap address, what the client says)].
Reach = namedtuple("Reach", "rule sees services networks options quick fixed logs", defaults=[None, (), False, "ok", ()])
RESOLVE, REFUSED = r"Failed to resolve '{}'", r"Connect to \S*127\.0\.0\.1:{} failed: Connection refused"
REACHES = {
    "LOCAL-INTERNAL": Reach("LOCAL-INTERNAL", [("app", "broker:55001", REFUSED.format("55001"))],
                            {**broker(single(":55001", "localhost:55001")), "app": client("broker:55001")}, quick=True),
    "IBL-LOCALHOST": Reach("IBL-LOCALHOST", [],
                           pair(single(":55001", "localhost:55001", REPLICA_LAG_TIME_MAX_MS="2000"),
                                single(":55002", "localhost:55002", REPLICA_LAG_TIME_MAX_MS="2000")),
                           logs=[("one", r"Connection to node 2 \(localhost/127.0.0.1:55002\) could not be established")]),
    "PORT-MISMATCH": Reach("PORT-MISMATCH", [("", "localhost:55002", REFUSED.format("55001"))],
                           broker(ports=["55002:55001"])),
    "CROSSED": Reach("CROSSED", [("", "localhost:55001", RESOLVE.format("broker:19092"))],
                     broker(ports=["55001:19092"])),
    "UNRESOLVABLE": Reach("UNRESOLVABLE", [("", "localhost:55001", RESOLVE.format("kafak:55001"))],
                          broker(single(":55001", "kafak:55001"))),
    "CLIENT-PORT": Reach("CLIENT-PORT", [("app", "broker:55002", r"Connect to \S+:55002 failed: Connection refused")],
                         {**broker(single(":19092", "broker:19092"), ports=["55002:19092"]),
                          "app": client("broker:55002")}),
    "CLIENT-LOCALHOST": Reach("CLIENT-LOCALHOST", [("app", "localhost:55001", REFUSED.format("55001"))],
                              {**broker(), "app": client("localhost:55001")}),
    "NET-SPLIT": Reach("NET-SPLIT", [("app", "broker:19092", RESOLVE.format("broker:19092"))],
                       {**broker(networks=["back"]), "app": client("broker:19092", networks=["front"])},
                       {"back": {}, "front": {}}),
    "BIND-LOCALHOST": Reach("BIND-LOCALHOST", [("", "localhost:55001", r"Disconnected while requesting ApiVersion")],
                            broker(single("localhost:55001", "localhost:55001"))),
    "ADV-DUP": Reach("ADV-DUP", [], pair(
        listeners(BOUND, "HOST://localhost:55001,PLAINTEXT://one:19092"),
        listeners(BOUND, "HOST://localhost:55001,PLAINTEXT://two:19092",
                  ports=["55002:55001"]))),
    "ADV-DUP not published": Reach("ADV-DUP", [], pair(
        listeners(BOUND, "HOST://localhost:55001,PLAINTEXT://one:19092"),
        listeners(BOUND, "HOST://localhost:55001,PLAINTEXT://two:19092", ports=None))),
    "PROTO-MISMATCH": Reach("PROTO-MISMATCH", [("app", "broker:19092", r"SSL handshake failed|Disconnected")],
                            {**broker(), "app": client("broker:19092", environment={
                                "KAFKA_BOOTSTRAP_SERVERS": "broker:19092", "KAFKA_SECURITY_PROTOCOL": "SSL"})},
                            options=["-X", "security.protocol=ssl"],
                            logs=[("broker", r"Invalid receive \(size = 369295617")]),
    "PORT-NOT-PUBLISHED": Reach("PORT-NOT-PUBLISHED", [("", "localhost:55001", REFUSED.format("55001"))],
                                broker(ports=None)),
    "HOST-NAME-ONLY": Reach("HOST-NAME-ONLY", [("", "localhost:55001", RESOLVE.format("broker:55001"))],
                            broker(single(":55001", "broker:55001"))),
    "NO-ADV": Reach("NO-ADV", [("", "localhost:55001", r"Failed to resolve '[0-9a-f]{12}:55001'")],
                    broker(single(":55001", ":55001"))),
    "EPHEMERAL": Reach("EPHEMERAL", [("", "localhost:55001", REFUSED.format("55001"))], broker(ports=["55001"])),
}

# Nothing is wrong with it, and it works.
Good = namedtuple("Good", "services networks quick", defaults=[None, False])
GOOD = {
    "the image's own style": Good(broker()),
    "a controller's listener advertised": Good(broker({
        "ADVERTISED_LISTENERS": "HOST://localhost:55001,PLAINTEXT://broker:19092,CONTROLLER://broker:29093"})),
    "one port advertised twice": Good(broker(listeners("CONTROLLER://:29093,HOST://:19092,PLAINTEXT://:55001",
                                                        "HOST://localhost:55001,PLAINTEXT://broker:55001"),
                                              ports=["55001:19092"]), quick=True),
    "a container's name": Good({**broker(listeners(
        BOUND, "HOST://localhost:55001,PLAINTEXT://dr-the-broker:19092"),
        container_name="dr-the-broker"), "app": client("dr-the-broker:19092")}),
    "an alias": Good({**broker(listeners(
        BOUND, "HOST://localhost:55001,PLAINTEXT://kafka.local:19092"),
        networks={"back": {"aliases": ["kafka.local"]}}),
        "app": client("kafka.local:19092", networks=["back"])}, {"back": {}}),
    "a hostname": Good({**broker(listeners(
        BOUND, "HOST://localhost:55001,PLAINTEXT://kafka1:19092",
        CONTROLLER_QUORUM_VOTERS="1@kafka1:29093"), hostname="kafka1"), "app": client("kafka1:19092")}),
    "IPv4 and IPv6 on one port": Good(broker({
        "LISTENERS": f"{BOUND},FOUR://127.0.0.1:39092,SIX://[::1]:39092", "LISTENER_SECURITY_PROTOCOL_MAP":
        f"{MAP},FOUR:PLAINTEXT,SIX:PLAINTEXT"}, sysctls=SIX)),
    "blanks after commas": Good(broker({
        "LISTENERS": "CONTROLLER://:29093, HOST://:55001, PLAINTEXT://:19092",
        "ADVERTISED_LISTENERS": "HOST://localhost:55001, PLAINTEXT://broker:19092",
        "LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT, HOST:PLAINTEXT, PLAINTEXT:PLAINTEXT"})),
    "small letters": Good(broker({
        "LISTENERS": "CONTROLLER://:29093,host://:55001,plaintext://:19092",
        "ADVERTISED_LISTENERS": "host://localhost:55001,plaintext://broker:19092",
        "LISTENER_SECURITY_PROTOCOL_MAP": "controller:plaintext,host:plaintext,plaintext:plaintext",
        "INTER_BROKER_LISTENER_NAME": "PLAINTEXT"})),
    "two networks": Good({**broker(networks=["back", "front"]), "app": client("broker:19092", networks=["front"]),
                          "job": client("broker:19092", networks=["back"])}, {"back": {}, "front": {}}),
    "the host's network": Good(broker(listeners(
        "CONTROLLER://localhost:55003,PLAINTEXT://:55001", "PLAINTEXT://localhost:55001",
        CONTROLLER_QUORUM_VOTERS="1@localhost:55003",
        LISTENER_SECURITY_PROTOCOL_MAP=None), network_mode="host", ports=None)),
    "two brokers": Good({**pair(
        listeners(BOUND, "HOST://localhost:55001,PLAINTEXT://one:19092"),
        listeners("CONTROLLER://:29093,HOST://:55002,PLAINTEXT://:19092", "HOST://localhost:55002,PLAINTEXT://two:19092")),
        "app": client("one:19092,two:19092")}),
}


# ---- A file, started

def here(text, ports):
    """With this machine's free ports in place of 5500n, and an address of it, which containers reach, too."""
    if "192.0.2.10" in text:
        own = [each for each in run("hostname", "-I").out.split() if re.match(r"(?!172\.)[\d.]+$", each)]
        text = text.replace("192.0.2.10", own[0])
    return re.sub(r"\b5500\d\b", lambda found: str(ports.setdefault(found[0], free_port())), text)


def wrongs(log):
    return [line for line in log.splitlines() if " INFO " not in line and re.search("Exception|ERROR|kafka:", line)][:9]


class Project:
    """What a compose file starts, on networks of its own."""

    def __init__(self, path):
        self.path, self.name = path, f"dr-{os.urandom(3).hex()}"
        self.visitors = []

    def compose(self, *words):
        return run(*compose(), "-p", self.name, "-f", self.path, *words, timeout=PATIENCE)

    def __enter__(self):
        try:
            done = self.compose("up", "-d", "--no-build")
            assert done.code == 0, done
            rows = docker("ps", "-a", "--filter", f"label=com.docker.compose.project={self.name}", "--format",
                          '{{.Label "com.docker.compose.service"}} {{.ID}}').splitlines()
            self.containers = dict(row.split() for row in rows)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.visitors:
            run("docker", "rm", "-f", *self.visitors)
        self.compose("down", "-v", "-t", "0")

    def log(self, service):
        done = run("docker", "logs", self.containers[service])
        return done.out + done.err

    def state(self, service):
        return docker("inspect", "-f", "{{.State.Status}}", self.containers[service]).strip()

    def started(self, services):
        def all_are():
            for service in services:
                assert self.state(service) == "running", wrongs(self.log(service))
            return all("Kafka Server started" in self.log(service) for service in services)
        until(all_are, PATIENCE, f"{services} of {self.name}", every=0.3)

    def ended(self, service):
        until(lambda: self.state(service) == "exited", PATIENCE, f"the end of {service}", every=0.3)
        return self.log(service)

    def visitor(self, network):
        """A container on a network of the file that is nobody's own."""
        name = f"{self.name}-at-{network}"
        if name not in self.visitors:
            self.visitors.append(name)
            docker("run", "-d", "--init", "--name", name, "--network", f"{self.name}_{network}", "--entrypoint", "sleep",
                   "tally/tally", "infinity")
        return name

    def kcat(self, place, address, *words, stdin=""):
        """place: "" for this machine, or a container."""
        command = ["docker", "exec", "-i", place] if place else []
        command += ["timeout", str(ATTEMPT * 3), "kcat", "-b", address, "-X", f"message.timeout.ms={ATTEMPT * 1000}",
                    "-X", "reconnect.backoff.max.ms=500", *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def passes(self, place, address, options=()):
        """(records went to all partitions and came back by that address, what the client said)"""
        topic, records = f"t{os.urandom(4).hex()}", [f"{number}\n" for number in range(10, 30)]
        code, _, told = self.kcat(place, address, "-P", "-t", topic, "-X", "sticky.partitioning.linger.ms=0", *options,
                                  stdin="".join(records))
        if code == 0:
            code, out, more = self.kcat(place, address, "-C", "-t", topic, "-o", "beginning", "-e", "-c",
                                        str(len(records)), *options)
            return code == 0 and sorted(out.splitlines(True)) == records, told + more
        return False, told


def diagnosed(path, *options):
    """What the doctor says of it, one file's answer."""
    done = Program().run("doctor", "--json", *options, path)
    assert done.out, done
    return json.loads(done.out)["files"][0]


def written(folder, row, ports):
    file = {"services": row.services, "networks": getattr(row, "networks", None) or {}}
    text = yaml.safe_dump({key: value for key, value in file.items() if value}, sort_keys=False, width=1000)
    path = folder / "compose.yaml"
    path.write_text(here(text, ports))
    return path


def quoted(rule, finding):
    """All that the doctor says of it, in one line."""
    explained = Program().run("doctor", "--explain", rule).out
    return " ".join(f"{finding['message']} {explained}".split())


def addresses(place, answer, services):
    """All that a client at a place may try: published ports, or the listeners that are not the controllers'."""
    found = set()
    for each in answer["brokers"]:
        service = services[each["service"]]
        if place == "the host":
            on_host = service.get("network_mode") == "host"
            found |= {f"localhost:{port['port']}" for port in each["advertised"] if on_host}
            found |= {f"localhost:{str(port).split(':')[0]}" for port in service.get("ports", []) if ":" in str(port)}
        else:
            found |= {f"{each['service']}:{port['port']}" for port in each["listeners"]
                      if port["name"].upper() != "CONTROLLER"}
    return found


def table_holds(project, path):
    """Each cell of the doctor's table: where it says that an address works it does, and elsewhere none does."""
    answer, services = diagnosed(path), yaml.safe_load(path.read_text())["services"]
    wrong = []
    for vantage in answer["vantages"]:
        place = vantage["from"]
        if place == "other machines":
            continue
        network = re.match(r"a container on `(.*)`", place)
        at = project.visitor(network[1]) if network else ""
        for address in sorted(addresses(place, answer, services) | set(vantage["bootstrap"])):
            if address in vantage["bootstrap"]:
                try:
                    until(lambda: project.passes(at, address)[0], 60, address, every=0.2)
                except TimeoutError:
                    wrong.append((place, address, "does not work", project.passes(at, address)[1]))
            elif project.passes(at, address)[0]:
                wrong.append((place, address, "works", vantage["failure"]))
    assert not wrong, wrong
    return answer


# ---- What becomes of each row

def verify_start(folder, row):
    ports = {}
    path = written(folder, row, ports)
    found = [f for f in diagnosed(path)["findings"] if re.fullmatch(row.rule, f["rule"])]
    assert found and found[0]["severity"] == "error", found
    with Project(path) as project:
        log = project.ended("broker")
    assert re.search(row.says, log), wrongs(log)
    assert any(re.search(row.says, quoted(f["rule"], f)) for f in found), found
    correct(path, row)


def fails(project, place, address, says, options):
    told = []

    def as_predicted():
        worked, more = project.passes(place, address, options)
        told.append(more)
        assert not worked, address
        return re.search(says, more)
    try:
        until(as_predicted, 60, says, every=0.2)
    except TimeoutError:
        raise AssertionError((address, says, told)) from None


def verify_reach(folder, row):
    ports = {}
    path = written(folder, row, ports)
    answer = diagnosed(path)
    found = {f["rule"]: f["severity"] for f in answer["findings"]}
    assert row.rule in found and answer["verdict"] != "ok", answer["findings"]
    with Project(path) as project:
        project.started([each["service"] for each in answer["brokers"]])
        for place, address, says in row.sees:
            address, says = here(address, ports), here(says, ports)
            fails(project, project.containers[place] if place else "", address, says, row.options)
        table_holds(project, path)
        for service, says in row.logs:
            until(lambda: re.search(here(says, ports), project.log(service)), 60, f"{says} in {service}'s log",
                  every=0.3)
    correct(path, row)


def correct(path, row):
    """With the corrected file all is well; or there is none, and the doctor says that."""
    answer = diagnosed(path, "--fix")["corrected"]
    if row.fixed:
        assert answer["verdict"] == row.fixed, answer
        verify_good(path.parent / os.path.basename(answer["files"][0]), row.fixed)
    else:
        assert answer["verdict"] == "broken", answer


def verify_good(path, verdict="ok"):
    answer = diagnosed(path)
    assert answer["verdict"] == verdict, answer["findings"]
    with Project(path) as project:
        project.started([each["service"] for each in answer["brokers"]])
        table_holds(project, path)
        for name, service in yaml.safe_load(path.read_text())["services"].items():
            address = service.get("environment", {}).get("KAFKA_BOOTSTRAP_SERVERS")
            if address:
                until(lambda: project.passes(project.containers[name], address)[0], 60, f"{name} at {address}", every=0.2)


VERIFY = {"start": (STARTS, verify_start), "reach": (REACHES, verify_reach),
          "good": (GOOD, lambda folder, row: verify_good(written(folder, row, {})))}
SHOWN = [(kind, name) for kind, (rows, _) in VERIFY.items() for name, row in rows.items() if ALL or row.quick]


@pytest.fixture(scope="module")
def images():
    """They are there, or are built as the cluster builds them."""
    if any(run("docker", "image", "inspect", name).code for name in ("tally/kafka", "tally/tally")):
        assert run("docker/cluster", "build", env={"SPARK_IMAGE": "-"}).code == 0


@pytest.fixture(scope="module")
def outcomes(request, tmp_path_factory, images):
    """(kind, name) -> what came of it, all of those that are asked for side by side."""
    asked = [item.callspec.params for item in request.session.items if item.originalname == "test_as_the_doctor_says"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {(each["kind"], each["name"]): pool.submit(VERIFY[each["kind"]][1], tmp_path_factory.mktemp(each["kind"]),
                                                         VERIFY[each["kind"]][0][each["name"]]) for each in asked}


@pytest.mark.parametrize("kind, name", SHOWN, ids=[f"{kind}: {name}" for kind, name in SHOWN])
def test_as_the_doctor_says(outcomes, kind, name):
    outcomes[kind, name].result()
