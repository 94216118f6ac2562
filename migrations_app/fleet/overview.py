"""The front page's one sentence: the worst true thing about the fleet, computed, never hoped; then the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils import timezone

from migrations_app.fleet.standing import Standing

_WORDS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
NAMED = 3  # so many environments are named in a sentence, the rest are counted
# The scheduler compares each minute; what was compared longer ago is no longer taken for known.
COMPARED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Reason:
    """Why the verdict is what it is: one kind of thing, and the environments of which it is true."""

    state: str
    words: str
    rows: tuple[Standing, ...]
    of_runs: bool = False  # the proof is the run, not the environment

    @property
    def named(self) -> tuple[Standing, ...]:
        return self.rows[:NAMED]

    @property
    def more(self) -> int:
        return len(self.rows) - len(self.named)


@dataclass(frozen=True)
class Verdict:
    sentence: str
    tone: str  # bad, warn, ok, wait: how the page's title begins
    reasons: tuple[Reason, ...] = ()


def fleet_verdict(rows: Sequence[Standing], services: int, now: datetime | None = None) -> Verdict:
    """Each question in the order in which an operator would be woken for it."""
    if not services:
        return Verdict("No service yet: four steps lead to the first applied revision.", "wait")
    if not rows:
        return Verdict("No environment yet: Lockstep looks after no database.", "wait")
    overdue = _overdue(rows, (now or timezone.now()) - COMPARED_WITHIN)
    verdict = _trouble(rows) or _doubt(rows, overdue) or _distance(rows)
    return replace(verdict, reasons=_reasons(rows, overdue))


def unreadable(names: Sequence[str], known: Verdict | None) -> Verdict:
    """Part of the page could not be read: trouble that is known stays, anything better becomes unknown."""
    if known is not None and known.tone == "bad":
        return known
    what = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    sentence = f"How the fleet stands is unknown: {what} could not be read."
    return Verdict(sentence, "warn", known.reasons if known else ())


def _reasons(rows: Sequence[Standing], overdue: Sequence[Standing]) -> tuple[Reason, ...]:
    """All that is to be said, the worst first, also what the sentence left out."""
    told = (
        Reason("needs_operator", "", tuple(_in_state(rows, "needs_operator")), of_runs=True),
        Reason("failed", "Last run failed", tuple(_in_state(rows, "failed")), of_runs=True),
        Reason("drift", "Ledger and target disagree", tuple(row for row in rows if row.reconcile_note)),
        Reason("schema_drift", "Schema drifted", tuple(row for row in rows if row.schema_drift)),
        Reason("unreachable", "", tuple(_gone(rows))),
        Reason("unknown", "Unknown", tuple(_in_state(rows, "unknown"))),
        Reason("stale", "Compared long ago", tuple(overdue)),
        Reason("paused", "", tuple(_in_state(rows, "paused")), of_runs=True),
        Reason("behind", "Behind", tuple(sorted(_behind(rows), key=lambda row: -(row.behind or 0)))),
    )
    return tuple(reason for reason in told if reason.rows)


def _trouble(rows: Sequence[Standing]) -> Verdict | None:
    stuck = _in_state(rows, "needs_operator")
    if stuck:
        return Verdict(f"{_count(stuck, 'run needs', 'runs need')} an operator: {_names(stuck)}.", "bad")
    failed = _in_state(rows, "failed")
    if failed:
        return Verdict(f"The last run failed on {_names(failed)}.", "bad")
    different = [row for row in rows if row.reconcile_note]
    if different:
        return Verdict(f"Ledger and target disagree on {_names(different)}.", "bad")
    drifted = [row for row in rows if row.schema_drift]
    if drifted:
        return Verdict(f"The schema of {_names(drifted)} is not as its receipts left it.", "bad")
    return None


def _doubt(rows: Sequence[Standing], overdue: Sequence[Standing]) -> Verdict | None:
    gone = _gone(rows)
    if gone:
        return Verdict(f"{_names(gone)} cannot be reached, so what stands there is unknown.", "warn")
    unknown = _in_state(rows, "unknown")
    if unknown:
        of = "every environment" if len(unknown) == len(rows) else _names(unknown)
        return Verdict(f"What stands on {of} is unknown: not checked against the target yet.", "warn")
    if overdue:
        of = "any environment" if len(overdue) == len(rows) else _names(overdue)
        limit = COMPARED_WITHIN // timedelta(minutes=1)
        return Verdict(f"Nobody has compared {of} with its target for more than {limit} minutes.", "warn")
    return None


def _distance(rows: Sequence[Standing]) -> Verdict:
    moving = [row for row in rows if row.state not in ("in_step", "behind", "empty")]
    behind = _behind(rows)
    on_the_way = f"{_count(moving, 'run is', 'runs are')} on the way"
    quiet = on_the_way[0].lower() + on_the_way[1:] if moving else "nothing is broken"
    if not behind:
        if len(rows) == 1:
            return Verdict(f"{rows[0].environment} is at the newest revision, and {quiet}.", "ok")
        return Verdict(f"All {len(rows)} environments are at the newest revision, and {quiet}.", "ok")
    return Verdict(f"{_between_stages(rows) or _who_is_behind(behind, len(rows))}, and {quiet}.", "ok")


def _between_stages(rows: Sequence[Standing]) -> str:
    """`Production is one revision behind staging`, when one service's last two stages are each of one mind."""
    if len({row.service for row in rows}) != 1:
        return ""
    stages: dict[str, list[Standing]] = {}
    for row in sorted(rows, key=lambda row: row.order):
        stages.setdefault(row.stage, []).append(row)
    if len(stages) < 2:
        return ""
    (before, ahead), (last, tail) = list(stages.items())[-2:]
    gaps = {row.behind for row in tail}, {row.behind for row in ahead}
    if any(len(gap) != 1 or None in gap for gap in gaps):
        return ""
    distance = (gaps[0].pop() or 0) - (gaps[1].pop() or 0)
    if distance <= 0:
        return ""
    return f"{_stage(last).capitalize()} is {_revisions(distance)} behind {_stage(before)}"


