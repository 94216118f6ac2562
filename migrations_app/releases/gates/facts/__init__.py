"""What Lockstep itself knows about a release: one file for each fact, found by its name.

A file has `look(release, settings) -> Outcome`. It reads Lockstep's own database alone and changes nothing. One
that wants to be told more than its name has `SETTINGS`, the names of what it takes, each a text.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from migrations_app.models import Release
from migrations_app.releases.gates.catalogue import canonical, sha256_of
from migrations_app.releases.gates.known import Outcome

FACTS = tuple(sorted(found.name for found in pkgutil.iter_modules(__path__)))


class Fact(Protocol):
    def look(self, release: Release, settings: Mapping[str, object]) -> Outcome: ...


def look(name: str, release: Release, settings: Mapping[str, object]) -> Outcome:
    fact = cast(Fact, import_module(f"{__name__}.{name}"))
    return fact.look(release, settings)


def settings_of(name: str) -> frozenset[str]:
    """What a fact takes beside its name."""
    taken: frozenset[str] = getattr(import_module(f"{__name__}.{name}"), "SETTINGS", frozenset())
    return taken


def outcome(state: str, sentence: str, about: object = None) -> Outcome:
    """`about` is what a signature binds beside the state: as long as it is the same, so is what was signed."""
    return Outcome(state, sentence, sha256_of([state, canonical(about)]))
