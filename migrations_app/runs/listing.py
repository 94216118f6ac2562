"""Lists of runs for pages and API: windows by key, never all rows."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from migrations_app.models import Run
from migrations_app.statuses import OPEN, TERMINAL, RunStatus

WINDOW = 50

# Saved views: the word in the URL and the statuses behind it; an unknown word is no filter.
VIEWS: dict[str, frozenset[str]] = {
    "open": frozenset(OPEN),
    "needs": frozenset({RunStatus.NEEDS_OPERATOR, RunStatus.PAUSED, RunStatus.FAILED}),
    "failed": frozenset({RunStatus.FAILED}),
    "done": frozenset(TERMINAL),
    **{status.value: frozenset({status}) for status in RunStatus},
}


@dataclass(frozen=True)
class RunFilter:
    """What the URL asks for; empty means everything."""

    service: str = ""
    environment: str = ""
    view: str = ""
    mine: bool = False
    before: int | None = None

    @property
    def narrows(self) -> bool:
        return bool(self.service or self.environment or self.view or self.mine)


@dataclass(frozen=True)
class RunWindow:
    rows: tuple[Run, ...]
    older: int | None  # the key to go on from; None at the end


def list_runs(user: AbstractBaseUser | AnonymousUser, wanted: RunFilter, window: int = WINDOW) -> RunWindow:
    """Newest first; one row more than the window tells whether there are older ones."""
    rows = list(_filtered(user, wanted)[: window + 1])
    shown = rows[:window]
    return RunWindow(rows=tuple(shown), older=shown[-1].pk if len(rows) > window else None)


def _filtered(user: AbstractBaseUser | AnonymousUser, wanted: RunFilter) -> QuerySet[Run]:
    runs = Run.objects.select_related("service", "environment", "requested_by").order_by("-id")
    if wanted.service:
        runs = runs.filter(service__name=wanted.service)
    if wanted.environment:
        runs = runs.filter(environment__name=wanted.environment)
    if wanted.view in VIEWS:
        runs = runs.filter(status__in=VIEWS[wanted.view])
    if wanted.mine:
        runs = runs.filter(requested_by_id=user.pk)
    if wanted.before is not None:
        runs = runs.filter(pk__lt=wanted.before)
    return runs


def runs_of_environment(environment_id: int, count: int = 5) -> tuple[Run, ...]:
    return tuple(
        Run.objects.filter(environment_id=environment_id)
        .select_related("service", "environment", "requested_by")
        .order_by("-id")[:count]
    )
