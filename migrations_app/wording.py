"""Numbers and durations as sentences have them."""

from __future__ import annotations

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def duration(milliseconds: float | None) -> str:
    """`3 ms`, `0.4 s`, `41 s`, `3 min 12 s`, `2 h 5 min`, `6 d 1 h`; nothing for nothing."""
    if milliseconds is None:
        return ""
    if milliseconds < 100:
        return f"{max(milliseconds, 0):.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    return _two_units(round(seconds))


def _two_units(seconds: int) -> str:
    for index, (size, unit) in enumerate(_UNITS):
        if seconds >= size:
            rest = seconds % size
            small = _UNITS[index + 1 : index + 2]
            parts = [f"{seconds // size} {unit}", *(f"{rest // s} {u}" for s, u in small if rest >= s)]
            return " ".join(parts)
    return "0 s"


def number(count: int) -> str:
    """Small numbers as words, as in a sentence."""
    return _NUMBERS[count] if 0 <= count < len(_NUMBERS) else f"{count:,}"


def share(count: int, total: int) -> str:
    """`two of six`, `2 of 18`: both in words or both in figures."""
    return f"{number(count)} of {number(total)}" if total < len(_NUMBERS) else f"{count:,} of {total:,}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """`no runs`, `one run`, `two runs`, `1,204 runs`."""
    return f"{number(count)} {singular if count == 1 else plural or singular + 's'}"
