"""A database with one of everything, and lists of what may be done to it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql

HERE = Path(__file__).parent
ROLES = ("fp_app", "fp_ann", "fp_bob")


class Change(NamedTuple):
    named: str
    statement: str


def fill(conn: psycopg.Connection) -> None:
    """The rich schema of this server's version; roles outlive the database and are made once."""
    for role in ROLES:
        if not conn.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount:
            conn.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
    conn.execute((HERE / "rich_schema.sql").read_bytes())
    if conn.info.server_version >= 180000:
        conn.execute((HERE / "rich_schema_18.sql").read_bytes())


def changes(conn: psycopg.Connection) -> list[Change]:
    """Those that this server knows."""
    found = []
    for line in _lines("changes.txt", conn):
        if line.startswith("18: ") and conn.info.server_version < 180000:
            continue
        named, statement = line.removeprefix("18: ").split(" | ", 1)
        found.append(Change(named, statement))
    return found


def no_changes(conn: psycopg.Connection) -> list[str]:
    return _lines("no_changes.txt", conn)


def _lines(name: str, conn: psycopg.Connection) -> list[str]:
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.replace(':"database"', f'"{conn.info.dbname}"') for line in lines if not line.startswith("#")]
