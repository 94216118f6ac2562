"""Releases in windows, newest first, each with where it runs. No gate is judged here: the stored status is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from migrations_app.models import EnvironmentRelease, Release
from migrations_app.statuses import ReleaseStatus

# `ready` is never stored, so nothing can be asked by it.
STORED = tuple((status.value, status.label) for status in ReleaseStatus if status != ReleaseStatus.READY)


@dataclass(frozen=True)
class ReleaseFilter:
    """Empty fields filter nothing; `before` is the number to go on from."""

    service: str = ""
    status: str = ""
    before: int | None = None


@dataclass(frozen=True)
class ReleaseRow:
    id: int
    service: str
    release_id: str
    status: str
    changed_at: datetime
    schema_rev: str
    registered_at: datetime
    by: str
    runs_in: tuple[str, ...]  # environments, in their order


@dataclass(frozen=True)
class ReleaseWindow:
    rows: tuple[ReleaseRow, ...]
    older: int | None


def list_releases(wanted: ReleaseFilter, limit: int = 50) -> ReleaseWindow:
    """Two queries."""
    found = Release.objects.select_related("service", "created_by", "state").order_by("-id")
    if wanted.service:
        found = found.filter(service__name=wanted.service)
    if wanted.status:
        found = found.filter(state__status=wanted.status)
    if wanted.before is not None:
        found = found.filter(pk__lt=wanted.before)
    open_ones = EnvironmentRelease.objects.filter(until=None).select_related("environment")
    rows = found.prefetch_related(Prefetch("places", open_ones.order_by("environment__order", "environment__name")))
    shown = [_row(release) for release in rows[: limit + 1]]
    return ReleaseWindow(tuple(shown[:limit]), shown[limit - 1].id if len(shown) > limit else None)


def _row(release: Release) -> ReleaseRow:
    return ReleaseRow(
        id=release.pk,
        service=release.service.name,
        release_id=release.release_id,
        status=release.state.status,
        changed_at=release.state.changed_at,
        schema_rev=release.schema_rev,
        registered_at=release.created_at,
        by=release.created_by.get_username(),
        runs_in=tuple(place.environment.name for place in release.places.all()),
    )
