"""What the gate was asked, from the address: every parameter known, none twice, each what it can be."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from ninja.errors import ValidationError

from migrations_app.engine.errors import Refused
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.nodes import check_asked

PROBES = {"": None, "ok": True, "fail": False}
NEEDED = ("service", "environment")
VERSIONS = ("release_id", "schema_rev", "index_hash", "secrets_rev", "node")
KNOWN = frozenset((*NEEDED, *VERSIONS, "probes", "boot"))
LONGEST = 63


@dataclass(frozen=True)
class Question:
    service: str
    environment: str
    asked: Asked


def read_question(request: HttpRequest) -> Question:
    """Raises ValidationError, which names the parameter."""
    given = request.GET
    for name in given:
        if name not in KNOWN:
            raise _wrong(name, "extra_forbidden")
        if len(given.getlist(name)) > 1:
            raise _wrong(name, "twice", "it stands there twice")
    for name in NEEDED:
        if not 0 < len(given.get(name, "")) <= LONGEST:
            raise _wrong(name, "missing") if not given.get(name) else _wrong(name, "length", "it is too long")
    if given.get("probes", "") not in PROBES:
        raise _wrong("probes", "choice", "use ok or fail")
    if not (given.get("release_id") or given.get("schema_rev")):
        raise _wrong("schema_rev", "missing")
    versions = {name: given.get(name, "") for name in VERSIONS}
    asked = Asked(**versions, probes_ok=PROBES[given.get("probes", "")])
    try:
        check_asked(asked)
    except Refused as refusal:
        raise _wrong(refusal.message.split()[0], "value", refusal.next_step.rstrip(".")) from None
    return Question(given["service"], given["environment"], asked)


def _wrong(name: str, kind: str, message: str = "") -> ValidationError:
    return ValidationError([{"loc": ("query", name), "type": kind, "msg": message}])
