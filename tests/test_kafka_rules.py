"""The doctor's start-up rules against Kafka's own: brokers in apache/kafka's style, each setting alone and some together
as people get them wrong. The doctor says that a broker refuses to start if and only if Kafka does, and of one wrong
setting in Kafka's words.

Kafka's part is its KafkaDockerWrapper, StorageTool and KafkaConfig, from the jars of the tests' own broker; what only
shows once it opens sockets and looks for others is in test_listeners.py. `configure` below is the image's script
(apache/kafka docker/resources/common-scripts/configure)."""

import json
import os
import random
import re
import subprocess

import pytest

from tests.kafka_server import JAVA, VERSION, jars
from tests.program import ROOT, Program, chosen

TOGETHER = 2000 if os.environ.get("TALLY_ALL") else 200

RIGHT = {
    "NODE_ID": "1",
    "PROCESS_ROLES": "broker,controller",
    "CONTROLLER_QUORUM_VOTERS": "1@k:9093",
    "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "LISTENERS": "PLAINTEXT://:9092,HOST://:29092,CONTROLLER://:9093",
    "ADVERTISED_LISTENERS": "PLAINTEXT://k:9092,HOST://localhost:29092",
    "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
}

OTHER = {  # None: not given
    "NODE_ID": [None, "", "2", "0", "-1", "abc", "1.0", " 1 ", "+1", "01", "99999999999"],
    "BROKER_ID": ["", "1", " 1", "2", "-1", "abc"],
    "PROCESS_ROLES": [None, "", "broker", "controller", "controller, broker", "Broker,controller", "broker,broker",
                      "broker,", ",controller", "broker,,controller", "broker;controller", "worker"],
    "CONTROLLER_QUORUM_VOTERS": [
        None, "", ",", "1@k:9093,", ",1@k:9093", "2@k:9093", "1@k", "k:9093", "x@k:9093", "@k:9093", "1@:9093",
        "1@k:abc", "1@k:70000", "1@1@k:9093", "1@k:9093 2@l:9093", "1@k:9093;2@k:9093", "1@k:9093, 2@k:9094",
        "1 @k:9093", "1@ k:9093", "1@0.0.0.0:9093", "1@CONTROLLER://k:9093", " 1@k:9093 "],
    "CONTROLLER_QUORUM_BOOTSTRAP_SERVERS": ["k:9093", ""],
    "CONTROLLER_LISTENER_NAMES": [None, "", "controller", "CTRL", "CONTROLLER,CTRL", "PLAINTEXT", "CONTROLLER, HOST",
                                  "CONTROLLER,", " CONTROLLER"],
    "LISTENERS": [
        None, "", "PLAINTEXT://:9092", "CONTROLLER://:9093", "PLAINTEXT://:9092,CONTROLLER://:9093",
        "PLAINTEXT://:9092, HOST://:29092, CONTROLLER://:9093,", "plaintext://:9092,host://:29092,controller://:9093",
        "PLAINTEXT://:9092,HOST://:9092,CONTROLLER://:9093", "PLAINTEXT://:9092,plaintext://:29092,CONTROLLER://:9093",
        "PLAINTEXT://0.0.0.0:9092,HOST://localhost:29092,CONTROLLER://k:9093", "PLAINTEXT://,CONTROLLER://:9093",
        "PLAINTEXT:9092,CONTROLLER:9093", ":9092,CONTROLLER://:9093", "PLAINTEXT:/:9092,CONTROLLER://:9093",
        "PLAINTEXT://:9092;CONTROLLER://:9093", "PLAINTEXT://:9092 CONTROLLER://:9093",
        "PLAINTEXT://:9092/,CONTROLLER://:9093",
        "\"PLAINTEXT://:9092,CONTROLLER://:9093\"", "'PLAINTEXT://:9092',CONTROLLER://:9093", "://:9092,CONTROLLER://:9093",
        "PLAINTEXT://:9092,OTHER://:9094,CONTROLLER://:9093", "PLAINTEXT://k:abc,CONTROLLER://:9093",
        "PLAINTEXT://127.0.0.1:9092,HOST://[::1]:9092,CONTROLLER://:9093",
        "PLAINTEXT://127.0.0.1:9092,HOST://127.0.0.2:9092,CONTROLLER://:9093"],
    "ADVERTISED_LISTENERS": [
        None, "", " ", ",", "PLAINTEXT://k:9092", "HOST://localhost:29092", "PLAINTEXT://k:9092, HOST://localhost:29092 ,",
        "plaintext://k:9092", "PLAINTEXT://k:9092,PLAINTEXT://localhost:29092", "PLAINTEXT://k:9092,HOST://localhost:9092",
        "PLAINTEXT://0.0.0.0:9092", "PLAINTEXT://:9092", "PLAINTEXT://[::1]:9092", "PLAINTEXT://my_kafka:9092",
        "PLAINTEXT://k:9092,CONTROLLER://k:9093", "CONTROLLER://k:9093", "PLAINTEXT://k:9092,OTHER://localhost:9094",
        "k:9092", "PLAINTEXT//k:9092", "PLAINTEXT:///k:9092", "PLAINTEXT://k", "PLAINTEXT://k:", "PLAINTEXT://k :9092",
        "PLAINTEXT://k:9092,http://localhost:29092", "SASL_PLAINTEXT://k:9092", "SSL://k:9092"],
    "LISTENER_SECURITY_PROTOCOL_MAP": [
        None, "", "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT", "HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "plaintext:plaintext,host:Plaintext,controller:PLAINTEXT",
        "PLAINTEXT:PLAINTEXT, HOST:PLAINTEXT, CONTROLLER:PLAINTEXT,",
        "PLAINTEXT:PLAINTEXT,HOST:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT", "PLAINTEXT:PLAINTEXT,HOST:SSL,CONTROLLER:PLAINTEXT",
        "PLAINTEXT:PLAIN,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT", "PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "PLAINTEXT:PLAINTEXT,,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        ",PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "PLAINTEXT:PLAINTEXT,plaintext:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT,:PLAINTEXT",
        "PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT,OTHER:PLAINTEXT,CTRL:PLAINTEXT",
        "PLAINTEXT : PLAINTEXT,HOST : PLAINTEXT,CONTROLLER : PLAINTEXT",
        "PLAINTEXT://PLAINTEXT,HOST:PLAINTEXT,CONTROLLER:PLAINTEXT"],
    "INTER_BROKER_LISTENER_NAME": ["", " PLAINTEXT", "plaintext", "HOST", "OTHER", "CONTROLLER"],
    "SECURITY_INTER_BROKER_PROTOCOL": ["PLAINTEXT", "plaintext", "SSL", "PLAIN", ""],
    "ZOOKEEPER_CONNECT": ["zk:2181", ""],
}


