"""A small fleet in the control plane, as plain rows: what a test of the edge looks at."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.models import (
    AppliedRevision,
    Environment,
    LedgerEntry,
    Revision,
    Run,
    RunLogLine,
    RunStep,
    Service,
)


def make_service(by: User, name: str = "orders") -> Service:
    return Service.objects.create(name=name, created_by=by)


def make_environment(service: Service, name: str = "orders-eu", stage: str = "prod", order: int = 1) -> Environment:
    return Environment.objects.create(
        service=service,
        name=name,
        stage=stage,
        region="eu",
        order=order,
        dsn_kind="env",
        dsn_reference="ORDERS_DSN",
        target_name="app@db:5432/orders",
        system_identifier="7",
        database_oid=100 + Environment.objects.count(),
        created_by=service.created_by,
    )


def make_revision(service: Service, position: int, **fields: object) -> Revision:
    name = f"{position:04d}_step"
    parent = f"{position - 1:04d}_step" if position > 1 else ""
    given: dict[str, object] = {
        "up": f"CREATE TABLE t{position} ()",
        "up_script": [],
        "checksum": f"sha256:{position}",
    }
    return Revision.objects.create(
        service=service,
        revision_id=name,
        parent=parent,
        position=position,
        created_by=service.created_by,
        **given | fields,
    )


def make_run(environment: Environment, by: User, status: str = "running", **fields: object) -> Run:
    run = Run.objects.create(
        service=environment.service,
        environment=environment,
        direction="up",
        to_revision="0001_step",
        revisions=[{"revision_id": "0001_step", "checksum": "sha256:1"}],
        steps_total=1,
        status=status,
        requested_by=by,
        **fields,
    )
    RunStep.objects.create(
        run=run,
        ordinal=1,
        revision_id="0001_step",
        n=1,
        of=1,
        mode="tx",
        statements=1,
        summary="create table t1",
    )
    return run


def make_log(run: Run, *messages: str) -> None:
    RunLogLine.objects.bulk_create(
        RunLogLine(run=run, seq=seq, at=timezone.now(), level="info", revision_id="0001_step", step=1, message=text)
        for seq, text in enumerate(messages, start=1)
    )


def make_receipt(environment: Environment, seq: int, operator: str = "olga") -> LedgerEntry:
    """A ledger row for revision `seq`, and what it left applied."""
    name, parent = f"{seq:04d}_step", f"{seq - 1:04d}_step" if seq > 1 else ""
    now = timezone.now()
    AppliedRevision.objects.create(
        environment=environment, revision_id=name, seq=seq, checksum=f"sha256:{seq}", applied_at=now
    )
    Environment.objects.filter(pk=environment.pk).update(
        head_revision=name, head_seq=seq, ledger_rows=seq, receipts_seen=seq, reconciled_at=now
    )
    return LedgerEntry.objects.create(
        environment=environment, seq=seq, revision_id=name, parent=parent, direction="up", cycle=1,
        checksum=f"sha256:{seq}", phase="expand", applied_at=now, operator=operator,
        run_uid="00000000-0000-0000-0000-000000000001", fence=1, fp_before="a", fp_after="b", duration_ms=5,
        seen_at=now,
    )  # fmt: skip
