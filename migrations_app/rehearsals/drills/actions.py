"""The verbs on a drill and its clock. Each is one transaction: the change and its audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from migrations_app.audit.record import record
from migrations_app.models import Drill, DrillStep, Environment, Revision
from migrations_app.models.drill import RECOVERY_LIMIT_S, DrillStatus
from migrations_app.rehearsals.drills import refusals
from migrations_app.rehearsals.drills.scenarios import SCENARIOS, STEPS
from migrations_app.rehearsals.drills.states import move
from migrations_app.rehearsals.drills.verdict import judge


@dataclass(frozen=True)
class Plan:
    """What is written down before the clock starts; empty times and commands are the scenario's own."""

    scenario: str
    trigger_reason: str
    limit_s: int = RECOVERY_LIMIT_S
    planned_s: Sequence[int] = ()
    commands: Sequence[str] = ()
    from_release: str = ""
    to_release: str = ""
    runbook_rev: str = ""


@dataclass(frozen=True)
class Ending:
    """What is written down when the drill ends."""

    issues_found: str = ""
    to_release: str = ""
    from_release: str = ""
    runbook_rev: str = field(default="")


def start_drill(*, environment: Environment, plan: Plan, by: User) -> Drill:
    """Prepare a drill; its clock stands still until the first press."""
    steps = _steps(plan)
    reason = refusals.required("reason", plan.trigger_reason, 500)
    limit = refusals.within("limit in seconds", plan.limit_s, 1, refusals.LONGEST_TIME_S)
    try:
        with transaction.atomic():
            drill = Drill.objects.create(
                environment=environment,
                scenario=plan.scenario,
                trigger_reason=reason,
                operator=by,
                limit_s=limit,
                from_release=refusals.short("release that fails", plan.from_release, 200),
                to_release=refusals.short("release that is put back", plan.to_release, 200),
                runbook_rev=refusals.short("runbook's revision", plan.runbook_rev, 200),
                head_revision=environment.head_revision,
                schema_rev=_schema_rev(environment),
            )
            for step in steps:
                step.drill = drill
            DrillStep.objects.bulk_create(steps)
            _record(drill, "drill.start", by, scenario=plan.scenario, reason=reason, limit_s=limit)
    except IntegrityError:
        raise refusals.refuse(
            "drill_open",
            f"A drill on {environment.name} is under way already.",
            "Finish or abandon it first, or take part in it: two clocks on one environment would time each other.",
        ) from None
    return fresh(drill)


def finish_drill(drill: Drill, *, by: User, ending: Ending | None = None) -> Drill:
    """End it and judge it: steps, checks and interventions are read after the drill is locked, so none comes later."""
    told = ending or Ending()
    fields = {
        name: value
        for name, value in (
            ("issues_found", refusals.short("issues", told.issues_found)),
            ("from_release", refusals.short("release that failed", told.from_release, 200)),
            ("to_release", refusals.short("release that was put back", told.to_release, 200)),
            ("runbook_rev", refusals.short("runbook's revision", told.runbook_rev, 200)),
        )
        if value
    }
    with transaction.atomic():
        if not move(drill.pk, to=DrillStatus.FINISHED, fields=fields):
            raise refusals.closed(fresh(drill), "finished")
        verdict = judge(
            steps=list(drill.steps.all()),
            checks=list(drill.checks.all()),
            interventions=list(drill.interventions.all()),
            limit_s=drill.limit_s,
        )
        Drill.objects.filter(pk=drill.pk).update(result=verdict.result, resting=True)
        _record(drill, "drill.finish", by, result=verdict.result.value, reasons=list(verdict.reasons))
    return fresh(drill)


def abandon_drill(drill: Drill, *, by: User, reason: str) -> Drill:
    """Give it up: it has no result, and what was recorded stays to be read."""
    reason = refusals.required("reason", reason, 500)
    with transaction.atomic():
        if not move(drill.pk, to=DrillStatus.ABANDONED, fields={"end_reason": reason, "resting": True}):
            raise refusals.closed(fresh(drill), "abandoned")
        _record(drill, "drill.abandon", by, reason=reason)
    return fresh(drill)


def fresh(drill: Drill) -> Drill:
    return Drill.objects.select_related("environment__service", "operator").get(pk=drill.pk)


def _steps(plan: Plan) -> list[DrillStep]:
    own = SCENARIOS[refusals.scenario(plan.scenario)].steps
    for what, given in (("times", plan.planned_s), ("commands", plan.commands)):
        if given and len(given) != STEPS:
            raise refusals.refuse("five_steps", f"There are {len(given)} {what}.", f"Give {STEPS}, one for each step.")
    planned = plan.planned_s or [step.planned_s for step in own]
    commands = plan.commands or [step.commands for step in own]
    return [
        DrillStep(
            number=number,
            name=step.name,
            planned_s=refusals.within(f"time of step {number}", planned[number - 1], 1, refusals.LONGEST_TIME_S),
            commands=refusals.short(f"commands of step {number}", commands[number - 1]),
        )
        for number, step in enumerate(own, start=1)
    ]


def _schema_rev(environment: Environment) -> str:
    """What the head of the environment is called in releases."""
    heads = Revision.objects.filter(service_id=environment.service_id, revision_id=environment.head_revision)
    return heads.values_list("schema_rev", flat=True).first() or ""


def _record(drill: Drill, action: str, by: User, **after: object) -> None:
    record(
        actor=by,
        action=action,
        object=f"drill:{drill.uid}",
        after={"environment": drill.environment.name, **after},
    )
