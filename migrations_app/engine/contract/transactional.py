"""A transactional step: fence check, statements and step row in one transaction; the last one ends the revision.

Table locks are taken in short attempts (see attempts.py), so that readers queued behind us wait at most as long
as one attempt.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Literal

from migrations_app.engine.contract.attempts import LockAttempt, schedule
from migrations_app.engine.contract.failures import LOCK_NOT_AVAILABLE, locks_exhausted, statement_failed
from migrations_app.engine.contract.notices import heard
from migrations_app.engine.contract.receipts import Receipt
from migrations_app.engine.contract.recording import (
    commit_receipt,
    commit_statement_and_receipt,
    commit_step_and_receipt,
    verify,
)
from migrations_app.engine.contract.step_rows import commit_done
from migrations_app.engine.contract.stopping import pause_or_stop, stop_if_asked
from migrations_app.engine.contract.wire import reads_as_parsed, send
from migrations_app.engine.contract.work import FENCE_LOST, Progress, Work, fenced, lost, roll_back
from migrations_app.engine.errors import LockExhausted, LockstepError, StatementFailed
from migrations_app.engine.sql.script import Statement, Step
from migrations_app.engine.target.blockers import Blocker

# These block writers; a statement that holds one is given only `hold_s` beyond its lock attempt.
BLOCKS_WRITERS = frozenset({"SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"})
_VALIDATE_LOCK_S = 60.0
# What they run could end our transaction, so it is looked at before anything is recorded.
_COULD_COMMIT = frozenset({"CALL", "DO"})


def run_step(work: Work, progress: Progress, step: Step | None, *, attempt_row: int, last: bool) -> Receipt | None:
    """Commit one step, and with the last one the receipt; `step` None records a revision without statements.

    Raises LockExhausted, StatementFailed, Stopped, Fenced, ConnectionLost; then the step is rolled back.
    """
    with heard(work, progress, step.n if step else 1):
        return _until_locked(work, progress, step, attempt_row, last)


def _until_locked(work: Work, progress: Progress, step: Step | None, attempt_row: int, last: bool) -> Receipt | None:
    started = told = time.monotonic()  # what was waited until `told` is reported
    blockers: tuple[Blocker, ...] = ()
    tried = 0
    for attempt in schedule(work.deadlock_timeout_s):
        if attempt.for_autovacuum and not _only_autovacuum(blockers):
            continue
        tried += 1
        try:
            return _once(work, progress, step, attempt, attempt_row, last, _ms_since(told))
        except (*LOCK_NOT_AVAILABLE, LockExhausted) as error:  # the latter from a schema that cannot be read
            roll_back(work.conn)
            blockers = work.watch.blockers or blockers
            over = step is not None and time.monotonic() - started + attempt.pause > work.limits.lock_window_s
            _report_attempt(work, progress, step, attempt, blockers, error, waited_ms=_ms_since(told), over=over)
            told = time.monotonic()
        if step is not None and over:
            raise locks_exhausted(progress, step, tried, time.monotonic() - started, blockers)
        pause_or_stop(attempt.pause, work.should_stop)
    raise AssertionError("the schedule has no end")


def _once(
    work: Work,
    progress: Progress,
    step: Step | None,
    attempt: LockAttempt,
    attempt_row: int,
    last: bool,
    waited_ms: int,
) -> Receipt | None:
    began = time.monotonic()
    n = step.n if step else None
    try:
        work.report(progress.event("step_started", _title(progress, step), step=n))
        if step is not None and last and _fits_one_message(work, progress, step):
            receipt: Receipt | None = _in_one_message(work, progress, step, attempt, attempt_row)
        else:
            receipt = _in_parts(work, progress, step, attempt, attempt_row, last)
    except LOCK_NOT_AVAILABLE:
        raise
    except psycopg.Error as error:
        gone = lost(work.conn, f"{progress.revision.revision_id} step {n or 1} was under way")
        roll_back(work.conn)
        if FENCE_LOST in (error.diag.message_primary or ""):
            raise fenced(work) from None
        raise (gone or statement_failed(error, progress, progress.doing, work.should_stop)) from None
    except LockstepError:
        roll_back(work.conn)
        raise
    finally:
        work.watch.disarm()
        progress.doing = None
    _tell_done(work, progress, step, receipt, waited_ms=waited_ms, work_ms=_ms_since(began))
    return receipt


def _fits_one_message(work: Work, progress: Progress, step: Step) -> bool:
    """Whether nothing has to be looked at between the revision's last statement and its COMMIT."""
    return not (
        len(step.statements) > 1
        or step.statements[0].tag in _COULD_COMMIT
        or progress.revision.verify
        or progress.measure_after
        or _opens_alone(progress, step)
        or not reads_as_parsed(work.conn)
    )


