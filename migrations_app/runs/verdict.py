"""What a run comes to, in one sentence: one line per status, filled from the run."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

from migrations_app.models import Run
from migrations_app.statuses import SENTENCES, RunStatus

VERDICTS: dict[str, str] = {
    RunStatus.QUEUED: "Queued: {plan} on {where} waits for a worker.",
    RunStatus.CLAIMED: "A worker is connecting to {where} to {plan}.",
    RunStatus.WAITING_FOR_LOCK: "Waiting on {where}: {holder}.",
    RunStatus.RUNNING: "{doing} {what} on {where}: step {now} of {total}.",
    RunStatus.VERIFYING: "Verifying {what} on {where}: step {now} of {total}.",
    RunStatus.PAUSING: "Pausing on {where}: the statement in progress ends first.",
    RunStatus.PAUSED: "Paused on {where} after {done} of {total} steps; no lock is held.",
    RunStatus.INTERRUPTED: "Interrupted on {where} after {done} of {total} steps; another worker takes over by itself.",
    RunStatus.SUCCEEDED: "Applied {what} on {where}{took}.",
    RunStatus.FAILED: "Failed at step {now}/{total} {at}on {where}: {cause}.",
    RunStatus.CANCELLED: "Cancelled on {where} after {done} of {total} steps.{left}",
    RunStatus.ROLLING_BACK: "{doing} {what} on {where}: step {now} of {total}.",
    RunStatus.ROLLED_BACK: "Rolled back {what} on {where}{took}.",
    RunStatus.NEEDS_OPERATOR: "A person must decide about step {now} of {total} on {where}: {error}",
}

# The error of a run that was cancelled, when its statement left something in the target.
LEFT_HALF_MADE = "left_half_made"

UNWINDOWED = (
    "A statement outside a transaction waits for other sessions; the lock window does not end it, only a cancel "
    "or its own time limit of a day."
)

# What a sentence about a run and a line of a list want to know; its plan's phases and secrets of its target are not.
TOLD_FIELDS = (
    "status", "direction", "revisions", "steps_total", "steps_done", "error", "waiting", "attempt", "beat_at",
    "created_at", "started_at", "finished_at", "environment__name", "requested_by__username",
)  # fmt: skip


def verdict(run: Run, took: str = "") -> str:
    """`took` is the duration as the page writes it, empty while there is none."""
    up = run.direction == "up"
    what = name_revisions(revision_ids(run))
    return VERDICTS[run.status].format(
        plan=f"{'apply' if up else 'roll back'} {what}",
        doing="Applying" if up else "Rolling back",
        what=what,
        where=run.environment.name,
        now=min(run.steps_done + 1, run.steps_total),
        done=run.steps_done,
        total=run.steps_total,
        took=f" in {took}" if took else "",
        holder=holder_in_words(run),
        error=error_text(run, "message") or "no reason was recorded.",
        at=f"{error_text(run, 'revision_id')} " if error_text(run, "revision_id") else "",
        cause=failure_in_words(run),
        left=f" {error_text(run, 'message')}" if left_half_made(run) else "",
    )


# What the step's own rollback is called in its failure; whoever reads the verdict wants to know just this.
_UNDONE = frozenset({"Its step was rolled back.", "Nothing of this step was applied."})
# Failures after which the same plan may be tried again as it is.
_AGAIN = frozenset({"lock_exhausted", "statement_cancelled"})
_WHERE = re.compile(r"^(?:, step \d+|, line \d+(?: \(.*?\))?)?:? (?=\S)", re.DOTALL)


def failure_in_words(run: Run) -> str:
    """`canceling statement; nothing applied by this step; safe to apply again`: cause, extent, and what may be done."""
    code, revision_id = error_text(run, "code"), error_text(run, "revision_id")
    cause = error_text(run, "message") or "no reason was recorded"
    if revision_id and cause.startswith(revision_id):
        cause = _WHERE.sub("", cause.removeprefix(revision_id), count=1)
    if code == "lock_exhausted":
        cause = cause.partition(": ")[0]  # the holders are told below
    told = [cause.strip().rstrip(".")]
    if error_text(run, "not_done") in _UNDONE:
        told.append("nothing applied by this step")
    if code in _AGAIN:
        told.append(f"safe to {'apply' if run.direction == 'up' else 'roll back'} again")
    return "; ".join(told)


def revision_ids(run: Run) -> list[str]:
    return [str(entry["revision_id"]) for entry in run.revisions]


def name_revisions(ids: Sequence[str]) -> str:
    """`0018_check`, or `0017 to 0019 (3 revisions)` by their numbers."""
    return name_ends(ids[0], ids[-1], len(ids)) if ids else "nothing"


def name_ends(first: str | None, last: str | None, count: int) -> str:
    """The same for who knows only the ends of the plan and how long it is."""
    if not first or not last:
        return "nothing"
    if count == 1:
        return first
    return f"{first.partition('_')[0]} to {last.partition('_')[0]} ({count} revisions)"


def holder_in_words(run: Run) -> str:
    """The first session in the way, one that holds before one that queues too; else what the engine said."""
    told = run.waiting or {}
    blockers = sorted(told.get("blockers") or (), key=lambda blocker: bool(blocker.get("queued")))
    if not blockers:
        return str(told.get("sentence") or "somebody else holds the lock").rstrip(".")
    first = blockers[0]
    return f"pid {first.get('pid')} ({first.get('application') or 'an unnamed session'}) {_deed(first)}"


def _deed(blocker: Mapping[str, object]) -> str:
    if blocker.get("queued"):
        return "waits ahead of it for the lock"
    # Without a lock that is in the way, it is the transaction itself that has to end.
    ending = "mode" in blocker and blocker["mode"] is None
    return "has an open transaction that must end first" if ending else "holds the lock"


# Where the connection was lost and not the outcome: the receipts tell what was committed, and the rest was rolled back.
_NOTHING_TO_JUDGE = frozenset({"session_breaks", "target_lost"})
_UNJUDGED = "The connection to the target was lost; its receipts tell what stands. A person decides whether to go on."


def may_be_judged(run: Run) -> bool:
    """Whether a person's word can say what the catalogue could not."""
    return error_text(run, "code") not in _NOTHING_TO_JUDGE


def left_half_made(run: Run) -> bool:
    """Whether a run that is no failure left something in the target that somebody has to know of."""
    return error_text(run, "code") == LEFT_HALF_MADE


def meaning(run: Run) -> str:
    """What the run's status means; a wait that no lock window ends is another one, a lost target as well."""
    if run.status == RunStatus.NEEDS_OPERATOR and not may_be_judged(run):
        return _UNJUDGED
    return UNWINDOWED if waits_without_window(run) else SENTENCES[run.status]


def waits_without_window(run: Run) -> bool:
    """Whether a statement outside a transaction waits: it has its own time limit instead of the lock window."""
    return run.status == RunStatus.WAITING_FOR_LOCK and (run.waiting or {}).get("windowed") is False


def error_text(run: Run, key: str) -> str:
    return str((run.error or {}).get(key) or "")


def elapsed(run: Run) -> timedelta | None:
    """How long the finished run took, from its first claim."""
    if run.started_at is None or run.finished_at is None:
        return None
    return run.finished_at - run.started_at
