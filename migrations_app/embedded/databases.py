"""Databases and roles on a server: made sure to exist, changed only where they differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql


@dataclass(frozen=True)
class Owner:
    """A role that may log in and owns a database."""

    name: str
    password: str = field(repr=False)


def create_database(admin_url: str, name: str, *, owner: Owner | None = None) -> str:
    """Make sure the database exists, owned by `owner` with its present password; return its TCP URL."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if owner is not None:
            _ensure_role(connection, owner)
        if not _exists(connection, name):
            _create(connection, name, owner)
    return _url_of(admin_url, name, owner)


def drop_database(admin_url: str, name: str) -> None:
    """Remove the database, ending whatever is still connected to it."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _url_of(admin_url: str, name: str, owner: Owner | None) -> str:
    parts = urlsplit(admin_url)
    account, _, place = parts.netloc.rpartition("@")
    if owner is not None:
        account = f"{quote(owner.name, safe='')}:{quote(owner.password, safe='')}"
    return parts._replace(netloc=f"{account}@{place}", path=f"/{quote(name, safe='')}").geturl()


def _exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _create(connection: psycopg.Connection, name: str, owner: Owner | None) -> None:
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if owner is not None:
        statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner.name))
    connection.execute(statement)


def _ensure_role(connection: psycopg.Connection, owner: Owner) -> None:
    """The password is sent as a SCRAM verifier, so it can't end in a log."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner.name]).fetchone()
    verb = sql.SQL("ALTER ROLE" if known else "CREATE ROLE")
    verifier = connection.pgconn.encrypt_password(
        owner.password.encode(), owner.name.encode(), b"scram-sha-256"
    ).decode()
    connection.execute(
        verb + sql.SQL(" {} LOGIN PASSWORD {}").format(sql.Identifier(owner.name), sql.Literal(verifier))
    )
