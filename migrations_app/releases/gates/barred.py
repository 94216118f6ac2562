"""Who may sign nothing of a release, whatever their role: nobody vouches for what they made or ran themselves."""

from __future__ import annotations

from django.db.models import Q

from migrations_app.models import Cutover, Environment, LedgerEntry, Release, Revision, Run
from migrations_app.releases.gates.pending import head_of, place_below
from migrations_app.statuses import OPEN

AUTHOR = "registered this release, and nobody signs their own"
STARTER = "asks for this cutover, and nobody signs what they run"
RUNNER = "started a run of this release, and nobody signs what they ran"


def people_barred(release: Release) -> dict[int, str]:
    """Their ids, each with why as the end of a sentence that begins with their name. Five queries at most."""
    applied = LedgerEntry.objects.standing().filter(
        _touches(release), direction="up", run__isnull=False, environment__service_id=release.service_id
    )
    ran = applied.order_by().values_list("run__requested_by")
    # However it ended: one that failed half-way was run as well.
    begun = Q(status__in=sorted(OPEN)) | Q(started_at__isnull=False, created_at__gte=release.created_at)
    running = Run.objects.filter(begun, direction="up", environment__service_id=release.service_id).order_by()
    carried = Cutover.objects.filter(release=release).order_by()
    people = ran.union(running.values_list("requested_by"), carried.values_list("requested_by"))
    return {**{person: RUNNER for (person,) in people}, release.created_by_id: AUTHOR}


def _touches(release: Release) -> Q:
    """Of a revision that the release brought, or that some environment has yet to get for it."""
    chain = Revision.objects.filter(service_id=release.service_id)
    places = dict(chain.values_list("revision_id", "position"))
    top = places.get(head_of(release), 0)
    # Without anything before it, who ran its chain that long ago is a stranger to it.
    below = place_below(release, places, top)
    brought = Q(revision_id__in=_between(places, top if below is None else below, top))
    # Whoever ran something below that long ago is a stranger to this release; since it is there, nobody is.
    since = Q(revision_id__in=_between(places, 0, top), applied_at__gte=release.created_at)
    heads = Environment.objects.filter(service_id=release.service_id).values_list("head_revision", flat=True)
    lowest = min((places.get(head, 0) for head in heads), default=top)
    return brought | since | Q(revision_id__in=_between(places, lowest, top))


def _between(places: dict[str, int], below: int, top: int) -> list[str]:
    return [revision for revision, place in places.items() if below < place <= top]
