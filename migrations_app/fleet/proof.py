"""The proof of an environment's target: looked at, registered there, and stored with what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.engine.target.dsn import Dsn
from migrations_app.engine.target.facts import TargetFacts, prove
from migrations_app.fleet.control_database import refuse_control_database
from migrations_app.fleet.ledger import mark_unreachable, reconcile
from migrations_app.fleet.references import Reference
from migrations_app.fleet.registration import fleet_session, register
from migrations_app.fleet.secrets import resolve_dsn, seal
from migrations_app.fleet.stored import Entry, locked, refuse_while_running, shown
from migrations_app.models import Environment, Service
from migrations_app.models.environment import DsnKind, Reachability


def prove_anew(
    environment: Environment,
    reference: Reference | None,
    by: User,
    *,
    adopt: bool,
    action: str,
    also: Callable[[Environment, psycopg.Connection], Entry | None] | None = None,
) -> Environment:
    """Check the target as on the first day and store what was found; `also` is done in the same transactions."""
    refuse_while_running(environment)
    address = reference.resolve() if reference else resolve_dsn(environment)
    facts = prove(address)
    with fleet_session(address) as conn:
        refuse_control_database(conn)
        with named_conflicts(environment), transaction.atomic():
            stored = locked(environment)
            refuse_while_running(stored)
            before = shown(stored)
            store(stored, reference, address, facts)
            with conn.transaction():
                register(conn, stored, adopt=adopt, known=stored.head_seq > 0 or stored.ledger.exists())
                done = also(stored, conn) if also else None
                Entry(action, before, {**shown(stored), "adopted": adopt}).record(stored, by)
                if done is not None:
                    done.record(stored, by)
        show_receipts(stored, conn)
    environment.refresh_from_db()
    return environment


def store(environment: Environment, reference: Reference | None, address: Dsn, facts: TargetFacts) -> None:
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


def show_receipts(environment: Environment, conn: psycopg.Connection) -> None:
    """Show the target's receipts at once; what is wrong with them is for the page, the verb is done."""
    try:
        reconcile(environment, conn)
    except LockstepError as failure:
        mark_unreachable(environment, failure.sentence)
    except psycopg.Error as error:
        mark_unreachable(environment, f"Reading the receipts failed: {error.diag.message_primary or 'no answer'}")


@contextmanager
def named_conflicts(environment: Environment) -> Iterator[None]:
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
        return name_taken(environment.service, environment.name)
    if constraint == "one_environment_per_database":
        return _database_taken(environment)
    return error


def name_taken(service: Service, name: str) -> Refused:
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