def _in_one_message(work: Work, progress: Progress, step: Step, attempt: LockAttempt, attempt_row: int) -> Receipt:
    """The whole transaction at once: its locks are held for no round trip at all."""
    opened = _opening(work, progress, step, attempt) + step.statements[0].text
    _arm(work, progress, step, attempt)
    with _under_way(work, progress, step, 1):
        return commit_statement_and_receipt(work, progress, step, attempt_row, opened)


def _in_parts(
    work: Work, progress: Progress, step: Step | None, attempt: LockAttempt, attempt_row: int, last: bool
) -> Receipt | None:
    """Statement by statement, then verify and the COMMIT."""
    hold = _Hold(_held_s(work, attempt))
    opening = _opening(work, progress, step, attempt)
    if _opens_alone(progress, step):
        send(work.conn, opening)
        opening = ""
    if step is not None:
        _arm(work, progress, step, attempt)
        for number, statement in enumerate(step.statements, start=1):
            if statement is _first_blocking(step):
                _begin_hold(work, progress, step, attempt, hold, number)
            with _under_way(work, progress, step, number):
                send(work.conn, (opening or hold.limit()) + statement.text)
            opening = ""
        work.watch.disarm()
    if last:
        verify(work, progress, hold.limit)
    if limit := hold.limit():
        _run_deferred(work, limit)
    _refuse_escape(work, progress)
    return _record(work, progress, step, attempt_row, last)


def _run_deferred(work: Work, limit: str) -> None:
    """What a COMMIT would run, now: PostgreSQL puts no time limit on it there."""
    with work.canceller.over(work.conn):
        send(work.conn, f"{limit}SET CONSTRAINTS ALL IMMEDIATE")


def _tell_done(
    work: Work, progress: Progress, step: Step | None, receipt: Receipt | None, *, waited_ms: int, work_ms: int
) -> None:
    n, said = step.n if step else None, f"{_title(progress, step)} · {work_ms} ms"
    work.report(progress.event("step_done", said, step=n, wait_ms=waited_ms, work_ms=work_ms))
    if receipt is not None:
        work.report(progress.event("recorded", f"recorded: receipt {receipt.seq}", receipt=receipt))


def _begin_hold(work: Work, progress: Progress, step: Step, attempt: LockAttempt, hold: _Hold, number: int) -> None:
    """The watch was armed for the first statement; one that comes later waits anew."""
    hold.begin()
    if number > 1:
        _arm(work, progress, step, attempt)


class _Hold:
    """How long a step may still keep writers out, from the statement that locks them out to its COMMIT."""

    def __init__(self, allowed_s: float) -> None:
        self._allowed_s = allowed_s
        self._until: float | None = None

    def begin(self) -> None:
        self._until = time.monotonic() + self._allowed_s

    def limit(self) -> str:
        """What to send before the next statement: nothing while no such lock is held."""
        if self._until is None:
            return ""
        left_ms = int((self._until - time.monotonic()) * 1000)
        return f"SET LOCAL statement_timeout = {max(left_ms, 1)}; "


def _record(work: Work, progress: Progress, step: Step | None, attempt_row: int, last: bool) -> Receipt | None:
    """Step row, receipt or both, with the COMMIT; its triggers can be cancelled, and then nothing is committed."""
    with work.canceller.over(work.conn):
        if step is None:
            return commit_receipt(work, progress)
        if last:
            return commit_step_and_receipt(work, progress, step, attempt_row)
        commit_done(work, progress, step, attempt_row)
        return None


def _opening(work: Work, progress: Progress, step: Step | None, attempt: LockAttempt) -> str:
    """Open the transaction, check the fence and set the limits."""
    lock_s, statement_s = _limits(work, step, attempt)
    # What an earlier revision of this run left in the session must not be there for the next one.
    fresh = "DISCARD TEMP; " if step is not None and step.n == 1 else ""
    return (
        f"BEGIN; {fresh}{_parameters(work, progress)}"
        f"EXECUTE lockstep_begin('{int(lock_s * 1000)}ms', '{int(statement_s * 1000)}ms'); "
    )


def _opens_alone(progress: Progress, step: Step | None) -> bool:
    """Else it goes with the first statement, in one round trip; a revision's settings must stand when that is read."""
    return step is None or bool(progress.revision.script.settings)


