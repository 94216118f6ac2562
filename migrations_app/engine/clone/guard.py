"""Proof that a session is in a clone, asked before anything is done there that must never reach an original."""

from __future__ import annotations

from uuid import UUID

import psycopg

from migrations_app.engine.clone.names import names_clone
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.identity import check_identity


def require_clone(conn: psycopg.Connection, clone: UUID) -> None:
    """Both must hold: the database has this clone's name, and the row in it says that it is this clone, here."""
    row = conn.execute("SELECT pg_catalog.current_database()").fetchone()
    name = row[0] if row is not None else ""
    if not names_clone(name, clone):
        raise _not_a_clone(f"The database {name} does not have this clone's name.")
    try:
        check_identity(conn, environment=clone)
    except Refused as refusal:
        raise _not_a_clone(f"The database {name} does not say that it is this clone. {refusal.message}") from refusal


def _not_a_clone(why: str) -> Refused:
    return Refused(
        "not_a_clone",
        why,
        not_done="Nothing was changed in it.",
        next_step="Begin the rehearsal anew: it makes a clone of its own.",
    )
