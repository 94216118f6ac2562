"""Waiting by condition, never by sleeping a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T], *, within: float = 20.0, what: str = "the condition") -> T:
    """Call `look` until it answers something true; fails naming `what` when that takes too long."""
    deadline = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come true within {within:g} s; last answer {found!r}"
        time.sleep(0.05)
