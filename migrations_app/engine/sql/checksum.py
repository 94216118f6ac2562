"""The checksum of a revision's file: the same bytes give the same checksum on every machine and checkout."""

from __future__ import annotations

import hashlib

from migrations_app.engine.errors import Refused

PREFIX = "sha256:v1:"


def checksum(data: bytes | str) -> str:
    """SHA-256 over the bytes with CRLF read as LF, so that a Windows checkout counts as unchanged."""
    return PREFIX + hashlib.sha256(_bytes(data).replace(b"\r\n", b"\n")).hexdigest()


def _bytes(data: bytes | str) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return data.encode()
    except UnicodeEncodeError as error:
        raise Refused(
            "not_unicode",
            f"The text holds half of a surrogate pair at character {error.start + 1}; it has no UTF-8 form.",
            not_done="No checksum was computed.",
            next_step="Save the file as UTF-8.",
        ) from error
