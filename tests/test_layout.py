"""The rooms of the house: who includes whom, how long things are, and that the README tells the truth."""

import re
import statistics

import pytest

from tests.kafka_server import VERSION
from tests.program import ROOT

ROOMS = ["cluster/base", "cluster/compose", "cluster/doctor", "cluster/probe", "cluster", "jobs", "dashboard", "runner"]
KAFKA = r"cluster/(kafka|broker|wake|statistics|consumer|producer|topics?)\w*\.h"
# The counting core: all of jobs/ but the local engine, and what feeds it.
CORE = {p.relative_to(ROOT).with_suffix("").as_posix() for p in (ROOT / "jobs").glob("*.[ch]")
        if not p.name.startswith(("engine", "feed"))}

# room -> what it may include besides its own
MAY = {
    "cluster/base": r"$^",
    "cluster/compose": r"cluster/base/.*",
    "cluster/doctor": r"cluster/(base|compose)/.*|cluster/properties\.h",
    "cluster/probe": r"cluster/base/.*|cluster/(docker|kafka)\w*\.h",
    "cluster": r"cluster/base/.*",
    "jobs": rf"cluster/base/.*|{KAFKA}",
    "dashboard": rf"cluster/base/.*|{KAFKA}|jobs/(record|points|spec)\.h",
    "runner": r"(cluster|jobs|dashboard)/.*",
}

README = ROOT / "README.md"


def room(path):
    relative = path.relative_to(ROOT).as_posix()
    return next(r for r in ROOMS if relative.startswith(r + "/"))


def sources(*suffixes):
    return sorted(p for top in ("cluster", "jobs", "dashboard", "runner") for s in suffixes
                  for p in (ROOT / top).rglob(f"*{s}"))


def includes(path):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M)


@pytest.mark.parametrize("path", sources(".c", ".h"), ids=lambda p: str(p.relative_to(ROOT)))
def test_includes_go_one_way(path):
    own, name = room(path), path.relative_to(ROOT).with_suffix("").as_posix()
    for included in includes(path):
        assert (ROOT / included).is_file() or (ROOT / "build" / included).is_file(), \
            f'"{included}" is no path from the root'
        within = room(ROOT / included) == own if included.startswith(tuple(ROOMS)) else False
        assert within or re.fullmatch(MAY[own], included), f"{own} may not use {included}"
        if name in CORE:
            assert included.startswith(("cluster/base/", "jobs/")), f"the counting core may not use {included}"


def test_core_uses_no_kafka():
    """Not even by way of another file of its room."""
    for name in sorted(CORE):
        seen, left = set(), [p for p in (ROOT / f"{name}.c", ROOT / f"{name}.h") if p.is_file()]
        while left:
            path = left.pop()
            assert "cluster/kafka" not in str(path) and "cluster/broker" not in str(path), f"{name} reaches {path}"
            new = {ROOT / i for i in includes(path) if (ROOT / i).is_file()} - seen
            seen |= new
            left += new


PUBLIC = [p for p in sources(".h") if not p.stem.endswith("parts")]  # what the files of one room share among them


