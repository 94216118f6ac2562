"""Two drills beside each other: by how much each step of the later one was slower."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.models import Drill, DrillStep

SLOWER_BY = 0.20  # more than this share is flagged; exactly this share is not


@dataclass(frozen=True)
class Delta:
    name: str
    one_ms: int | None
    other_ms: int | None

    @property
    def ms(self) -> int | None:
        """How much longer the other took."""
        return None if self.one_ms is None or self.other_ms is None else self.other_ms - self.one_ms

    @property
    def share(self) -> float | None:
        return None if self.ms is None or not self.one_ms else self.ms / self.one_ms

    @property
    def slower(self) -> bool:
        return self.share is not None and self.share > SLOWER_BY

    @property
    def words(self) -> str:
        """In words: `31 % slower`, `12 % faster`, `the same`, or why there is nothing to say."""
        if self.one_ms is None or self.other_ms is None:
            return "not done in both" if self.one_ms is None and self.other_ms is None else "done in one only"
        if self.share is None:
            return "took no time before"
        percent = round(abs(self.share) * 100)
        if percent == 0:
            return "the same"
        return f"{percent} % {'slower' if self.share > 0 else 'faster'}"


@dataclass(frozen=True)
class DrillComparison:
    one: Drill
    other: Drill
    steps: tuple[Delta, ...]
    recovery: Delta

    @property
    def slower(self) -> int:
        return sum(step.slower for step in self.steps)

    @property
    def alike(self) -> bool:
        """Of the same kind in the same place; others can be compared, but differ for that reason alone."""
        return (self.one.environment_id, self.one.scenario) == (self.other.environment_id, self.other.scenario)


def compare_drills(one: Drill, other: Drill) -> DrillComparison:
    """`other` is measured against `one`, whichever of them is the later."""
    steps: dict[int, dict[int, DrillStep]] = {one.pk: {}, other.pk: {}}
    for step in DrillStep.objects.filter(drill_id__in=(one.pk, other.pk)).order_by("number"):
        steps[step.drill_id][step.number] = step
    return DrillComparison(
        one=one,
        other=other,
        steps=tuple(
            Delta(f"{number} {step.name}", step.actual_ms, _actual(steps[other.pk].get(number)))
            for number, step in steps[one.pk].items()
        ),
        recovery=Delta("Recovery", one.recovery_ms, other.recovery_ms),
    )


def _actual(step: DrillStep | None) -> int | None:
    return step.actual_ms if step else None
