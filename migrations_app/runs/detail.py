"""One run as its page shows it: where its time went, steps with attempts, who is waited for, what it left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min, Prefetch
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from migrations_app.models import AuditEntry, LedgerEntry, Run, RunStep, StepAttempt
from migrations_app.statuses import ACTIVE, TERMINAL, RunStatus, StepStatus

PHASES = ("lock", "run", "verify", "record", "release")
LONG_RUN, BEFORE, AFTER = 60, 5, 40
TOLD_ATTEMPTS = 3
TOLD_ENTRIES = 20
LEFT_SHOWN = 30


@dataclass(frozen=True)
class Bar:
    """A phase on a scale of 0 to 1000 that starts with the run: grey waiting, then coloured work."""

    name: str
    state: str
    detail: str
    wait_ms: int
    work_ms: int
    start: int
    wait: int
    work: int

    @property
    def took_ms(self) -> int:
        return self.wait_ms + self.work_ms


@dataclass(frozen=True)
class Holder:
    """One session in the way; what is not known is empty."""

    pid: int
    application: str
    user: str
    state: str
    age_ms: float | None
    mode: str
    relation: str
    queued: bool  # waits itself, ahead of the run


@dataclass(frozen=True)
class Waiting:
    """What the run waits for, since when, and who holds it."""

    sentence: str
    since: datetime | None
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class TellingStep:
    """A step with how often it was tried, and the tries that are worth a line."""

    step: RunStep
    state: str
    tries: int
    told: tuple[StepAttempt, ...]
    wait_ms: int
    work_ms: int
    start: int = 0  # on a scale of 0 to 1000 that begins with the run's first claim
    wait: int = 0
    work: int = 0

    @property
    def name(self) -> str:
        return f"Step {self.step.ordinal}"


@dataclass(frozen=True)
class Attempt:
    """One claim of the run: who had it, and between which times its steps were tried."""

    number: int
    worker: str
    tries: int
    began: datetime
    ended: datetime | None


@dataclass(frozen=True)
class Left:
    """What a run did to one revision: its receipt, or none."""

    revision_id: str
    receipt: int | None
    applied_at: datetime | None
    duration_ms: int | None


@dataclass(frozen=True)
class StepWindow:
    shown: tuple[TellingStep, ...]
    hidden: int


def bars(run: Run) -> tuple[Bar, ...]:
    """The queue, then the phases; they follow each other, so each bar starts where the one before it ended."""
    queued = queued_ms(run, timezone.now())
    total = queued + sum(_ms(run, name, "wait_ms") + _ms(run, name, "work_ms") for name in PHASES) or 1
    wait = queued * 1000 // total
    state = "active" if run.started_at is None and run.status == RunStatus.QUEUED else "done"
    detail = "waits for a worker" if state == "active" else f"taken by {run.worker}" if run.worker else ""
    drawn = [Bar("Queue", _bar_state(run, state, waits=True), detail, queued, 0, 0, wait, 0)]
    before = queued
    for name in PHASES:
        wait, work = _ms(run, name, "wait_ms"), _ms(run, name, "work_ms")
        entry = _phase(run, name)
        state = _bar_state(run, str(entry.get("state") or "pending"))
        drawn.append(
            Bar(
                name=name.capitalize(),
                state=state,
                detail=str(entry.get("detail") or _unsaid(state, took=bool(wait or work))),
                wait_ms=wait,
                work_ms=work,
                start=before * 1000 // total,
                wait=wait * 1000 // total,
                # A phase that took any time at all stays visible.
                work=max(work * 1000 // total, 6 if work else 0),
            )
        )
        before += wait + work
    return tuple(drawn)


def _unsaid(state: str, *, took: bool) -> str:
    """Of a phase that the run has not come to again; what it took was for steps before."""
    if took and state in ("not_run", "pending"):
        return "for earlier steps"
    return "not run" if state == "not_run" else ""


def queued_ms(run: Run, now: datetime) -> int:
    """From the request to the first claim; still growing for a run that nobody took, and none if nobody ever did."""
    end = run.started_at or (now if run.status not in TERMINAL else run.finished_at) or run.created_at
    return max(int((end - run.created_at).total_seconds() * 1000), 0)


def _bar_state(run: Run, state: str, waits: bool = False) -> str:
    """A phase that was active when the run stopped shows how the run stopped."""
    if waits:
        return "queued" if state == "active" else "cancelled" if run.started_at is None else state
    return run.status if state == "active" and run.status not in ACTIVE else state_now(run, state)


def state_now(run: Run, state: str) -> str:
    """After its end a run leaves nothing pending, and nothing running: that is how the run itself ended."""
    if not is_over(run):
        return state
    return {"pending": "not_run", "running": run.status}.get(state, state)


def _phase(run: Run, name: str) -> Mapping[str, object]:
    entry = (run.phases or {}).get(name)
    return entry if isinstance(entry, dict) else {}


def _ms(run: Run, name: str, key: str) -> int:
    value = _phase(run, name).get(key)
    told = max(int(value), 0) if isinstance(value, int | float) else 0
    return told + (_untold_ms(run, name) if (key == "wait_ms") == bool(run.waiting) else 0)


def _untold_ms(run: Run, name: str) -> int:
    """What has passed of a step that is at work."""
    since = parse_datetime(str(_phase(run, name).get("since", "")))
    return max(_between(since, timezone.now()), 0) if since and run.status in ACTIVE else 0


def waiting_ms(run: Run) -> int:
    return sum(_ms(run, name, "wait_ms") for name in PHASES)


def waiting(run: Run) -> Waiting | None:
    told = run.waiting
    if not isinstance(told, dict):
        return None
    since = told.get("since")
    return Waiting(
        sentence=str(told.get("sentence") or ""),
        since=parse_datetime(since) if isinstance(since, str) else None,
        holders=tuple(_holder(entry) for entry in told.get("blockers") or () if isinstance(entry, dict)),
    )


def _holder(entry: Mapping[str, object]) -> Holder:
    age = entry.get("transaction_age_s") or entry.get("query_age_s")
    words = {name: str(entry.get(name) or "") for name in ("application", "user", "state", "mode", "relation")}
    return Holder(
        pid=int(str(entry.get("pid") or 0)),
        age_ms=age * 1000 if isinstance(age, int | float) else None,
        queued=bool(entry.get("queued")),
        **words,
    )


def step_window(run: Run, *, everything: bool = False, attempt: int | None = None) -> StepWindow:
    """All steps of a short run; of a long one those around where it stands; or what one attempt tried."""
    rows = RunStep.objects.filter(run=run).order_by("ordinal")
    tries = StepAttempt.objects.order_by("number")
    if attempt is not None:
        tries = tries.filter(token=attempt)
        rows = rows.filter(attempts__token=attempt).distinct()
    if run.steps_total > LONG_RUN and not everything:
        rows = rows.filter(ordinal__gt=run.steps_done - BEFORE, ordinal__lte=run.steps_done + AFTER)
    span = _span(run)
    shown = tuple(
        _told(step, run, span, all_tries=attempt is not None)
        for step in rows.prefetch_related(Prefetch("attempts", queryset=tries))
    )
    return StepWindow(shown=shown, hidden=max(run.steps_total - len(shown), 0) if attempt is None else 0)


def _told(step: RunStep, run: Run, span_ms: int, *, all_tries: bool) -> TellingStep:
    """A single try that succeeded needs no words; otherwise the last tries are told."""
    attempts = tuple(step.attempts.all())
    dull = len(attempts) <= 1 and all(attempt.outcome in ("done", "running") for attempt in attempts)
    told = attempts if all_tries else () if dull else attempts[-TOLD_ATTEMPTS:]
    wait, work = _times(step, run)
    state = state_now(run, step.status)
    return TellingStep(step, state, len(attempts), told, wait, work, *_drawn(step, run, span_ms, wait, work))


def _times(step: RunStep, run: Run) -> tuple[int, int]:
    """Milliseconds waited and worked; of a step at work up to now, of one that pauses as waiting."""
    wait, work = step.wait_ms, step.work_ms
    if step.status == StepStatus.RUNNING and step.started_at and run.status in ACTIVE:
        untold = max(_between(step.started_at, timezone.now()) - wait - work, 0)
        return (wait + untold, work) if run.waiting else (wait, work + untold)
    return wait, work


def _drawn(step: RunStep, run: Run, span_ms: int, wait: int, work: int) -> tuple[int, int, int]:
    """Where the step stands on the run's scale."""
    if step.started_at is None or run.started_at is None:
        return 0, 0, 0
    start = _between(run.started_at, step.started_at) * 1000 // span_ms
    drawn = (max(start, 0), wait * 1000 // span_ms, max(work * 1000 // span_ms, 4))
    return min(drawn[0], 996), min(drawn[1], 1000), min(drawn[2], 1000)


def _span(run: Run) -> int:
    if run.started_at is None:
        return 1
    return max(_between(run.started_at, run.finished_at or timezone.now()), 1)


def _between(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() * 1000)


def attempts_of(run: Run) -> tuple[Attempt, ...]:
    """The claims that tried a step; nothing to choose from when there was one claim."""
    if run.attempt < 2:
        return ()
    rows = (
        StepAttempt.objects.filter(step__run=run)
        .values("token")
        .annotate(name=Max("worker"), began=Min("started_at"), ended=Max("finished_at"), tries=Max("number"))
        .order_by("token")
    )
    return tuple(Attempt(row["token"], row["name"], row["tries"], row["began"], row["ended"]) for row in rows)


def left_behind(run: Run) -> tuple[Left, ...]:
    """Per revision of the plan, in its order, the receipt that this run wrote; the first ones of a long plan."""
    ids = [str(entry["revision_id"]) for entry in run.revisions[:LEFT_SHOWN]]
    receipts = {entry.revision_id: entry for entry in LedgerEntry.objects.filter(run_id=run.pk, revision_id__in=ids)}
    return tuple(
        Left(
            name,
            receipt.seq if (receipt := receipts.get(name)) else None,
            receipt.applied_at if receipt else None,
            receipt.duration_ms if receipt else None,
        )
        for name in ids
    )


def audit_of(run: Run) -> tuple[AuditEntry, ...]:
    """What the audit chain holds about this run, newest first."""
    return tuple(AuditEntry.objects.filter(data__object=f"run:{run.pk}").order_by("-seq")[:TOLD_ENTRIES])


def told_key(run: Run) -> str:
    """Changes when the facts, the receipts, the comparison or the audit entries may have; a heartbeat is none of that.

    The record phase stands for receipts, which may be written after the last step of their revision was counted.
    """
    recorded = _phase(run, "record").get("state") or "pending"
    return f"{run.status}-{run.asked or 'nothing'}-{run.attempt}-{run.backend_pid or 0}-{run.steps_done}-{recorded}"


def is_over(run: Run) -> bool:
    return run.status in TERMINAL
