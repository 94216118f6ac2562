"""A release with two small gates and the people around it, and rows that hang on a release."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils import timezone

from migrations_app.models import EvidenceArtefact, GateEvidence, GateSignature, GateWaiver, Release, Service
from migrations_app.permissions import ADMIN, ON_CALL, OPERATOR, RELEASE_MANAGER
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.registering import register_release
from tests.edge.fleet import make_service
from tests.edge.people import person
from tests.edge.releases import make_chain
from tests.releases.gates.rows import put
from tests.releases.gates.shapes import SMALL

PASSWORD = "correct horse battery"
# One round: nobody has to be kept from guessing it.
_QUICK = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)


@dataclass(frozen=True)
class People:
    """Olga registers, Ann manages releases, Omar is on call, Ada looks after the installation."""

    olga: User
    ann: User
    omar: User
    ada: User


def make_people() -> People:
    found = People(
        olga=person("olga", OPERATOR),
        ann=person("ann", RELEASE_MANAGER),
        omar=person("omar", ON_CALL),
        ada=person("ada", ADMIN),
    )
    User.objects.filter(pk__in=[one.pk for one in vars(found).values()]).update(password=_QUICK)
    for one in vars(found).values():
        one.password = _QUICK
    return found


def make_gated(people: People, release_id: str = "2.0", content: object = SMALL) -> Release:
    """Of a service with a chain of six revisions and a catalogue of its own."""
    service = Service.objects.filter(name="orders").first()
    if service is None:
        service = make_service(people.olga)
        make_chain(service)
        edit_catalogue(service=service, content=content, note="small enough to read", by=people.ada)
    return register_release(service=service, release_id=release_id, schema_rev="sc-10", by=people.olga).release


def make_hanging(release: Release, owner: User) -> tuple[GateSignature, GateWaiver, GateEvidence]:
    """A signature, an exemption that was asked for, and a report with a file."""
    other = person("other", RELEASE_MANAGER)
    content = b"what was seen"
    artefact = EvidenceArtefact.objects.create(
        sha256=hashlib.sha256(content).hexdigest(), content=content, size=len(content)
    )
    return (
        put(
            GateSignature(
                release=release,
                gate_key="frontend-build",
                by=other,
                evidence_hash="a" * 64,
                expires_at=timezone.now() + timedelta(days=1),
            )
        ),
        put(
            GateWaiver(
                release=release,
                gate_key="frontend-build",
                check_key="build",
                requested_by=owner,
                reason="the registry is down today",
                expires_at=Now() + timedelta(days=1),
            )
        ),
        put(
            GateEvidence(
                release=release,
                gate_key="frontend-build",
                check_key="build",
                status="pass",
                source="posted",
                producer="ci",
                summary="it was built",
                identity="one",
                artefact=artefact,
                artefact_name="build log.txt",
                artefact_sha256=artefact.sha256,
            )
        ),
    )
