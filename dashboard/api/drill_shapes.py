"""A drill as the API tells it: its result and the reasons, the steps, what was seen and what was done by hand."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from dashboard import access
from dashboard.api.shapes import Moment, Telling
from migrations_app.rehearsals.drills.detail import DrillDetail, TimedStep, detail_of


class DrillOut(Telling):
    uid: UUID
    service: str
    environment: str
    scenario: str
    status: str
    result: str
    operator: str
    trigger_reason: str
    lap: int
    step: int
    resting: bool
    limit_seconds: int
    recovery_ms: int | None
    from_release: str
    to_release: str
    head_revision: str
    schema_rev: str
    runbook_rev: str
    runbook_updated: bool
    runbook_link: str
    issues_found: str
    end_reason: str
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    version: int


class DrillsOut(Telling):
    drills: list[DrillOut]
    next: str | None


class DrillStepOut(Telling):
    number: int
    name: str
    state: str
    planned_ms: int
    actual_ms: int | None
    last_ms: int | None
    best_ms: int | None
    pause_before_ms: int
    started_at: Moment | None
    ended_at: Moment | None
    held_ms: int
    saved_at: Moment | None
    commands: str
    output: str
    note: str


class DrillCheckOut(Telling):
    side: str
    kind: str
    name: str
    expected: str
    got: str
    passed: bool
    measured: bool
    at: Moment


class InterventionOut(Telling):
    step: int
    seconds: int
    what: str
    note: str
    at: Moment


class FollowUpOut(Telling):
    id: int
    what: str
    owner: str
    due: date | None
    done_at: Moment | None


class DrillDetailOut(DrillOut):
    reasons: list[str]
    steps: list[DrillStepOut]
    checks: list[DrillCheckOut]
    interventions: list[InterventionOut]
    follow_ups: list[FollowUpOut]


class PressedOut(DrillDetailOut):
    counted: bool


_SAME = frozenset(DrillOut.model_fields) - {"service", "environment", "operator", "limit_seconds"}


def told(drill: access.Drill) -> DrillOut:
    return DrillOut(
        service=drill.environment.service.name,
        environment=drill.environment.name,
        operator=drill.operator.get_username(),
        limit_seconds=drill.limit_s,
        **{name: getattr(drill, name) for name in _SAME},
    )


def told_in_full(drill: access.Drill) -> DrillDetailOut:
    detail = detail_of(drill)
    return DrillDetailOut(
        **dict(told(drill)),
        reasons=list(detail.verdict.reasons) if drill.result else [],
        steps=[_step(step) for step in detail.steps],
        checks=_checks(detail),
        interventions=_interventions(detail),
        follow_ups=_follow_ups(detail),
    )


def told_pressed(drill: access.Drill, counted: bool) -> PressedOut:
    return PressedOut(**dict(told_in_full(drill)), counted=counted)


def _step(timed: TimedStep) -> DrillStepOut:
    step = timed.step
    return DrillStepOut(
        number=step.number,
        name=step.name,
        state=timed.state,
        planned_ms=timed.planned_ms,
        actual_ms=timed.actual_ms,
        last_ms=timed.last_ms,
        best_ms=timed.best_ms,
        pause_before_ms=timed.pause_ms,
        started_at=step.started_at,
        ended_at=step.ended_at,
        held_ms=step.held_ms,
        saved_at=step.saved_at,
        commands=step.commands,
        output=step.output,
        note=step.note,
    )


def _checks(detail: DrillDetail) -> list[DrillCheckOut]:
    names = DrillCheckOut.model_fields
    return [DrillCheckOut(**{name: getattr(check, name) for name in names}) for check in detail.checks]


def _interventions(detail: DrillDetail) -> list[InterventionOut]:
    names = InterventionOut.model_fields
    return [InterventionOut(**{name: getattr(row, name) for name in names}) for row in detail.interventions]


def _follow_ups(detail: DrillDetail) -> list[FollowUpOut]:
    names = FollowUpOut.model_fields
    return [FollowUpOut(**{name: getattr(row, name) for name in names}) for row in detail.follow_ups]
