"""Where a release would start, its schemas, and what going back to the one before it means in each place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.templatetags.text import share
from migrations_app.admission.rollback import RollbackPlan, rollback_plan
from migrations_app.permissions import may, who_may
from migrations_app.releases.contracts import Fit
from migrations_app.releases.going_back import Back, brought_by, going_back, previous_release, schemas_of

# A plan is a dozen queries: the first are looked at here, each of the others on its environment's page.
MOST_PLANNED = 6


@dataclass(frozen=True)
class Way:
    """One environment and the way back there. `plan` is None where none is needed, and beyond the first few."""

    back: Back
    url: str  # of the plan on the environment's page; empty where nothing has to be rolled back
    plan: RollbackPlan | None = None


@require_safe
def release_places(request: HttpRequest, service: str, release_id: str) -> HttpResponse:
    found = access.release_named_for(request.user, service, release_id)
    earlier = previous_release(found)
    schemas = schemas_of(found.service)
    standing = going_back(found, schemas)
    ways = _planned(request, found, going_back(earlier, schemas)) if earlier else ()
    context = {
        "release": found,
        "earlier": earlier,
        "headline": _headline(found, standing),
        "standing": [Way(back, _url(found, back)) for back in reversed(standing)],
        "ways": ways,
        "unplanned": sum(bool(way.url) for way in ways) - sum(way.plan is not None for way in ways),
        "brought": brought_by(found, earlier, schemas),
        "may_sql": may(request.user, "view_sql"),
        "sql_readers": who_may("view_sql"),
    }
    return render(request, "releases/places.html", context)


def _headline(found: access.Release, standing: Sequence[Back]) -> str:
    """`2026.11.2 would start in three of four environments.`"""
    fits = sum(back.cell.fit == Fit.FITS for back in standing)
    if not standing:
        return f"{found.release_id} has no environment to start in yet."
    only = len(standing) == 1
    if fits == len(standing):
        return f"{found.release_id} would start in {'its only environment' if only else 'every environment'}."
    if not fits:
        return f"{found.release_id} would start in {'no' if only else 'none of the'} environment{'' if only else 's'}."
    return f"{found.release_id} would start in {share(fits, len(standing))} environments."


def _planned(request: HttpRequest, found: access.Release, backs: Sequence[Back]) -> tuple[Way, ...]:
    """What has to go back comes first, in the order in which it is started."""
    needed = [back for back in backs if back.to]
    looked_at = [back.place.name for back in needed[:MOST_PLANNED]]
    environments = access.environments_for(request.user).filter(service=found.service, name__in=looked_at)
    plans = {one.name: rollback_plan(one, needed[0].to) for one in environments} if looked_at else {}
    ordered = (*needed, *(back for back in backs if not back.to))
    return tuple(Way(back, _url(found, back), plans.get(back.place.name)) for back in ordered)


def _url(found: access.Release, back: Back) -> str:
    if not back.to:
        return ""
    page = reverse("environment", args=[found.service.name, back.place.name])
    return f"{page}?{urlencode({'direction': 'down', 'to': back.to})}#plan"
