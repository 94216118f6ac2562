"""Revisions × environments of one service: the page, and its window, which an open page asks for again."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.safestring import SafeString
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from dashboard import access
from dashboard.banners import tells_banners
from dashboard.pages.choices import Choice
from dashboard.pages.kept import Kept, Packing, fleet_version
from dashboard.pages.matrix_address import ALL, DISORDER, DRIFT, FRONTIER, PENDING, Wanted, address_of, read_wanted
from dashboard.pages.matrix_cells import legend
from dashboard.pages.matrix_tabs import matrix_tabs
from dashboard.pages.matrix_window import View, draw, look
from dashboard.pages.matrix_words import headline, nothing, oddities
from dashboard.pages.query import word
from migrations_app.fleet.chain import environment_names, service_names

GZIP = re.compile(r"\bgzip\b")


@dataclass(frozen=True)
class Window:
    """A drawn window. Nothing in it is secret or chosen by its reader, so it may be kept compressed."""

    markup: SafeString
    beside: SafeString  # the sentences and tabs around it, which the page holds elsewhere

    @property
    def answer(self) -> bytes:
        return f"{self.markup}{self.beside}".encode()

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.answer, compresslevel=6, mtime=0)


@dataclass(frozen=True)
class Page:
    """What stands between the frame: the same for everybody who may look."""

    title: str
    content: SafeString


WINDOWS: Kept[Window] = Kept(
    24,
    packing=Packing(
        "matrix window",
        lambda window: (window.markup, window.beside),
        lambda markup, beside: Window(SafeString(markup), SafeString(beside)),
    ),
)
PAGES: Kept[Page] = Kept(
    24,
    packing=Packing(
        "matrix page", lambda page: (page.title, page.content), lambda title, content: Page(title, SafeString(content))
    ),
)


@require_safe
def matrix(request: HttpRequest) -> HttpResponse:
    access.require(request.user, "view")
    asked = word(request, "service")
    # The hour, because the matrix tells in days how long something has been behind. The version is read before the
    # names: what is kept under it is never older than it says.
    version = f"{fleet_version(request)} {timezone.now():%Y%m%d%H} {request.get_full_path()}"
    names = () if asked else service_names()
    if not asked and not names:
        return render(request, "fleet/matrix_empty.html")
    page = PAGES.get(version, lambda: _page(request, asked or names[0], names or service_names()))
    return render(request, "fleet/matrix.html", {"page": page})


def _page(request: HttpRequest, chosen: str, names: tuple[str, ...]) -> Page:
    view = _view(request, chosen)
    everyone = environment_names(chosen)
    context = {
        **_around(view),
        "tabs": matrix_tabs("matrix", chosen),
        "window": _window(view).markup,
        "services": _services(names, chosen),
        "environments": everyone,
        "offered": [_offer(name, view.wanted) for name in everyone],
        "legend": legend(),
        "whole_url": address_of(replace(view.wanted, only=(), compare="", first=0, before=0)),
    }
    return Page(_title(view), render_to_string("fleet/_matrix_page.html", context))


def _title(view: View) -> str:
    differing = len(view.known.differing)
    return f"{f'{differing} differ' if differing else '✓ identical'} – Matrix of {view.wanted.service}"


@tells_banners
@require_safe
@cache_control(private=True, no_cache=True)
def matrix_window(request: HttpRequest) -> HttpResponse:
    """304 while nothing that the window shows has changed: then the page is left as it is."""
    view = _view(request, word(request, "service"))
    etag = f'W/"{view.version}"'
    unchanged = get_conditional_response(request, etag=etag)
    if unchanged is not None:
        return unchanged
    window, headers = _window(view), {"ETag": etag, "Vary": "Accept-Encoding"}
    if GZIP.search(request.headers.get("Accept-Encoding", "")):
        return HttpResponse(window.zipped, headers={**headers, "Content-Encoding": "gzip"})
    return HttpResponse(window.answer, headers=headers)


@require_safe
def revisions_entry(request: HttpRequest) -> HttpResponse:
    """The navigation's Revisions: straight to the only service's chain, else a choice."""
    access.require(request.user, "view")
    names = service_names()
    if len(names) == 1:
        return redirect("revision_list", names[0])
    links = [(name, reverse("revision_list", args=[name])) for name in names]
    return render(request, "revisions/choose.html", {"links": links})


def _view(request: HttpRequest, service: str) -> View:
    found = access.service_for(request.user, service)
    return look(found, read_wanted(request, found.name), timezone.now())


def _window(view: View) -> Window:
    """What the page and the poll draw alike, for everybody: once drawn it is kept until its version is another."""
    return WINDOWS.get(view.version, lambda: _draw_window(view))


def _draw_window(view: View) -> Window:
    return Window(
        markup=render_to_string("fleet/_matrix_window.html", _context(view)),
        beside=render_to_string("fleet/_matrix_beside.html", _around(view)),
    )


def _around(view: View) -> dict[str, object]:
    """What is said about the window beside it: it changes with it, so the page and the poll tell it alike."""
    return {
        "service": view.wanted.service,
        "view": view,
        "known": view.known,
        "headline": headline(view.known),
        "oddities": oddities(view.known),
        "modes": _modes(view),
    }


def _context(view: View) -> dict[str, object]:
    known, wanted = view.known, view.wanted
    drawn = draw(view) if known.columns and known.total else None
    title, why = nothing(wanted.mode, known) if drawn and not drawn.rows else ("", "")
    return {
        "service": wanted.service,
        "view": view,
        "known": known,
        "headline": headline(known),
        "page_title": _title(view),
        "drawn": drawn,
        "window_url": address_of(wanted, "matrix_window"),
        "nothing": title,
        "nothing_why": why,
        "all_url": address_of(replace(wanted, mode=ALL, before=0)),
    }


def _services(names: Sequence[str], chosen: str) -> list[Choice]:
    page = reverse("matrix")
    return [Choice(name, f"{page}?{urlencode({'service': name})}", name == chosen) for name in names]


def _modes(view: View) -> list[Choice]:
    """With how many rows each has, so that nobody has to open an empty one."""
    known = view.known
    stage = known.columns[-1].stage if known.columns else "the last stage"
    offered = (
        (FRONTIER, "Frontier", len(known.differing)),
        (ALL, "All", known.total),
        (DRIFT, "Drift", len(known.drift)),
        (PENDING, f"Pending on {stage}", len(known.last_stage)),
        (DISORDER, "Out of order", len(known.disorder)),
    )
    return [
        Choice(f"{word} {count:,}", address_of(replace(view.wanted, mode=mode, before=0)), mode == view.wanted.mode)
        for mode, word, count in offered
    ]


def _offer(name: str, wanted: Wanted) -> dict[str, object]:
    return {"value": name, "word": name, "checked": name in wanted.only}
