"""Durations as the sentences of this room say them."""

from __future__ import annotations


def took(milliseconds: float) -> str:
    """`41 s`, `4 min 31 s`, `1 h 5 min`: whole seconds, rounded down, as a person reads a stopwatch."""
    seconds = int(milliseconds // 1000)
    minutes, rest = divmod(seconds, 60)
    hours, left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {left} min" if left else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"
