"""A whole installation, as `manage.py up` starts it, and a proxy in front of it that may spoil an answer."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from migrations_app.embedded import secret
from migrations_app.embedded.places import LOOPBACK, free_port
from migrations_app.releases.gates.own.installation import Installation
from migrations_app.releases.gates.own.looks import guarded
from migrations_app.releases.gates.own.seen import PASS
from migrations_app.releases.gates.own.unit_contract import watchdog_paths
from migrations_app.releases.gates.own.visitors import RIGHTS
from tests.releases.own_gates.copies import ROOT
from tests.waiting import until


@dataclass(frozen=True)
class Reply:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def without(self, name: str) -> Reply:
        """The reply as if nobody had set that header."""
        return replace(self, headers=tuple(one for one in self.headers if one[0].lower() != name))

    def saying(self, old: bytes, new: bytes) -> Reply:
        """Fails where there is nothing to spoil."""
        assert old in self.body, f"the answer does not hold {old!r}"
        return replace(self, body=self.body.replace(old, new))


Fault = Callable[[str, Reply], Reply]


def none(path: str, reply: Reply) -> Reply:
    return reply


@dataclass
class Proxy:
    """`fault` is what becomes of each answer."""

    port: int
    fault: Fault = none

    def answer(self, path: str, headers: Mapping[str, str]) -> Reply:
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=30)
        try:
            connection.request("GET", path, headers=dict(headers))
            told = connection.getresponse()
            hop = ("transfer-encoding", "connection", "content-length")
            kept = tuple((name, value) for name, value in told.getheaders() if name.lower() not in hop)
            return self.fault(path, Reply(told.status, kept, told.read()))
        finally:
            connection.close()


@dataclass(frozen=True)
class Running:
    """`env` is that of somebody in another terminal; `place` asks past the proxy, `spoiled` through it."""

    env: Mapping[str, str]
    port: int
    data_dir: Path
    proxy: Proxy
    proxy_port: int
    cookie: str = field(repr=False)

    @property
    def spoiled(self) -> Installation:
        return Installation(ROOT, f"http://{LOOPBACK}:{self.proxy_port}", dict.fromkeys(RIGHTS, self.cookie))

    def api(self, path: str, token: str, body: Mapping[str, object], method: str = "POST") -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"http://{LOOPBACK}:{self.port}/api/v1{path}"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        urllib.request.urlopen(request, timeout=30).close()

    def manage(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env={**self.env, **env}, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip


@contextmanager
def running(data_dir: Path, database_url: str, redis_url: str) -> Iterator[Running]:
    """Servers are given, so that only Lockstep's own programs start."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("LOCKSTEP_", "DJANGO_"))}
    env |= {
        "LOCKSTEP_DATABASE_URL": database_url,
        "LOCKSTEP_REDIS_URL": redis_url,
        "LOCKSTEP_REHEARSAL_SERVERS": database_url,
        "LOCKSTEP_DATA_DIR": str(data_dir),
    }
    argv = [sys.executable, "manage.py", "up", "--no-demo", "--bind", f"{LOOPBACK}:{port}"]
    log = data_dir.parent / "up.log"
    with log.open("w") as file, subprocess.Popen(argv, cwd=ROOT, env=env, stdout=file, stderr=file) as process:
        try:
            until(lambda: "Ctrl-C stops everything" in log.read_text() or process.poll() is not None, within=180)
            assert process.poll() is None, log.read_text()
            with _proxied(port) as (proxy, proxy_port):
                found = Running(env, port, data_dir, proxy, proxy_port, _signed_in(port, data_dir))
                until(lambda: _settled(found.spoiled), within=60, what="a look of the watchdog")
                yield found
        finally:
            process.terminate()
            process.wait(60)


def _settled(place: Installation) -> bool:
    """The watchdog has looked; before, it is told that none does."""
    return guarded(watchdog_paths, place).state == PASS


@contextmanager
def _proxied(port: int) -> Iterator[tuple[Proxy, int]]:
    proxy = Proxy(port)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply = proxy.answer(self.path, dict(self.headers.items()))
            self.send_response_only(reply.status)
            for name, value in (*reply.headers, ("Content-Length", str(len(reply.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy, server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _signed_in(port: int, data_dir: Path) -> str:
    """The cookie of the first user, who may do everything."""
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    url = f"http://{LOOPBACK}:{port}/login"
    with opener.open(url, timeout=30) as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
    assert token
    password = secret.read(data_dir / "first-password")
    form = {"username": "admin", "password": password, "csrfmiddlewaretoken": token[1]}
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode(), {"Referer": url})
    opener.open(request, timeout=30).close()
    return next(f"{cookie.name}={cookie.value}" for cookie in jar if cookie.name == "lockstep_session")
