"""What `tally doctor` says of compose files: text, exit codes, --json, --fix, --diff, --explain; and bad input."""

import json
import os
import re
import resource
import shutil
import stat
import subprocess

import pytest

from tests.cost import PROGRAM, callgrind, collected
from tests.kafka_server import free_port
from tests.program import BUILDS, ROOT, Program
from tests.test_json import check, documented

RULES = re.findall(r'\.id = "([A-Z-]+)"', (ROOT / "cluster/doctor/rules.c").read_text())
HOST = """\
services:
  kafka:
    image: confluentinc/cp-kafka:7.9.0   # the broker
    ports:
      - "9092:9092"
    environment:
      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092  # where clients come back
"""
APP = "  app:\n    image: app\n    environment:\n      - KAFKA_BOOTSTRAP_SERVERS=kafka:9092\n"
BROKEN = HOST + APP
LAN = HOST.replace("localhost:9092", "192.168.1.10:9092")
NONE = "services:\n  web:\n    image: nginx\n"


@pytest.fixture(params=BUILDS)
def program(request, tmp_path):
    if not BUILDS[request.param].exists():
        pytest.skip("not built")
    return Program(BUILDS[request.param], cwd=tmp_path)


def write(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yml", ".yml").replace("dot_", ".")
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def found(program, *args, code=None):
    result = program.run("doctor", "--json", *args)
    assert code is None or result.code == code, result
    return json.loads(result.out)["files"]


# ---- Verdicts

@pytest.mark.parametrize("text, options, code, verdict", [
    (HOST, [], 0, "ok"), (HOST, ["--strict"], 0, "ok"), (LAN, [], 0, "suspicious"), (LAN, ["--strict"], 1, "suspicious"),
    (BROKEN, [], 1, "broken"), (BROKEN, ["--strict"], 1, "broken"), (NONE, [], 3, None), ("a: [", [], 3, None),
    ("", [], 3, None), ("just text", [], 3, None), ("- 1\n- 2\n", [], 3, None)])
def test_verdict(program, tmp_path, text, options, code, verdict):
    write(tmp_path, compose_yml=text)
    result = program.run("doctor", *options, "compose.yml")
    assert result.code == code, result
    assert result.out.startswith(f"compose.yml: {verdict}\n") if verdict else result.out == ""
    assert code == 0 or "compose.yml" in result.err and result.err.count("\n") == 1
    told = program.run("doctor", "--json", *options, "compose.yml")
    assert told.code == code and json.loads(told.out)["files"][0]["verdict"] == verdict


def test_text(program, tmp_path):
    write(tmp_path, compose_yml=BROKEN)
    out = program.run("doctor", "compose.yml").out.splitlines()
    assert out[1].startswith("compose.yml:8:35: error: `app` connects to kafka:9092 (KAFKA_BOOTSTRAP_SERVERS), and the listener")
    assert out[1].endswith("[LOCAL-INTERNAL]") and out[2].startswith("    fix: advertise PLAINTEXT://kafka:9092,")
    assert '    -      - "9092:9092"' in out and '    +      - "9092:29092"' in out
    assert out[-4:-2] == ["bootstrap address", "  from the host                  localhost:9092"]
    assert out[-1].startswith("  from other machines            the broker advertises localhost:9092")


@pytest.mark.parametrize("columns", [80, 40])
def test_on_a_terminal(tmp_path, columns):
    """No line of words is longer than that is wide; those of the file are as they are."""
    write(tmp_path, compose_yml=BROKEN)
    script = f"stty cols {columns}; exec {BUILDS['build']} doctor compose.yml"
    out = subprocess.run(["script", "-qec", script, "/dev/null"], cwd=tmp_path, capture_output=True, text=True,
                         env={**os.environ, "NO_COLOR": "1"}, stdin=subprocess.DEVNULL).stdout.replace("\r", "")
    words = [line for line in out.splitlines() if not re.match(r" {4}[-+] ", line)]
    assert not [line for line in words if len(line) > columns and " " in line.strip()], out
    at = out.index("from other machines")
    assert len(out[at:out.index("\ntally:")].splitlines()) <= 5, out


def test_json_is_documented(program, tmp_path):
    write(tmp_path, a_yml=BROKEN, b_yml=NONE, c_yml=HOST, d_yml=LAN.replace("9092:9092\"", "9092\""))
    wanted = {n: kinds for n, kinds in documented()["doctor"].items() if not n.startswith("live")}
    wanted |= {n.replace("files[].findings", "files[].corrected.findings"): kinds for n, kinds in wanted.items()}
    result = program.run("doctor", "--json", "--fix", "a.yml", "b.yml", "c.yml", "d.yml")
    assert result.code == 3 or result.code == 1
    check(result.out.splitlines(), wanted)
    a, b, c, _ = json.loads(result.out)["files"]
    assert [f["rule"] for f in a["findings"]] == ["LOCAL-INTERNAL"] and "\n+" in a["findings"][0]["fix"]
    assert (a["findings"][0]["line"], a["findings"][0]["column"]) == (8, 35)
    assert "has no Kafka broker" in b["error"] and c["findings"] == [] and a["corrected"]["verdict"] == "ok"


# ---- Which files

def test_the_folders_own(program, tmp_path):
    write(tmp_path, docker_compose_yml=BROKEN)
    (tmp_path / "docker_compose.yml").rename(tmp_path / "docker-compose.yml")
    (tmp_path / "in/side").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "in/side"):
        assert program.run("doctor", cwd=folder).code == 1
    (tmp_path / "docker-compose.override.yml").write_text(
        "services:\n  kafka:\n    environment:\n      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092\n    ports: !reset []\n")
    assert program.run("doctor").code == 0
    (tmp_path / "docker-compose.override.yml").unlink()
    (tmp_path / "compose.yaml").write_text(LAN)
    assert program.run("doctor").out.splitlines()[0].endswith("compose.yaml: suspicious")


