"""People have practised rolling back the service's production, with success and not long ago."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from migrations_app.fleet.production import production_ids
from migrations_app.models import Drill, Environment, Release
from migrations_app.models.drill import DrillStatus
from migrations_app.rehearsals.drills.states import GOOD
from migrations_app.rehearsals.drills.summary import FRESH_DAYS, is_fresh
from migrations_app.releases.gates.facts import outcome
from migrations_app.releases.gates.known import Outcome
from migrations_app.statuses import CheckState
from migrations_app.wording import duration


def look(release: Release, settings: Mapping[str, object]) -> Outcome:
    of_service = Environment.objects.filter(service_id=release.service_id, pk__in=production_ids())
    names = dict(of_service.order_by("order", "name").values_list("pk", "name"))
    if not names:
        return outcome(CheckState.NOT_APPLICABLE, "There is no environment yet.")
    good = Drill.objects.filter(
        environment__in=names, status=DrillStatus.FINISHED, result__in=GOOD, finished_at__isnull=False
    )
    newest = good.order_by("-finished_at", "-id").first()
    if newest is None or newest.finished_at is None:
        told = f"Nobody has practised a rollback of {', '.join(names.values())} with success yet."
        return outcome(CheckState.MISSING, told)
    now = timezone.now()
    ago = duration(max((now - newest.finished_at).total_seconds(), 1) * 1000)
    told = f"A rollback of {names[newest.environment_id]} was last practised with success {ago} ago"
    if not is_fresh(newest.finished_at, now):
        return outcome(CheckState.MISSING, f"{told}; the limit is {FRESH_DAYS} days.")
    return outcome(CheckState.PASS, f"{told}.")
