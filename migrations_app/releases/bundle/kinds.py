"""Which audit entries tell of which rows about gates, and how the two are compared; on the standard library alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Content = Mapping[str, object]
# A bundle is what somebody sent: any shape, looked at with care.
Json = Mapping[str, Any]


class Broken(Exception):
    """The first thing in a bundle that is not as it should be."""


@dataclass(frozen=True)
class Kind:
    """One table. `number` is what an entry calls the row's number."""

    list: str  # where a bundle keeps the rows
    number: str
    actions: frozenset[str]
    # What a bundle tells of a row beside what the entry does; hashes in the entry stand for the larger ones.
    beside: frozenset[str] = frozenset({"by_name"})

    def called(self, number: object) -> str:
        return f"{self.number[0].upper()}{self.number[1:]} {number}"


def _kind(list: str, number: str, actions: str, beside: str = "") -> Kind:
    return Kind(list, number, frozenset(actions.split()), frozenset({"by_name", *beside.split()}))


KINDS = (
    _kind("evidence", "evidence", "evidence.record", "detail artefact_size"),
    _kind("signatures", "signature", "gate.sign", "parts"),
    _kind("withdrawals", "withdrawal", "gate.withdraw"),
    _kind("waivers", "waiver", "waiver.ask"),
    _kind("decisions", "decision", "waiver.approve waiver.decline waiver.withdraw waiver.revoke"),
    _kind("glass", "glass", "glass.ask"),
    _kind("answers", "answer", "glass.break glass.decline"),
    _kind("cutovers", "cutover", "cutover.start", "status sentence reason ended_at steps"),
)
OF_ACTION = {action: kind for kind in KINDS for action in kind.actions}


def difference(kind: Kind, told: Content, seq: int, after: Content) -> str:
    """The first value in which a row is not what its entry tells, which may tell more; empty where they are equal."""
    for key in sorted(told):
        if key not in after or told[key] != after[key]:
            entry = _shown(after[key]) if key in after else "nothing"
            return (
                f"{kind.called(told.get(kind.number))} is not what was recorded: "
                f"its {key} is {_shown(told[key])}, and entry number {seq} of the audit log has {entry}."
            )
    return ""


def no_entry(kind: Kind, number: object) -> str:
    return f"{kind.called(number)} has no entry in the audit log: somebody put it there by hand."


def no_row(kind: Kind, number: object, seq: int) -> str:
    return f"{kind.called(number)} is gone: entry number {seq} of the audit log tells of it."


def told_twice(kind: Kind, number: object, seq: int) -> str:
    return f"{kind.called(number)} is told of a second time by entry number {seq} of the audit log."


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"
