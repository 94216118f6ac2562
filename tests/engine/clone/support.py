"""Targets owned by an ordinary role, and clones of them on the same server, removed after the test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from migrations_app.embedded import pytest_servers
from migrations_app.embedded.postgres import Server
from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.clone.copying import clones_on, drop_clone
from migrations_app.engine.clone.make import Clone, Sizes, make_clone
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.target.dsn import Dsn, parse

PASSWORD = "an-ordinary-password"
SMALL = Sizes(rows_per_table=100, whole_up_to_bytes=0)


def rehearsal_server(server: Server) -> RehearsalServer:
    return RehearsalServer(parse(server.dsn, trusted=True), server.major, postgres_bin(server.major))


def ordinary_role(server: Server, name: str = "shop_app") -> str:
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone() is None:
            admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), PASSWORD))
    return name


def owned_by(server: Server, url: str, role: str) -> str:
    """The URL of that role in the database, which it owns from now on."""
    name = url.rpartition("/")[2]
    with psycopg.connect(server.dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(role)))
    return server.url(name, role, PASSWORD)


@dataclass
class Rehearsal:
    """One installation and its clones on one server."""

    server: RehearsalServer
    installation: uuid.UUID = field(default_factory=uuid.uuid4)
    said: list[str] = field(default_factory=list)

    def clone(
        self,
        url: str | Dsn,
        *,
        sizes: Sizes | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        server: RehearsalServer | None = None,
    ) -> Clone:
        return make_clone(
            parse(url, trusted=True) if isinstance(url, str) else url,
            server or self.server,
            installation=self.installation,
            clone=uuid.uuid4(),
            sizes=sizes or Sizes(),
            report=self.said.append,
            should_stop=should_stop,
        )

    def names(self) -> tuple[str, ...]:
        return clones_on(self.server, self.installation)


@contextmanager
def rehearsing(server: Server | None = None) -> Iterator[Rehearsal]:
    rehearsal = Rehearsal(rehearsal_server(server or pytest_servers.postgres_server(18)))
    try:
        yield rehearsal
    finally:
        for name in rehearsal.names():
            drop_clone(rehearsal.server, name)


def run(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(script)


def rows(where: str | Dsn, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(where if isinstance(where, str) else where.conninfo(), autocommit=True) as conn:
        return conn.execute(query).fetchall()


def value(where: str | Dsn, query: str) -> Any:
    return rows(where, query)[0][0]


@dataclass(frozen=True)
class Pair:
    """`before` is kept as it was; `after` is what a test changes."""

    before: psycopg.Connection
    after: psycopg.Connection
