"""Lockstep's own database is nobody's target: a run there would change the tables that steer it."""

from __future__ import annotations

import psycopg
from django.db import connection

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.seat import Seat, read_seat


def refuse_control_database(target: psycopg.Connection) -> None:
    """Asked before anything is written to the target."""
    if is_control_database(read_seat(target)):
        raise Refused(
            "control_database",
            "This address leads to the database in which Lockstep keeps its own tables.",
            not_done="Nothing was stored, and nothing was changed there.",
            next_step="Use the address of the service's own database.",
        )


def is_control_database(seat: Seat) -> bool:
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return read_seat(connection.connection) == seat
