"""Goes on after a lost connection: connect again, take the lock again, and let the receipts say what stands."""

from __future__ import annotations

import time

from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, Report, ShouldStop
from migrations_app.engine.contract.executor import Outcome, execute, without_orphan_wait
from migrations_app.engine.contract.plan import Plan
from migrations_app.engine.contract.stopping import pause_or_stop
from migrations_app.engine.contract.work import Job, Limits
from migrations_app.engine.errors import ConnectionLost, NeedsOperator
from migrations_app.engine.target.dsn import Dsn

_LOSSES = 5
_FIRST_TRIES = 3
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)


def execute_to_the_end(
    plan: Plan,
    dsn: Dsn,
    *,
    job: Job,
    limits: Limits,
    report: Report,
    should_stop: ShouldStop,
    canceller: Canceller,
) -> Outcome:
    """Like executor.execute, over as many connections as it takes within `limits.reconnect_window_s`.

    Raises NeedsOperator("target_lost") when the target does not come back and something was under way.
    """
    lost_at = time.monotonic() if job.begun else None
    tries = 0
    steps = _Steps(report)
    while True:
        try:
            return execute(
                plan,
                dsn,
                job=job,
                limits=limits,
                report=steps.report,
                should_stop=should_stop,
                canceller=canceller,
            )
        except ConnectionLost as error:
            if error.code == "connection_lost":
                lost_at, tries = time.monotonic(), 0
                if steps.lose() > _LOSSES:
                    raise _breaks(error) from error
                limits = without_orphan_wait(limits)
            if lost_at is None and tries >= _FIRST_TRIES:
                raise
            if lost_at is not None and time.monotonic() - lost_at > limits.reconnect_window_s:
                raise _gone(error, limits) from error
            pause = _PAUSES[min(max(tries, steps.losses - 1), len(_PAUSES) - 1)]
            tries += 1
            report(Event("connection_lost", f"{error.message} Connecting again in {pause:g} s.", level="warning"))
            pause_or_stop(pause, should_stop)


class _Steps:
    """Counts losses of the session between two steps that were done."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.losses = 0

    def report(self, event: Event) -> None:
        if event.kind in ("step_done", "recorded"):
            self.losses = 0
        self._report(event)

    def lose(self) -> int:
        self.losses += 1
        return self.losses


def _breaks(error: ConnectionLost) -> NeedsOperator:
    return NeedsOperator(
        "session_breaks",
        f"The same step broke its connection to the target {_LOSSES + 1} times: {error.message}",
        not_done="It was not tried again; what is in the receipts stands.",
        next_step="Look at the target's log: the statement may end its own session or crash the server.",
    )


def _gone(error: ConnectionLost, limits: Limits) -> NeedsOperator:
    return NeedsOperator(
        "target_lost",
        f"The target was lost in the middle of the run and did not come back in {limits.reconnect_window_s:.0f} s: "
        f"{error.message}",
        not_done="Whether the last step took effect is unknown until its receipts can be read; "
        "for half a minute it may still be at work there.",
        next_step="Resume when the target answers again; its receipts decide, nothing runs twice.",
    )
