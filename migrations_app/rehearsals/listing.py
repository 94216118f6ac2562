"""Rehearsals in windows, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.models import Rehearsal


@dataclass(frozen=True)
class RehearsalFilter:
    """Empty fields filter nothing; `before` is the number to go on from."""

    service: str = ""
    environment: str = ""
    before: int | None = None


@dataclass(frozen=True)
class RehearsalWindow:
    rows: tuple[Rehearsal, ...]
    older: int | None


def list_rehearsals(wanted: RehearsalFilter, limit: int = 50) -> RehearsalWindow:
    found = Rehearsal.objects.select_related("service", "environment", "requested_by").order_by("-id")
    if wanted.service:
        found = found.filter(service__name=wanted.service)
    if wanted.environment:
        found = found.filter(environment__name=wanted.environment)
    if wanted.before is not None:
        found = found.filter(pk__lt=wanted.before)
    rows = tuple(found[: limit + 1])
    return RehearsalWindow(rows[:limit], rows[limit - 1].pk if len(rows) > limit else None)
