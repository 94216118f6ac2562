"""The verbs on runs. Each is one transaction: the change, its audit entry and, where needed, its wake-up."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence

from django.contrib.auth.models import User
from django.db import connection, transaction

from migrations_app.audit.record import record
from migrations_app.engine.contract.plan import Direction, PlannedRevision
from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.locks import STRENGTHS
from migrations_app.engine.sql.script import Step
from migrations_app.models import Environment, OutboxItem, Run
from migrations_app.models.run import Asked
from migrations_app.reasons import require_reason
from migrations_app.runs.transitions import move
from migrations_app.runs.verdict import may_be_judged
from migrations_app.statuses import ACTIVE, CLAIMABLE, HELD, TERMINAL, RunStatus, StepStatus

NO_FORECASTS: Mapping[tuple[str, int], float] = {}
PHASES = ("lock", "run", "verify", "record", "release")

# Called after commit with the run's id; jobs.launcher puts the real one here when Django is ready.
_on_wake: list[Callable[[int], object]] = []


def on_wake(callback: Callable[[int], object]) -> None:
    """Register who wakes a worker. Losing a wake-up costs seconds, never a run: the reconciler finds it."""
    _on_wake.append(callback)


def create_run(
    *,
    environment: Environment,
    direction: Direction,
    revisions: Sequence[PlannedRevision],
    by: User,
    reason: str = "",
    idempotency_key: str | None = None,
    request_sha256: str = "",
    forecasts: Mapping[tuple[str, int], float] = NO_FORECASTS,
) -> Run:
    """Write run, steps, audit entry and wake-up in the caller's transaction; admission.door is the way in."""
    steps_total = sum(max(len(revision.steps), 1) for revision in revisions)
    last = revisions[-1]
    run = Run.objects.create(
        service_id=environment.service_id,
        environment=environment,
        direction=direction,
        from_revision=environment.head_revision,
        to_revision=last.revision_id if direction == "up" else last.parent,
        revisions=[{"revision_id": r.revision_id, "checksum": r.checksum} for r in revisions],
        steps_total=steps_total,
        phases={name: {"state": "pending", "wait_ms": 0, "work_ms": 0, "detail": ""} for name in PHASES},
        requested_by=by,
        reason=reason,
        idempotency_key=idempotency_key,
        request_sha256=request_sha256,
    )
    _write_steps(run, run_steps(revisions, forecasts))
    wake(run)
    record(
        actor=by,
        action="run.request",
        object=f"run:{run.pk}",
        after={
            "service": environment.service.name,
            "environment": environment.name,
            "direction": direction,
            "to": run.to_revision,
            "revisions": len(revisions),
            "reason": reason,
        },
    )
    return run


def wake(run: Run) -> None:
    """Leave a wake-up with the transaction and try to deliver it after the commit."""
    OutboxItem.objects.create(run=run)
    transaction.on_commit(lambda: _wake_now(run.pk))


def _wake_now(run_id: int) -> None:
    for callback in _on_wake:
        callback(run_id)


def cancel(run: Run, *, by: User, reason: str = "") -> Run:
    """Stop for good. A statement in progress is cancelled; what was committed stands."""
    with transaction.atomic():
        fields = {"asked": Asked.CANCEL, "asked_reason": reason}
        idle = move(run.pk, to=RunStatus.CANCELLED, only_from=CLAIMABLE | HELD, fields=fields)
        if not idle and not _ask(run, Asked.CANCEL, reason):
            raise _cannot(run, "cancel")
        _record(run, "run.cancel", by, reason)
    return _fresh(run)


