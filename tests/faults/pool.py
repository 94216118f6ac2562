"""Faults that wait for a run: stops, until a worker can be spared, and those whose point did not come.

All lanes draw from it, the stops first of all: what takes longest begins at once and is over long before the end.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator

from tests.faults.draft import SLOW_NEEDS, Draft
from tests.faults.plan import SLOW_STOPS, Fault, Placed
from tests.faults.programme import MOST, add_led


class Pool:
    """`workers` is how many of them stops may hold up at once; `numbers` are for added faults that lead to others.

    `possible` tells whether a fault can be struck now: nobody can flush a Redis that is away.
    """

    def __init__(
        self,
        faults: Iterable[Fault],
        numbers: Iterator[int],
        workers: int,
        possible: Callable[[Fault], bool] = lambda fault: True,
    ) -> None:
        self._faults = sorted(faults, key=lambda fault: not _slow(fault))
        self._numbers = numbers
        self._free = workers
        self._possible = possible
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        return len(self._faults)

    def fill(self, draft: Draft, rng: random.Random) -> int:
        """Add what fits; returns how many workers its stop will hold up."""
        with self._lock:
            held = 0
            for fault in tuple(self._faults):
                if len(draft.placed) < MOST and self._add(fault, draft, rng):
                    self._faults.remove(fault)
                    if fault.kind.part == "stop":
                        held += draft.workers_held(draft.placed[-1])
            self._free -= held
            return held

    def _add(self, fault: Fault, draft: Draft, rng: random.Random) -> bool:
        if not self._possible(fault) or not (draft.add(fault, rng) or add_led(fault, [draft], self._numbers, rng)):
            return False
        if fault.kind.part == "stop" and draft.workers_held(draft.placed[-1]) > self._free_for(fault):
            draft.placed.pop()
            return False
        return True

    def _free_for(self, fault: Fault) -> int:
        """Quick stops leave room for a slow one that waits; otherwise they would never let it begin."""
        slow_waits = any(_slow(other) for other in self._faults)
        return self._free - SLOW_NEEDS if slow_waits and not _slow(fault) else self._free

    def put_back(self, placed: Iterable[Placed]) -> None:
        """First in the queue: what is struck again early is over early."""
        with self._lock:
            self._faults[:0] = [one.fault for one in placed]

    def spare(self, workers: int) -> None:
        """The stop is over; they are free for another one."""
        with self._lock:
            self._free += workers


def _slow(fault: Fault) -> bool:
    return fault.kind.part == "stop" and fault.point in SLOW_STOPS
