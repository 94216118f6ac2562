"""deploy/lockstep-boot as a process, and a server that gives it the answers of a test's choice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import ModuleType
from typing import Any

SCRIPT = Path(__file__).resolve().parents[3] / "deploy" / "lockstep-boot"
TOKEN = "lockstep_aaaaaaaa_secretsecret"


@dataclass
class Gate:
    """Answers in turn, the last one again and again: (status, body), a body that is a text is sent as it is."""

    answers: list[tuple[int, object]]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    recorded: list[dict[str, Any]] = field(default_factory=list)

    def next(self) -> tuple[int, object]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def not_yet(code: str = "run_open", *, phase: str = "revisions", phase_seconds: int = 0, **more: Any) -> dict[str, Any]:
    reason = {"code": code, "phase": phase, "sentence": f"It is {code}.", "clears": "It ends."}
    told = {"allow": False, "reasons": [reason], "retry": 5, "waiting_for": None, "progress": "", "hopeless": False}
    return {**told, "phase": phase, "phase_seconds": phase_seconds, **more}


def refused(code: str, message: str) -> dict[str, Any]:
    return {"success": False, "error": {"code": code, "message": message}, "meta": {}}


@contextmanager
def gate(*answers: tuple[int, object]) -> Iterator[Gate]:
    told = Gate(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append(self.path)
            told.tokens.add(self.headers["Authorization"])
            status, body = told.next()
            self._answer(status, body)

        def do_POST(self) -> None:
            told.recorded.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer(201, {})

        def _answer(self, status: int, body: object) -> None:
            raw = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", told.url + "/elsewhere")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as told.url:
        yield told


@contextmanager
def raw_gate(
    *answers: bytes, recorded: bytes = b"HTTP/1.0 201 Created\r\n\r\n{}", trickle: bool = False
) -> Iterator[Gate]:
    """What is sent is no matter of a library: byte for byte, then the connection ends. `recorded` may trickle on."""
    told, left = Gate([]), list(answers)
    over = threading.Event()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline().decode()
            headers = dict(self._headers())
            if line.startswith("GET"):
                told.asked.append(line.split()[1])
                self.wfile.write(left.pop(0) if len(left) > 1 else left[0])
                return
            told.recorded.append(json.loads(self.rfile.read(int(headers["content-length"]))))
            self.wfile.write(recorded)
            while trickle and not over.wait(0.1):
                self.wfile.write(b"A")

        def _headers(self) -> Iterator[tuple[str, str]]:
            while (line := self.rfile.readline().decode().strip()) != "":
                name, _, value = line.partition(":")
                yield name.lower(), value

    class Server(ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Who asks need not read to the end of such an answer."""

    with _served(Server(("127.0.0.1", 0), Handler)) as told.url:
        try:
            yield told
        finally:
            over.set()


@contextmanager
def _served(server: ThreadingTCPServer | ThreadingHTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pythons() -> list[str]:
    """One of each version from 3.8 on that this machine has, among them what pyenv keeps aside."""
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = {sys.executable}
    for minor in range(8, 15):
        aside = sorted(kept.glob(f"3.{minor}.*/bin/python3.{minor}")) if os.access(kept, os.R_OK | os.X_OK) else []
        here = shutil.which(f"python3.{minor}")
        if aside or (here and "shims" not in here):
            found.add(str(aside[-1] if aside else here))
    return sorted(found)


def script() -> ModuleType:
    """Its functions, where a process would have to wait for a clock; nothing is compiled into its folder."""
    module = ModuleType("lockstep_boot_script")
    exec(compile(SCRIPT.read_text(), str(SCRIPT), "exec"), vars(module))
    return module


def argv(url: str, *options: str, python: str = sys.executable) -> list[str]:
    """-W error: what warns today is gone in a later Python."""
    given = ["--url", url, "--service", "orders", "--environment", "prod", "--schema-rev", "sc-1", "--every", "0.05"]
    return [python, "-W", "error", "-I", str(SCRIPT), *given, *options]


def environment(**more: str) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LOCKSTEP_")}
    return {**bare, "LOCKSTEP_TOKEN": TOKEN, **more}


def boot(url: str, *options: str, python: str = sys.executable, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv(url, *options, python=python),
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
