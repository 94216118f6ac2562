"""A release with a row in every table that the audit log vouches for."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models.functions import Now

from migrations_app.models import (
    BreakGlass,
    BreakGlassAnswer,
    Cutover,
    CutoverGate,
    GateSignature,
    GateWaiver,
    Release,
    SignatureWithdrawal,
    WaiverDecision,
)
from migrations_app.releases.gates.catalogue import sha256_of
from migrations_app.releases.gates.evidence import Attachment, post_evidence
from tests.releases.gates.rows import put, tell
from tests.releases.gates.shapes import report

# One for each table, and more where they come about on the way.
WITH_ROWS = (
    "gateevidence",
    "gatesignature",
    "signaturewithdrawal",
    "gatewaiver",
    "waiverdecision",
    "breakglass",
    "breakglassanswer",
    "cutover",
)


def make_signed(release: Release, olga: User, ann: User, omar: User) -> None:
    """Olga registered it; two of everything that people do, so that rows can be exchanged."""
    post_evidence(
        release=release,
        gate="build",
        check="assets",
        status="pass",
        summary="built with password=hunter2",
        attachment=Attachment("build.log", "", b"a log"),
        by=olga,
    )
    report(release, olga, "tests", "unit")
    later = Now() + timedelta(hours=5)
    for number, (by, other) in enumerate(((ann, omar), (omar, ann)), start=1):
        parts = {"check:assets": f"pass {number}"}
        signed = GateSignature(release=release, gate_key="build", by=by, parts=parts, expires_at=later)
        signed.evidence_hash = sha256_of(parts)
        put(SignatureWithdrawal(signature=put(signed), by=by, reason="a second thought"))
        asked = GateWaiver(release=release, gate_key="build", check_key="assets", requested_by=by, expires_at=later)
        put(WaiverDecision(waiver=put(asked), verb="approve", by=other))
        _cut_over(release, _break(release, by, other), by)


def _break(release: Release, asks: User, grants: User) -> BreakGlass:
    glass = BreakGlass(
        release=release,
        blockers=[["build", "it waits"]],
        blockers_hash=sha256_of([["build", "it waits"]]),
        asked_by=asks,
        reason="it cannot wait",
        expires_at=Now() + timedelta(hours=1),
    )
    put(glass)
    put(BreakGlassAnswer(glass=glass, granted=True, by=grants))
    return glass


def _cut_over(release: Release, glass: BreakGlass, by: User) -> None:
    cutover = Cutover.objects.create(
        service=release.service, release=release, glass=glass, requested_by=by, status="done"
    )
    CutoverGate.objects.create(cutover=cutover, gate_key="build", state="fail", evidence_hash="x", signers=["ann"])
    tell(cutover)
