"""A PostgreSQL data folder: made whole or not at all, and checked before a server runs on it."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from migrations_app.embedded import secret
from migrations_app.embedded.account import Account, give, open_tree
from migrations_app.embedded.leftover import is_server, recorded_pid
from migrations_app.embedded.places import make_private
from migrations_app.embedded.spawn import run_as
from migrations_app.embedded.wheels import postgres_bin
from migrations_app.engine.errors import Refused

SUPERUSER = "postgres"
# Beyond every real process id, so that PostgreSQL takes the id in a stale postmaster.pid for dead.
NO_PROCESS = 2**31 - 2
TAKEN_BY_SHELL = frozenset('$`"\\')
log = logging.getLogger(__name__)


def ensure_cluster(home: Path, major: int, account: Account | None, *, fast: bool) -> Path:
    """The finished data folder `home/data`; `initdb` runs beside it, so a half-made one is never used."""
    data = home / "data"
    _check_runnable(major, account, home)
    if data.is_dir() and any(data.iterdir()):
        _check_version(data, major)
        return data
    draft = home / "data.new"
    if draft.exists():
        log.info("An earlier initdb in %s did not finish: starting over.", home)
        shutil.rmtree(draft)
    _initdb(draft, major, account, password=secret.kept(home / "password", secret.password), fast=fast)
    if data.exists():
        data.rmdir()
    return draft.rename(data)


def _check_runnable(major: int, account: Account | None, home: Path) -> None:
    program = str(postgres_bin(major) / "postgres")
    if account is not None and run_as([program, "--version"], account=account, cwd=home).returncode != 0:
        open_tree(postgres_bin(major).parent)
    shown = run_as([program, "--version"], account=account, cwd=home)
    if shown.returncode != 0:
        raise Refused(
            "postgres_not_runnable",
            f"The embedded PostgreSQL {major} does not run here: {last_line(shown.stdout)}",
            not_done="Nothing was started.",
            next_step="Set LOCKSTEP_DATABASE_URL to a PostgreSQL server of your own.",
        )


def _check_version(data: Path, major: int) -> None:
    found = secret.read(data / "PG_VERSION")
    if found == str(major):
        return
    made_by = f"was made by PostgreSQL {found}" if found else "holds files but no PG_VERSION"
    raise Refused(
        "foreign_data_folder",
        f"The folder {data} {made_by}; PostgreSQL {major} can't use it.",
        not_done="Nothing in it was changed.",
        next_step="Move it away, or use another data folder.",
    )


def _check_path(major: int) -> None:
    """initdb calls its neighbours through a shell, with their path in double quotes."""
    folder = postgres_bin(major)
    found = " and ".join(sorted(set(str(folder)) & TAKEN_BY_SHELL))
    if found:
        raise Refused(
            "path_unusable",
            f"initdb of PostgreSQL {major} cannot run from {folder}: a shell would take the {found} in it.",
            not_done="No database was made.",
            next_step="Move the project to a path without such a character, then start again.",
        )


def _initdb(draft: Path, major: int, account: Account | None, *, password: str, fast: bool) -> None:
    _check_path(major)
    make_private(draft, account)
    password_file = draft.with_name("initdb.password")
    secret.write(password_file, password)
    give(password_file, account)
    try:
        made = run_as(_initdb_command(draft, major, password_file, fast=fast), account=account, cwd=draft)
    finally:
        password_file.unlink()
    if made.returncode != 0:
        raise Refused(
            "initdb_failed",
            f"initdb of PostgreSQL {major} failed in {draft}: {last_line(made.stdout)}",
            not_done="No database was made.",
            next_step="Check free space and rights of that folder, then start again.",
        )


def _initdb_command(draft: Path, major: int, password_file: Path, *, fast: bool) -> list[str]:
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    return [
        str(postgres_bin(major) / "initdb"),
        f"--pgdata={draft}",
        f"--username={SUPERUSER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        *locale,
        *(["--no-sync"] if fast else []),
    ]


def settle_stale_pid(data: Path) -> None:
    """Keep a stale postmaster.pid from stopping PostgreSQL when a stranger now has its process id.

    The file stays: its memory key is how PostgreSQL notices backends that still live without their parent.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = recorded_pid(pid_file)
    if pid is None:
        log.info("Removed the unreadable %s.", pid_file)
        pid_file.unlink()
    elif not is_server(pid, data):
        log.info("The last server in %s (process %d) did not shut down cleanly: recovering.", data, pid)
        _, _, rest = pid_file.read_text().partition("\n")
        pid_file.write_text(f"{NO_PROCESS}\n{rest}")


def last_line(text: str) -> str:
    """What a program said last, or a stand-in when it said nothing."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."
