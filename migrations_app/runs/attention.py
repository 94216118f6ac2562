"""Which runs need a person, which are on the way, and what is missing before the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from migrations_app.fleet.chain import ServiceRow
from migrations_app.fleet.standing import Standing
from migrations_app.models import Run
from migrations_app.runs.verdict import verdict
from migrations_app.statuses import ACTIVE, CLAIMABLE, RunStatus

SHOWN = 20
_NEEDS = (RunStatus.NEEDS_OPERATOR, RunStatus.PAUSED)


@dataclass(frozen=True)
class Item:
    """A run with its sentence; `ask` is the word on its button."""

    run: Run
    sentence: str
    ask: str


@dataclass(frozen=True)
class FirstStep:
    word: str
    text: str
    done: bool
    page: str  # the URL name that does it; empty where a person cannot go on yet


def needs_person() -> tuple[Item, ...]:
    """Open runs that wait for somebody, and failures that no later run of the environment has answered."""
    later = Run.objects.filter(environment_id=OuterRef("environment_id"), id__gt=OuterRef("id"))
    runs = Run.objects.select_related("service", "environment", "requested_by")
    stuck = list(runs.filter(status__in=_NEEDS).order_by("id")[:SHOWN])
    failed = list(runs.filter(status=RunStatus.FAILED).exclude(Exists(later)).order_by("-id")[:SHOWN])
    order = {RunStatus.NEEDS_OPERATOR: 0, RunStatus.FAILED: 1, RunStatus.PAUSED: 2}
    found = sorted([*stuck, *failed], key=lambda run: order.get(RunStatus(run.status), 3))
    return tuple(Item(run, verdict(run), _ask(run)) for run in found[:SHOWN])


def _ask(run: Run) -> str:
    return {"needs_operator": "Decide", "failed": "See why", "paused": "Resume or cancel"}[run.status]


def running_now() -> tuple[Item, ...]:
    """What goes on without anybody, a run that waits for a lock included: its sentence names who holds it."""
    runs = (
        Run.objects.filter(status__in=ACTIVE | CLAIMABLE)
        .select_related("service", "environment", "requested_by")
        .order_by("id")[:SHOWN]
    )
    return tuple(Item(run, verdict(run), "Watch") for run in runs)


def first_steps(services: Sequence[ServiceRow], rows: Sequence[Standing]) -> tuple[FirstStep, ...]:
    """The checklist of an installation in which nothing was applied yet; empty afterwards."""
    if any(row.head for row in rows):
        return ()
    has_service, has_revision = bool(services), any(service.revisions for service in services)
    return (
        FirstStep("Add a service", "The application whose databases Lockstep looks after.", has_service, "service_add"),
        FirstStep(
            "Add an environment",
            "Its stage, its region and the address of its target database.",
            bool(rows),
            "services" if has_service else "",
        ),
        FirstStep(
            "Upload revisions",
            "Files named NNNN_name.up.sql, with .down.sql and .verify.sql beside them.",
            has_revision,
            "revisions" if has_service else "",
        ),
        FirstStep(
            "Apply them",
            "Look at the plan on the environment's page, then start the run.",
            False,
            "services" if rows and has_revision else "",
        ),
    )
