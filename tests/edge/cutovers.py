"""A cutover that two people broke the glass for, and a freeze, as plain rows."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models.functions import Now

from migrations_app.models import BreakGlass, BreakGlassAnswer, Cutover, CutoverStep, Environment, Freeze
from migrations_app.statuses import CutoverStatus
from tests.edge.people import person


def make_cutover(environment: Environment, by: User, status: str = CutoverStatus.DONE, **fields: object) -> Cutover:
    """Of the service's newest release, over one environment."""
    release = environment.service.releases.latest("pk")
    glass = BreakGlass.objects.create(
        release=release,
        asked_by=by,
        reason="customers cannot pay",
        blockers=[["tests", "The tests pass: nothing has reported it."]],
        blockers_hash="x",
        expires_at=Now() + timedelta(hours=1),
    )
    BreakGlassAnswer.objects.create(glass=glass, granted=True, by=person("second"), reason="it has to be now")
    cutover = Cutover.objects.create(
        service=environment.service, release=release, glass=glass, requested_by=by, status=status, **fields
    )
    CutoverStep.objects.create(cutover=cutover, ordinal=1, environment=environment, to_revision="0001_step")
    make_freeze(by)
    return cutover


def make_freeze(by: User, hours: int = 1, **fields: object) -> Freeze:
    return Freeze.objects.create(
        starts_at=Now(), ends_at=Now() + timedelta(hours=hours), reason="the sale goes on", created_by=by, **fields
    )
