"""The ledger: receipts copied from targets, never invented, and the comparison that proves they agree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import connection, transaction
from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import Now

from migrations_app.engine.contract import receipts as target_receipts
from migrations_app.engine.contract.receipts import Receipt
from migrations_app.models import AppliedRevision, Environment, LedgerEntry, Revision, Service
from migrations_app.models.environment import Reachability

# One JSON text for a batch: a run that is under way shares its interpreter with whoever copies its receipts.
_COPY = """
INSERT INTO migrations_app_ledgerentry (environment_id, seq, revision_id, parent, direction, cycle, checksum, phase,
                                        schema_rev, applied_at, operator, run_uid, run_id, fence, fp_before, fp_after,
                                        duration_ms, server_version_num, seen_at)
SELECT %(environment)s, r.seq, r.revision_id, r.parent, r.direction, r.cycle, r.checksum, r.phase,
       r.schema_rev, r.applied_at, r.operator, r.run_id, run.id, r.fence, r.fp_before, r.fp_after,
       r.duration_ms, r.server_version_num, statement_timestamp()
  FROM json_to_recordset(%(receipts)s)
    AS r (seq bigint, revision_id text, parent text, direction text, cycle int, checksum text, phase text,
          schema_rev text, applied_at timestamptz, operator text, run_id uuid, fence bigint, fp_before text,
          fp_after text, duration_ms bigint, server_version_num int)
  LEFT JOIN migrations_app_run run ON run.uid = r.run_id
ON CONFLICT (environment_id, seq) DO NOTHING
"""


@dataclass(frozen=True)
class Reconciliation:
    """How the ledger stands against the receipts, over one or all services; every anomaly should be 0."""

    environments: int
    receipts: int
    ledger: int
    twice: int
    out_of_order: int
    changed: int
    unknown: int  # environments whose target could not be read
    checked_at: datetime | None  # the oldest of the environments' last checks


def copy_receipts(environment: Environment, receipts: Sequence[Receipt]) -> int:
    """Add receipts the ledger lacks and move the environment's head; returns how many were new."""
    if not receipts:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        Environment.objects.select_for_update().get(pk=environment.pk)
        rows = json.dumps([vars(receipt) for receipt in receipts], default=str)
        cursor.execute(_COPY, {"environment": environment.pk, "receipts": rows})
        new = cursor.rowcount
        _project(environment, after=receipts[0].seq - 1)
        return new


def reconcile(environment: Environment, conn: psycopg.Connection) -> int:
    """Compare every receipt of the target with the ledger, copy what is missing, note what differs."""
    # The ledger first: a run under way adds to both, and what it adds must not look missing in the target.
    known = {entry.seq: entry for entry in LedgerEntry.objects.filter(environment=environment)}
    receipts: list[Receipt] = []
    while page := target_receipts.read_after(conn, receipts[-1].seq if receipts else 0):
        receipts.extend(page)
    copied = copy_receipts(environment, [r for r in receipts if r.seq not in known])
    note = _broken_chain(receipts) or _other_bytes(environment, receipts) or _difference(receipts, known)
    Environment.objects.filter(pk=environment.pk).update(
        reconciled_at=Now(),
        reconcile_note=note,
        reachability=Reachability.OK,
        reachability_note="",
        checked_at=Now(),
        server_version_num=conn.info.server_version,
    )
    return copied


def catch_up(environment: Environment, conn: psycopg.Connection) -> int:
    """Copy the receipts the ledger lacks; comparing those it has is the scheduler's."""
    newest = _known_without_gap(environment)
    copied = 0
    while page := target_receipts.read_after(conn, newest):
        copied += copy_receipts(environment, page)
        newest = page[-1].seq
    Environment.objects.filter(pk=environment.pk).update(
        reachability=Reachability.OK,
        reachability_note="",
        checked_at=Now(),
        server_version_num=conn.info.server_version,
    )
    return copied


def _known_without_gap(environment: Environment) -> int:
    """The newest receipt up to which the ledger is complete; 0 when there is a hole, which reads them all."""
    have = LedgerEntry.objects.filter(environment=environment).aggregate(newest=Max("seq"), count=Count("pk"))
    return have["newest"] if have["newest"] == have["count"] else 0


def mark_unreachable(environment: Environment, sentence: str) -> None:
    """What the ledger says stays; that it could not be checked is shown."""
    Environment.objects.filter(pk=environment.pk).update(
        reachability=Reachability.UNREACHABLE, reachability_note=sentence[:500], checked_at=Now()
    )


def summary(service: Service | None = None) -> Reconciliation:
    """The numbers behind "412 receipts, 0 twice, 0 out of order, 0 changed"; four queries."""
    environments = Environment.objects.all()
    entries = LedgerEntry.objects.all()
    if service is not None:
        environments, entries = environments.filter(service=service), entries.filter(environment__service=service)
    counted = environments.aggregate(count=Count("pk"), oldest=Min("reconciled_at"), receipts=Sum("head_seq"))
    twice = (
        entries.values("environment", "revision_id", "cycle", "direction").annotate(n=Count("pk")).filter(n__gt=1)
    ).count()
    return Reconciliation(
        environments=counted["count"],
        receipts=counted["receipts"] or 0,
        ledger=entries.count(),
        twice=twice,
        out_of_order=_out_of_order(service),
        changed=environments.exclude(reconcile_note="").count() + len(differing_bytes(service)),
        unknown=environments.exclude(reachability=Reachability.OK).count(),
        checked_at=counted["oldest"],
    )


