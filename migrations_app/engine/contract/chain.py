"""The order of revisions: a chain from one root to one head, by parent.

A fork, a gap or a cycle has no order, so nothing of such a set is ever run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from migrations_app.engine.errors import Refused

ROOT = ""
REVISION_ID = re.compile(r"[0-9]+_[A-Za-z0-9_.-]+\Z")
MAX_LENGTH = 200
SHOWN = 5


@dataclass(frozen=True)
class Declared:
    """What a revision says: None means the revision before it in name order, '' that it is the root."""

    revision_id: str
    parent: str | None


@dataclass(frozen=True)
class Link:
    revision_id: str
    parent: str


def is_revision_id(name: str) -> bool:
    return len(name) <= MAX_LENGTH and REVISION_ID.match(name) is not None


def name_order(revision_id: str) -> tuple[int, str, str]:
    """By number, then by name: 2_b before 10_a, and 1_a and 0001_a still in a fixed order."""
    prefix, _, rest = revision_id.partition("_")
    number = int(prefix) if prefix.isascii() and prefix.isdigit() and len(prefix) <= MAX_LENGTH else 0
    return number, rest, revision_id


def resolve(declared: Iterable[Declared]) -> tuple[Link, ...]:
    """The links in chain order, root first."""
    parents = _parents(sorted(declared, key=lambda one: name_order(one.revision_id)))
    _refuse_missing(parents)
    children = {parent: name for name, parent in parents.items()}
    chain: list[Link] = []
    at = ROOT
    while at in children and len(chain) < len(parents):
        chain.append(Link(children[at], at))
        at = children[at]
    if len(chain) < len(parents):
        _refuse_cycle(parents)
        _refuse_fork(parents)
    return tuple(chain)


def between(chain: Sequence[Link], *, head: str, to: str | None) -> tuple[Link, ...]:
    """What is still to run so that `head` becomes `to`; None means everything."""
    start = _position(chain, head)
    end = len(chain) if to is None else _position(chain, to)
    if end < start:
        _refuse_direction(f"{to or 'The empty database'} lies before {head}, the head", "Ask for a rollback.")
    return tuple(chain[start:end])


def down_path(chain: Sequence[Link], *, head: str, to: str) -> tuple[Link, ...]:
    """What is to be undone, newest first, so that `head` becomes `to`; '' means everything."""
    start, end = _position(chain, head), _position(chain, to)
    if end > start:
        _refuse_direction(f"{to} lies after {head or 'the empty database'}, the head", "Ask for an apply.")
    return tuple(reversed(chain[end:start]))


def _parents(ordered: Sequence[Declared]) -> dict[str, str]:
    parents: dict[str, str] = {}
    before = ROOT
    for one in ordered:
        if one.revision_id in parents:
            _refuse_duplicate(ordered)
        parents[one.revision_id] = before if one.parent is None else one.parent
        before = one.revision_id
    return parents


def _refuse_duplicate(ordered: Sequence[Declared]) -> NoReturn:
    counts = Counter(one.revision_id for one in ordered)
    _refuse(
        "duplicate_revision",
        f"There is more than one revision {_names(name for name, count in counts.items() if count > 1)}.",
        "Rename one of them.",
    )


def _refuse_missing(parents: dict[str, str]) -> None:
    missing = [name for name, parent in parents.items() if parent != ROOT and parent not in parents]
    if missing:
        pairs = (f"{name} (its parent {parents[name]})" for name in missing)
        _refuse(
            "missing_parent",
            f"A parent is not there: {_names(pairs)}.",
            "Add the missing revision, or correct the parent line.",
        )


def _refuse_cycle(parents: dict[str, str]) -> None:
    """Follows every revision to the root once; meeting one's own trail again is a cycle."""
    safe = {ROOT}
    for name in parents:
        trail: dict[str, None] = {}
        while name not in safe:
            if name in trail:
                names = list(trail)
                _refuse(
                    "cycle",
                    f"These revisions are each other's ancestors: {_names(names[names.index(name) :])}.",
                    "Correct a parent line, so that one of them comes first.",
                )
            trail[name] = None
            name = parents[name]
        safe.update(trail)


def _refuse_fork(parents: dict[str, str]) -> None:
    counts = Counter(parents.values())
    parent = next(parent for parent, count in counts.items() if count > 1)
    where = f"parent {parent}" if parent else "no parent"
    _refuse(
        "two_heads",
        f"These revisions all have {where}: {_names(name for name in parents if parents[name] == parent)}.",
        "Give all but one of them another parent, so that there is one order.",
    )


def _position(chain: Sequence[Link], revision_id: str) -> int:
    """How many links are applied when this revision is the head."""
    if revision_id == ROOT:
        return 0
    position = next((n for n, link in enumerate(chain, start=1) if link.revision_id == revision_id), None)
    if position is None:
        _refuse("unknown_revision", f"There is no revision {revision_id[:MAX_LENGTH]}.", "Register it first.")
    return position


def _names(names: Iterable[str]) -> str:
    """A fork of thousands is named by its first few."""
    found = list(names)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def _refuse_direction(what: str, next_step: str) -> NoReturn:
    _refuse("wrong_direction", f"{what}.", next_step)


def _refuse(code: str, message: str, next_step: str) -> NoReturn:
    raise Refused(code, message, not_done="Nothing was planned.", next_step=next_step)
