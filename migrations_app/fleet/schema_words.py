"""How a schema stands, as tables of sentences, and what differs in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from migrations_app.engine.target.compare import Difference
from migrations_app.engine.target.fingerprint import BESIDE_THE_SHAPE
from migrations_app.models import SchemaDrift, SchemaState
from migrations_app.models.schema import DriftState, Known, Way

# The scheduler reads each ten minutes; what was read longer ago than this is not taken for known.
STALE_AFTER = timedelta(hours=1)
TOLD = 3  # so many differences are told in a summary, the rest are counted
# Whose definitions are words rather than SQL, which is not for every reader.
_PLAIN = frozenset(
    {"column", "column order", "comment", "enum", "extension", "owner", "privileges", "sequence", "table"}
)


class Standing(StrEnum):
    CLEAN = "clean"
    BASELINE = "baseline"
    DRIFTED = "drifted"
    IGNORED = "ignored"
    HALF_DONE = "half_done"
    STALE = "stale"
    UNREADABLE = "unreadable"
    NEVER = "never"


SENTENCES: dict[Standing, str] = {
    Standing.CLEAN: "The schema is as its receipts left it.",
    Standing.BASELINE: "The schema is as it was first read at this revision; no receipt proves that it was right then.",
    Standing.DRIFTED: "The schema is not as its receipts left it.",
    Standing.IGNORED: "The schema is not as its receipts left it, and a person has said to ignore that for now.",
    Standing.HALF_DONE: "A revision is applied in part; its schema is judged once it is finished.",
    Standing.STALE: "How the schema stands is unknown: it was read too long ago.",
    Standing.UNREADABLE: "How the schema stands is unknown: it could not be read.",
    Standing.NEVER: "How the schema stands is unknown: nobody has read it yet.",
}
UNKNOWN = frozenset({Standing.STALE, Standing.UNREADABLE, Standing.NEVER})

DRIFT_SENTENCES: dict[DriftState, str] = {
    DriftState.OPEN: "Nobody has decided about it.",
    DriftState.IGNORED: "It is left as it is until a date, as long as nothing else changes.",
    DriftState.ADOPTING: "A revision was uploaded that adopts it; it is over once that revision is applied here.",
    DriftState.REVERTING: "A revision was uploaded that takes it back; it is over once that revision is applied here.",
    DriftState.ADOPTED: "A revision that is applied here tells of it, so other environments get it too.",
    DriftState.REVERTED: "A revision that is applied here took it back.",
    DriftState.ACCEPTED: "A person accepted it: it is part of what is expected since.",
    DriftState.CARRIED: "What is expected was measured anew with it, by a later receipt or under other rules.",
    DriftState.GONE: "The target became as its receipts left it again.",
}

WAYS: dict[str, str] = {Way.ADOPT: "adopts it", Way.REVERT: "takes it back"}

EXPECTED: dict[Known, str] = {
    Known.NOTHING: "Nothing says how the schema has to look.",
    Known.RECEIPT: "The newest receipt says how the schema has to look.",
    Known.READING: "The first reading at this revision says how the schema has to look; no receipt proves it.",
    Known.ACCEPTED: "What a person accepted says how the schema has to look.",
}


@dataclass(frozen=True)
class Word:
    """`standing` decides the sign; `sentence` is the table's, `more` what this environment adds."""

    standing: Standing
    more: str = ""

    @property
    def sentence(self) -> str:
        return SENTENCES[self.standing]

    @property
    def unknown(self) -> bool:
        return self.standing in UNKNOWN


def stands(state: SchemaState | None, drift: SchemaDrift | None, now: datetime) -> Word:
    """The first thing that is true in this order: a drift that was seen stays one while its target is away."""
    if drift is not None:
        standing = Standing.IGNORED if ignored(drift, now) else Standing.DRIFTED
        return Word(standing, f"{drift.summary} {plan_sentence(drift)}".rstrip())
    if state is None or state.read_at is None:
        return Word(Standing.UNREADABLE, state.failure) if state and state.failure else Word(Standing.NEVER)
    if state.failure:
        return Word(Standing.UNREADABLE, state.failure)
    if state.read_at < now - STALE_AFTER:
        return Word(Standing.STALE)
    if state.half_done:
        return Word(Standing.HALF_DONE, f"Some steps of {state.half_done} are done, and it has no receipt.")
    return Word(Standing.BASELINE if state.expected_by == Known.READING else Standing.CLEAN)


def plan_sentence(drift: SchemaDrift) -> str:
    """Which revision ends it; empty where none was uploaded for it."""
    return f"{drift.revision_id} {WAYS[drift.way]} once it is applied here." if drift.way else ""


def ignored(drift: SchemaDrift, now: datetime) -> bool:
    return drift.state == DriftState.IGNORED and drift.ignore_until is not None and drift.ignore_until > now


def sentence(one: Difference) -> str:
    """One difference in plain words."""
    what = f"{one.kind.capitalize()} {one.name}"
    if one.sign == "+":
        return f"{what} is there and should not be."
    if one.sign == "-":
        return f"{what} is gone."
    return one.sentence if one.kind in _PLAIN else f"{what} is other than it should be."


def telling(found: Iterable[Difference]) -> tuple[Difference, ...]:
    """Without the owner, rights and remarks of what is new or gone itself."""
    differing = tuple(found)
    signs = {f"{one.kind} {one.name}": one.sign for one in differing if one.sign != "~"}
    return tuple(one for one in differing if one.kind not in BESIDE_THE_SHAPE or signs.get(one.name) != one.sign)


def summary(found: Sequence[Difference]) -> str:
    """`2 objects differ: …`, at most 500 characters."""
    if not found:
        return ""
    names = ", ".join(f"{one.kind} {one.name}" for one in found[:TOLD])
    more = f" and {len(found) - TOLD} more" if len(found) > TOLD else ""
    count = f"{len(found):,} objects differ" if len(found) > 1 else "One object differs"
    return f"{count}: {names}{more}"[:499] + "."
