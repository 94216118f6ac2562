"""Rehearsals and roll-back requests in the API: starting, reading, cancelling, asking, granting."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from migrations_app.models import Environment, Rehearsal, Revision, RollbackConsent, Run, Service
from migrations_app.permissions import RELEASE_MANAGER
from tests.edge.caller import Caller, read, refusal
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run
from tests.edge.people import person
from tests.edge.rehearsals import ERROR, LOSS, TRACE, make_lines, make_part, make_rehearsal, make_rehearsed
from tests.edge.test_query_counts import SCRIPT

pytestmark = pytest.mark.django_db

BODY = {"service": "orders", "environment": "orders-eu"}
ASK = {**BODY, "typed": "orders-eu", "reason": "agreed with the team"}


@pytest.fixture
def revisions(service: Service) -> list[Revision]:
    scripts = {"up_script": SCRIPT, "down_script": SCRIPT}
    return [make_revision(service, n, down_checksum=f"sha256:down{n}", **scripts) for n in (1, 2, 3)]


@pytest.fixture
def applied(environment: Environment, revisions: list[Revision]) -> Environment:
    """Two of three."""
    make_receipt(environment, 1)
    make_receipt(environment, 2)
    environment.refresh_from_db()
    return environment


def test_it_starts_of_what_is_pending_or_else_of_the_way_back(caller: Caller, applied: Environment) -> None:
    told = read(caller.post("/rehearsals", {**BODY, "reason": "first"}), 201)
    assert (told["status"], told["direction"], told["to_revision"]) == ("queued", "up", "0003_step")
    assert (told["from_revision"], told["revisions"], told["reason"]) == ("0002_step", 1, "first")
    assert told["sentence"] == "Waiting for a worker; no clone has been made."
    Rehearsal.objects.update(status="done")
    make_receipt(applied, 3)
    back = read(caller.post("/rehearsals", BODY), 201)
    assert (back["direction"], back["to_revision"], back["revisions"]) == ("down", "0002_step", 1)


def test_it_goes_as_far_as_is_asked(caller: Caller, applied: Environment) -> None:
    told = read(caller.post("/rehearsals", {**BODY, "direction": "down", "to": "zero"}), 201)
    assert (told["revisions"], told["to_revision"]) == (2, "")


def test_it_stands_on_a_backup_only_where_one_is_named(caller: Caller, applied: Environment) -> None:
    assert refusal(caller.post("/rehearsals", {**BODY, "on": "backup"}), 409)["code"] == "no_backup"
    assert refusal(caller.post("/rehearsals", {**BODY, "on": "tape"}), 422)
    Environment.objects.update(backup_kind="env", backup_reference="SHOP_BACKUP", backup_name="shop@spare:5432/shop")
    assert read(caller.post("/rehearsals", {**BODY, "on": "backup"}), 201)["on"] == "backup"


def test_an_admin_names_a_backup_and_takes_it_away(applied: Environment) -> None:
    admin = Caller(person("adam", "admin"))
    here = "/services/orders/environments/orders-eu/backup"
    assert refusal(admin.put(here, {"dsn": "env:SHOP_BACKUP"}), 422)["code"] == "dsn_reference_missing"
    assert (
        refusal(admin.put(here, {"dsn": "postgresql://shop:x@127.0.0.1:1/shop"}), 422)["code"] == "target_unreachable"
    )
    Environment.objects.update(backup_kind="env", backup_reference="SHOP_BACKUP", backup_name="shop@spare:5432/shop")
    assert read(admin.get("/services/orders/environments/orders-eu"), 200)["backup"] == "shop@spare:5432/shop"
    assert read(admin.send("delete", here), 200)["backup"] == ""


def test_it_refuses_while_a_run_is_open(caller: Caller, applied: Environment, olga: User) -> None:
    make_run(applied, olga)
    assert refusal(caller.post("/rehearsals", BODY), 409)["code"] == "run_in_progress"


def test_it_refuses_a_second_one_and_what_the_ledger_contradicts(
    caller: Caller, applied: Environment, olga: User
) -> None:
    first = make_rehearsal(applied, olga, "running")
    told = refusal(caller.post("/rehearsals", BODY), 409)
    assert (told["code"], f"Rehearsal {first.pk} of orders-eu is not finished." in told["message"]) == (
        "rehearsal_open",
        True,
    )
    Rehearsal.objects.update(status="done")
    Environment.objects.update(reconcile_note="It parted.")
    assert refusal(caller.post("/rehearsals", BODY), 409)["code"] == "ledger_differs"


def test_it_refuses_what_is_not_there(caller: Caller, environment: Environment, revisions: list[Revision]) -> None:
    assert refusal(caller.post("/rehearsals", {**BODY, "direction": "down"}), 409)["code"] == "nothing_to_rehearse"
    unknown = refusal(caller.post("/rehearsals", {**BODY, "to": "0009_none"}), 422)
    assert "has no revision 0009_none" in unknown["message"]
    assert refusal(caller.post("/rehearsals", {**BODY, "direction": "sideways"}), 422)["code"]
    assert refusal(caller.post("/rehearsals", {**BODY, "environment": "none"}), 404)["code"]
    assert not Rehearsal.objects.exists()


def test_it_lists_newest_first_a_page_at_a_time(
    caller: Caller, environment: Environment, service: Service, olga: User
) -> None:
    made = [make_rehearsal(environment, olga).pk for _ in range(3)]
    other = make_rehearsal(make_environment(service, "dev", "dev"), olga).pk
    first = read(caller.get("/rehearsals", {"limit": 2}))
    assert [one["id"] for one in first["rehearsals"]] == [other, made[2]]
    rest = read(caller.get("/rehearsals", {"limit": 2, "after": first["next"]}))
    assert ([one["id"] for one in rest["rehearsals"]], rest["next"]) == ([made[1], made[0]], None)
    assert [one["id"] for one in read(caller.get("/rehearsals", {"environment": "dev"}))["rehearsals"]] == [other]
    assert refusal(caller.get("/rehearsals", {"after": "7"}), 400)


def test_it_tells_each_revision_in_full(
    caller: Caller, environment: Environment, revisions: list[Revision], olga: User
) -> None:
    found = make_rehearsal(environment, olga)
    make_part(found, revisions[0], fp_before="fp:v2:a", fp_after="fp:v2:b", fp_back="fp:v2:a")
    make_part(found, revisions[1], "lossy")
    make_part(found, revisions[2], "irreversible")
    told = read(caller.get(f"/rehearsals/{found.pk}"))
    assert told["sentence"] == "Of 3 revisions, 1 irreversible, 1 lossy, 1 reversible."
    assert told["clone"]["seed"] == 7
    parts = told["parts"]
    assert [part["verdict"] for part in parts] == ["reversible", "lossy", "irreversible"]
    assert parts[2]["sentence"] == "It cannot be rolled back: its down file was refused on the clone."
    assert (parts[0]["checksum"], parts[0]["fp_back"]) == ("sha256:1", "fp:v2:a")
    assert parts[0]["stages"][0] == {"name": "up", "ms": 200}
    assert parts[1]["losses"] == [LOSS]
    assert parts[2]["error"] == ERROR
    assert refusal(caller.get("/rehearsals/999"), 404)


def test_it_tells_what_was_measured(
    caller: Caller, environment: Environment, revisions: list[Revision], olga: User
) -> None:
    found = make_rehearsed(environment, olga, revisions[:1], traces=[TRACE], down_traces=[TRACE])
    told = read(caller.get(f"/rehearsals/{found.pk}/revisions/0001_step/traces"))
    assert [one["direction"] for one in told["statements"]] == ["up", "down"]
    assert told["statements"][0]["measured"] == TRACE
    assert refusal(caller.get(f"/rehearsals/{found.pk}/revisions/0002_step/traces"), 404)


def test_its_log_goes_on_after_a_line(caller: Caller, environment: Environment, olga: User) -> None:
    found = make_rehearsal(environment, olga)
    make_lines(found, "one", "two", "three")
    first = read(caller.get(f"/rehearsals/{found.pk}/log", {"limit": 2}))
    assert ([line["message"] for line in first["lines"]], first["next"]) == (["one", "two"], 2)
    rest = read(caller.get(f"/rehearsals/{found.pk}/log", {"after": 2}))
    assert [line["message"] for line in rest["lines"]] == ["three"]
    assert read(caller.get(f"/rehearsals/{found.pk}/log", {"after": 3}))["next"] == 3


def test_it_is_cancelled_once(caller: Caller, environment: Environment, olga: User) -> None:
    queued = make_rehearsal(environment, olga, "queued")
    assert read(caller.post(f"/rehearsals/{queued.pk}/cancel"), 202)["status"] == "cancelled"
    assert refusal(caller.post(f"/rehearsals/{queued.pk}/cancel"), 409)["code"] == "rehearsal_is_cancelled"
    running = make_rehearsal(environment, olga, "running")
    assert read(caller.post(f"/rehearsals/{running.pk}/cancel", {"reason": "lunch"}), 202)["status"] == "running"
    assert Rehearsal.objects.get(pk=running.pk).cancel_asked
    assert "asked for already" in refusal(caller.post(f"/rehearsals/{running.pk}/cancel"), 409)["message"]


def test_two_people_roll_back_what_loses_something(
    caller: Caller, applied: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    refused = refusal(caller.post("/runs", {**BODY, "direction": "down"}), 409)
    assert "lossy_rollback" in str(refused)
    asked = read(caller.post("/rollback-requests", ASK), 201)
    assert (asked["status"], asked["asked_by"], asked["run"]) == ("asked", "olga", None)
    assert asked["losses"] == [{"revision_id": "0002_step", "sentence": LOSS["sentence"]}]
    assert read(caller.get(f"/rollback-requests/{asked['id']}")) == asked
    ann = Caller(person("ann", RELEASE_MANAGER))
    granted = read(ann.post(f"/rollback-requests/{asked['id']}/grant", {"reason": "seen"}))
    run = Run.objects.get()
    assert (granted["status"], granted["decided_by"], granted["run"]) == ("granted", "ann", run.pk)
    assert (run.direction, run.requested_by) == ("down", olga)
    assert refusal(ann.post(f"/rollback-requests/{asked['id']}/grant"), 409)["code"] == "consent_is_granted"


def test_it_is_asked_for_with_the_plan_that_was_looked_at(
    caller: Caller, applied: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    place = f"/services/{ASK['service']}/environments/{ASK['environment']}/rollback"
    plan = read(caller.get(place))["plan"]
    make_rehearsed(applied, olga, revisions[1:2], direction="down")
    assert refusal(caller.post("/rollback-requests", {**ASK, "plan": plan}), 409)["code"] in (
        "plan_differs", "not_admitted",
    )  # fmt: skip
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    assert read(caller.post("/rollback-requests", {**ASK, "plan": plan}), 201)["plan"] == plan


def test_asking_is_confirmed_by_name_and_reason(
    caller: Caller, applied: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    assert refusal(caller.post("/rollback-requests", {**ASK, "typed": "dev"}), 422)["code"] == "not_confirmed"
    assert refusal(caller.post("/rollback-requests", {**ASK, "reason": "short"}), 422)["code"] == "not_confirmed"
    assert not RollbackConsent.objects.exists()


def test_who_asked_takes_it_back_but_does_not_grant_it(
    applied: Environment, revisions: list[Revision], olga: User
) -> None:
    make_rehearsed(applied, olga, revisions[1:2], "lossy", direction="down")
    ann = Caller(person("ann", RELEASE_MANAGER))
    asked = read(ann.post("/rollback-requests", ASK), 201)
    assert refusal(ann.post(f"/rollback-requests/{asked['id']}/grant"), 409)["code"] == "own_request"
    assert read(ann.post(f"/rollback-requests/{asked['id']}/decline"))["status"] == "withdrawn"
    assert not Run.objects.exists()


def test_the_policy_is_changed_by_an_admin(applied: Environment) -> None:
    ada = Caller(person("ada", "admin"))
    path = "/services/orders/environments/orders-eu"
    told = read(ada.send("patch", path, {"rehearsal_policy": "always", "rehearsal_days": 3}))
    assert (told["rehearsal_policy"], told["rehearsal_days"], told["stage"]) == ("always", 3, "prod")
    for wrong in ({"rehearsal_policy": "perhaps"}, {"rehearsal_days": 0}, {"rehearsal_days": 366}):
        assert refusal(ada.send("patch", path, wrong), 422)
    kept = read(ada.get(path))
    assert (kept["rehearsal_policy"], kept["rehearsal_days"]) == ("always", 3)
