"""The gates and their checks as data: read, checked and hashed.

A catalogue is a JSON object `{"gates": [gate, …]}`; what a gate and a check hold is told by the classes here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from migrations_app.engine.errors import Refused
from migrations_app.permissions import ROLES, VERBS
from migrations_app.statuses import CheckKind

SHIPPED = Path(__file__).with_name("default.json")
MOST_GATES, MOST_CHECKS, MOST_SIGNERS = 30, 50, 10
LONGEST_TITLE, LONGEST_TEXT, LONGEST_SETTINGS = 100, 1000, 10_000
DEEPEST = 10
MOST_HOURS = 24 * 365
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
_Settings = Mapping[str, object]


@dataclass(frozen=True)
class Check:
    """One thing that has to be shown. `on` false: it does not apply, for the reason in `off_reason`."""

    key: str
    title: str
    kind: str = CheckKind.POSTED
    on: bool = True
    off_reason: str = ""
    max_age_hours: int = 24
    blocks: bool = True  # false: it is told, and does not keep a release back
    blocks_from: str = ""  # a date from which one that does not block yet will
    waivable: bool = True
    producer: str = ""  # who is expected to report it
    command: str = ""  # what a person may run to have it reported
    settings: _Settings = field(default_factory=dict)  # what its kind wants to know


@dataclass(frozen=True)
class Gate:
    """`signatures` people have to sign; among them one of each role in `roles`, who may come in any order."""

    key: str
    title: str
    checks: tuple[Check, ...]
    sentence: str = ""
    on: bool = True
    off_reason: str = ""
    owner: str = ""
    signatures: int = 1
    roles: tuple[str, ...] = ()
    signature_hours: int = 168

    def check(self, key: str) -> Check | None:
        return next((check for check in self.checks if check.key == key), None)


@dataclass(frozen=True)
class Catalogue:
    gates: tuple[Gate, ...]

    def gate(self, key: str) -> Gate | None:
        return next((gate for gate in self.gates if gate.key == key), None)


class BadCatalogue(Refused):
    """The text is no catalogue; the message names the place."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(
            "bad_catalogue",
            f"{where or 'The catalogue'} {what}",
            not_done="The catalogue was not changed.",
            next_step="Correct it and save it again.",
        )


def shipped() -> Mapping[str, object]:
    """The catalogue that comes with this version."""
    content: Mapping[str, object] = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return content


def read_catalogue(content: object) -> Catalogue:
    """Raises BadCatalogue, which names the first place that is wrong."""
    gates = _members(content, "gates", "", MOST_GATES)
    _refuse_other_keys(content, {"gates"}, "The catalogue")
    read = tuple(_gate(gate, number) for number, gate in enumerate(gates, start=1))
    _refuse_twins((gate.key for gate in read), "The catalogue", "gate")
    return Catalogue(read)


