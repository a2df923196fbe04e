"""The programs that the benchmarks compare with, in build/bench: `python = pip("a==1")`, `NODE_PATH = npm("b@2")`.
Versions are pinned; what is there already is not installed again. `python3 -m tests.bench.peers a==1 b@2` does that alone."""

import json
import subprocess
import sys

from tests.program import ROOT

FOLDER = ROOT / "build" / "bench"


def pip(*requirements):
    """The Python that has these packages ("name==version"): run it with -I, it needs nothing of the project."""
    venv = FOLDER / "venv"
    python = venv / "bin" / "python"
    if not python.exists():
        quietly("/usr/bin/python3", "-m", "venv", venv)
    once(venv, "==", requirements, python, "-m", "pip", "install", "-q", "--disable-pip-version-check",
         "--no-warn-script-location")
    return python


def npm(*packages):
    """The NODE_PATH with these packages ("name@version")."""
    folder = FOLDER / "npm"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "package.json").exists():
        (folder / "package.json").write_text('{"private": true}\n')
    once(folder, "@", packages, "npm", "install", "--prefix", folder, "--no-package-lock", "--no-audit", "--no-fund",
         "--loglevel=error")
    return folder / "node_modules"


def once(folder, sign, wanted, *install):
    """Installs what the folder has not, or has in another version. The file tells what other benchmarks wanted."""
    file = folder / "installed.json"
    installed = json.loads(file.read_text()) if file.exists() else {}
    names = {each.rpartition(sign)[0]: each for each in wanted}
    missing = [each for name, each in names.items() if installed.get(name) != each]
    if missing:
        quietly(*install, *missing)
        file.write_text(json.dumps({**installed, **names}, indent=1))


def quietly(*command):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout[-4000:]}")


if __name__ == "__main__":
    print(pip(*(each for each in sys.argv[1:] if "==" in each)))
    print(npm(*(each for each in sys.argv[1:] if "==" not in each)))
