"""The pool of a web process: who asks for a connection gets one that stands, and mostly without a question."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from dashboard.pooled import base
from dashboard.pooled.base import DatabaseWrapper, stands
from dashboard.pooled.patience import ANSWER_S, PatientConnection
from migrations_app import prepared
from tests.edge import pools

pytestmark = pytest.mark.django_db  # the fixture `pooled` is a connection of Django's as well

Connection = psycopg.Connection[Any]


@pytest.fixture
def address(target_database: Any) -> str:
    made: str = target_database()
    return made


@pytest.fixture
def connection(address: str) -> Iterator[Connection]:
    with psycopg.connect(address, autocommit=True) as made:
        _give(made)
        yield made


@pytest.fixture
def pooled(address: str) -> Iterator[DatabaseWrapper]:
    with pools.pooled(address, prepare_threshold=1) as made:
        yield made


def _give(connection: Connection, ago: float = 0.0) -> None:
    connection.lockstep_given_at = monotonic() - ago  # type: ignore[attr-defined]


def _statements(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    execute = connection.execute

    def heard(query: str, *given: Any, **options: Any) -> Any:
        asked.append(query)
        return execute(query, *given, **options)

    monkeypatch.setattr(connection, "execute", heard)
    return asked


@contextmanager
def _elsewhere(address: str) -> Iterator[Connection]:
    with psycopg.connect(address, autocommit=True) as other:
        yield other


def test_one_in_use_stands_without_a_question(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _statements(connection, monkeypatch)
    assert stands(connection)
    assert asked == []


@pytest.mark.parametrize("rested", [True, False])
def test_one_that_rested_or_was_never_given_is_asked(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, rested: bool
) -> None:
    asked = _statements(connection, monkeypatch)
    if rested:
        _give(connection, ago=base.RESTED_S + 1)
    else:
        del connection.lockstep_given_at  # type: ignore[attr-defined]
    assert stands(connection)
    assert len(asked) == 1


def test_one_that_the_server_ended_does_not_stand(connection: Connection, address: str) -> None:
    with _elsewhere(address) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
    assert not stands(connection)


def test_one_that_was_only_told_something_stands(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that reads its configuration again says what changed, also to a session at rest."""
    monkeypatch.setattr(base, "_something_to_read", lambda _: True)
    asked = _statements(connection, monkeypatch)
    assert stands(connection)
    assert len(asked) == 1


def test_after_the_server_ended_all_of_them_the_next_request_gets_a_new_one(
    pooled: DatabaseWrapper, address: str
) -> None:
    pooled.pool.open(wait=True)
    with _elsewhere(address) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    with pooled.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_what_every_request_asks_is_prepared_once(pooled: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "connection", pooled)
    for number in range(3):
        assert prepared.one_row("SELECT %s::int + 1", [number]) == (number + 1,)
    assert prepared.one_row("SELECT 1 WHERE %s::int = 0", [1]) is None
    with pooled.cursor() as cursor:
        cursor.execute("SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements ORDER BY 1")
        assert cursor.fetchall() == [("SELECT $1::int + 1", 3), ("SELECT 1 WHERE $1::int = 0", 1)]


def test_a_silent_server_is_given_up(address: str) -> None:
    """Here it is only slow; one that is stopped looks the same from outside."""
    with PatientConnection.connect(address, autocommit=True) as connection:
        connection.patience_s = 0.2
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(600)")
        assert connection.closed


def test_one_that_rested_is_not_waited_for_long(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "CHECK_S", 0.2)
    monkeypatch.setattr(ConnectionPool, "check_connection", lambda asked: asked.execute("SELECT pg_sleep(600)"))
    with PatientConnection.connect(address, autocommit=True) as connection:
        assert not stands(connection)
        assert connection.patience_s == ANSWER_S
