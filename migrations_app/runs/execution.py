"""One claim's worth of work: plan, engine, and the status the run ends in.

1. Mark what an earlier worker left, and copy receipts it could not copy.
2. Let the engine execute the plan; every event goes through the recorder.
3. Reconcile the ledger with the receipts once more, then end the run: a run that ended shows what stands.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

import psycopg
import structlog
from django.conf import settings
from django.db import transaction

from migrations_app.audit.record import record
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import Event, Report
from migrations_app.engine.contract.plan import Decision, Plan
from migrations_app.engine.contract.recovery import execute_to_the_end
from migrations_app.engine.contract.work import Job, Limits
from migrations_app.engine.errors import ConnectionLost, LockstepError, NeedsOperator, Stopped
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.dsn import Dsn
from migrations_app.fleet.ledger import catch_up, mark_unreachable
from migrations_app.fleet.readings import read_when_possible
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.models import Run
from migrations_app.models.schema import Source
from migrations_app.runs.claims import Claim
from migrations_app.runs.planning import plan_of
from migrations_app.runs.progress import Recorder
from migrations_app.runs.step_progress import close_lost_attempts, mark_step, settle_steps, stop_step
from migrations_app.runs.transitions import move
from migrations_app.runs.verdict import LEFT_HALF_MADE
from migrations_app.statuses import TERMINAL, RunStatus, StepStatus

log = structlog.get_logger(__name__)

_STOPPED = {
    "pause": RunStatus.PAUSED,
    "cancel": RunStatus.CANCELLED,
    "shutdown": RunStatus.INTERRUPTED,
}


class Execution:
    """Holds what one claim needs; `observe` sees every event before the recorder does."""

    def __init__(self, claim: Claim, worker: str, observe: Report | None = None) -> None:
        self.run = Run.objects.select_related("environment__service", "requested_by").get(pk=claim.run_id)
        self.claim = claim
        self.worker = worker
        close_lost_attempts(self.run, claim)  # before the recorder reads where the steps stand
        self.canceller = Canceller()
        self.recorder = Recorder(self.run, claim, cancel_statement=self.canceller.cancel)
        self._observe = observe
        self._at: tuple[str, int] = ("", 1)
        self._reached = False

    def carry_out(self) -> str:
        """Execute the run and return the status it ended in."""
        self.recorder.start()
        self._say_taken_over()
        restore = self._listen_for_shutdown()
        try:
            failure = self._execute()
        finally:
            restore()
            self.recorder.close()
        status = self._end(failure)
        if self._reached and status in TERMINAL:
            read_when_possible(self.run.environment, source=Source.RUN)
        return status

    def _execute(self) -> LockstepError | None:
        try:
            plan, dsn = plan_of(self.run), resolve_dsn(self.run.environment)
            self._run_engine(plan, dsn)
        except LockstepError as failure:
            self._say(failure)
            return failure
        return None

    def _run_engine(self, plan: Plan, dsn: Dsn) -> None:
        execute_to_the_end(
            plan,
            dsn,
            job=Job(
                run_id=self.run.uid,
                operator=self.run.requested_by.get_username(),
                worker=self.worker,
                environment=self.run.environment.uid,
                decisions=_decisions(self.run),
                begun=self.claim.attempt > 1 and self.run.fence is not None,
            ),
            limits=_limits(self.run, self.claim),
            report=self._report,
            should_stop=self.recorder.stop_request,
            canceller=self.canceller,
        )

    def _report(self, event: Event) -> None:
        if event.revision_id:
            self._at = (event.revision_id, event.step or self._at[1])
        self.recorder.report(event)
        if self._observe is not None:
            self._observe(event)

    def _say_taken_over(self) -> None:
        if lost := self.claim.lost:
            self.recorder.report(Event("recovered", f"{self.worker} goes on where {lost} went away", level="warning"))

    def _say(self, failure: LockstepError) -> None:
        revision_id, step = self._at
        self.recorder.report(
            Event(
                "ended",
                failure.sentence,
                revision_id=revision_id,
                step=step if revision_id else None,
                level="info" if isinstance(failure, Stopped) else "error",
            )
        )

    def _end(self, failure: LockstepError | None) -> str:
        self._reached = self._reconcile()
        status = self._status(failure, self._reached)
        fields: dict[str, object] = {"waiting": None, "lease_until": None}
        if isinstance(failure, Stopped):
            if self._at[0]:
                stop_step(self.run, self._at, status, failure.sentence, self.claim, self.worker)
            if status == RunStatus.CANCELLED and failure.not_done:
                fields["error"] = self._leftover(failure)
        elif failure is not None:
            fields["error"] = self._error(failure)
            self._mark_step(failure)
        with transaction.atomic():
            if not move(self.run.pk, to=status, token=self.claim.token, fields=fields):
                log.warning("the run was taken over before it could be ended here", run=self.run.pk)
                return Run.objects.values_list("status", flat=True).get(pk=self.run.pk)
            settle_steps(self.run)
            record(
                actor=None,
                action=f"run.{status}",
                object=f"run:{self.run.pk}",
                after={"worker": self.worker, "attempt": self.claim.attempt, "code": failure.code if failure else ""},
            )
        return status

    def _status(self, failure: LockstepError | None, reached: bool) -> RunStatus:
        if failure is None:
            return RunStatus.SUCCEEDED if self.run.direction == "up" else RunStatus.ROLLED_BACK
        if isinstance(failure, Stopped):
            return _STOPPED[failure.code]
        if isinstance(failure, NeedsOperator):
            return RunStatus.NEEDS_OPERATOR
        if isinstance(failure, ConnectionLost) and not reached and self.run.fence is not None:
            return RunStatus.NEEDS_OPERATOR
        return RunStatus.FAILED

    def _error(self, failure: LockstepError) -> dict[str, object]:
        revision_id, step = self._at
        return {
            "code": failure.code,
            "message": failure.message,
            "not_done": failure.not_done,
            "next_step": failure.next_step,
            "revision_id": revision_id,
            "step": step,
        }

    def _leftover(self, stopped: Stopped) -> dict[str, object]:
        """A cancel is no failure; what it left in the target is told in the same place, with the way out."""
        return self._error(stopped) | {"code": LEFT_HALF_MADE, "message": stopped.not_done, "not_done": ""}

    def _mark_step(self, failure: LockstepError) -> None:
        if not self._at[0]:
            return
        unknown = isinstance(failure, NeedsOperator)
        status = StepStatus.UNKNOWN if unknown else StepStatus.FAILED
        mark_step(self.run, self._at, status, str(status), failure.sentence, self.claim, self.worker)

    def _reconcile(self) -> bool:
        """Read the receipts once more; a target that cannot be read is marked, not guessed about."""
        try:
            conn = open_session(resolve_dsn(self.run.environment), application_name="lockstep-reconcile")
        except LockstepError as failure:
            mark_unreachable(self.run.environment, failure.sentence)
            return False
        try:
            catch_up(self.run.environment, conn)
        except LockstepError as failure:
            mark_unreachable(self.run.environment, failure.sentence)
            return False
        except psycopg.Error as error:
            mark_unreachable(self.run.environment, f"Reading the receipts failed: {error.diag.message_primary}")
            return False
        finally:
            conn.close()
        return True

    def _listen_for_shutdown(self) -> _Restore:
        """SIGTERM asks for a stop between statements; only the main thread may set handlers."""
        if threading.current_thread() is not threading.main_thread():
            return _Restore(None)
        before = signal.getsignal(signal.SIGTERM)

        def on_term(number: int, frame: FrameType | None) -> None:
            self.recorder.shut_down()

        signal.signal(signal.SIGTERM, on_term)
        return _Restore(before)


class _Restore:
    """Puts the former SIGTERM handler back when called."""

    def __init__(self, before: object) -> None:
        self._before = before

    def __call__(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)  # type: ignore[arg-type]


def _limits(run: Run, claim: Claim) -> Limits:
    window = run.environment.lock_window_seconds or settings.LOCKSTEP_LOCK_WINDOW_SECONDS
    due, stale = None, settings.LOCKSTEP_STALE_SECONDS
    if claim.silent_s is not None:
        due = max(stale - claim.silent_s, 0.0)
    return Limits(lock_window_s=window, end_orphan_after_s=due, orphan_idle_s=stale)


def _decisions(run: Run) -> tuple[Decision, ...]:
    decision = run.decision
    if not decision or decision.get("step") is None:
        return ()
    return (
        Decision(
            revision_id=decision["revision_id"],
            step=decision["step"],
            verdict=decision["verdict"],
            by=decision["by"],
            reason=decision["reason"],
        ),
    )
