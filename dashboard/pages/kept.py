"""What was drawn, under the version by which a poll is told that nothing changed: as true as that answer is.

Each process keeps its own, and only what is the same for all readers of one version.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from django.http import HttpRequest
from django.utils import timezone

from dashboard.glance import glance_of
from migrations_app.permissions import roles_of

T = TypeVar("T")


class Kept(Generic[T]):
    """The last `most` versions; `good` tells what may be kept at all."""

    def __init__(self, most: int, good: Callable[[T], bool] = lambda _: True) -> None:
        self._most, self._good = most, good
        self._drawn: OrderedDict[str, T] = OrderedDict()

    def get(self, version: str, draw: Callable[[], T]) -> T:
        found = self._drawn.get(version)
        if found is None:
            found = draw()
            if self._good(found):
                self._drawn[version] = found
            while len(self._drawn) > self._most:
                self._drawn.popitem(last=False)
        return found

    def clear(self) -> None:
        self._drawn.clear()


def page_version(request: HttpRequest) -> str:
    """Of a page that shows what the fleet's version covers: by address and roles, and by the minute for its times."""
    told = f"{fleet_version(request)} {timezone.now():%Y%m%d%H%M} {sorted(roles_of(request.user))}"
    return f"{told} {request.get_full_path()}"


def fleet_version(request: HttpRequest) -> str:
    """Changes with whatever the front page or a matrix shows."""
    glance = glance_of(request)
    return f"{glance.key} {glance.services} {glance.has_revisions}"
