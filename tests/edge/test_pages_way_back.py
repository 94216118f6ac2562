"""The environment's page tells what was rehearsed, and a lossy way back on production takes two people."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from migrations_app.fleet.revisions import put_revision
from migrations_app.models import AuditEntry, Environment, Revision, RollbackConsent, Run, Service
from migrations_app.permissions import OPERATOR, RELEASE_MANAGER
from migrations_app.rehearsals.forecasts import EarlierError, earlier_error
from tests.browser.client import signed_in, text
from tests.edge.fleet import make_run
from tests.edge.people import person
from tests.edge.rehearsals import TRACE, make_rehearsed

pytestmark = pytest.mark.django_db

PAGE = "/services/orders/environments/orders-eu"
DOWN = "ALTER TABLE orders DROP COLUMN note;"
REASON = {"typed": "orders-eu", "reason": "agreed with the team"}


@pytest.fixture
def revisions(service: Service) -> list[Revision]:
    for name in ("0001_a", "0002_b", "0003_c"):
        put_revision(
            service=service, revision_id=name, up="ALTER TABLE orders ADD note text;", down=DOWN, by=service.created_by
        )
    return list(Revision.objects.order_by("position"))


@pytest.fixture
def applied(environment: Environment, revisions: list[Revision]) -> Environment:
    """orders-eu, production, with two of three revisions applied."""
    for seq, revision in enumerate(revisions[:2], start=1):
        environment.applied.create(
            revision_id=revision.revision_id, seq=seq, checksum=revision.checksum, applied_at=timezone.now()
        )
    Environment.objects.filter(pk=environment.pk).update(head_revision="0002_b", head_seq=2)
    environment.refresh_from_db()
    return environment


@pytest.fixture
def ann(db: None) -> User:
    return person("ann", RELEASE_MANAGER)


def asked(client: Client) -> RollbackConsent:
    form = client.get(f"{PAGE}/rollback").content.decode()
    plan = form.split('name="plan" value="')[1].split('"')[0]
    answer = client.post(f"{PAGE}/rollback", {**REASON, "plan": plan})
    consent = RollbackConsent.objects.latest("pk")
    assert answer["Location"] == f"/rollback-requests/{consent.pk}"
    return consent


def test_the_section_tells_policy_and_each_revision(
    client: Client, applied: Environment, revisions: list[Revision], olga: User
) -> None:
    told = text(client.get(PAGE))
    assert "Rolling back needs a fresh rehearsal, as the stage is called prod." in told
    assert "Never rehearsed 0003_c" in told
    rehearsal = make_rehearsed(applied, olga, revisions[2:], "lossy")
    told = text(client.get(PAGE))
    assert "Fresh 0003_c Lossy runs out" in told
    Revision.objects.filter(revision_id="0003_c").update(down_checksum="sha256:other")
    put_revision(service=applied.service, revision_id="0004_d", up="SELECT 1;", down="SELECT 1;", by=olga)
    told = text(client.get(PAGE))
    assert "its down file has changed" in told
    assert f"rehearsal {rehearsal.pk}" in told


def test_the_plan_tells_what_was_measured_beside_its_statements(
    client: Client, vic: User, applied: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(applied, olga, revisions[2:], traces=[TRACE])
    line = "measured on a clone: 0.2 s, ACCESS EXCLUSIVE on public.orders, rewrites it, drops view public.totals by"
    told = text(client.get(PAGE))
    assert line in told
    assert "were off by" not in told and "no step so far" not in told
    hers = text(signed_in(vic).get(PAGE))
    assert "measured on a clone" not in hers
    assert "Reversible" in hers


def test_short_steps_do_not_tell_how_far_forecasts_are_off(applied: Environment, olga: User) -> None:
    steps = [make_run(applied, olga, "succeeded").steps.get() for _ in range(2)]
    found = [earlier_error(applied.service_id)]
    for step, forecast_ms, work_ms in ((steps[0], 0.1, 4), (steps[0], 50, 4), (steps[1], 15, 5)):
        type(step).objects.filter(pk=step.pk).update(status="done", forecast_ms=forecast_ms, work_ms=work_ms)
        found.append(earlier_error(applied.service_id))
    assert found == [None, EarlierError(None, 0), EarlierError(None, 0), EarlierError(3.0, 1)]
    told = [render_to_string("services/_reach.html", {"rehearsed": {"error": one}, "user": olga}) for one in found[2:]]
    assert "no step so far was long enough to tell how far they are off" in told[0]
    assert "were off by 3.0" in told[1] and "no step so far" not in told[1]


def test_nothing_measured_is_told_of_what_is_stale(
    client: Client, applied: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(applied, olga, revisions[2:], traces=[TRACE], checksum="sha256:older")
    assert "measured on a clone" not in text(client.get(PAGE))


def test_the_way_back_tells_its_time_its_end_and_the_point_of_no_return(
    client: Client, applied: Environment, revisions: list[Revision], olga: User
) -> None:
    told = text(client.get(f"{PAGE}?direction=down"))
    assert "Not known 1 never rehearsed" in told
    assert "Not known: 1 of 1 pending revisions have no fresh rehearsal." in told
    make_rehearsed(applied, olga, revisions[1:2], direction="down")
    make_rehearsed(applied, olga, revisions[2:], "lossy")
    told = text(client.get(f"{PAGE}?direction=down"))
    assert "took 0.1 s (1 fresh)" in told
    assert "when schema or bytes change, it has to be rehearsed again" in told
    assert (
        "Once 0003_c is applied, 0002_b can be rolled back only together with it, and that loses something: "
        "Column public.orders.note is gone."
    ) in told


def test_without_a_fresh_rehearsal_nothing_is_offered(client: Client, applied: Environment) -> None:
    told = text(client.get(f"{PAGE}?direction=down"))
    assert "0002_b was never rehearsed." in told
    assert "Roll back one revision on" not in told
    assert "Ask for it…" not in told


def test_the_buttons_are_off_with_their_reason(client: Client, vic: User, applied: Environment, olga: User) -> None:
    assert "Rehearse what is pending" in text(client.get(PAGE))
    assert "Rehearse the way back" in text(client.get(PAGE))
    assert "Needs one of these roles: operator, on-call, release-manager." in text(signed_in(vic).get(PAGE))
    run = make_run(applied, olga)
    told = text(client.get(PAGE))
    assert f"Run {run.pk} has to end first." in told
    assert "Rehearse what is pending" not in told


def test_one_person_asks_and_another_one_grants(
    client: Client, applied: Environment, revisions: list[Revision], olga: User, ann: User
) -> None:
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    assert "Ask for it…" in text(client.get(f"{PAGE}?direction=down"))
    consent = asked(client)
    assert not Run.objects.exists()
    mine = text(client.get(f"/rollback-requests/{consent.pk}"))
    assert "Column public.orders.note is gone. 0002_b" in mine
    assert "Nobody grants what they asked for themselves." in mine
    assert "Withdraw" in mine
    hers = signed_in(ann)
    assert "Waiting for a second person: roll back one step on orders-eu" in text(hers.get("/"))
    assert "asks to roll back orders-eu" in text(hers.get(PAGE))
    page = text(hers.get(f"/rollback-requests/{consent.pk}"))
    assert "Grant and start the roll-back on orders-eu" in page
    assert "Withdraw" not in page
    answer = hers.post(f"/rollback-requests/{consent.pk}/grant", {"reason": "seen"})
    run = Run.objects.get()
    assert answer["Location"] == f"/runs/{run.pk}"
    assert (run.direction, run.requested_by, run.reason) == ("down", olga, "agreed with the team")
    assert "granted by ann, " in text(hers.get(f"/runs/{run.pk}"))
    assert "Waiting for a second person" not in text(hers.get("/"))
    actions = [entry.data["action"] for entry in AuditEntry.objects.order_by("seq")]
    assert actions[-3:] == ["rollback_consent.ask", "run.request", "rollback_consent.grant"]


def test_asking_wants_name_and_reason_and_keeps_what_was_typed(
    client: Client, applied: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    answer = client.post(f"{PAGE}/rollback", {"typed": "orders", "reason": "too short"})
    assert answer.status_code == 422
    told = text(answer)
    assert "The name that was typed is not orders-eu." in told
    assert "A reason of 10 characters or more is missing." in told
    assert 'value="too short"' in answer.content.decode()
    assert not RollbackConsent.objects.exists()


def test_asking_is_not_offered_where_it_needs_nobody_or_cannot_be(client: Client, applied: Environment) -> None:
    told = text(client.get(f"{PAGE}/rollback"))
    assert "This cannot be asked for now." in told
    Environment.objects.update(rehearsal_policy="never", stage="staging")
    assert "This roll-back needs no second person" in text(client.get(f"{PAGE}/rollback"))
    answer = client.post(f"{PAGE}/rollback", REASON)
    assert answer.status_code == 422
    assert not RollbackConsent.objects.exists()


def test_it_is_declined_and_withdrawn(
    client: Client, applied: Environment, revisions: list[Revision], olga: User, ann: User
) -> None:
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    first = asked(client)
    assert signed_in(person("oleg", OPERATOR)).post(f"/rollback-requests/{first.pk}/decline").status_code == 403
    signed_in(ann).post(f"/rollback-requests/{first.pk}/decline", {"reason": "restore instead"})
    told = text(client.get(f"/rollback-requests/{first.pk}"))
    assert "declined by ann" in told
    assert "“restore instead”" in told
    second = asked(client)
    client.post(f"/rollback-requests/{second.pk}/decline")
    second.refresh_from_db()
    assert second.status == "withdrawn"
    assert not Run.objects.exists()


def test_a_plan_that_changed_is_said_before_and_refused_after(
    client: Client, applied: Environment, revisions: list[Revision], olga: User, ann: User
) -> None:
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    consent = asked(client)
    Environment.objects.update(head_revision="0001_a", head_seq=1)
    make_rehearsed(applied, olga, revisions[:1], "lossy", direction="down")
    hers = signed_in(ann)
    assert "The plan is not the one that was asked for." in text(hers.get(f"/rollback-requests/{consent.pk}"))
    hers.post(f"/rollback-requests/{consent.pk}/grant")
    consent.refresh_from_db()
    assert consent.status == "overtaken"
    assert not Run.objects.exists()
