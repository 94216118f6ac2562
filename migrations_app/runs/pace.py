"""How long a run will still take, only where its own pace says something: few steps of a plan say nothing."""

from __future__ import annotations

from datetime import datetime

from migrations_app.models import Run
from migrations_app.statuses import RunStatus

LEAST_STEPS = 10
LEAST_SECONDS = 10
LEAST_SHARE = 0.2
_GOING = (RunStatus.RUNNING, RunStatus.ROLLING_BACK, RunStatus.VERIFYING)


def left_ms(run: Run, now: datetime) -> float | None:
    """None rather than a guess: while it waits, after it was paused or taken over, and before it has done a fifth."""
    if run.status not in _GOING or run.attempt > 1 or run.started_at is None or not run.steps_total:
        return None
    took = (now - run.started_at).total_seconds()
    share = run.steps_done / run.steps_total
    if run.steps_done < LEAST_STEPS or took < LEAST_SECONDS or share < LEAST_SHARE:
        return None
    return took * (1 - share) / share * 1000
