"""Environments by service and stage: a few are one table, many are stages with a roll-up, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from dashboard.pages.home_rows import draw_places
from dashboard.templatetags.states import state_of
from migrations_app.fleet.standing import Standing

FEW = 12  # up to so many environments, nothing is folded
_ORDER = (
    "needs_operator", "failed", "drift", "schema_drift", "unreachable", "unknown", "paused", "interrupted",
    "waiting_for_lock", "pausing", "rolling_back", "running", "verifying", "claimed", "queued", "behind",
    "empty", "in_step",
)  # fmt: skip
_STANDS_OUT = frozenset(_ORDER[:7])


@dataclass(frozen=True)
class Count:
    state: str
    words: str


@dataclass(frozen=True)
class StageGroup:
    """`telling` is what a reader has to see without opening anything; the rest may be folded."""

    service: str
    stage: str
    rows: tuple[Standing, ...]

    @property
    def id(self) -> str:
        return f"stage-{min(row.id for row in self.rows)}"

    @property
    def telling(self) -> tuple[Standing, ...]:
        return tuple(row for row in self.rows if row.state in _STANDS_OUT or row.reconcile_note or row.schema_drift)

    @property
    def rest(self) -> tuple[Standing, ...]:
        told = {row.id for row in self.telling}
        return tuple(row for row in self.rows if row.id not in told)

    @property
    def counts(self) -> tuple[Count, ...]:
        """`2 failed`, `9 behind`, the worst first."""
        counted = Counter(row.state for row in self.rows)
        return tuple(
            Count(state, f"{counted[state]} {state_of(state).word.lower()}") for state in sorted(counted, key=_badness)
        )

    @property
    def drawn_telling(self) -> SafeString:
        return draw_places(self.telling, with_service=False)

    @property
    def drawn_rest(self) -> SafeString:
        return draw_places(self.rest, with_service=False)

    @property
    def heads(self) -> str:
        """`0018`, or `0012 … 0018` from the one furthest behind to the newest."""
        known = sorted((row for row in self.rows if row.behind is not None and row.head), key=lambda r: r.behind or 0)
        if not known:
            return ""
        newest, oldest = (row.head.partition("_")[0] for row in (known[0], known[-1]))
        return newest if newest == oldest else f"{oldest} … {newest}"


def folds(rows: Sequence[Standing]) -> bool:
    return len(rows) > FEW


def groups_of(rows: Sequence[Standing]) -> tuple[StageGroup, ...]:
    """In the order of services and of their stages. Folded groups list the worst first, few rows keep their order."""
    groups: dict[tuple[str, str], list[Standing]] = {}
    for row in rows:
        groups.setdefault((row.service, row.stage), []).append(row)
    many = folds(rows)
    return tuple(
        StageGroup(service, stage, tuple(sorted(found, key=_worst_first) if many else found))
        for (service, stage), found in groups.items()
    )


def _worst_first(row: Standing) -> tuple[int, int, int, str]:
    return (_badness(row.state), -(row.behind or 0), row.order, row.environment)


def _badness(state: str) -> int:
    return _ORDER.index(state) if state in _ORDER else 0
