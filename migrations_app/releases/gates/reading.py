"""Gather what is known of a release's gates, in a fixed number of queries beside those of the facts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import Exists, OuterRef, Prefetch

from migrations_app.models import (
    Cutover,
    Environment,
    GateCatalogue,
    GateEvidence,
    GateSignature,
    GateWaiver,
    Release,
    ReleaseState,
    Revision,
    WaiverDecision,
)
from migrations_app.permissions import VERBS
from migrations_app.rehearsals.chains import linked
from migrations_app.releases.gates import facts
from migrations_app.releases.gates.barred import STARTER, people_barred
from migrations_app.releases.gates.catalogue import Catalogue, canonical, read_catalogue
from migrations_app.releases.gates.catalogues import shown_catalogue
from migrations_app.releases.gates.judging import Verdict, judge
from migrations_app.releases.gates.known import Exemption, Key, Known, Outcome, Report, Signature, Stranger
from migrations_app.releases.gates.pending import head_of
from migrations_app.statuses import CheckKind, CutoverStatus, ReleaseStatus, WaiverVerb

MOST_STRANGERS = 50
BOUND = (
    "release_id",
    "schema_rev",
    "schema_rev_min",
    "schema_rev_max",
    "index_hash",
    "secrets_rev",
    "commit",
    "artefacts",
    "head_revision",
)


@dataclass(frozen=True)
class Judged:
    """A release with its gates as they stand at one moment."""

    release: Release
    state: ReleaseState
    version: GateCatalogue
    catalogue: Catalogue
    known: Known
    verdict: Verdict

    @property
    def status(self) -> str:
        """The stored one, or `ready` where it has yet to be cut over and every gate passes."""
        if self.verdict.ready and self.state.status in (ReleaseStatus.DRAFT, ReleaseStatus.COLLECTING):
            return ReleaseStatus.READY
        return self.state.status

    def without(self, people: Iterable[int]) -> Verdict:
        """The same moment as when these people's signatures do not count."""
        barred = {**dict.fromkeys(people, STARTER), **self.known.barred}
        return judge(self.catalogue, replace(self.known, barred=barred))


def judged(release: Release, *, without: Iterable[int] = ()) -> Judged:
    """Look at everything now. `without` are people whose signature does not count here, whatever else.

    Inside a transaction that holds the release's state (see `begun`) nothing of it changes before the end.
    """
    state = ReleaseState.objects.select_related("catalogue").get(pk=release.pk)
    version = state.catalogue or shown_catalogue(release.service)
    catalogue = read_catalogue(version.content)
    known = _known(release, catalogue, dict.fromkeys(without, STARTER))
    return Judged(release, state, version, catalogue, known, judge(catalogue, known))


def _known(release: Release, catalogue: Catalogue, barred: dict[int, str]) -> Known:
    reports, strangers = _reports(release, catalogue)
    exemptions, asked = _exemptions(release)
    return Known(
        now=database_now(),
        parts=_parts(release),
        reports=reports,
        outcomes=_outcomes(release, catalogue),
        strangers=strangers,
        exemptions=exemptions,
        asked=asked,
        signatures=_signatures(release),
        barred={**barred, **people_barred(release)},
    )


def database_now() -> datetime:
    """The clock by which evidence has its age."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _parts(release: Release) -> dict[str, str]:
    told = {name: getattr(release, name) for name in BOUND}
    return {
        "release": _sha256(canonical({**told, "id": release.pk})),
        "revisions": revisions_hash(release),
        "taken_back": str(Cutover.objects.filter(release=release, status=CutoverStatus.ROLLED_BACK).count()),
        "targets": targets_hash(release),
    }


def targets_hash(release: Release) -> str:
    """Which environments its service has, and which database each of them is."""
    targets = Environment.objects.filter(service_id=release.service_id).order_by("pk")
    bound = targets.values_list("uid", "name", "stage", "target_name", "system_identifier", "database_oid")
    return _sha256(json.dumps([[str(value) for value in row] for row in bound]))


def revisions_hash(release: Release) -> str:
    """The chain up to it, and the SQL that takes back and verifies, which the chain's own hash leaves out."""
    head, links, beside = head_of(release), [], []
    chain = Revision.objects.filter(service_id=release.service_id).order_by("position")
    for revision_id, up, *others in chain.values_list("revision_id", "checksum", "down_checksum", "verify_checksum"):
        links.append((revision_id, up))
        beside.append(others)
        if revision_id == head:
            break
    return _sha256(json.dumps([linked(links).get(head, ""), *beside]))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _reports(release: Release, catalogue: Catalogue) -> tuple[dict[Key, Report], tuple[Stranger, ...]]:
    """The newest of each name; those that the catalogue does not know are the strangers, the newest first."""
    rows = GateEvidence.objects.filter(release=release).order_by("gate_key", "check_key", "-id")
    newest = (
        rows.distinct("gate_key", "check_key").select_related("by", "artefact").defer("artefact__content", "detail")
    )
    reports, strangers = {}, []
    for row in newest:
        gate = catalogue.gate(row.gate_key)
        if gate is None or gate.check(row.check_key) is None:
            strangers.append(Stranger(row.gate_key, row.check_key, row.producer, row.at))
        else:
            reports[row.gate_key, row.check_key] = report_of(row)
    strangers.sort(key=lambda one: one.at, reverse=True)
    return reports, tuple(strangers[:MOST_STRANGERS])


