"""A held way back goes on only while its rehearsals still say what it loses; a revision that was begun is ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.admission.consent import Wanted, ask_consent, grant_consent
from migrations_app.admission.door import start_run
from migrations_app.admission.resuming import resume_run
from migrations_app.engine.errors import Refused
from migrations_app.models import Environment, Revision, RevisionRehearsal, Run
from migrations_app.runs import actions
from tests.edge.rehearsals import make_rehearsed

pytestmark = pytest.mark.django_db


def grown_old() -> None:
    RevisionRehearsal.objects.update(finished_at=timezone.now() - timedelta(days=15))


def codes(run: Run, by: User) -> list[str]:
    with pytest.raises(NotAdmitted) as refusal:
        resume_run(run, by=by)
    assert refusal.value.not_done == "The run stays held, and nothing was changed."
    run.refresh_from_db()
    assert run.status == "paused"
    return [one.code for one in refusal.value.conditions]


@pytest.fixture
def held(prod: Environment, revisions: list[Revision], olga: User) -> Run:
    make_rehearsed(prod, olga, revisions[1:2], direction="down")
    return actions.pause(start_run(environment=prod, direction="down", to=None, by=olga).run, by=olga)


def test_it_goes_on_while_its_rehearsal_is_fresh(held: Run, olga: User) -> None:
    assert resume_run(held, by=olga).status == "queued"


def test_it_stays_held_once_its_rehearsal_is_stale(held: Run, olga: User) -> None:
    grown_old()
    assert codes(held, olga) == ["rehearsal_stale"]
    assert actions.cancel(held, by=olga).status == "cancelled"


def test_it_stays_held_when_a_newer_rehearsal_found_a_loss(held: Run, revisions: list[Revision], olga: User) -> None:
    make_rehearsed(held.environment, olga, revisions[1:2], "lossy", direction="down")
    assert codes(held, olga) == ["lossy_rollback"]


def test_a_revision_that_was_begun_is_ended(held: Run, olga: User) -> None:
    held.steps.update(status="done")
    grown_old()
    assert resume_run(held, by=olga).status == "queued"


def test_what_two_people_accepted_holds_for_what_is_left(
    prod: Environment, revisions: list[Revision], olga: User, ann: User
) -> None:
    make_rehearsed(prod, olga, revisions[1::-1], "lossy", direction="down")
    wanted = Wanted(prod, "zero", prod.name)
    run = grant_consent(ask_consent(wanted, by=olga, reason="agreed with the team"), by=ann)
    held = actions.pause(run, by=olga)
    assert len(held.revisions) == 2
    Environment.objects.filter(pk=prod.pk).update(head_revision="0001_step")
    assert resume_run(held, by=olga).status == "queued"


def test_a_run_up_and_one_that_is_not_held_are_not_asked(prod: Environment, olga: User) -> None:
    up = start_run(environment=prod, direction="up", to=None, by=olga).run
    with pytest.raises(Refused) as refusal:
        resume_run(up, by=olga)
    assert refusal.value.code == "run_is_queued"
    assert resume_run(actions.pause(up, by=olga), by=olga).status == "queued"
