"""The ways to look at a service's environments side by side, each a page of its own with the same service."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from dashboard.pages.choices import Choice

TABS = (("matrix", "Revisions"), ("matrix_schema", "Schema"), ("matrix_contracts", "Contracts"))


def matrix_tabs(current: str, service: str) -> list[Choice]:
    query = urlencode({"service": service})
    return [Choice(word, f"{reverse(name)}?{query}", name == current) for name, word in TABS]
