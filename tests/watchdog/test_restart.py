"""A real gunicorn, restarted by a real watchdog: its port accepts all the time, and the new code answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from migrations_app.embedded.places import free_port
from migrations_app.watchdog import files
from migrations_app.watchdog.entry import Flag
from tests.embedded.waiting import wait_until
from tests.watchdog.test_loop import PROJECT, start

APP = """
from django.conf import settings
settings.configure(DATABASES={{}}, HEALTH_CONNECTIONS=0)
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"{0}"]
"""


@dataclass
class Client:
    """Asks again and again by a connection of its own each time; keeps what was answered and what went wrong."""

    port: int
    answers: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return connection.makefile("rb").read().decode().rpartition("\r\n")[2]

    @contextmanager
    def asking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self.done.set()
            thread.join()

    def _run(self) -> None:
        while not self.done.is_set():
            try:
                self.answers.append(self.ask())
            except OSError as problem:
                self.failures.append(repr(problem))


@contextmanager
def gunicorn(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environ = {**os.environ, "PYTHONPATH": str(PROJECT), "GUNICORN_BIND": f"127.0.0.1:{port}"}
    environ |= {"WATCHDOG_RUNTIME_DIR": str(folder), "WATCHDOG_PID_FILE": str(folder / "gunicorn.pid")}
    configuration = str(PROJECT / "deploy" / "gunicorn.conf.py")
    argv = [sys.executable, "-m", "gunicorn", "-c", configuration, "app:application"]
    with subprocess.Popen(argv, cwd=folder, env=environ) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def watchdog(folder: Path) -> Iterator[None]:
    with start(folder) as process:
        try:
            yield
        finally:
            process.terminate()


def _answers(client: Client) -> bool:
    try:
        return client.ask() == "first"
    except OSError:
        return False


def test_the_port_accepts_all_the_time_and_the_new_code_answers(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.format("first"))
    client = Client(free_port())
    with gunicorn(tmp_path, client.port) as master, watchdog(tmp_path):
        wait_until(lambda: _answers(client), "gunicorn answers")
        assert (tmp_path / "gunicorn.pid").read_text().strip() == str(master.pid)
        with client.asking():
            (tmp_path / "app.py").write_text(APP.format("second"))
            asked = Flag("ada", "10.0.0.7", datetime.now(UTC), 42)
            files.write_flag(tmp_path / "lockstep_restart.flag", asked)
            wait_until(lambda: client.answers[-20:] == ["second"] * 20, "only the new code answers")
        wait_until(lambda: not (tmp_path / "lockstep_restart.flag").exists(), "the request is taken away")
        assert master.poll() is None
    assert client.failures == []
    assert set(client.answers) <= {"first", "second"}
    (noted,) = json.loads((tmp_path / "state.json").read_text())["history"]
    assert (noted["decision"], noted["requested_by"], noted["success"]) == ("executed", "ada", True)
