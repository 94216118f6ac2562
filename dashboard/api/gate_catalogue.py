"""The catalogue of gates: what a release has to show. A change is a new version, and releases keep theirs."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field, JsonValue

from dashboard import access, access_gates
from dashboard.api.cursor import After, Limit, page
from dashboard.api.identity import BY_TOKEN
from dashboard.api.shapes import Asking, Moment, Name, Reason, Telling, answers
from migrations_app.releases.gates.catalogues import edit_catalogue

router = Router(tags=["gates"])

OfService = Annotated[str, Query(max_length=63, description="The service whose catalogue is meant; left out, for all.")]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class NewCatalogue(Asking):
    """`version` is the one that was edited: another one that came meanwhile is not overwritten."""

    service: Name | None = None
    content: dict[str, JsonValue]
    note: Reason
    version: Number


class VersionOut(Telling):
    """`service` is null where it is the catalogue for all; `created_by` for the one that came with Lockstep."""

    version: int
    sha256: str
    service: str | None
    note: str
    created_at: Moment | None
    created_by: str | None


class CatalogueOut(VersionOut):
    content: dict[str, JsonValue]


class VersionsOut(Telling):
    versions: list[VersionOut]
    next: str | None


@router.get("", response=answers(CatalogueOut), operation_id="get_gate_catalogue")
def get_catalogue(
    request: HttpRequest,
    service: OfService = "",
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Left out, the newest.")] = None,
) -> CatalogueOut:
    """What a release would begin with now: the service's own, or the one for all where it has none."""
    owner = access_gates.catalogue_owner_for(request.user, service)
    if version is None:
        return _in_full(access_gates.catalogue_for(request.user, owner))
    return _in_full(access_gates.catalogue_version_for(request.user, owner, version))


@router.put("", response=answers(CatalogueOut, also=409), operation_id="edit_gate_catalogue", auth=BY_TOKEN)
def put_catalogue(request: HttpRequest, body: NewCatalogue) -> CatalogueOut:
    """A new version, with which releases begin from now on."""
    owner = access_gates.catalogue_owner_for(request.user, body.service or "", "edit_gates")
    by = access.require(request.user, "edit_gates")
    made = edit_catalogue(service=owner, content=body.content, note=body.note, by=by, shown=body.version)
    return _in_full(made)


@router.get("/versions", response=answers(VersionsOut), operation_id="list_gate_catalogues")
def list_versions(request: HttpRequest, service: OfService = "", after: After = "", limit: Limit = 50) -> VersionsOut:
    """Newest first, a page at a time; a service's own, or those for all."""
    owner = access_gates.catalogue_owner_for(request.user, service)
    of = f"catalogues of {owner.pk if owner else 'all'}"
    found, more = page(access_gates.catalogues_for(request.user, owner), of, after, limit, "version")
    return VersionsOut(versions=[_told(one) for one in found], next=more)


def _told(found: access_gates.GateCatalogue) -> VersionOut:
    return VersionOut(
        version=found.version,
        sha256=found.sha256,
        service=found.service.name if found.service else None,
        note=found.note,
        created_at=found.created_at if found.pk else None,
        created_by=found.created_by.get_username() if found.created_by else None,
    )


def _in_full(found: access_gates.GateCatalogue) -> CatalogueOut:
    return CatalogueOut(**dict(_told(found)), content=found.content)
