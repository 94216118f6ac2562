"""The log of one embedded server: appended to, and set aside once when it has grown large."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

LARGE = 10 * 1024 * 1024


def open_log(path: Path) -> IO[bytes]:
    """The log, positioned at its end and readable by its owner only; a large one moves to `PATH.1` first."""
    if path.exists() and path.stat().st_size > LARGE:
        path.replace(path.with_name(f"{path.name}.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    file = os.fdopen(descriptor, "ab")
    file.seek(0, os.SEEK_END)
    return file


def read_from(path: Path, begin: int) -> str:
    """What was written since the position `begin`."""
    with path.open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")
