"""The ledger: receipts copied from targets, never invented, and the comparison that proves they agree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import Count, F, Max, Min, Q, Sum
from django.db.models.functions import Now

from migrations_app.engine.contract import receipts as target_receipts
from migrations_app.engine.contract.receipts import Receipt
from migrations_app.engine.errors import Refused
from migrations_app.fleet.comparison import compare_receipts
from migrations_app.models import AppliedRevision, Environment, LedgerEntry, Service
from migrations_app.models.environment import Reachability
from migrations_app.prepared import one_row

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
ON CONFLICT (environment_id, seq) WHERE superseded_at IS NULL DO NOTHING
"""

_AGREEMENT = """
SELECT count(*),
       coalesce(sum(e.receipts_seen), 0)::bigint,
       coalesce(sum(e.ledger_rows), 0)::bigint,
       (SELECT count(*) FROM migrations_app_ledgerentry l
         WHERE l.superseded_at IS NOT NULL AND (%(service)s::bigint IS NULL OR l.environment_id IN (
               SELECT id FROM migrations_app_environment WHERE service_id = %(service)s))),
       coalesce(sum(e.found_twice), 0)::bigint,
       coalesce(sum(e.found_out_of_order), 0)::bigint,
       coalesce(sum(e.found_changed), 0)::bigint,
       count(*) FILTER (WHERE e.reachability <> 'ok' OR e.reconciled_at IS NULL),
       min(e.reconciled_at)
  FROM migrations_app_environment e
 WHERE %(service)s::bigint IS NULL OR e.service_id = %(service)s
"""


@dataclass(frozen=True)
class Reconciliation:
    """How the ledger stands against the receipts, over one or all services; every anomaly should be 0."""

    environments: int
    receipts: int
    ledger: int
    superseded: int  # rows of earlier beginnings, in none of the other numbers
    twice: int
    out_of_order: int
    changed: int
    unknown: int  # environments whose target could not be read
    checked_at: datetime | None  # the oldest of the environments' last checks


def copy_receipts(environment: Environment, receipts: Sequence[Receipt]) -> int:
    """Add receipts the ledger lacks and move the environment's head; returns how many were new.

    What was read before the ledger began anew is not added to the new beginning.
    """
    if not receipts:
        return 0
    with transaction.atomic():
        stored = Environment.objects.select_for_update().get(pk=environment.pk)
        if stored.ledger_epoch != environment.ledger_epoch:
            return 0
        copied = _insert(environment, receipts)
        _project(environment, after=receipts[0].seq - 1)
        return copied


def reconcile(environment: Environment, conn: psycopg.Connection) -> int:
    """Compare every receipt of the target with the ledger, copy what is missing, note what differs.

    A target that contradicts the ledger adds nothing to it from there on: a person has to accept it first.
    """
    # The ledger first: a run under way adds to both, and what it adds must not look missing in the target.
    known = standing_rows(environment)
    receipts = target_receipts.read_every(conn)
    found = compare_receipts(environment, receipts, known)
    lacking = [r for r in receipts if r.seq not in known]
    copied = copy_receipts(
        environment, [r for r in lacking if found.differs_from is None or r.seq < found.differs_from]
    )
    Environment.objects.filter(pk=environment.pk, ledger_epoch=environment.ledger_epoch).update(
        reconciled_at=Now(),
        reconcile_note=found.note,
        differs_from=found.differs_from,
        # A run under way may have added receipts since they were read; where nothing differs, the ledger has them all.
        receipts_seen=F("ledger_rows") if found.differs_from is None else found.counts.receipts,
        found_twice=found.counts.twice,
        found_out_of_order=found.counts.out_of_order,
        found_changed=found.counts.changed,
        reachability=Reachability.OK,
        reachability_note="",
        checked_at=Now(),
        server_version_num=conn.info.server_version,
    )
    return copied


def begin_anew(environment: Environment, receipts: Sequence[Receipt], *, differs_from: int) -> int:
    """Supersede the rows from the first that differs on, and take the target's receipts in their place.

    The caller holds the environment's row. Returns how many rows were superseded; none is deleted.
    """
    old = LedgerEntry.objects.standing().filter(environment=environment, seq__gte=differs_from)
    superseded = old.update(superseded_at=Now())
    AppliedRevision.objects.filter(environment=environment).delete()
    environment.ledger_epoch += 1
    Environment.objects.filter(pk=environment.pk).update(
        ledger_epoch=environment.ledger_epoch, head_seq=0, head_revision="", ledger_rows=0, receipts_seen=0
    )
    _insert(environment, receipts)
    _project(environment, after=0)
    return superseded


