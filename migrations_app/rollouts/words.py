"""A cutover in a sentence, and how long it took against its planned window: pure, from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from migrations_app.models import Cutover, CutoverStep
from migrations_app.statuses import CutoverStatus, CutoverStepStatus
from migrations_app.wording import duration, number, share

REACHED = (CutoverStepStatus.DONE, CutoverStepStatus.NOTHING)


@dataclass(frozen=True)
class Timing:
    """`planned_ms` is the length of its window, where it was given one with two ends."""

    took_ms: float
    planned_ms: float | None
    over: bool  # nothing of it goes on
    open_window: bool = False  # it was given one with one end

    @property
    def late_ms(self) -> float:
        return max(self.took_ms - self.planned_ms, 0) if self.planned_ms is not None else 0

    @property
    def sentence(self) -> str:
        """`4 min 12 s of the planned 30 min`"""
        took = duration(self.took_ms)
        if self.planned_ms is None:
            told = "" if self.open_window else "; no window was planned"
            return f"{took}{'' if self.over else ' so far'}{told}"
        if self.late_ms:
            return f"{took}, {duration(self.late_ms)} over the planned {duration(self.planned_ms)}"
        return f"{took}{'' if self.over else ' so far'} of the planned {duration(self.planned_ms)}"


def timing_of(cutover: Cutover, now: datetime) -> Timing:
    planned = None
    if cutover.planned_from and cutover.planned_until:
        planned = (cutover.planned_until - cutover.planned_from).total_seconds() * 1000
    took = ((cutover.ended_at or now) - cutover.started_at).total_seconds() * 1000
    one_end = planned is None and bool(cutover.planned_from or cutover.planned_until)
    return Timing(took, planned, cutover.ended_at is not None, one_end)


def sentence_of(cutover: Cutover, steps: Sequence[CutoverStep]) -> str:
    """`steps` are all of it, in their order, each with its environment."""
    name = cutover.release.release_id
    match cutover.status:
        case CutoverStatus.RUNNING:
            return f"Cutting over {name}: {_way_there(steps)}."
        case CutoverStatus.HALTED:
            return f"Halted at {cutover.sentence}"
        case CutoverStatus.ROLLING_BACK:
            return f"Taking {name} back: {_way_back(steps)}."
        case CutoverStatus.DONE:
            return f"{name} is live in {_all(steps)}{_after(cutover)}."
        case CutoverStatus.CANCELLED:
            reached = sum(step.status in REACHED for step in steps)
            after = f"after {_share(reached, len(steps))}" if reached else "before any environment was reached"
            return f"{name} was given up {after}. {cutover.sentence}"
        case _:
            stand = "stands where it" if len(steps) == 1 else "stand where they"
            return f"{name} is taken back: {_all(steps)} {stand} stood before."


def _way_there(steps: Sequence[CutoverStep]) -> str:
    reached = [step for step in steps if step.status in REACHED]
    at = next((step for step in steps if step.status not in REACHED), None)
    done = f"{_share(len(reached), len(steps))} done, " if reached else ""
    if at is None:
        return f"{_all(steps)} {'is' if len(steps) == 1 else 'are'} done"
    return f"{done}{at.environment.name} {'runs now' if at.status == CutoverStepStatus.RUNNING else 'is next'}"


def _way_back(steps: Sequence[CutoverStep]) -> str:
    left = [step for step in steps if step.run_id is not None and step.status != CutoverStepStatus.ROLLED_BACK]
    back = sum(step.status == CutoverStepStatus.ROLLED_BACK for step in steps)
    done = f"{_share(back, len(steps))} done, " if back else ""
    if not left:
        return f"{_all(steps)} {'is' if len(steps) == 1 else 'are'} done"
    at = left[-1]
    return f"{done}{at.environment.name} {'runs back now' if at.back_run_id is not None else 'is next'}"


def _after(cutover: Cutover) -> str:
    if cutover.ended_at is None:
        return ""
    timing = timing_of(cutover, cutover.ended_at)
    planned = f", planned {duration(timing.planned_ms)}" if timing.planned_ms is not None else ""
    return f" after {duration(timing.took_ms)}{planned}"


def _share(count: int, total: int) -> str:
    return f"{share(count, total)} environment{'' if total == 1 else 's'}"


def _all(steps: Sequence[CutoverStep]) -> str:
    """`live-eu`, `both environments`, `all three environments`"""
    if len(steps) == 1:
        return steps[0].environment.name
    return "both environments" if len(steps) == 2 else f"all {number(len(steps))} environments"
