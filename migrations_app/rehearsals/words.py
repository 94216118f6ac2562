"""A rehearsal in one sentence, for pages, API and commands alike."""

from __future__ import annotations

from collections import Counter

from migrations_app.models import Rehearsal
from migrations_app.statuses import REHEARSAL_SENTENCES, RehearsalStatus, Verdict

WORST_FIRST = (Verdict.FAILED, Verdict.IRREVERSIBLE, Verdict.LOSSY, Verdict.REVERSIBLE)


def rehearsal_sentence(rehearsal: Rehearsal) -> str:
    """The failure, or what came of its revisions, or what it waits for."""
    if rehearsal.status == RehearsalStatus.FAILED and rehearsal.error:
        return str(rehearsal.error["message"])
    if rehearsal.status == RehearsalStatus.RUNNING and rehearsal.doing:
        return f"At work on a clone: {rehearsal.doing}."
    if rehearsal.status != RehearsalStatus.DONE:
        return REHEARSAL_SENTENCES[rehearsal.status]
    return tally_sentence(Counter(rehearsal.tally))


def short_sentence(rehearsal: Rehearsal) -> str:
    """The same for a heading and for a row of a list: of a failure without what PostgreSQL said, which follows it."""
    told, _, detail = rehearsal_sentence(rehearsal).partition(": ")
    failed = rehearsal.status == RehearsalStatus.FAILED and rehearsal.error
    return f"{told}." if failed and detail else rehearsal_sentence(rehearsal)


def tally_sentence(verdicts: Counter[str]) -> str:
    """The worst first: "1 lossy, 17 reversible." """
    total = verdicts.total()
    if total == 1:
        return f"The revision is {Verdict(next(iter(verdicts))).label}."
    if len(verdicts) == 1:
        return f"All {total} revisions are {Verdict(next(iter(verdicts))).label}."
    parts = [f"{verdicts[one]} {one.label}" for one in WORST_FIRST if verdicts[one]]
    return f"Of {total} revisions, {', '.join(parts)}."
