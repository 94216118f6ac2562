"""The log of a run, from where the reader stopped."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router

from dashboard import access
from dashboard.api.shapes import Moment, Telling, answers

router = Router(tags=["runs"])


class LineOut(Telling):
    seq: int
    at: Moment
    level: str
    revision_id: str
    step: int | None
    message: str


class LogOut(Telling):
    """`next` goes into `after`; it stays the same while nothing was written."""

    lines: list[LineOut]
    next: int


@router.get("/{int:run_id}/log", response=answers(LogOut), operation_id="get_run_log")
def get_log(
    request: HttpRequest,
    run_id: int,
    after: Annotated[int, Query(ge=0, lt=2**63)] = 0,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> LogOut:
    run = access.run_for(request.user, run_id, "view_log")
    found = access.log_for(request.user, run).filter(seq__gt=after)[:limit]
    lines = [
        LineOut(
            seq=line.seq,
            at=line.at,
            level=line.level,
            revision_id=line.revision_id,
            step=line.step,
            message=line.message,
        )
        for line in found
    ]
    return LogOut(lines=lines, next=lines[-1].seq if lines else after)
