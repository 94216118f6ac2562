"""A release's gates as the API tells them: verdict, gates, checks, reports, signatures and exemptions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dashboard.api.release_shapes import ReleaseOut
from dashboard.api.release_shapes import told as told_release
from dashboard.api.shapes import Moment, Telling
from migrations_app.releases.gates.judging import CheckVerdict, GateVerdict, SignatureVerdict, Verdict
from migrations_app.releases.gates.known import Exemption, Report, Stranger
from migrations_app.releases.gates.reading import Judged
from migrations_app.statuses import CheckState


class BlockerOut(Telling):
    gate: str
    sentence: str


class VerdictOut(Telling):
    """`changes_at` is when time alone changes something about it next."""

    ready: bool
    sentence: str
    blockers: list[BlockerOut]
    changes_at: Moment | None


class ArtefactOut(Telling):
    """`size` in bytes; null where the file is kept elsewhere and only its hash is known."""

    name: str
    sha256: str
    size: int | None


class ReportOut(Telling):
    """The newest evidence of a check."""

    id: int | None
    status: str
    at: Moment
    summary: str
    source: str
    producer: str
    by: str
    artefact: ArtefactOut | None


class StrangerOut(Telling):
    """A report under a name that the catalogue does not know."""

    gate: str
    check: str
    producer: str
    at: Moment


class ExemptionOut(Telling):
    """`approved_by` is empty while it waits for a second person."""

    id: int
    requested_by: str
    reason: str
    requested_at: Moment
    expires_at: Moment
    approved_by: str


class CheckOut(Telling):
    """`until` is when a check that passes turns stale or its exemption ends; `similar` reports may be meant for it."""

    key: str
    title: str
    kind: str
    state: Annotated[str, Field(description=f"One of {', '.join(CheckState.values)}.")]
    sentence: str
    blocks: bool
    producer: str
    command: str
    max_age_hours: int
    until: Moment | None
    report: ReportOut | None
    similar: list[StrangerOut]
    exemption: ExemptionOut | None
    asked: ExemptionOut | None


class SignatureOut(Telling):
    """`void` says why it does not count; empty where it does."""

    id: int
    by: str
    roles: list[str]
    evidence_hash: str
    comment: str
    at: Moment
    expires_at: Moment
    void: str


class GateOut(Telling):
    """`sentence` says what blocks it; `evidence_hash` is what a person signs who has seen the gate like this."""

    number: int
    key: str
    title: str
    about: str
    owner: str
    state: str
    passes: bool
    sentence: str
    evidence_hash: str
    signed: int
    wanted: int
    roles: list[str]
    wants: list[str]
    signatures: list[SignatureOut]
    checks: list[CheckOut]


class UsedOut(Telling):
    """The version of the catalogue that the release began with, and keeps."""

    version: int
    sha256: str
    own: Annotated[bool, Field(description="False: it is the catalogue for all services.")]


class ReleaseDetailOut(ReleaseOut):
    """`strangers` are reports that no check of the catalogue takes."""

    verdict: VerdictOut
    gates: list[GateOut]
    strangers: list[StrangerOut]
    catalogue: UsedOut


def told_in_full(found: Judged) -> ReleaseDetailOut:
    version = found.version
    return ReleaseDetailOut(
        **dict(told_release(found.release, found.status)),
        verdict=_verdict(found.verdict),
        gates=[_gate(gate) for gate in found.verdict.gates],
        strangers=[_stranger(one) for one in found.known.strangers],
        catalogue=UsedOut(version=version.version, sha256=version.sha256, own=version.service_id is not None),
    )


def told_signature(one: SignatureVerdict) -> SignatureOut:
    signature = one.signature
    return SignatureOut(
        id=signature.id,
        by=signature.by,
        roles=list(signature.roles),
        evidence_hash=signature.evidence_hash,
        comment=signature.comment,
        at=signature.at,
        expires_at=signature.expires_at,
        void=one.void,
    )


def _verdict(verdict: Verdict) -> VerdictOut:
    return VerdictOut(
        ready=verdict.ready,
        sentence=verdict.sentence,
        blockers=[BlockerOut(gate=gate.gate.key, sentence=gate.sentence) for gate in verdict.blocking],
        changes_at=verdict.changes_at,
    )


def _gate(found: GateVerdict) -> GateOut:
    gate = found.gate
    return GateOut(
        number=found.number,
        key=gate.key,
        title=gate.title,
        about=gate.sentence,
        owner=gate.owner,
        state=found.state,
        passes=found.passes,
        sentence=found.sentence,
        evidence_hash=found.evidence_hash,
        signed=len(found.signed),
        wanted=gate.signatures if gate.on else 0,
        roles=list(gate.roles),
        wants=list(found.wants),
        signatures=[told_signature(one) for one in found.signatures],
        checks=[_check(one) for one in found.checks],
    )


def _check(found: CheckVerdict) -> CheckOut:
    check = found.check
    return CheckOut(
        key=check.key,
        title=check.title,
        kind=check.kind,
        state=found.state,
        sentence=found.sentence,
        blocks=found.blocks,
        producer=check.producer,
        command=check.command,
        max_age_hours=check.max_age_hours,
        until=found.until,
        report=_report(found.report) if found.report else None,
        similar=[_stranger(one) for one in found.similar],
        exemption=_exemption(found.exemption) if found.exemption else None,
        asked=_exemption(found.asked) if found.asked else None,
    )


def _report(report: Report) -> ReportOut:
    return ReportOut(
        id=report.evidence_id,
        status=report.status,
        at=report.at,
        summary=report.summary,
        source=report.source,
        producer=report.producer,
        by=report.by,
        artefact=artefact(report.artefact_name, report.artefact_sha256, report.artefact_size),
    )


def artefact(name: str, sha256: str, size: int | None) -> ArtefactOut | None:
    return ArtefactOut(name=name, sha256=sha256, size=size) if name or sha256 else None


def _stranger(one: Stranger) -> StrangerOut:
    return StrangerOut(gate=one.gate, check=one.check, producer=one.producer, at=one.at)


def _exemption(one: Exemption) -> ExemptionOut:
    return ExemptionOut(**{name: getattr(one, name) for name in ExemptionOut.model_fields})
