"""The text that an audit entry keeps and hashes: canonical JSON, without secrets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

# A password between user and host of an address, wherever it stands in a text.
_USERINFO = re.compile(r"(?<=://)([^\s/@:]*):[^\s/@]*@")
_PASSWORD_SETTING = re.compile(r"(?i)\b(password|sslpassword)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)")
_SECRET_KEYS = frozenset({"dsn", "password", "passwd", "secret", "token", "authorization", "dsn_sealed"})
# jsonb refuses NUL and UTF-8 has no lone surrogates; an entry is written all the same.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

NOT_RECORDED = "[not recorded]"


def canonical(content: Mapping[str, object]) -> str:
    """Sorted keys, no spaces, UTF-8: the same content is always the same text."""
    return json.dumps(_plain(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {masked(str(key)): _member(str(key), member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    if isinstance(value, set | frozenset):
        return sorted((_plain(member) for member in value), key=str)
    raise TypeError(f"an audit entry cannot hold a {type(value).__name__}")


def _member(key: str, value: object) -> object:
    if key.lower() in _SECRET_KEYS and value:
        return NOT_RECORDED
    return _plain(value)


def masked(text: str) -> str:
    """Without the passwords of addresses, and without what a database cannot keep."""
    without_passwords = _PASSWORD_SETTING.sub(r"\1=***", _USERINFO.sub(r"\1:***@", text))
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", str(without_passwords))
