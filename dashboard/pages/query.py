"""What a page reads from its address: words that are harmless, and choices that are refused when they make no sense."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, QueryDict
from django.utils.dateparse import parse_datetime

from dashboard.cursors import Key, read
from migrations_app.engine.errors import Refused

LONGEST = 200
BIGGEST = 2**63 - 1


@dataclass(frozen=True)
class InForce:
    """One filter in words, and the address without it."""

    word: str
    url: str


class BadAddress(Refused):
    """A part of the address that only a hand can have spoilt; answered with 400 and a sentence."""

    def __init__(self, name: str, wants: str) -> None:
        super().__init__(
            "bad_address",
            f"“{name}” in this address is not {wants}.",
            not_done="Nothing was looked up.",
            next_step=f"Take “{name}” out of the address, or follow a link that holds it.",
        )


def word(request: HttpRequest, name: str) -> str:
    """A trimmed word without NUL, which PostgreSQL cannot store or compare."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:LONGEST]


def whole(request: HttpRequest, name: str, wants: str) -> str:
    """A word that has to make sense. Raises BadAddress for two of them, and for NUL, as both could pass for another."""
    if "\x00" in request.GET.get(name, "") or len(request.GET.getlist(name)) > 1:
        raise BadAddress(name, wants)
    return word(request, name)


def number(request: HttpRequest, name: str, wants: str) -> int | None:
    """Of a line, a row or a run. Raises BadAddress for what no link of ours says."""
    whole(request, name, wants)
    value = request.GET.get(name, "")
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= BIGGEST):
        raise BadAddress(name, wants)
    return int(value)


def place(request: HttpRequest, name: str, of: str) -> Key | None:
    """The key of a cursor that the list `of` gave out. Raises BadAddress for any other."""
    wants = "a place in this list"
    whole(request, name, wants)
    value = request.GET.get(name, "")
    if not value:
        return None
    key = read(of, value)
    if key is None:
        raise BadAddress(name, wants)
    return key


def numbered_place(request: HttpRequest, name: str, of: str) -> int | None:
    """The same for a list that goes on after one number."""
    key = place(request, name, of)
    return int(key[0]) if key else None


def one_of(request: HttpRequest, name: str, words: Collection[str]) -> str:
    """One of a few words, or nothing. Raises BadAddress for another, which must not pass for no filter."""
    wants = f"one of {', '.join(sorted(words))}"
    value = whole(request, name, wants)
    if value and value not in words:
        raise BadAddress(name, wants)
    return value


def moment(request: HttpRequest, name: str) -> datetime | None:
    """A time in UTC, which it is taken for where it has no offset. Raises BadAddress."""
    wants = "a time such as 2026-11-20T12:00:00Z"
    value = whole(request, name, wants)
    if not value:
        return None
    try:
        found = parse_datetime(value.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or not 1970 < found.year < 9000:
        raise BadAddress(name, wants)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def address(request: HttpRequest, /, **changes: str | int | None) -> str:
    """This page's address with some of its query changed; None removes."""
    query: QueryDict = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"{request.path}?{query.urlencode()}" if query else request.path


def sent(request: HttpRequest, name: str, most: int = LONGEST) -> str:
    """The same for what is sent with a form."""
    return request.POST.get(name, "").replace("\x00", "").strip()[:most]


def reason(request: HttpRequest) -> str:
    """Why a person does it, as sent with a form."""
    return sent(request, "reason", 500)
