"""What a run carries through its steps: the session that holds the lock, the limits and the two callbacks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus

from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, Kind, Report, ShouldStop
from migrations_app.engine.contract.lock import Held
from migrations_app.engine.contract.plan import Decision, Direction, PlannedRevision
from migrations_app.engine.errors import ConnectionLost, Fenced

if TYPE_CHECKING:
    from migrations_app.engine.contract.watch import LockWatch
    from migrations_app.engine.sql.script import Statement

FENCE_LOST = "lockstep: the fence is lost"
FENCE_CHECK = "EXECUTE lockstep_fence"


def prepare_fence(fence: int) -> str:
    """Two statements planned once for each holder; each transaction of a step begins with one of them.

    `lockstep_fence` gives no row when the fence is not ours any more. `lockstep_begin` also sets the limits of the
    transaction, $1 for a lock and $2 for a statement; as it is sent together with the step's first statement, a lost
    fence is an error there, which keeps that statement from being run.
    """
    ours = f"FROM lockstep.lock WHERE id = 1 AND fence = {fence:d} FOR SHARE"
    return f"""
    PREPARE lockstep_fence AS SELECT 1 {ours};
    PREPARE lockstep_begin (text, text) AS
    SELECT pg_catalog.set_config('lock_timeout', coalesce((SELECT $1 {ours}), '{FENCE_LOST}'), true),
           pg_catalog.set_config('statement_timeout', $2, true),
           pg_catalog.set_config('idle_in_transaction_session_timeout', '5s', true)
    """


@dataclass(frozen=True)
class Job:
    """Who runs what, as it is written into receipts."""

    run_id: UUID
    operator: str
    worker: str
    environment: UUID
    decisions: tuple[Decision, ...] = ()
    begun: bool = False  # an earlier worker may have committed something already


@dataclass(frozen=True)
class Limits:
    """Patience in seconds."""

    lock_window_s: float = 1800.0  # for the target's lock and for each step's table locks
    hold_s: float = 2.0  # how long a statement may hold a lock that blocks writers
    poll_s: float = 2.0
    long_statement_s: float = 86_400.0
    reconnect_window_s: float = 60.0
    end_orphan_after_s: float | None = None  # how long this worker waits for it; None: the run never had a backend
    orphan_idle_s: float = 90.0  # the same for what has done nothing for so long, however many waited before


@dataclass(frozen=True)
class Work:
    conn: psycopg.Connection
    job: Job
    limits: Limits
    held: Held
    report: Report
    should_stop: ShouldStop
    canceller: Canceller
    watch: LockWatch
    deadlock_timeout_s: float
    server_version_num: int


@dataclass
class Progress:
    """One revision under way: what is known to stand, and when it began."""

    revision: PlannedRevision
    direction: Direction
    cycle: int
    seq: int
    fp_before: str
    measure_after: bool
    started: float = field(default_factory=time.monotonic)
    doing: Statement | None = None  # the statement that was sent and has not been answered

    @property
    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self.started) * 1000)

    def event(self, kind: Kind, message: str, **more: object) -> Event:
        return Event(kind, message, revision_id=self.revision.revision_id, **more)  # type: ignore[arg-type]


def check_fence(work: Work) -> None:
    """Lock our fence row for the rest of the transaction; no row means a newer holder exists."""
    if work.conn.execute(FENCE_CHECK).fetchone() is None:
        raise fenced(work)


def fenced(work: Work) -> Fenced:
    return Fenced(
        "fenced",
        f"Another worker took the target over; fence {work.held.fence} is no longer the newest.",
        not_done="This worker committed nothing after that.",
        next_step="Nothing: the other worker goes on.",
    )


def roll_back(conn: psycopg.Connection) -> None:
    """End a failed transaction; a session that broke has nothing left to roll back."""
    if conn.closed or conn.broken:
        return
    if conn.info.transaction_status != TransactionStatus.IDLE:
        try:
            conn.execute("ROLLBACK")
        except psycopg.OperationalError:
            if not conn.broken:
                raise


def lost(conn: psycopg.Connection, doing: str) -> ConnectionLost | None:
    """The failure to raise when the session broke; None when it is alive and PostgreSQL itself complained."""
    if not (conn.closed or conn.broken):
        return None
    return ConnectionLost(
        "connection_lost",
        f"The connection to the target broke while {doing}.",
        not_done="Whether that took effect is read from the receipts, not guessed.",
        next_step="",
    )
