"""Environments of a service: list, look, add, change, prove. No answer holds an address with a password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from django.db.models import Q
from django.http import HttpRequest
from ninja import Body, Router
from ninja.responses import Status
from pydantic import Field

from dashboard import access
from dashboard.api.cursor import After, Limit, read, write
from dashboard.api.shapes import Asking, Moment, NewName, Telling, answers
from migrations_app.engine.errors import ConnectionLost, Refused
from migrations_app.fleet import backups, environments
from migrations_app.fleet.acceptance import accept_target
from migrations_app.fleet.edit import (
    LONGEST_LOCK_BUDGET,
    LONGEST_LOCK_WINDOW,
    LONGEST_SECRETS_REV,
    MOST_REHEARSAL_DAYS,
    Edit,
)
from migrations_app.reasons import SHORTEST_REASON

router = Router(tags=["environments"])


Region = Annotated[str, Field(max_length=63)]
Order = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Address = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="env:NAME, file:PATH or a postgresql:// URL, which is kept encrypted and never shown.",
    ),
]
HealthUrl = Annotated[str, Field(max_length=500)]
LockWindow = Annotated[
    Annotated[int, Field(ge=1, le=LONGEST_LOCK_WINDOW)] | None,
    Field(description="How long a run tries for locks; null is the installation's default."),
]

Policy = Annotated[
    Literal["", "never", "rollback", "always"],
    Field(description="When a run needs a fresh rehearsal; empty goes by the stage: to roll back on production."),
]
Days = Annotated[int, Field(ge=1, le=MOST_REHEARSAL_DAYS, description="For how many days a rehearsal counts.")]
Budget = Annotated[int, Field(ge=0, le=LONGEST_LOCK_BUDGET, description="0 lets any lock pass.")]
SecretsRev = Annotated[
    str, Field(max_length=LONGEST_SECRETS_REV, description="Names a set of secrets; empty: not looked at.")
]


class NewEnvironment(Asking):
    name: NewName
    stage: NewName
    region: Region = ""
    order: Order = 0
    dsn: Address
    health_url: HealthUrl = ""
    lock_window_seconds: LockWindow = None


class Changes(Asking):
    """A field that is left out stays as it is. The factories keep untrue defaults out of the OpenAPI document."""

    stage: NewName = Field(default_factory=str)
    region: Region = Field(default_factory=str)
    order: Order = Field(default_factory=int)
    health_url: HealthUrl = Field(default_factory=str)
    lock_window_seconds: LockWindow = Field(default_factory=lambda: None)
    rehearsal_policy: Policy = Field(default_factory=lambda: "")
    rehearsal_days: Days = Field(default_factory=int)
    lock_budget_seconds: Budget = Field(default_factory=int)
    secrets_rev: SecretsRev = Field(default_factory=str)
    secrets_rev_next: SecretsRev = Field(default_factory=str)
    dsn: Address = Field(default_factory=str)
    adopt: Annotated[bool, Field(description="With dsn: accept that the database has moved or was replaced.")] = False

    def edit(self) -> Edit:
        return Edit(**self.model_dump(exclude_unset=True, exclude={"dsn", "adopt"}))


class Proof(Asking):
    adopt: Annotated[bool, Field(description="Accept that the database has moved or was replaced.")] = False


class RestoredBackup(Asking):
    dsn: Address


class Acceptance(Proof):
    reason: Annotated[str, Field(min_length=SHORTEST_REASON, max_length=500)]


# The body may be left out.
OptionalProof = Annotated[Proof, Body()]
JUST_LOOK = Proof()


class EnvironmentOut(Telling):
    service: str
    name: str
    stage: str
    region: str
    order: int
    health_url: str
    dsn_kind: str
    target: str
    backup: str
    server_version_num: int | None
    reachability: str
    reachability_note: str
    checked_at: Moment | None
    head_revision: str
    head_seq: int
    reconciled_at: Moment | None
    reconcile_note: str
    differs_from: int | None
    lock_window_seconds: int | None
    rehearsal_policy: str
    rehearsal_days: int
    lock_budget_seconds: int
    secrets_rev: str
    secrets_rev_next: str
    created_at: Moment
    created_by: str


class EnvironmentsOut(Telling):
    environments: list[EnvironmentOut]
    next: str | None


def told(environment: access.Environment) -> EnvironmentOut:
    return EnvironmentOut(
        service=environment.service.name,
        name=environment.name,
        stage=environment.stage,
        region=environment.region,
        order=environment.order,
        health_url=environment.health_url,
        dsn_kind=environment.dsn_kind,
        target=environment.target_name,
        backup=environment.backup_name,
        server_version_num=environment.server_version_num,
        reachability=environment.reachability,
        reachability_note=environment.reachability_note,
        checked_at=environment.checked_at,
        head_revision=environment.head_revision,
        head_seq=environment.head_seq,
        reconciled_at=environment.reconciled_at,
        reconcile_note=environment.reconcile_note,
        differs_from=environment.differs_from,
        lock_window_seconds=environment.lock_window_seconds,
        rehearsal_policy=environment.rehearsal_policy,
        rehearsal_days=environment.rehearsal_days,
        lock_budget_seconds=environment.lock_budget_seconds,
        secrets_rev=environment.secrets_rev,
        secrets_rev_next=environment.secrets_rev_next,
        created_at=environment.created_at,
        created_by=environment.created_by.get_username(),
    )


@router.get("/{service}/environments", response=answers(EnvironmentsOut), operation_id="list_environments")
def list_environments(request: HttpRequest, service: str, after: After = "", limit: Limit = 50) -> EnvironmentsOut:
    """In their order, a page at a time."""
    owner = access.service_for(request.user, service)
    of = f"environments of {owner.pk}"
    rows = access.environments_for(request.user).filter(service=owner).order_by("order", "name")
    if after:
        order, name = read(of, after)
        rows = rows.filter(Q(order__gt=order) | Q(order=order, name__gt=name))
    found = list(rows[: limit + 1])
    more = write(of, found[limit - 1].order, found[limit - 1].name) if len(found) > limit else None
    return EnvironmentsOut(environments=[told(environment) for environment in found[:limit]], next=more)


@router.post("/{service}/environments", response=answers(EnvironmentOut, 201, also=409), operation_id="add_environment")
def add_environment(request: HttpRequest, service: str, body: NewEnvironment) -> Status[EnvironmentOut]:
    by = access.require(request.user, "edit_fleet", f"environment:{service}/{body.name}")
    owner = access.service_for(request.user, service)
    with _address_of_the_request():
        made = environments.add_environment(by=by, service=owner, **body.model_dump())
    return Status(201, told(made))


@router.get("/{service}/environments/{environment}", response=answers(EnvironmentOut), operation_id="get_environment")
def get_environment(request: HttpRequest, service: str, environment: str) -> EnvironmentOut:
    return told(access.environment_for(request.user, service, environment))


@router.patch(
    "/{service}/environments/{environment}",
    response=answers(EnvironmentOut, also=409),
    operation_id="change_environment",
)
def change_environment(request: HttpRequest, service: str, environment: str, body: Changes) -> EnvironmentOut:
    """Change where it stands, what its runs need and its address; what is left out stays. All of it or nothing."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    by = access.require(request.user, "edit_fleet")
    if body.adopt and not body.dsn:
        raise _adopts_nothing()
    with _address_of_the_request():
        changed = environments.change_environment(
            environment=found, edit=body.edit(), by=by, dsn=body.dsn, adopt=body.adopt
        )
    return told(changed)


