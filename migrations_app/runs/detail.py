"""One run as its page shows it: five named phases as bars, steps with attempts, who is waited for, the log's tail."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch
from django.utils.dateparse import parse_datetime

from migrations_app.models import Run, RunLogLine, RunStep, StepAttempt
from migrations_app.statuses import ACTIVE, TERMINAL

PHASES = ("lock", "run", "verify", "record", "release")
LOG_WINDOW = 200
LONG_RUN, BEFORE, AFTER = 60, 5, 40
TOLD_ATTEMPTS = 3


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


@dataclass(frozen=True)
class Waiting:
    """What the run waits for, since when, and who holds it."""

    sentence: str
    since: datetime | None
    holders: tuple[Holder, ...]


@dataclass(frozen=True)
class LogWindow:
    lines: tuple[RunLogLine, ...]
    after: int  # ask for what comes after this
    earlier: bool  # there are lines before the first one shown
    more: bool  # there are lines after the last one shown


@dataclass(frozen=True)
class TellingStep:
    """A step with how often it was tried, and the tries that are worth a line."""

    step: RunStep
    tries: int
    told: tuple[StepAttempt, ...]


@dataclass(frozen=True)
class StepWindow:
    shown: tuple[TellingStep, ...]
    hidden: int


def bars(run: Run) -> tuple[Bar, ...]:
    """Phases follow each other, so each bar starts where the one before it ended."""
    total = sum(_ms(run, name, "wait_ms") + _ms(run, name, "work_ms") for name in PHASES) or 1
    drawn: list[Bar] = []
    before = 0
    for name in PHASES:
        wait, work = _ms(run, name, "wait_ms"), _ms(run, name, "work_ms")
        entry = _phase(run, name)
        drawn.append(
            Bar(
                name=name.capitalize(),
                state=_bar_state(run, str(entry.get("state") or "pending")),
                detail=str(entry.get("detail") or ""),
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


def _bar_state(run: Run, state: str) -> str:
    """A phase that was active when the run stopped shows how the run stopped."""
    return run.status if state == "active" and run.status not in ACTIVE else state


def _phase(run: Run, name: str) -> Mapping[str, object]:
    entry = (run.phases or {}).get(name)
    return entry if isinstance(entry, dict) else {}


def _ms(run: Run, name: str, key: str) -> int:
    value = _phase(run, name).get(key)
    return max(int(value), 0) if isinstance(value, int | float) else 0


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
        pid=int(str(entry.get("pid") or 0)), age_ms=age * 1000 if isinstance(age, int | float) else None, **words
    )


def step_window(run: Run, *, everything: bool = False) -> StepWindow:
    """All steps of a short run; of a long one those around where it stands."""
    rows = RunStep.objects.filter(run=run).order_by("ordinal")
    if run.steps_total > LONG_RUN and not everything:
        rows = rows.filter(ordinal__gt=run.steps_done - BEFORE, ordinal__lte=run.steps_done + AFTER)
    attempts = Prefetch("attempts", queryset=StepAttempt.objects.order_by("number"))
    shown = tuple(_told(step) for step in rows.prefetch_related(attempts))
    return StepWindow(shown=shown, hidden=max(run.steps_total - len(shown), 0))


def _told(step: RunStep) -> TellingStep:
    """A single try that succeeded needs no words; otherwise the last tries are told."""
    attempts = tuple(step.attempts.all())
    dull = len(attempts) <= 1 and all(attempt.outcome in ("done", "running") for attempt in attempts)
    return TellingStep(step=step, tries=len(attempts), told=() if dull else attempts[-TOLD_ATTEMPTS:])


def log_after(run: Run, after: int, window: int = LOG_WINDOW, levels: Collection[str] | None = None) -> LogWindow:
    rows = RunLogLine.objects.filter(run=run, seq__gt=after)
    if levels:
        rows = rows.filter(level__in=levels)
    found = tuple(rows.order_by("seq")[: window + 1])
    lines = found[:window]
    last = lines[-1].seq if lines else after
    return LogWindow(lines=lines, after=last, earlier=after > 0, more=len(found) > window)


def log_tail(run: Run, window: int = LOG_WINDOW) -> LogWindow:
    newest = list(RunLogLine.objects.filter(run=run).order_by("-seq")[: window + 1])
    lines = tuple(reversed(newest[:window]))
    return LogWindow(lines=lines, after=lines[-1].seq if lines else 0, earlier=len(newest) > window, more=False)


def log_lines(run: Run, chunk: int) -> Iterator[RunLogLine]:
    """The whole log, a chunk at a time: memory stays flat however long it is."""
    after = 0
    while True:
        window = log_after(run, after, chunk)
        yield from window.lines
        if not window.more:
            return
        after = window.after


def is_over(run: Run) -> bool:
    return run.status in TERMINAL
