"""One revision on one environment: how it stands there, what its receipts say, how fresh that is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from migrations_app.fleet.matrix import rows_at, survey
from migrations_app.fleet.matrix_columns import Column
from migrations_app.models import Environment, LedgerEntry, Revision

MOST_RECEIPTS = 10


@dataclass(frozen=True)
class Cell:
    """`receipts` are those of this revision here, the newest first."""

    code: str
    column: Column
    receipts: tuple[LedgerEntry, ...]
    compared_at: datetime | None  # when the receipts were last read in the target and compared

    @property
    def newest(self) -> LedgerEntry | None:
        return self.receipts[0] if self.receipts else None


def read_cell(environment: Environment, revision: Revision) -> Cell:
    known = survey(environment.service, [environment.name])
    row = rows_at(environment.service, known.columns, [revision.position])[0]
    receipts = LedgerEntry.objects.standing().filter(environment=environment, revision_id=revision.revision_id)
    return Cell(
        code=row.cells,
        column=known.columns[0],
        receipts=tuple(receipts.select_related("run").order_by("-id")[:MOST_RECEIPTS]),
        compared_at=environment.reconciled_at,
    )
