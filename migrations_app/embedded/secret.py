"""Secrets that are made once and kept in a file only its owner can read."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def password() -> str:
    """A password that is safe in a URL and can be typed."""
    return secrets.token_urlsafe(18)


def signing_key() -> str:
    """A key for Django's signatures."""
    return secrets.token_urlsafe(48)


def credentials_key() -> str:
    """A first key for stored credentials: `keyid:base64 of 32 bytes`."""
    return f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def write(path: Path, value: str) -> None:
    """Replace the file in one step; it is never readable by others and never half written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{value}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def read(path: Path) -> str | None:
    """What the file holds; None when it does not exist or is empty."""
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None


def kept(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, made and written on first use."""
    value = read(path)
    if value is None:
        value = make()
        write(path, value)
    return value
