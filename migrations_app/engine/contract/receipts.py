"""Receipts in the target. A receipt exists only if the last step of its revision committed with it.

The head is the newest receipt's `head_after`; a roll-back is one more receipt, nothing is ever changed.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg.pq.abc import PGresult
from psycopg.rows import class_row

from migrations_app.engine.errors import StatementFailed


@dataclass(frozen=True)
class Receipt:
    seq: int
    revision_id: str
    parent: str
    direction: str
    cycle: int
    checksum: str
    phase: str
    schema_rev: str
    applied_at: datetime
    operator: str
    run_id: UUID
    fence: int
    fp_before: str
    fp_after: str
    duration_ms: int | None
    server_version_num: int | None

    @property
    def head_after(self) -> str:
        return self.revision_id if self.direction == "up" else self.parent


@dataclass(frozen=True)
class Head:
    """The newest receipt's place; seq 0 and an empty revision before the first."""

    seq: int = 0
    revision_id: str = ""
    fp_after: str = ""


@dataclass(frozen=True)
class Standing:
    """What stands in the target, read once under the lock."""

    head: Head
    applied: dict[str, tuple[str, str]]  # revision_id -> (checksum, parent)
    downs: dict[str, int]  # revision_id -> down receipts so far

    def cycle(self, revision_id: str, direction: str) -> int:
        """1 + earlier down receipts; the down of a cycle carries its up's number."""
        return self.downs.get(revision_id, 0) + 1


_COLUMNS = ", ".join(field.name for field in fields(Receipt))

_READ_AFTER = f"SELECT {_COLUMNS} FROM lockstep.migration_history WHERE seq > %s ORDER BY seq LIMIT %s"  # noqa: S608

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

INSERT = """
    INSERT INTO lockstep.migration_history
      (seq, prev_seq, revision_id, parent, direction, cycle, checksum, phase, schema_rev, operator, run_id, fence,
       fp_before, fp_after, duration_ms, server_version_num, tool_version)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    RETURNING (extract(epoch FROM applied_at) * 1000000)::bigint, duration_ms
"""

# For a receipt sent before its statement is run: $15 is what had passed until then.
INSERT_AHEAD = INSERT.replace(
    "$15",
    "$15::bigint + greatest(0, extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.now()) * 1000)::bigint",
)


def read_head(conn: psycopg.Connection) -> Head:
    row = conn.execute(
        "SELECT seq, head_after, fp_after FROM lockstep.migration_history ORDER BY seq DESC LIMIT 1"
    ).fetchone()
    return Head(*row) if row else Head()


def read_standing(conn: psycopg.Connection) -> Standing:
    """Head, applied revisions and cycles; three queries whatever the number of receipts."""
    downs = conn.execute(
        "SELECT revision_id, count(*) FROM lockstep.migration_history WHERE direction = 'down' GROUP BY 1"
    ).fetchall()
    # Without a roll-back every receipt stands, and the view's sort is spared.
    standing = "lockstep.applied" if downs else "lockstep.migration_history"
    applied = conn.execute(f"SELECT revision_id, checksum, parent FROM {standing}").fetchall()  # noqa: S608  two constants
    return Standing(
        head=read_head(conn),
        applied={revision_id: (checksum, parent) for revision_id, checksum, parent in applied},
        downs=dict(downs),
    )


def read_after(conn: psycopg.Connection, seq: int, limit: int = 5000) -> tuple[Receipt, ...]:
    """Receipts newer than `seq`, oldest first."""
    with conn.cursor(row_factory=class_row(Receipt)) as cursor:
        return tuple(cursor.execute(_READ_AFTER, (seq, limit)).fetchall())


def read_every(conn: psycopg.Connection) -> tuple[Receipt, ...]:
    """All of them, oldest first."""
    receipts: list[Receipt] = []
    while page := read_after(conn, receipts[-1].seq if receipts else 0):
        receipts.extend(page)
    return tuple(receipts)


def values(receipt: Receipt, *, tool_version: str) -> tuple[object, ...]:
    """The parameters of INSERT; the table's constraints refuse gaps, doubles and rivals."""
    return (
        receipt.seq,
        receipt.seq - 1 or None,
        receipt.revision_id,
        receipt.parent,
        receipt.direction,
        receipt.cycle,
        receipt.checksum,
        receipt.phase,
        receipt.schema_rev,
        receipt.operator,
        receipt.run_id,
        receipt.fence,
        receipt.fp_before,
        receipt.fp_after,
        receipt.duration_ms,
        receipt.server_version_num,
        tool_version,
    )


def as_written(receipt: Receipt, inserted: PGresult) -> Receipt:
    """With what INSERT returned: the moment on the target's own clock, and the duration.

    Raises StatementFailed("no_receipt") when it returned nothing, and so is not what was run.
    """
    if inserted.ntuples != 1:
        raise StatementFailed(
            "no_receipt",
            f"The receipt of {receipt.revision_id} was sent, but the target does not say that it has it.",
            not_done="Nothing after it was run.",
            next_step="Look into lockstep.migration_history; the revision may have changed what was prepared.",
        )
    moment, duration_ms = (int(inserted.get_value(0, column) or 0) for column in (0, 1))
    return replace(receipt, applied_at=_EPOCH + timedelta(microseconds=moment), duration_ms=duration_ms)
