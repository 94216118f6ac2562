"""A rehearsal on the run's own servers: its clones are databases beside the targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from migrations_app.embedded.postgres import Server
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import parse
from tests.engine.clone.support import Pair, Rehearsal, rehearsing


@pytest.fixture
def rehearsal(pg18: Server) -> Iterator[Rehearsal]:
    with rehearsing(pg18) as it:
        yield it


@pytest.fixture
def rehearsal16(pg16: Server) -> Iterator[Rehearsal]:
    with rehearsing(pg16) as it:
        yield it


@pytest.fixture
def pair(target_database: Callable[..., str]) -> Iterator[Callable[[str], Pair]]:
    """Give a schema with its rows, get it twice."""
    opened: list[psycopg.Connection] = []

    def make(script: str) -> Pair:
        sessions = []
        for url in (target_database(), target_database()):
            sessions.append(open_session(parse(url, trusted=True), application_name="lockstep:test"))
            sessions[-1].execute(sql.SQL(script))
        opened.extend(sessions)
        return Pair(*sessions)

    yield make
    for conn in opened:
        conn.close()
