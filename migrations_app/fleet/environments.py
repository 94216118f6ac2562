"""Environments: each one is proven on its target before it is stored, and says so in the target's identity row.

Every verb is one transaction of the control database around one of the target. The target's commits first: if the
control database then fails, an identity without an environment stays behind, which the next try takes over.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from migrations_app.audit.record import record
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.facts import TargetFacts, prove
from migrations_app.engine.target.identity import check_identity, release_identity
from migrations_app.fleet.control_database import refuse_control_database
from migrations_app.fleet.edit import UNCHANGED, Edit, Unchanged, check_lock_window, editable
from migrations_app.fleet.ledger import mark_unreachable, reconcile
from migrations_app.fleet.names import check_name
from migrations_app.fleet.place import Place
from migrations_app.fleet.references import Reference, read_reference
from migrations_app.fleet.registration import fleet_session, register
from migrations_app.fleet.secrets import resolve_dsn, seal
from migrations_app.models import Environment, Run, Service
from migrations_app.models.environment import DsnKind, Reachability
from migrations_app.statuses import OPEN


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
        with _named_conflicts(environment), transaction.atomic():
            # Stored first: a rival for the same database waits here until this one has ended.
            _store(environment, reference, address, facts)
            with conn.transaction():
                register(conn, environment, adopt=adopt)
                record(actor=by, action="environment.create", object=_object(environment), after=_shown(environment))
        _compare(environment, conn)
    environment.refresh_from_db()
    return environment


def change_dsn(*, environment: Environment, dsn: str, by: User, adopt: bool = False) -> Environment:
    """Another way to the same database; with `adopt`, another database that takes its place."""
    return _prove_anew(environment, read_reference(dsn), by, adopt=adopt, action="environment.change_dsn")


def change_environment(
    *, environment: Environment, edit: Edit, by: User, dsn: str = "", adopt: bool = False
) -> Environment:
    """What one form or request asks for: where it stands and, unless `dsn` is empty, its address. All or nothing."""
    if not dsn:
        return edit_environment(environment=environment, by=by, **vars(edit))
    # Before the target is touched: what cannot be stored must not leave a changed address behind.
    edit.of(environment)
    reference = read_reference(dsn)
    return _prove_anew(environment, reference, by, adopt=adopt, action="environment.change_dsn", edit=edit)


def prove_again(*, environment: Environment, by: User, adopt: bool = False) -> Environment:
    """Check the target as on the first day. With `adopt`, accept that the database has moved or was replaced."""
    return _prove_anew(environment, None, by, adopt=adopt, action="environment.prove")


def edit_environment(
    *,
    environment: Environment,
    by: User,
    stage: str | None = None,
    region: str | None = None,
    order: int | None = None,
    health_url: str | None = None,
    lock_window_seconds: int | Unchanged | None = UNCHANGED,
) -> Environment:
    """Change where it stands and how long runs try for locks; its name is for good, since its target keeps it."""
    edit = Edit(stage, region, order, health_url, lock_window_seconds)
    with transaction.atomic():
        _edit(_locked(environment), edit, by)
    environment.refresh_from_db()
    return environment


def has_history(environment: Environment) -> bool:
    """Runs or receipts, which nobody removes."""
    return environment.ledger.exists() or Run.objects.filter(environment=environment).exists()


def remove_environment(*, environment: Environment, by: User) -> None:
    """Only while it has no history. A target that cannot be reached keeps its identity row; nothing else stays."""
    with transaction.atomic():
        stored = _locked(environment)
        if has_history(stored):
            raise Refused(
                "environment_has_history",
                f"Environment {stored.name} has runs or receipts, which are kept.",
                not_done="Nothing was removed.",
                next_step="Leave it in place; its history belongs to the audit.",
            )
        shown = {**_shown(stored), "released": _release(stored)}
        stored.delete()
        record(actor=by, action="environment.remove", object=_object(stored), before=shown)


def check_target(environment: Environment) -> None:
    """Compare the target's receipts with the ledger now; a target that can't be read is marked, and raises."""
    try:
        with fleet_session(resolve_dsn(environment)) as conn:
            check_identity(conn, environment=environment.uid)
            reconcile(environment, conn)
    except LockstepError as failure:
        mark_unreachable(environment, failure.sentence)
        raise


def _prove_anew(
    environment: Environment,
    reference: Reference | None,
    by: User,
    *,
    adopt: bool,
    action: str,
    edit: Edit | None = None,
) -> Environment:
    _refuse_while_running(environment)
    address = reference.resolve() if reference else resolve_dsn(environment)
    facts = prove(address)
    with fleet_session(address) as conn:
        refuse_control_database(conn)
        with _named_conflicts(environment), transaction.atomic():
            stored = _locked(environment)
            _refuse_while_running(stored)
            before = _shown(stored)
            _store(stored, reference, address, facts)
            with conn.transaction():
                register(conn, stored, adopt=adopt, known=stored.head_seq > 0)
                after = {**_shown(stored), "adopted": adopt}
                record(actor=by, action=action, object=_object(stored), before=before, after=after)
                if edit is not None:
                    _edit(stored, edit, by)
        _compare(stored, conn)
    environment.refresh_from_db()
    return environment


def _edit(stored: Environment, edit: Edit, by: User) -> None:
    """Change the locked row; what changes nothing leaves no entry."""
    old, new = editable(stored), edit.of(stored)
    if new == old:
        return
    Environment.objects.filter(pk=stored.pk).update(**new)
    record(actor=by, action="environment.edit", object=_object(stored), before=old, after=new)


def _store(environment: Environment, reference: Reference | None, address: Dsn, facts: TargetFacts) -> None:
    """Write what the proof found; raises IntegrityError for a name or a database that is taken."""
    if reference is not None:
        environment.dsn_kind, environment.dsn_reference = reference.kind, reference.name
        environment.dsn_sealed, environment.dsn_key_id = None, ""
    if reference is not None and reference.kind == DsnKind.STORED:
        sealed = seal(reference.address, aad=environment.uid.bytes)
        environment.dsn_sealed, environment.dsn_key_id = sealed.data, sealed.key_id
    environment.target_name = address.safe[:300]
    environment.system_identifier = facts.system_identifier
    environment.database_oid = facts.database_oid
    environment.server_version_num = facts.server_version_num
    environment.reachability, environment.reachability_note = Reachability.OK, ""
    environment.save()


def _release(environment: Environment) -> bool:
    try:
        with fleet_session(resolve_dsn(environment)) as conn:
            return release_identity(conn, environment=environment.uid)
    except LockstepError:
        return False


def _compare(environment: Environment, conn: psycopg.Connection) -> None:
    """Show the target's receipts at once; what is wrong with them is for the page, the verb is done."""
    try:
        reconcile(environment, conn)
    except psycopg.Error as error:
        mark_unreachable(environment, f"Reading the receipts failed: {error.diag.message_primary or 'no answer'}")


