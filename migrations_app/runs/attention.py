"""What needs a person and which one, which runs are on the way, and what is missing before the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models.functions import Now

from migrations_app.fleet.standing import Standing
from migrations_app.models import RollbackConsent, Run
from migrations_app.permissions import may, who_may
from migrations_app.runs.lease import Lease, lease_of
from migrations_app.runs.pace import left_ms
from migrations_app.runs.verdict import TOLD_FIELDS, verdict
from migrations_app.statuses import ACTIVE, CLAIMABLE, OPEN, ConsentStatus, RunStatus

SHOWN = 12

# state: the verb that answers it, and the word on the button of somebody who may.
_RUN_ASKS = {
    RunStatus.NEEDS_OPERATOR: ("resolve_run", "Decide"),
    RunStatus.FAILED: ("create_run", "See why"),
    RunStatus.PAUSED: ("control_run", "Resume or cancel"),
}
_ORDER = ("needs_operator", "asked", "failed", "drift", "schema_drift", "paused", "unreachable")


@dataclass(frozen=True)
class Item:
    """Something that moves only when a person acts. `run` is None where the environment itself is the matter."""

    state: str
    place: Standing
    sentence: str
    ask: str
    verb: str
    run: Run | None = None
    consent: RollbackConsent | None = None

    @property
    def others(self) -> str:
        """Who may do it, for a reader who may not."""
        return who_may(self.verb)


@dataclass(frozen=True)
class Needs:
    mine: tuple[Item, ...]
    others: tuple[Item, ...]

    @property
    def total(self) -> int:
        return len(self.mine) + len(self.others)

    @property
    def shown(self) -> tuple[Item, ...]:
        return self.mine[:SHOWN]

    @property
    def shown_others(self) -> tuple[Item, ...]:
        return self.others[: max(SHOWN - len(self.mine), 0)]

    @property
    def hidden(self) -> int:
        return self.total - len(self.shown) - len(self.shown_others)


@dataclass(frozen=True)
class Moving:
    """A run on the way; `left_ms` only where its own pace says something."""

    run: Run
    sentence: str
    lease: Lease
    left_ms: float | None


@dataclass(frozen=True)
class FirstStep:
    word: str
    text: str
    done: bool
    page: str  # the URL name that does it; empty where a person cannot go on yet


def telling_runs(rows: Sequence[Standing]) -> dict[int, Run]:
    """The runs that are open, and the failures that no later run has answered, by id.

    An environment has one open run at most and no newer run beside it, so only each one's newest can be either.
    """
    ids = [row.run_id for row in rows if row.run_id and (row.run_status in OPEN or row.run_status == RunStatus.FAILED)]
    if not ids:
        return {}
    runs = Run.objects.select_related("environment", "requested_by").only(*TOLD_FIELDS)
    return runs.in_bulk(ids)


def waiting_consents() -> tuple[RollbackConsent, ...]:
    """Roll-backs that wait for a second person; one for each environment at most."""
    waiting = RollbackConsent.objects.filter(status=ConsentStatus.ASKED, expires_at__gt=Now())
    return tuple(waiting.select_related("asked_by").order_by("pk"))


def needs_person(
    rows: Sequence[Standing],
    runs: dict[int, Run],
    user: AbstractBaseUser | AnonymousUser,
    consents: Sequence[RollbackConsent] = (),
) -> Needs:
    """Decisions first, then failures, disagreements, what somebody paused, and targets that are gone."""
    items = [*_of_runs(rows, runs), *_of_places(rows), *_of_consents(rows, consents)]
    found = sorted(items, key=lambda item: _ORDER.index(item.state))
    return Needs(
        mine=tuple(item for item in found if may(user, item.verb)),
        others=tuple(item for item in found if not may(user, item.verb)),
    )


def _of_consents(rows: Sequence[Standing], consents: Sequence[RollbackConsent]) -> list[Item]:
    places = {row.id: row for row in rows}
    return [
        Item(
            "asked",
            places[consent.environment_id],
            f"Waiting for a second person: roll back {consent.to or 'one step'} on "
            f"{places[consent.environment_id].environment}, asked for by {consent.asked_by.get_username()}.",
            "Decide",
            "grant_rollback",
            consent=consent,
        )
        for consent in consents
        if consent.environment_id in places
    ]


def _of_runs(rows: Sequence[Standing], runs: dict[int, Run]) -> list[Item]:
    items = []
    for row in rows:
        run = runs.get(row.run_id or 0)
        # As it stands now: it may have moved on since its environment was read.
        if run is not None and run.status in _RUN_ASKS:
            verb, ask = _RUN_ASKS[RunStatus(run.status)]
            items.append(Item(run.status, row, verdict(run), ask, verb, run))
    return items


def _of_places(rows: Sequence[Standing]) -> list[Item]:
    items = [_place("drift", row, row.reconcile_note) for row in rows if row.reconcile_note]
    items += [Item("schema_drift", row, row.schema_drift, "Decide", "decide_drift") for row in rows if row.schema_drift]
    gone = [row for row in rows if row.reachability == "unreachable"]
    return items + [_place("unreachable", row, row.reachability_note or "It could not be reached.") for row in gone]


def _place(state: str, row: Standing, sentence: str) -> Item:
    return Item(state, row, sentence, "Look into it", "control_run")


def moving_runs(runs: dict[int, Run], now: datetime) -> tuple[Moving, ...]:
    """What goes on without anybody, a run that waits for a lock included: its sentence names who holds it."""
    going = sorted((run for run in runs.values() if run.status in ACTIVE | CLAIMABLE), key=lambda run: run.pk)
    return tuple(_moving(run, lease_of(run, now), now) for run in going)


def _moving(run: Run, lease: Lease, now: datetime) -> Moving:
    return Moving(run, verdict(run), lease, None if lease.lost else left_ms(run, now))


def first_steps(*, has_service: bool, has_revision: bool, rows: Sequence[Standing]) -> tuple[FirstStep, ...]:
    """The checklist of an installation in which nothing was applied yet; empty afterwards."""
    if any(row.head for row in rows):
        return ()
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
