"""Lockstep's own database is nobody's target: a run there would change the tables that steer it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import connection

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.identity import Place, read_place

# Every role may read these; the moment of the start tells two servers apart, whatever address led there.
SERVER = "SELECT pg_catalog.pg_postmaster_start_time(), pg_catalog.current_setting('port')"


@dataclass(frozen=True)
class Seat:
    """A database and the running server it is in."""

    place: Place
    started: datetime
    port: str

    def is_same(self, other: Seat) -> bool:
        if self.place.database_oid != other.place.database_oid:
            return False
        identifiers = (self.place.system_identifier, other.place.system_identifier)
        if "" not in identifiers:
            return identifiers[0] == identifiers[1]
        return (self.started, self.port) == (other.started, other.port)


def read_seat(conn: psycopg.Connection) -> Seat:
    row = conn.execute(SERVER).fetchone()
    assert row is not None
    return Seat(read_place(conn), row[0], row[1])


def refuse_control_database(target: psycopg.Connection) -> None:
    """Asked before anything is written to the target."""
    if not read_seat(target).is_same(_own_seat()):
        return
    raise Refused(
        "control_database",
        "This address leads to the database in which Lockstep keeps its own tables.",
        not_done="Nothing was stored, and nothing was changed there.",
        next_step="Use the address of the service's own database.",
    )


def _own_seat() -> Seat:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return read_seat(connection.connection)
