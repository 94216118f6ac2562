"""What is written down is what runs: each command, setting, field, alert and room is named in its document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from migrations_app.releases.gates.own import fields
from migrations_app.releases.gates.own.installation import Installation, text_of
from migrations_app.releases.gates.own.seen import Seen, bad, judged

README, SETTINGS, FIELDS = "README.md", "docs/settings.md", "docs/health-fields.md"
ARCHITECTURE = "docs/architecture.md"
COMMANDS = ("migrations_app/management/commands", "dashboard/management/commands")
HOUSES = ("migrations_app", "dashboard")
NO_ROOMS = frozenset({"__pycache__", "migrations", "templatetags"})
# Where variables of the environment are read by their name.
READERS = ("dashboard/settings.py", "dashboard/env.py", "deploy/gunicorn.conf.py", "migrations_app/watchdog")
_FAMILIES = "LOCKSTEP|WATCHDOG|GUNICORN|WORKER|RESILIENCE|CIRCUIT_BREAKER|DB_POOL|HEALTH|RUNTIME"
_VARIABLE = re.compile(rf"""["']((?:{_FAMILIES})_[A-Z0-9_]+)["']""")
_CALLED = re.compile(r"`manage\.py ([a-z_]+(?:`, `[a-z_]+(?=`))*)")
_SECTION = re.compile(r"^## (.*)\n((?:(?!^## ).*\n?)*)", re.MULTILINE)
_QUOTED = re.compile(r"`([^`\n]+)`")
_TABLES = (fields.HEALTH, fields.POOL, fields.DERIVED_DATA, fields.DEEP)
_TOP = "/health"  # the heading of what belongs to no part
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
    """Each field of the health answers, under the heading of the part it belongs to."""
    if not (place.root / FIELDS).is_file():
        return bad(f"{FIELDS} is not there, so operators find no field explained.")
    told = _explained(_text(place, FIELDS))
    wanted = {(part, name): None for table in _TABLES for part, names in table.items() for name in names.split()}
    broken = [
        f"{FIELDS} does not explain {f'{part}.{name}'.lstrip('.')}."
        for part, name in wanted
        if name not in told.get(part or _TOP, ())
    ]
    return judged(
        broken, f"{FIELDS} explains all {len(wanted)} fields, with thresholds, churn, recommendation and alerts."
    )


def architecture(place: Installation) -> Seen:
    """The drawing has each room of the house and none besides; the edge's rooms are named somewhere."""
    text = _text(place, ARCHITECTURE)
    drawn = set(_ROOM.findall(text))
    rooms, edge = _rooms(place.root / "migrations_app"), _rooms(place.root / "dashboard")
    broken = [f"{ARCHITECTURE} draws no room {name}." for name in rooms if name not in drawn]
    broken += [f"{ARCHITECTURE} does not name the room {name}." for name in edge if not re.search(rf"\b{name}/", text)]
    there = {path.name for house in HOUSES for path in (place.root / house).rglob("*") if path.is_dir()}
    broken += [f"{ARCHITECTURE} draws a room {name} that is not there." for name in sorted(drawn - there - set(HOUSES))]
    return judged(broken, f"{ARCHITECTURE} names each of the {len(rooms) + len(edge)} rooms, and no other.")


def _text(place: Installation, name: str) -> str:
    return text_of(place.root / name)


def _unnamed(names: Iterable[str], what: str, document: str) -> list[str]:
    return [f"{document} does not name {what} {name}." for name in names]


def _called(commands: set[str], told: str) -> list[str]:
    return [f"manage.py {name}" for name in sorted(commands) if not re.search(rf"\b{name}\b", told)]


def _variables(place: Installation) -> set[str]:
    return {name for path in _sources(place.root) for name in _VARIABLE.findall(text_of(path))}


def _sources(root: Path) -> Iterator[Path]:
    for name in READERS:
        path = root / name
        yield from path.glob("*.py") if path.is_dir() else [path]


def _explained(text: str) -> dict[str, set[str]]:
    """What stands in backquotes below each heading, by each part that the heading names."""
    found: dict[str, set[str]] = {}
    for heading, body in _SECTION.findall(text):
        for part in _QUOTED.findall(heading):
            found.setdefault(part, set()).update(_QUOTED.findall(body))
    return found


def _rooms(house: Path) -> list[str]:
    found = (path.name for path in house.iterdir() if (path / "__init__.py").is_file())
    return sorted(name for name in found if name not in NO_ROOMS)
