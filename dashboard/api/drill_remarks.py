"""What is written down beside a drill's clock: interventions, checks, health, steps, follow-ups and the runbook."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.drill_shapes import DrillDetailOut, told_in_full
from dashboard.api.shapes import Asking, answers
from migrations_app.rehearsals.drills import remarks
from migrations_app.rehearsals.drills.health import take_health

router = Router(tags=["drills"])

Line = Annotated[str, Field(max_length=1000)]
Text = Annotated[str, Field(max_length=20_000)]
Side = Literal["before", "after"]


class Intervention(Asking):
    seconds: Annotated[int, Field(ge=0, le=86_400)]
    what: Annotated[str, Field(max_length=500)]
    note: Annotated[str, Field(max_length=1000, description="Required above 60 s.")] = ""


class Check(Asking):
    side: Side
    kind: Literal["health", "smoke", "csv_header"]
    name: Annotated[str, Field(max_length=200)]
    passed: Annotated[bool, Field(description="A CSV header passes when it is the expected one.")] = False
    expected: Line = ""
    got: Line = ""


class Health(Asking):
    side: Side


class Written(Asking):
    commands: Text = ""
    output: Text = ""
    note: Text = ""


class FollowUp(Asking):
    what: Annotated[str, Field(max_length=500)]
    owner: Annotated[str, Field(max_length=150)]
    due: Annotated[date | None, Field(strict=False)] = None


class Runbook(Asking):
    updated: bool = True
    link: Annotated[str, Field(max_length=500)] = ""


def _held(request: HttpRequest, uid: UUID) -> tuple[access.Drill, User]:
    return access.drill_for(request.user, uid, "run_drill"), access.require(request.user, "run_drill")


def _as_it_stands(request: HttpRequest, uid: UUID) -> DrillDetailOut:
    return told_in_full(access.drill_for(request.user, uid))


@router.post(
    "/{uuid:uid}/interventions", response=answers(DrillDetailOut, 201, also=409), operation_id="note_intervention"
)
def intervention(request: HttpRequest, uid: UUID, body: Intervention) -> Status[DrillDetailOut]:
    drill, by = _held(request, uid)
    remarks.note_intervention(drill, seconds=body.seconds, what=body.what, note=body.note, by=by)
    return Status(201, _as_it_stands(request, uid))


@router.post("/{uuid:uid}/checks", response=answers(DrillDetailOut, 201, also=409), operation_id="add_drill_check")
def check(request: HttpRequest, uid: UUID, body: Check) -> Status[DrillDetailOut]:
    drill, by = _held(request, uid)
    remarks.add_check(drill, seen=remarks.Seen(**body.model_dump()), by=by)
    return Status(201, _as_it_stands(request, uid))


@router.post("/{uuid:uid}/health", response=answers(DrillDetailOut, 201, also=409), operation_id="take_drill_health")
def health(request: HttpRequest, uid: UUID, body: Health) -> Status[DrillDetailOut]:
    """Ask the environment's health address once, for at most 5 s, and record what it said."""
    drill, by = _held(request, uid)
    take_health(drill, side=body.side, by=by)
    return Status(201, _as_it_stands(request, uid))


@router.put("/{uuid:uid}/steps/{int:number}", response=answers(DrillDetailOut, also=409), operation_id="write_step")
def step(request: HttpRequest, uid: UUID, number: int, body: Written) -> DrillDetailOut:
    drill, by = _held(request, uid)
    remarks.write_step(drill, number=number, commands=body.commands, output=body.output, note=body.note, by=by)
    return _as_it_stands(request, uid)


@router.post("/{uuid:uid}/follow-ups", response=answers(DrillDetailOut, 201, also=409), operation_id="add_follow_up")
def follow_up(request: HttpRequest, uid: UUID, body: FollowUp) -> Status[DrillDetailOut]:
    drill, by = _held(request, uid)
    remarks.add_follow_up(drill, what=body.what, owner=body.owner, due=body.due, by=by)
    return Status(201, _as_it_stands(request, uid))


@router.post(
    "/{uuid:uid}/follow-ups/{int:number}/done",
    response=answers(DrillDetailOut, also=409),
    operation_id="follow_up_done",
)
def follow_up_done(request: HttpRequest, uid: UUID, number: int) -> DrillDetailOut:
    drill, by = _held(request, uid)
    remarks.follow_up_done(drill, follow_up=number, by=by)
    return _as_it_stands(request, uid)


@router.post("/{uuid:uid}/runbook", response=answers(DrillDetailOut, also=409), operation_id="mark_runbook")
def runbook(request: HttpRequest, uid: UUID, body: Runbook) -> DrillDetailOut:
    drill, by = _held(request, uid)
    remarks.mark_runbook(drill, updated=body.updated, link=body.link, by=by)
    return _as_it_stands(request, uid)
