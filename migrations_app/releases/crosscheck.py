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
from django.db.models import Exists, F, Model, OuterRef

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

# What entries of releases and catalogues call otherwise than their rows do.
_COLUMNS = {"by": "created_by_id", "at": "created_at", "release": "id", "number": "id"}

# The text is searched before it is read: most entries are about something else.
MATCHED = """
SELECT r.id, e.seq, e.body FROM {table} r FULL JOIN (
    SELECT seq, body, body::jsonb -> 'after' ->> %(number)s AS number
      FROM migrations_app_auditentry
     WHERE body LIKE ANY(%(like)s) AND body::jsonb ->> 'action' = ANY(%(actions)s)
) e ON e.number = r.id::text
ORDER BY coalesce(r.id::text, e.number), e.seq
"""

# Entries tell the hash of the catalogue that their release keeps.
LED_ELSEWHERE = """
SELECT r.release_id, e.seq
  FROM (SELECT seq, body::jsonb AS data FROM migrations_app_auditentry WHERE body LIKE '%%"catalogue":"%%') e
  JOIN migrations_app_service v ON e.data ->> 'object' LIKE 'release:%%'
  JOIN migrations_app_release r
    ON r.service_id = v.id AND e.data ->> 'object' = 'release:' || v.name || '/' || r.release_id
  LEFT JOIN migrations_app_releasestate s ON s.release_id = r.id
  LEFT JOIN migrations_app_gatecatalogue c ON c.id = s.catalogue_id
 WHERE e.data -> 'after' ->> 'catalogue' IS DISTINCT FROM c.sha256 AND e.data -> 'after' ? 'catalogue'
 ORDER BY e.seq LIMIT 1
"""

