"""A run as the API tells it: the sentence first, then what is in its way, then the proof."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from pydantic import JsonValue

from dashboard import access
from dashboard.api.shapes import Moment, Telling
from migrations_app.rehearsals.ahead import no_return_ahead
from migrations_app.runs.actions import allowed_actions
from migrations_app.runs.verdict import verdict, waits_without_window
from migrations_app.statuses import SENTENCES, RunStatus

# What has to happen before a run that stands still goes on.
CLEARS = {
    RunStatus.QUEUED: "A worker takes it by itself.",
    RunStatus.INTERRUPTED: "Another worker takes it over by itself.",
    RunStatus.WAITING_FOR_LOCK: "The holder lets go; the run gives up by itself when its lock window ends.",
    RunStatus.PAUSED: "Somebody resumes or cancels it.",
    RunStatus.NEEDS_OPERATOR: "Somebody on call resolves it: done, not_done or abandon.",
}
# A statement outside a transaction waits as long as its own limit lets it.
CLEARS_UNWINDOWED = (
    "The sessions in the way end their transactions, or somebody cancels the run; the lock window does not end "
    "this step, its own time limit of a day does."
)


class ConditionOut(Telling):
    code: str
    sentence: str
    clears: str


class LeaseOut(Telling):
    """Who is at work on the run; a lease that is over is taken by another worker."""

    worker: str
    until: Moment | None
    beat_at: Moment | None
    age_seconds: float | None


class WaitingOut(Telling):
    """What the run waits for, since when, and which sessions are in the way."""

    since: str
    sentence: str
    blockers: list[dict[str, JsonValue]]


class AttemptOut(Telling):
    number: int
    outcome: str
    detail: str
    worker: str
    started_at: Moment
    finished_at: Moment | None


class StepOut(Telling):
    ordinal: int
    revision_id: str
    n: int
    of: int
    mode: str
    statements: int
    summary: str
    lock: str
    sql_sha256: str
    status: str
    started_at: Moment | None
    finished_at: Moment | None
    wait_ms: int
    work_ms: int
    forecast_ms: float | None
    attempts: list[AttemptOut]


class AheadOut(Telling):
    """The revision after which the way back loses something or is over; `steps` are left up to its end."""

    revision_id: str
    why: str
    steps: int
    ms: float | None


class PlannedOut(Telling):
    revision_id: str
    checksum: str


class RunOut(Telling):
    id: int
    uid: UUID
    status: str
    sentence: str
    service: str
    environment: str
    direction: str
    from_revision: str
    to_revision: str
    revisions: list[PlannedOut]
    steps_done: int
    steps_total: int
    asked: str
    asked_reason: str
    requested_by: str
    reason: str
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class RunDetailOut(RunOut):
    conditions: list[ConditionOut]
    waiting: WaitingOut | None
    error: dict[str, JsonValue] | None
    decision: dict[str, JsonValue] | None
    actions: dict[str, str]
    lease: LeaseOut
    attempt: int
    phases: dict[str, JsonValue]
    steps: list[StepOut]
    point_of_no_return: AheadOut | None
    version: int


def told(run: access.Run) -> RunOut:
    return RunOut(
        id=run.pk,
        uid=run.uid,
        status=run.status,
        sentence=verdict(run, _took(run)),
        service=run.service.name,
        environment=run.environment.name,
        direction=run.direction,
        from_revision=run.from_revision,
        to_revision=run.to_revision,
        revisions=[PlannedOut(revision_id=r["revision_id"], checksum=r["checksum"]) for r in run.revisions],
        steps_done=run.steps_done,
        steps_total=run.steps_total,
        asked=run.asked,
        asked_reason=run.asked_reason,
        requested_by=run.requested_by.get_username(),
        reason=run.reason,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )


def told_in_full(run: access.Run, user: access.Person) -> RunDetailOut:
    return RunDetailOut(
        **dict(told(run)),
        conditions=_conditions(run),
        waiting=_waiting(run.waiting),
        error=run.error,
        decision=run.decision,
        actions=allowed_actions(run),
        lease=_lease(run, timezone.now()),
        attempt=run.attempt,
        phases=run.phases,
        steps=[_step(step) for step in access.steps_for(user, run)],
        point_of_no_return=_ahead(run),
        version=run.version,
    )


def _ahead(run: access.Run) -> AheadOut | None:
    ahead = no_return_ahead(run)
    return None if ahead is None else AheadOut(**asdict(ahead))


def etag(run: access.Run) -> str:
    """Changes with what is told: the run, and its worker's heartbeat."""
    beat = run.beat_at.timestamp() if run.beat_at else 0
    return f'"{run.pk}-{run.version}-{run.status}-{beat}"'


def _conditions(run: access.Run) -> list[ConditionOut]:
    clears = CLEARS.get(RunStatus(run.status))
    if clears is None:
        return []
    if waits_without_window(run):
        clears = CLEARS_UNWINDOWED
    sentence = verdict(run) if run.status == RunStatus.WAITING_FOR_LOCK else SENTENCES[run.status]
    return [ConditionOut(code=run.status, sentence=sentence, clears=clears)]


def _waiting(told: dict[str, JsonValue] | None) -> WaitingOut | None:
    return None if told is None else WaitingOut.model_validate({"blockers": [], **told})


def _lease(run: access.Run, now: datetime) -> LeaseOut:
    age = (now - run.beat_at).total_seconds() if run.beat_at and run.finished_at is None else None
    return LeaseOut(worker=run.worker, until=run.lease_until, beat_at=run.beat_at, age_seconds=age)


def _step(step: access.RunStep) -> StepOut:
    return StepOut(
        ordinal=step.ordinal,
        revision_id=step.revision_id,
        n=step.n,
        of=step.of,
        mode=step.mode,
        statements=step.statements,
        summary=step.summary,
        lock=step.lock,
        sql_sha256=step.sql_sha256,
        status=step.status,
        started_at=step.started_at,
        finished_at=step.finished_at,
        wait_ms=step.wait_ms,
        work_ms=step.work_ms,
        forecast_ms=step.forecast_ms,
        attempts=[
            AttemptOut(
                number=attempt.number,
                outcome=attempt.outcome,
                detail=attempt.detail,
                worker=attempt.worker,
                started_at=attempt.started_at,
                finished_at=attempt.finished_at,
            )
            for attempt in step.attempts.all()
        ],
    )


def _took(run: access.Run) -> str:
    if run.started_at is None or run.finished_at is None:
        return ""
    took: timedelta = run.finished_at - run.started_at
    return f"{took.total_seconds():.1f} s"
