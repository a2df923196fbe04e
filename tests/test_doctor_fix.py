"""`tally doctor --fix`: from what is wrong, in as many rounds as it takes, to what is ok, by the lines at fault alone."""

import difflib
import re

import pytest

from tests.program import BUILDS, Program
from tests.test_doctor import RULES

# What works for some, or as something outside the file is: whose address it is, only its owner knows.
OWNER = {"LAN-IP", "PUBLIC-IP", "CUSTOM-DNS", "HOST-DOCKER-INTERNAL", "CONFIG-FILE", "FRAGMENT"}

ZOOKEEPER = "      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181\n"
APP = "  app:\n    image: app\n    environment:\n      KAFKA_BROKERS: kafka:9092\n"
TWO_NAMES = "      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT\n"


def kafka(image, lines, name="kafka", more=""):
    return f"  {name}:\n    image: {image}   # the broker\n{more}    environment:\n{lines}"


def advertised(text):
    return f"      KAFKA_ADVERTISED_LISTENERS: {text}   # come back here\n"


def brokers(*ports):
    """All of them advertise the first one's port; the listeners are derived."""
    return "".join(kafka("confluentinc/cp-kafka:7.9.0", ZOOKEEPER + TWO_NAMES +
                         advertised(f"PLAINTEXT://kafka{i}:29092,HOST://localhost:9092"), f"kafka{i}",
                         f'    ports: ["{port}:9092"]\n' if port else "") for i, port in enumerate(ports, 1))


CP = "confluentinc/cp-kafka:7.9.0"
# name -> the services, and the lines that change: those that go, those that come
CASES = {
    "ADV-DUP: published, and not": (brokers(9092, 9093, None), """
-    ports: ["9093:9092"]
+    ports: ["9093:9093"]
-      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka2:29092,HOST://localhost:9092   # come back here
+      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka2:29092,HOST://localhost:9093   # come back here
-      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka3:29092,HOST://localhost:9092   # come back here
+      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka3:29092,HOST://localhost:9094   # come back here
+    ports:
+      - "9094:9094"
"""),
    "ZK-LATEST: a variable": (kafka("'reg.example:5000/confluentinc/cp-kafka:${TALLY_NO_TAG:-latest}'", ZOOKEEPER +
                                    advertised("PLAINTEXT://kafka:9092")), """
-    image: 'reg.example:5000/confluentinc/cp-kafka:${TALLY_NO_TAG:-latest}'   # the broker
+    image: 'reg.example:5000/confluentinc/cp-kafka:${TALLY_NO_TAG:-7.9.0}'   # the broker
"""),
    "ZK-LATEST: no tag": (kafka("${TALLY_NO_IMAGE-confluentinc/cp-server}", ZOOKEEPER + advertised("PLAINTEXT://kafka:9092")), """
-    image: ${TALLY_NO_IMAGE-confluentinc/cp-server}   # the broker
+    image: ${TALLY_NO_IMAGE-confluentinc/cp-server:7.9.0}   # the broker
"""),
    "ZK-LATEST: where Docker Hub has it": (kafka("docker.io/bitnami/kafka:${TALLY_NO_TAG:-4.0}",
                                                 "      - KAFKA_CFG_ZOOKEEPER_CONNECT=zookeeper:2181\n"), """
-    image: docker.io/bitnami/kafka:${TALLY_NO_TAG:-4.0}   # the broker
+    image: docker.io/bitnamilegacy/kafka:${TALLY_NO_TAG:-3.9.0}   # the broker
"""),
    "ZK-LATEST: apache": (kafka("apache/kafka", "      KAFKA_BROKER_ID: 5\n" + ZOOKEEPER + advertised("PLAINTEXT://kafka:9092")), """
-      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181
+      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER
+      KAFKA_CONTROLLER_QUORUM_VOTERS: "5@kafka:9093"
+      KAFKA_LISTENERS: PLAINTEXT://:9092,CONTROLLER://:9093
+      KAFKA_NODE_ID: "5"
+      KAFKA_PROCESS_ROLES: broker,controller
"""),
    "PROTO-MISMATCH: every address": (kafka(CP, ZOOKEEPER + advertised("PLAINTEXT://kafka:9092")) +
                                      APP.replace("kafka:9092", "SSL://kafka:9092, SSL://other:9092"), """
-      KAFKA_BROKERS: SSL://kafka:9092, SSL://other:9092
+      KAFKA_BROKERS: PLAINTEXT://kafka:9092, PLAINTEXT://other:9092
"""),
    "NET-SPLIT: a mapping": (kafka(CP, ZOOKEEPER + advertised("PLAINTEXT://kafka:9092"), more="    networks: [back]\n") +
                             APP + "    networks:\n      front:   # theirs\n        aliases: [app]\nnetworks: {back: {}, front: {}}\n", """
+      back:
"""),
    "NAME-DUP: in both lists": (kafka(CP, ZOOKEEPER + "      KAFKA_LISTENERS: PLAINTEXT://:9092,PLAINTEXT://:29092\n" +
                                      advertised("PLAINTEXT://localhost:9092,PLAINTEXT://kafka:29092"), more='    ports: ["9092:9092"]\n'), """
-      KAFKA_LISTENERS: PLAINTEXT://:9092,PLAINTEXT://:29092
-      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092,PLAINTEXT://kafka:29092   # come back here
+      KAFKA_LISTENERS: PLAINTEXT_HOST://:9092,PLAINTEXT://:29092
+      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT_HOST://localhost:9092,PLAINTEXT://kafka:29092   # come back here
+      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT_HOST:PLAINTEXT,PLAINTEXT:PLAINTEXT
"""),
    "PORT-DUP: derived": (kafka(CP, ZOOKEEPER + TWO_NAMES + advertised("PLAINTEXT://kafka:9092,HOST://localhost:9092"),
                                more='    ports:\n      - "9092:9092"\n') + APP, """
-      - "9092:9092"
+      - "9092:29092"
+      KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092,HOST://0.0.0.0:29092
"""),
    "LOCAL-INTERNAL: an image as it comes": ('  kafka:\n    image: apache/kafka\n    ports: ["9092:9092"]\n' + APP, """
-    ports: ["9092:9092"]
+    ports: ["9092:29092"]
+    environment:
+      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:9092
+      KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092,CONTROLLER://0.0.0.0:9093,PLAINTEXT_HOST://0.0.0.0:29092
+      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT
+      KAFKA_CONTROLLER_LISTENER_NAMES: CONTROLLER
+      KAFKA_CONTROLLER_QUORUM_VOTERS: "1@kafka:9093"
+      KAFKA_NODE_ID: "1"
+      KAFKA_PROCESS_ROLES: broker,controller
"""),
    "IMG-REQUIRED: a published listener": (kafka(CP, ZOOKEEPER, more='    ports: ["9092:9092"]\n'), """
-    ports: ["9092:9092"]
+    ports: ["9092:29092"]
+      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:9092
+      KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092,PLAINTEXT_HOST://0.0.0.0:29092
+      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT
"""),
    "UNSET-VAR: a host": (kafka(CP, ZOOKEEPER + advertised("PLAINTEXT://$TALLY_NO_HOST:9092"), more='    ports: ["9092:9092"]\n'), """
-      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://$TALLY_NO_HOST:9092   # come back here
+      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://${TALLY_NO_HOST:-localhost}:9092   # come back here
"""),
    "PLACEHOLDER: one of two": (kafka(CP, ZOOKEEPER + TWO_NAMES + advertised('"PLAINTEXT://kafka:29092, HOST://YOUR_IP:9092"'),
                                      more='    ports: ["9092:9092"]\n'), """
-      KAFKA_ADVERTISED_LISTENERS: "PLAINTEXT://kafka:29092, HOST://YOUR_IP:9092"   # come back here
+      KAFKA_ADVERTISED_LISTENERS: "PLAINTEXT://kafka:29092, HOST://localhost:9092"   # come back here
"""),
    "CLIENT-PORT: who knocks": (kafka(CP, ZOOKEEPER + advertised("PLAINTEXT://kafka:29092")) +
                                '  app:\n    image: app\n    command: sh -c "until nc -z kafka 9092; do sleep 1; done; app"\n', """
-    command: sh -c "until nc -z kafka 9092; do sleep 1; done; app"
+    command: sh -c "until nc -z kafka 29092; do sleep 1; done; app"
"""),
    "PORT-MISMATCH: bound to its own name": (kafka(CP, ZOOKEEPER + "      KAFKA_LISTENERS: PLAINTEXT://kafka:9092\n" +
                                                   advertised("PLAINTEXT://localhost:9092"), more='    ports: ["9092:9092"]\n'), """
-      KAFKA_LISTENERS: PLAINTEXT://kafka:9092
+      KAFKA_LISTENERS: PLAINTEXT://0.0.0.0:9092
"""),
}


