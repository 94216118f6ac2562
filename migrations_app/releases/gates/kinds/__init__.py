"""Who finds out whether a check holds: one file for each kind, found by its name.

A file has `problem(settings) -> str`, a clause that says what is wrong with the settings in a catalogue, or nothing.
One whose checks are looked at by a worker has `collect(release, check) -> Found` as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol, cast

from migrations_app.models import Release
from migrations_app.releases.gates.catalogue import BadCatalogue, Catalogue, Check
from migrations_app.statuses import CheckKind

# Those that a worker looks at.
COLLECTED = frozenset({CheckKind.HTTP, CheckKind.COMMAND, CheckKind.SQL})


@dataclass(frozen=True)
class Found:
    """What a worker found out. `detail` is part of what is signed, so it holds no time and no measurement."""

    status: str  # statuses.EvidenceStatus
    summary: str
    producer: str
    detail: Mapping[str, object] = field(default_factory=dict)


class Kind(Protocol):
    def problem(self, settings: Mapping[str, object]) -> str: ...


class Collector(Protocol):
    def collect(self, release: Release, check: Check) -> Found: ...


def check_settings(catalogue: Catalogue) -> None:
    """Raises BadCatalogue where a check's settings are nothing that its kind can work with."""
    for gate in catalogue.gates:
        for check in gate.checks:
            if problem := cast(Kind, _file(check.kind)).problem(check.settings):
                raise BadCatalogue(f"Gate {gate.key}, check {check.key}", problem)


def collect(release: Release, check: Check) -> Found:
    return cast(Collector, _file(check.kind)).collect(release, check)


def unknown_settings(settings: Mapping[str, object], known: frozenset[str]) -> str:
    """A clause about the first setting that means nothing."""
    other = sorted(name for name in settings if name not in known)
    if not other:
        return ""
    told = f"known: {', '.join(sorted(known))}" if known else "it takes none"
    return f"has the setting {other[0][:60]!r}, which means nothing here ({told})."


def _file(kind: str) -> object:
    return import_module(f"{__name__}.{CheckKind(kind).value}")
