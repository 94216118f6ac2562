"""A statement that PostgreSQL does not allow in a transaction: announced, run, then believed only by the catalogue.

1. Recover: an intent without a done-row means an earlier try broke off; the catalogue tells what it left.
2. Commit an intent-row (with the fence check) that keeps what the catalogue said before.
3. Run the statement on the session that holds the lock.
4. Look at the catalogue again; half-made leftovers are removed.
5. Commit the done-row, and with a revision's last step verify and receipt.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.sql import SQL, Identifier

from migrations_app.engine.contract.events import Kind
from migrations_app.engine.contract.failures import (
    LOCK_NOT_AVAILABLE,
    not_recorded,
    statement_failed,
    verify_locked_out,
    with_leftover,
)
from migrations_app.engine.contract.measuring import once_readable
from migrations_app.engine.contract.notices import heard
from migrations_app.engine.contract.plan import Decision
from migrations_app.engine.contract.postconditions import Finding, look, repair
from migrations_app.engine.contract.receipts import Receipt
from migrations_app.engine.contract.recording import verify, write_receipt
from migrations_app.engine.contract.step_rows import HalfDone, StepRow, finish_intent, insert_intent
from migrations_app.engine.contract.stopping import pause_or_stop, stop_if_asked
from migrations_app.engine.contract.work import Progress, Work, check_fence, lost, roll_back
from migrations_app.engine.errors import NeedsOperator, StatementFailed, Stopped
from migrations_app.engine.sql.script import Postcondition, Statement, Step

_DEADLOCK_RETRIES = 5
_CANCELLED_S = 30.0
_VERIFY_LOCK_S = 1.0
_UNKNOWN = Postcondition(kind="unknown")


def run_step(work: Work, progress: Progress, step: Step, *, half_done: HalfDone, last: bool) -> Receipt | None:
    """Take the statement to a state the catalogue confirms. Raises StatementFailed, NeedsOperator, Stopped …"""
    with heard(work, progress, step.n):
        return _until_confirmed(work, progress, step, half_done, last)


def _until_confirmed(work: Work, progress: Progress, step: Step, half_done: HalfDone, last: bool) -> Receipt | None:
    statement = step.statements[0]
    expected = statement.postcondition or _UNKNOWN
    began = time.monotonic()
    open_intent = half_done.intent(step.n)
    attempt = half_done.next_attempt(step.n)
    _tell(work, progress, step, "step_started", f"{progress.revision.revision_id}: {statement.summary}")
    with _session_settings(work, progress):
        if open_intent is not None:
            attempt = _recover(work, progress, step, expected, open_intent, attempt)
        if open_intent is None or attempt > open_intent.attempt:
            tried = half_done.tried(step.n)
            _run_until_done(work, progress, step, statement, expected, attempt, tried=tried)
    revision_id = progress.revision.revision_id
    receipt = once_readable(work, lambda: _finish(work, progress, step, attempt, expected, last), revision_id)
    work_ms = int((time.monotonic() - began) * 1000)
    _tell(work, progress, step, "step_done", f"{statement.summary} · {work_ms} ms", work_ms=work_ms)
    if receipt is not None:
        work.report(progress.event("recorded", f"recorded: receipt {receipt.seq}", receipt=receipt))
    return receipt


def _recover(
    work: Work, progress: Progress, step: Step, expected: Postcondition, intent: StepRow, next_attempt: int
) -> int:
    """Decide what a broken-off try left; returns the attempt to finish (its own) or to begin (the next)."""
    decision = _decision(work, progress, step)
    if decision is not None:
        return _follow(work, progress, step, intent, decision, next_attempt)
    finding = _whole(work, progress, step, expected)
    if finding.state == "done" and (intent.evidence or {}).get("before") != "done":
        _tell(
            work,
            progress,
            step,
            "recovered",
            f"an earlier try took effect: {finding.sentence}",
            level="warning",
        )
        return intent.attempt
    if finding.state == "unknown":
        raise _needs_operator(progress, step, finding)
    _close_intent(work, progress, step.n, intent.attempt, {"found": finding.sentence})
    return next_attempt


def _whole(work: Work, progress: Progress, step: Step, expected: Postcondition) -> Finding:
    """The finding with nothing half-made left: removing that may be the rest of the statement itself."""
    finding = _settled(work, progress, step, expected)
    if finding.state != "half":
        return finding
    _repair(work, progress, step, expected)
    return look(work.conn, expected)


def _follow(work: Work, progress: Progress, step: Step, intent: StepRow, decision: Decision, next_attempt: int) -> int:
    said = f"{decision.by} decided that it is {decision.verdict.replace('_', ' ')}: {decision.reason}"
    _tell(work, progress, step, "recovered", said, level="warning")
    if decision.verdict == "done":
        return intent.attempt
    _close_intent(work, progress, step.n, intent.attempt, {"decided": said})
    return next_attempt


def _run_until_done(
    work: Work,
    progress: Progress,
    step: Step,
    statement: Statement,
    expected: Postcondition,
    attempt: int,
    *,
    tried: bool,
) -> None:
    """`tried`: an earlier attempt failed or was cancelled, which does not mean that it had no effect."""
    found = _settled(work, progress, step, expected)
    before = _whole(work, progress, step, expected) if found.state == "half" else found
    _announce(work, progress, step, attempt, before)
    if before.state == "done" and (tried or found.state == "half"):
        said = f"an earlier try took effect: {before.sentence}"
        _tell(work, progress, step, "recovered", said, level="warning")
        return
    for deadlocks in range(_DEADLOCK_RETRIES + 1):
        try:
            _execute(work, progress, step, statement)
            break
        except psycopg.Error as error:
            gone = lost(work.conn, f"{statement.summary} was running")
            if gone is not None:
                raise gone from None
            left = _clean_up(work, progress, step, expected)
            if isinstance(error, errors.DeadlockDetected) and deadlocks < _DEADLOCK_RETRIES:
                _tell(work, progress, step, "lock_attempt", "deadlock, cleaned up, next in 2 s", level="warning")
                pause_or_stop(2.0, work.should_stop)
                continue
            _close_intent(work, progress, step.n, attempt, {"found": left, "error": error.sqlstate or ""})
            failed = statement_failed(error, progress, statement, work.should_stop)
            raise with_leftover(failed, look(work.conn, expected), expected, progress.direction) from None
    _tell(work, progress, step, "nontx_done", f"{statement.summary}: ran, looking at the catalogue")
    after = look(work.conn, expected)
    if after.state in ("half", "busy") or (after.state == "absent" and expected.kind != "rerun"):
        left = _clean_up(work, progress, step, expected)
        _close_intent(work, progress, step.n, attempt, {"found": left})
        raise StatementFailed(
            "postcondition_failed",
            f"{progress.revision.revision_id}: {statement.summary} ended without an error, but {after.sentence}.",
            not_done="No receipt was written.",
            next_step="Look at the target's log, then apply again.",
        )


def _announce(work: Work, progress: Progress, step: Step, attempt: int, before: Finding) -> None:
    with work.conn.transaction():
        check_fence(work)
        insert_intent(work, progress, step, attempt, {"before": before.state, "found": before.sentence})
    _tell(work, progress, step, "intent", f"1/1 {step.statements[0].summary}", statement=1)


def _execute(work: Work, progress: Progress, step: Step, statement: Statement) -> None:
    stop_if_asked(work.should_stop)
    work.watch.arm(after_s=1.0, every_s=2.0, revision_id=progress.revision.revision_id, step=step.n, windowed=False)
    try:
        with work.canceller.over(work.conn):
            work.conn.execute(statement.text)
    finally:
        work.watch.disarm()


def _finish(
    work: Work, progress: Progress, step: Step, attempt: int, expected: Postcondition, last: bool
) -> Receipt | None:
    """Done-row, and with the last step verify and receipt, in one transaction.

    Raises LockExhausted when verify meets a lock: nothing is held here that others wait for, so it is tried again.
    """
    try:
        with work.conn.transaction():
            check_fence(work)
            finish_intent(work, progress, step.n, attempt, "done", {"after": look(work.conn, expected).sentence})
            if not last:
                return None
            _verify(work, progress, step)
            return write_receipt(work, progress)
    except LOCK_NOT_AVAILABLE:
        raise verify_locked_out(progress, work.watch.blockers) from None
    except Stopped as stopped:
        raise not_recorded(stopped, progress) from None
    except psycopg.Error as error:
        gone = lost(work.conn, f"{progress.revision.revision_id} was being recorded")
        failure = gone or statement_failed(error, progress, None, work.should_stop)
        raise (not_recorded(failure, progress) if isinstance(failure, Stopped) else failure) from None


def _verify(work: Work, progress: Progress, step: Step) -> None:
    """With short waits for locks, and a look who is in the way."""
    if not progress.revision.verify:
        return
    work.conn.execute(f"SET LOCAL lock_timeout = {int(_VERIFY_LOCK_S * 1000)}")
    work.watch.arm(after_s=_VERIFY_LOCK_S / 2, revision_id=progress.revision.revision_id, step=step.n)
    try:
        verify(work, progress)
    finally:
        work.watch.disarm()


def _settled(work: Work, progress: Progress, step: Step, expected: Postcondition) -> Finding:
    """The finding once nobody else is building the index; waits for a stranger within the lock window."""
    until = time.monotonic() + work.limits.lock_window_s
    finding = look(work.conn, expected)
    while finding.state == "busy":
        _tell(work, progress, step, "blocked", f"waiting: {finding.sentence}", level="warning")
        if time.monotonic() > until:
            raise _needs_operator(progress, step, finding)
        pause_or_stop(2.0, work.should_stop)
        finding = look(work.conn, expected)
    return finding


def _clean_up(work: Work, progress: Progress, step: Step, expected: Postcondition) -> str:
    """After a failure: remove an invalid index, so that no write pays for it."""
    roll_back(work.conn)
    finding = look(work.conn, expected)
    if finding.state == "half" and expected.kind in ("index_valid", "rerun"):
        return f"{finding.sentence}; {_repair(work, progress, step, expected)}"
    return finding.sentence


def _repair(work: Work, progress: Progress, step: Step, expected: Postcondition) -> str:
    """Not cancellable: it waits, in the open, for whoever still uses the table; after a cancel only for a while."""
    work.watch.arm(after_s=1.0, every_s=2.0, revision_id=progress.revision.revision_id, step=step.n)
    request = work.should_stop()
    patience_s = _CANCELLED_S if request and request.kind == "cancel" else work.limits.lock_window_s
    work.conn.execute(f"SET lock_timeout = {int(patience_s * 1000)}")
    try:
        said = repair(work.conn, expected)
    except errors.LockNotAvailable:
        said = f"what was left half made of {expected.name or expected.table} could not be cleared away yet"
    finally:
        work.watch.disarm()
        if not (work.conn.closed or work.conn.broken):
            work.conn.execute("SET lock_timeout = 0")
    _tell(work, progress, step, "repaired", said, level="warning")
    return said


def _close_intent(work: Work, progress: Progress, n: int, attempt: int, evidence: dict[str, object]) -> None:
    with work.conn.transaction():
        check_fence(work)
        finish_intent(work, progress, n, attempt, "failed", evidence)


def _decision(work: Work, progress: Progress, step: Step) -> Decision | None:
    wanted = (progress.revision.revision_id, step.n)
    return next((d for d in work.job.decisions if (d.revision_id, d.step) == wanted), None)


def _needs_operator(progress: Progress, step: Step, finding: Finding) -> NeedsOperator:
    return NeedsOperator(
        "outcome_unknown",
        f"{progress.revision.revision_id}, step {step.n} ({step.statements[0].summary}) was started and broke off; "
        f"{finding.sentence}.",
        not_done="It was not run again, and nothing after it was run.",
        next_step="Look at the target, then say whether it took effect: done, not done, or abandon.",
    )


def _tell(work: Work, progress: Progress, step: Step, kind: Kind, message: str, **more: object) -> None:
    work.report(progress.event(kind, message, step=step.n, **more))


@contextmanager
def _session_settings(work: Work, progress: Progress) -> Iterator[None]:
    """The limits and the revision's own parameters on the session, taken back afterwards."""
    parameters = progress.revision.script.settings
    conn = work.conn
    conn.execute(f"SET lock_timeout = 0; SET statement_timeout = {int(work.limits.long_statement_s * 1000)}")
    for name, value in parameters:
        conn.execute("SELECT pg_catalog.set_config(%s, %s, false)", (name, value))
    try:
        yield
    finally:
        if not (conn.closed or conn.broken):
            roll_back(conn)
            for name in ("lock_timeout", "statement_timeout", *(name for name, _ in parameters)):
                conn.execute(SQL("RESET {}").format(Identifier(name)))
