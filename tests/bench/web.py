"""The real web server, as `manage.py up` starts it, on a database of the benchmark's choice."""

from __future__ import annotations

import http.client
import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from migrations_app.embedded import bind, places, program, session
from tests.bench.timing import stopwatch

_ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30.0
_READY_S = 60.0
_STOP_S = 10.0


class NotServing(Exception):
    """The web server ended, or did not answer in time."""


@dataclass(frozen=True)
class Answer:
    status: int
    seconds: float
    etag: str
    size: int  # as sent, compressed


@dataclass(frozen=True)
class Site:
    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @contextmanager
    def reader(self, cookie: str) -> Iterator[Reader]:
        """One keep-alive connection that asks again when the answer before is there."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE_S)
        try:
            yield Reader(connection, cookie)
        finally:
            connection.close()


@dataclass(frozen=True)
class Reader:
    _connection: http.client.HTTPConnection
    _cookie: str

    def get(self, path: str, etag: str = "") -> Answer:
        """Raises TimeoutError; after that nothing more can be asked here."""
        try:
            return self._ask(path, etag)
        except (http.client.RemoteDisconnected, ConnectionResetError):
            # The server had closed an idle connection, or its process was replaced; the request was not looked at.
            self._connection.close()
            return self._ask(path, etag)

    def _ask(self, path: str, etag: str) -> Answer:
        headers = {"Cookie": self._cookie, "Accept-Encoding": "gzip"}
        if etag:
            headers["If-None-Match"] = etag
        with stopwatch() as watch:
            self._connection.request("GET", path, headers=headers)
            answer = self._connection.getresponse()
            size = len(answer.read())
        return Answer(answer.status, watch.seconds, answer.headers.get("ETag", ""), size)


@contextmanager
def serving(database_url: str, *, settings: str = "dashboard.settings") -> Iterator[Site]:
    """gunicorn with the configuration that is shipped, its connection pool, and no debugging."""
    address = bind.Bind(places.LOOPBACK, places.free_port())
    said: deque[str] = deque(maxlen=30)
    server = program.run(
        "web",
        [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "dashboard.wsgi:application"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": settings,
            "LOCKSTEP_DATABASE_URL": database_url,
            "LOCKSTEP_WEB_POOL": "1",
            "LOCKSTEP_DEBUG": "",
            "GUNICORN_BIND": address.text,
        },
        cwd=_ROOT,
        patience=_STOP_S,
        hear=lambda _, line: said.append(line),
    )
    try:
        if not bind.wait_for_page(
            address, "/login", host=address.host, patience=_READY_S, alive=lambda: server.poll() is None
        ):
            raise NotServing("the web server did not answer and said: " + "\n".join(said))
        yield Site(address.host, address.port, server.pid)
    finally:
        # Too much load leaves a queue that the workers would first work off; nobody waits for it any more.
        session.kill({server.pid})
        server.stop()
