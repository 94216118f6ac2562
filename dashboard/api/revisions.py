"""Revisions of a service: list, read, put."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.shapes import Asking, Moment, Telling, answers
from migrations_app.fleet.drift_plan import settled_by
from migrations_app.fleet.revisions import put_revision

router = Router(tags=["revisions"])

Sql = Annotated[str, Field(max_length=4 * 1024 * 1024)]


class RevisionIn(Asking):
    up: Sql
    down: Sql | None = None
    verify: Sql | None = None
    parent: Annotated[str, Field(max_length=200)] | None = None
    schema_rev: Annotated[str, Field(max_length=200)] | None = None
    phase: Literal["expand", "migrate", "contract"] | None = None


class RevisionOut(Telling):
    service: str
    revision_id: str
    parent: str
    position: int
    phase: str
    schema_rev: str
    checksum: str
    down_checksum: str
    verify_checksum: str
    created_at: Moment
    created_by: str


class RevisionsOut(Telling):
    revisions: list[RevisionOut]
    next: str | None


class PutOut(RevisionOut):
    created: bool
    changed: bool


class EndsOut(Telling):
    """A drift that the revision was uploaded for."""

    environment: str
    way: str
    state: str
    found_at: Moment


class RevisionSqlOut(RevisionOut):
    up: str
    down: str | None
    verify: str | None
    drifts: list[EndsOut]


def told(revision: access.Revision) -> RevisionOut:
    return RevisionOut(
        service=revision.service.name,
        revision_id=revision.revision_id,
        parent=revision.parent,
        position=revision.position,
        phase=revision.phase,
        schema_rev=revision.schema_rev,
        checksum=revision.checksum,
        down_checksum=revision.down_checksum,
        verify_checksum=revision.verify_checksum,
        created_at=revision.created_at,
        created_by=revision.created_by.get_username(),
    )


@router.get("/{service}/revisions", response=answers(RevisionsOut), operation_id="list_revisions")
def list_revisions(request: HttpRequest, service: str, after: After = "", limit: Limit = 50) -> RevisionsOut:
    """In the order of the chain, without SQL, a page at a time."""
    owner = access.service_for(request.user, service)
    of = f"revisions of {owner.pk}"
    rows = access.revisions_for(request.user).filter(service=owner).order_by("position")
    if after:
        rows = rows.filter(position__gt=read(of, after)[0])
    found = list(rows[: limit + 1])
    more = write(of, found[limit - 1].position) if len(found) > limit else None
    return RevisionsOut(revisions=[told(revision) for revision in found[:limit]], next=more)


@router.get("/{service}/revisions/{revision_id}", response=answers(RevisionSqlOut), operation_id="get_revision")
def get_revision(request: HttpRequest, service: str, revision_id: str) -> RevisionSqlOut:
    """With its SQL, so not for viewers."""
    revision = access.revision_for(request.user, service, revision_id, "view_sql")
    return RevisionSqlOut(
        **told(revision).model_dump(),
        up=revision.up,
        down=revision.down,
        verify=revision.verify,
        drifts=[
            EndsOut(environment=drift.environment.name, way=drift.way, state=drift.state, found_at=drift.found_at)
            for drift in settled_by(revision)
        ],
    )


@router.put(
    "/{service}/revisions/{revision_id}",
    response=answers(PutOut, 200, 201, also=409),
    operation_id="put_revision",
)
def put(request: HttpRequest, service: str, revision_id: str, body: RevisionIn) -> Status[PutOut]:
    """201 when it is new, 200 when it is the same or was changed while applied nowhere, else 409."""
    by = access.require(request.user, "upload_revision", f"revision:{service}/{revision_id}")
    owner = access.service_for(request.user, service)
    done = put_revision(
        service=owner,
        revision_id=revision_id,
        up=body.up,
        down=body.down,
        verify=body.verify,
        parent=body.parent,
        schema_rev=body.schema_rev,
        phase=body.phase,
        by=by,
    )
    out = PutOut(**told(done.revision).model_dump(), created=done.created, changed=done.changed)
    return Status(201 if done.created else 200, out)
