"""The look-ups of what hangs on a release's gates, in the manner of access.py: permission first, then found or 404."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet
from django.http import Http404

from dashboard.access import Person, one, require, service_for
from migrations_app.models import (
    EvidenceArtefact,
    GateCatalogue,
    GateEvidence,
    GateSignature,
    GateWaiver,
    Release,
    Service,
    WaiverDecision,
)
from migrations_app.releases.gates.catalogues import shown_catalogue

# Named here so that pages and API can annotate what they were given without a way to look it up themselves.
__all__ = [
    "EvidenceArtefact",
    "GateCatalogue",
    "GateEvidence",
    "GateSignature",
    "GateWaiver",
    "WaiverDecision",
    "artefact_for",
    "catalogue_for",
    "catalogue_owner_for",
    "catalogue_version_for",
    "catalogues_for",
    "evidence_for",
    "evidence_row_for",
    "signature_for",
    "waiver_for",
    "waivers_for",
]


def evidence_for(user: Person, release: Release, verb: str = "view") -> QuerySet[GateEvidence]:
    """Newest first, without the content of what was attached."""
    require(user, verb, f"release:{release.pk}")
    rows = GateEvidence.objects.filter(release=release).order_by("-id")
    return rows.select_related("by", "artefact").defer("artefact__content")


def evidence_row_for(user: Person, release: Release, pk: int, verb: str = "view") -> GateEvidence:
    return one(evidence_for(user, release, verb), f"evidence {pk} of release {release.pk}", pk=pk)


def artefact_for(user: Person, release: Release, pk: int) -> EvidenceArtefact:
    """What was attached to a report; 404 too where it is kept elsewhere and only its hash is known."""
    row = evidence_row_for(user, release, pk)
    if row.artefact_id is None:
        raise Http404(f"No file is kept here with evidence {pk}.")
    return EvidenceArtefact.objects.get(pk=row.artefact_id)


def signature_for(user: Person, release: Release, pk: int, verb: str = "view") -> GateSignature:
    require(user, verb, f"release:{release.pk}")
    rows = GateSignature.objects.filter(release=release).select_related("release__service", "by")
    return one(rows, f"signature {pk} of release {release.pk}", pk=pk)


def waivers_for(user: Person, release: Release, verb: str = "view") -> QuerySet[GateWaiver]:
    """Newest first, each with what became of it."""
    require(user, verb, f"release:{release.pk}")
    return _waivers().filter(release=release)


def waiver_for(user: Person, pk: int, verb: str = "view") -> GateWaiver:
    require(user, verb, f"waiver:{pk}")
    return one(_waivers(), f"exemption {pk}", pk=pk)


def _waivers() -> QuerySet[GateWaiver]:
    made = Prefetch("decisions", WaiverDecision.objects.select_related("by").order_by("id"))
    return GateWaiver.objects.select_related("release__service", "requested_by").prefetch_related(made).order_by("-id")


def catalogue_owner_for(user: Person, service_name: str, verb: str = "view") -> Service | None:
    """Whose catalogue is meant: a service's own or, without a name, the one for all."""
    if service_name:
        return service_for(user, service_name, verb)
    require(user, verb, "catalogue:all")
    return None


def catalogue_for(user: Person, owner: Service | None) -> GateCatalogue:
    """The version that a release would begin with now."""
    require(user, "view", f"catalogue:{owner.name if owner else 'all'}")
    return shown_catalogue(owner)


def catalogues_for(user: Person, owner: Service | None) -> QuerySet[GateCatalogue]:
    """Its versions, newest first; those of the one for all are not among a service's own."""
    require(user, "view", f"catalogue:{owner.name if owner else 'all'}")
    return GateCatalogue.objects.filter(service=owner).select_related("service", "created_by").order_by("-version")


def catalogue_version_for(user: Person, owner: Service | None, version: int) -> GateCatalogue:
    return one(catalogues_for(user, owner), f"version {version} of this catalogue", version=version)
