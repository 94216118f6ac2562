"""Checks in a line, and what a worker would find."""

from __future__ import annotations

from migrations_app.models import Release
from migrations_app.releases.gates import kinds
from migrations_app.releases.gates.catalogue import Check
from migrations_app.releases.gates.kinds import Found


def a_check(kind: str, **settings: object) -> Check:
    return Check(key="it", title="It holds", kind=kind, settings=settings)


def look(release: Release, kind: str, **settings: object) -> Found:
    return kinds.collect(release, a_check(kind, **settings))


def told(found: Found) -> tuple[str, str]:
    return found.status, found.summary
