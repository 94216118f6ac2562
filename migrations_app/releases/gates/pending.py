"""The revisions of a release: those that it brought, and those that a cutover would apply somewhere."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from migrations_app.models import Cutover, CutoverStep, Environment, Release, Revision
from migrations_app.releases.going_back import previous_release
from migrations_app.releases.schema_chain import read_schema_chain


def head_of(release: Release) -> str:
    """The revision that the release stands for; empty where its schema_rev names none any more."""
    return release.head_revision or _by_schema(release)


def own_revisions(release: Release) -> QuerySet[Revision]:
    """Those above the release before it; without one, the whole chain up to it."""
    earlier = previous_release(release)
    chain = Revision.objects.filter(service_id=release.service_id)
    above = _place(chain, head_of(earlier)) if earlier else 0
    return chain.filter(position__gt=above, position__lte=_place(chain, head_of(release))).order_by("position")


def _place(chain: QuerySet[Revision], revision_id: str) -> int:
    """0 for one that is not in the chain."""
    return chain.filter(revision_id=revision_id).values_list("position", flat=True).first() or 0


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
