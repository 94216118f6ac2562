"""Why a queued run has not begun: its place, who is before it, and whether anybody is there to take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrations_app.models import Run
from migrations_app.runs.pulse import Pulse, pulse
from migrations_app.statuses import ACTIVE, CLAIMABLE


@dataclass(frozen=True)
class Place:
    position: int
    before: int | None  # the run that goes directly before it
    busy: tuple[int, ...]  # runs that have a worker
    pulse: Pulse

    @property
    def words(self) -> str:
        """`position 2, behind run 881`: the first thing that is in the way."""
        return f"position {self.position}, {self._why()}"

    def _why(self) -> str:
        if not self.pulse.workers:
            return "no worker is at work"
        if self.before is not None:
            return f"behind run {self.before}"
        if len(self.busy) >= self.pulse.workers:
            return f"waits for {_runs(self.busy)}"
        late = ", up to 5 s late because Redis is away" if self.pulse.redis_away else ""
        return f"a worker takes it next{late}"


def place_of(run: Run) -> Place | None:
    """None for a run that is not waiting for a worker."""
    if run.status not in CLAIMABLE:
        return None
    ahead = Run.objects.filter(status__in=sorted(CLAIMABLE), pk__lt=run.pk).order_by("-pk").values_list("pk", flat=True)
    numbers = list(ahead[:1000])
    busy = Run.objects.filter(status__in=sorted(ACTIVE)).order_by("pk").values_list("pk", flat=True)[:1000]
    return Place(len(numbers) + 1, numbers[0] if numbers else None, tuple(busy), pulse())


def _runs(numbers: Sequence[int]) -> str:
    named = ", ".join(map(str, numbers[:3]))
    more = f" and {len(numbers) - 3} more" if len(numbers) > 3 else ""
    return f"run{'s' if len(numbers) > 1 else ''} {named}{more}"
