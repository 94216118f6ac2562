"""The addresses and keys of a running `manage.py up`, kept in `runtime.env` for commands in other terminals.

It holds what `up` made itself and where it listens; what else the user set stays with the user.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path

from migrations_app.embedded import secret

NAME = "runtime.env"


def write(data_dir: Path, made: Mapping[str, str]) -> None:
    """Leave what was made where settings look for it."""
    secret.write(data_dir / NAME, "\n".join(f"{name}={value}" for name, value in made.items()))


def remove(data_dir: Path) -> None:
    """Take it back: the servers it names are gone."""
    (data_dir / NAME).unlink(missing_ok=True)


def forget(data_dir: Path, environment: MutableMapping[str, str]) -> None:
    """Undo what settings took from the file of an earlier or another `up`: those servers are not ours."""
    for line in (secret.read(data_dir / NAME) or "").splitlines():
        name, _, value = line.partition("=")
        if environment.get(name) == value:
            del environment[name]
