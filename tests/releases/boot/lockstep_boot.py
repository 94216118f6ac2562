"""deploy/lockstep-boot as a process, and a server that gives it the answers of a test's choice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
