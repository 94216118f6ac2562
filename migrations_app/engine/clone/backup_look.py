"""What a database says of itself that is to be rehearsed on as a restored backup. It is only read."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from migrations_app.engine.clone.server import APPLICATION
from migrations_app.engine.clone.source import named_failures, refuse_clone
from migrations_app.engine.contract.bootstrap import has_objects
from migrations_app.engine.contract.receipts import Receipt, read_every
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.identity import Identity, Place, read_identity, read_place
from migrations_app.engine.target.seat import Seat, read_seat


@dataclass(frozen=True)
class BackupSeen:
    """`seat` tells it from its original; the receipts tell how old it is."""

    seat: Seat
    place: Place
    major: int
    identity: Identity | None
    receipts: tuple[Receipt, ...]


def look_at_backup(dsn: Dsn) -> BackupSeen:
    """Raises Refused("source_is_a_clone"), or what keeps it from being read."""
    with closing(open_session(dsn, application_name=APPLICATION)) as conn, named_failures("the backup"):
        identity = read_identity(conn)
        refuse_clone(conn.info.dbname, identity)
        receipts = read_every(conn) if has_objects(conn) else ()
        major = conn.info.server_version // 10000
        return BackupSeen(read_seat(conn), read_place(conn), major, identity, receipts)
