"""What a page reads from its address: words and numbers, harmless when they make no sense."""

from __future__ import annotations

from django.http import HttpRequest, QueryDict

LONGEST = 200


def word(request: HttpRequest, name: str) -> str:
    """A trimmed word without NUL, which PostgreSQL cannot store or compare."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST]


def number(request: HttpRequest, name: str, most: int = 2**31 - 1) -> int | None:
    """A positive number; None for anything else."""
    value = request.GET.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        return None
    return min(int(value), most)


def address(request: HttpRequest, **changes: str | int | None) -> str:
    """This page's address with some of its query changed; None removes."""
    query: QueryDict = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path


def reason(request: HttpRequest) -> str:
    """Why a person does it, as sent with a form."""
    return request.POST.get("reason", "").replace("\x00", "").strip()[:500]
