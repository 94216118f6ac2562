"""Releases: register, list, look at one with its gates. None is ever changed."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from ninja.errors import ValidationError
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.cursor import After, Limit, page
from dashboard.api.gate_shapes import ReleaseDetailOut, told_in_full
from dashboard.api.release_shapes import ReleaseOut, told
from dashboard.api.shapes import Asking, Name, Telling, answers
from migrations_app.releases.gates.reading import judged
from migrations_app.releases.registering import MOST_ARTEFACTS, register_release

router = Router(tags=["releases"])

# Told to clients; the domain itself refuses what is longer, with a sentence.
Short = Annotated[str, Field(max_length=200)]


class Built(Asking):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    sha256: Annotated[str, Field(max_length=64)]


class NewRelease(Asking):
    service: Name
    release_id: Annotated[str, Field(min_length=1, max_length=200)]
    schema_rev: Annotated[str, Field(min_length=1, max_length=200, description="The schema it was built for.")]
    schema_rev_min: Annotated[Short, Field(description="The oldest it can work with; left out, `schema_rev`.")] = ""
    schema_rev_max: Annotated[Short, Field(description="The newest it can work with; left out, `schema_rev`.")] = ""
    index_hash: Short = ""
    secrets_rev: Annotated[Short, Field(description="Names a set of secrets; no secret is kept here.")] = ""
    commit: Annotated[Short, Field(description="What it was built from; evidence of another one is refused.")] = ""
    artefacts: Annotated[list[Built], Field(max_length=MOST_ARTEFACTS, description="What was built.")] = []


class RegisteredOut(ReleaseOut):
    created: bool


class ReleasesOut(Telling):
    releases: list[ReleaseOut]
    next: str | None


@router.get("", response=answers(ReleasesOut), operation_id="list_releases")
def list_releases(
    request: HttpRequest,
    service: Annotated[str, Query(max_length=63, description="Of this service only.")] = "",
    release_id: Annotated[str, Query(max_length=200, description="With this id only.")] = "",
    after: After = "",
    limit: Limit = 50,
) -> ReleasesOut:
    """Newest first, a page at a time."""
    rows = access.releases_for(request.user)
    of = "releases"
    if service:
        owner = access.service_for(request.user, service)
        rows, of = rows.filter(service=owner), f"releases of {owner.pk}"
    if release_id:
        rows = rows.filter(release_id=release_id)
    found, more = page(rows, of, after, limit)
    return ReleasesOut(releases=[told(release) for release in found], next=more)


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
        commit=body.commit,
        artefacts=_by_name(body.artefacts),
        by=by,
    )
    out = RegisteredOut(**dict(told(done.release)), created=done.created)
    return Status(201 if done.created else 200, out)


@router.get("/{int:release_number}", response=answers(ReleaseDetailOut), operation_id="get_release")
def get_release(request: HttpRequest, release_number: int) -> ReleaseDetailOut:
    """With its gates as they stand at this moment: time alone may change them, so there is no ETag."""
    return told_in_full(judged(access.release_for(request.user, release_number)))


def _by_name(given: list[Built]) -> dict[str, str]:
    found = {one.name: one.sha256 for one in given}
    if len(found) < len(given):
        message = "two artefacts have the same name"
        raise ValidationError([{"loc": ("body", "body", "artefacts"), "type": "twice", "msg": message}])
    return found
