"""Rows about gates against the audit log: each has an entry that says the same, and each entry its row.

The log proves itself by its hashes; what else it proves is told here. Rows and entries are matched by the database,
from the text that is hashed, and compared in Python; a chunk of them is in memory at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import chain, islice
from typing import Any, cast

from django.db import connection
from django.db.models import Model

from migrations_app.audit import checking
from migrations_app.audit.body import canonical
from migrations_app.audit.chain import Verdict
from migrations_app.models import (
    AuditEntry,
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
    EvidenceArtefact,
    GateCatalogue,
    GateEvidence,
    GateSignature,
    GateWaiver,
    Release,
    SignatureWithdrawal,
    WaiverDecision,
)
from migrations_app.releases.bundle.kinds import KINDS, Kind, difference, no_entry, no_row, told_twice
from migrations_app.releases.gates.catalogue import sha256_of
from migrations_app.releases.gates.changing import object_of
from migrations_app.releases.gates.telling import told

CHUNK = 500
TABLES: dict[str, type[Model]] = {
    "evidence": GateEvidence,
    "signatures": GateSignature,
    "withdrawals": SignatureWithdrawal,
    "waivers": GateWaiver,
    "decisions": WaiverDecision,
    "glass": BreakGlass,
    "answers": BreakGlassAnswer,
    "cutovers": Cutover,
}
_BESIDE: dict[str, tuple[str, ...]] = {
    "withdrawals": ("signature",),
    "decisions": ("waiver",),
}

# The text is searched before it is read: most entries are about something else.
MATCHED = """
SELECT r.id, e.seq, e.body FROM {table} r FULL JOIN (
    SELECT seq, body, body::jsonb -> 'after' ->> %(number)s AS number
      FROM migrations_app_auditentry
     WHERE body LIKE ANY(%(like)s) AND body::jsonb ->> 'action' = ANY(%(actions)s)
) e ON e.number = r.id::text
ORDER BY coalesce(r.id::text, e.number), e.seq
"""

# A row's number, its entry's, and what that says; one of the two may be missing.
Match = tuple[int | None, int | None, str | None]


def check_and_keep() -> Verdict:
    """The chain and what it tells of, now; kept for every page to tell."""
    return checking.check_and_keep(first_difference)


def check_when_due() -> Verdict | None:
    return checking.check_when_due(first_difference)


def first_difference(*, artefacts: bool = False) -> str:
    """A sentence, or nothing. `artefacts` reads all that was attached as well, which may be much."""
    found = chain(map(_of_kind, KINDS), (look() for look in (_other_release, _other_catalogue)))
    return next((why for why in found if why), "") or (_other_artefact() if artefacts else "")


def _of_kind(kind: Kind) -> str:
    matches = _matched(kind)
    last: int | None = None
    while chunk := list(islice(matches, CHUNK)):
        rows = _rows(kind, [pk for pk, _, _ in chunk if pk is not None])
        for pk, seq, body in chunk:
            if why := _compared(kind, rows.get(pk or 0), seq, body) or _again(kind, last, pk, seq):
                return why
            last = pk
    return ""


def _again(kind: Kind, last: int | None, pk: int | None, seq: int | None) -> str:
    return told_twice(kind, pk, seq or 0) if pk is not None and pk == last else ""


def _compared(kind: Kind, row: Model | None, seq: int | None, body: str | None) -> str:
    if seq is None or body is None:
        return no_entry(kind, row.pk if row else None)
    after = json.loads(body)["after"] or {}
    if row is None:
        return no_row(kind, after.get(kind.number), seq)
    return difference(kind, _kept(told(row)), seq, after) or _parts(kind, row)


def _parts(kind: Kind, row: Model) -> str:
    """What an entry holds as a hash alone."""
    if isinstance(row, GateSignature) and sha256_of(row.parts) != row.evidence_hash:
        return f"What {kind.called(row.pk).lower()} was given for is not what its hash is of."
    return ""


def _matched(kind: Kind) -> Iterator[Match]:
    table = TABLES[kind.list]._meta.db_table
    actions = sorted(kind.actions)
    like = [f'%"action":"{action}"%' for action in actions]
    given: dict[str, Any] = {"number": kind.number, "actions": actions, "like": like}
    with connection.chunked_cursor() as cursor:
        cursor.execute(MATCHED.format(table=connection.ops.quote_name(table)), given)
        for row in iter(partial(cursor.fetchmany, CHUNK), []):
            yield from cast("list[Match]", row)


def _rows(kind: Kind, numbers: list[int]) -> dict[int, Model]:
    rows = TABLES[kind.list]._default_manager.filter(pk__in=numbers).select_related(*_BESIDE.get(kind.list, ()))
    if kind.list == "cutovers":
        rows = rows.prefetch_related("gates", "steps__environment")
    return {row.pk: row for row in rows}


def _other_release() -> str:
    """A release is told of by its id; entries of an older version tell less of it."""
    entries = dict(_entries("release.register"))
    for row in Release.objects.select_related("service").order_by("id"):
        after = entries.pop(_kept({"object": object_of(row)})["object"], None)
        if after is None:
            return f"Release {row.release_id} has no entry in the audit log: somebody put it there by hand."
        stands = _kept({name: row.created_by_id if name == "by" else getattr(row, name) for name in after})
        if other := [name for name in after if after[name] != stands[name]]:
            return f"Release {row.release_id} is not what was registered: its {other[0]} is another."
    return f"{min(entries)} is gone: the audit log tells that it was registered." if entries else ""


def _other_catalogue() -> str:
    """A catalogue that is not what its own hash says, or not the one that was saved; signatures bind it."""
    saved = {(object, after["version"]): after["sha256"] for object, after in _entries("catalogue.edit")}
    for row in GateCatalogue.objects.select_related("service").order_by("id"):
        place = f"catalogue:{row.service.name if row.service else 'all'}", row.version
        came_along = row.service is None and row.version == 1
        if saved.pop(place, row.sha256 if came_along else "") != row.sha256 or sha256_of(row.content) != row.sha256:
            return f"Version {row.version} of {place[0]} is not what was saved: its hash differs."
    return f"Version {min(saved)[1]} of {min(saved)[0]} is gone: the audit log tells of it." if saved else ""


def _kept(told: Mapping[str, object]) -> dict[str, Any]:
    """As the audit log keeps it."""
    plain: dict[str, Any] = json.loads(canonical(told))
    return plain


def _entries(action: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for body in AuditEntry.objects.filter(body__contains=f'"action":"{action}"').values_list("body", flat=True):
        entry = json.loads(body)
        if entry["action"] == action:
            yield entry["object"], entry["after"]


def _other_artefact() -> str:
    for row in EvidenceArtefact.objects.order_by("sha256").iterator(chunk_size=20):
        if hashlib.sha256(row.content).hexdigest() != row.sha256:
            return f"The artefact {row.sha256[:12]}… is not what was attached: its hash differs."
    return ""