def standing_rows(environment: Environment) -> dict[int, LedgerEntry]:
    return {entry.seq: entry for entry in LedgerEntry.objects.standing().filter(environment=environment)}


def count_rows_from(environment: Environment, seq: int) -> int:
    """How many rows a new beginning at this receipt would supersede."""
    return LedgerEntry.objects.standing().filter(environment=environment, seq__gte=seq).count()


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
    rows = LedgerEntry.objects.standing().filter(environment=environment)
    have = rows.aggregate(newest=Max("seq"), count=Count("pk"))
    return have["newest"] if have["newest"] == have["count"] else 0


def mark_unreachable(environment: Environment, sentence: str) -> None:
    """What the ledger says stays; that it could not be checked is shown."""
    Environment.objects.filter(pk=environment.pk).update(
        reachability=Reachability.UNREACHABLE, reachability_note=sentence[:500], checked_at=Now()
    )


def agreement(service: Service | None = None) -> Reconciliation:
    """What the comparisons found, added up from the environments: one small query at any size."""
    row = one_row(_AGREEMENT, {"service": service and service.pk})
    assert row is not None
    return Reconciliation(*row)


def summary(service: Service | None = None) -> Reconciliation:
    """The same counted in the ledger itself, row by row: the proof of `agreement`, for tests and for an auditor."""
    environments = Environment.objects.all()
    every = LedgerEntry.objects.all()
    if service is not None:
        environments, every = environments.filter(service=service), every.filter(environment__service=service)
    entries = every.standing()
    counted = environments.aggregate(count=Count("pk"), oldest=Min("reconciled_at"), receipts=Sum("head_seq"))
    rows = every.aggregate(every=Count("pk"), standing=Count("pk", filter=Q(superseded_at=None)))
    twice = (
        entries.values("environment", "revision_id", "cycle", "direction").annotate(n=Count("pk")).filter(n__gt=1)
    ).count()
    return Reconciliation(
        environments=counted["count"],
        receipts=counted["receipts"] or 0,
        ledger=rows["standing"],
        superseded=rows["every"] - rows["standing"],
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
                JOIN migrations_app_environment e ON e.id = l.environment_id {condition}
               WHERE l.superseded_at IS NULL) pairs
             WHERE before <> previous
            """,  # noqa: S608  the condition is one of two constants
            values,
        )
        row = cursor.fetchone()
    return int(row[0])


def _insert(environment: Environment, receipts: Sequence[Receipt]) -> int:
    """Rows for the receipts that have none; returns how many were new. Raises Refused for what no worker writes."""
    rows = json.dumps([vars(receipt) for receipt in receipts], default=str)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_COPY, {"environment": environment.pk, "receipts": rows})
            return int(cursor.rowcount)
    except (DataError, IntegrityError) as error:
        raise Refused(
            "foreign_receipt",
            f"Among receipts {receipts[0].seq} to {receipts[-1].seq} of {environment.name} is one that no worker "
            f"wrote: {str(error).splitlines()[0]}.",
            not_done="None of them was copied into the ledger.",
            next_step="Restore the table lockstep.migration_history in the target from a backup, then compare again.",
        ) from error


def _project(environment: Environment, *, after: int) -> None:
    """Derive what stands applied, and the head, from the ledger: the same rule as lockstep.applied."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH newest AS (
              SELECT DISTINCT ON (revision_id) revision_id, seq, checksum, applied_at, direction
                FROM migrations_app_ledgerentry
               WHERE environment_id = %(environment)s AND seq > %(after)s AND superseded_at IS NULL
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
                   head_revision = CASE l.direction WHEN 'up' THEN l.revision_id ELSE l.parent END,
                   ledger_rows = l.standing,
                   receipts_seen = greatest(e.receipts_seen, l.standing)
              FROM (SELECT seq, direction, revision_id, parent, count(*) OVER () AS standing
                      FROM migrations_app_ledgerentry
                     WHERE environment_id = %(environment)s AND superseded_at IS NULL
                     ORDER BY seq DESC LIMIT 1) l
             WHERE e.id = %(environment)s
            """,
            {"environment": environment.pk},
        )
