"""Debian's nginx, run by hand as the user who tests. The package is unpacked into a cache, not installed: that would
start a server on port 80, now and at each boot."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.kafka_server import die_with_parent
from tests.program import ROOT

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tally" / "nginx"
INSTALLED = Path("/usr/sbin/nginx")

# One process, nothing outside of its folder.
CONFIG = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
    scgi_temp_path {dir}/t5;
    include {dir}/site.conf;
}}
"""


def binary():
    """The program; the package is fetched once, and seen by others only when it is complete."""
    found = INSTALLED if INSTALLED.exists() else CACHE / "usr/sbin/nginx"
    if not found.exists():
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="nginx.", dir=CACHE.parent))
        try:
            subprocess.run(["apt-get", "-q", "download", "nginx"], cwd=work, check=True, capture_output=True)
            subprocess.run(["dpkg", "-x", next(work.glob("nginx_*.deb")), work / "tree"], check=True)
            (work / "tree").rename(CACHE)
        except OSError:  # somebody else was first
            if not found.exists():
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return found


def start(folder, **changes):
    """docs/proxy/nginx.conf in a process of its own; `changes`: texts in it, and what stands there instead."""
    text = (ROOT / "docs/proxy/nginx.conf").read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text)
    (folder / "nginx.conf").write_text(CONFIG.format(dir=folder))
    return subprocess.Popen([binary(), "-e", folder / "error.log", "-p", folder, "-c", folder / "nginx.conf"],
                            stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
