"""Steps and their attempts, folded from events and written in one statement per batch."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.db.models import Count, Max, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from migrations_app.engine.contract.events import Event
from migrations_app.models import AppliedRevision, Run, RunStep, StepAttempt
from migrations_app.runs.claims import Claim
from migrations_app.runs.stages import GOT_ON, WAITING
from migrations_app.statuses import RunStatus, StepStatus

Key = tuple[str, int]  # revision_id, n

# The engine waits for this thread's share of the interpreter: a batch is one JSON text, which PostgreSQL takes apart.
_WRITE_STEPS = """
UPDATE migrations_app_runstep s
   SET status = v.status, started_at = v.started_at, finished_at = v.finished_at,
       wait_ms = v.wait_ms, work_ms = v.work_ms
  FROM json_to_recordset(%s) AS v (pk bigint, status text, started_at timestamptz, finished_at timestamptz,
                                   wait_ms bigint, work_ms bigint)
 WHERE s.id = v.pk
"""
_WRITE_ATTEMPTS = """
INSERT INTO migrations_app_stepattempt (step_id, number, token, worker, outcome, detail, started_at, finished_at)
SELECT * FROM json_to_recordset(%s) AS v (step_id bigint, number int, token bigint, worker text, outcome text,
                                          detail text, started_at timestamptz, finished_at timestamptz)
"""
_STATE_COLUMNS = ("revision_id", "n", "pk", "status", "started_at", "finished_at", "wait_ms", "work_ms", "tries")


@dataclass(frozen=True)
class StepState:
    pk: int
    status: str
    started_at: datetime | None
    finished_at: datetime | None
    wait_ms: int
    work_ms: int
    attempts: int
    trying_since: datetime | None = None


class StepProgress:
    """A fold over the steps of one run; `after` returns the next state with what has to be written."""

    def __init__(self, run: Run, claim: Claim) -> None:
        self._run = run
        self._claim = claim
        self._worker = run.worker
        rows = RunStep.objects.filter(run=run).annotate(tries=Count("attempts"))
        self._states: dict[Key, StepState] = {
            (revision_id, n): StepState(*state) for revision_id, n, *state in rows.values_list(*_STATE_COLUMNS)
        }
        self._of_revision: dict[str, list[Key]] = defaultdict(list)
        for key in self._states:
            self._of_revision[key[0]].append(key)
        self._dirty: set[Key] = set()
        self._attempts: list[dict[str, object]] = []
        self._waits = False

    @property
    def done_count(self) -> int:
        return sum(1 for state in self._states.values() if state.status == StepStatus.DONE)

    def after(self, events: Sequence[tuple[datetime, Event]]) -> StepProgress:
        following = object.__new__(StepProgress)
        following.__dict__.update(self.__dict__)
        following._states = self._states if not events else dict(self._states)
        following._dirty, following._attempts = set(), []
        for at, event in events:
            following._take(at, event)
        return following

    def write(self) -> None:
        """In the caller's transaction."""
        with connection.cursor() as cursor:
            if self._dirty:
                states = [vars(self._states[key]) for key in self._dirty]
                cursor.execute(_WRITE_STEPS, [json.dumps(states, default=str)])
            if self._attempts:
                cursor.execute(_WRITE_ATTEMPTS, [json.dumps(self._attempts, default=str)])

    def _take(self, at: datetime, event: Event) -> None:
        if event.kind in WAITING | GOT_ON:
            self._waits = event.kind in WAITING
        if event.kind == "recorded":
            self._finish_revision(at, event)
            return
        key = (event.revision_id, event.step or 1)
        state = self._states.get(key)
        if state is None:
            return
        match event.kind:
            case "step_started" | "intent":
                started = state.started_at or at
                self._put(key, replace(state, status=StepStatus.RUNNING, started_at=started, trying_since=at))
            case "step_done":
                self._done(key, state, at, event)
            case "ended" if state.status == StepStatus.RUNNING:
                self._end(key, state, at)
            case "lock_attempt":
                self._try(key, state, at, "lock_timeout", event.message)
                waited = self._states[key]
                self._put(key, replace(waited, wait_ms=waited.wait_ms + event.wait_ms, trying_since=at))
            case "recovered" | "repaired":
                self._try(key, state, at, event.kind, event.message)

    def _done(self, key: Key, state: StepState, at: datetime, event: Event) -> None:
        self._try(key, state, at, "done", event.message)
        self._put(
            key,
            replace(
                self._states[key],
                status=StepStatus.DONE,
                finished_at=at,
                wait_ms=state.wait_ms + event.wait_ms,
                work_ms=state.work_ms + event.work_ms,
            ),
        )

    def _end(self, key: Key, state: StepState, at: datetime) -> None:
        """What passed of the try that the run ended in, as its stage counts it."""
        passed = int((at - (state.trying_since or at)).total_seconds() * 1000)
        if self._waits:
            self._put(key, replace(state, wait_ms=state.wait_ms + passed))
        else:
            self._put(key, replace(state, work_ms=state.work_ms + passed))

    def _finish_revision(self, at: datetime, event: Event) -> None:
        """A receipt proves every step of its revision, also those an earlier worker had done."""
        for key in self._of_revision.get(event.revision_id, ()):
            state = self._states[key]
            if state.status != StepStatus.DONE:
                self._put(key, replace(state, status=StepStatus.DONE, finished_at=state.finished_at or at))

    def _try(self, key: Key, state: StepState, at: datetime, outcome: str, detail: str) -> None:
        self._attempts.append(
            {
                "step_id": state.pk,
                "number": state.attempts + 1,
                "token": self._claim.token,
                "worker": self._worker,
                "outcome": outcome,
                "detail": detail[:1000].replace("\x00", "\ufffd"),
                "started_at": state.trying_since or state.started_at or at,
                "finished_at": at,
            }
        )
        self._put(key, replace(state, attempts=state.attempts + 1))

    def _put(self, key: Key, state: StepState) -> None:
        self._states[key] = state
        self._dirty.add(key)