@pytest.fixture(params=BUILDS)
def program(request, tmp_path):
    if not BUILDS[request.param].exists():
        pytest.skip("not built")
    return Program(BUILDS[request.param], cwd=tmp_path)


def fix(program, folder, text):
    """The corrected bytes; None: nothing was."""
    (folder / "compose.yml").write_bytes(text)
    (folder / "compose.fixed.yml").unlink(missing_ok=True)
    result = program.run("doctor", "--fix", "compose.yml")
    assert (folder / "compose.yml").read_bytes() == text
    fixed = folder / "compose.fixed.yml"
    return result, fixed.read_bytes() if fixed.exists() else None


def changes(old, new):
    return [line for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
            if line[:1] in "+-" and not line.startswith(("+++", "---"))]


@pytest.mark.parametrize("style", ["unix", "windows"])
@pytest.mark.parametrize("case", CASES)
def test_fix(program, tmp_path, case, style):
    """The one right correction, in two styles of file; a second time there is nothing to correct."""
    services, wanted = CASES[case]
    text = f"# ours\nservices:\n{services}"
    old = text.encode() if style == "unix" else b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
    (tmp_path / "compose.yml").write_bytes(old)
    assert f"[{case.split(':')[0]}]" in program.run("doctor", "compose.yml").out
    result, new = fix(program, tmp_path, old)
    assert result.code == 0 and "written: ok" in result.err, result
    if style == "windows":
        assert new.startswith(b"\xef\xbb\xbf# ours\r\n") and new.count(b"\n") == new.count(b"\r\n")
        new = new[3:].replace(b"\r\n", b"\n")
    found = changes(text, new.decode())
    assert sorted(found) == sorted(wanted.strip("\n").splitlines()), "\n".join(found)
    assert program.run("doctor", "--strict", "compose.fixed.yml").code == 0
    result, again = fix(program, tmp_path, new)
    assert again is None and "nothing that could be corrected" in result.err, result


@pytest.mark.parametrize("rule", RULES)
def test_every_example(program, tmp_path, rule):
    """It is ok afterwards, or it is the owner's to say, and then it stays as it is."""
    out = program.run("doctor", "--explain", rule).out
    text = re.sub(r"^  ", "", re.search(r"\nwrong\n(.*)\n\nright\n", out, re.S)[1], flags=re.M)
    result, fixed = fix(program, tmp_path, text.encode() + b"\n")
    if rule in OWNER or rule == "LEGACY":
        assert fixed is None, result
    else:
        assert result.code == 0 and "written: ok" in result.err, result
        assert program.run("doctor", "--strict", "compose.fixed.yml").code == 0