def differing_bytes(service: Service | None = None) -> list[str]:
    """Revision ids that stand applied with different bytes in two environments of one service."""
    applied = AppliedRevision.objects.all()
    if service is not None:
        applied = applied.filter(environment__service=service)
    rows = applied.values("environment__service", "revision_id").annotate(low=Min("checksum"), high=Max("checksum"))
    return sorted(row["revision_id"] for row in rows if row["low"] != row["high"])


def _out_of_order(service: Service | None) -> int:
    """Ledger rows whose head does not follow from the row before them."""
    condition, values = ("AND e.service_id = %s", [service.pk]) if service else ("", [])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(*) FROM (
              SELECT CASE direction WHEN 'up' THEN parent ELSE revision_id END AS before,
                     lag(CASE direction WHEN 'up' THEN revision_id ELSE parent END, 1, '')
                       OVER (PARTITION BY environment_id ORDER BY seq) AS previous
                FROM migrations_app_ledgerentry l
                JOIN migrations_app_environment e ON e.id = l.environment_id {condition}) pairs
             WHERE before <> previous
            """,  # noqa: S608  the condition is one of two constants
            values,
        )
        row = cursor.fetchone()
    return int(row[0])


def _project(environment: Environment, *, after: int) -> None:
    """Derive what stands applied, and the head, from the ledger: the same rule as lockstep.applied."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH newest AS (
              SELECT DISTINCT ON (revision_id) revision_id, seq, checksum, applied_at, direction
                FROM migrations_app_ledgerentry WHERE environment_id = %(environment)s AND seq > %(after)s
               ORDER BY revision_id, seq DESC),
            gone AS (
              DELETE FROM migrations_app_appliedrevision a USING newest n
               WHERE a.environment_id = %(environment)s AND a.revision_id = n.revision_id
                 AND n.direction = 'down')
            INSERT INTO migrations_app_appliedrevision (environment_id, revision_id, seq, checksum, applied_at)
            SELECT %(environment)s, revision_id, seq, checksum, applied_at FROM newest WHERE direction = 'up'
            ON CONFLICT (environment_id, revision_id) DO UPDATE
               SET seq = excluded.seq, checksum = excluded.checksum, applied_at = excluded.applied_at
            """,
            {"environment": environment.pk, "after": after},
        )
        cursor.execute(
            """
            UPDATE migrations_app_environment e
               SET head_seq = l.seq,
                   head_revision = CASE l.direction WHEN 'up' THEN l.revision_id ELSE l.parent END
              FROM (SELECT seq, direction, revision_id, parent FROM migrations_app_ledgerentry
                     WHERE environment_id = %(environment)s ORDER BY seq DESC LIMIT 1) l
             WHERE e.id = %(environment)s
            """,
            {"environment": environment.pk},
        )


def _broken_chain(receipts: Sequence[Receipt]) -> str:
    """The constraints in the target refuse this; it is looked at all the same, because the page claims it."""
    head, seen = "", set()
    for number, receipt in enumerate(receipts, start=1):
        before = receipt.parent if receipt.direction == "up" else receipt.revision_id
        if receipt.seq != number or before != head:
            return f"Receipt {receipt.seq} ({receipt.revision_id}) is out of order in the target."
        key = (receipt.revision_id, receipt.cycle, receipt.direction)
        if key in seen:
            return f"Receipt {receipt.seq} says a second time that {receipt.revision_id} went {receipt.direction}."
        seen.add(key)
        head = receipt.head_after
    return ""


def _other_bytes(environment: Environment, receipts: Sequence[Receipt]) -> str:
    """An applied revision whose stored bytes are no longer those of its receipt."""
    stored = dict(Revision.objects.filter(service=environment.service_id).values_list("revision_id", "checksum"))
    standing = {r.revision_id: r.checksum if r.direction == "up" else None for r in receipts}
    for revision_id, checksum in standing.items():
        if checksum is not None and stored.get(revision_id, checksum) != checksum:
            return f"{revision_id} is applied with other bytes ({checksum[:22]}…) than the revision has now."
    return ""


def _difference(receipts: Sequence[Receipt], known: dict[int, LedgerEntry]) -> str:
    """One sentence on how ledger and receipts differ beyond missing copies; empty when they agree."""
    for receipt in receipts:
        entry = known.get(receipt.seq)
        if entry is not None and (entry.revision_id, entry.checksum, entry.run_uid) != (
            receipt.revision_id,
            receipt.checksum,
            receipt.run_id,
        ):
            return (
                f"Receipt {receipt.seq} in the target is {receipt.revision_id} ({receipt.checksum[:22]}…), "
                f"the ledger has {entry.revision_id} ({entry.checksum[:22]}…)."
            )
    missing = sorted(set(known) - {receipt.seq for receipt in receipts})
    if missing:
        return (
            f"{len(missing)} ledger rows from receipt {missing[0]} on have no receipt in the target; "
            "it may have been restored to an older point."
        )
    return ""
