"""The revisions of a release: those that it brought, and those that a cutover would apply somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Q, QuerySet

from migrations_app.models import Cutover, CutoverStep, Environment, EnvironmentRelease, Release, Revision
from migrations_app.releases.schema_chain import read_schema_chain


def head_of(release: Release) -> str:
    """The revision that the release stands for; empty where its schema_rev names none any more."""
    return release.head_revision or _by_schema(release)


def own_revisions(release: Release) -> QuerySet[Revision]:
    """What it brought: those above place_below(); without anything before it, the whole chain up to it."""
    chain = Revision.objects.filter(service_id=release.service_id)
    places = dict(chain.values_list("revision_id", "position"))
    top = places.get(head_of(release), 0)
    return chain.filter(position__gt=place_below(release, places, top) or 0, position__lte=top).order_by("position")


def place_below(release: Release, places: Mapping[str, int], top: int) -> int | None:
    """The place above which it brought what it has: the lowest that ran anywhere when it was registered.

    Where nothing is known to have run, the release before it that ended lower; one that is only registered and ends
    at the same place takes nothing away. None where there was no such release.
    """
    then = Q(since__lte=release.created_at) & (Q(until=None) | Q(until__gt=release.created_at))
    ran = EnvironmentRelease.objects.filter(then, environment__service_id=release.service_id)
    heads = ran.order_by().values_list("release__head_revision", flat=True)
    if known := [places.get(head, 0) for head in heads]:
        return min(known)
    earlier = Release.objects.filter(service_id=release.service_id, pk__lt=release.pk).order_by("-pk")
    ends = (places.get(head, 0) for head in earlier.values_list("head_revision", flat=True))
    return next((end for end in ends if 0 < end < top), None)


def _by_schema(release: Release) -> str:
    """Of a release that is older than the column."""
    found = read_schema_chain(release.service).of(release.schema_rev)
    if len(found) != 1:
        return ""
    chain = Revision.objects.filter(service_id=release.service_id, position__lte=found[0].last)
    return chain.order_by("-position").values_list("revision_id", flat=True).first() or ""


def pending_revisions(release: Release) -> QuerySet[Revision]:
    """In the order of the chain, without their SQL: what the environment furthest behind has yet to get."""
    heads = Environment.objects.filter(service_id=release.service_id).values_list("head_revision", flat=True)
    return _since(release, heads)


def carried_revisions(release: Release) -> QuerySet[Revision]:
    """What was pending when its newest cutover began; none without one."""
    newest = Cutover.objects.filter(release=release).order_by("-id").values("id")[:1]
    heads = list(CutoverStep.objects.filter(cutover__in=newest).values_list("from_revision", flat=True))
    return _since(release, heads) if heads else Revision.objects.none()


def _since(release: Release, heads: Iterable[str]) -> QuerySet[Revision]:
    """Above the lowest of the heads, up to the release's own."""
    chain = Revision.objects.filter(service_id=release.service_id)
    places = dict(chain.values_list("revision_id", "position"))
    highest = places.get(head_of(release), 0)
    lowest = min((places.get(head, 0) for head in heads), default=highest)
    wanted = chain.filter(position__gt=lowest, position__lte=highest).order_by("position")
    return wanted.defer("up", "down", "verify", "up_script", "down_script", "verify_script")
