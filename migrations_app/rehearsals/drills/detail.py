"""One drill in full: its steps beside the plan and beside earlier drills of the same kind in the same place."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from migrations_app.models import Drill, DrillCheck, DrillFollowUp, DrillIntervention, DrillStep
from migrations_app.models.drill import OPEN_DRILL, DrillStatus, Side
from migrations_app.rehearsals.drills.clock import now
from migrations_app.rehearsals.drills.scenarios import SCENARIOS, STEPS, Scenario
from migrations_app.rehearsals.drills.states import GOOD
from migrations_app.rehearsals.drills.verdict import Verdict, judge

EARLIER = 50  # drills that are looked back on


@dataclass(frozen=True)
class TimedStep:
    step: DrillStep
    actual_ms: int | None  # of a step in hand: until now
    over: bool
    last_ms: int | None
    best_ms: int | None
    state: str  # done, active, pending, not_run
    pause_ms: int  # before it began

    @property
    def planned_ms(self) -> int:
        return self.step.planned_s * 1000

    @property
    def copy_label(self) -> str:
        return f"Copy the commands of step {self.step.number}"


@dataclass(frozen=True)
class DrillDetail:
    drill: Drill
    scenario: Scenario
    steps: tuple[TimedStep, ...]
    checks: tuple[DrillCheck, ...]
    interventions: tuple[DrillIntervention, ...]
    follow_ups: tuple[DrillFollowUp, ...]
    verdict: Verdict  # of a drill under way: as it would be judged now
    now: datetime

    @property
    def open(self) -> bool:
        return self.drill.status in OPEN_DRILL

    @property
    def all_ended(self) -> bool:
        return self.drill.step == STEPS and self.drill.resting

    @property
    def in_hand(self) -> TimedStep | None:
        return next((step for step in self.steps if step.state == "active"), None)

    @property
    def upcoming(self) -> TimedStep | None:
        """What the next press starts, if it starts something."""
        return self.steps[self.drill.step] if self.drill.step < STEPS else None

    @property
    def resting_ms(self) -> int:
        """How long the clock has rested between two steps."""
        ended = self.steps[self.drill.step - 1].step.ended_at if self.drill.step and self.drill.resting else None
        return _ms(ended, self.now) if ended and self.open else 0

    @property
    def recovering_ms(self) -> int | None:
        """The recovery: of a drill under way until now, once the failure is there."""
        if self.drill.recovery_ms is not None:
            return self.drill.recovery_ms
        broken = self.steps[0].step.ended_at
        return _ms(broken, self.now) if broken and self.open else None

    def of_side(self, side: str) -> tuple[DrillCheck, ...]:
        return tuple(check for check in self.checks if check.side == side)

    @property
    def before(self) -> tuple[DrillCheck, ...]:
        return self.of_side(Side.BEFORE)

    @property
    def after(self) -> tuple[DrillCheck, ...]:
        return self.of_side(Side.AFTER)


def detail_of(drill: Drill) -> DrillDetail:
    """In a fixed number of queries."""
    moment = now()
    steps = list(drill.steps.all())
    checks, interventions = list(drill.checks.all()), list(drill.interventions.all())
    last, best = earlier_times(drill)
    return DrillDetail(
        drill=drill,
        scenario=SCENARIOS[drill.scenario],
        steps=tuple(_timed(drill, steps, index, last, best, moment) for index in range(len(steps))),
        checks=tuple(checks),
        interventions=tuple(interventions),
        follow_ups=tuple(drill.follow_ups.select_related("done_by")),
        verdict=judge(steps=steps, checks=checks, interventions=interventions, limit_s=drill.limit_s),
        now=moment,
    )


def earlier_times(drill: Drill) -> tuple[dict[int, int], dict[int, int]]:
    """By step: the time of the last earlier drill, and the best of those that passed, here and of this scenario."""
    earlier = Drill.objects.filter(
        environment_id=drill.environment_id, scenario=drill.scenario, status=DrillStatus.FINISHED, pk__lt=drill.pk
    ).order_by("-id")[:EARLIER]
    last: dict[int, int] = {}
    good: dict[int, list[int]] = defaultdict(list)
    rows = DrillStep.objects.filter(drill_id__in=list(earlier.values_list("pk", flat=True))).select_related("drill")
    for step in rows.order_by("-drill_id", "number"):
        if step.actual_ms is not None:
            last.setdefault(step.number, step.actual_ms)
            if step.drill.result in GOOD:
                good[step.number].append(step.actual_ms)
    return last, {number: min(times) for number, times in good.items()}


def _timed(
    drill: Drill, steps: list[DrillStep], index: int, last: dict[int, int], best: dict[int, int], moment: datetime
) -> TimedStep:
    step = steps[index]
    state = _state(drill, step)
    actual = _ms(step.started_at, moment) if state == "active" and step.started_at else step.actual_ms
    ended = steps[index - 1].ended_at if index else None
    return TimedStep(
        step=step,
        actual_ms=actual,
        over=actual is not None and actual > step.planned_s * 1000,
        last_ms=last.get(step.number),
        best_ms=best.get(step.number),
        state=state,
        pause_ms=_ms(ended, step.started_at) if ended and step.started_at else 0,
    )


def _state(drill: Drill, step: DrillStep) -> str:
    if step.ended_at is not None:
        return "done"
    if drill.status not in OPEN_DRILL:
        return "not_run"
    return "active" if step.started_at is not None else "pending"


def _ms(start: datetime, end: datetime) -> int:
    return max(round((end - start).total_seconds() * 1000), 0)
