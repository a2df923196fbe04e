"""What the program says of itself: --help on narrow terminals, completion in real shells, man pages by groff."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from tests.program import ROOT, SOON, Program, chosen, environment

COMMANDS = ["run", "count", "produce", "consume", "dashboard", "submit", "status", "list", "logs", "kill", "wait", "doctor", "man",
            "completion"]
JOBS = sorted(p.stem for p in (ROOT / "jobs").glob("*.yaml"))


@pytest.fixture
def program(tmp_path):
    return Program(cwd=tmp_path)


def options_of(program, command):
    """By --help."""
    return re.findall(r"^  (?:-\w,|   ) (--[a-z-]+)\b", program.run(command, "--help").out.split("\nOptions;")[1], re.M)


# ---- Help

@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_help_fits(program, command, width):
    """But for words that are longer by themselves."""
    out = program.run(*([command] if command else []), "--help", env={"COLUMNS": str(width)}).out
    for line in out.splitlines():
        assert len(line) <= width or " " not in line.strip().removesuffix(" \\"), line
    assert "\033" not in out


def test_help_is_the_same_text_at_any_width(program):
    for command in COMMANDS:
        texts = {re.sub(r"\s+", " ", program.run(command, "--help", env={"COLUMNS": width}).out.replace(" \\\n", " "))
                 for width in ("40", "77", "200", "nonsense", "-5", "")}
        assert len(texts) == 1


def test_help_on_a_terminal():
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    subprocess.run([chosen(), "status", "--help"], stdout=side, stdin=subprocess.DEVNULL, env=environment(), check=True)
    out = os.read(main, 65536).decode()
    os.close(side)
    os.close(main)
    lines = out.replace("\r", "").splitlines()
    assert len(lines) > 20 and all(len(line) <= 40 or " " not in line.strip(" \\") for line in lines)


# (what is set, whether an error on a terminal is coloured)
COLOURS = [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)]


@pytest.mark.parametrize("extra, coloured", COLOURS, ids=[str(row[0]) for row in COLOURS])
def test_colours(program, extra, coloured):
    main, side = pty.openpty()
    clean = {name: value for name, value in environment().items() if name != "NO_COLOR"}
    subprocess.run([chosen(), "nonsense"], stderr=side, stdin=subprocess.DEVNULL, env={**clean, "TERM": "xterm", **extra})
    assert (b"\033[" in os.read(main, 65536)) == coloured
    os.close(side)
    os.close(main)
    assert "\033" not in program.run("nonsense", env={"TERM": "xterm", **extra}).err


def test_help_names_every_command(program):
    out = program.run("--help").out
    assert re.findall(r"^  ([a-z]+) +\S", out.split("Commands:")[1].split("\n\n")[0], re.M) == COMMANDS


# ---- bash: (the words, the last of which is completed; what must come; what must not)

BASH = [
    (["tally", ""], COMMANDS + ["help", "--help", "--version"], ["--master"]),
    (["tally", "co"], ["count", "consume", "completion"], ["run"]),
    (["tally", "help", "st"], ["status"], ["submit"]),
    (["tally", "man", "su"], ["submit"], []),
    (["tally", "completion", ""], ["bash", "zsh"], []),
    (["tally", "run", ""], JOBS + ["my file.csv", "data.csv"], ["--port"]),
    (["tally", "run", "a"], ["action", "age-range"], ["gender"]),
    (["tally", "run", "--po"], ["--port"], ["--host"]),
    (["tally", "run", "gender", "--feed", "d"], ["data.csv"], ["gender"]),
    (["tally", "run", "--feed", "=", "d"], ["data.csv"], []),
    (["tally", "run", "--header", ""], ["yes", "no"], ["gender"]),
    (["tally", "run", "--header", "="], ["yes", "no"], []),
    (["tally", "run", "--header", "=", "y"], ["yes"], ["no"]),
    (["tally", "run", "-r", ""], ["max"], ["gender"]),
    (["tally", "run", "--master", ""], [], JOBS + ["spark"]),
    (["tally", "consume", "-o", "b"], ["beginning"], ["end"]),
    (["tally", "submit", "--deploy-mode", ""], ["cluster"], []),
    (["tally", "submit", "--jar", "d"], ["data.csv"], []),
    (["tally", "submit", ""], JOBS + ["data.csv"], []),
    (["tally", "status", ""], [], JOBS + ["data.csv"]),
    (["tally", "list", "--j"], ["--json"], []),
    (["tally", "nonsense", ""], [], JOBS),
]


def complete_in_bash(program, words, cwd):
    script = (f"source <({program.command[0]} completion bash)\nCOMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n_tally\n"
              "[ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' \"${COMPREPLY[@]}\"\n")
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", *words], capture_output=True, text=True, cwd=cwd,
                          env=environment(), timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("words, wanted, unwanted", BASH, ids=[" ".join(row[0]) for row in BASH])
def test_bash(program, tmp_path, words, wanted, unwanted):
    for name in ("data.csv", "my file.csv"):
        (tmp_path / name).touch()
    found = complete_in_bash(program, words, tmp_path)
    assert set(wanted) <= set(found) and not set(unwanted) & set(found), found


def test_bash_knows_every_option(program, tmp_path):
    for command in COMMANDS:
        assert complete_in_bash(program, ["tally", command, "--"], tmp_path) == options_of(program, command)


# ---- zsh, at its prompt: (what is typed before the tab, what the line is then or what is listed)

ZSH = [
    ("tally das", "tally dashboard "),
    ("tally submit --deploy", "tally submit --deploy-mode"),
    ("tally submit --deploy-mode=cl", "--deploy-mode=cluster"),
    ("tally submit --deploy-mode cl", "--deploy-mode cluster"),
    ("tally run gen", "tally run gender "),
    ("tally run --feed dat", "tally run --feed data.csv "),
    ("tally run --header y", "tally run --header yes "),
    ("tally completion z", "tally completion zsh "),
    ("tally man subm", "tally man submit "),
    ("tally consume -o be", "tally consume -o beginning "),
    ("tally list --", "the port of Spark's REST API (usually 6066)"),
    ("tally ", "what a driver is doing"),
]


class Zsh:
    def __init__(self, program, cwd):
        (cwd / "functions").mkdir()
        (cwd / "functions" / "_tally").write_text(program.run("completion", "zsh").out)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execve("/usr/bin/zsh", ["zsh", "-f", "-i"],
                      {**environment(), "TERM": "xterm", "PS1": "READY ", "HOME": str(cwd), "COLUMNS": "150", "LINES": "60"})
        self.read_until("READY ")
        self.say("unsetopt zle_bracketed_paste; LISTMAX=1000; stty cols 150 rows 60; fpath=($PWD/functions $fpath); "
                 "autoload -U compinit; compinit -u -D; print DONE$((1+1))\n")
        self.read_until("DONE2")

    def say(self, text):
        os.write(self.terminal, text.encode())

    def read_until(self, text, seconds=SOON):
        told, deadline = "", time.monotonic() + seconds
        while text not in told:
            if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"{text!r} does not come: {told[-2000:]!r}")
            told += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|.\x08|[\r\x07\0]", "", os.read(self.terminal, 65536).decode("utf-8", "replace"))
        return told

    def close(self):
        os.close(self.terminal)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)


@pytest.fixture(scope="module")
def zsh(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zsh")
    (folder / "data.csv").touch()
    shell = Zsh(Program(cwd=folder), folder)
    yield shell
    shell.close()


@pytest.mark.parametrize("typed, wanted", ZSH, ids=[row[0] for row in ZSH])
def test_zsh(zsh, typed, wanted):
    zsh.say(typed + "\t")
    zsh.read_until(wanted)
    zsh.say("\x15print DONE$((1+1))\n")  # away with the line
    zsh.read_until("DONE2")


# ---- The manual

@pytest.mark.parametrize("page", ["", *COMMANDS])
def test_man(program, page):
    roff = program.run("man", *([page] if page else [])).out
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=roff.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    text = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout.decode())
    assert f"tally-{page}" if page else "tally" in text
    assert "EXIT STATUS" in text and "130, 143" in text
    if page:
        flat = re.sub(r"\u2010\s+", "", text)
        for option in options_of(program, page):
            assert re.search(rf"{option}\b", flat), option
    else:
        assert all(f"tally-{name}(1)" in text for name in COMMANDS)


def test_man_takes_text_as_it_is(program):
    """No line of a text is a request, no backslash an escape, no minus a hyphen."""
    for page in COMMANDS:
        roff = program.run("man", page).out
        for line in roff.splitlines():
            assert not line.startswith((".", "'")) or re.match(r"\.(TH|SH|TP|PP|RS|RE|EX|EE|BR|\\)", line), line
            for command in re.findall(r"\\(.)", line):
                assert command in "-&efB(", line


def test_install(tmp_path):
    done = subprocess.run(["make", "-s", "install", f"DESTDIR={tmp_path}", "PREFIX=/usr"], cwd=ROOT, capture_output=True,
                          text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = {str(p.relative_to(tmp_path / "usr")) for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {"bin/tally", "share/bash-completion/completions/tally", "share/zsh/site-functions/_tally",
                     "share/man/man1/tally.1", *(f"share/man/man1/tally-{name}.1" for name in COMMANDS)}


# (arguments, exit code, words on stderr)
WRONG = [("completion", 2, "bash|zsh"), ("completion fish", 2, "'fish': it must be bash or zsh"),
         ("man nonsense", 2, "no command 'nonsense'"), ("man run count", 2, "one too many")]


@pytest.mark.parametrize("arguments, code, words", WRONG, ids=[row[0] for row in WRONG])
def test_wrong(program, arguments, code, words):
    result = program.run(*arguments.split())
    assert result.code == code and words in result.err
