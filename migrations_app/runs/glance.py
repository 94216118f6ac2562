"""How everything stands, counted in one small query: for the frame of every page and for a poll's ETag.

It counts by the same rules by which fleet.standing and fleet.overview judge, so that a chip never contradicts a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from migrations_app.fleet.overview import COMPARED_WITHIN
from migrations_app.prepared import one_row
from migrations_app.runs.pulse import gone_after, silent_after
from migrations_app.statuses import ACTIVE, OPEN


@dataclass(frozen=True)
class Glance:
    """`trouble` and `doubt` count environments; one in trouble is not counted again as one in doubt."""

    environments: int
    open_runs: int
    need_operator: int
    waiting: int  # runs that wait for any worker
    trouble: int
    doubt: int
    services: int
    has_revisions: bool
    workers: int  # heard of lately, see pulse.gone_after()
    without_redis: int  # of these
    heard_at: datetime | None  # the last beat of any worker
    chain_ok: bool
    chain_sentence: str
    frozen_until: datetime | None  # production, by the freeze that holds and ends last
    frozen_service: str  # empty: of every service
    frozen_reason: str
    key: str  # changes with anything the front page shows

    @property
    def tone(self) -> str:
        if self.trouble:
            return "bad"
        return "warn" if self.doubt else "ok" if self.environments else "wait"

    @property
    def nobody_works(self) -> bool:
        """Workers fell silent, or runs wait although there never was one."""
        return not self.workers and (self.heard_at is not None or self.waiting > 0)


@cache
def _query() -> str:
    return (Path(__file__).parent / "glance.sql").read_text(encoding="utf-8")


def glance() -> Glance:
    given: dict[str, list[str] | float] = {
        "open": sorted(OPEN),
        "active": sorted(ACTIVE),
        "stale": COMPARED_WITHIN.total_seconds(),
        "silent": silent_after(),
        "gone": gone_after(),
    }
    row = one_row(_query(), given)
    assert row is not None
    return Glance(*row)
