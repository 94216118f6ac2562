"""How long the last queries of this process took, as its requests waited for them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

REMEMBERED = 1000
SLOW_S = 1.0

_seconds: deque[float] = deque(maxlen=REMEMBERED)


@dataclass(frozen=True)
class Timing:
    """None where nothing was asked yet."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    count: int
    slow: int

    @property
    def slow_rate(self) -> float:
        return round(self.slow / self.count, 4) if self.count else 0.0


def watch(connection: BaseDatabaseWrapper, **_: object) -> None:
    """A receiver of Django's `connection_created`; a thread keeps its connection object."""
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def timing() -> Timing:
    taken = sorted(_seconds)
    return Timing(
        p50_ms=_at(taken, 0.50),
        p95_ms=_at(taken, 0.95),
        p99_ms=_at(taken, 0.99),
        count=len(taken),
        slow=sum(one > SLOW_S for one in taken),
    )


def forget() -> None:
    _seconds.clear()


def _timed(execute: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401  as Django has it
    begun = time.monotonic()
    try:
        return execute(*given)
    finally:
        _seconds.append(time.monotonic() - begun)


def _at(taken: list[float], share: float) -> float | None:
    return round(taken[min(len(taken) - 1, int(len(taken) * share))] * 1000, 2) if taken else None
