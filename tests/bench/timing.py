"""Samples of seconds, and the rounds that interleave contenders so that a slow minute hits them all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """What several rounds took, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> str:
        """The fastest and the slowest round."""
        return f"{shown(min(self.seconds))} – {shown(max(self.seconds))}"

    def quantile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class Stopwatch:
    """`seconds` is right once the block has ended."""

    seconds = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    watch = Stopwatch()
    began = time.perf_counter()
    yield watch
    watch.seconds = time.perf_counter() - began


def interleaved(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Sample]:
    """A, B, C, then B, C, A …: nobody is always first, and drift of the machine is shared."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in _rotated(list(contenders), number):
            seconds[name].append(contenders[name]())
    return {name: Sample(tuple(taken)) for name, taken in seconds.items()}


def _rotated(names: Sequence[str], by: int) -> list[str]:
    by %= len(names)
    return [*names[by:], *names[:by]]


def shown(seconds: float) -> str:
    """With the unit that leaves few digits."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    if seconds >= 0.001:
        return f"{seconds * 1e3:.1f} ms"
    return f"{seconds * 1e6:.0f} µs"
