"""Runs a plan for real on a copy and measures each statement: locks, files, rows, WAL, time.

Steps run as the runner would run them, in their transactions and with the revision's own settings, but leave no
receipt. What is told of a relation is told by the name under which it was first seen, also after a rename.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.sql import SQL, Identifier

from migrations_app.engine.clone import snapshot, triggers
from migrations_app.engine.clone.guard import require_clone
from migrations_app.engine.clone.snapshot import CountsFrom, Held, Relation, Snapshot
from migrations_app.engine.clone.triggers import Dropped, Heard
from migrations_app.engine.clone.watching import Watch
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.plan import Plan, PlannedRevision
from migrations_app.engine.contract.wire import send
from migrations_app.engine.errors import ConnectionLost, LockstepError, StatementFailed
from migrations_app.engine.signs import contained
from migrations_app.engine.sql.script import Statement, Step
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn

__all__ = ["Dropped", "StatementTrace", "trace"]

Report = Callable[[str], None]
_FLUSHES_ON_DEMAND = 150000  # pg_stat_force_next_flush()
# Workers count what they read for themselves, out of sight of the session that is looked at.
_ALONE = "SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0"


@dataclass(frozen=True)
class StatementTrace:
    """What one statement did. Locks are those on relations older than the revision, and new with this statement."""

    revision_id: str
    step: int
    statement: int
    summary: str
    locks: tuple[tuple[str, str], ...]
    rewritten: tuple[str, ...]
    scanned: tuple[tuple[str, int], ...]
    dropped: tuple[Dropped, ...]
    rows: tuple[tuple[str, int, int, int], ...]  # relation, inserted, updated, deleted
    wal_bytes: int  # written by the whole server meanwhile
    duration_ms: float
    sampled: bool  # it ran outside a transaction; its locks were seen from a second session
    complete: bool  # False: no event triggers, so `dropped` is what went missing, without cause
    tag: str = ""
    emptied: tuple[str, ...] = ()  # of those rewritten: the new file is empty
    reasons: tuple[tuple[str, str], ...] = ()  # of those rewritten by ALTER TABLE: why
    ran: tuple[str, ...] = ()  # commands, also those inside functions and DO blocks
    phases: tuple[str, ...] = ()  # of a sampled index build

    @property
    def touches_data(self) -> bool:
        """Whether it takes longer the more rows there are."""
        return bool(self.scanned or self.rows or set(self.rewritten) - set(self.emptied))


def trace_from_json(data: Mapping[str, Any]) -> StatementTrace:
    """As dataclasses.asdict() wrote it and JSON kept it; what an earlier version did not measure is empty."""
    pairs = ("locks", "scanned", "rows", "reasons")
    names = ("rewritten", "emptied", "ran", "phases")
    return StatementTrace(
        **{
            **data,
            **{name: tuple(tuple(one) for one in data.get(name, ())) for name in pairs},
            **{name: tuple(data.get(name, ())) for name in names},
            "dropped": tuple(Dropped(**one) for one in data["dropped"]),
        }
    )


def trace(
    dsn: Dsn,
    plan: Plan,
    *,
    clone: UUID,
    report: Report,
    admin: Dsn | None = None,
    canceller: Canceller | None = None,
) -> tuple[StatementTrace, ...]:
    """Execute the plan on the copy `clone` and tell what each statement did; the copy is used up afterwards.

    `admin` is a superuser's way into the same copy, for event triggers; without it the session itself tries.
    `canceller` reaches the statement in progress, which then fails.
    Raises Refused (not that copy), StatementFailed, ConnectionLost.
    """
    with ExitStack() as opened:

        def session(where: Dsn, name: str) -> psycopg.Connection:
            conn = opened.enter_context(closing(open_session(where, application_name=name)))
            require_clone(conn, clone)
            return conn

        conn = session(dsn, "lockstep-trace")
        second = session(admin or dsn, "lockstep-trace-watch")
        complete = triggers.install(second)
        send(conn, _ALONE)
        tracer = _Tracer(conn, Watch(second, conn.info.backend_pid), complete, report, canceller or Canceller())
        return tuple(one for revision in plan.revisions for one in tracer.revision(revision))


@dataclass
class _Tracer:
    conn: psycopg.Connection
    watch: Watch
    complete: bool
    report: Report
    canceller: Canceller
    names: dict[int, str] = field(default_factory=dict)

    def revision(self, revision: PlannedRevision) -> Iterator[StatementTrace]:
        self.report(f"Measuring {revision.revision_id}")
        existing = snapshot.look(self.conn, "none", columns=False).relations
        for step in revision.steps:
            traced = _Traced(revision, step, existing)
            if step.mode == "tx":
                yield from self._transaction(traced)
            else:
                yield self._alone(traced)

    def _transaction(self, about: _Traced) -> Iterator[StatementTrace]:
        """The COMMIT's own work, deferred constraints and triggers, is done with the last statement."""
        send(self.conn, "BEGIN; DISCARD TEMP" if about.step.n == 1 else "BEGIN")
        self._set(about.revision, local=True)
        pid = self.conn.info.backend_pid
        before, held = self._look("xact"), snapshot.held(self.conn, pid)
        for number, statement in enumerate(about.step.statements, start=1):
            triggers.clear(self.conn)
            with self._sent(about, number, statement), _Stopwatch() as watch:
                send(self.conn, statement.text)
                if number == len(about.step.statements):
                    send(self.conn, "SET CONSTRAINTS ALL IMMEDIATE")
            after, now = self._look("xact"), snapshot.held(self.conn, pid)
            new = snapshot.taken(held, now, about.existing)
            yield self._told(about, number, before, after, new, watch.ms)
            before, held = after, now
        with self._sent(about, len(about.step.statements), about.step.statements[-1]):
            send(self.conn, "COMMIT")

    def _alone(self, about: _Traced) -> StatementTrace:
        statement = about.step.statements[0]
        self._set(about.revision, local=False)
        before = self._look(self._reported())
        expected = self._expected(statement, about.existing)
        triggers.clear(self.conn)
        with self.watch.watched() as seen, self._sent(about, 1, statement), _Stopwatch() as watch:
            self.conn.execute(statement.text)
        after = self._look(self._reported())
        self._reset(about.revision)
        # What ended between two looks held at least what such a statement always holds; and an index is locked for
        # its end only once nobody uses it any more.
        held = {oid: mode for oid, mode in {**expected, **seen.locks}.items() if oid in after.relations}
        locks = snapshot.taken({}, held, about.existing)
        return self._told(about, 1, before, after, locks, watch.ms, tuple(seen.phases))

    @contextmanager
    def _sent(self, about: _Traced, number: int, statement: Statement) -> Iterator[None]:
        with _failing_as(self.conn, about, number, statement), self.canceller.over(self.conn):
            yield

    def _look(self, source: CountsFrom) -> Snapshot:
        found = snapshot.look(self.conn, source, columns=not self.complete)
        for oid, relation in found.relations.items():
            self.names.setdefault(oid, relation.name)
        return found

    def _reported(self) -> CountsFrom:
        """Counters outlive their transaction, but are told to the others with a delay of up to a second."""
        if self.conn.info.server_version < _FLUSHES_ON_DEMAND:
            return "none"
        self.conn.execute("SELECT pg_catalog.pg_stat_force_next_flush()")
        return "all"

    def _expected(self, statement: Statement, existing: Mapping[int, Relation]) -> Held:
        """The locks read off the statement's text, by oid; for one that names an index, that on its table."""
        found = {oid: mode for table, mode in statement.locks if (oid := self._oid(table)) is not None}
        condition = statement.postcondition
        if not found and statement.lock and condition and condition.name:
            parts = (condition.schema, condition.name) if condition.schema else (condition.name,)
            oid = self._oid(Identifier(*parts).as_string(self.conn))
            if oid is not None and oid in existing:
                found[existing[oid].table or oid] = statement.lock
        return found

    def _oid(self, name: str) -> int | None:
        row = self.conn.execute("SELECT pg_catalog.to_regclass(%s)::oid::bigint", [name]).fetchone()
        return row[0] if row else None

    def _set(self, revision: PlannedRevision, *, local: bool) -> None:
        for name, value in revision.script.settings:
            self.conn.execute("SELECT pg_catalog.set_config(%s, %s, %s)", (name, value, local))

    def _reset(self, revision: PlannedRevision) -> None:
        for name, _ in revision.script.settings:
            self.conn.execute(SQL("RESET {}").format(Identifier(name)))

    def _told(
        self,
        about: _Traced,
        number: int,
        before: Snapshot,
        after: Snapshot,
        locks: Held,
        ms: float,
        phases: tuple[str, ...] = (),
    ) -> StatementTrace:
        statement = about.step.statements[number - 1]
        heard = triggers.heard(self.conn) if self.complete else Heard(snapshot.gone(before, after))
        files = snapshot.rewritten(before, after)
        counts = snapshot.counted(before, after)
        known = {oid: one for oid, one in counts.items() if oid in self.names}
        return StatementTrace(
            about.revision.revision_id,
            about.step.n,
            number,
            statement.summary,
            locks=self._by_name(locks),
            rewritten=tuple(sorted(self.names[oid] for oid in files)),
            scanned=tuple(sorted((self.names[oid], one.scanned) for oid, one in known.items() if one.scanned)),
            dropped=heard.dropped,
            rows=tuple(sorted(self._changed(known))),
            wal_bytes=after.wal - before.wal,
            duration_ms=ms,
            sampled=about.step.mode != "tx",
            complete=self.complete,
            tag=statement.tag,
            emptied=tuple(sorted(self.names[oid] for oid in snapshot.emptied(self.conn, after, files))),
            reasons=tuple((self.names[oid], why) for oid, why in heard.reasons if oid in self.names),
            ran=heard.ran,
            phases=phases,
        )

    def _by_name(self, locks: Held) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((self.names[oid], mode) for oid, mode in locks.items()))

    def _changed(self, counts: Mapping[int, snapshot.Counts]) -> Iterator[tuple[str, int, int, int]]:
        for oid, one in counts.items():
            if one.inserted or one.updated or one.deleted:
                yield self.names[oid], one.inserted, one.updated, one.deleted


