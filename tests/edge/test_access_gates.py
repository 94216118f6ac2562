"""What hangs on a release's gates is found through look-ups that check permission, and only below its release."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404

from dashboard import access_gates
from migrations_app.models import AuditEntry, GateCatalogue, GateEvidence, GateSignature, GateWaiver, Release
from tests.edge.fleet import make_revision, make_service
from tests.edge.gates import make_hanging
from tests.edge.releases import make_release
from tests.releases.gates.rows import put

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(olga: User) -> Release:
    service = make_service(olga)
    make_revision(service, 1, schema_rev="sc-1")
    release = make_release(service, olga, "1.0", "sc-1")
    make_hanging(release, olga)
    return release


def test_it_finds_for_those_who_may_look(vic: User, release: Release) -> None:
    row = access_gates.evidence_for(vic, release).get()
    assert row == access_gates.evidence_row_for(vic, release, row.pk)
    assert row.artefact is not None
    assert "content" in row.artefact.get_deferred_fields()
    assert bytes(access_gates.artefact_for(vic, release, row.pk).content) == b"what was seen"
    signature = GateSignature.objects.get()
    assert access_gates.signature_for(vic, release, signature.pk) == signature
    waiver = access_gates.waivers_for(vic, release).get()
    assert access_gates.waiver_for(vic, waiver.pk) == waiver
    assert access_gates.catalogue_for(vic, release.service).version == 1
    assert not access_gates.catalogues_for(vic, None).exists()


def test_it_finds_nothing_below_another_release(vic: User, olga: User, release: Release) -> None:
    other = make_release(release.service, olga, "1.1", "sc-1")
    assert not access_gates.evidence_for(vic, other).exists()
    assert not access_gates.waivers_for(vic, other).exists()
    for look, row in (
        (access_gates.evidence_row_for, GateEvidence.objects.get()),
        (access_gates.artefact_for, GateEvidence.objects.get()),
        (access_gates.signature_for, GateSignature.objects.get()),
    ):
        with pytest.raises(Http404):
            look(vic, other, row.pk)


@pytest.mark.parametrize(
    ("look", "sentence"),
    [
        (lambda user, release: access_gates.evidence_row_for(user, release, 10**30), f"There is no evidence {10**30}"),
        (lambda user, release: access_gates.signature_for(user, release, 0), "There is no signature 0 of release"),
        (lambda user, release: access_gates.waiver_for(user, 10**30), f"There is no exemption {10**30}."),
        (lambda user, release: access_gates.catalogue_owner_for(user, "none"), "There is no service none."),
        (lambda user, release: access_gates.catalogue_version_for(user, None, 7), "There is no version 7"),
    ],
)
def test_it_answers_404_for_what_is_not_there(
    vic: User, release: Release, look: Callable[[User, Release], object], sentence: str
) -> None:
    with pytest.raises(Http404) as missing:
        look(vic, release)
    assert str(missing.value).startswith(sentence)


def test_a_file_that_is_kept_elsewhere_is_not_there(vic: User, release: Release) -> None:
    row = put(GateEvidence(
        release=release, gate_key="a", check_key="b", status="pass", source="posted", summary="so", identity="2",
        artefact_sha256="cd" * 32,
    ))  # fmt: skip
    with pytest.raises(Http404, match="No file is kept here"):
        access_gates.artefact_for(vic, release, row.pk)


def test_it_refuses_and_records_who_may_not(vic: User, release: Release) -> None:
    looks: tuple[Callable[[], object], ...] = (
        lambda: access_gates.signature_for(vic, release, 1, "sign_gate"),
        lambda: access_gates.waiver_for(vic, GateWaiver.objects.get().pk, "decide_waiver"),
        lambda: access_gates.catalogue_owner_for(vic, "", "edit_gates"),
        lambda: access_gates.evidence_for(vic, release, "post_evidence"),
    )
    for number, look in enumerate(looks, start=1):
        with pytest.raises(PermissionDenied):
            look()
        assert AuditEntry.objects.filter(data__action="denied").count() == number


def test_looking_at_the_first_catalogue_writes_nothing(vic: User) -> None:
    assert access_gates.catalogue_for(vic, None).content["gates"]
    assert not GateCatalogue.objects.exists()
