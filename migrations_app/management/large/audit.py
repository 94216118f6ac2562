"""Audit entries of the made-up history, chained to the log's present end by the same rule as real ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.db import connection

from migrations_app.audit.body import canonical
from migrations_app.audit.chain import GENESIS, digest
from migrations_app.locks import AUDIT_APPEND
from migrations_app.models import AuditEntry

NEWEST_RUNS = 2_000  # so many runs are told about; the log of years would be read by nobody here
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COPY = "COPY migrations_app_auditentry (seq, at, body, prev_hash, hash) FROM STDIN"


def append_history() -> None:
    """In the caller's transaction. Nobody appends meanwhile, as in the database function itself.

    Entries of the past get in with the trigger off that wants each of this moment.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", AUDIT_APPEND)
        cursor.execute((Path(__file__).parent / "audit.sql").read_text(encoding="utf-8"), {"each": NEWEST_RUNS})
        told = cursor.fetchall()
        head = AuditEntry.objects.order_by("-seq").first()
        cursor.execute("ALTER TABLE migrations_app_auditentry DISABLE TRIGGER audit_follows")
        with cursor.copy(_COPY) as rows:
            for row in _chained(told, head):
                rows.write_row(row)
        cursor.execute("ALTER TABLE migrations_app_auditentry ENABLE ALWAYS TRIGGER audit_follows")


def _chained(
    told: list[tuple[datetime, str, str, str, str]], head: AuditEntry | None
) -> Iterator[tuple[int, datetime, str, bytes, bytes]]:
    """Time never goes back, also where older history is put behind newer entries."""
    seq, previous = (head.seq, bytes(head.hash)) if head else (0, GENESIS)
    earliest = head.at if head else _EPOCH
    for at, actor, action, object, after in told:
        seq, earliest = seq + 1, max(at, earliest)
        body = canonical(
            {
                "actor": actor,
                "roles": [],
                "action": action,
                "object": object,
                "before": None,
                "after": json.loads(after),
                "request_id": "",
                "via_token": "",
            }
        )
        own = digest(previous, seq, (earliest - _EPOCH) // timedelta(microseconds=1), body)
        yield seq, earliest, body, previous, own
        previous = own
