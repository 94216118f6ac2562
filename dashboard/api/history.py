"""The ledger of a service: receipts copied from its targets, newest first."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.shapes import Moment, Telling, answers
from migrations_app.fleet.history import Cursor, HistoryFilter, read_history

router = Router(tags=["history"])

Word = Annotated[str, Query(max_length=200)]


class ReceiptOut(Telling):
    environment: str
    seq: int
    revision_id: str
    parent: str
    direction: str
    cycle: int
    phase: str
    schema_rev: str
    checksum: str
    applied_at: Moment
    operator: str
    duration_ms: int | None
    run: int | None
    run_uid: UUID
    fence: int
    fp_before: str
    fp_after: str
    server_version_num: int | None
    seen_at: Moment
    superseded_at: Moment | None


class HistoryOut(Telling):
    rows: list[ReceiptOut]
    next: str | None


@router.get("/{service}/history", response=answers(HistoryOut), operation_id="get_history")
def get_history(
    request: HttpRequest,
    service: str,
    environment: Word = "",
    revision: Annotated[str, Query(max_length=200, description="An id or its beginning.")] = "",
    operator: Word = "",
    superseded: Annotated[bool, Query(description="With the rows of earlier beginnings of a ledger.")] = False,
    after: After = "",
    limit: Limit = 50,
) -> HistoryOut:
    owner = access.service_for(request.user, service)
    of = f"history of {owner.pk}"
    wanted = HistoryFilter(
        service=owner.name,
        environment=environment,
        revision=revision,
        operator=operator,
        superseded=superseded,
        after=Cursor.of(read(of, after)) if after else None,
    )
    window = read_history(wanted, limit)
    more = write(of, *window.older.key) if window.older else None
    return HistoryOut(rows=[_told(entry) for entry in window.rows], next=more)


def _told(entry: access.LedgerEntry) -> ReceiptOut:
    return ReceiptOut(
        environment=entry.environment.name,
        seq=entry.seq,
        revision_id=entry.revision_id,
        parent=entry.parent,
        direction=entry.direction,
        cycle=entry.cycle,
        phase=entry.phase,
        schema_rev=entry.schema_rev,
        checksum=entry.checksum,
        applied_at=entry.applied_at,
        operator=entry.operator,
        duration_ms=entry.duration_ms,
        run=entry.run_id,
        run_uid=entry.run_uid,
        fence=entry.fence,
        fp_before=entry.fp_before,
        fp_after=entry.fp_after,
        server_version_num=entry.server_version_num,
        seen_at=entry.seen_at,
        superseded_at=entry.superseded_at,
    )
