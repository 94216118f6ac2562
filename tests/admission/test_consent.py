"""Two people for a lossy way back on production: bound to plan and losses, and one request starts one run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.admission.consent import Wanted, ask_consent, decline_consent, grant_consent
from migrations_app.admission.door import preview
from migrations_app.engine.errors import LockstepError, Refused
from migrations_app.models import AuditEntry, Environment, Revision, RevisionRehearsal, RollbackConsent, Run
from migrations_app.permissions import RELEASE_MANAGER
from tests.edge.fleet import make_run
from tests.edge.people import person
from tests.edge.rehearsals import LOSS, make_rehearsed

pytestmark = pytest.mark.django_db

REASON = "agreed with the team"


@pytest.fixture
def lossy(prod: Environment, revisions: list[Revision], olga: User) -> Environment:
    make_rehearsed(prod, olga, revisions[1:2], "lossy", direction="down")
    return prod


def ask(environment: Environment, by: User, **wanted: str) -> RollbackConsent:
    given = {"to": "", "typed": environment.name} | wanted
    return ask_consent(Wanted(environment, **given), by=by, reason=REASON)


def refused(consent: RollbackConsent, by: User) -> str:
    with pytest.raises(Refused) as refusal:
        grant_consent(consent, by=by)
    assert not Run.objects.exists()
    return refusal.value.code


def test_it_keeps_what_was_seen_and_starts_nothing(lossy: Environment, olga: User) -> None:
    shown = preview(environment=lossy, direction="down", to=None).blast.fingerprint
    consent = ask(lossy, olga, shown=shown)
    assert (consent.status, consent.plan, consent.losses) == ("asked", shown, [["0002_step", LOSS["sentence"]]])
    assert timedelta(hours=23) < consent.expires_at - timezone.now() <= timedelta(hours=24)
    assert not Run.objects.exists()
    entry = AuditEntry.objects.latest("seq").data
    assert (entry["actor"], entry["action"], entry["after"]["reason"]) == ("olga", "rollback_consent.ask", REASON)


@pytest.mark.parametrize(("typed", "reason"), [("orders", REASON), ("orders-eu", "too short"), ("", "         ")])
def test_it_wants_the_name_and_a_reason(lossy: Environment, olga: User, typed: str, reason: str) -> None:
    with pytest.raises(Refused) as refusal:
        ask_consent(Wanted(lossy, "", typed), by=olga, reason=reason)
    assert refusal.value.code == "not_confirmed"
    assert not RollbackConsent.objects.exists()


def test_it_is_not_asked_for_with_another_plan_than_was_shown(lossy: Environment, olga: User) -> None:
    with pytest.raises(Refused) as refusal:
        ask(lossy, olga, shown="0" * 64)
    assert refusal.value.code == "plan_differs"


def test_it_is_not_asked_for_where_something_else_is_in_the_way(lossy: Environment, olga: User) -> None:
    make_run(lossy, olga)
    with pytest.raises(NotAdmitted) as refusal:
        ask(lossy, olga)
    assert [one.code for one in refusal.value.conditions] == ["run_open"]


def test_it_is_not_asked_for_where_nothing_is_lost(prod: Environment, revisions: list[Revision], olga: User) -> None:
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    with pytest.raises(NotAdmitted) as refusal:
        ask(prod, olga)
    assert [one.code for one in refusal.value.conditions] == ["no_consent_needed"]


def test_another_person_grants_it_and_its_run_starts(lossy: Environment, olga: User, ann: User) -> None:
    consent = ask(lossy, olga)
    run = grant_consent(consent, by=ann, reason="seen")
    consent.refresh_from_db()
    assert (consent.status, consent.decided_by, consent.run, consent.decided_reason) == ("granted", ann, run, "seen")
    assert (run.direction, run.requested_by, run.reason) == ("down", olga, REASON)
    assert [one["revision_id"] for one in run.revisions] == ["0002_step"]


def test_nobody_grants_what_they_asked_for(lossy: Environment, ann: User) -> None:
    consent = ask(lossy, ann)
    assert refused(consent, ann) == "own_request"
    mine = RollbackConsent.objects.filter(pk=consent.pk)
    with pytest.raises(IntegrityError, match="nobody_grants_what_they_asked"), transaction.atomic():
        mine.update(status="granted", decided_by=ann)
    assert mine.get().status == "asked"


def test_other_losses_than_were_seen_start_nothing(
    lossy: Environment, revisions: list[Revision], olga: User, ann: User
) -> None:
    consent = ask(lossy, olga)
    more = [LOSS, {**LOSS, "sentence": "Table public.places is gone with 40 rows."}]
    RevisionRehearsal.objects.update(losses=more)
    assert refused(consent, ann) == "not_admitted"
    consent.refresh_from_db()
    assert consent.status == "overtaken"
    assert AuditEntry.objects.latest("seq").data["action"] == "rollback_consent.overtake"


def test_another_plan_than_was_seen_starts_nothing(
    lossy: Environment, revisions: list[Revision], olga: User, ann: User
) -> None:
    consent = ask(lossy, olga)
    Environment.objects.filter(pk=lossy.pk).update(head_revision="0001_step", head_seq=1)
    make_rehearsed(lossy, olga, revisions[:1], direction="down")
    assert refused(consent, ann) == "plan_differs"
    consent.refresh_from_db()
    assert consent.status == "overtaken"


def test_a_rehearsal_that_turned_stale_starts_nothing_and_the_request_still_waits(
    lossy: Environment, olga: User, ann: User
) -> None:
    consent = ask(lossy, olga)
    RevisionRehearsal.objects.update(finished_at=timezone.now() - timedelta(days=15))
    assert refused(consent, ann) == "not_admitted"
    consent.refresh_from_db()
    assert consent.status == "asked"


def test_it_is_good_for_a_day(lossy: Environment, olga: User, ann: User) -> None:
    consent = ask(lossy, olga)
    RollbackConsent.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(consent, ann) == "consent_is_overtaken"


def test_a_declined_one_is_over(lossy: Environment, olga: User, ann: User) -> None:
    consent = ask(lossy, olga)
    assert decline_consent(consent, by=ann, reason="restore instead").status == "declined"
    assert refused(consent, ann) == "consent_is_declined"
    with pytest.raises(Refused, match="declined already"):
        decline_consent(consent, by=olga, reason="")


def test_who_asked_withdraws_it(lossy: Environment, olga: User, ann: User) -> None:
    consent = ask(lossy, olga)
    assert decline_consent(consent, by=olga, reason="").status == "withdrawn"
    assert refused(consent, ann) == "consent_is_withdrawn"


def test_a_newer_request_overtakes_the_one_before(lossy: Environment, olga: User, ann: User) -> None:
    first, second = ask(lossy, olga), ask(lossy, olga)
    assert refused(first, ann) == "consent_is_overtaken"
    told = AuditEntry.objects.filter(data__action="rollback_consent.overtake").get().data
    assert told["after"]["consent"] == first.pk and told["after"]["reason"] == f"Request {second.pk} is newer."
    assert grant_consent(second, by=ann).direction == "down"


@pytest.mark.django_db(transaction=True)
def test_two_grants_at_once_start_one_run(lossy: Environment, olga: User, ann: User) -> None:
    consent = ask(lossy, olga)
    said = _at_once(lambda by: grant_consent(consent, by=by), [ann, person("amy", RELEASE_MANAGER)])
    assert sorted(said) == ["", "consent_is_granted"]
    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_granting_and_asking_anew_at_once_do_not_deadlock(lossy: Environment, olga: User, ann: User) -> None:
    consent = ask(lossy, olga)
    said = _at_once(lambda by: grant_consent(consent, by=by) if by == ann else ask(lossy, by), [ann, olga])
    assert "" in said
    assert set(said) <= {"", "consent_is_overtaken", "not_admitted"}


def _at_once(work: Callable[[User], object], people: Sequence[User]) -> list[str]:
    """What each was refused with; empty for who was not."""
    said: list[str] = []
    ready = threading.Barrier(len(people))

    def one(by: User) -> None:
        ready.wait()
        try:
            work(by)
        except LockstepError as failure:
            said.append(failure.code)
        else:
            said.append("")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(by,)) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return said
