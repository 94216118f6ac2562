"""PostgreSQL's complaints as sentences an operator can act on."""

from __future__ import annotations

import psycopg
from psycopg import errors

from migrations_app.engine.contract.events import ShouldStop
from migrations_app.engine.contract.plan import Direction
from migrations_app.engine.contract.postconditions import Finding
from migrations_app.engine.contract.work import Progress
from migrations_app.engine.errors import LockExhausted, LockstepError, StatementFailed, Stopped
from migrations_app.engine.signs import contained
from migrations_app.engine.sql.script import Postcondition, Statement, Step
from migrations_app.engine.target.blockers import Blocker

# The bytes of an applied revision stay as they are, so a down file that fails can't be corrected.
WAY_OUT = {
    "up": "Correct the revision or the data, then apply again.",
    "down": "Put right in the target what the down file misses, then roll back again.",
}
LOCK_NOT_AVAILABLE = (errors.LockNotAvailable, errors.DeadlockDetected)


def statement_failed(
    error: psycopg.Error, progress: Progress, statement: Statement | None, should_stop: ShouldStop
) -> LockstepError:
    """The named failure for what PostgreSQL said; a statement cancelled on request is a stop, not a failure."""
    request = should_stop()
    if isinstance(error, errors.QueryCanceled) and request is not None:
        return Stopped(request.kind, request.sentence)
    where = progress.revision.revision_id
    not_done = _rolled_back(progress, statement)
    if statement is not None:
        where += f", line {statement.line} ({statement.summary})"
    if isinstance(error, errors.QueryCanceled) and "timeout" not in (error.diag.message_primary or "timeout"):
        return StatementFailed(
            "statement_cancelled",
            f"{where} was cancelled by somebody in the target ({error.diag.message_primary}).",
            not_done=not_done,
            next_step="Ask who cancelled it, then start again.",
        )
    if isinstance(error, errors.QueryCanceled):
        return StatementFailed(
            "statement_timeout",
            f"{where} took longer than it may hold its locks and was cancelled by its time limit.",
            not_done=not_done,
            next_step="Split it into forms that do not scan under a strong lock, or apply it in a quiet window.",
        )
    diagnosis = error.diag
    said = diagnosis.message_primary or type(error).__name__
    if diagnosis.message_detail:
        said += f" ({'; '.join(diagnosis.message_detail.splitlines())})"
    return StatementFailed(
        f"sqlstate_{error.sqlstate or 'unknown'}",
        f"{where}: {contained(said)}.",
        not_done=not_done,
        next_step=contained(diagnosis.message_hint or "") or WAY_OUT[progress.direction],
    )


def with_leftover(
    failure: LockstepError, left: Finding, expected: Postcondition, direction: Direction
) -> LockstepError:
    """The failure, telling as well what the statement left half made in the target, and the way out."""
    if left.state != "half":
        return failure
    failure.not_done = f"Left in the target: {left.sentence}."
    failure.next_step = (
        f"{'Apply' if direction == 'up' else 'Roll back'} again once nobody uses it: that puts it right."
    )
    if expected.kind in ("index_valid", "index_gone"):
        failure.next_step += f" Until then every write pays for it; DROP INDEX CONCURRENTLY {expected.name} ends that."
    return failure


_TOOK_EFFECT = "Its last statement took effect in the target; verify and receipt are missing."


def not_recorded(stopped: Stopped, progress: Progress) -> Stopped:
    """A stop during verify, after a statement that cannot be rolled back."""
    stopped.not_done = _TOOK_EFFECT
    stopped.next_step = f"Start again: {progress.revision.revision_id} is found as it is, verified and recorded."
    return stopped


def verify_locked_out(progress: Progress, blockers: tuple[Blocker, ...]) -> LockExhausted:
    """The same for a verify statement that got no lock."""
    return LockExhausted(
        "lock_exhausted",
        f"{progress.revision.revision_id}: verify got no lock: {_holders(blockers)}.",
        not_done=_TOOK_EFFECT,
        next_step="End or wait for that session, then start again: the statement is found done, verified and recorded.",
    )


def _rolled_back(progress: Progress, statement: Statement | None) -> str:
    """What is gone, and which earlier steps of the revision are not."""
    steps = progress.revision.steps
    earlier = next((step.n - 1 for step in steps if statement in step.statements), 0)
    if not earlier:
        return "Its step was rolled back."
    return f"Its step was rolled back; the earlier ones of its {len(steps)} steps stand, and are not run again."


def locks_exhausted(
    progress: Progress, step: Step, attempts: int, waited_s: float, blockers: tuple[Blocker, ...]
) -> LockExhausted:
    return LockExhausted(
        "lock_exhausted",
        f"{progress.revision.revision_id}, step {step.n}: its table locks were not to be had "
        f"in {attempts} attempts over {waited_s:.0f} s: {_holders(blockers)}.",
        not_done="Nothing of this step was applied.",
        next_step="End or wait for that session, then apply again.",
    )


def _holders(blockers: tuple[Blocker, ...]) -> str:
    return "; ".join(blocker.sentence for blocker in blockers[:5]) or "the holder was gone each time it was looked for"
