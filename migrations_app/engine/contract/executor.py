"""Runs a plan on one target, revision by revision, exactly once each.

1. Connect, prove the session is direct and the database is the right one.
2. Take the target's lock and raise the fence.
3. Read what stands: the receipts, and half-done steps where something is to be done.
4. For each revision: already applied with the same bytes is a success; otherwise its steps, then its receipt.
5. Record comes before release: a second runner must never find the lock free and the receipt missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import psycopg

from migrations_app.engine.contract import nontransactional, transactional
from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, Report, ShouldStop
from migrations_app.engine.contract.lock import Patience, acquire, application_prefix, release
from migrations_app.engine.contract.measuring import once_readable
from migrations_app.engine.contract.plan import Plan, PlannedRevision
from migrations_app.engine.contract.receipts import Head, Standing, read_standing
from migrations_app.engine.contract.recording import UNMEASURED, make_ready
from migrations_app.engine.contract.step_rows import HalfDone, Key, read_half_done
from migrations_app.engine.contract.stopping import stop_if_asked
from migrations_app.engine.contract.unfinished import refuse_to_turn_back
from migrations_app.engine.contract.watch import LockWatch
from migrations_app.engine.contract.work import Job, Limits, Progress, Work, lost, prepare_fence
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target import fingerprint
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.identity import check_identity
from migrations_app.engine.target.pooler import open_direct


@dataclass(frozen=True)
class Outcome:
    """How many revisions this execution did, and how many it found done."""

    done: int
    already: int
    head: Head


def execute(
    plan: Plan,
    dsn: Dsn,
    *,
    job: Job,
    limits: Limits,
    report: Report,
    should_stop: ShouldStop,
    canceller: Canceller,
) -> Outcome:
    """One connection's worth of work on a plan. Safe to call again at any time: the receipts decide.

    Raises the named failures of engine.errors; what was committed before stands and is recorded.
    """
    conn = open_direct(dsn, application_name=application_prefix(job.run_id))
    try:
        return _with_session(conn, plan, dsn, job, limits, report, should_stop, canceller)
    except psycopg.Error as error:
        gone = lost(conn, "the run was under way")
        if gone is None:
            raise
        raise gone from error
    finally:
        conn.close()


def _with_session(
    conn: psycopg.Connection,
    plan: Plan,
    dsn: Dsn,
    job: Job,
    limits: Limits,
    report: Report,
    should_stop: ShouldStop,
    canceller: Canceller,
) -> Outcome:
    ensure_objects(conn)
    check_identity(conn, environment=job.environment)
    report(Event("connected", f"connected to {dsn.safe}, PostgreSQL {conn.info.server_version // 10000}"))
    patience = Patience(limits.lock_window_s, limits.poll_s, limits.end_orphan_after_s, limits.orphan_idle_s)
    held = acquire(
        conn, run_id=job.run_id, worker=job.worker, patience=patience, report=report, should_stop=should_stop
    )
    watch = LockWatch(dsn, held.backend_pid, report)
    version, deadlock_timeout = conn.info.server_version, _deadlock_timeout(conn)
    work = Work(conn, job, limits, held, report, should_stop, canceller, watch, deadlock_timeout, version)
    try:
        conn.execute(prepare_fence(held.fence))
        report(Event("fenced", f"fence {held.fence} is in the target", fence=held.fence))
        outcome = _run_all(work, plan)
    except LockstepError:
        if not (conn.closed or conn.broken):
            release(conn)
        raise
    finally:
        watch.close()
    _release_after_success(conn, report)
    return outcome


def _release_after_success(conn: psycopg.Connection, report: Report) -> None:
    """The receipts are committed: a lock that a revision gave away itself is told, not called a failure."""
    try:
        release(conn)
    except LockstepError as failure:
        report(Event("released", failure.sentence, level="error"))
        return
    report(Event("released", "released the target's lock"))


def _run_all(work: Work, plan: Plan) -> Outcome:
    standing = read_standing(work.conn)
    pending = _pending(work, plan, standing)
    half_done = _made_ready(work, plan) if pending else {}
    head = standing.head
    for number, revision in enumerate(pending, start=1):
        stop_if_asked(work.should_stop)
        cycle = standing.cycle(revision.revision_id, plan.direction)
        half = half_done.get((revision.revision_id, cycle, plan.direction), HalfDone())
        progress = Progress(
            revision=revision,
            direction=plan.direction,
            cycle=cycle,
            seq=head.seq + 1,
            fp_before=_before(work, number, half, head),
            measure_after=number == len(pending),
        )
        _refuse_out_of_order(progress, head)
        head = _run_revision(work, progress, half)
    return Outcome(done=len(pending), already=len(plan.revisions) - len(pending), head=head)


def _made_ready(work: Work, plan: Plan) -> dict[Key, HalfDone]:
    """What stands half-way, once it is known that something is to be run and recorded."""
    half_done = read_half_done(work.conn)
    refuse_to_turn_back(plan, half_done)
    make_ready(work.conn)
    return half_done


def _pending(work: Work, plan: Plan, standing: Standing) -> tuple[PlannedRevision, ...]:
    """What is not done yet. Raises Refused for what the receipts contradict."""
    pending = _not_applied(plan, standing) if plan.direction == "up" else _not_rolled_back(plan, standing)
    found = len(plan.revisions) - len(pending)
    if found:
        word = "applied" if plan.direction == "up" else "rolled back"
        work.report(Event("already_applied", f"{found} of {len(plan.revisions)} revisions were {word} already"))
    return pending


def _not_applied(plan: Plan, standing: Standing) -> tuple[PlannedRevision, ...]:
    """Raises Refused("checksum_mismatch") for an applied revision with other bytes."""
    applied = standing.applied
    pending = tuple(one for one in plan.revisions if applied.get(one.revision_id) != (one.up_checksum, one.parent))
    for revision in pending:
        if revision.revision_id in applied:
            raise _other_bytes(revision, *applied[revision.revision_id])
    return pending


def _not_rolled_back(plan: Plan, standing: Standing) -> tuple[PlannedRevision, ...]:
    """Raises Refused("not_applied") for a revision that never stood."""
    for revision in plan.revisions:
        if revision.revision_id not in standing.applied and not standing.downs.get(revision.revision_id):
            raise _never_applied(revision)
    return tuple(one for one in plan.revisions if one.revision_id in standing.applied)


def _run_revision(work: Work, progress: Progress, half: HalfDone) -> Head:
    """Execute the steps that have no done-row; the last transaction writes the receipt."""
    steps = progress.revision.steps
    _refuse_changed_steps(progress, half)
    todo = [step for step in steps if half.done(step.n) is None]
    receipt = None
    for step in todo:
        stop_if_asked(work.should_stop)
        last = step is todo[-1]
        if step.mode == "nontx":
            receipt = nontransactional.run_step(work, progress, step, half_done=half, last=last)
        else:
            attempt = half.next_attempt(step.n)
            receipt = transactional.run_step(work, progress, step, attempt_row=attempt, last=last)
    if receipt is None:
        receipt = transactional.run_step(work, progress, None, attempt_row=1, last=True)
    assert receipt is not None
    return Head(receipt.seq, receipt.head_after, receipt.fp_after)


def _before(work: Work, number: int, half: HalfDone, head: Head) -> str:
    """Measured at the start of a run; in its middle the previous receipt's word is taken."""
    if half.started:
        return UNMEASURED
    return once_readable(work, lambda: fingerprint.take(work.conn)) if number == 1 else head.fp_after


