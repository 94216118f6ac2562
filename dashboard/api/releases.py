"""Releases: register, list, look. None is ever changed."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.shapes import Asking, Moment, Name, Telling, answers
from migrations_app.releases.registering import register_release

router = Router(tags=["releases"])

# Told to clients; the domain itself refuses what is longer, with a sentence.
Short = Annotated[str, Field(max_length=200)]


class NewRelease(Asking):
    service: Name
    release_id: Annotated[str, Field(min_length=1, max_length=200)]
    schema_rev: Annotated[str, Field(min_length=1, max_length=200, description="The schema it was built for.")]
    schema_rev_min: Annotated[Short, Field(description="The oldest it can work with; left out, `schema_rev`.")] = ""
    schema_rev_max: Annotated[Short, Field(description="The newest it can work with; left out, `schema_rev`.")] = ""
    index_hash: Short = ""
    secrets_rev: Annotated[Short, Field(description="Names a set of secrets; no secret is kept here.")] = ""


class ReleaseOut(Telling):
    id: int
    service: str
    release_id: str
    schema_rev: str
    schema_rev_min: str
    schema_rev_max: str
    index_hash: str
    secrets_rev: str
    created_at: Moment
    created_by: str


class RegisteredOut(ReleaseOut):
    created: bool


class ReleasesOut(Telling):
    releases: list[ReleaseOut]
    next: str | None


_SAME = frozenset(ReleaseOut.model_fields) - {"service", "created_by"}


def told(release: access.Release) -> ReleaseOut:
    return ReleaseOut(
        service=release.service.name,
        created_by=release.created_by.get_username(),
        **{name: getattr(release, name) for name in _SAME},
    )


@router.get("", response=answers(ReleasesOut), operation_id="list_releases")
def list_releases(
    request: HttpRequest,
    service: Annotated[str, Query(max_length=63, description="Of this service only.")] = "",
    after: After = "",
    limit: Limit = 50,
) -> ReleasesOut:
    """Newest first, a page at a time."""
    rows = access.releases_for(request.user)
    of = "releases"
    if service:
        owner = access.service_for(request.user, service)
        rows, of = rows.filter(service=owner), f"releases of {owner.pk}"
    if after:
        rows = rows.filter(id__lt=read(of, after)[0])
    found = list(rows[: limit + 1])
    more = write(of, found[limit - 1].pk) if len(found) > limit else None
    return ReleasesOut(releases=[told(release) for release in found[:limit]], next=more)


@router.post("", response=answers(RegisteredOut, 200, 201, also=409), operation_id="register_release")
def register(request: HttpRequest, body: NewRelease) -> Status[RegisteredOut]:
    """201 when it is new, 200 when it is the same again, 409 when its id stands for other values."""
    by = access.require(request.user, "register_release", f"release:{body.service}/{body.release_id}")
    done = register_release(
        service=access.service_for(request.user, body.service),
        release_id=body.release_id,
        schema_rev=body.schema_rev,
        schema_rev_min=body.schema_rev_min,
        schema_rev_max=body.schema_rev_max,
        index_hash=body.index_hash,
        secrets_rev=body.secrets_rev,
        by=by,
    )
    out = RegisteredOut(**dict(told(done.release)), created=done.created)
    return Status(201 if done.created else 200, out)


@router.get("/{int:release_number}", response=answers(ReleaseOut), operation_id="get_release")
def get_release(request: HttpRequest, release_number: int) -> ReleaseOut:
    return told(access.release_for(request.user, release_number))
