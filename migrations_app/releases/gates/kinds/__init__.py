"""Who finds out whether a check holds: one file for each kind, found by its name.

A file has `problem(settings) -> str`, a clause that says what is wrong with the settings in a catalogue, or nothing.
One whose checks are looked at by a worker has `collect(release, check) -> Found` and `longest_s(release, check)` too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from typing import Protocol, cast

from migrations_app.models import Release
from migrations_app.releases.gates.catalogue import BadCatalogue, Catalogue, Check
from migrations_app.statuses import CheckKind, EvidenceStatus

# Those that a worker looks at.
COLLECTED = frozenset({CheckKind.HTTP, CheckKind.COMMAND, CheckKind.SQL})
EVERY = "every_minutes"  # a setting of all of those: how often a worker looks by itself
LONGEST_WORD = 63
_MOST_MINUTES = 7 * 24 * 60


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

    def longest_s(self, release: Release, check: Check) -> float: ...


def check_settings(catalogue: Catalogue) -> None:
    """Raises BadCatalogue where a check's settings are nothing that its kind can work with."""
    for gate in catalogue.gates:
        for check in gate.checks:
            if problem := cast(Kind, _file(check.kind)).problem(check.settings):
                raise BadCatalogue(f"Gate {gate.key}, check {check.key}", problem)


def collect(release: Release, check: Check) -> Found:
    return cast(Collector, _file(check.kind)).collect(release, check)


def longest_s(release: Release, check: Check) -> float:
    """Within how many seconds a look at it has ended, whatever it meets."""
    return cast(Collector, _file(check.kind)).longest_s(release, check)


def every(check: Check) -> timedelta:
    """How old evidence becomes before a worker looks again by itself."""
    minutes = check.settings.get(EVERY)
    return timedelta(minutes=minutes) if isinstance(minutes, int) else timedelta(hours=check.max_age_hours) / 2


def found(producer: str, good: str, broken: Sequence[str], detail: Mapping[str, object]) -> Found:
    """A pass with the sentence `good`, or a fail with all that is broken."""
    status = EvidenceStatus.FAIL if broken else EvidenceStatus.PASS
    return Found(status, " ".join(broken) or good, producer, detail)


def unknown_settings(settings: Mapping[str, object], known: frozenset[str]) -> str:
    """A clause about the first setting that means nothing."""
    other = sorted(name for name in settings if name not in known)
    if not other:
        return ""
    told = f"known: {', '.join(sorted(known))}" if known else "it takes none"
    return f"has the setting {other[0][:60]!r}, which means nothing here ({told})."


def bad_text(settings: Mapping[str, object], name: str, longest: int = LONGEST_WORD) -> str:
    """A clause about a setting that has to be there as a text."""
    text = settings.get(name)
    if isinstance(text, str) and text.strip() and len(text) <= longest and "\x00" not in text:
        return ""
    return f"needs the setting {name}, a text of at most {longest} characters."


def bad_times(settings: Mapping[str, object], most_s: float) -> str:
    """A clause about `timeout_seconds` and `every_minutes`, which each kind that a worker looks at may have."""
    seconds, minutes = settings.get("timeout_seconds", 1), settings.get(EVERY, 1)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= most_s:
        return f"has timeout_seconds as {seconds!r}; it is a number above 0, and at most {most_s:g}."
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= _MOST_MINUTES:
        return f"has {EVERY} as {minutes!r}; it is a whole number from 1 to {_MOST_MINUTES}."
    return ""


def timeout_s(check: Check, default: float) -> float:
    given = check.settings.get("timeout_seconds", default)
    return float(given) if isinstance(given, int | float) else default


def _file(kind: str) -> object:
    return import_module(f"{__name__}.{CheckKind(kind).value}")
