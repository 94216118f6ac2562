"""What was drawn, under the version by which a poll is told that nothing changed: as true as that answer is.

Each process keeps its own, and only what is the same for all readers of one version. What is mere text is shared with
the other processes through Redis, see shared.py.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from dashboard.glance import glance_of
from dashboard.pages import shared
from dashboard.pages.kept_counts import COUNTS
from migrations_app.permissions import roles_of

T = TypeVar("T")


@dataclass(frozen=True)
class Packing(Generic[T]):
    """How something drawn is written as texts and made of them again. The name is its own among all that are kept."""

    name: str
    texts: Callable[[T], tuple[str, ...]]
    made_of: Callable[..., T]


def one_text(name: str) -> Packing[SafeString]:
    return Packing(name, lambda drawn: (drawn,), SafeString)


class Kept(Generic[T]):
    """The last `most` versions; `good` tells what may be kept at all, `packing` how it is shared, if it can be."""

    def __init__(
        self, most: int, good: Callable[[T], bool] = lambda _: True, packing: Packing[T] | None = None
    ) -> None:
        self._most, self._good, self._packing = most, good, packing
        self._drawn: OrderedDict[str, T] = OrderedDict()

    def get(self, version: str, draw: Callable[[], T]) -> T:
        if settings.ROUTE_CACHE == "none":
            return draw()
        found = self._drawn.get(version)
        if found is not None:
            COUNTS.l1_hit()
            return found
        found = self._from_others(version)
        if found is not None:
            COUNTS.l2_hit()
            self._keep(version, found)
            return found
        COUNTS.miss()
        found = draw()
        if self._good(found):
            self._keep(version, found)
            self._share(version, found)
        return found

    def clear(self) -> None:
        COUNTS.size(-len(self._drawn))
        self._drawn.clear()

    def _keep(self, version: str, drawn: T) -> None:
        before = len(self._drawn)
        self._drawn[version] = drawn
        while len(self._drawn) > self._most:
            self._drawn.popitem(last=False)
        COUNTS.size(len(self._drawn) - before)

    def _from_others(self, version: str) -> T | None:
        texts = shared.get(self._packing.name, version) if self._packing else None
        return None if texts is None or self._packing is None else self._packing.made_of(*texts)

    def _share(self, version: str, drawn: T) -> None:
        COUNTS.write()
        if self._packing:
            shared.put(self._packing.name, version, self._packing.texts(drawn))


def page_version(request: HttpRequest) -> str:
    """Of a page that shows what the fleet's version covers: by address and roles, and by the minute for its times."""
    told = f"{fleet_version(request)} {timezone.now():%Y%m%d%H%M} {sorted(roles_of(request.user))}"
    return f"{told} {request.get_full_path()}"


def fleet_version(request: HttpRequest) -> str:
    """Changes with whatever the front page or a matrix shows."""
    glance = glance_of(request)
    return f"{glance.key} {glance.services} {glance.has_revisions}"
