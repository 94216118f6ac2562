"""The servers a benchmark runs on, and fresh databases on them.

PostgreSQL 18 with its durability on, started for this run alone; `LOCKSTEP_BENCH_DATABASE_URL` names a server to
use instead (its superuser's address). Nothing of Django is imported before `open_house` has set the environment.
"""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from migrations_app.embedded import postgres, pytest_servers
from migrations_app.embedded.databases import create_database, drop_database

GIVEN = "LOCKSTEP_BENCH_DATABASE_URL"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class House:
    """`folder` is for files of this run; it is removed with the house."""

    admin_url: str
    folder: Path

    @contextmanager
    def database(self, purpose: str) -> Iterator[str]:
        """A fresh database's URL; the server is at rest when the block begins."""
        name = f"bench_{purpose}_{os.getpid()}_{next(_numbers)}"
        url = create_database(self.admin_url, name)
        self.settle()
        try:
            yield url
        finally:
            drop_database(self.admin_url, name)

    def settle(self) -> None:
        """What earlier work left to be written is written now, not in the next one's time."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute("CHECKPOINT")

    def setting(self, name: str) -> str:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            row = connection.execute(sql.SQL("SELECT current_setting({})").format(name)).fetchone()
        assert row is not None
        return str(row[0])


@contextmanager
def open_house() -> Iterator[House]:
    """Start the servers, make the control database, and set Django up on it."""
    given = os.environ.get(GIVEN)
    server = None if given else postgres.start(pytest_servers.home() / "durable18", 18)
    try:
        house = House(server.dsn if server else str(given), pytest_servers.home())
        with house.database("control") as control:
            _set_up_django(control)
            yield house
            _close_django()
    finally:
        if server is not None:
            server.stop()


def _set_up_django(control_url: str) -> None:
    os.environ["LOCKSTEP_TEST_DATABASE_URL"] = control_url
    pytest_servers.ensure_environment()
    os.environ["DJANGO_SETTINGS_MODULE"] = "dashboard.settings"
    import django
    from django.core.management import call_command

    from migrations_app.jobs.process import keep_what_is_loaded

    django.setup()
    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    keep_what_is_loaded()  # as the web and worker processes do, for which this one stands in


def _close_django() -> None:
    from django.db import connections

    connections.close_all()
