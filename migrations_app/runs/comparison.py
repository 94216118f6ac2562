"""A run beside an earlier one of the same revision: how long each step took now and then."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from migrations_app.models import Run, RunStep
from migrations_app.runs.verdict import revision_ids
from migrations_app.statuses import RunStatus, StepStatus

SLOWER = 1.2
NOTABLE_MS = 100  # two milliseconds instead of one are no finding
SHOWN = 60
_LOOKED_AT = 50

Key = tuple[str, int]


@dataclass(frozen=True)
class Pair:
    """One step in both runs; a side that is not known is None."""

    step: RunStep
    now_ms: int | None
    then_ms: int | None

    @property
    def words(self) -> str:
        return in_words(self.now_ms, self.then_ms)

    @property
    def slower(self) -> bool:
        return is_slower(self.now_ms, self.then_ms)


@dataclass(frozen=True)
class Comparison:
    other: Run
    pairs: tuple[Pair, ...]
    hidden: int

    @property
    def slower(self) -> int:
        return sum(pair.slower for pair in self.pairs)

    @property
    def now_ms(self) -> int:
        return sum(pair.now_ms or 0 for pair in self._both)

    @property
    def then_ms(self) -> int:
        return sum(pair.then_ms or 0 for pair in self._both)

    @property
    def words(self) -> str:
        return in_words(self.now_ms, self.then_ms)

    @property
    def _both(self) -> list[Pair]:
        return [pair for pair in self.pairs if pair.now_ms is not None and pair.then_ms is not None]


def is_slower(now: int | None, then: int | None) -> bool:
    return now is not None and then is not None and now > then * SLOWER and now - then >= NOTABLE_MS


def in_words(now: int | None, then: int | None) -> str:
    """`24 % slower` only where it is more than a fifth and worth a look; `as before` within that."""
    if now is None or then is None:
        return ""
    if is_slower(now, then):
        return f"{round((now / then - 1) * 100)} % slower" if then else "slower"
    return "faster" if is_slower(then, now) else "as before"


def earlier_runs(run: Run) -> tuple[Run, ...]:
    """The newest earlier run of the same revision in the same direction here, and the newest one elsewhere."""
    ids = revision_ids(run)
    if not ids:
        return ()
    touching = RunStep.objects.filter(revision_id=ids[-1], run_id__lt=run.pk).order_by("-run_id")
    numbers = list(dict.fromkeys(touching.values_list("run_id", flat=True)[:_LOOKED_AT]))
    ended = (RunStatus.SUCCEEDED, RunStatus.ROLLED_BACK)
    runs = list(
        Run.objects.filter(pk__in=numbers, service_id=run.service_id, direction=run.direction, status__in=ended)
        .select_related("environment", "service", "requested_by")
        .order_by("-pk")
    )
    here = next((other for other in runs if other.environment_id == run.environment_id), None)
    elsewhere = next((other for other in runs if other.environment_id != run.environment_id), None)
    return tuple(other for other in (here, elsewhere) if other is not None)


def compare(run: Run, other: Run) -> Comparison:
    shown = revision_ids(run)[:SHOWN]
    then = {(step.revision_id, step.n): _ms(step) for step in _steps(other, shown)[: SHOWN * 4]}
    mine = list(_steps(run, shown)[:SHOWN])
    pairs = tuple(Pair(step, _ms(step), then.get((step.revision_id, step.n))) for step in mine)
    return Comparison(other, pairs, hidden=max(run.steps_total - len(pairs), 0))


def _steps(run: Run, revisions: list[str]) -> QuerySet[RunStep]:
    return RunStep.objects.filter(run_id=run.pk, revision_id__in=revisions).order_by("ordinal")


def _ms(step: RunStep) -> int | None:
    return step.wait_ms + step.work_ms if step.status == StepStatus.DONE else None
