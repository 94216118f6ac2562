"""Databases and roles that are made sure to exist."""

from __future__ import annotations

import psycopg
import pytest

from migrations_app.embedded.databases import Owner, create_database, drop_database
from migrations_app.embedded.postgres import Server


def facts(url: str) -> tuple[object, ...]:
    question = """
        SELECT current_user, current_database(), pg_get_userbyid(datdba), rolsuper
        FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user
    """
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return row


def test_it_makes_a_database_with_an_owner_who_is_no_superuser(pg18: Server) -> None:
    url = create_database(pg18.dsn, 'odd "name"/1', owner=Owner("o'wner", "p@ss/word"))
    assert facts(url) == ("o'wner", 'odd "name"/1', "o'wner", False)
    drop_database(pg18.dsn, 'odd "name"/1')


def test_it_changes_nothing_the_second_time_but_the_password(pg18: Server) -> None:
    owner = Owner("keeper", "first")
    with psycopg.connect(create_database(pg18.dsn, "kept", owner=owner)) as connection:
        connection.execute("CREATE TABLE here ()")
    url = create_database(pg18.dsn, "kept", owner=Owner("keeper", "second"))
    with psycopg.connect(url) as connection:
        connection.execute("SELECT * FROM here")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url.replace("second", "first"))
    drop_database(pg18.dsn, "kept")


def test_without_an_owner_it_belongs_to_the_superuser(pg18: Server) -> None:
    url = create_database(pg18.dsn, "plain")
    assert facts(url) == ("postgres", "plain", "postgres", True)
    drop_database(pg18.dsn, "plain")


def test_dropping_ends_connections_and_may_be_repeated(pg18: Server) -> None:
    connection = psycopg.connect(create_database(pg18.dsn, "doomed"))
    drop_database(pg18.dsn, "doomed")
    drop_database(pg18.dsn, "doomed")
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()


def test_an_owners_password_is_not_in_its_repr() -> None:
    assert "hush" not in repr(Owner("o", "hush"))