def _who_is_behind(behind: Sequence[Standing], total: int) -> str:
    if len(behind) == 1:
        return f"{behind[0].environment} is {_revisions(behind[0].behind or 0)} behind"
    if len(behind) == total:
        return f"All {total} environments have revisions to apply"
    return f"{_share(len(behind), total)} environments have revisions to apply"


def _stage(name: str) -> str:
    return {"prod": "production", "stg": "staging", "dev": "development"}.get(name.lower(), name)


def _revisions(count: int) -> str:
    return f"{_number(count).lower()} revision{'' if count == 1 else 's'}"


def _in_state(rows: Sequence[Standing], state: str) -> list[Standing]:
    return [row for row in rows if row.state == state]


def _gone(rows: Sequence[Standing]) -> list[Standing]:
    return [row for row in rows if row.reachability == "unreachable"]


def _behind(rows: Sequence[Standing]) -> list[Standing]:
    return [row for row in rows if row.behind]


def _overdue(rows: Sequence[Standing], since: datetime) -> list[Standing]:
    """Compared once, but long ago; where the target cannot be reached, that says it already."""
    known = [row for row in rows if row.reconciled_at is not None and row.reachability != "unreachable"]
    return [row for row in known if row.reconciled_at and row.reconciled_at < since]


def _names(rows: Sequence[Standing]) -> str:
    names = [row.environment for row in rows[:NAMED]]
    if len(rows) > NAMED:
        return f"{', '.join(names)} and {len(rows) - NAMED} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _count(rows: Sequence[Standing], one: str, many: str) -> str:
    return f"{_number(len(rows))} {one if len(rows) == 1 else many}"


def _share(count: int, total: int) -> str:
    """Both in words or both in figures."""
    return f"{_number(count)} of {_number(total).lower()}" if total < len(_WORDS) else f"{count:,} of {total:,}"


def _number(count: int) -> str:
    return _WORDS[count] if count < len(_WORDS) else f"{count:,}"
