"""The template library `kept`: parts of the frame that say the same on every page are drawn once."""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache

from django import template
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()

MOST = 500


@register.simple_tag
def kept(name: str, **given: Hashable) -> SafeString:
    """An include that knows nothing but what it is given: drawn once for each set of values, unless debugging."""
    draw = _drawn.__wrapped__ if settings.DEBUG else _drawn
    return draw(name, tuple(given.items()))


@lru_cache(maxsize=MOST)
def _drawn(name: str, given: tuple[tuple[str, Hashable], ...]) -> SafeString:
    return render_to_string(name, dict(given))
