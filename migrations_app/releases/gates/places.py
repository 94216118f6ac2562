"""The environments that a check asks: one by its name, or all of a stage."""

from __future__ import annotations

from migrations_app.models import Environment, Release


def environments(release: Release, name: str) -> tuple[Environment, ...]:
    """None where the service has no environment and no stage of that name."""
    all_of_it = Environment.objects.filter(service_id=release.service_id).select_related("service")
    found = all_of_it.filter(name=name) or all_of_it.filter(stage=name)
    return tuple(found.order_by("order", "name"))


def nowhere(release: Release, name: str) -> str:
    return f"{release.service.name} has no environment and no stage {name}."
