"""What is written down is what runs: each command, setting, field, alert and room is named in its document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from migrations_app.releases.gates.own import fields
from migrations_app.releases.gates.own.installation import Installation
from migrations_app.releases.gates.own.seen import Seen, judged, unknown

README, SETTINGS, HEALTH, ARCHITECTURE = "README.md", "docs/settings.md", "docs/health.md", "docs/architecture.md"
COMMANDS = ("migrations_app/management/commands", "dashboard/management/commands")
# Rooms are the folders directly in these; what lies deeper is named with its room where it is one.
HOUSES = ("migrations_app", "dashboard")
NO_ROOMS = frozenset({"__pycache__", "migrations", "templatetags"})
# Where variables of the environment are read by their name.
READERS = ("dashboard/settings.py", "dashboard/env.py", "deploy/gunicorn.conf.py", "migrations_app/watchdog")
_FAMILIES = "LOCKSTEP|WATCHDOG|GUNICORN|WORKER|RESILIENCE|CIRCUIT_BREAKER|DB_POOL|HEALTH|RUNTIME"
_VARIABLE = re.compile(rf"""["']((?:{_FAMILIES})_[A-Z0-9_]+)["']""")
_CALLED = re.compile(r"`manage\.py ([a-z_]+(?:`, `[a-z_]+(?=`))*)")
_ROOM = re.compile(r"^ +([a-z_]+)/", re.MULTILINE)


def readme(place: Installation) -> Seen:
    """Commands both ways, pages of docs, and each variable that something reads."""
    told, settings = _text(place, README), _text(place, SETTINGS) + _text(place, README)
    commands = {path.stem for folder in COMMANDS for path in (place.root / folder).glob("[a-z]*.py")}
    named = {word for found in _CALLED.findall(told) for word in found.split("`, `")}
    broken = [f"README.md names `manage.py {name}`, and there is no such command." for name in sorted(named - commands)]
    broken += _unnamed(_called(commands, told), "the command", README)
    broken += _unnamed((name for name in sorted(_variables(place)) if name not in settings), "the setting", SETTINGS)
    pages = sorted(path.name for path in (place.root / "docs").glob("*.md"))
    broken += _unnamed((f"docs/{name}" for name in pages if f"docs/{name}" not in told), "the page", README)
    counted = f"{len(commands)} commands, {len(pages)} pages and {len(_variables(place))} settings"
    return judged(broken, f"README.md and the page of settings name all {counted}.")


def operator_fields(place: Installation) -> Seen:
    """Each field that the health answers have, with thresholds, churn, recommendation and alerts."""
    if not (place.root / HEALTH).is_file():
        return unknown(f"{HEALTH} is not in {place.root}, so what it says is not known.")
    words = set(re.findall(r"[A-Za-z0-9_]+", _text(place, HEALTH)))
    wanted = dict.fromkeys(_fields())
    broken = _unnamed((name for name in wanted if name.rpartition(".")[2] not in words), "the field", HEALTH)
    return judged(
        broken, f"{HEALTH} explains all {len(wanted)} fields, among them thresholds, churn and recommendation."
    )


def architecture(place: Installation) -> Seen:
    """The drawing of the house has each room that is there, and none that is not."""
    drawn = set(_ROOM.findall(_text(place, ARCHITECTURE)))
    rooms = set(_rooms(place.root))
    broken = [f"{ARCHITECTURE} draws no room {name}." for name in sorted(rooms - drawn - _spoken(place))]
    there = {path.name for house in HOUSES for path in (place.root / house).rglob("*") if path.is_dir()}
    broken += [f"{ARCHITECTURE} draws a room {name} that is not there." for name in sorted(drawn - there - set(HOUSES))]
    return judged(broken, f"{ARCHITECTURE} names each of the {len(rooms)} rooms, and no other.")


def _text(place: Installation, name: str) -> str:
    return (place.root / name).read_text(encoding="utf-8")


def _unnamed(names: Iterable[str], what: str, document: str) -> list[str]:
    return [f"{document} does not name {what} {name}." for name in names]


def _called(commands: set[str], told: str) -> list[str]:
    return [f"manage.py {name}" for name in sorted(commands) if not re.search(rf"\b{name}\b", told)]


def _variables(place: Installation) -> set[str]:
    return {name for path in _sources(place.root) for name in _VARIABLE.findall(path.read_text(encoding="utf-8"))}


def _sources(root: Path) -> Iterator[Path]:
    for name in READERS:
        path = root / name
        yield from path.glob("*.py") if path.is_dir() else [path]


def _fields() -> Iterator[str]:
    for table in (fields.HEALTH, fields.POOL, fields.DERIVED_DATA, fields.DEEP):
        for place, names in table.items():
            yield from (f"{place}.{name}".lstrip(".") for name in names.split())


def _rooms(root: Path) -> Iterator[str]:
    for house in HOUSES:
        for path in (root / house).iterdir():
            if (path / "__init__.py").is_file() and path.name not in NO_ROOMS:
                yield path.name


def _spoken(place: Installation) -> set[str]:
    """Rooms of the edge that are named in a sentence rather than drawn."""
    return set(re.findall(r"`?(?:dashboard/)?([a-z_]+)/", _text(place, ARCHITECTURE)))
