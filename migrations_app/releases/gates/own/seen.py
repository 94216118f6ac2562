"""What a look saw: a state and a sentence that somebody understands who has never heard of the check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PASS, FAIL, UNKNOWN = "pass", "fail", "unknown"
GREEN = frozenset({PASS})
MOST = 5


@dataclass(frozen=True)
class Seen:
    state: str
    sentence: str


def good(sentence: str) -> Seen:
    return Seen(PASS, sentence)


def bad(sentence: str) -> Seen:
    return Seen(FAIL, sentence)


def unknown(sentence: str) -> Seen:
    """Nothing is known: not good, and not bad either."""
    return Seen(UNKNOWN, sentence)


def judged(broken: Sequence[str], sentence: str) -> Seen:
    """Good with the sentence, or bad with the first of what is broken."""
    if not broken:
        return good(sentence)
    left = len(broken) - MOST
    more = f" And {left} more." if left > 0 else ""
    return bad(" ".join(broken[:MOST]) + more)


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def listed(words: Sequence[str]) -> str:
    """`a, b and c`, and after five how many more."""
    shown = list(words[:MOST])
    if len(words) > MOST:
        shown.append(f"{len(words) - MOST} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
