"""A release's gates page: what it says, and the way to Ready by three people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from dashboard import stepup
from migrations_app.models import AuditEntry, GateEvidence, GateLook, GateSignature, GateWaiver, Release, ReleaseState
from tests.browser.client import heading, signed_in, text
from tests.edge.gates import PASSWORD, People, make_gated, make_people
from tests.edge.people import person
from tests.releases.gates.shapes import gate, make_ready, report, report_all, sign, stale

pytestmark = pytest.mark.django_db

PAGE = "/services/orders/releases/2.0"
SIGN = "/services/orders/release-sign/2.0"


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def release(people: People) -> Release:
    return make_gated(people)


def shown(user: User, path: str = PAGE) -> str:
    return text(signed_in(user).get(path))


def sign_by_form(client: Client, release: Release, key: str, **fields: str) -> object:
    return client.post(SIGN, {"gate": key, "evidence_hash": gate(release, key).evidence_hash, **fields})


def later(client: Client, seconds: float) -> None:
    """As if the password had been given so long ago."""
    session = client.session
    session["lockstep_password_at"] -= seconds
    session.save()


def test_it_says_what_blocks_and_leads_there(release: Release, people: People) -> None:
    report(release, people.olga, "build", "assets")
    stale(release, "tests", "unit", hours=3)
    page = signed_in(people.ann).get(PAGE)
    assert heading(page) == "Not ready for cutover: two of two gates block."
    said = text(page)
    assert "Build The assets" not in said
    assert "Every file is there: Nothing has reported it; expected from ci/manifest as build/manifest." in said
    assert "The tests pass: Last shown 3 h ago by ci; the limit is 2 h." in said
    assert 'href="#gate-tests"' in page.content.decode()
    assert "<title>✗ 2 blocked: 2.0 of orders – Lockstep</title>" in page.content.decode()


def test_a_missing_check_names_its_producer_its_command_and_what_is_like_it(release: Release, people: People) -> None:
    report(release, people.olga, "build", "asset")
    said = shown(people.ann)
    assert "Expected as build/assets , reported by a build, from ci/assets" in said
    assert "To have it reported make assets Copy" in said
    assert "Is it the same? build/asset from ci" in said


def test_a_ready_release_says_so(release: Release, people: People) -> None:
    make_ready(release, people.olga, people.ann, people.omar)
    page = signed_in(people.olga).get(PAGE)
    assert heading(page) == "Ready for cutover: both gates pass."
    assert "Ready Every gate passes and is signed; it may be cut over." in text(page)
    assert "<title>✓ Ready: 2.0 of orders – Lockstep</title>" in page.content.decode()
    assert "ann, omar" in text(page)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("cutting_over", "2.0 is being cut over."),
        ("live", "2.0 is live."),
        ("superseded", "2.0 is superseded."),
        ("rolled_back", "2.0 was taken back."),
    ],
)
def test_what_was_cut_over_says_that_first_and_then_how_its_gates_stand(
    release: Release, people: People, status: str, says: str
) -> None:
    ReleaseState.objects.filter(release=release).update(status=status)
    page = signed_in(people.ann).get(PAGE)
    assert heading(page) == says
    assert "Its gates now: Not ready for cutover: two of two gates block." in text(page)


def test_it_leads_to_its_neighbours(release: Release, people: People) -> None:
    make_gated(people, "3/0")
    page = signed_in(people.ann).get(PAGE).content.decode()
    assert 'rel="next" href="/services/orders/releases/3/0"' in page
    assert 'rel="prev"' not in page
    assert 'rel="prev" href="/services/orders/releases/2.0"' in (
        signed_in(people.ann).get("/services/orders/releases/3/0").content.decode()
    )


def test_the_box_holds_exactly_what_is_signed(release: Release, people: People) -> None:
    report_all(release, people.olga)
    page = signed_in(people.ann).get(f"{PAGE}?sign=tests").content.decode()
    digest = gate(release, "tests").evidence_hash
    assert f'name="evidence_hash" value="{digest}"' in page
    assert f"{digest[:4]} {digest[4:8]} {digest[8:12]}" in page
    assert 'name="gate" value="tests"' in page


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("olga", "You registered this release, and nobody signs their own."),
        ("ada", "Needs one of these roles: operator, on-call, release-manager."),
    ],
)
def test_who_may_not_sign_is_told_why(release: Release, people: People, who: str, why: str) -> None:
    report_all(release, people.olga)
    page = signed_in(getattr(people, who)).get(PAGE)
    assert why in text(page)
    assert 'name="evidence_hash"' not in page.content.decode()


def test_what_does_not_pass_is_not_offered_to_be_signed(release: Release, people: People) -> None:
    said = shown(people.ann)
    assert "No gate waits for a signature: what blocks has to be shown first." in said
    assert "Its evidence is not all there, so there is nothing to sign yet." in shown(people.ann, f"{PAGE}?sign=build")


def test_a_signature_is_given_and_shown(release: Release, people: People) -> None:
    report_all(release, people.olga)
    client = signed_in(people.ann)
    answer = sign_by_form(client, release, "tests", comment="read the report")
    assert answer["Location"] == f"{PAGE}#gates"  # type: ignore[index]
    said = text(client.get(PAGE))
    assert "ann" in said
    assert "“read the report”" in said
    assert "1 of 2: ann" in said
    assert "Waits for one signature of two." in said
    assert GateSignature.objects.get().by == people.ann


def test_her_own_release_is_refused_whatever_form_is_sent(release: Release, people: People) -> None:
    report_all(release, people.olga)
    answer = sign_by_form(signed_in(people.olga), release, "tests")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "olga registered this release, and nobody signs their own. Nothing was signed." in text(answer)
    assert not GateSignature.objects.exists()


def test_other_evidence_is_refused_with_both_hashes_and_the_comment_is_kept(release: Release, people: People) -> None:
    report_all(release, people.olga)
    before = gate(release, "tests").evidence_hash
    report(release, people.olga, "tests", "unit")
    after = gate(release, "tests").evidence_hash
    client = signed_in(people.ann)
    answer = client.post(SIGN, {"gate": "tests", "evidence_hash": before, "comment": "read the report"})
    assert answer.status_code == 409
    said = text(answer)
    assert f"On your screen was {before[:4]} {before[4:8]} {before[8:12]}" in said
    assert f"What stands now {after[:4]} {after[4:8]} {after[8:12]}" in said
    assert 'value="read the report"' in answer.content.decode()
    assert f'value="{after}"' in answer.content.decode()
    assert not GateSignature.objects.exists()


def test_a_password_of_five_minutes_ago_is_asked_for_once_more(release: Release, people: People) -> None:
    report_all(release, people.olga)
    client = signed_in(people.ann)
    assert 'type="password"' not in client.get(PAGE).content.decode()
    later(client, 301)
    assert 'autocomplete="current-password"' in client.get(PAGE).content.decode()
    refused = sign_by_form(client, release, "build", comment="kept")
    assert refused.status_code == 422  # type: ignore[attr-defined]
    assert "Your password was last asked for more than 5 minutes ago." in text(refused)
    assert 'value="kept"' in refused.content.decode()  # type: ignore[attr-defined]
    assert not GateSignature.objects.exists()
    sign_by_form(client, release, "build", password=PASSWORD)
    assert GateSignature.objects.count() == 1
    sign_by_form(client, release, "tests")
    assert GateSignature.objects.count() == 2


def test_a_wrong_password_signs_nothing_is_told_in_the_audit_log_and_ends_the_session(
    release: Release, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stepup, "MOST_TRIES", 2)
    report_all(release, people.olga)
    client = signed_in(people.ann)
    later(client, 301)
    assert sign_by_form(client, release, "build", password="guessed").status_code == 422  # type: ignore[attr-defined]
    assert sign_by_form(client, release, "build", password="guessed")["Location"] == "/login"  # type: ignore[index]
    assert client.get(PAGE)["Location"].startswith("/login")
    assert not GateSignature.objects.exists()
    told = AuditEntry.objects.latest("seq").data
    assert (told["actor"], told["action"], told["object"]) == ("ann", "denied", "release:orders/2.0")
    assert told["after"] == {"needs": "the right password", "verb": "sign_gate", "wrong_tries": 2}


def test_new_evidence_voids_a_signature_before_the_eyes(release: Release, people: People) -> None:
    report_all(release, people.olga)
    sign(release, "tests", people.ann)
    report(release, people.olga, "tests", "unit")
    assert "Void ann now" not in shown(people.ann)
    assert "Superseded: there is other evidence of “The tests pass”." in shown(people.ann)


def test_a_signature_is_withdrawn_by_whoever_gave_it(release: Release, people: People) -> None:
    report_all(release, people.olga)
    signed = sign(release, "build", people.ann)
    path = f"/services/orders/release-withdraw/{signed.pk}/2.0"
    assert "Only ann withdraws it." in shown(people.omar, path)
    client = signed_in(people.ann)
    assert path in client.get(PAGE).content.decode()
    assert client.post(path, {"reason": "short"}).status_code == 422
    assert client.post(path, {"reason": "looked at the wrong build"})["Location"] == PAGE
    assert "Withdrawn by ann: looked at the wrong build." in text(client.get(PAGE))


def test_evidence_is_reported_by_hand_with_a_file_that_is_only_a_download(release: Release, people: People) -> None:
    client = signed_in(people.omar)
    path = "/services/orders/release-evidence/build/assets/2.0"
    file = SimpleUploadedFile("läuft <b>.html", b"<script>alert(1)</script>", "text/html")
    answer = client.post(path, {"status": "pass", "summary": "built by hand", "artefact": file})
    assert answer["Location"] == f"{PAGE}#gate-build"
    row = GateEvidence.objects.get()
    assert (row.producer, row.artefact_name) == ("omar", "läuft <b>.html")
    fetched = client.get(f"/services/orders/release-artefact/{row.pk}/2.0")
    assert fetched.content == b"<script>alert(1)</script>"
    assert fetched["Content-Type"] == "application/octet-stream"
    assert fetched["Content-Disposition"] == "attachment; filename*=utf-8''l%C3%A4uft%20%3Cb%3E.html"
    assert fetched["X-Content-Type-Options"] == "nosniff"
    assert row.artefact_sha256 in client.get(PAGE).content.decode()


def test_a_report_that_makes_no_sense_is_refused_beside_its_field(release: Release, people: People) -> None:
    client = signed_in(people.omar)
    path = "/services/orders/release-evidence/build/assets/2.0"
    answer = client.post(path, {"status": "", "summary": "half a sentence"})
    assert answer.status_code == 422
    assert "half a sentence" in answer.content.decode()
    assert client.get("/services/orders/release-evidence/build/none/2.0").status_code == 404
    assert not GateEvidence.objects.exists()


def test_a_look_that_failed_stands_beside_its_check_until_the_next_one(release: Release, people: People) -> None:
    name = {"release": release, "gate_key": "build", "check_key": "assets"}
    GateLook.objects.create(**name, error="Its worker died three times.", ended_at=Now())
    told = "The last look led to no evidence: Its worker died three times."
    assert told in shown(people.ann)
    GateLook.objects.create(**name)
    assert told not in shown(people.ann)


def test_an_exemption_takes_another_person_and_leaves_its_badge(release: Release, people: People) -> None:
    ask = "/services/orders/release-exemption/build/manifest/2.0"
    asked = signed_in(people.omar).post(ask, {"reason": "the mirror is down today", "hours": "5"})
    waiver = GateWaiver.objects.get()
    page = f"/exemptions/{waiver.pk}"
    assert asked["Location"] == page
    assert "exemption asked for by omar" in shown(people.ann)
    assert "Withdraw it" in shown(people.omar, page)
    assert "Needs the role release-manager." in shown(people.olga, page)
    ann = signed_in(people.ann)
    assert "Approve it" in text(ann.get(page))
    assert ann.post(f"{page}/approve", {"reason": ""})["Location"] == page
    said = shown(people.ann)
    assert "exempted by ann for omar until" in said
    assert "Exempted Every file is there" in said
    assert ann.post(f"{page}/revoke", {"reason": "the mirror is back"})["Location"] == page
    assert "exemption revoked by ann" in shown(people.olga)


def test_an_exemption_of_ones_own_release_is_not_approved(release: Release, people: People) -> None:
    release = make_gated(People(people.ann, people.ann, people.omar, people.ada), "3.0")
    ask = "/services/orders/release-exemption/build/manifest/3.0"
    signed_in(people.omar).post(ask, {"reason": "the mirror is down today", "hours": "5"})
    page = f"/exemptions/{GateWaiver.objects.get().pk}"
    said = shown(people.ann, page)
    assert "You cannot approve it. You registered this release, and nobody signs their own." in said
    answer = signed_in(people.ann).post(f"{page}/approve", {"reason": "it is fine"})
    assert answer.status_code == 422
    assert "Nothing was decided." in text(answer)
    assert f"Every file is there of {release.release_id}" not in text(answer)


def test_a_decision_takes_a_password_of_this_moment(release: Release, people: People) -> None:
    ask = "/services/orders/release-exemption/build/manifest/2.0"
    signed_in(people.omar).post(ask, {"reason": "the mirror is down today", "hours": "5"})
    page = f"/exemptions/{GateWaiver.objects.get().pk}"
    ann = signed_in(people.ann)
    later(ann, 301)
    assert ann.post(f"{page}/approve", {"reason": "agreed with omar"}).status_code == 422
    assert ann.post(f"{page}/approve", {"reason": "agreed with omar", "password": PASSWORD})["Location"] == page


def test_the_history_is_for_those_who_read_the_audit_log(release: Release, people: People) -> None:
    report(release, people.olga, "build", "assets")
    page = signed_in(people.ann).get(PAGE)
    assert "olga Reported evidence build/assets passes" in text(page)
    address = page.content.decode().split('data-label="#"><a href="')[1].partition('"')[0].replace("&amp;", "&")
    seq = AuditEntry.objects.latest("seq").seq
    assert address.endswith(f"#e{seq}")
    listed = signed_in(people.ann).get(address).content.decode()
    assert listed.index(f'id="e{seq}"') < listed.index(f'id="e{seq - 1}"')
    said = shown(person("vic", "viewer"))
    assert "Reading the audit log needs one of these roles" in said
    assert "Reported evidence" not in said


# The part that changes


def test_an_open_page_hears_304_until_something_is_other(release: Release, people: People) -> None:
    client, path = signed_in(people.ann), "/services/orders/release-live/2.0"
    tag = client.get(path)["ETag"]
    assert client.get(path, HTTP_IF_NONE_MATCH=tag).status_code == 304
    report(release, people.olga, "build", "assets")
    assert client.get(path, HTTP_IF_NONE_MATCH=tag).status_code == 200


def test_time_alone_is_a_change(release: Release, people: People) -> None:
    stale(release, "tests", "unit", hours=1.5)
    client, path = signed_in(people.ann), "/services/orders/release-live/2.0"
    tag = client.get(path)["ETag"]
    with_limit = GateEvidence.objects.get()
    assert with_limit.status == "pass"
    stale(release, "tests", "unit", hours=2.5)
    assert client.get(path, HTTP_IF_NONE_MATCH=tag).status_code == 200


def test_the_sign_off_box_is_told_that_its_set_is_no_more(release: Release, people: People) -> None:
    report_all(release, people.olga)
    path = f"/services/orders/release-live/2.0?sign=tests&shown={gate(release, 'tests').evidence_hash}"
    client = signed_in(people.ann)
    assert "is not what stands below" not in text(client.get(path))
    report(release, people.olga, "tests", "unit")
    assert "The evidence of Tests is not what stands below any more." in text(client.get(path))


def test_the_fragment_holds_no_form(release: Release, people: People) -> None:
    report_all(release, people.olga)
    told = signed_in(people.ann).get("/services/orders/release-live/2.0").content.decode()
    assert "<form" not in told
    assert "<input" not in told
    assert 'data-patch-into="gate-tests"' in told
