"""What nodes say they run: reported, listed, retired, and swept after a day of silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import Environment, NodeReport
from migrations_app.releases.boot.known import MEMBER_FOR, REPORT_COUNTS, Asked
from migrations_app.wording import counted, number

LONGEST = 200
# A gate that is asked again and again writes a report so often at most.
WRITTEN_EVERY = timedelta(seconds=10)
KEPT_FOR = timedelta(days=1)
MOST_LISTED = 500
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,199}\Z")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:@/-]{0,199}\Z")

UPSERT = """
INSERT INTO migrations_app_nodereport AS n
       (environment_id, node, release_id, schema_rev, index_hash, secrets_rev, probes_ok, at)
VALUES (%(environment)s, %(node)s, %(release_id)s, %(schema_rev)s, %(index_hash)s, %(secrets_rev)s, %(probes_ok)s,
        clock_timestamp())
ON CONFLICT (environment_id, node) DO UPDATE
   SET release_id = EXCLUDED.release_id, schema_rev = EXCLUDED.schema_rev, index_hash = EXCLUDED.index_hash,
       secrets_rev = EXCLUDED.secrets_rev, probes_ok = EXCLUDED.probes_ok, at = EXCLUDED.at, retired_at = NULL
 WHERE n.at < clock_timestamp() - %(every_s)s * interval '1 s' OR n.retired_at IS NOT NULL
    OR (n.release_id, n.schema_rev, n.index_hash, n.secrets_rev)
       <> (EXCLUDED.release_id, EXCLUDED.schema_rev, EXCLUDED.index_hash, EXCLUDED.secrets_rev)
    OR n.probes_ok IS DISTINCT FROM EXCLUDED.probes_ok
"""
# Of a member alone: it makes none, and brings none back that is gone or was retired meanwhile.
REFRESH = """
UPDATE migrations_app_nodereport
   SET release_id = %(release_id)s, schema_rev = %(schema_rev)s, index_hash = %(index_hash)s,
       secrets_rev = %(secrets_rev)s, probes_ok = %(probes_ok)s, at = clock_timestamp()
 WHERE environment_id = %(environment)s AND node = %(node)s AND retired_at IS NULL
   AND at > clock_timestamp() - %(member_s)s * interval '1 s'
"""


@dataclass(frozen=True)
class NodeRow:
    """`state`: `fresh`, `stale` once its report is too old to count, `gone` when it is no member, or `retired`."""

    node: str
    release_id: str
    schema_rev: str
    index_hash: str
    secrets_rev: str
    probes_ok: bool | None
    at: datetime
    state: str


def check_asked(asked: Asked) -> None:
    """Raises Refused for the first text that cannot be a version or a node's name."""
    for field in fields(Asked):
        value = getattr(asked, field.name)
        if isinstance(value, str) and value and not (_NODE if field.name == "node" else _VERSION).match(value):
            raise Refused(
                "bad_report",
                f"{field.name} cannot be {value[:80]!r}.",
                not_done="Nothing was done.",
                next_step=f"Use at most {LONGEST} letters, digits and . _ : @ -, and in versions + and / too.",
            )


def report_node(*, environment: Environment, asked: Asked) -> NodeReport:
    """Keep what a node says it runs, in place of what it said before. Without an audit entry: it comes each 15 s."""
    check_asked(asked)
    if not asked.node:
        raise Refused(
            "bad_report", "The node has no name.", not_done="Nothing was kept.", next_step="Give the node its own name."
        )
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, upsert_values(environment.pk, asked, every_s=0))
    return NodeReport.objects.get(environment=environment, node=asked.node)


def upsert_values(environment: int, asked: Asked, every_s: float) -> dict[str, str | float | bool | None]:
    member_s = MEMBER_FOR.total_seconds()
    return {"environment": environment, **vars(asked), "every_s": every_s, "member_s": member_s}


def retire_node(*, report: NodeReport, by: User) -> NodeReport:
    """It is no member from now on, until it reports again. Retiring it twice changes nothing."""
    environment = report.environment
    with transaction.atomic():
        if NodeReport.objects.filter(pk=report.pk, retired_at=None).update(retired_at=Now()) == 1:
            name = f"environment:{environment.service.name}/{environment.name}"
            record(actor=by, action="node.retire", object=name, after={"node": report.node})
    report.refresh_from_db()
    return report


def list_nodes(environment: Environment) -> tuple[NodeRow, ...]:
    """One query; those that count first."""
    found = NodeReport.objects.filter(environment=environment).order_by(F("retired_at").desc(nulls_first=True), "node")
    now = timezone.now()
    return tuple(row_of(report, now) for report in found[:MOST_LISTED])


def row_of(report: NodeReport, now: datetime | None = None) -> NodeRow:
    return NodeRow(
        node=report.node,
        release_id=report.release_id,
        schema_rev=report.schema_rev,
        index_hash=report.index_hash,
        secrets_rev=report.secrets_rev,
        probes_ok=report.probes_ok,
        at=report.at,
        state=_state(report, now or timezone.now()),
    )


def headline(rows: Sequence[NodeRow], environment: str) -> str:
    """`Three nodes of prod report: 2026.11.2.`"""
    fresh = [row for row in rows if row.state == "fresh"]
    silent = sum(row.state == "stale" for row in rows)
    more = f" {number(silent).capitalize()} did not report lately." if silent else ""
    if not fresh:
        return f"No node of {environment} reports.{more}"
    releases = sorted({row.release_id or "no release" for row in fresh})
    named = ", ".join(releases[:3]) + (" and others" if len(releases) > 3 else "")
    verb = "reports" if len(fresh) == 1 else "report"
    return f"{counted(len(fresh), 'node').capitalize()} of {environment} {verb}: {named}.{more}"


def sweep() -> None:
    NodeReport.objects.filter(at__lt=Now() - KEPT_FOR).delete()


def _state(report: NodeReport, now: datetime) -> str:
    if report.retired_at is not None:
        return "retired"
    if now - report.at > MEMBER_FOR:
        return "gone"
    return "stale" if now - report.at > REPORT_COUNTS else "fresh"
