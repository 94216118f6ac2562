"""A service's revisions in chain order, with how many environments each is applied in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max

from migrations_app.models import AppliedRevision, Environment, Revision, Service

WINDOW = 100


@dataclass(frozen=True)
class Link:
    """One revision of the chain; its SQL is not loaded for a list."""

    revision_id: str
    position: int
    phase: str
    schema_rev: str
    checksum: str
    reversible: bool
    verified: bool
    applied: int
    created_at: datetime
    created_by: str


@dataclass(frozen=True)
class ChainWindow:
    rows: tuple[Link, ...]
    total: int
    environments: int
    older: int | None


@dataclass(frozen=True)
class ServiceRow:
    name: str
    environments: int
    revisions: int
    newest: str


def read_chain(service: Service, before: int | None = None, window: int = WINDOW) -> ChainWindow:
    """Newest first; `before` is the place to go on from."""
    revisions = Revision.objects.filter(service=service).order_by("-position")
    if before is not None:
        revisions = revisions.filter(position__lt=before)
    found = list(
        revisions.values_list(
            "revision_id",
            "position",
            "phase",
            "schema_rev",
            "checksum",
            "down_checksum",
            "verify_checksum",
            "created_at",
            "created_by__username",
        )[: window + 1]
    )
    shown = found[:window]
    applied = _applied_counts(service, [row[0] for row in shown])
    rows = tuple(
        Link(
            revision_id=row[0],
            position=row[1],
            phase=row[2],
            schema_rev=row[3],
            checksum=row[4],
            reversible=bool(row[5]),
            verified=bool(row[6]),
            applied=applied.get(row[0], 0),
            created_at=row[7],
            created_by=row[8],
        )
        for row in shown
    )
    return ChainWindow(
        rows=rows,
        total=Revision.objects.filter(service=service).aggregate(last=Max("position"))["last"] or 0,
        environments=Environment.objects.filter(service=service).count(),
        older=rows[-1].position if len(found) > window else None,
    )


def _applied_counts(service: Service, ids: list[str]) -> dict[str, int]:
    return dict(
        AppliedRevision.objects.filter(environment__service=service, revision_id__in=ids)
        .values_list("revision_id")
        .annotate(n=Count("id"))
    )


def applied_where(revision: Revision) -> tuple[AppliedRevision, ...]:
    return tuple(
        AppliedRevision.objects.filter(environment__service_id=revision.service_id, revision_id=revision.revision_id)
        .select_related("environment")
        .order_by("environment__order", "environment__name")
    )


def stored_revision(service_id: int, revision_id: str) -> Revision | None:
    """None for a receipt whose revision nobody has uploaded here."""
    return Revision.objects.filter(service_id=service_id, revision_id=revision_id).first()


def list_services() -> tuple[ServiceRow, ...]:
    services = Service.objects.order_by("name").annotate(environments_count=Count("environments", distinct=True))
    tops = dict(Revision.objects.values_list("service_id").annotate(last=Max("position")))
    newest = {
        service_id: revision_id
        for service_id, position, revision_id in Revision.objects.filter(position__in=set(tops.values())).values_list(
            "service_id", "position", "revision_id"
        )
        if tops[service_id] == position
    }
    return tuple(
        ServiceRow(
            name=service.name,
            environments=service.environments_count,
            revisions=tops.get(service.pk, 0),
            newest=newest.get(service.pk, ""),
        )
        for service in services
    )


def service_names() -> tuple[str, ...]:
    return tuple(Service.objects.order_by("name").values_list("name", flat=True))


def environment_names(service: str = "") -> tuple[str, ...]:
    rows = Environment.objects.order_by("order", "name")
    if service:
        rows = rows.filter(service__name=service)
    return tuple(dict.fromkeys(rows.values_list("name", flat=True)))


@dataclass(frozen=True)
class Targets:
    """Where a run could lead to: revisions ahead of the head, and those it could go back to."""

    ahead: tuple[str, ...]
    back: tuple[str, ...]


MOST_TARGETS = 200


def environment_targets(environment: Environment) -> Targets:
    chain = Revision.objects.filter(service_id=environment.service_id)
    head = chain.filter(revision_id=environment.head_revision).values_list("position", flat=True).first() or 0
    names = chain.values_list("revision_id", flat=True)
    return Targets(
        ahead=tuple(names.filter(position__gt=head).order_by("position")[:MOST_TARGETS]),
        back=tuple(names.filter(position__lt=head).order_by("-position")[:MOST_TARGETS]),
    )


@dataclass(frozen=True)
class Neighbours:
    earlier: str
    later: str


def neighbours(revision: Revision) -> Neighbours:
    later = (
        Revision.objects.filter(service_id=revision.service_id, parent=revision.revision_id)
        .values_list("revision_id", flat=True)
        .first()
    )
    return Neighbours(earlier=revision.parent, later=later or "")