def test_none_in_the_folder(program, tmp_path):
    result = program.run("doctor")
    assert result.code == 3 and "compose" in result.err


def test_merge_and_several(program, tmp_path):
    write(tmp_path, a_yml=HOST, b_yml="services:\n" + APP, dot_other="H=kafka\n",
          v_yml=BROKEN.replace("localhost:9092", "${H:-localhost}:9092"))
    assert program.run("doctor", "-f", "a.yml", "-f", "b.yml").code == 1
    assert [f["verdict"] for f in found(program, "a.yml", "b.yml", code=3)] == ["ok", None]
    assert program.run("doctor", "a.yml", "-f", "b.yml").code == 2
    assert program.run("doctor", "v.yml").code == 1
    assert program.run("doctor", "v.yml", "--env-file", ".other").code == 0
    assert program.run("doctor", "v.yml", "--env-file", "none").code == 3


# ---- Corrections

STYLES = {
    "map": BROKEN, "crlf": BROKEN.replace("\n", "\r\n"), "bom": "\ufeff" + BROKEN,
    "list": re.sub(r"      (KAFKA_[A-Z_]+): ", r"      - \1=", BROKEN).replace("  # where clients come back", ""),
    "anchor": BROKEN.replace("    image: app", "    image: app\n    <<: &more\n      restart: always"),
    "env_file": BROKEN.replace("    environment:\n      - ", "    env_file: [app.env]\n    environment:\n      - "),
}


@pytest.mark.parametrize("style", STYLES)
def test_fix(program, tmp_path, style):
    text = STYLES[style].encode()
    write(tmp_path, compose_yml=text)
    (tmp_path / "app.env").write_text("A=1\n")
    (tmp_path / "compose.yml").chmod(0o640)
    diff = program.run("doctor", "--diff", "compose.yml")
    result = program.run("doctor", "--fix", "compose.yml")
    fixed = tmp_path / "compose.fixed.yml"
    assert (diff.code, result.code) == (0, 0) and "compose.fixed.yml: written: ok" in result.err
    assert stat.S_IMODE(fixed.stat().st_mode) == 0o640 and (tmp_path / "compose.yml").read_bytes() == text
    assert program.run("doctor", "--strict", "compose.fixed.yml").code == 0
    old, new = text.splitlines(keepends=True), fixed.read_bytes().splitlines(keepends=True)
    assert style != "crlf" or all(line.endswith(b"\r\n") for line in new)
    assert len(set(old) - set(new)) == 2 and [line for line in new if line in old] == [line for line in old if line in new]
    shutil.copy(tmp_path / "compose.yml", tmp_path / "patched.yml")
    subprocess.run(["patch", "--binary", "-s", "patched.yml"], input=diff.out.encode() if style != "crlf" else
                   program.run("doctor", "--diff", "compose.yml", text=False).out, cwd=tmp_path, check=True)
    assert (tmp_path / "patched.yml").read_bytes() == fixed.read_bytes()


