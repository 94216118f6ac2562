"""The frame's one query, asked once for each request at most, however many parts of it want to know."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import HttpRequest

from migrations_app.runs.glance import Glance, glance

# The frame of a page may be so many seconds old; what judges asks anew. Tests set it to 0.
KEPT_S = 1.0

_KEPT = "_lockstep_glance"
_DOUBTED = "_lockstep_glance_doubted"


def glance_of(request: HttpRequest) -> Glance:
    kept: Glance | None = getattr(request, _KEPT, None)
    if kept is None:
        kept = glance()
        setattr(request, _KEPT, kept)
        _last.glance, _last.at = kept, time.monotonic()
    return kept


def recent_glance(request: HttpRequest) -> Glance:
    """For the bar, the banners and the navigation: the last one this process read, while it is young."""
    kept: Glance | None = getattr(request, _KEPT, None)
    if kept is not None:
        return kept
    if time.monotonic() - _last.at >= KEPT_S:
        return glance_of(request)
    assert _last.glance is not None
    return _last.glance


@dataclass
class _Last:
    glance: Glance | None = None
    at: float = float("-inf")


_last = _Last()


def doubt(request: HttpRequest) -> None:
    """Part of this page could not be read: its frame calls nothing fine either."""
    setattr(request, _DOUBTED, True)


def doubted(request: HttpRequest) -> bool:
    return bool(getattr(request, _DOUBTED, False))