@pytest.mark.parametrize("path", PUBLIC, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_header_is_a_page(path):
    text = path.read_text()
    assert text.lstrip().startswith("/*"), "it does not say what it is for"
    assert text.count("\n") <= 120
    functions = re.findall(r"^[a-z][\w \*]*[ \*]\w+\([^;{]*\)[^;{]*;", re.sub(r"/\*.*?\*/", "", text, flags=re.S), re.M)
    assert len(functions) <= 15, functions


def functions(path):
    """(name, lines of the body) of a file in which a function's braces stand in the first column."""
    lines, begin = path.read_text().splitlines(), None
    for n, line in enumerate(lines):
        if line == "{":
            begin = n
        elif line == "}" and begin is not None:
            head = " ".join(lines[max(0, begin - 3):begin])
            yield (re.findall(r"(\w+)\(", head) or [head])[-1], n - begin - 1
            begin = None


def test_functions_are_short():
    found = [(length, str(path.relative_to(ROOT)), name) for path in sources(".c") for name, length in functions(path)]
    lengths = sorted(length for length, _, _ in found)
    assert len(lengths) > 100, "the functions are not found any more"
    longest = sorted(found)[-5:]
    assert lengths[-1] <= 100, longest
    assert statistics.median(lengths) <= 15, statistics.median(lengths)
    assert lengths[int(len(lengths) * 0.95)] <= 60, longest

# ---- The images

def dockerfile(image):
    return (ROOT / "docker" / image / "Dockerfile").read_text()


def stage(image, name):
    """A build stage's text, up to where it goes its own way (an argument, the next stage)."""
    text = re.sub(r"^#.*\n", "", dockerfile(image), flags=re.M)
    return re.search(rf"^FROM \S+ AS {name}\n(.*?)(?=^ARG|^FROM|\Z)", text, re.M | re.S)[1].strip()


@pytest.mark.parametrize("name, images", [("program", ("spark", "tally")), ("fetch", ("spark", "kafka")),
                                          ("fetch", ("hadoop", "hive")), ("fetch", ("hadoop", "presto"))])
def test_common_stages_are_the_same(name, images):
    """Or what is built once would be built twice."""
    assert stage(images[0], name) == stage(images[1], name)


def test_images_install_what_the_makefile_names():
    packages = re.search(r"^PACKAGES_BUILD := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.M)[1]
    wanted = {name.split("|")[0] for name in packages.replace("\\\n", " ").split()}
    installed = re.search(r"apt-get install (.*?)>/dev/null", stage("tally", "program"), re.S)[1]
    assert wanted == {w for w in installed.replace("\\\n", " ").split() if not w.startswith("-")}


def test_kafka_has_one_version():
    versions = {re.search(r"<kafka.version>(.*?)<", (ROOT / "docker/kafka/pom.xml").read_text())[1],
                *re.findall(r"ARG KAFKA_VERSION=(\S+)", dockerfile("kafka")),
                *re.findall(r"KAFKA_VERSION:-?=?([\d.]+)", (ROOT / "docker/compose.yaml").read_text() +
                            (ROOT / "docker/cluster").read_text())}
    assert versions == {VERSION}


def test_the_image_says_the_programs_version():
    version = re.search(r"^VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.M)[1]
    assert f"\nLABEL version={version}\n" in dockerfile("tally")


# ---- The README

# Every command that the README shows, and where it is run. What is new there is first of all new here.
KNOWN = {
    r"git clone .*|cd [\w/.-]+": "",
    r"make( (run|test|test-all|bench|lint|format|install|clean|help|build))?( \w+=\S+)*": "Makefile",
    r"make cluster(-status|-down)?|docker/cluster \w+|docker .*|sh startup\.sh.*": "test_cluster.py",
    r"(\w+=)?(\$\()?(build/)?tally (submit|status|list|logs|kill|wait)\b.*": "test_submit.py, test_cluster.py",
    r"(build/)?tally run \S+( --?[\w-]+( [\w.:/-]+)?)*": "test_run.py, test_engine.py",
    r"(build/)?tally count \S+( --?[\w-]+( \w+)?)*( [\w./-]+)?( [<>|] .*)?": "test_cli.py",
    r"(build/)?tally (produce|consume|dashboard) .*": "test_engine.py, test_server.py",
    r"(build/)?tally (--help|--version|\w+ --help)": "test_cli.py",
    r"kcat .*": "test_run.py",
    r"build/tally doctor .*": "test_doctor.py",
    r"curl .*": "test_server.py",
    r"tests/run( \S+)*": "test_runner.py",
    r"(\w+=\S+ )*make .*": "Makefile",
    r"cp \S+ \S+|\$EDITOR \S+|cat \S+|export \w+=\S+": "",
}


def commands():
    for block in re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.M | re.S):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"\s+", " ", re.sub(r"(^|\s)#.*", "", line)).strip().removeprefix("$ ")
            if command:
                yield command


@pytest.mark.skipif(not README.exists(), reason="no README yet")
def test_readme_commands_are_known():
    found = list(commands())
    assert found, "a README without commands"
    unknown = [c for c in found if not any(re.fullmatch(known, c) for known in KNOWN)]
    assert not unknown


@pytest.mark.skipif(not README.exists(), reason="no README yet")
def test_readme_paths_exist():
    text = README.read_text()
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", text) for link in link]
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:md|sh|yaml|csv|py))`", text)
    wanted = {p for p in links + named if p and not re.match(r"[a-z]+:|\.\.?$|[\w-]+/\d+$", p)}
    assert wanted
    missing = sorted(p for p in wanted if not (ROOT / p).exists())
    assert not missing
