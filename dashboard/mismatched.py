"""What some banners tell of releases, as each page wants to know it: for no query.

What was found holds while the glance's key is the same, for that changes with a release that goes live, a head that
moves, a chain that grows and whatever the audit log tells. A fleet at work changes it all the time, so it is asked
again after a while only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.http import HttpRequest
from django.utils import timezone

from dashboard.glance import recent_glance
from migrations_app.models import BreakGlass
from migrations_app.releases.gates.glass import glass_to_tell
from migrations_app.releases.mismatch import Running, mismatches

KEPT_S = 10.0
Found = TypeVar("Found")


@dataclass
class Last(Generic[Found]):
    """Each process finds it by itself, every KEPT_S at most."""

    found: Found
    key: str | None = None
    at: float = float("-inf")

    def recent(self, request: HttpRequest, find: Callable[[], Found]) -> Found:
        key, now = recent_glance(request).key, time.monotonic()
        if key != self.key and now - self.at >= KEPT_S:
            self.found, self.key, self.at = find(), key, now
        return self.found


_last: Last[tuple[Running, ...]] = Last(())
_last_glass: Last[BreakGlass | None] = Last(None)


def recent_mismatches(request: HttpRequest) -> tuple[Running, ...]:
    """Environments that run a release which refuses their schema."""
    return _last.recent(request, lambda: tuple(mismatches()))


def recent_glass(request: HttpRequest) -> BreakGlass | None:
    """Glass that is broken, or that waits for a second person: nothing is written when an hour makes an end of that."""
    found = _last_glass.recent(request, glass_to_tell)
    waits = found is not None and not hasattr(found, "answer")
    return None if found is not None and waits and found.expires_at <= timezone.now() else found
