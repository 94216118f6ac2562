"""Drills: list, prepare, look; a press of the stopwatch, and the end."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router
from ninja.errors import ValidationError
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.drill_shapes import DrillDetailOut, DrillsOut, PressedOut, told, told_in_full, told_pressed
from dashboard.api.shapes import Asking, Name, Reason, answers
from migrations_app.rehearsals.drills import actions
from migrations_app.rehearsals.drills.clock import Press, next_step
from migrations_app.rehearsals.drills.listing import RESULTS, DrillFilter, list_drills
from migrations_app.rehearsals.drills.refusals import USUAL_LIMIT_S
from migrations_app.rehearsals.drills.scenarios import SCENARIOS

router = Router(tags=["drills"])

Word = Annotated[str, Query(max_length=200)]
Short = Annotated[str, Field(max_length=200)]
Scenario = Annotated[str, Field(max_length=20, description=f"One of {', '.join(SCENARIOS)}.")]


class NewDrill(Asking):
    service: Name
    environment: Name
    scenario: Scenario
    trigger_reason: Reason
    limit_seconds: int = USUAL_LIMIT_S
    planned_seconds: Annotated[list[int], Field(max_length=5, description="Five, or none for the scenario's own.")] = []
    commands: Annotated[list[str], Field(max_length=5, description="Five, or none for the scenario's own.")] = []
    from_release: Short = ""
    to_release: Short = ""
    runbook_rev: Short = ""


class Pressing(Asking):
    lap: Annotated[int, Field(ge=0, le=1000, description="How often the stopwatch was pressed, as last told.")]
    note: Annotated[str, Field(max_length=1000)] = ""
    held_ms: Annotated[int, Field(ge=0, le=3_600_000, description="How long the press could not be sent.")] = 0
    pause: Annotated[bool, Field(description="End the step in hand and start none.")] = False


class Finishing(Asking):
    issues_found: Annotated[str, Field(max_length=20_000)] = ""
    from_release: Short = ""
    to_release: Short = ""
    runbook_rev: Short = ""


class Abandoning(Asking):
    reason: Reason


@router.get("", response=answers(DrillsOut), operation_id="list_drills")
def list_all(
    request: HttpRequest,
    service: Word = "",
    environment: Word = "",
    scenario: Annotated[str, Query(max_length=20, description=f"One of {', '.join(SCENARIOS)}.")] = "",
    result: Annotated[str, Query(max_length=20, description=f"One of {', '.join(RESULTS)}.")] = "",
    after: After = "",
    limit: Limit = 50,
) -> DrillsOut:
    """Newest first, a page at a time."""
    access.require(request.user, "view")
    for name, value, known in (("scenario", scenario, SCENARIOS), ("result", result, RESULTS)):
        if value and value not in known:
            raise ValidationError([{"loc": ("query", name), "type": "choice", "msg": f"use {', '.join(known)}"}])
    before = int(read("drills", after)[0]) if after else None
    page = list_drills(DrillFilter(service, environment, scenario, result, before), limit)
    more = write("drills", page.older) if page.older is not None else None
    return DrillsOut(drills=[told(drill) for drill in page.rows], next=more)


@router.post("", response=answers(DrillDetailOut, 201, also=409), operation_id="start_drill")
def start(request: HttpRequest, body: NewDrill) -> Status[DrillDetailOut]:
    """Prepare one; its clock starts with the first press."""
    environment = access.environment_for(request.user, body.service, body.environment, "run_drill")
    plan = actions.Plan(
        scenario=body.scenario,
        trigger_reason=body.trigger_reason,
        limit_s=body.limit_seconds,
        planned_s=body.planned_seconds,
        commands=body.commands,
        from_release=body.from_release,
        to_release=body.to_release,
        runbook_rev=body.runbook_rev,
    )
    by = access.require(request.user, "run_drill")
    return Status(201, told_in_full(actions.start_drill(environment=environment, plan=plan, by=by)))


@router.get("/{uuid:uid}", response=answers(DrillDetailOut), operation_id="get_drill")
def get_drill(request: HttpRequest, uid: UUID) -> DrillDetailOut:
    return told_in_full(access.drill_for(request.user, uid))


@router.post("/{uuid:uid}/next", response=answers(PressedOut, also=409), operation_id="press_drill")
def press(request: HttpRequest, uid: UUID, body: Pressing) -> PressedOut:
    """Start the clock, or end the step in hand and start the next. The same press again is not counted again."""
    drill = access.drill_for(request.user, uid, "run_drill")
    given = Press(lap=body.lap, note=body.note, held_ms=body.held_ms, pause=body.pause)
    done = next_step(drill, given=given, by=access.require(request.user, "run_drill"))
    return told_pressed(done.drill, done.counted)


@router.post("/{uuid:uid}/finish", response=answers(DrillDetailOut, also=409), operation_id="finish_drill")
def finish(request: HttpRequest, uid: UUID, body: Finishing) -> DrillDetailOut:
    """End it and judge it; `reasons` say why it did not pass."""
    drill = access.drill_for(request.user, uid, "run_drill")
    ending = actions.Ending(
        issues_found=body.issues_found,
        from_release=body.from_release,
        to_release=body.to_release,
        runbook_rev=body.runbook_rev,
    )
    by = access.require(request.user, "run_drill")
    return told_in_full(actions.finish_drill(drill, by=by, ending=ending))


@router.post("/{uuid:uid}/abandon", response=answers(DrillDetailOut, also=409), operation_id="abandon_drill")
def abandon(request: HttpRequest, uid: UUID, body: Abandoning) -> DrillDetailOut:
    drill = access.drill_for(request.user, uid, "run_drill")
    by = access.require(request.user, "run_drill")
    return told_in_full(actions.abandon_drill(drill, by=by, reason=body.reason))
