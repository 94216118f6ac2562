"""The unit files of the processes: what each of them says about itself, and where they do not agree. Files alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from migrations_app.releases.gates.own.installation import text_of

FOLDER = Path("deploy") / "systemd"
UNITS = ("lockstep.service", "lockstep-worker@.service", "lockstep-scheduler.service", "lockstep-watchdog.service")
# What makes a runtime: whoever differs in one of these reads other files than the others, or as somebody else.
ALIKE = ("User", "Group", "WorkingDirectory", "RuntimeDirectory", "StateDirectory")
COMMON = "EnvironmentFile"

Unit = Mapping[str, tuple[str, ...]]


def read(folder: Path) -> dict[str, Unit]:
    """By name, those that are there."""
    return {name: _service(folder / name) for name in UNITS if (folder / name).is_file()}


def disagreements(found: Mapping[str, Unit]) -> Iterator[str]:
    """Sentences about units that do not run under the contract of the first."""
    for name in UNITS:
        if name not in found:
            yield f"The unit file {FOLDER / name} is missing."
    if UNITS[0] not in found:
        return
    web = found[UNITS[0]]
    for name, unit in found.items():
        if name == UNITS[0]:
            continue
        for what in ALIKE:
            yield from _unlike(name, what, _value(unit, what), _value(web, what))
        yield from _unlike(name, "the common EnvironmentFile", _common(unit), _common(web))
        yield from _unlike(name, "the interpreter", _interpreter(unit), _interpreter(web))
    for name, unit in found.items():
        yield from (f"{name} sets {own} for itself; it belongs into the common file." for own in _own(unit))


def common_file(found: Mapping[str, Unit]) -> str:
    return _common(found[UNITS[0]])


def _unlike(name: str, what: str, value: str, of_web: str) -> Iterator[str]:
    if value != of_web:
        yield f"{name} has {what} as {value or 'nothing'}, and {UNITS[0]} has {of_web or 'nothing'}."


def _service(path: Path) -> Unit:
    """What stands under [Service]; a key may come several times, and a backslash goes on in the next line."""
    told: dict[str, tuple[str, ...]] = {}
    section = ""
    for line in text_of(path).replace("\\\n", " ").splitlines():
        text = line.strip()
        if text.startswith("["):
            section = text
        elif section == "[Service]" and "=" in text and not text.startswith(("#", ";")):
            key, _, value = text.partition("=")
            told[key.strip()] = (*told.get(key.strip(), ()), value.strip())
    return told


def _value(unit: Unit, key: str) -> str:
    return " ".join(unit.get(key, ()))


def _common(unit: Unit) -> str:
    """The file that has to be there; those with a hyphen may be absent and hold what one unit alone may know."""
    return " ".join(one for one in unit.get(COMMON, ()) if not one.startswith("-"))


def _interpreter(unit: Unit) -> str:
    return (unit.get("ExecStart", ("",))[0].split() or [""])[0].lstrip("@-:+!")


def _own(unit: Unit) -> list[str]:
    """Parts of the contract that a unit would have to itself."""
    pairs = (pair for line in unit.get("Environment", ()) for pair in line.split())
    names = (pair.strip("\"'").partition("=")[0] for pair in pairs)
    return [
        name for name in names if name.startswith("WATCHDOG_") or name in ("GUNICORN_BIND", "RUNTIME_CONTRACT_ENFORCE")
    ]
