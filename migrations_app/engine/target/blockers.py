"""Who is in the way of a session, who waits behind it, and how to end exactly that session and no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from migrations_app.engine.errors import Refused
from migrations_app.engine.target.holder import Holder, lock_holder
from migrations_app.engine.target.queries import read_sql

__all__ = [
    "Blocker",
    "Holder",
    "cancel",
    "lock_holder",
    "root_blockers",
    "terminate",
    "waiters_behind",
    "who_blocks",
]

WHO_BLOCKS = read_sql("who_blocks.sql")
ROOT_BLOCKERS = read_sql("root_blockers.sql")
WAITERS_BEHIND = "SELECT count(*) FROM pg_locks WHERE NOT granted AND %s = ANY (pg_blocking_pids(pid))"

MODES = {
    "AccessShareLock": "ACCESS SHARE",
    "RowShareLock": "ROW SHARE",
    "RowExclusiveLock": "ROW EXCLUSIVE",
    "ShareUpdateExclusiveLock": "SHARE UPDATE EXCLUSIVE",
    "ShareLock": "SHARE",
    "ShareRowExclusiveLock": "SHARE ROW EXCLUSIVE",
    "ExclusiveLock": "EXCLUSIVE",
    "AccessExclusiveLock": "ACCESS EXCLUSIVE",
}


@dataclass(frozen=True)
class Blocker:
    """One session in the way. Without pg_read_all_stats only others' pid, user and application are known."""

    pid: int  # 0: a prepared transaction, which has no session
    backend_start: datetime | None
    backend_type: str | None
    user: str | None
    application: str | None
    state: str | None
    transaction_age_s: float | None
    query_age_s: float | None  # since the query began, or since the session went idle
    query: str  # may be "<insufficient privilege>"
    mode: str | None  # on the relation waited for; None when the wait is for a transaction
    relation: str | None
    queued: bool  # waits itself, ahead in the queue
    autovacuum: bool
    wraparound: bool

    @property
    def sentence(self) -> str:
        """Who does what to which table, for the run's page."""
        if self.pid == 0:
            return f"a prepared transaction (see pg_prepared_xacts) {self._deed}"
        return f"pid {self.pid}{self._who} {self._deed}"

    @property
    def _who(self) -> str:
        name = self.application or self.user or self.backend_type or ""
        if self.autovacuum:
            name = "autovacuum to prevent wraparound" if self.wraparound else "autovacuum"
        known = [name, self._doing] if self._doing else [name]
        return f" ({', '.join(known)})" if name else ""

    @property
    def _doing(self) -> str:
        if not self.state or self.query_age_s is None:
            return ""
        return f"{self.state} for {_spoken_age(self.query_age_s)}"

    @property
    def _deed(self) -> str:
        if self.relation is None or self.mode is None:
            return "has an open transaction that must end first"
        verb = "waits ahead for" if self.queued else "holds"
        return f"{verb} {MODES.get(self.mode, self.mode)} on {self.relation}"


def who_blocks(conn: psycopg.Connection, pid: int) -> tuple[Blocker, ...]:
    """Every session that `pid` waits for right now; ask from another session, before its lock_timeout."""
    with conn.cursor(row_factory=class_row(Blocker)) as cursor:
        return tuple(cursor.execute(WHO_BLOCKS, {"pid": pid}).fetchall())


def root_blockers(conn: psycopg.Connection, pid: int) -> tuple[int, ...]:
    """The pids at the far end of the chain: they wait for nobody, so ending them helps."""
    return tuple(row[0] for row in conn.execute(ROOT_BLOCKERS, {"pid": pid}).fetchall())


def waiters_behind(conn: psycopg.Connection, pid: int) -> int:
    """How many sessions wait because of `pid`."""
    row = conn.execute(WAITERS_BEHIND, [pid]).fetchone()
    assert row is not None
    return int(row[0])


def cancel(conn: psycopg.Connection, pid: int, backend_start: datetime | None) -> bool:
    """Cancel the statement of exactly this session; False when the session is gone or another one."""
    return _signal(conn, "pg_cancel_backend", pid, backend_start)


def terminate(conn: psycopg.Connection, pid: int, backend_start: datetime | None) -> bool:
    """End exactly this session; False when it is gone or the pid now belongs to another one."""
    return _signal(conn, "pg_terminate_backend", pid, backend_start)


def _signal(conn: psycopg.Connection, function: str, pid: int, backend_start: datetime | None) -> bool:
    # The condition guards against a pid that was given to a new session in between; it never holds for None.
    query = psycopg.sql.SQL("SELECT {}(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s")
    try:
        row = conn.execute(query.format(psycopg.sql.Identifier(function)), [pid, backend_start]).fetchone()
    except psycopg.errors.InsufficientPrivilege as error:
        raise _not_ours(pid) from error
    return row is not None and bool(row[0])


def _not_ours(pid: int) -> Refused:
    return Refused(
        "missing_rights",
        f"The target's user may not end the session with pid {pid}.",
        not_done="The session was left alone.",
        next_step="Ask the database's administrator to end it, or to grant pg_signal_backend.",
    )


def _spoken_age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"
