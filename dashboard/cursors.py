"""Keyset cursors: where a list goes on. Each is signed for its list, so nothing else leads into it.

An address with a cursor may be kept and shared for as long as the installation keeps its secret key.
"""

from __future__ import annotations

from django.core.signing import BadSignature, Signer

Key = tuple[str | int, ...]


def write(of: str, *key: str | int) -> str:
    """`of` names the list: another one takes no such cursor."""
    text: str = _signer(of).sign_object(key)
    return text


def read(of: str, text: str) -> Key | None:
    """The key of a cursor that `write` made for that list; None for anything else."""
    try:
        return tuple(_signer(of).unsign_object(text))
    except (BadSignature, UnicodeEncodeError):
        return None


def _signer(of: str) -> Signer:
    return Signer(sep="~", salt=f"cursor of {of}")
