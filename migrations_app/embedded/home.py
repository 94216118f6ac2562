"""The folder a server, or a whole `manage.py up`, keeps its data in."""

from __future__ import annotations

import os
from pathlib import Path

from migrations_app.embedded.account import Account, open_way
from migrations_app.engine.errors import Refused


def make_home(folder: Path, account: Account | None) -> Path:
    """The folder, made when missing, writable by this process and reachable for the servers' user."""
    home = folder.resolve()
    try:
        # Root's folders let the servers' user pass through, not look around.
        home.mkdir(mode=0o711 if account else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(home, error.strerror or "unknown reason") from None
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(home, "it belongs to another user or is read-only")
    open_way(home, account)
    return home


def _unusable(home: Path, reason: str) -> Refused:
    return Refused(
        "data_folder_unusable",
        f"The data folder {home} can't be used: {reason}.",
        not_done="Nothing was started.",
        next_step="Make it writable for this user, or choose another with --data-dir or LOCKSTEP_DATA_DIR.",
    )
