"""The unit files of the processes: what each of them says about itself, and where they do not agree. Files alone."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from migrations_app.releases.gates.own.installation import text_of

FOLDER = Path("deploy") / "systemd"
UNITS = ("lockstep.service", "lockstep-worker@.service", "lockstep-scheduler.service", "lockstep-watchdog.service")
# What makes a runtime: whoever differs in one of these reads other files than the others, or as somebody else.
ALIKE = ("User", "Group", "WorkingDirectory", "RuntimeDirectory", "StateDirectory")
COMMON = "EnvironmentFile"
# What the units as shipped have to themselves on purpose: variables, and files that may be absent.
OWN_NAMES = {"lockstep.service": ("LOCKSTEP_WEB_POOL",)}
OWN_FILES = {
    "lockstep.service": ("-/etc/lockstep/web.env",),
    "lockstep-worker@.service": ("-/etc/lockstep/targets.env",),
    "lockstep-scheduler.service": ("-/etc/lockstep/targets.env",),
}
# Keys by which a unit would see other variables than its neighbours.
SETTERS = {"Environment": "sets", "PassEnvironment": "takes over", "UnsetEnvironment": "takes away"}

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
        yield from _own(name, unit, _common(web) or "the common file")


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
            before = told.get(key.strip(), ()) if value.strip() else ()  # nothing: what stood above is void
            told[key.strip()] = (*before, *([value.strip()] if value.strip() else []))
    return told


def _value(unit: Unit, key: str) -> str:
    return " ".join(unit.get(key, ()))


def _common(unit: Unit) -> str:
    """The file that has to be there; those with a hyphen may be absent and hold what one unit alone may know."""
    return " ".join(one for one in unit.get(COMMON, ()) if not one.startswith("-"))


def _interpreter(unit: Unit) -> str:
    return ((unit.get("ExecStart") or ("",))[0].split() or [""])[0].lstrip("@-:+!")


def _own(name: str, unit: Unit, common: str) -> Iterator[str]:
    """What a unit has to itself beyond what it is shipped with. Names alone: a value may be a secret."""
    for file in unit.get(COMMON, ()):
        if file.startswith("-") and file not in OWN_FILES.get(name, ()):
            yield f"{name} also reads {file[1:]}; take EnvironmentFile={file} out and set in {common} what it holds."
    for key, does in SETTERS.items():
        for own in _names(key, unit.get(key, ())):
            if own not in OWN_NAMES.get(name, ()):
                yield f"{name} {does} {own} for itself; take it out of {key}= and set it in {common}."


def _names(key: str, lines: Iterable[str]) -> Iterator[str]:
    """As systemd reads them; a word of Environment= that gives nothing is passed over, there as here."""
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError:  # quotes that nobody closed: what follows the first name may be a value
            words = [line.lstrip("\"'")]
        yield from (word.partition("=")[0] for word in words if "=" in word or key != "Environment")
