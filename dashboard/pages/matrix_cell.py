"""One cell of the matrix as a page and as a remark, and two of its columns side by side."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.pages.matrix_cells import LOOKS
from dashboard.pages.matrix_words import remark
from dashboard.pages.query import BadAddress, address, number, word
from dashboard.templatetags.glyphs import GLYPHS
from migrations_app.fleet.cell import read_cell
from migrations_app.fleet.chain import environment_names
from migrations_app.fleet.matrix import CELLS, read_rows, survey

REMARK_SECONDS = 10


@require_safe
def matrix_cell(request: HttpRequest, service: str, revision_id: str, environment: str) -> HttpResponse:
    there = access.environment_for(request.user, service, environment)
    revision = access.revision_for(request.user, service, revision_id)
    cell = read_cell(there, revision)
    context = {
        "environment": there,
        "revision": revision,
        "cell": cell,
        "state": _state(cell.code),
        "plan_url": _plan_url(service, environment, revision_id) if cell.code in "PFO" else "",
    }
    return render(request, "fleet/matrix_cell.html", context)


@require_safe
@cache_control(private=True, max_age=REMARK_SECONDS)
def matrix_remark(request: HttpRequest, service: str, revision_id: str, environment: str) -> HttpResponse:
    """The lines that stand beside a cell on focus and hover."""
    there = access.environment_for(request.user, service, environment)
    revision = access.revision_for(request.user, service, revision_id)
    cell = read_cell(there, revision)
    lines = remark(cell, there.name, revision.revision_id, timezone.now())
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


@require_safe
def matrix_diff(request: HttpRequest) -> HttpResponse:
    """Only what differs between two environments; with one of them alone, the matrix compared with it."""
    service = access.service_for(request.user, word(request, "service"))
    names, a, b = environment_names(service.name), word(request, "a"), word(request, "b")
    _check_pair(service.name, names, a, b)
    if not b:
        return redirect(f"{reverse('matrix')}?{urlencode({'service': service.name, 'compare': a})}")
    known = survey(service, (a, b))
    before = number(request, "before", "a place in this list")
    rows, older = read_rows(known, known.columns, known.differing, before)
    columns = {column.name: index for index, column in enumerate(known.columns)}
    context = {
        "service": service.name,
        "names": names,
        "a": known.columns[columns[a]],
        "b": known.columns[columns[b]],
        "known": known,
        "count": len(known.differing),
        "rows": [(row, _state(row.cells[columns[a]]), _state(row.cells[columns[b]])) for row in rows],
        "older_url": address(request, before=older) if older else "",
        "newest_url": address(request, before=None) if before else "",
    }
    return render(request, "fleet/matrix_diff.html", context)


def _check_pair(service: str, names: tuple[str, ...], a: str, b: str) -> None:
    if a not in names:
        raise BadAddress("a", f"an environment of {service}")
    if b and b not in names:
        raise BadAddress("b", f"an environment of {service}")
    if a == b:
        raise BadAddress("b", "another environment than “a”")


def _state(code: str) -> dict[str, object]:
    tone, shape = LOOKS[code]
    return {"tone": tone, "glyph": GLYPHS[shape], "word": CELLS[code]}


def _plan_url(service: str, environment: str, revision_id: str) -> str:
    return f"{reverse('environment', args=[service, environment])}?{urlencode({'to': revision_id})}#plan"
