"""The rows of lockstep.step: a done-row commits with its step, an intent-row before what cannot be rolled back."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from migrations_app.engine.contract.wire import Prepared
from migrations_app.engine.contract.work import Progress, Work
from migrations_app.engine.sql.script import Step


@dataclass(frozen=True)
class StepRow:
    n: int
    attempt: int
    status: str  # intent | done | failed
    sql_sha256: str
    evidence: dict[str, object] | None


@dataclass(frozen=True)
class HalfDone:
    """The step rows of a revision that has no receipt for this cycle yet."""

    rows: tuple[StepRow, ...] = ()

    def done(self, n: int) -> StepRow | None:
        return next((row for row in self.rows if row.n == n and row.status == "done"), None)

    def intent(self, n: int) -> StepRow | None:
        return next((row for row in reversed(self.rows) if row.n == n and row.status == "intent"), None)

    def tried(self, n: int) -> bool:
        """Whether an attempt that is closed as failed found the effect missing when it began."""
        return any(
            row.n == n and row.status == "failed" and (row.evidence or {}).get("before") != "done" for row in self.rows
        )

    def next_attempt(self, n: int) -> int:
        return 1 + max((row.attempt for row in self.rows if row.n == n), default=0)

    @property
    def started(self) -> bool:
        return any(row.status in ("done", "intent") for row in self.rows)


Key = tuple[str, int, str]  # revision_id, cycle, direction

_READ = """
SELECT revision_id, cycle, direction, n, attempt, status, sql_sha256, evidence
  FROM lockstep.step s
 WHERE NOT EXISTS (SELECT FROM lockstep.migration_history h
                    WHERE (h.revision_id, h.cycle, h.direction) = (s.revision_id, s.cycle, s.direction))
 ORDER BY revision_id, cycle, direction, n, attempt
"""


INSERT_DONE = """
    INSERT INTO lockstep.step (revision_id, cycle, direction, n, attempt, run_id, sql_sha256, mode, status,
                               fence, backend_pid, backend_start, xid, started_at, finished_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'tx', 'done', $8, $9, $10, pg_catalog.pg_current_xact_id(),
            pg_catalog.now(), pg_catalog.clock_timestamp())
"""
_DONE = Prepared("lockstep_step_done", INSERT_DONE)


def read_half_done(conn: psycopg.Connection) -> dict[Key, HalfDone]:
    """Every revision with step rows but no receipt; usually none, at most one."""
    found: dict[Key, list[StepRow]] = defaultdict(list)
    for revision_id, cycle, direction, *row in conn.execute(_READ).fetchall():
        found[revision_id, cycle, direction].append(StepRow(*row))
    return {key: HalfDone(tuple(rows)) for key, rows in found.items()}


def commit_done(work: Work, progress: Progress, step: Step, attempt: int) -> None:
    """Insert the row in the step's own transaction and commit."""
    _DONE.send_and_commit(work.conn, *done_values(work, progress, step, attempt))


def done_values(work: Work, progress: Progress, step: Step, attempt: int) -> tuple[object, ...]:
    """The parameters of INSERT_DONE."""
    return (*_key(progress), step.n, attempt, work.job.run_id, step.sha256, *_holder(work))


def insert_intent(work: Work, progress: Progress, step: Step, attempt: int, evidence: dict[str, object]) -> None:
    work.conn.execute(
        """
        INSERT INTO lockstep.step (revision_id, cycle, direction, n, attempt, run_id, sql_sha256, mode, status,
                                   fence, backend_pid, backend_start, evidence)
        VALUES (%s, %s, %s, %s, %s, %s, %s, 'nontx', 'intent', %s, %s, %s, %s)
        """,
        (
            *_key(progress),
            step.n,
            attempt,
            work.job.run_id,
            step.sha256,
            *_holder(work),
            json.dumps(evidence),
        ),
    )


def finish_intent(
    work: Work, progress: Progress, n: int, attempt: int, status: str, evidence: dict[str, object]
) -> None:
    """Turn an intent into done or failed, adding to what was seen before."""
    work.conn.execute(
        """
        UPDATE lockstep.step
           SET status = %s, finished_at = clock_timestamp(), evidence = coalesce(evidence, '{}') || %s
         WHERE (revision_id, cycle, direction, n, attempt, status) = (%s, %s, %s, %s, %s, 'intent')
        """,
        (status, json.dumps(evidence), *_key(progress), n, attempt),
    )


def _key(progress: Progress) -> Key:
    return progress.revision.revision_id, progress.cycle, progress.direction


def _holder(work: Work) -> Iterable[object]:
    return work.held.fence, work.held.backend_pid, work.held.backend_start
