"""A release with a row in every table that the audit log vouches for."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from migrations_app.models import BreakGlass, BreakGlassAnswer, Cutover, CutoverGate, Release
from migrations_app.releases.gates.catalogue import sha256_of
from migrations_app.releases.gates.evidence import Attachment, post_evidence
from migrations_app.releases.gates.signing import withdraw
from migrations_app.releases.gates.waivers import ask_waiver, decide_waiver
from tests.releases.gates.rows import put, tell
from tests.releases.gates.shapes import gate, make_ready, report, sign

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
    for signer in (ann, omar):
        report(release, olga, "build", "manifest")
        withdraw(sign(release, "build", signer), reason="a second thought", by=signer)
    for check in ("assets", "manifest"):
        asked = ask_waiver(release=release, gate="build", check=check, reason="it is shown by hand", hours=5, by=omar)
        decide_waiver(asked, "approve", by=ann)
    make_ready(release, olga, ann, omar)
    for _ in range(2):
        _cut_over(release, _break(release, omar, ann), omar)


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
    with transaction.atomic():
        cutover = Cutover.objects.create(
            service=release.service, release=release, glass=glass, requested_by=by, status="done"
        )
        stands = gate(release, "build")
        CutoverGate.objects.create(
            cutover=cutover, gate_key="build", state=stands.state, evidence_hash=stands.evidence_hash, signers=["ann"]
        )
        tell(cutover)
