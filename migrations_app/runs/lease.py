"""Whether a run's worker is still heard: a worker that fell silent looks like one at work until it is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings

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
        coming = "another worker takes over now" if self.age >= due else f"another worker takes over at {due} s"
        return f"lost heartbeat {self.age:.0f} s, {coming}"


def lease_of(run: Leased, now: datetime) -> Lease:
    if run.status not in ACTIVE or run.beat_at is None:
        return Lease(None)
    return Lease(max((now - run.beat_at).total_seconds(), 0.0))


def silent_after() -> int:
    """Two beats may be late; after that a worker is not taken for well any more."""
    return int(settings.LOCKSTEP_BEAT_SECONDS * 2)