def _parameters(work: Work, progress: Progress) -> str:
    """The revision's own harmless SETs, for this transaction only."""
    return "".join(
        SQL("SELECT pg_catalog.set_config({}, {}, true); ").format(Literal(name), Literal(value)).as_string(work.conn)
        for name, value in progress.revision.script.settings
    )


def _limits(work: Work, step: Step | None, attempt: LockAttempt) -> tuple[float, float]:
    """(lock_timeout, statement_timeout) in seconds for the step's class."""
    if step is None:
        return attempt.lock_timeout, work.limits.long_statement_s
    if step.timeout_class == "validate":
        return _VALIDATE_LOCK_S, work.limits.long_statement_s
    if step.statements[0] is _first_blocking(step):
        return attempt.lock_timeout, _held_s(work, attempt)
    return attempt.lock_timeout, work.limits.long_statement_s


def _held_s(work: Work, attempt: LockAttempt) -> float:
    return attempt.lock_timeout + work.limits.hold_s


def _first_blocking(step: Step) -> Statement | None:
    """From this statement on the step keeps writers out; what runs before it may take its time."""
    if step.timeout_class == "validate":
        return None
    return next((statement for statement in step.statements if statement.lock in BLOCKS_WRITERS), None)


def _arm(work: Work, progress: Progress, step: Step, attempt: LockAttempt) -> None:
    if attempt.number == 1 and not any(statement.relations for statement in step.statements):
        return
    after = 1.0 if step.timeout_class == "validate" else 0.8 * attempt.lock_timeout
    work.watch.arm(after_s=after, revision_id=progress.revision.revision_id, step=step.n)


@contextmanager
def _under_way(work: Work, progress: Progress, step: Step, number: int) -> Iterator[None]:
    """Around the sending of a statement, which can be cancelled meanwhile; a failure is said to be its."""
    stop_if_asked(work.should_stop)
    progress.doing = step.statements[number - 1]
    about = f"{number}/{len(step.statements)} {progress.doing.summary}"
    work.report(progress.event("statement_started", about, step=step.n, statement=number))
    began = time.monotonic()
    with work.canceller.over(work.conn):
        yield
    took = _ms_since(began)
    work.report(progress.event("statement_done", f"{about} · {took} ms", step=step.n, statement=number, work_ms=took))
    progress.doing = None


def _refuse_escape(work: Work, progress: Progress) -> None:
    if work.conn.info.transaction_status != TransactionStatus.INTRANS:
        raise StatementFailed(
            "transaction_escaped",
            f"{progress.revision.revision_id} ended the transaction it was run in.",
            not_done="No receipt was written; what it committed by itself may stand.",
            next_step="Take transaction statements out of the revision and check the target by hand.",
        )


def _report_attempt(
    work: Work,
    progress: Progress,
    step: Step | None,
    attempt: LockAttempt,
    blockers: tuple[Blocker, ...],
    error: psycopg.Error | LockExhausted,
    *,
    waited_ms: int,
    over: bool,
) -> None:
    """`over`: the window ends here, no attempt follows."""
    lock_s, _ = _limits(work, step, attempt)
    what = _what(error, lock_s)
    holders = "; ".join(blocker.sentence for blocker in blockers[:5])
    work.report(
        progress.event(
            "lock_attempt",
            f"attempt {attempt.number}: {what}, rolled back, "
            + ("the last one in its lock window" if over else f"next in {attempt.pause:.1f} s")
            + (f"; {holders}" if holders else ""),
            step=step.n if step else None,
            level="warning",
            wait_ms=waited_ms,
            blockers=blockers,
        )
    )


def _ms_since(moment: float) -> int:
    return int((time.monotonic() - moment) * 1000)


def _what(error: psycopg.Error | LockExhausted, lock_s: float) -> str:
    if isinstance(error, LockExhausted):
        return error.message.rstrip(".")
    return "deadlock" if error.sqlstate == "40P01" else f"no lock within {lock_s:g} s"


def _only_autovacuum(blockers: tuple[Blocker, ...]) -> bool:
    return bool(blockers) and all(blocker.autovacuum and not blocker.wraparound for blocker in blockers)


def _title(progress: Progress, step: Step | None) -> str:
    revision_id = progress.revision.revision_id
    if step is None:
        return f"{revision_id}: nothing to execute"
    return f"{revision_id} step {step.n}/{len(progress.revision.steps)}"