def test_fix_elsewhere(program, tmp_path):
    """A link stays one, an old correction is replaced, a folder that takes no file is said."""
    write(tmp_path, real_yml=BROKEN)
    (tmp_path / "compose.yml").symlink_to("real.yml")
    (tmp_path / "compose.fixed.yml").write_text("old")
    assert program.run("doctor", "--fix", "compose.yml").code == 0
    assert (tmp_path / "real.yml").read_text() == BROKEN and (tmp_path / "compose.yml").is_symlink()
    assert "29092" in (tmp_path / "compose.fixed.yml").read_text()
    write(tmp_path, good_yml=HOST)
    result = program.run("doctor", "--fix", "good.yml")
    assert result.code == 0 and not (tmp_path / "good.fixed.yml").exists()
    (tmp_path / "dir.yml").write_text(BROKEN)
    (tmp_path / "dir.fixed.yml").mkdir()
    result = program.run("doctor", "--fix", "dir.yml")
    assert result.code == 1 and "dir.fixed.yml: cannot be written" in result.err
    assert not list(tmp_path.glob("dir.fixed.yml.*"))


FAULT = HOST.replace("localhost:9092", "0.0.0.0:9092")
FAULT_ENV = "KAFKA_ZOOKEEPER_CONNECT=zookeeper:2181\nKAFKA_ADVERTISED_LISTENERS=PLAINTEXT://0.0.0.0:9092\n"
FROM = HOST[:HOST.index("environment:")] + "%s\n"

# A file that names the one at fault, in each way; what names that one, too, is written anew. name -> (files, written)
NAMED = {
    "env_file": ({"compose.yml": FROM % 'env_file: "./kafka.env"  # ours', "kafka.env": FAULT_ENV},
                 ["compose.fixed.yml", "kafka.fixed.env"]),
    "env_file, a list": ({"compose.yml": FROM % "env_file: [a.env, {path: kafka.env}]", "a.env": "A=b\n",
                          "kafka.env": FAULT_ENV}, ["compose.fixed.yml", "kafka.fixed.env"]),
    "extends": ({"compose.yml": "services:\n  k:\n    extends: {file: in/base.yml, service: kafka}\n",
                 "in/base.yml": HOST.replace("7.9.0", "latest")},
                ["compose.fixed.yml", "in/base.fixed.yml"]),
    "include": ({"compose.yml": "include: [{path: ./in/base.yml}]\nservices: {}\n", "in/base.yml": FAULT},
                ["compose.fixed.yml", "in/base.fixed.yml"]),
    "include of an env_file's user": ({
        "compose.yml": "include:\n  - in/base.yml\nservices: {}\n", "in/base.yml": FROM % "env_file: kafka.env",
        "in/kafka.env": FAULT_ENV}, ["compose.fixed.yml", "in/base.fixed.yml", "in/kafka.fixed.env"]),
}


@pytest.mark.parametrize("files, written", NAMED.values(), ids=list(NAMED))
def test_fix_of_a_file_that_others_name(program, tmp_path, files, written):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    result = program.run("doctor", "--fix", "compose.yml")
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.fixed.*"))
    assert (result.code, found) == (0, written), result
    alone = program.run("doctor", "--strict", "compose.fixed.yml")
    assert (alone.code, alone.out.splitlines()[0]) == (0, "compose.fixed.yml: ok"), alone


# ---- Rules