def cancel_queued(run_ids: Collection[int], *, by: User, reason: str = "") -> int:
    """Cancel those that no worker has taken yet, and say how many that were; the others go on."""
    fields = {"asked": Asked.CANCEL, "asked_reason": reason}
    with transaction.atomic():
        runs = Run.objects.in_bulk(run_ids)
        moved = [
            run
            for pk in sorted(runs)
            if move((run := runs[pk]).pk, to=RunStatus.CANCELLED, only_from={RunStatus.QUEUED}, fields=fields)
        ]
        for run in moved:
            _record(run, "run.cancel", by, reason)
    return len(moved)


def pause(run: Run, *, by: User, reason: str = "") -> Run:
    """Stop between statements; the one in progress is allowed to end."""
    with transaction.atomic():
        if Run.objects.select_for_update().get(pk=run.pk).asked == Asked.CANCEL:
            raise _cannot(run, "pause")
        fields = {"asked": Asked.PAUSE, "asked_reason": reason}
        idle = move(run.pk, to=RunStatus.PAUSED, only_from=CLAIMABLE, fields=fields)
        active = not idle and move(run.pk, to=RunStatus.PAUSING, only_from=ACTIVE, fields=fields)
        if not idle and not active:
            raise _cannot(run, "pause")
        _record(run, "run.pause", by, reason)
    return _fresh(run)


def resume(run: Run, *, by: User, reason: str = "") -> Run:
    """Queue a paused run again, or one that needs an operator whose target only had to come back.

    admission.resuming is the way in for a person.
    """
    with transaction.atomic():
        if not move(run.pk, to=RunStatus.QUEUED, only_from=HELD, fields={"asked": Asked.NOTHING, "error": None}):
            raise _cannot(run, "resume")
        wake(run)
        _record(run, "run.resume", by, reason)
    return _fresh(run)


def resolve(run: Run, *, verdict: str, by: User, reason: str) -> Run:
    """A person decides what the catalogue could not tell: the statement is done, not done, or given up.

    Raises Refused("reason_missing"), Refused("unknown_verdict"), Refused("run_is_…").
    """
    _check_resolution(run, verdict, reason)
    with transaction.atomic():
        decision = _decision(run, verdict, by, reason)
        moved = (
            move(run.pk, to=RunStatus.CANCELLED, only_from={RunStatus.NEEDS_OPERATOR})
            if verdict == "abandon"
            else move(
                run.pk,
                to=RunStatus.QUEUED,
                only_from={RunStatus.NEEDS_OPERATOR},
                fields={"decision": decision, "asked": Asked.NOTHING},
            )
        )
        if not moved:
            raise _cannot(run, "resolve")
        if verdict != "abandon":
            wake(run)
        _record(run, f"run.resolve.{verdict}", by, reason)
    return _fresh(run)


def allowed_actions(run: Run) -> dict[str, str]:
    """For each verb an empty string when it is possible, else the sentence that says why not."""
    word = RunStatus(run.status).label
    closed = f"The run is {word}; nothing is left to stop." if run.status in TERMINAL else ""
    asked = "" if run.asked == Asked.NOTHING else f"A {run.asked} was asked for already."
    pausing = closed or ("The run is held already." if run.status in HELD else asked)
    resuming = "" if run.status in HELD else f"Only a held run can be resumed; this one is {word}."
    resolving = "" if run.status == RunStatus.NEEDS_OPERATOR else "Nothing about this run is unknown."
    # One that was asked for while the run came to rest was not heard.
    unheard = run.asked == Asked.CANCEL and run.status in HELD
    cancelling = closed or ("A cancel was asked for already." if run.asked == Asked.CANCEL and not unheard else "")
    return {"pause": pausing, "cancel": cancelling, "resume": resuming, "resolve": resolving}


_WRITE_STEPS = """
INSERT INTO migrations_app_runstep (run_id, ordinal, revision_id, n, of, mode, statements, summary, lock, sql_sha256,
                                    forecast_ms, status, wait_ms, work_ms)
SELECT %s, v.*, %s, 0, 0
  FROM json_to_recordset(%s) AS v (ordinal int, revision_id text, n int, of int, mode text, statements int,
                                   summary text, lock text, sql_sha256 text, forecast_ms float8)
"""


