"""What stands in the target has to be known, and known of lately."""

from __future__ import annotations

from collections.abc import Iterator

from migrations_app.fleet.overview import COMPARED_WITHIN
from migrations_app.releases.boot.known import Asked, Known, Reason
from migrations_app.releases.boot.phases import INFRASTRUCTURE

CLEARS = "The scheduler compares each target every minute; “Compare now” on its page does so at once."


def judge(asked: Asked, known: Known) -> Iterator[Reason]:
    limit = COMPARED_WITHIN.total_seconds()
    if known.place.doubt:
        yield _reason("target_unknown", f"What stands in {known.environment} cannot be told: {known.place.doubt}.")
    elif known.compared_s is None or known.compared_s > limit:
        sentence = f"{known.environment} was not compared with its target for {limit / 60:.0f} minutes."
        yield _reason("target_not_compared", sentence)


def _reason(code: str, sentence: str) -> Reason:
    return Reason(code, INFRASTRUCTURE, sentence, CLEARS, unknown=True)
