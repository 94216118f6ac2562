"""Target databases on the embedded servers, each with a role of its own and its URL in a 0600 file.

An environment refers to one as `file:PATH`, so a new port at the next start changes nothing that is stored.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from migrations_app.embedded import secret
from migrations_app.embedded.databases import Owner, create_database
from migrations_app.embedded.postgres import Server
from migrations_app.engine.errors import Refused

FOLDER = "targets"
SUFFIX = ".url"


def variable(major: int) -> str:
    """The environment variable with the superuser's URL of an embedded server, set by `manage.py up`."""
    return f"LOCKSTEP_EMBEDDED_PG{major}_URL"


def make_target(data_dir: Path, name: str, *, major: int = 18) -> str:
    """Make sure the target database exists on the embedded server; return its `file:PATH` reference."""
    admin_url = os.environ.get(variable(major))
    if admin_url is None:
        raise Refused(
            "no_embedded_server",
            f"There is no embedded PostgreSQL {major} here to make the target {name} on.",
            not_done="No database was made.",
            next_step="Start `manage.py up` without --no-demo.",
        )
    folder = data_dir / FOLDER / str(major)
    for level in (folder.parent, folder):
        level.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{name}{SUFFIX}"
    owner = Owner(name, _password_in(path) or secret.password())
    secret.write(path, create_database(admin_url, name, owner=owner))
    return f"file:{path}"


def refresh(data_dir: Path, server: Server) -> None:
    """Write the server's present port into the URL of every target it holds."""
    for path in sorted((data_dir / FOLDER / str(server.major)).glob(f"*{SUFFIX}")):
        name, password = path.name.removesuffix(SUFFIX), _password_in(path)
        if password is not None:
            secret.write(path, server.url(name, name, password))


def _password_in(path: Path) -> str | None:
    return urlsplit(secret.read(path) or "").password