@router.post(
    "/{service}/environments/{environment}/prove",
    response=answers(EnvironmentOut, also=409),
    operation_id="prove_environment",
)
def prove(request: HttpRequest, service: str, environment: str, body: OptionalProof = JUST_LOOK) -> EnvironmentOut:
    """Check the target as on the first day: who it is, what may be done there, which receipts it has."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    by = access.require(request.user, "edit_fleet")
    return told(environments.prove_again(environment=found, by=by, adopt=body.adopt))


@router.post(
    "/{service}/environments/{environment}/accept-target",
    response=answers(EnvironmentOut, also=409),
    operation_id="accept_target",
)
def accept(request: HttpRequest, service: str, environment: str, body: Acceptance) -> EnvironmentOut:
    """Begin the ledger anew with the receipts of a target that was restored or made anew. Nothing is deleted."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    by = access.require(request.user, "edit_fleet")
    return told(accept_target(environment=found, by=by, reason=body.reason, adopt=body.adopt))


@router.put(
    "/{service}/environments/{environment}/backup",
    response=answers(EnvironmentOut, also=409),
    operation_id="name_backup",
)
def name_backup(request: HttpRequest, service: str, environment: str, body: RestoredBackup) -> EnvironmentOut:
    """Name a restored backup to rehearse on. It has to be this environment's, and must not be the target itself."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    by = access.require(request.user, "edit_fleet")
    with _address_of_the_request():
        return told(backups.name_backup(environment=found, dsn=body.dsn, by=by))


@router.delete(
    "/{service}/environments/{environment}/backup", response=answers(EnvironmentOut), operation_id="forget_backup"
)
def forget_backup(request: HttpRequest, service: str, environment: str) -> EnvironmentOut:
    """Take the backup's address away; the database is left as it is."""
    found = access.environment_for(request.user, service, environment, "edit_fleet")
    return told(backups.forget_backup(environment=found, by=access.require(request.user, "edit_fleet")))


@contextmanager
def _address_of_the_request() -> Iterator[None]:
    """The address is part of the request, so one that leads nowhere is the request's mistake."""
    try:
        yield
    except ConnectionLost as lost:
        raise Refused(lost.code, lost.message, not_done=lost.not_done, next_step=lost.next_step) from None


def _adopts_nothing() -> Refused:
    return Refused(
        "adopt_without_dsn",
        "The field adopt is about a new address, and the field dsn is missing.",
        not_done="Nothing was changed.",
        next_step="Send dsn too; to accept a database that was replaced at its old address, prove the environment.",
    )