@pytest.mark.parametrize("rule", RULES)
def test_explained(program, tmp_path, rule):
    """What is wrong is found, and what is right is ok."""
    result = program.run("doctor", "--explain", rule.lower())
    assert result.code == 0 and result.out.startswith(f"{rule} (")
    wrong, right = re.search(r"\nwrong\n(.*)\n\nright\n(.*)", result.out, re.S).groups()
    for text, good in ((wrong, False), (right, True)):
        write(tmp_path, compose_yml=re.sub(r"^  ", "", text, flags=re.M))
        [told] = found(program, "compose.yml")
        if good:
            assert (told["verdict"], told["findings"]) == ("ok", [])
        else:
            finding = next(f for f in told["findings"] if f["rule"] == rule)
            assert finding["line"] and finding["column"] and finding["message"]
            assert not re.search(r"\(null\)|  |[.:;,]$|%", finding["message"]), finding["message"]


def test_explains_only_what_is(program):
    result = program.run("doctor", "--explain", "LOCAL-INTERNEL")
    assert result.code == 2 and "did you mean LOCAL-INTERNAL?" in result.err
    assert program.run("doctor", "--explain", "xyz").code == 2


def test_help(program):
    out = program.run("doctor", "--help").out
    for option in ("--file", "--env-file", "--fix", "--diff", "--strict", "--json", "--explain", "--live"):
        assert option in out and option in program.run("completion", "bash").out
    assert "tally doctor" in program.run("man", "doctor").out.replace("\\-", "-").replace("tally\\ ", "tally ")


# ---- Bad input

def laughs():
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    return "\n".join(rows) + "\nservices: {kafka: {image: apache/kafka, environment: *a11}}\n"


BAD = {
    "binary": bytes(range(256)) * 400, "nul": b"services:\n  kafka:\n    image: a\0b\n", "tabs": b"services:\n\tkafka:\n\t\timage: x\n",
    "laughs": laughs(), "deep": "a: " + "[" * 100000, "deep maps": "{a: " * 20000, "deep block": "".join(" " * i + "a:\n" for i in range(2000)),
    "cycle": "services:\n  kafka:\n    image: apache/kafka\n    extends: {service: b}\n  b:\n    extends: {service: kafka}\n",
    "self": "services:\n  kafka:\n    image: apache/kafka\n    extends: {file: compose.yml, service: kafka}\n",
    "zero": "services:\n  kafka:\n    image: apache/kafka\n    env_file: /dev/zero\n",
    "merge": "x: &x\n  <<: *x\nservices:\n  kafka:\n    <<: *x\n    image: apache/kafka\n",
    "merge list": "services:\n  kafka:\n    <<: [1, a, {b: c}, [d]]\n    image: apache/kafka\n",
    "open": "services: {kafka: {image: apache/kafka, environment: {A: \"b", "latin": "services: # \u00e9\n".encode("latin-1") + HOST[10:].encode(),
    "huge": b"services:\n" + b"  # " + b"x" * (100 << 20) + b"\n", "huge flat": b"a: b\n" * (20 << 20),
}


def processor():
    """Seconds of it, of all programs that were run and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def quick(program, *args):
    before = processor()
    result = program.run("doctor", *args)
    spent = processor() - before
    assert spent < (1 if program.command == [str(BUILDS["build"])] else 10), spent  # 0.03; what has no bound never ends
    assert result.code in (0, 1, 3), result
    assert result.code == 0 or result.err.startswith("tally: ") and result.err.count("\n") == 1, result.err[:500]
    return result


@pytest.mark.parametrize("name", BAD)
def test_bad_input(program, tmp_path, name):
    write(tmp_path, compose_yml=BAD[name])
    quick(program, "compose.yml")


@pytest.mark.parametrize("order", ["le", "be"])
def test_utf_16(program, tmp_path, order):
    """As PowerShell's > writes it: what to do is said, and does it."""
    write(tmp_path, compose_yml="\ufeff".encode(f"utf-16-{order}") + HOST.encode(f"utf-16-{order}"))
    result = quick(program, "compose.yml")
    assert result.code == 3 and "is UTF-16" in result.err, result
    command = re.search(r"iconv -f UTF-16 -t UTF-8", result.err)[0]
    (tmp_path / "made.yml").write_bytes(subprocess.run([*command.split(), "compose.yml"], cwd=tmp_path, capture_output=True).stdout)
    assert program.run("doctor", "--strict", "made.yml").code == 0


