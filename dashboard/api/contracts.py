"""Releases of a service against its environments: which would refuse to start."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from dashboard import access
from dashboard.api.cursor import After, read, write
from dashboard.api.shapes import Moment, Telling, answers
from migrations_app.releases.contracts import WINDOW, Place, ReleaseRow, read_contracts

router = Router(tags=["releases"])


class PlaceOut(Telling):
    """`schema_rev` is empty where nothing is applied, or where `doubt` says why it is not known."""

    environment: str
    stage: str
    region: str
    head: str
    schema_rev: str
    doubt: str
    running: bool


class CellOut(Telling):
    environment: str
    fit: str
    sentence: str


class ContractOut(Telling):
    """One release; `fit` of each cell is `fits`, `refuses` or `unknown`."""

    id: int
    release_id: str
    schema_rev: str
    schema_rev_min: str
    schema_rev_max: str
    created_at: Moment
    created_by: str
    doubt: str
    cells: list[CellOut]


class ContractsOut(Telling):
    environments: list[PlaceOut]
    releases: list[ContractOut]
    next: str | None


@router.get("/{service}/contracts", response=answers(ContractsOut), operation_id="get_contracts")
def get_contracts(
    request: HttpRequest,
    service: str,
    after: After = "",
    limit: Annotated[int, Query(ge=1, le=100, description="How many releases at most.")] = WINDOW,
) -> ContractsOut:
    """Releases newest first, each against every environment."""
    owner = access.service_for(request.user, service)
    of = f"contracts of {owner.pk}"
    found = read_contracts(owner, int(read(of, after)[0]) if after else None, limit)
    return ContractsOut(
        environments=[_place(place) for place in found.places],
        releases=[_release(row, found.places) for row in found.rows],
        next=write(of, found.older) if found.older is not None else None,
    )


def _place(place: Place) -> PlaceOut:
    return PlaceOut(
        environment=place.name,
        stage=place.stage,
        region=place.region,
        head=place.head,
        schema_rev=place.schema_rev,
        doubt=place.doubt,
        running=place.running,
    )


_SAME = frozenset(ContractOut.model_fields) - {"cells"}


def _release(row: ReleaseRow, places: tuple[Place, ...]) -> ContractOut:
    cells = [
        CellOut(environment=place.name, fit=cell.fit.value, sentence=cell.sentence)
        for place, cell in zip(places, row.cells, strict=True)
    ]
    return ContractOut(cells=cells, **{name: getattr(row, name) for name in _SAME})
