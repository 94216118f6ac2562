"""The history as a file, with the filter of the page it was asked from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.history_filter import read_filter
from migrations_app.fleet.history import every_row
from migrations_app.spreadsheet import csv_lines, json_lines

MOST = 500_000
COLUMNS = (
    "service", "environment", "seq", "revision_id", "parent", "direction", "cycle", "phase", "schema_rev", "checksum",
    "applied_at", "operator", "duration_ms", "run", "run_uid", "fence", "fp_before", "fp_after",
    "server_version_num", "seen_at", "superseded_at",
)  # fmt: skip

Row = Mapping[str, object]


@require_safe
def history_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Streamed: memory stays flat, and the newest rows come first, `MOST` of them."""
    access.require(request.user, "export", "history")
    writer = KINDS.get(kind)
    if writer is None:
        raise Http404("The history is exported as csv or json.")
    rows = (_row(entry) for entry in every_row(read_filter(request), MOST))
    content_type, write = writer
    answer = StreamingHttpResponse(write(rows), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="history-{datetime.now(UTC):%Y%m%d-%H%M%S}.{kind}"'
    return answer


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    return csv_lines(COLUMNS, rows)


KINDS: dict[str, tuple[str, Callable[[Iterable[Row]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "json": ("application/json", json_lines),
}


def _row(entry: access.LedgerEntry) -> Row:
    given: Row = {"service": entry.environment.service.name, "environment": entry.environment.name, "run": entry.run_id}
    return {name: given[name] if name in given else _plain(getattr(entry, name)) for name in COLUMNS}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if value is None or isinstance(value, int | str) else str(value)
