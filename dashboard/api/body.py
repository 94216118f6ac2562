"""Request bodies: JSON objects in UTF-8, bounded, without what PostgreSQL cannot store."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.parser import Parser

from migrations_app import strict_json

MOST_BYTES = 8 * 1024 * 1024
# Base64 takes four bytes for three, so less than the largest artefact fits into a body.
ATTACHING = (
    "Attach an artefact of more than 6 MB on the release's page or with `manage.py gates report --file`, "
    "or send its SHA-256 alone."
)


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> dict[str, object]:
        return read_object(request.body)


class BadBody(HttpError):
    """The body is not a usable JSON object; the message says why."""


def read_object(raw: bytes) -> dict[str, object]:
    try:
        text = raw.decode("utf-8")
        value = strict_json.loads(text)
    except UnicodeDecodeError:
        raise BadBody(400, "The body is not UTF-8. Nothing was done.") from None
    except RecursionError:
        raise BadBody(400, "The body nests too deeply. Nothing was done.") from None
    except ValueError as error:
        raise BadBody(400, f"The body is not JSON: {_short(error)}. Nothing was done.") from None
    if not isinstance(value, dict):
        raise BadBody(422, "The body must be a JSON object. Nothing was done.")
    for text in _texts(value):
        _check_text(text)
    return value


def refusal_before_reading(request: HttpRequest) -> tuple[int, str] | None:
    """What can be told from the headers alone, before a byte is read: status and sentence."""
    if request.headers.get("Transfer-Encoding"):
        return 400, "The body was sent in chunks, which is not read here. Send it whole, with a Content-Length."
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) == 0 or request.method not in ("POST", "PUT", "PATCH"):
        return None
    if int(length) > MOST_BYTES:
        told = f"The body has {int(length):,} bytes; the most that is read is {MOST_BYTES:,}."
        return 413, f"{told} {ATTACHING}" if request.path.endswith("/evidence") else told
    if request.content_type != "application/json":
        return 415, "The body must be sent as application/json."
    return None


def _short(error: ValueError) -> str:
    """json's own words, which quote nothing of the body; another ValueError may."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    text = str(error)
    return (
        text
        if text.startswith(("a key", "a number", "NaN", "Infinity", "-Infinity"))
        else "a number has too many digits"
    )


def _texts(value: object) -> Iterator[str]:
    """Every key and every string, without recursion: depth is the client's choice."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            left.extend(item.keys())
            left.extend(item.values())
        elif isinstance(item, list):
            left.extend(item)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise BadBody(422, "A text in the body holds a NUL character, which PostgreSQL cannot store. Nothing was done.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise BadBody(422, "A text in the body holds half a surrogate pair, which is no character. Nothing was done.")
