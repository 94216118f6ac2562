"""One search over names: services, environments and revisions by a part of their name, runs by number."""

from __future__ import annotations

from dataclasses import dataclass

from migrations_app.models import Environment, Revision, Run, Service

EACH = 20


@dataclass(frozen=True)
class Found:
    kind: str
    name: str
    service: str


def find(query: str) -> tuple[Found, ...]:
    """At most twenty of each kind; an exact number is a run."""
    if not query:
        return ()
    runs = Run.objects.filter(pk=int(query)) if query.isascii() and query.isdigit() and len(query) < 18 else ()
    return (
        *(Found("run", str(run.pk), "") for run in runs),
        *(Found("service", name, name) for name in _services(query)),
        *(Found("environment", name, service) for name, service in _environments(query)),
        *(Found("revision", name, service) for name, service in _revisions(query)),
    )


def _services(query: str) -> list[str]:
    return list(Service.objects.filter(name__icontains=query).values_list("name", flat=True)[:EACH])


def _environments(query: str) -> list[tuple[str, str]]:
    return list(Environment.objects.filter(name__icontains=query).values_list("name", "service__name")[:EACH])


def _revisions(query: str) -> list[tuple[str, str]]:
    rows = Revision.objects.filter(revision_id__icontains=query).order_by("-position")
    return list(rows.values_list("revision_id", "service__name")[:EACH])
