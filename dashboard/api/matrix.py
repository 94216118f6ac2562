"""The matrix of a service: a window of revisions × environments, one character per cell."""

from __future__ import annotations

from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router

from dashboard import access
from dashboard.api.shapes import Telling, answers
from migrations_app.fleet.matrix import CELLS, MAX_ROWS, Row, read_matrix
from migrations_app.fleet.matrix_columns import Column

router = Router(tags=["matrix"])

Place = Annotated[int, Query(ge=1, lt=2**31)]


class RowOut(Telling):
    revision_id: str
    position: int
    phase: str
    schema_rev: str


class ColumnOut(Telling):
    name: str
    stage: str
    region: str
    head: str
    lag: int | None
    schema_rev: str


class MatrixOut(Telling):
    """`rows[i][j]` is revision i on environment j; `next` goes into `before` for older revisions."""

    mode: str
    revisions: list[RowOut]
    environments: list[ColumnOut]
    rows: list[str]
    cells: dict[str, str]
    total: int
    folded: int
    hidden_environments: int
    next: int | None


@router.get("/{service}/matrix", response=answers(MatrixOut), operation_id="get_matrix")
def get_matrix(
    request: HttpRequest,
    service: str,
    mode: Literal["frontier", "all"] = "frontier",
    before: Place | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = 50,
    from_environment: Annotated[int, Query(ge=0, lt=2**31, description="Skip so many environments.")] = 0,
) -> MatrixOut:
    """Newest first. `frontier` leaves out what is applied everywhere; `folded` counts it."""
    window = read_matrix(
        access.service_for(request.user, service),
        everything=mode == "all",
        before=before,
        limit=limit,
        from_column=from_environment,
    )
    return MatrixOut(
        mode=mode,
        revisions=[_row(row) for row in window.rows],
        environments=[_column(column) for column in window.columns],
        rows=[row.cells for row in window.rows],
        cells=CELLS,
        total=window.total,
        folded=window.folded,
        hidden_environments=window.hidden_columns,
        next=window.older,
    )


def _row(row: Row) -> RowOut:
    return RowOut(revision_id=row.revision_id, position=row.position, phase=row.phase, schema_rev=row.schema_rev)


def _column(column: Column) -> ColumnOut:
    return ColumnOut(
        name=column.name,
        stage=column.stage,
        region=column.region,
        head=column.head,
        lag=column.lag,
        schema_rev=column.schema_rev,
    )