@contextmanager
def _named_conflicts(environment: Environment) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        failure = _conflict(environment, error)
    else:
        return
    raise failure


def _conflict(environment: Environment, error: IntegrityError) -> LockstepError | IntegrityError:
    constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if constraint == "environment_name_once":
        return _name_taken(environment.service, environment.name)
    if constraint == "one_environment_per_database":
        return _database_taken(environment)
    return error


def _refuse_taken_name(service: Service, name: str) -> None:
    """Asked before the target is touched; the constraint decides all the same."""
    if Environment.objects.filter(service=service, name=name).exists():
        raise _name_taken(service, name)


def _name_taken(service: Service, name: str) -> Refused:
    return Refused(
        "environment_exists",
        f"{service.name} has an environment named {name} already.",
        not_done="Nothing was stored.",
        next_step="Choose another name, or use that environment.",
    )


def _database_taken(environment: Environment) -> Refused:
    owner = (
        Environment.objects.filter(
            system_identifier=environment.system_identifier, database_oid=environment.database_oid
        )
        .exclude(uid=environment.uid)
        .select_related("service")
        .first()
    )
    whose = f"service {owner.service.name}, environment {owner.name}" if owner else "another environment"
    return Refused(
        "other_environment",
        f"This database belongs to {whose}.",
        not_done="Nothing was stored.",
        next_step="Use the address of this environment's own database.",
    )


def _refuse_while_running(environment: Environment) -> None:
    run = Run.objects.filter(environment=environment, status__in=OPEN).first()
    if run is None:
        return
    raise Refused(
        "run_open",
        f"Run {run.pk} of environment {environment.name} is not finished.",
        not_done="The target's address and identity were left as they are.",
        next_step="Wait for it or cancel it, then try again.",
    )


def _locked(environment: Environment) -> Environment:
    return Environment.objects.select_for_update(of=("self",)).select_related("service").get(pk=environment.pk)


def _object(environment: Environment) -> str:
    return f"environment:{environment.service.name}/{environment.name}"


def _shown(environment: Environment) -> dict[str, object]:
    """What an audit entry keeps of an environment: never its address."""
    return {
        "uid": environment.uid,
        "stage": environment.stage,
        "region": environment.region,
        "order": environment.order,
        "health_url": environment.health_url,
        "lock_window_seconds": environment.lock_window_seconds,
        "dsn_kind": str(environment.dsn_kind),
        "dsn_reference": environment.dsn_reference,
        "target": environment.target_name,
    }