# What takes another person, with rows and entries that agree: the guards were off when they were written.
OWN_HAND = """
SELECT 'Signature ' || g.id || ' is by who registered the release.'
  FROM migrations_app_gatesignature g JOIN migrations_app_release r ON r.id = g.release_id AND r.created_by_id = g.by_id
UNION ALL
SELECT 'Withdrawal ' || w.id || ' is not by who signed.'
  FROM migrations_app_signaturewithdrawal w JOIN migrations_app_gatesignature g ON g.id = w.signature_id
 WHERE w.by_id <> g.by_id
UNION ALL
SELECT 'Decision ' || d.id || ' is ' || CASE d.verb WHEN 'withdraw' THEN 'not by who asked for it.'
       ELSE 'by who asked for it or registered the release.' END
  FROM migrations_app_waiverdecision d JOIN migrations_app_gatewaiver w ON w.id = d.waiver_id
  JOIN migrations_app_release r ON r.id = w.release_id
 WHERE (d.by_id = w.requested_by_id) <> (d.verb = 'withdraw') OR d.verb = 'approve' AND d.by_id = r.created_by_id
UNION ALL
SELECT 'Answer ' || a.id || ' is by who asked to break the glass.'
  FROM migrations_app_breakglassanswer a JOIN migrations_app_breakglass g ON g.id = a.glass_id
 WHERE a.granted AND a.by_id = g.asked_by_id
 LIMIT 1
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
    objects = {row.pk: object_of(row) for row in Release.objects.select_related("service")}
    looks = (_other_release, _other_catalogue, _other_targets, _led_elsewhere, _own_hand, _lost_artefact)
    found = chain((_of_kind(kind, objects) for kind in KINDS), (look() for look in looks))
    return next((why for why in found if why), "") or (_other_artefact() if artefacts else "")


def _of_kind(kind: Kind, objects: Mapping[int, str]) -> str:
    matches = _matched(kind)
    last: int | None = None
    while chunk := list(islice(matches, CHUNK)):
        rows = _rows(kind, [pk for pk, _, _ in chunk if pk is not None])
        for pk, seq, body in chunk:
            if why := _compared(kind, rows.get(pk or 0), seq, body, objects) or _again(kind, last, pk, seq):
                return why
            last = pk
    return ""


def _again(kind: Kind, last: int | None, pk: int | None, seq: int | None) -> str:
    return told_twice(kind, pk, seq or 0) if pk is not None and pk == last else ""


def _compared(kind: Kind, row: Model | None, seq: int | None, body: str | None, objects: Mapping[int, str]) -> str:
    if seq is None or body is None:
        return no_entry(kind, row.pk if row else None)
    entry = json.loads(body)
    after = entry["after"] or {}
    if row is None:
        return no_row(kind, after.get(kind.number), seq)
    release = objects.get(getattr(row, "release_id", 0), entry["object"])
    if release != entry["object"]:
        return f"{kind.called(row.pk)} is one of {release}: entry number {seq} tells of {entry['object']}."
    return difference(kind, _kept(told(row)), seq, after) or _parts(kind, row, after)


def _parts(kind: Kind, row: Model, after: Mapping[str, Any]) -> str:
    """What an entry holds as a hash alone, or beside what makes the row what it is."""
    if isinstance(row, GateSignature) and sha256_of(row.parts) != row.evidence_hash:
        return f"What {kind.called(row.pk).lower()} was given for is not what its hash is of."
    if isinstance(row, GateEvidence) and after.get("kept", False) and row.artefact_id is None:
        return f"{kind.called(row.pk)} does not lead to its artefact any more."
    if isinstance(row, Cutover):
        now = {name: getattr(row, name) for name in ("reason", "revisions_hash")}
        other = [name for name in now if after.get(name, now[name]) != now[name]]
        return f"{kind.called(row.pk)} is not what was recorded: its {other[0]} is another." if other else ""
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
        if other := _other_value(row, after):
            return f"Release {row.release_id} is not what was registered: its {other} is another."
    return f"{min(entries)} is gone: the audit log tells that it was registered." if entries else ""


def _other_targets() -> str:
    """For which targets a cutover goes on is told when it begins, and each time it is told to go on."""
    told = {
        after["cutover"]: after["targets_hash"]
        for action in ("cutover.start", "cutover.resume")
        for _, after in _entries(action)
        if "targets_hash" in after
    }
    for pk, kept in Cutover.objects.exclude(targets_hash="").values_list("pk", "targets_hash").order_by("pk"):
        if told.get(pk) != kept:
            return f"Cutover {pk} is not what was recorded: its targets_hash is another."
    return ""


def _other_catalogue() -> str:
    """A catalogue that is not what its own hash says, or not the one that was saved; signatures bind it."""
    saved = {(object, after["version"]): after for object, after in _entries("catalogue.edit")}
    for row in GateCatalogue.objects.select_related("service").order_by("id"):
        place = f"catalogue:{row.service.name if row.service else 'all'}", row.version
        came_along = row.service is None and row.version == 1
        after = saved.pop(place, {"sha256": row.sha256 if came_along else ""})
        if after["sha256"] != row.sha256 or sha256_of(row.content) != row.sha256:
            return f"Version {row.version} of {place[0]} is not what was saved: its hash differs."
        # Entries of an older version have no number, and the note as it was typed.
        if "number" in after and (other := _other_value(row, after)):
            return f"Version {row.version} of {place[0]} is not what was saved: its {other} is another."
    return f"Version {min(saved)[1]} of {min(saved)[0]} is gone: the audit log tells of it." if saved else ""


def _other_value(row: Model, after: Mapping[str, Any]) -> str:
    """The first value of an entry that the row has otherwise; empty where there is none."""
    stands = _kept({name: getattr(row, _COLUMNS.get(name, name)) for name in after})
    return next((name for name in after if after[name] != stands[name]), "")


def _led_elsewhere() -> str:
    """A release that was given another catalogue than it began with, or whose state is gone."""
    with connection.cursor() as cursor:
        cursor.execute(LED_ELSEWHERE, ())
        found = cursor.fetchone()
    if found is None:
        return ""
    return f"Release {found[0]} has another catalogue than entry number {found[1]} of the audit log tells, or none."


def _own_hand() -> str:
    with connection.cursor() as cursor:
        cursor.execute(OWN_HAND)
        found = cursor.fetchone()
    return str(found[0]) if found else ""


def _lost_artefact() -> str:
    there = EvidenceArtefact.objects.filter(pk=OuterRef("artefact_id"))
    lost = GateEvidence.objects.filter(~Exists(there), artefact__isnull=False).order_by("id").first()
    if lost and lost.artefact_id:
        return f"The artefact {lost.artefact_id[:12]}… of evidence {lost.pk} is gone."
    other = GateEvidence.objects.filter(artefact__isnull=False).exclude(artefact=F("artefact_sha256")).first()
    return f"Evidence {other.pk} leads to another artefact than was attached." if other else ""


def _kept(told: Mapping[str, object]) -> dict[str, Any]:
    """As the audit log keeps it."""
    plain: dict[str, Any] = json.loads(canonical(told))
    return plain


def _entries(action: str) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = AuditEntry.objects.filter(body__contains=f'"action":"{action}"').order_by("seq")
    for body in rows.values_list("body", flat=True):
        entry = json.loads(body)
        if entry["action"] == action:
            yield entry["object"], entry["after"]


def _other_artefact() -> str:
    for row in EvidenceArtefact.objects.order_by("sha256").iterator(chunk_size=20):
        if hashlib.sha256(row.content).hexdigest() != row.sha256 or len(row.content) != row.size:
            return f"The artefact {row.sha256[:12]}… is not what was attached: its hash or size differs."
    return ""
