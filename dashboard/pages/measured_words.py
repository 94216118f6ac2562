"""What was measured of a statement on a clone, in words: beside a plan's statement, and in the table of a rehearsal."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.templatetags import text
from migrations_app.engine.clone.forecast import Forecast
from migrations_app.rehearsals.measured import Changed, Gone, Measured

MOST = 3  # names in a sentence
TELLING_MS = 100.0  # a lock that is held for less is not worth a sentence


def in_a_line(one: Measured) -> str:
    """`measured on a clone: 180 ms, ACCESS EXCLUSIVE on public.orders, rewrites it`"""
    locked = {relation for relation, _ in one.locks}
    said = [text.duration(one.duration_ms)]
    said += [f"{mode} on {relation}" for relation, mode in one.locks[:MOST]]
    if len(one.locks) > MOST:
        said.append(f"{len(one.locks) - MOST} more locks")
    said += [f"rewrites {_it(relation, locked)}" for relation in one.rewritten[:MOST]]
    said += [f"scans {_it(relation, locked)}" for relation, _ in one.scanned[:MOST] if relation not in one.rewritten]
    said += [dropped(gone) for gone in one.dropped[:MOST] if gone.cascade]
    return f"measured on a clone: {', '.join(said)}"


def forecast_in_a_line(found: Sequence[Forecast]) -> str:
    """`Forecast for the target: 4.2 s. ACCESS EXCLUSIVE on public.orders for about 4.2 s …`"""
    if not found:
        return ""
    held = [one.sentence for one in found if one.over_budget or one.hold_ms >= TELLING_MS][:MOST]
    return " ".join([f"Forecast for the target: {text.duration(found[0].work_ms)}.", *held])


def dropped(gone: Gone) -> str:
    return f"drops {gone.kind} {gone.name}{' by cascade' if gone.cascade else ''}"


def changed(one: Changed) -> str:
    """`orders: 20,000 updated, 3 deleted`"""
    counts = ((one.inserted, "inserted"), (one.updated, "updated"), (one.deleted, "deleted"))
    return f"{one.relation}: {', '.join(f'{count:,} {word}' for count, word in counts if count) or 'none'}"


def _it(relation: str, locked: set[str] | Sequence[str]) -> str:
    return "it" if len(locked) == 1 and relation in locked else relation
