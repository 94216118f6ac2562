"""The names of clones tell whose they are and which, so that one that was left behind is found by name alone."""

from __future__ import annotations

import re
from uuid import UUID

from migrations_app.engine.errors import Refused

PREFIX = "lockstep_reh_"
PARTS = ("", "before", "trace")
_NAME = re.compile(r"lockstep_reh_([0-9a-f]{8})_([0-9a-f]{12})(?:_(before|trace))?")


def clone_name(installation: UUID, clone: UUID, part: str = "") -> str:
    """The database's name; `part` is for a copy of the clone with a purpose of its own."""
    if part not in PARTS:
        raise ValueError(f"no part of a clone is called {part!r}")
    # The last digits: identifiers that are made by the clock are alike in the first.
    return f"{_of_installation(installation)}{clone.hex[-12:]}" + (f"_{part}" if part else "")


def is_clone_of(name: str, installation: UUID) -> bool:
    """Whether this installation made a database of that name."""
    return is_clone(name) and name.startswith(_of_installation(installation))


def is_clone(name: str) -> bool:
    """Whether any installation made it."""
    return _NAME.fullmatch(name) is not None


def names_clone(name: str, clone: UUID) -> bool:
    """Whether it is the name of this clone or of a copy of it."""
    found = _NAME.fullmatch(name)
    return found is not None and found[2] == clone.hex[-12:]


def require_clone_name(name: str) -> None:
    """Refuse to treat any other database as a thing to throw away."""
    if is_clone(name):
        return
    raise Refused(
        "not_a_clone",
        f"{name} is not the name of a rehearsal's clone.",
        not_done="Nothing was changed in it.",
        next_step="Clones are made and removed by rehearsals alone; leave this database to its owner.",
    )


def _of_installation(installation: UUID) -> str:
    return f"{PREFIX}{installation.hex[-8:]}_"
