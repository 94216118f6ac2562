"""Copies of the world on each PostgreSQL, made from a template that is filled once in a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from migrations_app.embedded import pytest_servers
from migrations_app.embedded.postgres import Server
from migrations_app.engine.contract.bootstrap import ensure_objects
from tests import postgres15
from tests.engine.clone.tracing.world import Copy, copy_of, drop, world

TEMPLATE = "world"
Place = tuple[psycopg.Connection, Server]


@pytest.fixture(scope="session")
def places() -> Iterator[Callable[[int], Place]]:
    """A superuser's session on a server that has the template."""
    known: dict[int, Place] = {}

    def place(major: int) -> Place:
        if major == 15:
            postgres15.require()
        if major not in known:
            server = pytest_servers.postgres_server(major)
            known[major] = (psycopg.connect(server.dsn, autocommit=True), server)
            _make_template(*known[major])
        return known[major]

    yield place
    for admin, _ in known.values():
        drop(admin, TEMPLATE)
        admin.close()


def _make_template(admin: psycopg.Connection, server: Server) -> None:
    drop(admin, TEMPLATE)
    admin.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    with psycopg.connect(server.url(TEMPLATE), autocommit=True) as conn:
        ensure_objects(conn)
        conn.execute(world())
        conn.execute("VACUUM ANALYZE")


@pytest.fixture
def copy(places: Callable[[int], Place]) -> Iterator[Callable[..., Copy]]:
    """`copy()` or `copy(major=15)`, removed after the test."""
    made: list[tuple[psycopg.Connection, str]] = []

    def make(*, major: int = 18) -> Copy:
        admin, server = places(major)
        found = copy_of(admin, server, TEMPLATE)
        made.append((admin, found.name))
        return found

    yield make
    for admin, name in made:
        drop(admin, name)
