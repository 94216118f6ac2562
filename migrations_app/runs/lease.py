"""Whether a run's worker is still heard: a worker that fell silent looks like one at work until it is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings

from migrations_app.runs.pulse import silent_after
from migrations_app.statuses import ACTIVE


class Leased(Protocol):
    @property
    def status(self) -> str: ...
    @property
    def beat_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class Lease:
    """`age` in seconds since the last heartbeat; None where no worker is at work."""

    age: float | None

    @property
    def lost(self) -> bool:
        return self.age is not None and self.age > silent_after()

    @property
    def words(self) -> str:
        """What a reader wants to know at 3 a.m.: how long it has been silent, and what happens next by itself."""
        if self.age is None:
            return ""
        if not self.lost:
            return f"lease renewed {self.age:.0f} s ago"
        due = settings.LOCKSTEP_LEASE_SECONDS
        coming = "the next free worker takes over" if self.age >= due else f"another worker takes over at {due} s"
        return f"lost heartbeat {_about(self.age)}, {coming}"


def _about(seconds: float) -> str:
    """In steps that grow with the silence, so that what is told stays the same between most polls (see glance.sql)."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds // 5 * 5:.0f} s"


def lease_of(run: Leased, now: datetime) -> Lease:
    if run.status not in ACTIVE or run.beat_at is None:
        return Lease(None)
    return Lease(max((now - run.beat_at).total_seconds(), 0.0))
