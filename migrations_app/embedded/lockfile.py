"""One process per folder: a lock the kernel drops by itself when its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from migrations_app.engine.errors import Refused


@dataclass(frozen=True)
class Lock:
    """A held lock; it lives as long as its file stays open."""

    path: Path
    file: IO[bytes] = field(repr=False, compare=False)

    def release(self) -> None:
        """Let the next process in. Safe to call twice."""
        self.file.close()


def hold(path: Path, *, what: str) -> Lock:
    """Take the lock or refuse with the process id of its holder. `what` is the sentence's subject."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = file.read(32).decode(errors="replace").strip() or "unknown"
        file.close()
        raise Refused(
            "already_running",
            f"{what} is already running in {path.parent} (process {holder}).",
            not_done="Nothing was started.",
            next_step="Stop that process first, or use another folder.",
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n".encode())
    return Lock(path, file)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock right now."""
    try:
        with path.open("r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
