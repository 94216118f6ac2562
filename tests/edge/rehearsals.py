"""Rehearsals as plain rows: what a worker would have left, without a clone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.models import Environment, Rehearsal, RehearsalLine, Revision, RevisionRehearsal, RollbackConsent
from migrations_app.rehearsals.chains import chain_hashes

LOSS = {"kind": "column", "object": "public.orders.note", "sentence": "Column public.orders.note is gone.", "count": 9}
ERROR = {"code": "sql_error", "message": "It was refused.", "not_done": "It stands.", "next_step": "Correct it."}
CLONE = {
    "name": "lockstep_reh_0123abcd_0123456789ab",
    "server": "postgresql://scratch@localhost:5418/postgres",
    "seed": 7,
    "ms": 1840,
    "tables": [
        {"name": "public.orders", "rows": 20000, "target_rows": 1234567, "target_bytes": 9876543210, "whole": False},
        {"name": "public.places", "rows": 40, "target_rows": 40, "target_bytes": 8192, "whole": True},
    ],
}
TRACE = {
    "revision_id": "0001_step", "step": 1, "statement": 1, "summary": "ALTER TABLE orders",
    "locks": [["public.orders", "ACCESS EXCLUSIVE"]], "rewritten": ["public.orders"], "scanned": [["public.orders", 1]],
    "dropped": [{"kind": "view", "name": "public.totals", "original": False, "normal": True}],
    "rows": [["public.orders", 0, 20000, 3]], "wal_bytes": 4_200_000, "duration_ms": 180.4, "sampled": False,
    "complete": True,
}  # fmt: skip
QUIET = {
    "revision_id": "0001_step", "step": 1, "statement": 1, "summary": "COMMENT", "locks": [], "rewritten": [],
    "scanned": [], "dropped": [], "rows": [], "wal_bytes": 120, "duration_ms": 0.3, "sampled": False, "complete": True,
}  # fmt: skip
STAGES = [
    {"name": "up", "ms": 200}, {"name": "trace", "ms": 90}, {"name": "down", "ms": 150}, {"name": "compare", "ms": 40},
    {"name": "again", "ms": 180},
]  # fmt: skip


def make_rehearsal(environment: Environment, by: User, status: str = "done", **fields: object) -> Rehearsal:
    """Of an environment; its parts are made by make_part()."""
    now = timezone.now()
    given: dict[str, object] = {
        "direction": "up",
        "from_revision": environment.head_revision,
        "started_at": None if status == "queued" else now - timedelta(seconds=4),
        "finished_at": None if status in ("queued", "running") else now,
        "clone": CLONE if status == "done" else None,
    }
    return Rehearsal.objects.create(
        service=environment.service, environment=environment, status=status, requested_by=by, **given | fields
    )


def make_part(
    rehearsal: Rehearsal, revision: Revision, verdict: str = "reversible", **fields: object
) -> RevisionRehearsal:
    """A part that is fresh now, bound to the revision as it is."""
    names = ("checksum", "down_checksum", "verify_checksum")
    bound = {name: getattr(revision, name) for name in names}
    given: dict[str, object] = {
        **bound,
        "chain": chain_hashes(rehearsal.service_id)[revision.revision_id],
        "server_version_num": 180000,
        "stages": STAGES,
        "traces": [QUIET],
        "down_traces": [QUIET],
        "losses": [LOSS] if verdict == "lossy" else [],
        "error": ERROR if verdict in ("failed", "irreversible") else None,
        "finished_at": timezone.now(),
    }
    made = RevisionRehearsal.objects.create(
        rehearsal=rehearsal,
        environment=rehearsal.environment,
        ordinal=rehearsal.parts.count() + 1,
        revision_id=revision.revision_id,
        verdict=verdict,
        **given | fields,
    )
    rehearsal.revisions = [*rehearsal.revisions, {"revision_id": revision.revision_id, **bound}]
    rehearsal.tally = {**rehearsal.tally, verdict: rehearsal.tally.get(verdict, 0) + 1}
    rehearsal.save(update_fields=["revisions", "tally"])
    return made


def make_rehearsed(
    environment: Environment,
    by: User,
    revisions: Sequence[Revision],
    verdict: str = "reversible",
    direction: str = "up",
    **fields: object,
) -> Rehearsal:
    """A rehearsal that is done, with one fresh part for each revision."""
    rehearsal = make_rehearsal(environment, by, direction=direction)
    for revision in revisions:
        make_part(rehearsal, revision, verdict, **fields)
    return rehearsal


def make_lines(rehearsal: Rehearsal, *messages: str) -> None:
    RehearsalLine.objects.bulk_create(
        RehearsalLine(rehearsal=rehearsal, seq=seq, at=timezone.now(), level="info", message=message)
        for seq, message in enumerate(messages, start=1)
    )


def make_consent(environment: Environment, by: User, **fields: object) -> RollbackConsent:
    """A request that waits for a second person, for a plan that nobody has."""
    given: dict[str, object] = {
        "plan": "0" * 64,
        "losses": [["0001_step", LOSS["sentence"]]],
        "losses_hash": "1" * 64,
        "reason": "agreed with the team",
        "expires_at": timezone.now() + timedelta(hours=24),
    }
    return RollbackConsent.objects.create(environment=environment, asked_by=by, **given | fields)
