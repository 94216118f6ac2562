"""Whether what a way back takes was filled since it was rehearsed: the target is asked in the moment of starting.

A rehearsal of the way back that met an empty column calls it reversible, and rightly so. It counts for days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import psycopg

from migrations_app.admission.conditions import Condition
from migrations_app.engine.clone.unproven import Unfilled, is_filled
from migrations_app.engine.contract.plan import Direction
from migrations_app.engine.errors import LockstepError
from migrations_app.engine.target.connect import open_session
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.models import Environment
from migrations_app.rehearsals.freshness import Freshness
from migrations_app.rehearsals.policy import needs_rehearsal

_PATIENCE = """
SET search_path = ''; SET row_security = off; SET default_transaction_read_only = on;
SET lock_timeout = '2s'; SET statement_timeout = '10s'
"""


def filled_since(environment: Environment, direction: Direction, found: Sequence[Freshness]) -> Iterator[Condition]:
    """Where rolling back needs a rehearsal; what has gone since then cannot be lost."""
    if direction != "down" or not needs_rehearsal(environment, direction):
        return
    told = [
        (one.revision_id, Unfilled(**each))
        for one in found
        if one.part is not None and one.state == "fresh"
        for each in one.part.unfilled
    ]
    if not told:
        return
    try:
        with closing(open_session(resolve_dsn(environment), application_name="lockstep:admission")) as conn:
            conn.execute(_PATIENCE)
            for revision_id, one in told:
                yield from _asked(conn, revision_id, one)
    except LockstepError as failure:
        yield _unknown(told[0][1], failure.message)


def _asked(conn: psycopg.Connection, revision_id: str, one: Unfilled) -> Iterator[Condition]:
    try:
        filled = is_filled(conn, one)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn, psycopg.errors.InvalidSchemaName):
        return
    except psycopg.Error as error:
        yield _unknown(one, error.diag.message_primary or type(error).__name__)
        return
    if filled:
        yield Condition(
            "filled_since",
            f"Rolling back {revision_id} takes {one.name}, which held nothing to lose when it was rehearsed, and was "
            "written to since.",
            "Rehearse the way back again, and see what is lost. Where the clone is a sample that holds none of it, let "
            "an admin set the environment's rehearsal policy to never; on production a second person accepts it then.",
        )


def _unknown(one: Unfilled, why: str) -> Condition:
    return Condition(
        "filled_unknown",
        f"Whether {one.name} was written to since the way back was rehearsed cannot be told: {why}",
        "Try again in a moment, or let an admin set the environment's rehearsal policy to never; on production a "
        "second person accepts it then.",
    )
