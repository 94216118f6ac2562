"""Who may sign a gate, what a signature binds, and what makes it void."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction

from migrations_app.engine.errors import Refused
from migrations_app.models import AuditEntry, Environment, GateSignature, Release, Revision, Service
from migrations_app.permissions import ON_CALL, OPERATOR, RELEASE_MANAGER
from migrations_app.releases.gates.catalogues import edit_catalogue
from migrations_app.releases.gates.signing import EvidenceChanged, sign_off, withdraw
from migrations_app.releases.gates.waivers import ask_waiver, decide_waiver
from migrations_app.releases.registering import register_release
from tests.edge.fleet import make_environment
from tests.edge.people import person
from tests.releases.gates.shapes import TESTS, gate, make_ready, report, report_all, sign, stale, verdict

pytestmark = pytest.mark.django_db


def voids(release: Release, key: str) -> list[str]:
    return [one.void for one in gate(release, key).signatures]


def test_two_people_sign_and_the_release_is_ready(release: Release, olga: User, ann: User, omar: User) -> None:
    make_ready(release, olga, ann, omar)
    found = verdict(release)
    assert (found.ready, found.sentence) == (True, "Ready for cutover: both gates pass.")
    assert [one.by for one in gate(release, "tests").signed] == ["ann", "omar"]


def test_nobody_signs_their_own_release(release: Release, olga: User) -> None:
    report_all(release, olga)
    with pytest.raises(Refused) as refusal:
        sign(release, "tests", olga)
    told = "olga registered this release, and nobody signs their own."
    assert (refusal.value.code, refusal.value.message) == ("own_release", told)
    assert not GateSignature.objects.exists()


def test_new_evidence_makes_a_signature_void_and_says_so(release: Release, olga: User, ann: User) -> None:
    report_all(release, olga)
    sign(release, "tests", ann)
    report(release, olga, "tests", "unit")
    assert voids(release, "tests") == ["Superseded: there is other evidence of “The tests pass”."]


def test_the_signature_of_a_disabled_account_is_void_and_says_so(
    release: Release, olga: User, ann: User, omar: User
) -> None:
    make_ready(release, olga, ann, omar)
    User.objects.filter(pk=omar.pk).update(is_active=False)
    assert voids(release, "tests") == ["The account of omar is disabled.", ""]
    assert gate(release, "tests").wants == ("Waits for one signature of two.",)


def test_a_role_that_was_taken_away_fills_nothing_and_who_has_none_left_signs_nothing(
    release: Release, olga: User, ann: User, omar: User
) -> None:
    make_ready(release, olga, ann, omar)
    operator = Group.objects.get_or_create(name=OPERATOR)[0]
    ann.groups.set([operator])
    assert gate(release, "tests").wants == ("Nobody has signed as release-manager.",)
    ann.groups.clear()
    assert "ann has no role any more that signs." in voids(release, "tests")
    assert gate(release, "tests").wants == (
        "Waits for one signature of two.",
        "Nobody has signed as release-manager.",
    )


@pytest.mark.parametrize("file", ["checksum", "down_checksum", "verify_checksum"])
def test_other_sql_makes_a_signature_void(release: Release, olga: User, ann: User, file: str) -> None:
    report_all(release, olga)
    sign(release, "build", ann)
    Revision.objects.filter(service=release.service, position=1).update(**{file: "sha256:v1:other"})
    assert voids(release, "build") == ["Superseded: the SQL of its revisions changed."]


def test_a_new_target_makes_a_signature_void(release: Release, olga: User, ann: User) -> None:
    report_all(release, olga)
    sign(release, "build", ann)
    make_environment(release.service, "prod-eu")
    assert voids(release, "build") == ["Superseded: a target was added, removed or changed."]
    assert Environment.objects.count() == 1


def test_evidence_that_is_not_what_was_shown_is_not_signed(release: Release, olga: User, ann: User) -> None:
    report_all(release, olga)
    shown = gate(release, "tests").evidence_hash
    report(release, olga, "tests", "unit")
    with pytest.raises(EvidenceChanged) as refusal:
        sign_off(release=release, gate="tests", evidence_hash=shown, by=ann)
    assert (refusal.value.shown, refusal.value.stands) == (shown, gate(release, "tests").evidence_hash)


def test_what_does_not_pass_is_not_signed(release: Release, olga: User, ann: User) -> None:
    stale(release, "tests", "unit", hours=3)
    with pytest.raises(Refused) as refusal:
        sign(release, "tests", ann)
    assert refusal.value.code == "gate_not_green"
    assert "Last shown 3 h ago by ci; the limit is 2 h." in refusal.value.message


def test_one_person_counts_once(release: Release, olga: User, ann: User) -> None:
    report_all(release, olga)
    sign(release, "tests", ann)
    with pytest.raises(Refused) as refusal:
        sign(release, "tests", ann)
    assert refusal.value.code == "signed_before"
    assert gate(release, "tests").wants == ("Waits for one signature of two.",)


def test_a_role_that_is_wanted_has_to_be_among_them(release: Release, olga: User, omar: User) -> None:
    report_all(release, olga)
    sign(release, "tests", omar)
    assert gate(release, "tests").wants == (
        "Waits for one signature of two.",
        "Nobody has signed as release-manager.",
    )


def test_each_role_takes_a_person_of_its_own(service: Service, olga: User, ada: User, omar: User) -> None:
    both = person("bo", RELEASE_MANAGER, ON_CALL)
    content = {"gates": [{**TESTS, "roles": ["on-call", "release-manager"]}]}
    edit_catalogue(service=service, content=content, note="one of each", by=ada)
    release = register_release(service=service, release_id="2.1", schema_rev="sc-10", by=olga).release
    report(release, olga, "tests", "unit")
    sign(release, "tests", both)
    sign(release, "tests", person("opal", OPERATOR))
    assert len(gate(release, "tests").wants) == 1
    sign(release, "tests", omar)
    assert gate(release, "tests").passes


def test_bad_news_of_a_check_that_is_let_pass_makes_it_void_too(
    release: Release, olga: User, ann: User, omar: User
) -> None:
    asked = ask_waiver(release=release, gate="tests", check="unit", reason="the runner is away", hours=2, by=omar)
    decide_waiver(asked, "approve", by=ann)
    sign(release, "tests", ann)
    report(release, olga, "tests", "unit", "fail")
    assert voids(release, "tests") == ["Superseded: there is other evidence of “The tests pass”."]


def test_a_signature_is_withdrawn_by_whoever_gave_it(release: Release, olga: User, ann: User, omar: User) -> None:
    report_all(release, olga)
    signed = sign(release, "build", ann)
    with pytest.raises(Refused) as refusal:
        withdraw(signed, reason="it is not mine to take", by=omar)
    assert refusal.value.code == "not_yours"
    withdraw(signed, reason="looked at the wrong build", by=ann)
    assert voids(release, "build") == ["Withdrawn by ann: looked at the wrong build."]
    sign(release, "build", ann)
    assert gate(release, "build").passes


def test_each_verb_is_told_in_the_audit_log(release: Release, olga: User, ann: User) -> None:
    report_all(release, olga)
    withdraw(sign(release, "build", ann), reason="a second thought", by=ann)
    told = [one.data["action"] for one in AuditEntry.objects.filter(data__object="release:orders/2.0").order_by("seq")]
    assert told == ["release.register", *["evidence.record"] * 3, "gate.sign", "gate.withdraw"]


def test_a_refusal_leaves_nothing_behind(release: Release, olga: User) -> None:
    report_all(release, olga)
    before = AuditEntry.objects.count()
    with transaction.atomic(), pytest.raises(Refused):
        sign(release, "build", olga)
    assert AuditEntry.objects.count() == before