def _other_bytes(revision: PlannedRevision, checksum: str, parent: str) -> Refused:
    what = "other bytes" if checksum != revision.up_checksum else f"another parent ({parent or 'none'})"
    return Refused(
        "checksum_mismatch",
        f"{revision.revision_id} is applied in the target with {what} than the revision has now.",
        not_done="It was not run again, and nothing after it was run.",
        next_step="Bring back the bytes that were applied, and put the change into a new revision.",
    )


def _never_applied(revision: PlannedRevision) -> Refused:
    return Refused(
        "not_applied",
        f"{revision.revision_id} has no receipt in the target, so there is nothing to roll back.",
        not_done="Nothing was run.",
        next_step="Compare the environment with its target; it may have been restored or recreated.",
    )


def _refuse_out_of_order(progress: Progress, head: Head) -> None:
    revision = progress.revision
    expected = revision.parent if progress.direction == "up" else revision.revision_id
    if head.revision_id == expected:
        return
    verb = "applied after" if progress.direction == "up" else "rolled back from"
    raise Refused(
        "out_of_order",
        f"{revision.revision_id} can only be {verb} {expected or 'an empty target'}, "
        f"but the target stands at {head.revision_id or 'no revision'}.",
        not_done="Nothing of it was run.",
        next_step="Look at the environment's history, then plan the run again.",
    )


def _refuse_changed_steps(progress: Progress, half: HalfDone) -> None:
    by_number = {step.n: step.sha256 for step in progress.revision.steps}
    for row in half.rows:
        if row.status != "failed" and by_number.get(row.n) != row.sql_sha256:
            raise Refused(
                "half_applied_changed",
                f"Step {row.n} of {progress.revision.revision_id} was run before with other SQL than it has now, "
                "and the revision is not finished.",
                not_done="Nothing more of it was run.",
                next_step="Bring back the SQL of the steps that were run; later steps may differ.",
            )


def _deadlock_timeout(conn: psycopg.Connection) -> float:
    row = conn.execute("SELECT extract(epoch FROM current_setting('deadlock_timeout')::interval)").fetchone()
    assert row is not None
    return float(row[0])


def without_orphan_wait(limits: Limits) -> Limits:
    """After this very process lost its session: the backend it left behind is known to be dead weight."""
    return replace(limits, end_orphan_after_s=0.0)
