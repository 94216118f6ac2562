"""Environments that run a release which refuses their schema, as each page's banner wants to know it: for no query.

What was found holds while the glance's key is the same, for that changes with a release that goes live, a head that
moves and a chain that grows. A fleet at work changes it all the time, so it is asked again after a while only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.http import HttpRequest

from dashboard.glance import recent_glance
from migrations_app.releases.mismatch import Running, mismatches

KEPT_S = 10.0


@dataclass
class Last:
    found: tuple[Running, ...] = ()
    key: str | None = None
    at: float = float("-inf")


_last = Last()


def recent_mismatches(request: HttpRequest) -> tuple[Running, ...]:
    """Each process finds them by itself, every KEPT_S at most."""
    key, now = recent_glance(request).key, time.monotonic()
    if key != _last.key and now - _last.at >= KEPT_S:
        _last.found, _last.key, _last.at = tuple(mismatches()), key, now
    return _last.found
