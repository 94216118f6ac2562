"""Environments: each one is proven on its target before it is stored, and says so in the target's identity row.

Every verb is one transaction of the control database around one of the target. The target's commits first: if the
control database then fails, an identity without an environment stays behind, which the next try takes over.
"""

from __future__ import annotations

from uuid import uuid4

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app.audit.record import record
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.facts import prove
from migrations_app.engine.target.identity import check_identity, release_identity
from migrations_app.fleet.control_database import refuse_control_database
from migrations_app.fleet.edit import UNCHANGED, Edit, Unchanged, check_lock_window, editable
from migrations_app.fleet.ledger import mark_unreachable, reconcile
from migrations_app.fleet.names import check_name
from migrations_app.fleet.place import Place
from migrations_app.fleet.proof import name_taken, named_conflicts, prove_anew, show_receipts, store
from migrations_app.fleet.references import read_reference
from migrations_app.fleet.registration import fleet_session, register
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.fleet.stored import Entry, locked, shown, spoken
from migrations_app.models import CutoverStep, Environment, Run, Service


def add_environment(
    *,
    service: Service,
    name: str,
    stage: str,
    region: str,
    order: int,
    dsn: str,
    health_url: str,
    by: User,
    adopt: bool = False,
    lock_window_seconds: int | None = None,
) -> Environment:
    """Prove the target, register it there, store the environment. All of it or nothing.

    `adopt` makes a copy of another environment's database this environment's own.
    """
    check_name("environment's name", name)
    place = Place(stage, region, order, health_url)
    place.check()
    check_lock_window(lock_window_seconds)
    _refuse_taken_name(service, name)
    reference = read_reference(dsn)
    address = reference.resolve()
    facts = prove(address)
    environment = Environment(service=service, name=name, uid=uuid4(), created_by=by, **vars(place))
    environment.lock_window_seconds = lock_window_seconds
    with fleet_session(address) as conn:
        refuse_control_database(conn)
        with named_conflicts(environment), transaction.atomic():
            # Stored first: a rival for the same database waits here until this one has ended.
            store(environment, reference, address, facts)
            with conn.transaction():
                register(conn, environment, adopt=adopt)
                record(actor=by, action="environment.create", object=spoken(environment), after=shown(environment))
        show_receipts(environment, conn)
    environment.refresh_from_db()
    return environment


def change_dsn(*, environment: Environment, dsn: str, by: User, adopt: bool = False) -> Environment:
    """Another way to the same database; with `adopt`, another database that takes its place."""
    return prove_anew(environment, read_reference(dsn), by, adopt=adopt, action="environment.change_dsn")


def change_environment(
    *, environment: Environment, edit: Edit, by: User, dsn: str = "", adopt: bool = False
) -> Environment:
    """What one form or request asks for: where it stands and, unless `dsn` is empty, its address. All or nothing."""
    if not dsn:
        return edit_environment(environment=environment, by=by, **vars(edit))
    # Before the target is touched: what cannot be stored must not leave a changed address behind.
    edit.of(environment)
    return prove_anew(
        environment,
        read_reference(dsn),
        by,
        adopt=adopt,
        action="environment.change_dsn",
        also=lambda stored, _: _edit(stored, edit),
    )


def prove_again(*, environment: Environment, by: User, adopt: bool = False) -> Environment:
    """Check the target as on the first day. With `adopt`, accept that the database has moved or was replaced."""
    return prove_anew(environment, None, by, adopt=adopt, action="environment.prove")


def edit_environment(
    *,
    environment: Environment,
    by: User,
    stage: str | None = None,
    region: str | None = None,
    order: int | None = None,
    health_url: str | None = None,
    lock_window_seconds: int | Unchanged | None = UNCHANGED,
    rehearsal_policy: str | None = None,
    rehearsal_days: int | None = None,
    lock_budget_seconds: int | None = None,
    secrets_rev: str | None = None,
    secrets_rev_next: str | None = None,
) -> Environment:
    """Change where it stands and what its runs need; its name is for good, since its target keeps it."""
    edit = Edit(
        stage,
        region,
        order,
        health_url,
        lock_window_seconds,
        rehearsal_policy,
        rehearsal_days,
        lock_budget_seconds,
        secrets_rev,
        secrets_rev_next,
    )
    with transaction.atomic():
        stored = locked(environment)
        entry = _edit(stored, edit)
        if entry is not None:
            entry.record(stored, by)
    environment.refresh_from_db()
    return environment


def has_history(environment: Environment) -> bool:
    """Runs, receipts, rehearsals or a place in a cutover, which nobody removes."""
    kept = (
        environment.ledger,
        Run.objects.filter(environment=environment),
        environment.rehearsals,
        environment.releases,
        CutoverStep.objects.filter(environment=environment),
    )
    return any(rows.exists() for rows in kept)


def remove_environment(*, environment: Environment, by: User) -> None:
    """Only while it has no history. A target that cannot be reached keeps its identity row; nothing else stays."""
    with transaction.atomic():
        stored = locked(environment)
        if has_history(stored):
            raise Refused(
                "environment_has_history",
                f"Environment {stored.name} has runs, receipts or rehearsals, which are kept.",
                not_done="Nothing was removed.",
                next_step="Leave it in place; its history belongs to the audit.",
            )
        before = {**shown(stored), "released": _release(stored)}
        stored.delete()
        record(actor=by, action="environment.remove", object=spoken(stored), before=before)


def check_target(environment: Environment) -> None:
    """Compare the target's receipts with the ledger now; a target that can't be read is marked, and raises."""
    try:
        with fleet_session(resolve_dsn(environment)) as conn:
            check_identity(conn, environment=environment.uid)
            reconcile(environment, conn)
    except LockstepError as failure:
        mark_unreachable(environment, failure.sentence)
        raise


def _edit(stored: Environment, edit: Edit) -> Entry | None:
    """Change the locked row; what changes nothing leaves no entry."""
    old, new = editable(stored), edit.of(stored)
    if new == old:
        return None
    Environment.objects.filter(pk=stored.pk).update(**new)
    return Entry("environment.edit", old, new)


def _release(environment: Environment) -> bool:
    try:
        with fleet_session(resolve_dsn(environment)) as conn:
            return release_identity(conn, environment=environment.uid)
    except LockstepError:
        return False


def _refuse_taken_name(service: Service, name: str) -> None:
    """Asked before the target is touched; the constraint decides all the same."""
    if Environment.objects.filter(service=service, name=name).exists():
        raise name_taken(service, name)