def canonical(content: object) -> str:
    """Sorted keys, no spaces: the same content is always the same text, also when the database had it meanwhile."""
    return json.dumps(as_kept(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def as_kept(content: object) -> object:
    """As the database gives it back: a large number without its exponent is a whole one, and no zero is negative."""
    if isinstance(content, Mapping):
        return {key: as_kept(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [as_kept(value) for value in content]
    if isinstance(content, float) and isfinite(content):
        return int(Decimal(repr(content))) if "e+" in repr(content) else content or 0.0
    return content


def sha256_of(content: object) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def gate_sha256(gate: Gate) -> str:
    """Of what a gate demands, as signed."""
    told = {one.name: getattr(gate, one.name) for one in fields(gate)}
    told["checks"] = [{one.name: getattr(check, one.name) for one in fields(check)} for check in gate.checks]
    return sha256_of(told)


def _gate(given: object, number: int) -> Gate:
    where = f"Gate {number}"
    values = _values(given, Gate, where)
    key = _key(values, where)
    where = f"Gate {key}"
    checks = tuple(
        _check(check, f"{where}, check {place}")
        for place, check in enumerate(_members(given, "checks", where, MOST_CHECKS), start=1)
    )
    _refuse_twins((check.key for check in checks), where, "check")
    gate = Gate(
        key=key,
        title=_text(values, "title", where, LONGEST_TITLE, needed=True),
        checks=checks,
        sentence=_text(values, "sentence", where),
        on=_yes(values, "on", where, default=True),
        off_reason=_text(values, "off_reason", where),
        owner=_text(values, "owner", where, LONGEST_TITLE),
        signatures=_whole(values, "signatures", where, 1, 0, MOST_SIGNERS),
        roles=_roles(values, where),
        signature_hours=_whole(values, "signature_hours", where, 168, 1, MOST_HOURS),
    )
    _refuse_silent_off(gate.on, gate.off_reason, where)
    if gate.signatures < len(gate.roles):
        raise BadCatalogue(where, f"wants {gate.signatures} signatures, fewer than it has roles.")
    return gate


def _check(given: object, where: str) -> Check:
    values = _values(given, Check, where)
    key = _key(values, where)
    where = f"{where} ({key})"
    kind = _text(values, "kind", where) or CheckKind.POSTED
    if kind not in CheckKind.values or values.get("kind", kind) not in (kind, ""):
        raise BadCatalogue(where, f"has the kind {values['kind']!r}; there are {', '.join(CheckKind.values)}.")
    settings = values.get("settings", {})
    if not isinstance(settings, Mapping):
        raise BadCatalogue(where, "has settings that are no object.")
    _refuse_unkept(settings, where)
    check = Check(
        key=key,
        title=_text(values, "title", where, LONGEST_TITLE, needed=True),
        kind=kind,
        on=_yes(values, "on", where, default=True),
        off_reason=_text(values, "off_reason", where),
        max_age_hours=_whole(values, "max_age_hours", where, 24, 1, MOST_HOURS),
        blocks=_yes(values, "blocks", where, default=True),
        blocks_from=_date(values, "blocks_from", where),
        waivable=_yes(values, "waivable", where, default=True),
        producer=_text(values, "producer", where, 200),
        command=_text(values, "command", where),
        settings=dict(settings),
    )
    _refuse_silent_off(check.on, check.off_reason, where)
    return check


def _values(given: object, kind: type[Gate | Check], where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadCatalogue(where, "is no object.")
    _refuse_other_keys(given, {one.name for one in fields(kind)}, where)
    return given


def _refuse_other_keys(given: object, known: set[str], where: str) -> None:
    other = sorted(str(key) for key in given if key not in known) if isinstance(given, Mapping) else []
    if other:
        raise BadCatalogue(
            where, f"has {other[0][:60]!r}, which means nothing here (known: {', '.join(sorted(known))})."
        )


def _members(given: object, name: str, where: str, most: int) -> Sequence[object]:
    found = given.get(name) if isinstance(given, Mapping) else None
    if not isinstance(found, list) or not found:
        raise BadCatalogue(where, f"has no list of {name}.")
    if len(found) > most:
        raise BadCatalogue(where, f"has {len(found)} {name}, the limit is {most}.")
    return found


def _key(values: Mapping[str, object], where: str) -> str:
    key = values.get("key")
    if not isinstance(key, str) or not _KEY.match(key):
        raise BadCatalogue(where, "needs a key of at most 63 small letters, digits and hyphens.")
    return key


def _refuse_twins(keys: Iterable[str], where: str, what: str) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise BadCatalogue(where, f"has two {what}s with the key {key}.")
        seen.add(key)


def _text(
    values: Mapping[str, object], name: str, where: str, longest: int = LONGEST_TEXT, *, needed: bool = False
) -> str:
    text = values.get(name, "")
    if not isinstance(text, str) or len(text) > longest or not text.replace("\n", "").isprintable():
        raise BadCatalogue(where, f"has a {name} that is no text of at most {longest} printable characters.")
    if needed and not text.strip():
        raise BadCatalogue(where, f"has no {name}.")
    return text.strip()


def _yes(values: Mapping[str, object], name: str, where: str, *, default: bool) -> bool:
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise BadCatalogue(where, f"has {name} as {value!r}; it is true or false.")
    return value


def _whole(values: Mapping[str, object], name: str, where: str, default: int, least: int, most: int) -> int:
    value = values.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadCatalogue(where, f"has {name} as {value!r}; it is a whole number from {least} to {most}.")
    return value


def _date(values: Mapping[str, object], name: str, where: str) -> str:
    text = _text(values, name, where, 10)
    if text:
        try:
            # In this one form, which everybody who reads it later takes: neither 2027-1-1 nor the number of a week.
            if datetime.strptime(text, "%Y-%m-%d").date().isoformat() != text:
                raise ValueError(text)
        except ValueError:
            raise BadCatalogue(where, f"has {name} as {text!r}; it is a date such as 2027-01-31.") from None
    return text


def _roles(values: Mapping[str, object], where: str) -> tuple[str, ...]:
    roles = values.get("roles", [])
    if not isinstance(roles, list | tuple) or any(role not in ROLES for role in roles):
        raise BadCatalogue(where, f"has roles that are no list of {', '.join(ROLES)}.")
    idle = [role for role in roles if role not in VERBS["sign_gate"]]
    if idle:
        raise BadCatalogue(where, f"wants a signature of the role {idle[0]}, which signs nothing.")
    return tuple(roles)


def _refuse_unkept(settings: Mapping[str, object], where: str) -> None:
    """What cannot be written down again: infinities, and more than anybody reads."""
    if _deep(settings):
        raise BadCatalogue(where, f"has settings that nest more than {DEEPEST} levels.")
    try:
        size = len(canonical(settings))
    except ValueError:
        raise BadCatalogue(where, "has a number in its settings that is none in JSON.") from None
    if size > LONGEST_SETTINGS:
        raise BadCatalogue(where, f"has settings of {size:,} characters, the limit is {LONGEST_SETTINGS:,}.")


def _deep(value: object, left: int = DEEPEST) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return not left or any(_deep(one, left - 1) for one in inner)


def _refuse_silent_off(on: bool, reason: str, where: str) -> None:
    if not on and not reason:
        raise BadCatalogue(where, "is off without an off_reason: say why it does not apply.")
