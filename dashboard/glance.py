"""The frame's one query, asked once for each request however many parts of it want to know."""

from __future__ import annotations

from django.http import HttpRequest

from migrations_app.runs.glance import Glance, glance

_KEPT = "_lockstep_glance"
_DOUBTED = "_lockstep_glance_doubted"


def glance_of(request: HttpRequest) -> Glance:
    kept: Glance | None = getattr(request, _KEPT, None)
    if kept is None:
        kept = glance()
        setattr(request, _KEPT, kept)
    return kept


def doubt(request: HttpRequest) -> None:
    """Part of this page could not be read: its frame calls nothing fine either."""
    setattr(request, _DOUBTED, True)


def doubted(request: HttpRequest) -> bool:
    return bool(getattr(request, _DOUBTED, False))
