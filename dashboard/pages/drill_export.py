"""Drills as files: the list with the filter of its page, and one drill with everything there is about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.rehearsal_log import read_filter
from migrations_app.rehearsals.drills.detail import detail_of
from migrations_app.rehearsals.drills.listing import every_drill
from migrations_app.rehearsals.drills.rows import LIST_COLUMNS, STEP_COLUMNS, document, list_rows, step_rows
from migrations_app.spreadsheet import csv_lines, json_lines

MOST = 100_000
Answer = TypeVar("Answer", HttpResponse, StreamingHttpResponse)
CSV, JSON = "text/csv; charset=utf-8", "application/json"


@require_safe
def drills_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Streamed, newest first."""
    access.require(request.user, "export", "drills")
    if kind not in ("csv", "json"):
        raise Http404("Drills are exported as csv or json.")
    rows = list_rows(every_drill(read_filter(request), MOST))
    lines: Iterable[str] = csv_lines(LIST_COLUMNS, rows) if kind == "csv" else json_lines(rows)
    answer = StreamingHttpResponse(lines, content_type=CSV if kind == "csv" else JSON)
    return _named(answer, f"drills-{datetime.now(UTC):%Y%m%d-%H%M%S}.{kind}")


@require_safe
def drill_export(request: HttpRequest, uid: UUID, kind: str) -> HttpResponse:
    """As CSV its five steps, as JSON everything."""
    drill = access.drill_for(request.user, uid, "export")
    detail = detail_of(drill)
    if kind == "json":
        answer: HttpResponse = JsonResponse(document(detail), json_dumps_params={"ensure_ascii": False, "indent": 2})
    elif kind == "csv":
        answer = HttpResponse("".join(csv_lines(STEP_COLUMNS, step_rows(detail))), content_type=CSV)
    else:
        raise Http404("A drill is exported as csv or json.")
    return _named(answer, f"drill-{drill.uid}.{kind}")


def _named(answer: Answer, name: str) -> Answer:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
