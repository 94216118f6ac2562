"""Lists of runs for pages and API: windows by key, never all rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Exists, F, Func, IntegerField, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Now

from migrations_app.fleet.production import production_ids
from migrations_app.models import Environment, Run, RunStep, Service
from migrations_app.runs.verdict import name_ends
from migrations_app.statuses import ACTIVE, HELD, OPEN, TERMINAL, RunStatus

WINDOW = 50
STUCK_SECONDS = 30
MOST_NEWER = 99

Person = AbstractBaseUser | AnonymousUser

# Saved views: the word in the URL and the statuses behind it; the API takes the same words.
VIEWS: dict[str, frozenset[str]] = {
    "open": frozenset(OPEN),
    "needs": frozenset({RunStatus.NEEDS_OPERATOR, RunStatus.PAUSED, RunStatus.FAILED}),
    "failed": frozenset({RunStatus.FAILED}),
    "done": frozenset(TERMINAL),
    **{status.value: frozenset({status}) for status in RunStatus},
}
# These are the pages' own.
PAGE_VIEWS: dict[str, frozenset[str]] = {**VIEWS, "awaiting": frozenset(HELD), "stuck": frozenset(ACTIVE)}


@dataclass(frozen=True)
class RunFilter:
    """What the URL asks for; empty means everything."""

    service: str = ""
    environment: str = ""
    view: str = ""
    mine: bool = False
    production: bool = False
    status: str = ""
    direction: str = ""
    by: str = ""
    revision: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None  # older than this number
    after: int | None = None  # newer than this number

    @property
    def narrows(self) -> bool:
        return self.unpaged() != RunFilter()

    def unpaged(self) -> RunFilter:
        return replace(self, before=None, after=None)

    def without(self, name: str) -> RunFilter:
        empty = RunFilter()
        return replace(self, **{name: getattr(empty, name)})


@dataclass(frozen=True)
class RunWindow:
    rows: tuple[Run, ...]
    older: int | None  # the key to go on from; None at the end


@dataclass(frozen=True)
class RunRow:
    """One line of a list, without the texts and plans that a list does not show."""

    id: int
    status: str
    asked: str
    direction: str
    service: str
    environment: str
    to_revision: str
    steps_done: int
    steps_total: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    worker: str
    beat_at: datetime | None
    requested_by: str
    revision_count: int
    first_revision: str
    last_revision: str

    @property
    def revisions(self) -> str:
        return name_ends(self.first_revision, self.last_revision, self.revision_count)


@dataclass(frozen=True)
class RunPage:
    rows: tuple[RunRow, ...]
    newer: int | None
    older: int | None


_NAMED = {"service": "service__name", "environment": "environment__name", "requested_by": "requested_by__username"}
_COLUMNS = tuple(_NAMED.get(field.name, field.name) for field in fields(RunRow))


def list_runs(user: Person, wanted: RunFilter, window: int = WINDOW) -> RunWindow:
    """Newest first; one row more than the window tells whether there are older ones."""
    runs = filtered(user, wanted).select_related("service", "environment", "requested_by").order_by("-id")
    rows = list(_paged(runs, wanted)[: window + 1])
    shown = rows[:window]
    return RunWindow(rows=tuple(shown), older=shown[-1].pk if len(rows) > window else None)


def page_of_runs(user: Person, wanted: RunFilter, window: int = WINDOW) -> RunPage:
    """A window on either side of a number; the row it started from lies on the other side, so that side has more."""
    runs = _paged(filtered(user, wanted), wanted)
    back = wanted.after is not None
    found = _read(runs.order_by("id" if back else "-id")[: window + 1])
    more, rows = len(found) > window, found[:window]
    if back:
        rows.reverse()
        return RunPage(tuple(rows), newer=_key(rows, 0, more), older=_key(rows, -1, True))
    return RunPage(tuple(rows), newer=_key(rows, 0, wanted.before is not None), older=_key(rows, -1, more))


def _key(rows: list[RunRow], place: int, more: bool) -> int | None:
    return rows[place].id if rows and more else None


def rows_of(ids: Collection[int]) -> tuple[RunRow, ...]:
    """The rows with these numbers as they stand now, newest first."""
    return tuple(_read(Run.objects.filter(pk__in=ids).order_by("-id")))


def runs_of_environment(environment_id: int, count: int = 5) -> tuple[RunRow, ...]:
    return tuple(_read(Run.objects.filter(environment_id=environment_id).order_by("-id")[:count]))


def count_newer(user: Person, wanted: RunFilter, than: int) -> int:
    """How many rows came since; one more than MOST_NEWER means "many"."""
    return filtered(user, wanted).filter(pk__gt=than)[: MOST_NEWER + 1].count()


def hiding(user: Person, wanted: RunFilter) -> tuple[str, ...]:
    """Of an empty list: the filters each of which alone hides rows."""
    given = [field.name for field in fields(RunFilter) if getattr(wanted, field.name) != field.default]
    names = [name for name in given if name not in ("before", "after")]
    return tuple(name for name in names if filtered(user, wanted.without(name)).exists())


def _read(runs: QuerySet[Run]) -> list[RunRow]:
    plan = runs.annotate(
        revision_count=Func(F("revisions"), function="jsonb_array_length", output_field=IntegerField()),
        first_revision=KeyTextTransform("revision_id", KeyTransform(0, "revisions")),
        last_revision=KeyTextTransform("revision_id", KeyTransform(-1, "revisions")),
    )
    return [RunRow(*row) for row in plan.values_list(*_COLUMNS)]


def _paged(runs: QuerySet[Run], wanted: RunFilter) -> QuerySet[Run]:
    if wanted.before is not None:
        runs = runs.filter(pk__lt=wanted.before)
    if wanted.after is not None:
        runs = runs.filter(pk__gt=wanted.after)
    return runs


def filtered(user: Person, wanted: RunFilter) -> QuerySet[Run]:
    """Every run that fits, in no order and without a window."""
    runs = _by_place(Run.objects.all(), wanted)
    for word in filter(None, (wanted.view, wanted.status)):
        if word in PAGE_VIEWS:
            runs = runs.filter(status__in=sorted(PAGE_VIEWS[word]))
    if wanted.view == "stuck":
        runs = runs.filter(beat_at__lt=Now() - timedelta(seconds=STUCK_SECONDS))
    if wanted.direction:
        runs = runs.filter(direction=wanted.direction)
    if wanted.mine:
        runs = runs.filter(requested_by_id=user.pk)
    if wanted.by:
        runs = runs.filter(requested_by_id__in=_numbers(User.objects.filter(username=wanted.by)))
    if wanted.since:
        runs = runs.filter(created_at__gte=wanted.since)
    if wanted.until:
        runs = runs.filter(created_at__lt=wanted.until)
    return _touching(runs, wanted.revision)


def _by_place(runs: QuerySet[Run], wanted: RunFilter) -> QuerySet[Run]:
    if wanted.service:
        runs = runs.filter(service_id__in=_numbers(Service.objects.filter(name=wanted.service)))
    if wanted.environment:
        runs = runs.filter(environment_id__in=_numbers(Environment.objects.filter(name=wanted.environment)))
    if wanted.production:
        runs = runs.filter(environment_id__in=production_ids())
    return runs


def _numbers(named: QuerySet[Any]) -> list[int]:
    """Looked up first: a name tells the planner nothing, and one that nobody bears would have it read every run."""
    return list(named.values_list("pk", flat=True))


def _touching(runs: QuerySet[Run], prefix: str) -> QuerySet[Run]:
    """Runs with a step of a revision whose id begins so."""
    if not prefix:
        return runs
    return runs.filter(Exists(RunStep.objects.filter(run=OuterRef("pk"), revision_id__startswith=prefix)))