def _write_steps(run: Run, rows: Sequence[Mapping[str, object]]) -> None:
    """As one JSON text: a long plan has thousands, and the person who asked for the run waits."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITE_STEPS, [run.pk, StepStatus.PENDING, json.dumps(rows)])


def run_steps(
    revisions: Sequence[PlannedRevision], forecasts: Mapping[tuple[str, int], float] = NO_FORECASTS
) -> list[dict[str, object]]:
    """The steps of a plan, each with the columns of its row; `forecasts` by revision and step, in milliseconds."""
    rows: list[dict[str, object]] = []
    for revision in revisions:
        for step in revision.steps or (NOTHING,):
            expected = {"forecast_ms": forecasts.get((revision.revision_id, step.n))}
            ordinal = {"ordinal": len(rows) + 1, "revision_id": revision.revision_id}
            rows.append({**ordinal, **_row(step, revision), **expected})
    return rows


# What a revision without statements is shown as: its run still writes a receipt.
NOTHING = Step(n=1, mode="tx", timeout_class="brief", statements=(), sha256="")


def _row(step: Step, revision: PlannedRevision) -> dict[str, object]:
    summaries = [statement.summary for statement in step.statements]
    return {
        "n": step.n,
        "of": max(len(revision.steps), 1),
        "mode": step.mode,
        "statements": len(step.statements),
        "summary": _summary(summaries) if summaries else "nothing to execute, only the receipt",
        "lock": max((statement.lock or "" for statement in step.statements), key=STRENGTHS.index, default=""),
        "sql_sha256": step.sha256,
    }


def _summary(lines: list[str]) -> str:
    more = f" and {len(lines) - 1} more" if len(lines) > 1 else ""
    return lines[0][: 300 - len(more)] + more


def _ask(run: Run, asked: Asked, reason: str) -> bool:
    """A cancel may follow a pause; nothing follows a cancel."""
    waiting = Run.objects.filter(pk=run.pk, status__in=ACTIVE).exclude(asked=Asked.CANCEL)
    return waiting.update(asked=asked, asked_reason=reason) == 1


def _check_resolution(run: Run, verdict: str, reason: str) -> None:
    if verdict not in ("done", "not_done", "abandon"):
        raise Refused(
            "unknown_verdict",
            f"{verdict!r} is no verdict.",
            not_done="The run was left as it is.",
            next_step="Say done, not_done or abandon.",
        )
    if verdict != "abandon" and run.status == RunStatus.NEEDS_OPERATOR and not may_be_judged(run):
        raise Refused(
            "nothing_to_judge",
            "Nothing here is for a person to judge: what was committed has its receipt, and the rest was rolled back.",
            not_done="The run was left as it is.",
            next_step="Resume it once the target answers again, or abandon it.",
        )
    require_reason(
        reason,
        "A verdict on an unknown statement",
        not_done="The run was left as it is.",
        next_step="Write what you saw in the target.",
    )


def _decision(run: Run, verdict: str, by: User, reason: str) -> dict[str, object]:
    finding = run.error or {}
    return {
        "revision_id": finding.get("revision_id", ""),
        "step": finding.get("step"),
        "verdict": verdict,
        "by": by.get_username(),
        "reason": reason,
    }


def _record(run: Run, action: str, by: User, reason: str) -> None:
    record(actor=by, action=action, object=f"run:{run.pk}", before={"status": run.status}, after={"reason": reason})


def _fresh(run: Run) -> Run:
    run.refresh_from_db()
    return run


def _cannot(run: Run, verb: str) -> Refused:
    run.refresh_from_db()
    word = RunStatus(run.status).label
    why = allowed_actions(run).get(verb) or f"The run is {word}."
    return Refused(f"run_is_{run.status}", why, not_done=f"The {verb} was not done.", next_step="Look at the run.")
