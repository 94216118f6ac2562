"""A row of links of which one is chosen; the address holds the choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from dashboard.pages.query import address


@dataclass(frozen=True)
class Choice:
    word: str
    url: str
    current: bool


def choices(
    request: HttpRequest, name: str, chosen: str, offered: Sequence[tuple[str, str]], **reset: None
) -> list[Choice]:
    """One link for each value; `reset` names what the new choice makes meaningless, such as a cursor."""
    return [
        Choice(word, address(request, **{name: value or None}, **reset), chosen == value) for value, word in offered
    ]
