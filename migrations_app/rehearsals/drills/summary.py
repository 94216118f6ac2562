"""How well rollbacks are practised: the last success and its age, recovery times of late, where nobody ever tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count
from django.utils import timezone

from migrations_app.fleet.production import called_production
from migrations_app.models import Drill, Environment
from migrations_app.models.drill import DrillStatus
from migrations_app.rehearsals.drills.listing import DrillFilter, where
from migrations_app.rehearsals.drills.states import GOOD

FRESH_DAYS = 14
LAST = 10
MOST_PLACES = 8


@dataclass(frozen=True)
class Summary:
    """Of all drills that a filter leaves, in whatever environment."""

    success: Drill | None
    recoveries: int  # how many times the 95th percentile is of, ten at most
    p95_ms: int | None
    stepped_in: int  # interventions of the last success
    now: datetime

    @property
    def fresh(self) -> bool:
        return is_fresh(self.success.finished_at if self.success else None, self.now)


@dataclass(frozen=True)
class PlaceRow:
    environment: Environment
    success: Drill | None
    state: str  # ok, stale, missing


@dataclass(frozen=True)
class Places:
    rows: tuple[PlaceRow, ...]
    total: int
    unpractised: int  # missing or stale


def is_fresh(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now - moment <= timedelta(days=FRESH_DAYS)


def percentile(values: Sequence[int], share: float) -> int | None:
    """With linear interpolation between neighbours, as PostgreSQL's percentile_cont."""
    if not values:
        return None
    ordered = sorted(values)
    at = (len(ordered) - 1) * share
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (at - low))


def summarise(wanted: DrillFilter) -> Summary:
    ended = Drill.objects.filter(status=DrillStatus.FINISHED, **where(wanted))
    drills = ended.order_by("-finished_at", "-id")
    if wanted.scenario:
        drills = drills.filter(scenario=wanted.scenario)
    success = (
        drills.filter(result__in=GOOD)
        .select_related("environment__service")
        .annotate(stepped_in=Count("interventions"))
        .first()
    )
    times = list(drills.filter(recovery_ms__isnull=False).values_list("recovery_ms", flat=True)[:LAST])
    return Summary(
        success=success,
        recoveries=len(times),
        p95_ms=percentile([ms for ms in times if ms is not None], 0.95),
        stepped_in=success.stepped_in if success else 0,
        now=timezone.now(),
    )


def last_of_each_scenario(wanted: DrillFilter) -> dict[str, Drill]:
    """The newest finished drill of each scenario, by the scenario's key."""
    drills = Drill.objects.filter(status=DrillStatus.FINISHED, **where(wanted))
    newest = drills.order_by("scenario", "-id").distinct("scenario").select_related("environment__service")
    return {drill.scenario: drill for drill in newest}


def production_places(wanted: DrillFilter) -> Places:
    """Where a recovery matters most: never practised first, then the longest ago."""
    environments = called_production().select_related("service")
    if wanted.service:
        environments = environments.filter(service__name=wanted.service)
    if wanted.environment:
        environments = environments.filter(name=wanted.environment)
    last = {
        drill.environment_id: drill
        for drill in Drill.objects.filter(
            status=DrillStatus.FINISHED, result__in=GOOD, finished_at__isnull=False, **where(wanted)
        )
        .order_by("environment_id", "-finished_at")
        .distinct("environment_id")
    }
    now = timezone.now()
    rows = [_row(environment, last.get(environment.pk), now) for environment in environments.order_by("name")]
    rows.sort(key=lambda row: row.success.finished_at.timestamp() if row.success and row.success.finished_at else 0)
    return Places(tuple(rows[:MOST_PLACES]), len(rows), sum(row.state != "ok" for row in rows))


def _row(environment: Environment, success: Drill | None, now: datetime) -> PlaceRow:
    if success is None:
        return PlaceRow(environment, None, "missing")
    return PlaceRow(environment, success, "ok" if is_fresh(success.finished_at, now) else "stale")
