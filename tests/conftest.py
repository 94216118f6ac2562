"""Real servers for every test: PostgreSQL 18, 16 and 15 and Redis, started once and ended with the run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import hypothesis
import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from migrations_app.embedded import pytest_servers
from migrations_app.embedded.postgres import Server
from migrations_app.embedded.redis import RedisServer
from migrations_app.health import breaker
from tests import postgres15
from tests.audit_flush import django_db_setup  # noqa: F401  a fixture

# The plugin has done this already when pyproject.toml loads it, as it must for Django's settings.
pytest_servers.ensure_environment()

# A busy machine is slow at making examples, which says nothing about them.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")

_numbers = itertools.count(1)

MakeDatabase = Callable[..., str]


@pytest.fixture(scope="session")
def pg18() -> Server:
    """The run's PostgreSQL 18."""
    return pytest_servers.postgres_server(18)


@pytest.fixture(scope="session")
def pg16() -> Server:
    """The run's PostgreSQL 16, started by the first test that asks for it."""
    return pytest_servers.postgres_server(16)


@pytest.fixture(scope="session")
def redis_server() -> RedisServer:
    """The run's Redis."""
    return pytest_servers.redis_server()


@pytest.fixture(scope="session")
def _administrators() -> Iterator[Callable[[int], psycopg.Connection]]:
    """One connection per server that creates and drops databases."""
    connections: dict[int, psycopg.Connection] = {}

    def administrator(major: int) -> psycopg.Connection:
        if major not in connections:
            connections[major] = psycopg.connect(pytest_servers.postgres_server(major).dsn, autocommit=True)
        return connections[major]

    yield administrator
    for connection in connections.values():
        connection.close()


@pytest.fixture
def target_database(_administrators: Callable[[int], psycopg.Connection]) -> Iterator[MakeDatabase]:
    """Make a fresh empty database and get its superuser URL: `target_database()` or `(major=16)`.

    It is dropped after the test, whoever is still connected. Without a PostgreSQL 15 a test of that is skipped.
    """
    made: list[tuple[int, str]] = []

    def make(*, major: int = 18, name: str | None = None) -> str:
        if major == 15:
            postgres15.require()
        database = name or f"target_{next(_numbers)}"
        _administrators(major).execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(database))
        )
        made.append((major, database))
        return pytest_servers.postgres_server(major).url(database)

    yield make
    for major, database in made:
        _administrators(major).execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
        )


@pytest.fixture(autouse=True)
def _no_anchor_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LOCKSTEP_ANCHOR_FILE", str(settings.LOCKSTEP_DATA_DIR / f"anchors-{next(_numbers)}"))


@pytest.fixture(autouse=True)
def _no_glance_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.glance.KEPT_S", 0.0)
    # Which releases their schema refuses, and whose glass is broken, is asked now and then; a test of that says when.
    for last, nothing in (("_last", ()), ("_last_glass", None)):
        for name, value in (("found", nothing), ("key", None), ("at", float("inf"))):
            monkeypatch.setattr(f"dashboard.mismatched.{last}.{name}", value)


@pytest.fixture(autouse=True)
def _no_breaker_of_another_test() -> Iterator[None]:
    yield
    breaker.forget()


@pytest.fixture(autouse=True)
def _no_look_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "HEALTH_MEMO_TTL_SECONDS", 0.0)
