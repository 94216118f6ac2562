"""Event triggers in a target that tell who changed its schema: installed and removed at an admin's request."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.audit.record import record
from migrations_app.engine.target import ddl_log
from migrations_app.engine.target.identity import check_identity
from migrations_app.fleet.readings import refuse_open_run
from migrations_app.fleet.registration import fleet_session
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.fleet.stored import locked, spoken
from migrations_app.models import Environment, SchemaState


def watch(*, environment: Environment, by: User) -> None:
    """Install them. Raises Refused("watch_refused") where the target's user may not."""
    _change(environment, by, on=True)


def unwatch(*, environment: Environment, by: User) -> None:
    """Remove them and their log; what readings kept of it stays."""
    _change(environment, by, on=False)


def _change(environment: Environment, by: User, *, on: bool) -> None:
    """The target's transaction commits first: a state that says too little is put right by the next reading."""
    with fleet_session(resolve_dsn(environment)) as conn, transaction.atomic():
        stored = locked(environment)
        refuse_open_run(stored)
        check_identity(conn, environment=stored.uid)
        if on:
            ddl_log.install(conn)
        else:
            ddl_log.remove(conn)
        SchemaState.objects.update_or_create(environment=stored, defaults={"watched": on})
        record(actor=by, action="schema.watch" if on else "schema.unwatch", object=spoken(stored))
