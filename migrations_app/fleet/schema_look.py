"""What one session sees of a target's schema. It takes ACCESS SHARE for a moment and can change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from migrations_app.engine.contract.step_rows import read_half_done
from migrations_app.engine.errors import ConnectionLost, Refused
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.ddl_log import Change, changes_since, installed
from migrations_app.engine.target.fingerprint import CatalogueObject, catalogue
from migrations_app.engine.target.identity import check_identity
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.models import Environment

PATIENCE_MS = 500
RUN_IN_PROGRESS = "run_in_progress"
_LIMITS = "SET statement_timeout = '30s'; SET default_transaction_read_only = on"

_NEWEST = """
SELECT seq, head_after, fp_after, server_version_num, applied_at
  FROM lockstep.migration_history ORDER BY seq DESC LIMIT 1
"""


@dataclass(frozen=True)
class Receipt:
    """The newest receipt in the target, as far as a schema is judged by it."""

    seq: int = 0
    head: str = ""
    fp_after: str = ""
    server_version_num: int | None = None
    applied_at: datetime | None = None

    @property
    def key(self) -> str:
        """Another history's receipt of the same number is another one."""
        return f"{self.seq} {self.applied_at.isoformat() if self.applied_at else ''}".strip()


@dataclass(frozen=True)
class Look:
    """What one session saw."""

    objects: tuple[CatalogueObject, ...]
    receipt: Receipt
    half_done: str
    server_version_num: int
    watched: bool
    changes: tuple[Change, ...]

    @property
    def major(self) -> int:
        return self.server_version_num // 10_000


def look(environment: Environment, *, since: datetime) -> Look:
    """Read the target; nothing is stored."""
    with _session(environment) as conn:
        check_identity(conn, environment=environment.uid)
        receipt = _newest_receipt(conn)
        objects = catalogue(conn, patience_ms=PATIENCE_MS)
        if _newest_receipt(conn) != receipt:
            raise run_in_progress(environment)
        return Look(
            objects=objects,
            receipt=receipt,
            half_done=_half_done(conn),
            server_version_num=conn.info.server_version,
            watched=installed(conn),
            changes=changes_since(conn, since),
        )


def run_in_progress(environment: Environment) -> Refused:
    return Refused(
        RUN_IN_PROGRESS,
        f"A run is open on {environment.name}: its schema may be changed in part.",
        not_done="The schema was not read.",
        next_step="It is read by itself once the run has ended.",
    )


@contextmanager
def _session(environment: Environment) -> Iterator[psycopg.Connection]:
    """A session that can change nothing; the driver's failures become named ones."""
    address = resolve_dsn(environment)
    try:
        with closing(open_session(address, application_name="lockstep:schema")) as conn:
            conn.execute(_LIMITS)
            yield conn
    except psycopg.Error as error:
        raise ConnectionLost(
            "schema_unread",
            f"Reading the schema of {environment.name} failed: {error.diag.message_primary or 'the session ended'}.",
            not_done="Nothing was changed in the target.",
            next_step="It is tried again by itself; the environment's page says when it last worked.",
        ) from None


def _newest_receipt(conn: psycopg.Connection) -> Receipt:
    row = conn.execute(_NEWEST).fetchone()
    return Receipt(*row) if row else Receipt()


def _half_done(conn: psycopg.Connection) -> str:
    """The revision of which something stands, or may stand, without a receipt."""
    for (revision_id, _, _), half in read_half_done(conn).items():
        if any(row.status in ("done", "intent") for row in half.rows):
            return revision_id
    return ""
