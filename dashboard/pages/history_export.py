"""The history as a file, with the filter of the page it was asked from."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.history_filter import read_filter
from migrations_app.fleet.history import every_row

MOST = 500_000
COLUMNS = (
    "service", "environment", "seq", "revision_id", "parent", "direction", "cycle", "phase", "schema_rev", "checksum",
    "applied_at", "operator", "duration_ms", "run", "run_uid", "fence", "fp_before", "fp_after",
    "server_version_num", "seen_at", "superseded_at",
)  # fmt: skip
# A spreadsheet takes a cell that begins with one of these for a formula, also after a separator or a blank.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = dict[str, object]


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


def safe(value: object) -> object:
    """A cell that no spreadsheet computes: what looks like a formula gets an apostrophe in front."""
    text = value if isinstance(value, str) else ""
    return f"'{text}" if text.lstrip(" ,;").startswith(FORMULA) else value


class _Line:
    """What csv.writer writes to: it hands each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def _csv(rows: Iterable[Row]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for row in rows:
        yield writer.writerow([safe(value) for value in row.values()])


def _json(rows: Iterable[Row]) -> Iterator[str]:
    yield "["
    for number, row in enumerate(rows):
        yield f"{',' if number else ''}\n{json.dumps(row, ensure_ascii=False)}"
    yield "\n]\n"


KINDS: dict[str, tuple[str, Callable[[Iterable[Row]], Iterator[str]]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "json": ("application/json", _json),
}


def _row(entry: access.LedgerEntry) -> Row:
    given: Row = {"service": entry.environment.service.name, "environment": entry.environment.name, "run": entry.run_id}
    return {name: given[name] if name in given else _plain(getattr(entry, name)) for name in COLUMNS}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if value is None or isinstance(value, int | str) else str(value)
