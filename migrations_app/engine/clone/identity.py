"""A clone says that it is a clone: registered under its own number, in its own place, with its original's receipts."""

from __future__ import annotations

from uuid import UUID

import psycopg
from psycopg import sql

from migrations_app.engine.contract.bootstrap import ensure_objects, has_objects
from migrations_app.engine.target.identity import Identity, claim_identity

ADDED = " (rehearsal)"


def register(
    conn: psycopg.Connection, *, installation: UUID, clone: UUID, role: str, original: Identity | None
) -> None:
    """Replace the row that came along.

    It is never adopted: where the cluster of the original is not known, its database and the clone may have the
    same number, and adopting would then refuse the clone as the original.
    """
    if not has_objects(conn):
        # As the first run would have made them in the original.
        conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        ensure_objects(conn)
        conn.execute("RESET ROLE")
    service, name = (original.service, original.name) if original else ("none", "unregistered")
    with conn.transaction():
        conn.execute("DELETE FROM lockstep.identity")
        claim_identity(
            conn,
            installation=installation,
            environment=clone,
            service=service,
            name=name.removesuffix(ADDED) + ADDED,
        )
