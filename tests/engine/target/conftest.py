"""Targets for this room: an address, and sessions on it that are closed after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn, parse

MakeDatabase = Callable[..., str]
OpenSession = Callable[..., psycopg.Connection]

ROLE_PASSWORD = "plain-Password-1"


@pytest.fixture
def dsn(target_database: MakeDatabase) -> Dsn:
    """A fresh database on PostgreSQL 18, as its superuser."""
    return parse(target_database(), trusted=False)


@pytest.fixture
def session() -> Iterator[OpenSession]:
    """Open sessions as Lockstep does."""
    opened: list[psycopg.Connection] = []

    def open_one(dsn: Dsn, application_name: str = "lockstep:test") -> psycopg.Connection:
        conn = open_session(dsn, application_name=application_name)
        opened.append(conn)
        return conn

    yield open_one
    for conn in opened:
        conn.close()


@pytest.fixture
def conn(dsn: Dsn, session: OpenSession) -> psycopg.Connection:
    """One session on the fresh database."""
    return session(dsn)


@pytest.fixture
def plain_role(dsn: Dsn, conn: psycopg.Connection) -> Iterator[Dsn]:
    """The same database as an ordinary user who may do nothing special."""
    name = f"plain_{dsn.dbname}"
    conn.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), ROLE_PASSWORD))
    yield as_user(dsn, name)
    conn.execute(sql.SQL("DROP OWNED BY {0} CASCADE; DROP ROLE {0}").format(sql.Identifier(name)))


def as_user(dsn: Dsn, name: str, password: str = ROLE_PASSWORD) -> Dsn:
    """The same address for another user."""
    return parse(f"postgresql://{name}:{password}@{dsn.host}:{dsn.port}/{dsn.dbname}", trusted=False)