def close_lost_attempts(run: Run, claim: Claim) -> int:
    """Steps that an earlier worker left running: their attempt is lost, the step waits again."""
    running = list(_with_tries(RunStep.objects.filter(run=run, status=StepStatus.RUNNING)))
    StepAttempt.objects.bulk_create(
        [
            StepAttempt(
                step=step,
                number=step.tries + 1,  # type: ignore[attr-defined]
                token=claim.token - 1,
                worker=claim.lost or run.worker,
                outcome="lost",
                detail="the worker went away before it could say how this ended",
                started_at=_tried_since(step),
                finished_at=Now(),
            )
            for step in running
        ]
    )
    return RunStep.objects.filter(pk__in=[s.pk for s in running]).update(status=StepStatus.PENDING, started_at=None)


def settle_steps(run: Run) -> None:
    """Steps whose worker died after the COMMIT and before it could say so: the receipt, by now copied, proves them."""
    standing = set(
        AppliedRevision.objects.filter(environment_id=run.environment_id).values_list("revision_id", flat=True)
    )
    planned = {item["revision_id"] for item in run.revisions}
    proven = planned & standing if run.direction == "up" else planned - standing
    steps = RunStep.objects.filter(run=run)
    steps.filter(revision_id__in=proven).exclude(status=StepStatus.DONE).update(
        status=StepStatus.DONE,
        started_at=Coalesce("started_at", Now()),
        finished_at=Coalesce("finished_at", Now()),
    )
    Run.objects.filter(pk=run.pk).update(steps_done=steps.filter(status=StepStatus.DONE).count())


def mark_step(run: Run, key: Key, status: StepStatus, outcome: str, detail: str, claim: Claim, worker: str) -> None:
    """The step a run ended on: failed, or unknown."""
    step = _with_tries(RunStep.objects.filter(run=run, revision_id=key[0], n=key[1])).first()
    if step is not None:
        RunStep.objects.filter(pk=step.pk).update(status=status, finished_at=Now())
        _add_try(step, outcome, detail, claim, worker)


def stop_step(run: Run, key: Key, outcome: RunStatus, detail: str, claim: Claim, worker: str) -> None:
    """The step in the middle of which a person or a shutdown stopped the run: rolled back, and ahead again."""
    step = _with_tries(RunStep.objects.filter(run=run, revision_id=key[0], n=key[1], status=StepStatus.RUNNING)).first()
    if step is None:
        return
    if outcome != RunStatus.CANCELLED:
        RunStep.objects.filter(pk=step.pk).update(status=StepStatus.PENDING, started_at=None)
    _add_try(step, outcome, detail, claim, worker)


def _with_tries(steps: QuerySet[RunStep]) -> QuerySet[RunStep]:
    """Each with the number of its tries and the end of the last one."""
    return steps.annotate(tries=Count("attempts"), last=Max("attempts__finished_at"))


def _tried_since(step: RunStep) -> datetime:
    """When its newest try began, which nobody could say the end of."""
    known = [moment for moment in (step.started_at, step.last) if moment]  # type: ignore[attr-defined]
    return max(known, default=timezone.now())


def _add_try(step: RunStep, outcome: str, detail: str, claim: Claim, worker: str) -> None:
    StepAttempt.objects.create(
        step=step,
        number=step.tries + 1,  # type: ignore[attr-defined]
        token=claim.token,
        worker=worker,
        outcome=outcome,
        detail=detail[:1000],
        started_at=_tried_since(step),
        finished_at=Now(),
    )
