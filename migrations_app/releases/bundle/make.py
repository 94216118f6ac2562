"""Put a release's bundle together, in one transaction that nobody changes the release under, and seal it.

1 lock the release's state   2 gather   3 hash what was gathered   4 write the audit entry with that hash, the seal
5 read the links of the chain from the release's first entry to the seal
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.auth.models import User
from django.db import transaction

from migrations_app import __version__
from migrations_app.audit.record import record
from migrations_app.audit.verify import link_of
from migrations_app.models import AuditEntry, Installation, Release, ReleaseState
from migrations_app.releases.bundle import gather, shape
from migrations_app.releases.bundle.check import SEAL
from migrations_app.releases.bundle.unpack import FORMAT
from migrations_app.releases.gates.catalogue import canonical, sha256_of
from migrations_app.releases.gates.changing import object_of
from migrations_app.releases.gates.reading import Judged, judged


@dataclass(frozen=True)
class Bundle:
    """The file, and the entry that seals it: whoever keeps the latter elsewhere can show that the file is this one."""

    name: str
    text: str
    seq: int
    hash: str

    @property
    def anchor(self) -> str:
        return f"{self.seq}:{self.hash}"


def make_bundle(release: Release, by: User) -> Bundle:
    """It is told in the audit log: who took it, and the hash of what they got."""
    with transaction.atomic():
        ReleaseState.objects.select_for_update(of=("self",)).get(pk=release.pk)
        document = _document(judged(release), by)
        sha256 = sha256_of(document)
        entry = record(
            actor=by,
            action=SEAL,
            object=object_of(release),
            after={"sha256": sha256, "entries": len(_entries(document))},
        )
        content = {"format": FORMAT, "document": document, "proof": _proof(document, entry)}
    service = release.service.name
    name = f"{service}-{release.release_id}.bundle.json".replace("/", "_").replace(":", "_")
    return Bundle(name, canonical(content) + "\n", entry.seq, bytes(entry.hash).hex())


def _document(found: Judged, by: User) -> dict[str, object]:
    release = found.release
    evidence, artefacts = gather.evidence(release)
    document: dict[str, object] = {
        "made": {
            "at": datetime.now(UTC),
            "by": by.get_username(),
            "installation": Installation.current().uid,
            "version": __version__,
        },
        "release": gather.release(release),
        "catalogue": gather.catalogue(found.version),
        "revisions": gather.revisions(release),
        "evidence": evidence,
        "artefacts": artefacts,
        "verdict": gather.verdict(found),
        **gather.signatures(release),
        **gather.waivers(release),
        **gather.glass(release),
        "cutovers": gather.cutovers(release),
        "receipts": gather.receipts(release),
        "entries": _own_entries(release),
    }
    plain: dict[str, object] = json.loads(canonical(gather.plain(document)))
    return plain


def _own_entries(release: Release) -> list[dict[str, object]]:
    told = json.loads(canonical(gather.masked({"object": object_of(release)})))
    rows = AuditEntry.objects.filter(data__object=told["object"]).order_by("seq")
    return [_entry(row) for row in rows]


def _entry(row: AuditEntry) -> dict[str, object]:
    link = link_of(row.seq, row.at, row.body, row.prev_hash, row.hash)
    return {
        "seq": link.seq,
        "at_us": link.at_us,
        "body": link.body,
        "prev_hash": link.prev_hash.hex(),
        "hash": link.hash.hex(),
    }


def _entries(document: dict[str, object]) -> list[dict[str, int]]:
    entries = document["entries"]
    assert isinstance(entries, list)
    return entries


def _proof(document: dict[str, object], seal: AuditEntry) -> dict[str, object]:
    """The seal, and of each entry of others only number and hashes: what they tell is not for everybody."""
    own = [entry["seq"] for entry in _entries(document)]
    first = own[0] if own else seal.seq
    between = seal.seq - first - len(own)
    others: list[list[object]] = []
    if between <= shape.MOST_LINKS:
        rows = AuditEntry.objects.filter(seq__gt=first, seq__lt=seal.seq).exclude(seq__in=own).order_by("seq")
        kept = rows.values_list("seq", "prev_hash", "hash").iterator()
        others = [[seq, bytes(before).hex(), bytes(itself).hex()] for seq, before, itself in kept]
    return {"seal": _entry(seal), "links": others, "links_left_out": between - len(others)}
