"""A server to ask, and an eye on every socket that is opened."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.outbound.sites import Site, serving


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Where a socket was connected to; none is, so that nothing leaves the machine."""
    found: list[object] = []

    def connect(_: socket.socket, place: object) -> None:
        found.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return found
