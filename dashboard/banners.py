"""Rows above every page that everybody has to know: a firing alert, a broken chain, read-only mode.

A part of the product that has something to tell adds a function to PROVIDERS. It runs on every page that draws
the frame, so it asks for one row at most, and it answers nothing when there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class Banner:
    tone: str  # bad, warn, run or wait
    shape: str  # a name in templatetags.glyphs
    text: str  # one sentence
    url: str = ""
    action: str = ""


PROVIDERS: list[Callable[[HttpRequest], Banner | None]] = []


def banners_for(request: HttpRequest) -> tuple[Banner, ...]:
    told = (provider(request) for provider in PROVIDERS)
    return tuple(banner for banner in told if banner is not None)
