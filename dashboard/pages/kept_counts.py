"""How often what was drawn before could be used again, counted by each process since it started."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock


@dataclass
class Counts:
    reads: int = 0
    writes: int = 0
    l1_hits: int = 0
    l2_hits: int = 0
    misses: int = 0
    l1_size: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def l1_hit(self) -> None:
        with self._lock:
            self.reads += 1
            self.l1_hits += 1

    def l2_hit(self) -> None:
        with self._lock:
            self.reads += 1
            self.l2_hits += 1

    def miss(self) -> None:
        with self._lock:
            self.reads += 1
            self.misses += 1

    def write(self) -> None:
        with self._lock:
            self.writes += 1

    def size(self, change: int) -> None:
        with self._lock:
            self.l1_size += change


COUNTS = Counts()
