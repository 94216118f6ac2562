"""A fleet with one of everything that is hard to draw: long names, every run state, targets that are gone."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.fleet.revisions import put_revision
from migrations_app.models import Environment, LedgerEntry, Revision, Run, RunStep, Service
from migrations_app.permissions import ADMIN, ON_CALL, OPERATOR, RELEASE_MANAGER
from tests.edge.fleet import make_environment, make_log, make_run, make_service
from tests.edge.people import person

LONG = "0003_orders_currency_check_with_a_rather_long_name_that_has_to_wrap_on_small_screens"
# name, stage, how many revisions are applied
PLACES = (
    ("dev", "dev", 2),
    ("prod-eu", "prod", 2),
    ("prod-us", "prod", 1),
    (f"prod-{'south-america-' * 3}2", "prod", 0),
)


@dataclass(frozen=True)
class Fleet:
    olga: User
    service: Service
    running: Run
    waiting: Run
    failed: Run
    undecided: Run
    receipt: LedgerEntry

    @property
    def addresses(self) -> tuple[str, ...]:
        runs = (self.running, self.waiting, self.failed, self.undecided)
        return (
            "/",
            "/matrix",
            "/matrix?mode=all",
            "/history",
            "/history?revision=0001&phase=expand",
            "/history/compare?service=orders&a=dev&b=prod-eu",
            f"/history/{self.receipt.pk}",
            "/runs",
            *(f"/runs/{run.pk}" for run in runs),
            f"/runs/{self.running.pk}/log",
            "/services",
            "/add-service",
            "/services/orders",
            "/services/orders/add-environment",
            "/services/orders/environments/dev",
            "/services/orders/environments/dev?direction=down",
            "/services/orders/environments/dev/edit",
            "/services/orders/environments/prod-eu",
            "/services/orders/revisions",
            f"/services/orders/revisions/{LONG}",
            "/services/orders/upload",
            "/audit",
            "/tokens",
            "/find?q=o",
        )


def make_fleet() -> Fleet:
    olga = person("olga", OPERATOR, ON_CALL, RELEASE_MANAGER, ADMIN)
    service = make_service(olga)
    for revision_id, statement in (
        ("0001_orders", "CREATE TABLE orders (id bigint PRIMARY KEY, currency text);"),
        ("0002_index", "CREATE INDEX CONCURRENTLY orders_currency ON orders (currency);"),
        (LONG, "ALTER TABLE orders ADD CONSTRAINT currency_iso CHECK (currency ~ '^[A-Z]{3}$') NOT VALID;"),
    ):
        put_revision(service=service, revision_id=revision_id, up=statement, down="SELECT 1;", by=olga)
    dev, eu, us, long_name = (
        _place(service, name, stage, order, head) for order, (name, stage, head) in enumerate(PLACES)
    )
    Environment.objects.filter(pk=us.pk).update(reachability="unreachable", reachability_note="Connection refused.")
    parted = "2 ledger rows from receipt 1 on have no receipt in the target; it may have been restored."
    Environment.objects.filter(pk=eu.pk).update(reconcile_note=parted, differs_from=1)
    error = {"code": "lock_exhausted", "message": "No lock.", "not_done": "Nothing.", "next_step": "Wait."}
    blocker = {"pid": 4711, "application": "psql", "state": "idle in transaction", "transaction_age_s": 241.0}
    waiting = {"sentence": "In the way.", "blockers": [blocker]}
    running = make_run(dev, olga, status="running", started_at=timezone.now(), phases=_phases())
    RunStep.objects.filter(run=running).update(summary="ALTER TABLE " + "very_long_relation_name_" * 5)
    make_log(running, *(f"{n}/40 statement {'with_a_long_unbroken_word_' * 4}" for n in range(40)))
    return Fleet(
        olga=olga,
        service=service,
        running=running,
        waiting=make_run(eu, olga, status="waiting_for_lock", waiting=waiting),
        failed=make_run(us, olga, status="failed", error=error),
        undecided=make_run(long_name, olga, status="needs_operator", error=error),
        receipt=LedgerEntry.objects.order_by("-seq")[0],
    )


def _phases() -> dict[str, dict[str, object]]:
    return {
        "lock": {"state": "done", "wait_ms": 400, "work_ms": 60, "detail": "fence 57"},
        "run": {"state": "active", "wait_ms": 3000, "work_ms": 7000, "detail": "statement 3 of 4"},
    }


def _place(service: Service, name: str, stage: str, order: int, head: int) -> Environment:
    environment = make_environment(service, name, stage, order)
    for seq, revision in enumerate(Revision.objects.filter(service=service).order_by("position")[:head], start=1):
        _receipt(environment, revision, seq)
    now = timezone.now()
    Environment.objects.filter(pk=environment.pk).update(reachability="ok", checked_at=now, reconciled_at=now)
    return environment


def _receipt(environment: Environment, revision: Revision, seq: int) -> None:
    now = timezone.now()
    environment.applied.create(revision_id=revision.revision_id, seq=seq, checksum=revision.checksum, applied_at=now)
    Environment.objects.filter(pk=environment.pk).update(
        head_revision=revision.revision_id, head_seq=seq, ledger_rows=seq, receipts_seen=seq
    )
    LedgerEntry.objects.create(
        environment=environment, seq=seq, revision_id=revision.revision_id, parent=revision.parent, direction="up",
        cycle=1, checksum=revision.checksum, phase="expand", applied_at=now, operator="olga",
        run_uid="00000000-0000-0000-0000-000000000001", fence=1, fp_before="a", fp_after="b", duration_ms=5,
        seen_at=now,
    )  # fmt: skip
