"""Sets of places in a chain as stretches: five thousand revisions are a few numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Stretch = tuple[int, int]  # the first and the last place, both in it


@dataclass(frozen=True)
class Places:
    """Stretches from the newest to the oldest; they neither touch nor overlap."""

    stretches: tuple[Stretch, ...] = ()

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.stretches)

    def __contains__(self, place: int) -> bool:
        return any(first <= place <= last for first, last in self.stretches)

    def down_from(self, place: int, most: int) -> tuple[int, ...]:
        """At most so many places, the newest first, none of them newer than `place`."""
        found: list[int] = []
        for first, last in self.stretches:
            top = min(last, place)
            found.extend(range(top, max(first, top - (most - len(found)) + 1) - 1, -1))
            if len(found) >= most:
                break
        return tuple(found)

    def newer_than(self, place: int) -> int:
        return sum(last - max(first, place + 1) + 1 for first, last in self.stretches if last > place)


def outside(known: Places, first: int, last: int) -> Places:
    """What `known` leaves out of first…last."""
    left: list[Stretch] = []
    for low, high in reversed(known.stretches):
        if high >= first and low <= last:
            left.append((first, low - 1))
            first = high + 1
    return places([*left, (first, last)], last)


def places(stretches: Iterable[Stretch], within: int) -> Places:
    """The union of stretches, cut to 1…`within`; empty ones are left out."""
    cut = sorted((max(first, 1), min(last, within)) for first, last in stretches)
    joined: list[Stretch] = []
    for first, last in cut:
        if first > last:
            continue
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return Places(tuple(reversed(joined)))


def stretches_of(single: Iterable[int]) -> list[Stretch]:
    return [(place, place) for place in single]
