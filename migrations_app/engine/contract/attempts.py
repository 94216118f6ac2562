"""The schedule of lock attempts: short ones, longer pauses, never one without a time limit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

# (lock_timeout, pause afterwards) in seconds.
_OPENING = ((0.1, 0.1), (0.1, 0.1), (0.2, 0.2), (0.3, 0.5), (0.5, 2.0), (0.5, 2.0), (0.5, 5.0), (1.0, 10.0))
_ROUND = ((0.3, 5.0), (0.5, 15.0))
_AUTOVACUUM_PAUSE = 60.0
_JITTER = 0.2
LONGEST = 2.0


@dataclass(frozen=True)
class LockAttempt:
    """One try: how long to wait for the lock, how long to pause after giving up (seconds)."""

    number: int
    lock_timeout: float
    pause: float
    for_autovacuum: bool = False


def schedule(deadlock_timeout: float) -> Iterator[LockAttempt]:
    """Yield attempts without end; the caller's window ends them.

    The attempt marked `for_autovacuum` waits past `deadlock_timeout` (seconds), because PostgreSQL cancels a
    blocking autovacuum only when the waiter's deadlock check fires. Use it only when one is in the way.
    """
    number = 0
    for lock_timeout, pause in _OPENING:
        number += 1
        yield LockAttempt(number, lock_timeout, _jittered(pause))
    while True:
        for lock_timeout, pause in _ROUND:
            number += 1
            yield LockAttempt(number, lock_timeout, _jittered(pause))
        number += 1
        yield LockAttempt(
            number, min(deadlock_timeout + 0.5, LONGEST), _jittered(_AUTOVACUUM_PAUSE), for_autovacuum=True
        )


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  spreads load, hides nothing
