"""The template library `rehearsals`: what was measured on a clone, in words."""

from __future__ import annotations

from django import template

from dashboard.pages.measured_words import changed

register = template.Library()


@register.filter
def grouped(count: int | None) -> str:
    """`20,000`; nothing for nothing."""
    return "" if count is None else f"{count:,}"


register.filter("rows_changed", changed)
