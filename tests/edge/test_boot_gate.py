"""The boot gate, its reports and its page, as a script, a service and a reader see them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.db.models.functions import Now

from dashboard import tokens
from dashboard.boot import pool
from migrations_app.models import ApiToken, AuditEntry, BootAttempt, Environment, NodeReport, Run, Service
from migrations_app.permissions import ADMIN, VIEWER
from migrations_app.releases.boot import reading
from tests.browser.client import heading, signed_in, text
from tests.edge.caller import Caller, read, refusal
from tests.edge.fleet import make_run
from tests.edge.people import person
from tests.edge.releases import make_chain, make_release, make_standing

pytestmark = pytest.mark.django_db

ASKED = {"service": "orders", "environment": "prod", "schema_rev": "sc-10"}


@pytest.fixture
def prod(service: Service, olga: User) -> Environment:
    make_chain(service)
    make_release(service, olga, "1.0", "sc-9", "sc-10")
    return make_standing(service, "prod", 3, reachability="ok")


@pytest.fixture
def caller(vic: User) -> Caller:
    """A service, with a viewer's token."""
    return Caller(vic)


def ask(caller: Caller, status: int, **changed: str) -> Any:
    response = caller.get("/boot-gate", {**ASKED, **changed})
    told = read(response, status)
    assert response["Cache-Control"] == "no-store"
    return told


def test_it_allows_what_fits(prod: Environment, caller: Caller) -> None:
    assert ask(caller, 200) == {"allow": True}
    assert ask(caller, 200, release_id="1.0") == {"allow": True}


def test_it_refuses_with_each_reason_and_what_would_change_it(prod: Environment, caller: Caller) -> None:
    told = ask(caller, 409, release_id="1.0", schema_rev="sc-11", probes="fail")
    assert [reason["code"] for reason in told["reasons"]] == ["schema_rev_differs", "probes_fail"]
    assert told["reasons"][0]["sentence"] == "1.0 is registered for sc-10; the caller says sc-11."
    assert told["reasons"][0]["clears"] == "Start with what the release was registered with."
    assert (told["allow"], told["retry"], told["waiting_for"], told["hopeless"]) == (False, 5, None, True)
    assert (told["phase"], told["phase_seconds"]) == ("revisions", 0)


def test_it_names_the_run_that_it_waits_for(prod: Environment, caller: Caller, olga: User) -> None:
    run = make_run(prod, olga)
    Run.objects.filter(pk=run.pk).update(to_revision="0005_step")
    told = ask(caller, 409, schema_rev="sc-11")
    assert (told["waiting_for"], told["hopeless"]) == (run.pk, False)
    assert told["progress"].startswith(f"{run.pk}:")


def test_it_cannot_tell_what_was_not_compared(prod: Environment, caller: Caller) -> None:
    Environment.objects.filter(pk=prod.pk).update(reconciled_at=Now() - timedelta(hours=1))
    response = caller.get("/boot-gate", ASKED)
    assert read(response, 503)["allow"] is False
    assert response["Retry-After"] == "5"


def test_it_says_which_service_declares_no_such_schema(prod: Environment, caller: Caller) -> None:
    (reason,) = ask(caller, 503, schema_rev="x9")["reasons"]
    assert (reason["code"], reason["sentence"]) == ("schema_unknown", "No revision of orders declares x9.")


