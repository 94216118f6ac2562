"""Who the servers run as. PostgreSQL refuses root, so root lends them a system user of their own.

Rights are widened only where that user could not get through otherwise, and every widening is logged.
"""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from migrations_app.engine.errors import Refused

NAME = "lockstep"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """A system user that servers run as."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """The user to become before a server starts; None when this process is an ordinary user already."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        entry = _create()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _create() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise _no_user("there is no useradd here")
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        entry = pwd.getpwnam(NAME)  # Another process may have created it at the same moment.
    except KeyError:
        raise _no_user(made.stderr.strip() or "useradd failed") from None
    if made.returncode == 0:
        log.info("Created the system user %s, because PostgreSQL refuses to run as root.", NAME)
    return entry


def _no_user(reason: str) -> Refused:
    return Refused(
        "no_server_user",
        f"PostgreSQL refuses to run as root and the system user {NAME} could not be created: {reason}.",
        not_done="Nothing was started.",
        next_step=f"Create the user {NAME}, or start Lockstep as an ordinary user.",
    )


def give(path: Path, account: Account | None) -> None:
    """Hand a file or folder to the servers' user."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def open_way(path: Path, account: Account | None) -> None:
    """Let the servers' user walk to `path`: add o+x to those folders on the way that lack it."""
    if account is None:
        return
    opened = [folder for folder in (path, *path.parents) if _let_through(folder, account)]
    if opened:
        names = ", ".join(str(folder) for folder in reversed(opened))
        log.info("Added the right to pass through (o+x) for the user %s: %s", account.name, names)


def _let_through(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid or status.st_mode & stat.S_IXOTH:
        return False
    folder.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)
    return True


def open_tree(root: Path) -> None:
    """Let everyone read and run what a wheel installed under a strict umask."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
    log.info("Added the right to read and run (o+rX) below %s", root)
