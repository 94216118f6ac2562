"""Keyset cursors: where a list goes on, as text that a client passes back unread."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated

from ninja import Query
from ninja.errors import ValidationError

LONGEST = 600
MOST = 200

Limit = Annotated[int, Query(ge=1, le=MOST, description="How many rows at most.")]
After = Annotated[str, Query(max_length=LONGEST, description="`next` of the page before.")]


def encode(*key: str | int) -> str:
    raw = json.dumps(key, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str, *kinds: type) -> tuple[str | int, ...]:
    """The key of a cursor made by `encode`, each part of the kind expected. Raises ValidationError."""
    try:
        padded = text + "=" * (-len(text) % 4)
        key = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise bad_cursor() from None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds):
        raise bad_cursor()
    if not all(_storable(part) for part in key):
        raise bad_cursor()
    return tuple(key)


def bad_cursor() -> ValidationError:
    message = "it is no cursor of this list; leave it out to begin at the first page"
    return ValidationError([{"loc": ("query", "after"), "type": "cursor", "msg": message}])


def _storable(part: str | int) -> bool:
    if isinstance(part, int):
        return -(2**63) <= part < 2**63
    return not any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in part)
