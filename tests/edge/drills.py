"""Drills as plain rows, with times that a test chooses: what list, comparison and summary are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.models import Drill, DrillCheck, DrillStep, Environment
from migrations_app.rehearsals.drills.actions import Plan, start_drill
from migrations_app.rehearsals.drills.clock import Press, next_step
from migrations_app.rehearsals.drills.scenarios import SCENARIOS, STEPS
from migrations_app.rehearsals.drills.verdict import recovery_ms


def ready(environment: Environment, by: User, scenario: str = "schema", **plan: object) -> Drill:
    given: dict[str, object] = {"scenario": scenario, "trigger_reason": "practised before the cutover"}
    return start_drill(environment=environment, plan=Plan(**given | plan), by=by)  # type: ignore[arg-type]


def press(drill: Drill, by: User, times: int = 1, **given: object) -> Drill:
    for _ in range(times):
        drill = next_step(drill, given=Press(**{"lap": drill.lap, **given}), by=by).drill  # type: ignore[arg-type]
    return drill


def held(
    environment: Environment,
    by: User,
    seconds: Sequence[int] = (10, 60, 30, 20, 10),
    *,
    scenario: str = "schema",
    result: str = "passed",
    ended: datetime | None = None,
    limit_s: int = 900,
) -> Drill:
    """A finished one, whose steps took these seconds without a pause and ended then."""
    end = ended or timezone.now()
    begin = end - timedelta(seconds=sum(seconds))
    drill = Drill.objects.create(
        environment=environment, operator=by, scenario=scenario, trigger_reason="practised", status="finished",
        result=result, step=len(seconds), lap=STEPS + 1, limit_s=limit_s, started_at=begin, finished_at=end,
    )  # fmt: skip
    at, steps = begin, []
    for number, planned in enumerate(SCENARIOS[scenario].steps, start=1):
        took = seconds[number - 1] if number <= len(seconds) else None
        after = at + timedelta(seconds=took) if took is not None else None
        steps.append(
            DrillStep(
                drill=drill,
                number=number,
                name=planned.name,
                planned_s=planned.planned_s,
                started_at=at if after else None,
                ended_at=after,
            )
        )
        at = after or at
    DrillStep.objects.bulk_create(steps)
    Drill.objects.filter(pk=drill.pk).update(recovery_ms=recovery_ms(steps))
    DrillCheck.objects.create(drill=drill, side="after", kind="smoke", name="the first page opens", passed=True, by=by)
    return Drill.objects.select_related("environment__service", "operator").get(pk=drill.pk)


def shift(drill: Drill, **seconds: float) -> None:
    """Move what was recorded into the past, since nobody can move the database's clock: `step_1_ended=61`."""
    for name, amount in seconds.items():
        _, number, field = name.split("_")
        step = DrillStep.objects.get(drill=drill, number=int(number))
        before = getattr(step, f"{field}_at")
        DrillStep.objects.filter(pk=step.pk).update(**{f"{field}_at": before - timedelta(seconds=amount)})
