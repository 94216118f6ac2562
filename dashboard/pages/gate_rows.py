"""A release's gates as rows: what a reader sees of each, and a key that is another one when any of it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dashboard.access import User
from dashboard.templatetags import text
from migrations_app.permissions import may, needed_for
from migrations_app.releases.gates.evidence import BY_HAND
from migrations_app.releases.gates.exemptions import ASKED, Told
from migrations_app.releases.gates.judging import CheckVerdict, GateVerdict
from migrations_app.releases.gates.kinds import COLLECTED
from migrations_app.releases.gates.known import Key
from migrations_app.releases.gates.reading import Judged
from migrations_app.statuses import GREEN, CheckKind, CheckState

# Names in templatetags.states.
CHECK_STATES: Mapping[str, str] = {
    CheckState.PASS: "passing",
    CheckState.FAIL: "check_fails",
    CheckState.MISSING: "missing",
    CheckState.STALE: "check_stale",
    CheckState.NOT_APPLICABLE: "not_applicable",
    CheckState.WAIVED: "check_waived",
}
_BLOCKING = (
    (CheckState.FAIL, "fails", "fail"),
    (CheckState.STALE, "is stale", "are stale"),
    (CheckState.MISSING, "is missing", "are missing"),
)
_BOUND = {
    "release": "the release with its values",
    "revisions": "the SQL of its revisions",
    "targets": "its targets",
    "gate": "what the gate demands",
}


@dataclass(frozen=True)
class CheckRow:
    gate: str
    found: CheckVerdict
    state: str
    used: int | None  # of its age, in hundredths of the limit; None where nothing was reported
    exemptions: tuple[Told, ...]
    fault: str  # why the newest look led to no evidence

    @property
    def name(self) -> str:
        return f"{self.gate}/{self.found.check.key}"

    @property
    def anchor(self) -> str:
        return f"check-{self.gate}-{self.found.check.key}"

    @property
    def kind(self) -> str:
        return str(CheckKind(self.found.check.kind).label)

    @property
    def by_hand(self) -> bool:
        return self.found.state != CheckState.NOT_APPLICABLE and self.found.check.kind in BY_HAND

    @property
    def by_worker(self) -> bool:
        return self.found.state != CheckState.NOT_APPLICABLE and self.found.check.kind in COLLECTED

    @property
    def may_be_exempted(self) -> bool:
        waits = any(one.state == ASKED for one in self.exemptions)
        return self.found.state not in GREEN and self.found.check.waivable and not waits

    @property
    def limit(self) -> str:
        return text.duration(self.found.check.max_age_hours * 3_600_000)

    @property
    def advisory(self) -> bool:
        """It is told, and keeps no release back."""
        return self.found.state not in GREEN and not self.found.blocks


@dataclass(frozen=True)
class GateRow:
    """`why_not` says why this reader cannot sign it; empty where they can."""

    found: GateVerdict
    state: str
    checks: tuple[CheckRow, ...]
    why_not: str

    @property
    def key(self) -> str:
        return self.found.gate.key

    @property
    def number(self) -> int:
        return self.found.number

    @property
    def title(self) -> str:
        return self.found.gate.title

    @property
    def drawn(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    @property
    def blocking(self) -> tuple[CheckRow, ...]:
        return tuple(row for row in self.checks if row.found.blocks)

    @property
    def oldest(self) -> CheckRow | None:
        """The check whose evidence is nearest to its limit, or furthest beyond."""
        aged = [row for row in self.checks if row.used is not None]
        return max(aged, key=lambda row: row.used or 0, default=None)

    @property
    def alone(self) -> bool:
        """Nothing of it was reported by anybody: Lockstep looked at all of it just now."""
        return all(row.found.check.kind == CheckKind.FACT for row in self.checks)

    @property
    def signers(self) -> str:
        return ", ".join(one.by for one in self.found.signed)

    @property
    def wants_signature(self) -> bool:
        return self.found.green and bool(self.found.wants)

    @property
    def green_count(self) -> int:
        return sum(row.found.state in GREEN for row in self.checks)

    @property
    def why(self) -> str:
        """What blocks it, in a clause or two that lead to the row."""
        blocking = self.blocking
        if len(blocking) == 1:
            return f"{blocking[0].found.check.title}: {blocking[0].found.sentence}"
        if blocking:
            return f"{_sentence(_counted(blocking))}."
        return " ".join(self.found.wants)

    @property
    def bound(self) -> list[tuple[str, str]]:
        """What a signature binds: in words, and what stands for it."""
        titles = {f"check:{row.found.check.key}": f"evidence of “{row.found.check.title}”" for row in self.checks}
        return [(_BOUND.get(name) or titles.get(name, name), value) for name, value in self.found.parts.items()]


def rows_of(
    judged: Judged, exemptions: Mapping[Key, tuple[Told, ...]], faults: Mapping[Key, str], reader: User
) -> tuple[GateRow, ...]:
    return tuple(_row(gate, judged, exemptions, faults, reader) for gate in judged.verdict.gates)


def _row(
    gate: GateVerdict,
    judged: Judged,
    exemptions: Mapping[Key, tuple[Told, ...]],
    faults: Mapping[Key, str],
    reader: User,
) -> GateRow:
    now = judged.known.now
    checks = tuple(
        CheckRow(
            gate=gate.gate.key,
            found=found,
            state=CHECK_STATES[found.state],
            used=_used(found, now),
            exemptions=exemptions.get((gate.gate.key, found.check.key), ()),
            fault=faults.get((gate.gate.key, found.check.key), ""),
        )
        for found in gate.checks
    )
    return GateRow(gate, _state(gate), checks, _why_not(gate, judged, reader))


def _state(gate: GateVerdict) -> str:
    if not gate.gate.on:
        return "not_applicable"
    if not gate.green:
        return "gate_blocks"
    return "gate_unsigned" if gate.wants else "gate_passes"


def _used(found: CheckVerdict, now: datetime) -> int | None:
    if found.report is None or found.state == CheckState.NOT_APPLICABLE:
        return None
    limit = timedelta(hours=found.check.max_age_hours)
    return max(0, int((now - found.report.at) / limit * 100))


def _why_not(gate: GateVerdict, judged: Judged, reader: User) -> str:
    if not may(reader, "sign_gate"):
        return needed_for("sign_gate")
    if why := judged.known.barred.get(reader.pk):
        return f"You {why}."
    if not gate.gate.on:
        return "The gate does not apply."
    if not gate.gate.signatures:
        return "It needs no signature."
    if not gate.green:
        return "Its evidence is not all there, so there is nothing to sign yet."
    if any(one.by_id == reader.pk for one in gate.signed):
        return "You have signed it as it stands."
    return ""


def _counted(blocking: tuple[CheckRow, ...]) -> str:
    """`two checks are missing, one is stale`."""
    told: list[str] = []
    for state, one, many in _BLOCKING:
        count = sum(row.found.state == state for row in blocking)
        if count:
            noun = text.counted(count, "check") if not told else text.number(count)
            told.append(f"{noun} {one if count == 1 else many}")
    return ", ".join(told)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
