"""What a bundle holds of a release, as plain values; what the audit log tells of a row has the names it has there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Model

from migrations_app.audit.body import canonical as masking
from migrations_app.models import (
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
    CutoverStep,
    EvidenceArtefact,
    GateCatalogue,
    GateEvidence,
    GateSignature,
    GateWaiver,
    LedgerEntry,
    Release,
    Revision,
    Run,
    SignatureWithdrawal,
    WaiverDecision,
)
from migrations_app.releases.gates.judging import GateVerdict
from migrations_app.releases.gates.pending import head_of, own_revisions
from migrations_app.releases.gates.reading import BOUND, Judged
from migrations_app.releases.gates.telling import told

LARGEST_INLINE = 1_000_000  # bytes of one artefact; of a larger one the bundle has the hash alone
MOST_INLINE = 20_000_000  # of all of them together
NOBODY = "system"

Row = dict[str, object]


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member) for member in value]
    return value


def masked(told: Mapping[str, object]) -> Row:
    """As the audit log keeps it, which holds no password."""
    kept: Row = json.loads(masking(told))
    return kept


def _row(row: Model, by: User | None, **beside: object) -> Row:
    return {**masked(told(row)), **beside, "by_name": by.get_username() if by else NOBODY}


def release(found: Release) -> Row:
    return {
        **{name: getattr(found, name) for name in BOUND},
        "id": found.pk,
        "service": found.service.name,
        "status": found.state.status,
        "chain": found.chain,
        "created_at": found.created_at,
        "by": found.created_by_id,
        "by_name": found.created_by.get_username(),
    }


def catalogue(version: GateCatalogue) -> Row:
    return {
        "service": version.service.name if version.service else None,
        "version": version.version,
        "sha256": version.sha256,
        "content": version.content,
    }


def revisions(found: Release) -> Row:
    """Its own with their SQL; of the whole chain up to it the checksums, whose hash the gates looked at."""
    names = (
        "revision_id", "parent", "position", "schema_rev", "phase", "up", "down", "verify",
        "checksum", "down_checksum", "verify_checksum",
    )  # fmt: skip
    head, chain = head_of(found), []
    every = Revision.objects.filter(service_id=found.service_id).order_by("position")
    for link in every.values_list("revision_id", "checksum", "down_checksum", "verify_checksum"):
        chain.append(link)
        if link[0] == head:
            break
    rows = own_revisions(found)
    return {"head": head, "chain": chain, "rows": [{name: getattr(row, name) for name in names} for row in rows]}


def evidence(found: Release) -> tuple[list[Row], list[Row]]:
    """Every report, and the files that are kept here with them."""
    reports = GateEvidence.objects.filter(release=found).select_related("by", "artefact").defer("artefact__content")
    rows = list(reports.order_by("id"))
    sizes = {row.artefact.sha256: row.artefact.size for row in rows if row.artefact}
    told_of = [_row(row, row.by, detail=row.detail, artefact_size=sizes.get(row.artefact_id or "")) for row in rows]
    return told_of, list(_artefacts(sizes))


def _artefacts(sizes: Mapping[str, int]) -> Iterable[Row]:
    left = MOST_INLINE
    for sha256, size in sizes.items():
        row: Row = {"sha256": sha256, "size": size, "content": None, "left_out": ""}
        if size > LARGEST_INLINE:
            row["left_out"] = f"It is larger than {LARGEST_INLINE:,} bytes."
        elif size > left:
            row["left_out"] = f"The bundle holds {MOST_INLINE:,} bytes of artefacts already."
        else:
            left -= size
            row["content"] = base64.b64encode(EvidenceArtefact.objects.get(pk=sha256).content).decode()
        yield row


def verdict(found: Judged) -> Row:
    """As it stands at the moment of making."""
    return {
        "at": found.known.now,
        "ready": found.verdict.ready,
        "sentence": found.verdict.sentence,
        "gates": [_gate(gate) for gate in found.verdict.gates],
    }


def _gate(gate: GateVerdict) -> Row:
    return {
        "gate": gate.gate.key,
        "title": gate.gate.title,
        "state": gate.state,
        "passes": gate.passes,
        **masked({"sentence": gate.sentence}),
        "wants": gate.wants,
        "evidence_hash": gate.evidence_hash,
        "parts": gate.parts,
        "signed_by": [one.by for one in gate.signed],
        "void": [[one.signature.id, one.void] for one in gate.signatures if one.void],
        "checks": [
            masked({"check": one.check.key, "state": one.state, "blocks": one.blocks, "sentence": one.sentence})
            for one in gate.checks
        ],
    }


def signatures(found: Release) -> Row:
    signed = GateSignature.objects.filter(release=found).select_related("by").order_by("id")
    back = SignatureWithdrawal.objects.filter(signature__release=found).select_related("by", "signature")
    return {
        "signatures": [_row(row, row.by, parts=row.parts) for row in signed],
        "withdrawals": [_row(row, row.by) for row in back.order_by("id")],
    }


def waivers(found: Release) -> Row:
    asked = GateWaiver.objects.filter(release=found).select_related("requested_by").order_by("id")
    decided = WaiverDecision.objects.filter(waiver__release=found).select_related("by", "waiver")
    return {
        "waivers": [_row(row, row.requested_by) for row in asked],
        "decisions": [_row(row, row.by) for row in decided.order_by("id")],
    }


def glass(found: Release) -> Row:
    asked = BreakGlass.objects.filter(release=found).select_related("asked_by").order_by("id")
    answers = BreakGlassAnswer.objects.filter(glass__release=found).select_related("by").order_by("id")
    return {
        "glass": [_row(row, row.asked_by) for row in asked],
        "answers": [_row(row, row.by) for row in answers],
    }


def cutovers(found: Release) -> list[Row]:
    rows = Cutover.objects.filter(release=found).select_related("requested_by").order_by("id")
    rows = rows.prefetch_related("gates", "steps__environment", "steps__run", "steps__back_run")
    return [
        _row(
            row,
            row.requested_by,
            status=row.status,
            sentence=row.sentence,
            reason=row.reason,
            ended_at=row.ended_at,
            steps=[_step(step) for step in row.steps.all()],
        )
        for row in rows
    ]


def _step(step: CutoverStep) -> Row:
    return {
        "ordinal": step.ordinal,
        "environment": step.environment.name,
        "status": step.status,
        "sentence": step.sentence,
        "from_revision": step.from_revision,
        "to_revision": step.to_revision,
        "started_at": step.started_at,
        "ended_at": step.ended_at,
        "run": _run(step.run),
        "back_run": _run(step.back_run),
    }


def _run(run: Run | None) -> Row | None:
    if run is None:
        return None
    names = ("uid", "direction", "status", "from_revision", "to_revision", "revisions", "started_at", "finished_at")
    return {"run": run.pk, **{name: getattr(run, name) for name in names}}


def receipts(found: Release) -> list[Row]:
    """Of its revisions, in every environment of the service, oldest first."""
    names = (
        "seq", "revision_id", "parent", "direction", "cycle", "checksum", "schema_rev", "applied_at", "operator",
        "run_uid", "fence", "fp_before", "fp_after", "duration_ms", "superseded_at",
    )  # fmt: skip
    own = own_revisions(found).values("revision_id")
    rows = LedgerEntry.objects.filter(environment__service_id=found.service_id, revision_id__in=own)
    ordered = rows.select_related("environment").order_by("environment_id", "seq", "id")
    return [{"environment": row.environment.name, **{name: getattr(row, name) for name in names}} for row in ordered]