@dataclass(frozen=True)
class _Traced:
    revision: PlannedRevision
    step: Step
    existing: Mapping[int, Relation]  # before the revision


class _Stopwatch:
    ms = 0.0

    def __enter__(self) -> _Stopwatch:
        self._started = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.ms = (time.monotonic() - self._started) * 1000


@contextmanager
def _failing_as(conn: psycopg.Connection, about: _Traced, number: int, statement: Statement) -> Iterator[None]:
    """What PostgreSQL says becomes a failure that names the statement. The copy stays as it is: it is thrown away."""
    try:
        yield
    except psycopg.Error as error:
        failure = _failure(conn, about, number, statement, error)
    else:
        return
    raise failure


def _failure(
    conn: psycopg.Connection, about: _Traced, number: int, statement: Statement, error: psycopg.Error
) -> LockstepError:
    where = f"{about.revision.revision_id}, step {about.step.n}, statement {number} ({statement.summary})"
    if conn.closed or conn.broken:
        return ConnectionLost(
            "clone_lost",
            f"The copy went away while {where} was measured.",
            not_done="Its measuring was not finished; the target was not touched.",
            next_step="Start the rehearsal again.",
        )
    said = error.diag.message_primary or type(error).__name__
    return StatementFailed(
        f"sqlstate_{error.sqlstate or 'unknown'}",
        f"{where} failed on the copy: {contained(said)}.",
        not_done="Its measuring was not finished; the target was not touched.",
        next_step=contained(error.diag.message_hint or "") or "Correct the revision, then rehearse it again.",
    )
