"""One installation for all faults of this folder: it starts with the first test that asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from migrations_app.embedded.postgres import Server
from migrations_app.embedded.redis import RedisServer
from tests.releases.own_gates.running import Running, none, running

DATABASE = "own_gates"


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, pg18: Server, redis_server: RedisServer) -> Iterator[Running]:
    """`manage.py up` on a database of its own."""
    with psycopg.connect(pg18.dsn, autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
        try:
            folder = tmp_path_factory.mktemp("own gates") / "data"
            folder.mkdir()
            with running(folder, pg18.url(DATABASE), redis_server.url(7)) as found:
                yield found
        finally:
            administrator.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture
def spoiled(up: Running) -> Iterator[Running]:
    """Whatever a test does to the answers is over with it."""
    yield up
    up.proxy.fault = none
