"""What a script asks about a release's gates, and where it stands in the answer."""

from __future__ import annotations

from typing import Any

from migrations_app.models import Release
from tests.edge.caller import Caller, read

NOBODY = "0" * 64  # a hash of nothing


def at(release: Release, *rest: object) -> str:
    return "/".join(["/releases", str(release.pk), *map(str, rest)])


def told(caller: Caller, release: Release) -> dict[str, Any]:
    found: dict[str, Any] = read(caller.get(at(release)))
    return found


def gate_of(found: dict[str, Any], key: str) -> dict[str, Any]:
    return next(gate for gate in found["gates"] if gate["key"] == key)


def check_of(found: dict[str, Any], gate: str, key: str) -> dict[str, Any]:
    return next(check for check in gate_of(found, gate)["checks"] if check["key"] == key)


def evidence(**fields: object) -> dict[str, object]:
    return {"gate": "tests", "check": "unit", "status": "pass", "summary": "412 passed", **fields}
