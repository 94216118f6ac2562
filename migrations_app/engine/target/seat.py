"""Whether two sessions are in one and the same database, whatever addresses led there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg

# Every role may read these; the moment of the start tells two servers apart, also a restored copy and its original.
SEAT = """
SELECT oid::bigint, pg_catalog.pg_postmaster_start_time(), pg_catalog.current_setting('port')
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
"""


@dataclass(frozen=True)
class Seat:
    """A database and the running server it is in."""

    database_oid: int
    started: datetime
    port: str


def read_seat(conn: psycopg.Connection) -> Seat:
    row = conn.execute(SEAT).fetchone()
    assert row is not None
    return Seat(*row)
