"""Drills as a list: newest first, filtered, a window by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from django.db.models import Count, QuerySet

from migrations_app.models import Drill
from migrations_app.models.drill import OPEN_DRILL, DrillResult, DrillStatus

WINDOW = 50
CHUNK = 500
# What a list can be narrowed to by how a drill ended; the first two are not results but stand in the same place.
RESULTS = {
    "open": "under way",
    "abandoned": "abandoned",
    DrillResult.PASSED.value: "passed",
    DrillResult.WITH_INTERVENTIONS.value: "passed with interventions",
    DrillResult.FAILED.value: "failed",
}


@dataclass(frozen=True)
class DrillFilter:
    """What the address asks for; empty means everything."""

    service: str = ""
    environment: str = ""
    scenario: str = ""
    result: str = ""
    before: int | None = None  # the last row seen

    @property
    def narrows(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self) if field.name != "before")

    def unpaged(self) -> DrillFilter:
        return replace(self, before=None)


@dataclass(frozen=True)
class DrillPage:
    rows: tuple[Drill, ...]
    older: int | None


def list_drills(wanted: DrillFilter, window: int = WINDOW) -> DrillPage:
    rows = list(_counted(filtered(wanted))[: window + 1])
    shown = rows[:window]
    return DrillPage(tuple(shown), shown[-1].pk if len(rows) > window else None)


def every_drill(wanted: DrillFilter, most: int) -> Iterator[Drill]:
    """All that fit, a piece at a time, with their steps."""
    rows = _counted(filtered(wanted.unpaged())).prefetch_related("steps")
    return rows[:most].iterator(chunk_size=CHUNK)


def filtered(wanted: DrillFilter) -> QuerySet[Drill]:
    drills = Drill.objects.select_related("environment__service", "operator").filter(**where(wanted)).order_by("-id")
    if wanted.scenario:
        drills = drills.filter(scenario=wanted.scenario)
    if wanted.result == "open":
        drills = drills.filter(status__in=OPEN_DRILL)
    elif wanted.result == "abandoned":
        drills = drills.filter(status=DrillStatus.ABANDONED)
    elif wanted.result:
        drills = drills.filter(result=wanted.result)
    if wanted.before is not None:
        drills = drills.filter(pk__lt=wanted.before)
    return drills


def where(wanted: DrillFilter) -> dict[str, str]:
    """The place that is asked for, as conditions on drills."""
    names = {"environment__service__name": wanted.service, "environment__name": wanted.environment}
    return {name: value for name, value in names.items() if value}


def _counted(drills: QuerySet[Drill]) -> QuerySet[Drill]:
    return drills.annotate(stepped_in=Count("interventions"))
