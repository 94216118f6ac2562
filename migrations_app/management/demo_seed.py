"""Seeds the demonstration fleet through the same verbs as the pages.

A second call goes on where the first one ended: a run that ended as told is not started again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from migrations_app.admission.door import start_run
from migrations_app.engine.contract.folder import read_folder
from migrations_app.engine.errors import Refused
from migrations_app.fleet.environments import add_environment, change_dsn
from migrations_app.fleet.revisions import put_folder
from migrations_app.fleet.services import create_service
from migrations_app.jobs import apply
from migrations_app.management import demo_gates, demo_targets
from migrations_app.management.demo_fleet import RELEASES, SERVICE, Act, Go, Load, Place
from migrations_app.models import Environment, Release, Revision, Run, Service
from migrations_app.permissions import ADMIN, OPERATOR
from migrations_app.releases.registering import register_release
from migrations_app.runs import actions
from migrations_app.statuses import OPEN, TERMINAL, RunStatus

PATIENCE_SECONDS = 180.0
LOOK_SECONDS = 0.2
FOLDER = "deploy/demo"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Crew:
    """In whose name the demonstration acts: one who may edit the fleet, one who may start runs."""

    admin: User
    operator: User


def seed(fleet: Sequence[Place], say: Say) -> None:
    """Make the service, its revisions, environments and history; one line for each environment."""
    for place in fleet:
        demo_targets.require_server(place.major)
    crew = gather()
    service = _service(crew)
    _register(service, crew)
    for place in fleet:
        environment = _environment(service, place, crew)
        for number in range(_first_to_do(environment, place), len(place.acts)):
            _act(environment, place, number, crew)
        say(_line(environment, place))
    # Last: a signature is void as soon as a target is added.
    demo_gates.report(service, crew.operator)


def gather() -> Crew:
    """Raises Refused("no_demo_user")."""
    return Crew(admin=_user(ADMIN), operator=_user(OPERATOR))


def _user(role: str) -> User:
    user = User.objects.filter(is_active=True, groups__name=role).order_by("pk").first()
    if user is None:
        raise Refused(
            "no_demo_user",
            f"Nobody with the role {role} exists in whose name the demonstration could act.",
            not_done="Nothing was seeded.",
            next_step="Run `manage.py ensure_demo_users`, then `manage.py demo` again.",
        )
    return user


def _service(crew: Crew) -> Service:
    service = Service.objects.filter(name=SERVICE).first() or create_service(name=SERVICE, by=crew.admin)
    stored = set(Revision.objects.filter(service=service).values_list("revision_id", flat=True))
    # What is stored stays: a later Lockstep may bring other bytes under the same id.
    files = [one for one in read_folder(settings.BASE_DIR / FOLDER / SERVICE) if one.revision_id not in stored]
    put_folder(service=service, files=files, by=crew.operator)
    return service


def _register(service: Service, crew: Crew) -> None:
    """As with revisions, what is registered stays as it is."""
    known = set(Release.objects.filter(service=service).values_list("release_id", flat=True))
    for built in RELEASES:
        if built.release_id not in known:
            register_release(
                service=service,
                release_id=built.release_id,
                schema_rev=built.schema_rev,
                schema_rev_min=built.oldest,
                schema_rev_max=built.newest,
                by=crew.operator,
            )


def _environment(service: Service, place: Place, crew: Crew) -> Environment:
    known = Environment.objects.filter(service=service, name=place.name).first()
    if known is not None:
        return _followed(known, place, crew)
    return add_environment(
        service=service,
        name=place.name,
        stage=place.stage,
        region=place.region,
        order=place.order,
        dsn=demo_targets.ensure(place),
        health_url="",
        by=crew.admin,
    )


def _followed(known: Environment, place: Place, crew: Crew) -> Environment:
    """The address of a data folder that was moved, or copied, leads nowhere, or to the copy's original."""
    reference = demo_targets.ensure(place)
    old, new = Path(known.dsn_reference), Path(reference.removeprefix("file:"))
    if old == new or old.parts[-3:] != new.parts[-3:]:
        return known
    return change_dsn(environment=known, dsn=reference, by=crew.admin)


def _first_to_do(environment: Environment, place: Place) -> int:
    """The act after the last run that ended as told; rows are loaded only on the way there."""
    done = [
        number
        for number, act in enumerate(place.acts, start=1)
        if isinstance(act, Go) and _runs(environment, number - 1).filter(status=act.ends).exists()
    ]
    return max(done, default=0)


def _act(environment: Environment, place: Place, number: int, crew: Crew) -> None:
    act: Act = place.acts[number]
    if isinstance(act, Load):
        demo_targets.load(place, settings.BASE_DIR / FOLDER / act.file, unless_rows_in=act.unless_rows_in)
    elif act.ends == RunStatus.CANCELLED:
        _start_and_cancel(environment, number, act, crew.operator)
    else:
        _check_ending(act, carry(_start(environment, number, act, crew.operator)))


def _runs(environment: Environment, number: int) -> QuerySet[Run]:
    """This act's runs: more than one when an earlier one ended otherwise than told."""
    return Run.objects.filter(environment=environment, idempotency_key__startswith=_key(environment, number))


def _key(environment: Environment, number: int) -> str:
    return f"demo:{environment.name}:{number}:"


def _start(environment: Environment, number: int, act: Go, by: User) -> Run:
    """The run that a killed seed left open, or a new one."""
    environment.refresh_from_db()  # its head moved with the run before
    runs = _runs(environment, number)
    return (
        runs.filter(status__in=OPEN).first()
        or start_run(
            environment=environment,
            direction=act.direction,
            to=act.to,
            by=by,
            reason=act.reason,
            idempotency_key=f"{_key(environment, number)}{runs.count() + 1}",
        ).run
    )


def _start_and_cancel(environment: Environment, number: int, act: Go, by: User) -> None:
    """In one transaction, so that no worker sees the run before it is cancelled."""
    with transaction.atomic():
        actions.cancel(_start(environment, number, act, by), by=by, reason=act.cancelled_because)


def carry(run: Run) -> Run:
    """Be the run's worker until it ends, or wait for the worker that has it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        apply.execute(run.pk)
        run.refresh_from_db()
        if run.status in TERMINAL or time.monotonic() > deadline:
            return run
        time.sleep(LOOK_SECONDS)


def _check_ending(act: Go, run: Run) -> None:
    if run.status == act.ends:
        return
    why = (run.error or {}).get("message", "")
    raise Refused(
        "demo_run_ended_otherwise",
        f"Run {run.pk} to {act.to} on {run.environment} is {run.get_status_display()}"
        f" instead of {act.ends.label}. {why}".rstrip(),
        not_done="The rest of the demonstration was not seeded.",
        next_step="Look at the run's page, clear what it names, then run `manage.py demo` again.",
    )


def _line(environment: Environment, place: Place) -> str:
    environment.refresh_from_db()
    facts = demo_targets.facts(place)
    server = f"PostgreSQL {facts.version}"
    return f"{place.name:<11} {server:<16} {environment.head_revision:<28} {facts.rows:>7,} rows"