def test_bad_files(program, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for path in ("none.yml", ".", "fifo", "gone", "loop", "/dev/zero", "/dev/null", "", "/proc/self/mem"):
        assert quick(program, path).code == 3, path
    write(tmp_path, compose_yml="services:\n  kafka:\n    image: apache/kafka\n    env_file: fifo\n")
    quick(program, "compose.yml")
    (tmp_path / "out.env").symlink_to("/etc/passwd")
    write(tmp_path, compose_yml="services:\n  kafka:\n    image: apache/kafka\n    env_file: out.env\n")
    assert "root:" not in quick(program, "compose.yml").err


THOUSAND = HOST + "".join(APP.replace("app", f"app{i}") for i in range(1000))


def test_a_thousand_services(program, tmp_path):
    write(tmp_path, compose_yml=THOUSAND)
    assert program.run("doctor", "compose.yml").code == 1


def test_what_a_thousand_services_cost(tmp_path):
    write(tmp_path, compose_yml=THOUSAND)
    file = tmp_path / "callgrind"
    assert Program(PROGRAM, callgrind(file), cwd=tmp_path).run("doctor", "compose.yml", timeout=120).code == 1
    assert collected(file) < 200e6  # instructions: less than a tenth of a second


def test_where_files_come_from(program, tmp_path):
    """A folder, standard input, COMPOSE_FILE."""
    write(tmp_path, compose_yml=HOST)
    (tmp_path / "broken").mkdir()
    write(tmp_path / "broken", compose_yml=BROKEN)
    assert program.run("doctor", "broken").out.startswith("broken/compose.yml: broken\n")
    assert program.run("doctor", "-", stdin=BROKEN.encode()).out.startswith("-: broken\n")
    assert program.run("doctor", "--fix", "-", stdin=BROKEN.encode()).code == 2
    assert program.run("doctor").code == 0
    result = program.run("doctor", env={"COMPOSE_FILE": "broken/compose.yml"})
    assert (result.code, result.out.split(":")[0]) == (1, "broken/compose.yml")
    result = program.run("doctor", env={"COMPOSE_FILE": "broken/compose.yml;compose.yml", "COMPOSE_PATH_SEPARATOR": ";"})
    assert result.out.startswith("broken/compose.yml + compose.yml: "), result.out
    assert program.run("doctor", ".", "/").code == 3
    (tmp_path / ".env").write_text("COMPOSE_FILE=broken/compose.yml\n")
    assert program.run("doctor").out.startswith("broken/compose.yml: broken\n")
    assert program.run("doctor", env={"COMPOSE_FILE": "compose.yml"}).code == 0


# ---- Its words elsewhere

@pytest.mark.parametrize("command", [["consume", "gender"], ["produce", "gender"], ["run", "gender", "--no-page"], ["dashboard", "gender"]])
def test_commands_explain(command, tmp_path):
    """Nobody listens there."""
    result = Program(cwd=tmp_path).run(*command, "-b", f"127.0.0.1:{free_port()}")
    assert result.code == 4 and "connection refused" in result.err and "nobody listens there" in result.err, result.err


@pytest.mark.parametrize("text, code", [(BROKEN, 5), (LAN, 0), (HOST, 0), (NONE, 0)])
def test_the_cluster_asks_first(tmp_path, text, code):
    """docker/cluster up, up to where it would build."""
    write(tmp_path, compose_yml=text)
    script = (ROOT / "docker/cluster").read_text()
    parts = [re.search(rf"^{name}\(\) {{\n.*?^}}\n", script, re.M | re.S)[0] for name in ("fail", "doctor", "check_listeners")]
    done = subprocess.run(["sh", "-euc", f"root={ROOT} log=log\n{''.join(parts)}\ncheck_listeners\necho on"], cwd=tmp_path,
                          env={**os.environ, "COMPOSE_FILE": "compose.yml"}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, "" if code else "on\n"), done.stderr
    assert not code or "[LOCAL-INTERNAL]" in done.stderr and "compose file's listeners" in done.stderr
