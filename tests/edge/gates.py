"""What hangs on a release's gates, as plain rows."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models.functions import Now

from migrations_app.models import EvidenceArtefact, GateEvidence, GateSignature, GateWaiver, Release

SHA256 = "ab" * 32


def make_gate_rows(release: Release, by: User, signer: User) -> None:
    """A report with a file, a signature under what no longer stands, and an exemption that waits."""
    kept = EvidenceArtefact.objects.create(sha256=SHA256, content=b"all of it", size=9)
    GateEvidence.objects.create(
        release=release,
        gate_key="frontend-build",
        check_key="build",
        status="pass",
        source="posted",
        producer="ci/frontend-build",
        summary="it builds",
        identity="1",
        artefact_name="build.log",
        artefact_sha256=SHA256,
        artefact=kept,
        by=by,
    )
    ends = Now() + timedelta(days=1)
    GateSignature.objects.create(
        release=release, gate_key="frontend-build", by=signer, evidence_hash=SHA256, expires_at=ends
    )
    GateWaiver.objects.create(
        release=release,
        gate_key="frontend-build",
        check_key="artefacts",
        requested_by=by,
        reason="nothing of it is asked for yet",
        expires_at=ends,
    )
