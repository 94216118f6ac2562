"""A process whose database keeps failing stops asking it for a while, so that whoever waits hears so at once.

A result belongs to the era its pass was given in: what began before the breaker opened neither closes nor opens it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import NewType

from django.conf import settings

CLOSED, OPEN, HALF_OPEN = "CLOSED", "OPEN", "HALF_OPEN"

Pass = NewType("Pass", int)  # the era


class BreakerOpen(Exception):
    """Nobody is let in before `seconds_left` are over; zero while somebody tries."""

    def __init__(self, seconds_left: float) -> None:
        super().__init__(f"the circuit breaker is open for another {seconds_left:.1f} s")
        self.seconds_left = seconds_left


@dataclass(frozen=True)
class BreakerRules:
    enabled: bool = True
    failure_threshold: int = 5
    failure_rate: float = 0.5
    recovery_s: float = 30.0
    window: int = 10


@dataclass(frozen=True)
class BreakerState:
    """As it acts at this moment: one whose time is over is half open, whether or not anybody has come since."""

    state: str
    failure_count: int
    success_count: int
    total_count: int
    window_size: int
    failure_rate: float
    last_failure_time: str | None
    open_until: str | None
    enabled: bool

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def _now() -> datetime:
    return datetime.now(UTC)


class Breaker:
    """Closed it lets everybody in; open nobody; half open one, on trial, whose result closes it or opens it again."""

    def __init__(
        self,
        rules: BreakerRules,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = _now,
    ) -> None:
        self.rules = rules
        self._clock, self._wall = clock, wall
        self._lock = Lock()
        self._results: deque[bool] = deque(maxlen=rules.window)
        self._era = 0
        self._opened_at: float | None = None
        self._tried_at: float | None = None  # a trial that was lost is over after as long as the breaker is open
        self._failed_on: datetime | None = None
        self._open_until: datetime | None = None

    def enter(self) -> Pass:
        """Whoever gets in brings the pass back with a result. Raises BreakerOpen."""
        with self._lock:
            if self._opened_at is None:
                return Pass(self._era)
            now = self._clock()
            left = self._opened_at + self.rules.recovery_s - now
            if left > 0:
                raise BreakerOpen(left)
            if self._tried_at is not None and now - self._tried_at < self.rules.recovery_s:
                raise BreakerOpen(0.0)
            self._tried_at = now
            self._era += 1
            return Pass(self._era)

    def succeeded(self, given: Pass) -> bool:
        """Whether this closed it."""
        with self._lock:
            if given != self._era:
                return False
            if self._opened_at is None:
                self._results.append(True)
                return False
            self._results.clear()
            self._opened_at = self._tried_at = self._open_until = None
            return True

    def failed(self, given: Pass) -> bool:
        """Whether this opened it, for the first time or again."""
        with self._lock:
            if given != self._era:
                return False
            self._results.append(False)
            self._failed_on = self._wall()
            if self._opened_at is None and not self._is_too_much():
                return False
            self._open()
            return True

    def state(self) -> BreakerState:
        with self._lock:
            failures, total = self._failures(), len(self._results)
            return BreakerState(
                state=self._effective(),
                failure_count=failures,
                success_count=total - failures,
                total_count=total,
                window_size=self.rules.window,
                failure_rate=round(failures / total, 2) if total else 0.0,
                last_failure_time=_told(self._failed_on),
                open_until=_told(self._open_until),
                enabled=self.rules.enabled,
            )

    def _effective(self) -> str:
        if self._opened_at is None:
            return CLOSED
        return OPEN if self._clock() < self._opened_at + self.rules.recovery_s else HALF_OPEN

    def _failures(self) -> int:
        return self._results.count(False)

    def _is_too_much(self) -> bool:
        failures = self._failures()
        often = failures >= self.rules.failure_rate * len(self._results)
        return self.rules.enabled and failures >= self.rules.failure_threshold and often

    def _open(self) -> None:
        self._opened_at, self._tried_at = self._clock(), None
        self._open_until = self._wall() + timedelta(seconds=self.rules.recovery_s)
        self._era += 1


def _told(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


class _Kept:
    def __init__(self) -> None:
        self.lock = Lock()
        self.breaker: Breaker | None = None


_kept = _Kept()


def breaker() -> Breaker:
    """This process's one. Its rules are those of the settings when it was first asked for."""
    with _kept.lock:
        if _kept.breaker is None:
            _kept.breaker = Breaker(
                BreakerRules(
                    enabled=settings.CIRCUIT_BREAKER_ENABLED,
                    failure_threshold=settings.CIRCUIT_BREAKER_FAILURE_THRESHOLD,
                    failure_rate=settings.CIRCUIT_BREAKER_FAILURE_RATE,
                    recovery_s=settings.CIRCUIT_BREAKER_RECOVERY_TIMEOUT,
                    window=settings.CIRCUIT_BREAKER_WINDOW_SIZE,
                )
            )
        return _kept.breaker


def forget() -> None:
    """The next one to ask gets a closed one."""
    with _kept.lock:
        _kept.breaker = None