def test_a_database_that_does_not_answer_is_no_yes(
    prod: Environment, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(statement: str, given: object) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(pool, "ask", away)
    told = ask(caller, 503)
    assert (told["allow"], told["reasons"][0]["code"]) == (False, "database_away")


@pytest.mark.parametrize("statement", ["SELECT nothing", "SELECT 1 / 0", "SELECT 'x'::int"])
def test_a_connection_of_its_own_that_fails_in_another_way_is_no_yes_either(
    prod: Environment, caller: Caller, monkeypatch: pytest.MonkeyPatch, settings: Any, statement: str
) -> None:
    settings.BOOT_GATE_POOL = 1
    monkeypatch.setattr(reading, "_statement", lambda: statement)
    try:
        assert ask(caller, 503)["reasons"][0]["code"] == "database_away"
    finally:
        pool.close()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"schema_rev": ""}, "The query parameter schema_rev is missing. Nothing was done."),
        ({"service": ""}, "The query parameter service is missing. Nothing was done."),
        ({"colour": "red"}, "There is no query parameter colour. Nothing was done."),
        ({"probes": "maybe"}, "The query parameter probes is not usable: use ok or fail. Nothing was done."),
        ({"node": "a b"}, "The query parameter node is not usable: use at most 200 letters"),
        ({"service": "x" * 64}, "The query parameter service is not usable: it is too long. Nothing was done."),
    ],
)
def test_a_question_of_no_use_names_the_parameter(
    prod: Environment, caller: Caller, changed: dict[str, str], sentence: str
) -> None:
    assert refusal(caller.get("/boot-gate", {**ASKED, **changed}), 422)["message"].startswith(sentence)


def test_a_parameter_that_stands_there_twice_is_refused(prod: Environment, caller: Caller) -> None:
    response = caller.get("/boot-gate?service=orders&environment=prod&schema_rev=sc-9&schema_rev=sc-10")
    assert "schema_rev is not usable: it stands there twice" in refusal(response, 422)["message"]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"environment": "none"}, "There is no environment none in service orders."),
        ({"service": "none"}, "There is no service none."),
    ],
)
def test_what_is_not_there_is_404(prod: Environment, caller: Caller, changed: dict[str, str], sentence: str) -> None:
    assert refusal(caller.get("/boot-gate", {**ASKED, **changed}), 404)["message"] == sentence


def test_strangers_hear_nothing(prod: Environment, vic: User) -> None:
    for headers in ({}, {"Authorization": "Basic x"}, {"Authorization": f"Bearer lockstep_{'a' * 8}_{'b' * 43}"}):
        for query in (ASKED, {}):
            refusal(Caller(headers=headers).get("/boot-gate", query), 401)


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (lambda vic: ApiToken.objects.update(revoked_at=Now()), "The token was revoked."),
        (lambda vic: ApiToken.objects.update(expires_at=Now()), "The token expired."),
        (lambda vic: User.objects.filter(pk=vic.pk).update(is_active=False), "The user of this token is disabled."),
    ],
)
def test_a_token_that_ended_opens_nothing(
    prod: Environment, caller: Caller, vic: User, end: Any, sentence: str
) -> None:
    end(vic)
    assert refusal(caller.get("/boot-gate", ASKED), 401)["message"].startswith(sentence)


def test_somebody_without_a_role_is_refused_and_that_is_recorded(prod: Environment) -> None:
    assert refusal(Caller(person("nora")).get("/boot-gate", ASKED), 403)["code"] == "FORBIDDEN"
    entry = AuditEntry.objects.first()
    assert entry is not None and entry.data["object"] == "environment:orders/prod"


def test_it_is_only_asked(prod: Environment, caller: Caller) -> None:
    response = caller.post("/boot-gate", {})
    assert refusal(response, 405)["message"].startswith("POST is not possible here")
    assert response["Allow"] == "GET, HEAD"


def test_a_question_costs_one_statement_and_what_is_written_comes_after_the_answer(
    prod: Environment, caller: Caller, django_assert_num_queries: Any
) -> None:
    ask(caller, 200, node="n1")  # the chain is read, the token is marked, the node has reported
    with django_assert_num_queries(1):
        ask(caller, 200, node="n1")