def environment(change):
    return {f"KAFKA_{name}": value for name, value in {**RIGHT, **change}.items() if value is not None}


def compose(number, variables):
    """As a map and as a list in turn."""
    image = f"services:\n  k:\n    image: apache/kafka:{VERSION}\n    environment:\n"
    if number % 2:
        return image + "".join(f"      - {json.dumps(f'{name}={value}')}\n" for name, value in variables.items())
    return image + "".join(f"      {name}: {json.dumps(value)}\n" for name, value in variables.items())


def configure(given):
    """What the image's script says, and the environment that it leaves to Kafka."""
    given = dict(given)
    told = given.get("KAFKA_ADVERTISED_LISTENERS", "")
    if given.get("KAFKA_PROCESS_ROLES") == "controller":
        if told:
            return "KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft controller.", given
        given.pop("KAFKA_ADVERTISED_LISTENERS", None)
    elif told and not given.get("KAFKA_LISTENERS"):
        given["KAFKA_LISTENERS"] = re.sub("://[^:]*:", "://0.0.0.0:", told)
    for pattern, name in [("SSL://", "KAFKA_SSL_KEYSTORE_FILENAME"), ("SASL_.*://", "KAFKA_OPTS")]:
        if re.search(pattern, told):
            return f"{name} environment variable not set", given
    return "", given


def kafka(environments, folder):
    """What stops each: the script's words, Kafka's, or none."""
    scripts = [configure(each) for each in environments]
    lines = "".join("\t".join(f"{name}={value}" for name, value in given.items()) + "\n" for _, given in scripts)
    done = subprocess.run([*JAVA, "-cp", f"{jars()}/*", ROOT / "tests/KafkaRules.java", folder], input=lines,
                          capture_output=True, text=True, timeout=300)
    says = done.stdout.split("\n")[:-1]
    assert done.returncode == 0 and len(says) == len(scripts), done.stderr
    return [script or word for (script, _), word in zip(scripts, says)]


def doctor(folder, files):
    """What it says of a start that is refused, for each file; what only sockets show (BIND-FOREIGN) Kafka is not asked."""
    result = Program(chosen(), cwd=folder).run("doctor", "--json", *files)
    return [[finding["message"] for finding in each["findings"]
             if "refuses to start" in finding["message"] and finding["rule"] != "BIND-FOREIGN"]
            for each in json.loads(result.out)["files"]]


def judged(folder, changes):
    """[(change, Kafka's words or "", the doctor's messages)]"""
    environments = [environment(change) for change in changes]
    files = [folder / f"{number}.yml" for number in range(len(changes))]
    for number, file in enumerate(files):
        file.write_text(compose(number, environments[number]))
    return list(zip(changes, kafka(environments, folder), doctor(folder, files), strict=True))


def quotes(message, says):
    words = re.search(r'"(.+)"', message)
    return bool(words) and words[1].rstrip(".") in says


def told_apart(rows):
    wrong = [row for row in rows if bool(row[1]) != bool(row[2])]
    assert not wrong, f"{len(wrong)} of {len(rows)}:\n" + "\n".join(map(repr, wrong[:20]))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return judged(tmp_path_factory.mktemp("alone"), [{name: value} for name, values in OTHER.items() for value in values])


def test_alone(alone):
    told_apart(alone)
    wrong = [row for row in alone if row[1] and not any(quotes(message, row[1]) for message in row[2])]
    assert not wrong, "\n".join(map(repr, wrong))


def test_together(alone, tmp_path):
    """Any of them, and as often only those that do no harm alone: they may do some together, but must not seem to."""
    harmless = {}
    for change, says, _ in alone:
        for name, value in change.items():
            harmless.setdefault(name, []).extend([] if says else [value])
    rng = random.Random(7)
    changes = [{name: rng.choice(values[name] or [RIGHT.get(name)])
                for name in rng.sample(sorted(values), rng.choice([2, 2, 3]))}
               for values in [OTHER, harmless] * TOGETHER]
    rows = judged(tmp_path, changes)
    told_apart(rows)
    refused = sum(bool(says) for _, says, _ in rows)
    assert min(refused, len(rows) - refused) > TOGETHER / 2  # enough of both
