"""The lock of a target: one advisory lock on the session that runs the change, and a fence that only grows.

The lock is polled with the try form outside any transaction: a worker that waits inside pg_advisory_lock()
deadlocks the holder's CREATE INDEX CONCURRENTLY. Who gets it raises the fence; a step commits only while its
fence is still the newest, so a holder that was thought dead can no longer commit anything.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from migrations_app.engine.contract.bootstrap import TARGET_KEY
from migrations_app.engine.contract.events import Event, Report, ShouldStop
from migrations_app.engine.contract.stopping import pause_or_stop
from migrations_app.engine.errors import Fenced, LockExhausted, LockstepError
from migrations_app.engine.target.blockers import terminate
from migrations_app.engine.target.holder import Holder, lock_holder

RUN_KEY = (TARGET_KEY, 1)


@dataclass(frozen=True)
class Held:
    """Proof of holding the lock: the fence every step transaction checks."""

    fence: int
    backend_pid: int
    backend_start: datetime
    waited_ms: int


@dataclass(frozen=True)
class Patience:
    """How long to wait for the target's lock, and when a silent backend of this very run may be ended."""

    window_s: float
    poll_s: float
    end_orphan_after_s: float | None  # None: this run never had a backend
    orphan_idle_s: float


def acquire(
    conn: psycopg.Connection,
    *,
    run_id: UUID,
    worker: str,
    patience: Patience,
    report: Report,
    should_stop: ShouldStop,
) -> Held:
    """Poll for the lock, then raise the fence. Raises LockExhausted, Stopped."""
    started = time.monotonic()
    announced = False
    while not _try_lock(conn):
        waited = time.monotonic() - started
        holder = lock_holder(conn, *RUN_KEY)
        if holder and not _end_orphan(conn, holder, run_id, patience, waited, report):
            if waited > patience.window_s:
                raise _exhausted(holder, waited)
            announced = _announce(holder, announced, report)
        pause_or_stop(min(patience.poll_s, 0.25 + waited) * random.uniform(0.8, 1.2), should_stop)  # noqa: S311
    held = _raise_fence(conn, run_id, worker, int((time.monotonic() - started) * 1000))
    report(
        Event(
            "locked",
            f"lock: got it after {held.waited_ms / 1000:.1f} s, fence {held.fence}",
            wait_ms=held.waited_ms,
            fence=held.fence,
            backend_pid=held.backend_pid,
            backend_start=held.backend_start,
        )
    )
    return held


def release(conn: psycopg.Connection) -> None:
    """Give the lock back; PostgreSQL saying it was not ours is a failure, never shrugged off."""
    if not _unlock(conn):
        raise LockstepError(
            "lock_was_not_held",
            "PostgreSQL says that this session did not hold the target's lock when it gave it back.",
            not_done="The receipts are written and fenced all the same.",
            next_step="Look for revisions that call pg_advisory_unlock_all(), or for a pooler in between.",
        )


def _unlock(conn: psycopg.Connection) -> bool:
    """A cancel meant for the statement before may hit this one; then it is simply asked again."""
    try:
        row = conn.execute("SELECT pg_advisory_unlock(%s, %s)", RUN_KEY).fetchone()
    except psycopg.errors.QueryCanceled:
        row = conn.execute("SELECT pg_advisory_unlock(%s, %s)", RUN_KEY).fetchone()
    return bool(row and row[0] is True)


def _try_lock(conn: psycopg.Connection) -> bool:
    row = conn.execute("SELECT pg_try_advisory_lock(%s, %s)", RUN_KEY).fetchone()
    return bool(row and row[0])


def _raise_fence(conn: psycopg.Connection, run_id: UUID, worker: str, waited_ms: int) -> Held:
    """Waits for a stale holder's open transaction to end, so that what is read afterwards is final."""
    row = conn.execute(
        """
        UPDATE lockstep.lock
           SET fence = fence + 1, holder = %s, worker = %s, acquired_at = clock_timestamp(),
               backend_pid = pg_backend_pid(),
               backend_start = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())
         WHERE id = 1 RETURNING fence, backend_pid, backend_start
        """,
        (run_id, worker),
    ).fetchone()
    if row is None:
        raise Fenced(
            "fence_missing",
            "The target has no row in lockstep.lock.",
            not_done="Nothing was applied.",
            next_step="Insert it again: INSERT INTO lockstep.lock DEFAULT VALUES.",
        )
    return Held(row[0], row[1], row[2], waited_ms)


def _end_orphan(
    conn: psycopg.Connection, holder: Holder, run_id: UUID, patience: Patience, waited: float, report: Report
) -> bool:
    """Terminate the holder if it is this run's own silent backend; anybody else's is only shown."""
    due = patience.end_orphan_after_s
    if due is None or not holder.application.startswith(application_prefix(run_id)):
        return False
    # Its own idle time counts as well: every worker that waits for it may die in turn, and would begin anew.
    if waited < due and (holder.idle_s or 0.0) < patience.orphan_idle_s:
        return False
    ended = terminate(conn, holder.pid, holder.backend_start)
    if ended:
        report(
            Event(
                "orphan_ended",
                f"lock: ended pid {holder.pid}, left behind by this run's earlier worker",
                level="warning",
            )
        )
    return ended


def application_prefix(run_id: UUID) -> str:
    """What a session of this run is called in pg_stat_activity, before the revision."""
    return f"lockstep:{run_id}"


def _announce(holder: Holder, announced: bool, report: Report) -> bool:
    if not announced:
        report(Event("lock_wait", f"lock: waiting, {holder.sentence}", level="warning"))
    return True


def _exhausted(holder: Holder, waited: float) -> LockExhausted:
    return LockExhausted(
        "target_lock_exhausted",
        f"The target's lock was not to be had in {waited:.0f} s: {holder.sentence}.",
        not_done="Nothing was applied.",
        next_step="End that session if it should not be there, then apply again.",
    )
