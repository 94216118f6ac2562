"""The same question gets the same answer by the API, on the page and in a file, and files have the agreed columns.

Lockstep's own database is looked at like a target: it has the schema of this version, and nothing besides.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any
from urllib.parse import quote

from migrations_app.releases.gates.own import schema
from migrations_app.releases.gates.own.exports import EXPORTS, Export
from migrations_app.releases.gates.own.installation import HTML, Answer, Installation, Misshapen, part, rows_of
from migrations_app.releases.gates.own.seen import Seen, bad, counted, good, judged, listed
from migrations_app.releases.gates.own.visitors import EXPORT, READ

MOST_SERVICES, MOST_ROWS = 3, 50
_FIRST = 256 * 1024  # bytes of a file that are enough for its first rows
_SERVICES = "/api/v1/services"
# What API and file have to say alike of a receipt.
_ALIKE = ("environment", "seq", "revision_id", "direction", "checksum", "operator", "fence", "run_uid")
_ROW = re.compile(r'<tr aria-rowindex="\d+"><th scope="row">.*?title="([^"]*)".*?</th>(.*?)</tr>', re.DOTALL)
_CELL = re.compile(r'<td class="(\S)(?: first)?">')


def compute(place: Installation) -> Seen:
    """The newest receipts by API and in the file; the matrix by API and on the page."""
    found = rows_of(place.told(_SERVICES, READ), "services", _SERVICES, ["name"])
    services = [str(one["name"]) for one in found][:MOST_SERVICES]
    broken: list[str] = []
    rows = cells = 0
    for name in services:
        receipts, of_file = _receipts(place, name), _file_rows(place, name)
        broken += _unlike(name, receipts, of_file)
        by_api, on_page = _matrix(place, name), _page(place, name)
        broken += _other_cells(name, by_api, on_page)
        rows, cells = rows + len(receipts), cells + sum(len(told or "") for told in on_page.values())
    told = f"{counted(rows, 'receipt')} and {counted(cells, 'cell')} of {counted(len(services), 'service')}"
    return judged(broken, f"API, page and file agree on {told}.")


def export_headers(place: Installation) -> Seen:
    broken = [told for one in EXPORTS for told in _wrong_columns(place, one)]
    return judged(broken, f"The exports of {listed([one.what for one in EXPORTS])} have the agreed columns.")


def schemas_alike(place: Installation) -> Seen:
    """What the code expects is what its migrations make."""
    changes = schema.unwritten()
    if changes:
        return bad(f"The code expects a schema that no migration makes: {'; '.join(changes[:3])}.")
    return good("The code expects exactly the schema that its migrations make.")


def no_drift(place: Installation) -> Seen:
    """What stands in the control database is what the migrations left."""
    broken = schema.differences()
    return judged(
        broken, f"Each of the {schema.count()} tables of the control database has the columns of this version."
    )


def _receipts(place: Installation, service: str) -> list[Mapping[str, Any]]:
    path = f"{_SERVICES}/{quote(service, safe='')}/history?limit={MOST_ROWS}&superseded=true"
    return rows_of(place.told(path, READ), "rows", path, _ALIKE)


def _file_rows(place: Installation, service: str) -> list[Mapping[str, Any]]:
    path = f"/history/export.json?service={quote(service, safe='')}&superseded=yes"
    return _json_rows(place.ask(path, EXPORT, most=_FIRST))[:MOST_ROWS]


def _json_rows(answer: Answer) -> list[Mapping[str, Any]]:
    """Each row is on a line of its own; the last one may have been cut off. Raises Misshapen."""
    lines = [line.rstrip(",\r") for line in answer.body.decode("utf-8", "replace").split("\n")]
    if len(answer.body) >= _FIRST:
        lines.pop()
    try:
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    except ValueError as failure:
        raise Misshapen(f"{answer.path} has a row that is no JSON: {failure}.") from None


def _unlike(service: str, told: Sequence[Mapping[str, Any]], of_file: Sequence[Mapping[str, Any]]) -> list[str]:
    if len(of_file) < len(told):
        return [f"{service}: the API tells {counted(len(told), 'receipt')}, and the file has {len(of_file)}."]
    return [
        f"{service}, receipt {one['seq']} of {one['environment']}: {name} is {one[name]!r} by the API "
        f"and {other.get(name)!r} in the file."
        for one, other in zip(told, of_file, strict=False)
        for name in _ALIKE
        if str(one[name]) != str(other.get(name))
    ]


def _matrix(place: Installation, service: str) -> dict[str, str]:
    path = f"{_SERVICES}/{quote(service, safe='')}/matrix?mode=all&limit=100"
    found = place.told(path, READ)
    revisions, rows = rows_of(found, "revisions", path, ["revision_id"]), part(found, "rows", path, "a list")
    if len(revisions) != len(rows):
        raise Misshapen(f"{path} tells {counted(len(revisions), 'revision')} and {counted(len(rows), 'row')} of cells.")
    return {str(row["revision_id"]): cells for row, cells in zip(revisions, rows, strict=True)}


def _other_cells(service: str, by_api: Mapping[str, str], on_page: Mapping[str, str | None]) -> list[str]:
    """A matrix without environments has no cells, and the page draws no row of it."""
    if any(by_api.values()) and not on_page:
        return [f"{service}: the API tells {counted(len(by_api), 'revision')} of the matrix, and the page draws none."]
    return [
        f"{service}, revision {revision}: the API tells the cells {by_api.get(revision)!r}, the page {told!r}."
        for revision, told in on_page.items()
        if told is not None and by_api.get(revision) != told
    ]


def _page(place: Installation, service: str) -> dict[str, str | None]:
    """None for a row with folded groups of environments, which are cells of another kind."""
    answer = place.ask(f"/matrix?service={quote(service, safe='')}&mode=all", READ, accept=HTML)
    page = answer.body.decode("utf-8", "replace")
    rows = ((unescape(revision), cells) for revision, cells in _ROW.findall(page))
    return {revision: None if 'class="roll' in cells else "".join(_CELL.findall(cells)) for revision, cells in rows}


def _wrong_columns(place: Installation, export: Export) -> list[str]:
    broken = []
    for kind in ("csv", "json"):
        answer = place.ask(f"{export.path}.{kind}", EXPORT, most=_FIRST)
        if answer.status != 200:
            return [f"{answer.path} answers {answer.status}; the export of {export.what} is gone."]
        found = _header(answer) if kind == "csv" else _keys(answer)
        if found is not None and found != export.columns:
            broken.append(f"{answer.path}: {_difference(found, export.columns)}")
    return broken


def _header(answer: Answer) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader(answer.body.decode("utf-8", "replace").splitlines()), ()))
    except csv.Error as failure:
        raise Misshapen(f"{answer.path} is no CSV: {failure}.") from None


def _keys(answer: Answer) -> tuple[str, ...] | None:
    """None where there is no row that could show them."""
    rows = _json_rows(answer)
    return tuple(rows[0]) if rows else None


def _difference(found: Sequence[str], wanted: Sequence[str]) -> str:
    lacking = [name for name in wanted if name not in found]
    strange = [name for name in found if name not in wanted]
    parts = [f"the column {name} is missing" for name in lacking] + [f"{name} is no agreed column" for name in strange]
    return f"{'; '.join(parts) or 'the columns stand in another order'}. Who reads this file by its columns will fail."
