"""Part of a long list in the everyday run; the whole of it with LOCKSTEP_TEST_ALL=1, as `make thorough` sets it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def sample(items: Sequence[T], every: int, start: int = 0) -> tuple[T, ...]:
    """Each `every`-th of them, from `start` on: with another start another part."""
    return tuple(items) if os.environ.get("LOCKSTEP_TEST_ALL") else tuple(items)[start % every :: every]
