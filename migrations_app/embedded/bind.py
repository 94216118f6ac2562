"""The web server's address: read, checked and found free before anything else starts."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from migrations_app.engine.errors import Refused

DEFAULT = "127.0.0.1:8000"
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - names for what a user gave
WELL = 400
HIGHEST_PORT = 65535


@dataclass(frozen=True)
class Bind:
    """Where gunicorn listens."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """The form GUNICORN_BIND has."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def next(self) -> Bind:
        """A neighbouring port to suggest."""
        return Bind(self.host, self.port + 1 if self.port < HIGHEST_PORT else self.port - 1)

    @property
    def near(self) -> Bind:
        """The address to call from this machine."""
        return Bind(EVERYWHERE.get(self.host, self.host), self.port)

    @property
    def url(self) -> str:
        """What to open in a browser on this machine."""
        return f"http://{self.near.text}"


def parse(text: str) -> Bind:
    """Read `HOST:PORT` or refuse with what it got and what it wants."""
    host, separator, port = text.rpartition(":")
    if separator and host and port.isdigit() and 0 < int(port) <= HIGHEST_PORT:
        return Bind(host.strip("[]"), int(port))
    raise Refused(
        "bind_unusable",
        f"GUNICORN_BIND is {text!r}; it wants HOST:PORT, such as {DEFAULT}.",
        not_done="Nothing was started.",
    )


def ensure_free(bind: Bind) -> None:
    """Refuse when gunicorn could not listen there."""
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind.host, bind.port))
            probe.listen(1)
        except OSError as error:
            raise Refused(
                "bind_taken",
                f"GUNICORN_BIND is {bind.text}, and nothing can listen there: {error.strerror}.",
                not_done="Nothing was started.",
                next_step=f"Set GUNICORN_BIND (or --bind) to a free address, such as {bind.next.text}.",
            ) from None


def wait_for_page(bind: Bind, path: str, *, host: str, patience: float, alive: Callable[[], bool]) -> bool:
    """Whether the page answers well, as `host`, in time; gives up at once when the server is not `alive`."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and alive():
        if _answers(bind.near, path, host):
            return True
        time.sleep(0.1)
    return False


def _answers(bind: Bind, path: str, host: str) -> bool:
    connection = http.client.HTTPConnection(bind.host, bind.port, timeout=5.0)
    try:
        connection.request("GET", path, headers={"Host": Bind(host, bind.port).text})
        return connection.getresponse().status < WELL
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
