"""The target's side of an environment: Lockstep's objects there, and the row that says whose database it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg

from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.errors import ConnectionLost, Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.identity import (
    Identity,
    adopt_identity,
    check_identity,
    claim_identity,
    read_identity,
    release_identity,
)
from migrations_app.models import Environment, Installation

# Registering waits for nobody long: it holds the control database's rows meanwhile.
SESSION_LIMITS = "SET lock_timeout = '5s'; SET statement_timeout = '15s'"


@contextmanager
def fleet_session(address: Dsn) -> Iterator[psycopg.Connection]:
    """A session for a few short statements; the driver's failures become named ones."""
    try:
        with closing(open_session(address, application_name="lockstep:fleet")) as conn:
            conn.execute(SESSION_LIMITS)
            yield conn
    except psycopg.OperationalError as error:
        raise ConnectionLost(
            "target_lost",
            f"The session on {address.safe} ended or waited too long: {error.diag.message_primary or 'no answer'}.",
            not_done="Nothing was stored.",
            next_step="Try again; an unfinished registration is taken over.",
        ) from None
    except psycopg.Error as error:
        raise Refused(
            "target_refused",
            f"{address.safe} refused a statement: {error.diag.message_primary}.",
            not_done="Nothing was stored.",
            next_step="Give the user the rights it lacks in the schema lockstep, then try again.",
        ) from None


def register(conn: psycopg.Connection, environment: Environment, *, adopt: bool, known: bool = False) -> Identity:
    """Lockstep's objects and the identity row, in the target's open transaction.

    `known` environments have receipts: a database that has none of ours is not theirs unless it is adopted.
    """
    installation = Installation.current().uid
    names = {"service": environment.service.name, "name": environment.name}
    found = read_identity(conn)
    if found and found.environment != environment.uid and _is_orphan(found):
        release_identity(conn, environment=found.environment)
        found = None
    if found and adopt:
        return adopt_identity(conn, installation=installation, environment=environment.uid, **names)
    if found is None and known and not adopt:
        return check_identity(conn, environment=environment.uid)
    ensure_objects(conn)
    return claim_identity(conn, installation=installation, environment=environment.uid, **names)


def _is_orphan(identity: Identity) -> bool:
    """Ours, but stored nowhere: an earlier try ended between the two commits, or the environment was removed."""
    ours = identity.installation == Installation.current().uid
    return ours and not Environment.objects.filter(uid=identity.environment).exists()
