"""Releases against environments as markup, without a template loop: sixty environments by thirty releases on a page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from django.utils.safestring import SafeString, mark_safe

from dashboard.pages.contract_words import Said
from dashboard.templatetags.look import draw_state
from dashboard.templatetags.states import state_of
from migrations_app.releases.contracts import Fit, Place, ReleaseRow

_STATES = {fit: draw_state(state_of(fit.value)) for fit in Fit}


def draw_heads(service: str, places: Iterable[Place]) -> SafeString:
    link = _environment(service)
    return mark_safe(  # noqa: S308  escaped here
        "".join(
            f'<th scope="col" class="env"><a href="{link}{quote(place.name, safe="")}" '
            f'title="{escape(place.name)}, {escape(place.stage)}"><span>{escape(place.name)}</span></a></th>'
            for place in places
        )
    )


def draw_rows(service: str, rows: Iterable[ReleaseRow]) -> SafeString:
    """Cells that say the same are escaped once: most of a release's environments stand alike."""
    return mark_safe("".join(_row(service, row) for row in rows))  # noqa: S308  escaped below


def _row(service: str, row: ReleaseRow) -> str:
    alike: dict[tuple[Fit, str], str] = {}
    cells = []
    for cell in row.cells:
        key = (cell.fit, cell.sentence)
        if key not in alike:
            alike[key] = f'<td title="{escape(cell.sentence)}">{_STATES[cell.fit]}</td>'
        cells.append(alike[key])
    name, window, url = escape(row.release_id), escape(row.window), release_path(service, row.release_id)
    return (
        f'<tr><th scope="row" title="{name}"><a href="{url}"><code>{name}</code></a></th>'
        f'<td title="{window}">{window}</td>{"".join(cells)}</tr>'
    )


def draw_foot(places: Iterable[Place]) -> SafeString:
    return mark_safe(  # noqa: S308  escaped here
        "".join(
            f'<td title="{escape(place.doubt or place.head)}">'
            f"{'? unknown' if place.doubt else escape(place.schema_rev or 'nothing')}</td>"
            for place in places
        )
    )


def draw_differences(service: str, listed: Iterable[Said]) -> SafeString:
    """The same environments are named in many lines, so each name is written once."""
    link, lines = _environment(service), tuple(listed)
    names = dict.fromkeys(name for said in lines for name in said.names)
    links = {name: f'<a href="{link}{quote(name, safe="")}">{escape(name)}</a>' for name in names}
    releases = {said.release: _named(service, said.release) for said in lines}
    drawn = (
        f'<tr><th scope="row" data-label="Release"><span>{releases[said.release]}</span></th>'
        f'<td data-label="State">{_STATES[said.fit]}</td>'
        '<td class="break" data-label="Environments"><span>'
        f"{', '.join([links[name] for name in said.names]) or 'every environment'}</span></td>"
        f'<td class="break" data-label="Why"><span>{escape(said.sentence)}</span></td></tr>'
        for said in lines
    )
    return mark_safe("".join(drawn))  # noqa: S308  escaped here and below


def _named(service: str, row: ReleaseRow | None) -> str:
    if row is None:
        return "every release"
    url, name, window = release_path(service, row.release_id), escape(row.release_id), escape(row.window)
    return f'<a href="{url}"><code>{name}</code></a> <span class="small dim">{window}</span>'


def release_path(service: str, release_id: str) -> str:
    """Slashes stay: the id is the rest of the address."""
    return f"/services/{quote(service, safe='')}/releases/{quote(release_id, safe='/')}"


def _environment(service: str) -> str:
    return f"/services/{quote(service, safe='')}/environments/"
