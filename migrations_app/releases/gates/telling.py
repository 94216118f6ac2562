"""What the audit entry of a row about gates holds: all of the row that counts, so that the two can be compared later.

A row's entry has exactly this as its `after`. The database looks at commit whether the entry is there, the verifier
whether it still says the same (releases.crosscheck), and so does whoever checks a bundle offline (releases.bundle).
"""

from __future__ import annotations

from functools import singledispatch

from django.db.models import Model

from migrations_app.models import (
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
    GateEvidence,
    GateSignature,
    GateWaiver,
    SignatureWithdrawal,
    WaiverDecision,
)
from migrations_app.releases.gates.catalogue import sha256_of

Told = dict[str, object]


@singledispatch
def told(row: Model) -> Told:
    """Of a row as the database holds it: after a create() with values of the database's own, read it again first."""
    raise TypeError(f"the audit log tells nothing of {type(row).__name__}")


@told.register
def _(row: GateEvidence) -> Told:
    return {
        "evidence": row.pk,
        "release": row.release_id,
        "gate": row.gate_key,
        "check": row.check_key,
        "status": row.status,
        "source": row.source,
        "producer": row.producer,
        "summary": row.summary,
        "detail_sha256": sha256_of(row.detail),
        "commit": row.commit,
        "identity": row.identity,
        "artefact": row.artefact_name,
        "artefact_sha256": row.artefact_sha256,
        "at": row.at,
        "by": row.by_id,
    }


@told.register
def _(row: GateSignature) -> Told:
    """Without its parts: the evidence hash is theirs."""
    return {
        "signature": row.pk,
        "release": row.release_id,
        "gate": row.gate_key,
        "evidence_hash": row.evidence_hash,
        "roles": row.roles,
        "comment": row.comment,
        "at": row.at,
        "expires_at": row.expires_at,
        "by": row.by_id,
    }


@told.register
def _(row: SignatureWithdrawal) -> Told:
    return {
        "withdrawal": row.pk,
        "signature": row.signature_id,
        "gate": row.signature.gate_key,
        "reason": row.reason,
        "at": row.at,
        "by": row.by_id,
    }


@told.register
def _(row: GateWaiver) -> Told:
    return {
        "waiver": row.pk,
        "release": row.release_id,
        "gate": row.gate_key,
        "check": row.check_key,
        "reason": row.reason,
        "at": row.requested_at,
        "expires_at": row.expires_at,
        "by": row.requested_by_id,
    }


@told.register
def _(row: WaiverDecision) -> Told:
    return {
        "decision": row.pk,
        "waiver": row.waiver_id,
        "gate": row.waiver.gate_key,
        "check": row.waiver.check_key,
        "verb": row.verb,
        "reason": row.reason,
        "at": row.at,
        "by": row.by_id,
    }


@told.register
def _(row: BreakGlass) -> Told:
    return {
        "glass": row.pk,
        "release": row.release_id,
        "blockers": row.blockers,
        "blockers_hash": row.blockers_hash,
        "reason": row.reason,
        "at": row.asked_at,
        "expires_at": row.expires_at,
        "by": row.asked_by_id,
    }


@told.register
def _(row: BreakGlassAnswer) -> Told:
    return {
        "answer": row.pk,
        "glass": row.glass_id,
        "granted": row.granted,
        "reason": row.reason,
        "at": row.at,
        "by": row.by_id,
    }


@told.register
def _(row: Cutover) -> Told:
    """How it began, with the gates as they stood; its course has entries of its own."""
    gates = sorted(row.gates.all(), key=lambda gate: gate.pk)
    steps = sorted(row.steps.all(), key=lambda step: step.ordinal)
    return {
        "cutover": row.pk,
        "release": row.release_id,
        "glass": row.glass_id,
        "environments": [step.environment.name for step in steps],
        "planned_from": row.planned_from,
        "planned_until": row.planned_until,
        "gates": [[gate.gate_key, gate.state, gate.evidence_hash, gate.signers] for gate in gates],
        "at": row.started_at,
        "by": row.requested_by_id,
    }
