"""Cutovers, broken glass and freezes as plain rows."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from migrations_app.models import (
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
    CutoverGate,
    CutoverStep,
    Environment,
    Freeze,
    Release,
    Service,
)
from migrations_app.releases.gates.glass import blockers, blockers_hash
from migrations_app.releases.gates.reading import judged
from tests.releases.gates.rows import put, tell


def make_glass(release: Release, by: User, reason: str = "customers cannot pay") -> BreakGlass:
    """It waits for a second person, and what blocks is what it was asked for."""
    stands = judged(release)
    return put(
        BreakGlass(
            release=release,
            blockers=blockers(stands.verdict),
            blockers_hash=blockers_hash(stands),
            asked_by=by,
            reason=reason,
            expires_at=timezone.now() + timedelta(hours=1),
        )
    )


def make_cutover(release: Release, by: User, second: User, *, status: str = "running", **fields: object) -> Cutover:
    """Past its gates, with a step for each environment; the last one failed where it is halted."""
    glass = make_glass(release, by)
    put(BreakGlassAnswer(glass=glass, granted=True, by=second, reason="it has to be now"))
    with transaction.atomic():
        cutover = Cutover.objects.create(
            service=release.service, release=release, glass=glass, requested_by=by, status=status, **fields
        )
        CutoverGate.objects.create(cutover=cutover, gate_key="tests", state="missing", evidence_hash="b" * 64)
        _make_steps(cutover)
        tell(cutover)
    return cutover


def _make_steps(cutover: Cutover) -> None:
    places = list(Environment.objects.filter(service=cutover.service).order_by("order"))
    for ordinal, place in enumerate(places, start=1):
        failed = cutover.status == "halted" and ordinal == len(places)
        CutoverStep.objects.create(
            cutover=cutover,
            ordinal=ordinal,
            environment=place,
            from_revision="0001_step",
            to_revision="0003_step",
            status="failed" if failed else "done" if ordinal < len(places) else "pending",
            sentence="Run 7 failed." if failed else "",
        )


def make_freeze(by: User, service: Service | None = None, *, begins: float = -1, ends: float = 1) -> Freeze:
    """`begins` and `ends` are hours from now."""
    now = timezone.now()
    return Freeze.objects.create(
        service=service, created_by=by, reason="the busiest week of the year",
        starts_at=now + timedelta(hours=begins), ends_at=now + timedelta(hours=ends),
    )  # fmt: skip
