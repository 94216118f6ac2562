"""Where servers listen: a short private folder for Unix sockets and a free loopback port."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import stat
import tempfile
from pathlib import Path

from migrations_app.embedded.account import Account, give, open_way
from migrations_app.engine.errors import Refused

LOOPBACK = "127.0.0.1"
# A Unix socket's path has 107 bytes; PostgreSQL adds a name and a lock file's suffix to the folder.
LONGEST_FOLDER = 80
SHORT_PREFIX = "lockstep-s-"
PLAIN = re.compile(r"[A-Za-z0-9_./-]+")


def make_private(folder: Path, account: Account | None) -> Path:
    """A folder only the servers' user (and root) can enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    give(folder, account)
    folder.chmod(0o700)
    return folder


def socket_folder(home: Path, account: Account | None) -> Path:
    """`home/run` when its path is short and plain, otherwise a private folder with a short name."""
    inside = home / "run"
    if len(os.fsencode(inside)) <= LONGEST_FOLDER and PLAIN.fullmatch(str(inside)):
        return make_private(inside, account)
    return _short_folder(home, account)


def _short_folder(home: Path, account: Account | None) -> Path:
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"{SHORT_PREFIX}{name}"
    if len(os.fsencode(folder)) > LONGEST_FOLDER or not PLAIN.fullmatch(str(folder)):
        folder = Path("/tmp") / folder.name  # noqa: S108 - checked below: ours and private
    folder.mkdir(mode=0o700, exist_ok=True)
    _refuse_foreign(folder, account)
    open_way(folder.parent, account)
    return make_private(folder, account)


def clear_sockets(folder: Path, pattern: str) -> None:
    """Remove what a killed server left; call only while holding its home's lock.

    PostgreSQL refuses a socket's lock file for ever once a stranger has the process id in it.
    """
    for path in folder.glob(pattern):
        path.unlink(missing_ok=True)


def remove_short_folder(folder: Path) -> None:
    """Clear a short folder away once its server has stopped; folders inside a home stay."""
    if folder.name.startswith(SHORT_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def _refuse_foreign(folder: Path, account: Account | None) -> None:
    status = folder.lstat()
    owners = {os.geteuid()} | ({account.uid} if account else set())
    if stat.S_ISDIR(status.st_mode) and status.st_uid in owners:
        return
    raise Refused(
        "foreign_socket_folder",
        f"The folder for Unix sockets, {folder}, belongs to another user.",
        not_done="Nothing was started.",
        next_step="Set TMPDIR to a folder of your own, or use a shorter data folder.",
    )


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port
