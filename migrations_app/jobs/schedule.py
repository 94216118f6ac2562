"""What happens by the clock: each target's receipts are compared with the ledger and its schema is read, the audit
chain is checked and its head noted elsewhere, checks of gates are looked at before their evidence is old, what the
watchdog did enters the audit log, health is looked at (in a thread of its own), and old rows are swept."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta

import psycopg
import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from migrations_app.audit.anchoring import anchor_when_due
from migrations_app.engine.errors import LockstepError
from migrations_app.engine.target.connect import open_session
from migrations_app.engine.target.identity import check_identity
from migrations_app.fleet.ledger import mark_unreachable, reconcile
from migrations_app.fleet.readings import read_when_possible
from migrations_app.fleet.secrets import resolve_dsn
from migrations_app.health.restart_audit import note_outcomes
from migrations_app.jobs.process import end_idle_transactions
from migrations_app.jobs.sampler import sample_forever
from migrations_app.locks import SCHEDULER
from migrations_app.models import Environment, OutboxItem, Run, WorkerProcess
from migrations_app.models.environment import Reachability
from migrations_app.models.schema import Source
from migrations_app.releases.boot import attempts, nodes
from migrations_app.releases.crosscheck import check_when_due
from migrations_app.releases.gates import looking
from migrations_app.statuses import OPEN

RECONCILE_EVERY = timedelta(seconds=60)
_TICK_S = 5.0
_READ_AT_ONCE = 10  # schemas in one tick, so that receipts are not compared late

log = structlog.get_logger(__name__)


def run_forever() -> None:
    """One scheduler works at a time; a second one waits for the lock of the first."""
    stopping, leading = threading.Event(), threading.Event()
    end_idle_transactions()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, lambda *_: stopping.set())
    sampler = threading.Thread(target=sample_forever, args=(stopping, leading), name="sampler")
    sampler.start()
    while not stopping.wait(_TICK_S):
        try:
            if _is_the_one():
                leading.set()
                tick(stopping)
        except (DatabaseError, InterfaceError) as error:
            log.warning("control database not reachable, trying again", error=type(error).__name__)
            leading.clear()
            connection.close()
    connection.close()
    sampler.join()


def tick(stopping: threading.Event) -> None:
    """Compare the environments not compared for a minute, check the audit chain and anchor it, then sweep."""
    looking.ask_what_is_due()
    due = Environment.objects.filter(Q(checked_at=None) | Q(checked_at__lt=Now() - RECONCILE_EVERY))
    for environment in due.order_by("checked_at")[:50]:
        if stopping.is_set():
            return
        compare(environment)
    _read_schemas(stopping)
    verdict = check_when_due()
    if verdict is not None and not verdict.ok:
        log.error("the audit chain is broken", finding=verdict.sentence)
    anchor = anchor_when_due()
    if anchor is not None and anchor.note:
        log.error("the audit chain is not anchored", finding=anchor.note)
    note_outcomes()
    _sweep()


def _read_schemas(stopping: threading.Event) -> None:
    """Those that are due and at rest. A target that could not be reached just now is not tried a second time."""
    running = Run.objects.filter(environment=OuterRef("pk"), status__in=OPEN)
    due = Environment.objects.filter(~Exists(running), Q(schema=None) | Q(schema__due_at__lte=Now()))
    reachable = due.exclude(reachability=Reachability.UNREACHABLE)
    for environment in reachable.select_related("service").order_by("schema__due_at", "pk")[:_READ_AT_ONCE]:
        if stopping.is_set():
            return
        read_when_possible(environment, source=Source.SCHEDULE)


def compare(environment: Environment) -> bool:
    """Read one target's receipts into the ledger; a target that cannot be read is marked, not guessed about."""
    try:
        conn = open_session(resolve_dsn(environment), application_name="lockstep-reconcile")
    except LockstepError as failure:
        mark_unreachable(environment, failure.sentence)
        return False
    try:
        check_identity(conn, environment=environment.uid)
        reconcile(environment, conn)
    except LockstepError as failure:
        mark_unreachable(environment, failure.sentence)
        return False
    except psycopg.Error as error:
        mark_unreachable(environment, f"Reading the receipts failed: {error.diag.message_primary}")
        return False
    finally:
        conn.close()
    return True


def _is_the_one() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s"
            " AND pid = pg_backend_pid()) OR pg_try_advisory_lock(%s, %s)",
            [*SCHEDULER, *SCHEDULER],
        )
        row = cursor.fetchone()
    return bool(row[0])


def _sweep() -> None:
    OutboxItem.objects.filter(sent_at__lt=Now() - timedelta(days=1)).delete()
    looking.forget()
    WorkerProcess.objects.filter(beat_at__lt=Now() - timedelta(days=1)).delete()
    nodes.sweep()
    attempts.sweep()
