"""Who may sign nothing of a release, whatever their role: nobody vouches for what they made or ran themselves."""

from __future__ import annotations

from django.db.models import Q

from migrations_app.models import Cutover, Environment, LedgerEntry, Release, Revision, Run
from migrations_app.releases.gates.pending import head_of
from migrations_app.releases.going_back import previous_release
from migrations_app.statuses import OPEN

AUTHOR = "registered this release, and nobody signs their own"
STARTER = "asks for this cutover, and nobody signs what they run"
RUNNER = "started a run of this release, and nobody signs what they ran"


def people_barred(release: Release) -> dict[int, str]:
    """Their ids, each with why as the end of a sentence that begins with their name. Four queries."""
    applied = LedgerEntry.objects.standing().filter(
        _touches(release), direction="up", run__isnull=False, environment__service_id=release.service_id
    )
    ran = applied.order_by().values_list("run__requested_by")
    running = Run.objects.filter(
        direction="up", status__in=sorted(OPEN), environment__service_id=release.service_id
    ).order_by()
    carried = Cutover.objects.filter(release=release).order_by()
    people = ran.union(running.values_list("requested_by"), carried.values_list("requested_by"))
    return {**{person: RUNNER for (person,) in people}, release.created_by_id: AUTHOR}


def _touches(release: Release) -> Q:
    """Of a revision that the release brought, or that some environment has yet to get for it."""
    chain = Revision.objects.filter(service_id=release.service_id)
    places = dict(chain.values_list("revision_id", "position"))
    top = places.get(head_of(release), 0)
    earlier = previous_release(release)
    brought = Q(revision_id__in=_between(places, places.get(head_of(earlier), 0) if earlier else 0, top))
    if earlier is None:
        # Everything below is its own then, and who ran that long ago is a stranger to this release.
        brought &= Q(applied_at__gte=release.created_at)
    heads = Environment.objects.filter(service_id=release.service_id).values_list("head_revision", flat=True)
    lowest = min((places.get(head, 0) for head in heads), default=top)
    return brought | Q(revision_id__in=_between(places, lowest, top))


def _between(places: dict[str, int], below: int, top: int) -> list[str]:
    return [revision for revision, place in places.items() if below < place <= top]
