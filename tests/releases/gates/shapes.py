"""Small catalogues, and evidence in a line."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models.functions import Now

from migrations_app.models import GateEvidence, GateSignature, Release
from migrations_app.releases.gates.evidence import post_evidence
from migrations_app.releases.gates.judging import GateVerdict, Verdict
from migrations_app.releases.gates.reading import judged
from migrations_app.releases.gates.signing import sign_off
from tests.releases.gates.rows import put

TESTS: dict[str, object] = {
    "key": "tests",
    "title": "Tests",
    "signatures": 2,
    "roles": ["release-manager"],
    "checks": [{"key": "unit", "title": "The tests pass", "producer": "ci/unit", "max_age_hours": 2}],
}
SMALL = {
    "gates": [
        {
            "key": "build",
            "title": "Build",
            "checks": [
                {"key": "assets", "title": "The assets build", "producer": "ci/assets", "command": "make assets"},
                {"key": "manifest", "title": "Every file is there", "producer": "ci/manifest"},
            ],
        },
        TESTS,
    ]
}
CHECKS = (("build", "assets"), ("build", "manifest"), ("tests", "unit"))


def report(release: Release, by: User, gate: str, check: str, status: str = "pass") -> GateEvidence:
    told = post_evidence(
        release=release, gate=gate, check=check, status=status, summary=f"{check}: {status}", producer="ci", by=by
    )
    return told.evidence


def report_all(release: Release, by: User) -> None:
    for gate, check in CHECKS:
        report(release, by, gate, check)


def stale(release: Release, gate: str, check: str, hours: float) -> None:
    """A report that passed so many hours ago."""
    report = GateEvidence(
        release=release,
        gate_key=gate,
        check_key=check,
        status="pass",
        source="posted",
        producer="ci",
        summary="it passed",
        identity=f"{gate}/{check} {hours}",
        at=Now() - timedelta(hours=hours),
    )
    put(report)


def verdict(release: Release) -> Verdict:
    return judged(release).verdict


def gate(release: Release, key: str) -> GateVerdict:
    found = verdict(release).gate(key)
    assert found is not None
    return found


def sign(release: Release, key: str, by: User) -> GateSignature:
    """What stands now, as if it had just been looked at."""
    return sign_off(release=release, gate=key, evidence_hash=gate(release, key).evidence_hash, by=by)


def make_ready(release: Release, reporter: User, *signers: User) -> None:
    """Each signs what stood after the reports: another signature changes nothing of it."""
    report_all(release, reporter)
    for one in verdict(release).gates:
        for signer in signers:
            sign_off(release=release, gate=one.gate.key, evidence_hash=one.evidence_hash, by=signer)
