"""What stands around a release: its neighbours, where it runs, and what was done to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from migrations_app.models import AuditEntry, Cutover, Environment, EnvironmentRelease, Release
from migrations_app.releases.going_back import previous_release

TOLD_ENTRIES = 50


@dataclass(frozen=True)
class Place:
    environment: str
    since: datetime


@dataclass(frozen=True)
class Places:
    """The environments that run a release now, and whether these are all of its service."""

    running: tuple[Place, ...]
    all: bool


@dataclass(frozen=True)
class Neighbours:
    """The releases registered before and after it for the same service, by their ids; empty where there is none."""

    earlier: str
    later: str


def neighbours(release: Release) -> Neighbours:
    """Two queries."""
    earlier = previous_release(release)
    later = Release.objects.filter(service_id=release.service_id, pk__gt=release.pk).order_by("pk")
    return Neighbours(earlier.release_id if earlier else "", later.values_list("release_id", flat=True).first() or "")


def places_of(release: Release) -> Places:
    """One query."""
    runs = EnvironmentRelease.objects.filter(environment=OuterRef("pk"), release=release, until=None)
    environments = Environment.objects.filter(service_id=release.service_id).order_by("order", "pk")
    rows = list(environments.annotate(since=Subquery(runs.values("since")[:1])).values_list("name", "since"))
    running = tuple(Place(name, since) for name, since in rows if since is not None)
    return Places(running, all=len(running) == len(rows))


def named_in_audit(release: Release) -> str:
    return f"release:{release.service.name}/{release.release_id}"


def transitions_of(release: Release) -> tuple[AuditEntry, ...]:
    """What the audit chain holds about this release, newest first."""
    entries = AuditEntry.objects.filter(data__object=named_in_audit(release))
    return tuple(entries.order_by("-seq")[:TOLD_ENTRIES])


def told_of_cutover(cutover: Cutover) -> tuple[AuditEntry, ...]:
    """The same about one of its cutovers."""
    entries = AuditEntry.objects.filter(data__object=named_in_audit(cutover.release), data__after__cutover=cutover.pk)
    return tuple(entries.order_by("-seq")[:TOLD_ENTRIES])
