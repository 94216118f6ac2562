"""The demonstration's target databases: made on the embedded servers and filled with the shop's rows."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.conf import settings
from psycopg.sql import SQL, Identifier

from migrations_app.embedded import secret, targets
from migrations_app.engine.errors import Refused
from migrations_app.management.demo_fleet import Place

TABLES = ("categories", "products", "customers", "orders", "order_lines", "orders_events", "addresses")


@dataclass(frozen=True)
class Facts:
    version: str
    rows: int


def require_server(major: int) -> None:
    """Refuse before anything is made when a server is missing."""
    if not os.environ.get(targets.variable(major)):
        raise Refused(
            "no_embedded_server",
            f"{targets.variable(major)} is not set: no PostgreSQL {major} is known for the demonstration.",
            not_done="Nothing was seeded.",
            next_step="Start `manage.py up`, which sets it, or set it to a spare server's superuser URL.",
        )


def ensure(place: Place) -> str:
    """Make sure the database and its owner exist; return the reference that an environment keeps."""
    return targets.make_target(settings.LOCKSTEP_DATA_DIR, place.database, major=place.major)


def load(place: Place, file: Path, *, unless_rows_in: str = "") -> None:
    """Run a file of the application's rows in one transaction, unless the table it fills has rows."""
    with connect(place) as conn:
        if unless_rows_in and _has_rows(conn, unless_rows_in):
            return
        # One string of several statements, so the parameters are bound here.
        psycopg.ClientCursor(conn).execute(file.read_bytes(), {"customers": place.customers})


def facts(place: Place) -> Facts:
    """What the database is and how many of the shop's rows it holds."""
    with connect(place) as conn:
        rows = sum(_count(conn, table) for table in TABLES if _exists(conn, table))
        return Facts(version=conn.info.parameter_status("server_version") or "", rows=rows)


def connect(place: Place) -> psycopg.Connection:
    """As the application does."""
    url = secret.read(Path(ensure(place).removeprefix("file:")))
    return psycopg.connect(url or "", application_name="storefront", autocommit=False)


def _exists(conn: psycopg.Connection, table: str) -> bool:
    row = conn.execute("SELECT to_regclass(%s) IS NOT NULL", [table]).fetchone()
    return bool(row and row[0])


def _has_rows(conn: psycopg.Connection, table: str) -> bool:
    row = conn.execute(SQL("SELECT EXISTS (SELECT FROM {})").format(Identifier(table))).fetchone()
    return bool(row and row[0])


def _count(conn: psycopg.Connection, table: str) -> int:
    row = conn.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table))).fetchone()
    return int(row[0]) if row else 0
