"""The harness's hands on the control plane; every call outlasts a restart of the control database."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.contrib.auth.models import Group, User
from django.db import DatabaseError, IntegrityError, InterfaceError, connection, transaction

from migrations_app.admission.door import start_run
from migrations_app.engine.contract.folder import RevisionFiles
from migrations_app.engine.sql.header import read_header
from migrations_app.fleet.environments import add_environment
from migrations_app.fleet.revisions import put_folder
from migrations_app.fleet.services import create_service
from migrations_app.models import Environment, Run, Service
from migrations_app.permissions import ADMIN, RELEASE_MANAGER, ROLES
from migrations_app.runs import actions
from tests.faults.files import Exchange
from tests.faults.plan import Placed, orders
from tests.faults.scripts import Text

PATIENCE_S = 90.0
Result = TypeVar("Result")


def patient(do: Callable[[], Result]) -> Result:
    """Call again while the control database is away; `do` must bear being called twice."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            return do()
        except IntegrityError:
            raise
        except (DatabaseError, InterfaceError):
            connection.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def make_people() -> tuple[User, User]:
    """Who edits the fleet, and who runs."""
    for role in ROLES:
        Group.objects.get_or_create(name=role)
    found = []
    for name, role in (("adam", ADMIN), ("ann", RELEASE_MANAGER)):
        user = User.objects.create_user(name)
        user.groups.add(Group.objects.get(name=role))
        found.append(user)
    return found[0], found[1]


def make_service(name: str, texts: Sequence[Text], by: User, admin: User) -> Service:
    service = create_service(name=name, by=admin)
    files = [RevisionFiles(text.revision_id, text.up, None, text.verify, read_header(text.up)) for text in texts]
    put_folder(service=service, files=files, by=by)
    return service


def make_environment(service: Service, name: str, order: int, address: str, admin: User) -> Environment:
    return add_environment(
        service=service, name=name, stage="dev", region="eu", order=order, dsn=address, health_url="", by=admin
    )


def start(environment: int, to: str, key: str, by: User, exchange: Exchange, placed: Sequence[Placed]) -> int:
    """The run with its orders, which are in place before anybody can claim it."""

    def once() -> int:
        with transaction.atomic():
            started = start_run(
                environment=Environment.objects.get(pk=environment), direction="up", to=to, by=by, idempotency_key=key
            )
            if started.created:
                exchange.give_orders(started.run.pk, orders(placed))
        return started.run.pk

    return patient(once)


def find(by: User, key: str) -> int | None:
    return patient(
        lambda: Run.objects.filter(requested_by=by, idempotency_key=key).values_list("pk", flat=True).first()
    )


def look(run: int) -> Run:
    return patient(lambda: Run.objects.get(pk=run))


def resume(run: int, by: User) -> None:
    """A run that needs an operator because its target was away."""
    patient(lambda: actions.resume(Run.objects.get(pk=run), by=by, reason="the fault harness goes on"))
