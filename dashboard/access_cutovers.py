"""The look-ups of cutovers and freezes, in the manner of access.py: permission first, then found or 404."""

from __future__ import annotations

from django.db.models import QuerySet

from dashboard.access import Person, one, require
from migrations_app.models import BreakGlass, Cutover, CutoverGate, CutoverStep, Freeze, Release

# Named here so that pages and API can annotate what they were given without a way to look it up themselves.
__all__ = [
    "BreakGlass",
    "Cutover",
    "CutoverGate",
    "CutoverStep",
    "Freeze",
    "cutover_for",
    "cutovers_for",
    "freeze_for",
    "freezes_for",
    "gates_of_cutover_for",
    "glass_for",
    "glasses_for",
    "steps_of_cutover_for",
]


def cutovers_for(user: Person, verb: str = "view") -> QuerySet[Cutover]:
    """Newest first."""
    require(user, verb)
    rows = Cutover.objects.select_related("release__service", "requested_by", "glass__asked_by", "glass__answer__by")
    return rows.order_by("-id")


def cutover_for(user: Person, pk: int, verb: str = "view") -> Cutover:
    require(user, verb, f"cutover:{pk}")
    return one(cutovers_for(user), f"cutover {pk}", pk=pk)


def steps_of_cutover_for(user: Person, cutover: Cutover) -> QuerySet[CutoverStep]:
    """In the order of the plan, with their runs."""
    require(user, "view", f"cutover:{cutover.pk}")
    steps = CutoverStep.objects.filter(cutover=cutover).order_by("ordinal")
    return steps.select_related("environment__service", "run", "back_run")


def gates_of_cutover_for(user: Person, cutover: Cutover) -> QuerySet[CutoverGate]:
    """As each stood when the cutover was created, in the order of the catalogue."""
    require(user, "view", f"cutover:{cutover.pk}")
    return CutoverGate.objects.filter(cutover=cutover).order_by("id")


def glass_for(user: Person, pk: int, verb: str = "view") -> BreakGlass:
    require(user, verb, f"glass:{pk}")
    rows = BreakGlass.objects.select_related("release__service", "release__created_by", "asked_by")
    rows = rows.select_related("answer__by", "cutover")
    return one(rows, f"request {pk} to break the glass", pk=pk)


def glasses_for(user: Person, release: Release, verb: str = "view") -> QuerySet[BreakGlass]:
    """What was asked for about one release, newest first."""
    require(user, verb, f"release:{release.pk}")
    return BreakGlass.objects.filter(release=release).select_related("asked_by").order_by("-id")


def freezes_for(user: Person, verb: str = "view") -> QuerySet[Freeze]:
    """The one that ends last first."""
    require(user, verb)
    return Freeze.objects.select_related("service", "created_by", "lifted_by").order_by("-ends_at", "-id")


def freeze_for(user: Person, pk: int, verb: str = "view") -> Freeze:
    require(user, verb, f"freeze:{pk}")
    return one(freezes_for(user), f"freeze {pk}", pk=pk)