def test_a_node_that_asks_has_reported(prod: Environment, caller: Caller) -> None:
    ask(caller, 200)
    assert not NodeReport.objects.exists()
    ask(caller, 200, node="n1", index_hash="", release_id="1.0", probes="ok")
    report = NodeReport.objects.get()
    assert (report.node, report.release_id, report.schema_rev, report.probes_ok) == ("n1", "1.0", "sc-10", True)
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize("failure", [DatabaseError, psycopg.ProgrammingError, psycopg.DataError])
def test_an_answer_stands_when_what_comes_after_it_fails(
    prod: Environment, caller: Caller, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    def away(statement: str, given: object) -> None:
        raise failure("gone")

    monkeypatch.setattr(pool, "tell", away)
    assert ask(caller, 200, node="n1") == {"allow": True}
    assert not NodeReport.objects.exists()


@pytest.mark.parametrize(
    "before", [{}, {"retired_at": Now()}, {"at": Now() - timedelta(minutes=11)}], ids=["new", "retired", "gone"]
)
def test_a_node_that_may_not_start_is_no_member_for_having_asked(
    prod: Environment, caller: Caller, before: dict[str, Any]
) -> None:
    if before:
        NodeReport.objects.create(environment=prod, node="n2", **before)
    kept = list(NodeReport.objects.values())
    for refused in ({"index_hash": "h2", "probes": "fail"}, {"schema_rev": "x9"}):
        caller.get("/boot-gate", {**ASKED, **refused, "node": "n2"})
        assert list(NodeReport.objects.values()) == kept
    assert ask(caller, 200, index_hash="h1", node="n1") == {"allow": True}
    assert ask(caller, 200, index_hash="h1", node="n2") == {"allow": True}
    assert NodeReport.objects.get(node="n2").retired_at is None
    ask(caller, 409, index_hash="h1", node="n2", probes="fail")
    assert NodeReport.objects.get(node="n2").probes_ok is False


def test_nodes_are_reported_listed_and_retired(prod: Environment, caller: Caller) -> None:
    where = {"service": "orders", "environment": "prod"}
    told = read(caller.post("/nodes", {**where, "node": "n1", "index_hash": "h1", "probes_ok": True}))
    assert (told["node"], told["index_hash"], told["probes_ok"], told["state"]) == ("n1", "h1", True, "fresh")
    assert ask(caller, 409, index_hash="h2", node="n2")["reasons"][0]["sentence"] == ("The index h2 is not that of n1.")
    assert read(caller.post("/nodes/orders/prod/n1/retire"))["state"] == "retired"
    assert ask(caller, 200, index_hash="h2", node="n2") == {"allow": True}
    assert [node["state"] for node in read(caller.get("/nodes", where))["nodes"]] == ["fresh", "retired"]
    missing = "There is no node n9 of environment prod in service orders."
    assert refusal(caller.post("/nodes/orders/prod/n9/retire"), 404)["message"] == missing


def test_starts_are_recorded_and_counted(prod: Environment, caller: Caller) -> None:
    where = {"service": "orders", "environment": "prod"}
    told = read(caller.post("/boot-attempts", {**where, "boot": "b1", "outcome": "allow", "seconds": 1.5}), 201)
    assert (told["boot"], told["phase"], told["tries"]) == ("b1", "traffic", 1)
    caller.post("/boot-attempts", {**where, "boot": "b1", "outcome": "allow", "first_request_ok": False})
    failed = {"outcome": "gave_up", "phase": "index", "tries": 9, "reasons": [["index_differs", "It is not."]]}
    caller.post("/boot-attempts", {**where, "boot": "b2", **failed})
    counted = read(caller.get("/boot-attempts", where))
    assert (counted["total"], counted["without_retry_rate"], counted["first_request_errors"]) == (2, 0.5, 1)
    assert counted["failures_by_phase"] == {"index": 1}
    assert [one["boot"] for one in counted["newest"]] == ["b2", "b1"]
    answer = caller.post("/boot-attempts", {**where, "boot": "b 3", "outcome": "allow"})
    assert refusal(answer, 422)["code"] == "bad_report"


def test_a_page_tells_what_runs_and_how_it_started(prod: Environment, caller: Caller, vic: User) -> None:
    page = "/services/orders/environments/prod/nodes"
    client = signed_in(vic)
    assert heading(client.get(page)) == "No node of prod reports."
    ask(caller, 200, node="n1", release_id="1.0")
    where = {"service": "orders", "environment": "prod"}
    caller.post("/boot-attempts", {**where, "boot": "b0", "outcome": "gave_up"})
    assert "One start in 30 days, none of them was allowed." in text(client.get(page))
    caller.post("/boot-attempts", {**where, "boot": "b1", "outcome": "allow", "node": "n1"})
    response = client.get(page)
    assert heading(response) == "One node of prod reports: 1.0."
    assert "Two starts in 30 days, 50% of them at the first question." in text(response)
    assert "n1 Reports nothing said of probes" in text(response)
    ask(caller, 409, node="n1", release_id="1.0", probes="fail")
    failing = text(client.get(page))
    assert "n1 Probes fail it reports" in failing
    assert client.post(f"{page}/retire", {"node": "n1"}).status_code == 302
    assert NodeReport.objects.get().retired_at is not None
    assert client.post(f"{page}/retire", {"node": "n9"}).status_code == 404


def test_expected_secrets_are_edited_like_the_rest(prod: Environment) -> None:
    admin = Caller(person("ada", ADMIN))
    path = "/services/orders/environments/prod"
    told = read(admin.send("patch", path, {"secrets_rev": "set-1", "secrets_rev_next": "set-2"}))
    assert (told["secrets_rev"], told["secrets_rev_next"]) == ("set-1", "set-2")
    entry = AuditEntry.objects.first()
    assert entry is not None and entry.data["after"]["secrets_rev"] == "set-1"
    assert refusal(admin.send("patch", path, {"secrets_rev": "a b"}), 422)["code"] == "bad_secrets_rev"
    assert refusal(admin.send("patch", path, {"secrets_rev": ""}), 422)["code"] == "bad_secrets_rev"


def test_the_command_has_the_same_verbs(prod: Environment, vic: User, capsys: pytest.CaptureFixture[str]) -> None:
    def boot(*words: str, by: str = "vic") -> str:
        call_command("boot", words[0], "orders", "prod", *words[1:], "--as", by)
        return capsys.readouterr().out

    assert boot("ask", "--release", "1.0") == "It may start in prod.\n"
    with pytest.raises(CommandError, match="It may not start in prod"):
        boot("ask", "--schema-rev", "sc-11")
    assert "stands at sc-10" in capsys.readouterr().out
    assert boot("report", "n1", "--release", "1.0") == "n1 has reported for prod.\n"
    assert boot("nodes").startswith("fresh    n1 1.0 at ")
    assert boot("retire", "n1") == "n1 is no node of prod any more.\n"
    assert boot("record", "b1", "allow", "--first-request", "ok") == "The start b1 is recorded.\n"
    assert BootAttempt.objects.get().first_request_ok is True
    assert boot("attempts").endswith("1 starts in 30 days, 1 at the first question, 0 first requests failed.\n")
    person("ada", ADMIN)
    assert boot("expect", "--secrets-rev", "set-1", by="ada") == "prod expects the secrets set-1.\n"
    for wrong in (("retire", "n9"), ("expect", "--secrets-rev", "x"), ("ask",)):
        with pytest.raises(CommandError):
            boot(*wrong)


def test_the_token_that_a_service_holds_may_be_a_viewers_alone(prod: Environment, olga: User) -> None:
    user = person("pat", VIEWER, ADMIN)
    caller = Caller()
    caller.headers["Authorization"] = f"Bearer {tokens.create(user=user, by=None, role=VIEWER).text}"
    ask(caller, 200, node="n1")
    body = {"service": "orders", "environment": "prod", "node": "n1"}
    assert read(caller.post("/nodes", body))["node"] == "n1"
    assert caller.send("patch", "/services/orders/environments/prod", {"order": 5}).status_code == 403
    assert json.loads(caller.get("/services").content)["services"]