def report_of(row: GateEvidence) -> Report:
    return Report(
        status=row.status,
        identity=row.identity,
        at=row.at,
        summary=row.summary,
        source=row.source,
        producer=row.producer,
        by=row.by.get_username() if row.by else "",
        evidence_id=row.pk,
        artefact_name=row.artefact_name,
        artefact_sha256=row.artefact_sha256,
        artefact_size=row.artefact.size if row.artefact else None,
    )


def _outcomes(release: Release, catalogue: Catalogue) -> dict[Key, Outcome]:
    return {
        (gate.key, check.key): facts.look(str(check.settings.get("fact", "")), release, check.settings)
        for gate in catalogue.gates
        for check in gate.checks
        if check.kind == CheckKind.FACT and gate.on and check.on
    }


def _exemptions(release: Release) -> tuple[dict[Key, Exemption], dict[Key, Exemption]]:
    """Those that count, and those that wait for a second person; the newest of each check."""
    of_waiver = WaiverDecision.objects.filter(waiver=OuterRef("pk"))
    taken_back = of_waiver.exclude(verb=WaiverVerb.APPROVE)
    approvals = WaiverDecision.objects.filter(verb=WaiverVerb.APPROVE).select_related("by").annotate(now=roles_now())
    rows = GateWaiver.objects.filter(~Exists(taken_back), release=release, expires_at__gt=database_now()).order_by("id")
    approved: dict[Key, Exemption] = {}
    asked: dict[Key, Exemption] = {}
    for row in rows.select_related("requested_by").prefetch_related(Prefetch("decisions", approvals)):
        by = list(row.decisions.all())
        found = Exemption(
            id=row.pk,
            requested_by=row.requested_by.get_username(),
            reason=row.reason,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            approved_by=by[0].by.get_username() if by else "",
            approver_id=by[0].by_id if by else None,
            lapsed=_lapsed(by[0]) if by else "",
        )
        (approved if by else asked)[row.gate_key, row.check_key] = found
    return approved, asked


def _lapsed(approval: WaiverDecision) -> str:
    name, roles = approval.by.get_username(), approval.now  # type: ignore[attr-defined]
    if not approval.by.is_active:
        return f"the account of {name} is disabled"
    return "" if VERBS["decide_waiver"] & set(roles) else f"{name} has no role any more that approves one"


def roles_now() -> ArraySubquery:
    """Of the person in a row's `by`: a role that was taken away fills nothing."""
    return ArraySubquery(Group.objects.filter(user=OuterRef("by_id")).values("name"))


def _signatures(release: Release) -> dict[str, tuple[Signature, ...]]:
    rows = GateSignature.objects.filter(release=release).order_by("-id").annotate(now=roles_now())
    found: dict[str, list[Signature]] = {}
    for row in rows.select_related("by", "withdrawal__by"):
        taken_back = getattr(row, "withdrawal", None)
        found.setdefault(row.gate_key, []).append(
            Signature(
                id=row.pk,
                by_id=row.by_id,
                by=row.by.get_username(),
                roles=tuple(role for role in row.roles if role in row.now),
                evidence_hash=row.evidence_hash,
                parts=row.parts,
                at=row.at,
                expires_at=row.expires_at,
                comment=row.comment,
                withdrawn_by=taken_back.by.get_username() if taken_back else "",
                withdrawn_reason=taken_back.reason if taken_back else "",
                disabled=not row.by.is_active,
                idle=not VERBS["sign_gate"] & set(row.now),
            )
        )
    return {gate: tuple(rows) for gate, rows in found.items()}
