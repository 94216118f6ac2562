"""What a drill's result is and why, from its own rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrations_app.models import DrillCheck, DrillIntervention, DrillStep
from migrations_app.models.drill import DrillResult, Side
from migrations_app.rehearsals.drills.scenarios import FAILED_BY, RECOVERED_BY
from migrations_app.rehearsals.drills.words import took


@dataclass(frozen=True)
class Verdict:
    result: DrillResult
    reasons: tuple[str, ...]  # why it failed, or what keeps it from being a plain pass


def recovery_ms(steps: Sequence[DrillStep]) -> int | None:
    """From the end of step 1, when the failure is there, to the end of step 3, when it is gone; pauses count."""
    ends = {step.number: step.ended_at for step in steps}
    broken, verified = ends.get(FAILED_BY), ends.get(RECOVERED_BY)
    if broken is None or verified is None:
        return None
    return round((verified - broken).total_seconds() * 1000)


def judge(
    *,
    steps: Sequence[DrillStep],
    checks: Sequence[DrillCheck],
    interventions: Sequence[DrillIntervention],
    limit_s: int,
) -> Verdict:
    """Failed for any reason below; passed otherwise, with a remark where somebody had to step in."""
    wrong = (*_time(steps, limit_s), *_undone(steps), *_checks(checks))
    if wrong:
        return Verdict(DrillResult.FAILED, wrong)
    if interventions:
        count = len(interventions)
        times = "once" if count == 1 else f"{count} times"
        return Verdict(DrillResult.WITH_INTERVENTIONS, (f"A person had to step in {times}.",))
    return Verdict(DrillResult.PASSED, ())


def _time(steps: Sequence[DrillStep], limit_s: int) -> tuple[str, ...]:
    taken = recovery_ms(steps)
    if taken is None or taken <= limit_s * 1000:
        return ()
    begun = -(-taken // 1000) * 1000  # rounded up: 900.5 s must not be told as 15 min
    return (f"Recovery took {took(begun)}, the limit is {took(limit_s * 1000)}.",)


def _undone(steps: Sequence[DrillStep]) -> tuple[str, ...]:
    return tuple(
        f"Step {step.number}, {step.name[:1].lower()}{step.name[1:]}, was not done."
        for step in steps
        if step.ended_at is None
    )


def _checks(checks: Sequence[DrillCheck]) -> tuple[str, ...]:
    """The last check of a name counts: what was looked at again after a correction is how it stands."""
    last = {(check.kind, check.name): check for check in checks if check.side == Side.AFTER}
    if not last:
        return ("Nothing was checked after the recovery.",)
    return tuple(f"After the recovery {check.name} did not pass." for check in last.values() if not check.passed)
