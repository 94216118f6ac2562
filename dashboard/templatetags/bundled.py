"""The template library `bundled`: the addresses of the one style sheet and of the one script."""

from __future__ import annotations

from django import template

from dashboard.bundles import bundle

register = template.Library()


@register.simple_tag
def style_sheet() -> str:
    return bundle("css").url


@register.simple_tag
def script() -> str:
    return bundle("js").url
