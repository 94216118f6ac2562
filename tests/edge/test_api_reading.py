"""What the API tells, to whom, and in how many queries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_app.models import Environment, Run, RunStep, Service, StepAttempt
from tests.edge.caller import Caller, read, refusal
from tests.edge.fleet import make_environment, make_log, make_receipt, make_revision, make_run, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db


def all_pages(caller: Caller, path: str, key: str, **query: Any) -> list[Any]:
    """Follow `next` to the end."""
    found: list[Any] = []
    after = ""
    while True:
        page = read(caller.get(path, {**query, **({"after": after} if after else {})}))
        found += page[key]
        if page["next"] is None:
            return found
        after = page["next"]


def test_it_lists_services_by_name_page_by_page(caller: Caller, olga: User) -> None:
    for name in ("b", "a", "d", "c"):
        make_service(olga, name)
    assert [s["name"] for s in all_pages(caller, "/services", "services", limit=3)] == ["a", "b", "c", "d"]
    assert read(caller.get("/services/a"))["created_by"] == "olga"


def test_it_lists_environments_in_their_order_page_by_page(caller: Caller, service: Service) -> None:
    for order, name in ((2, "b"), (2, "a"), (1, "z"), (-1, "y")):
        make_environment(service, name, order=order)
    path = "/services/orders/environments"
    assert [e["name"] for e in all_pages(caller, path, "environments", limit=1)] == ["y", "z", "a", "b"]


def test_it_tells_an_environment_without_its_address(caller: Caller, environment: Environment) -> None:
    Environment.objects.update(dsn_reference="SECRET_NAME", dsn_sealed=b"sealed")
    response = caller.get("/services/orders/environments/orders-eu")
    told = read(response)
    assert (told["dsn_kind"], told["target"]) == ("env", "app@db:5432/orders")
    assert b"SECRET_NAME" not in response.content
    assert b"sealed" not in response.content


def test_it_lists_revisions_in_the_order_of_the_chain_without_sql(caller: Caller, service: Service) -> None:
    for position in (2, 3, 1):
        make_revision(service, position)
    found = all_pages(caller, "/services/orders/revisions", "revisions", limit=2)
    assert [r["revision_id"] for r in found] == ["0001_step", "0002_step", "0003_step"]
    assert "up" not in found[0]
    assert read(caller.get("/services/orders/revisions/0002_step"))["up"] == "CREATE TABLE t2 ()"


def test_it_keeps_sql_and_log_from_viewers(service: Service, run: Run) -> None:
    make_revision(service, 1)
    vic = Caller(person("vic", "viewer"))
    read(vic.get("/services/orders/revisions"))
    read(vic.get(f"/runs/{run.pk}"))
    for path in ("/services/orders/revisions/0001_step", f"/runs/{run.pk}/log", "/audit"):
        assert refusal(vic.get(path), 403)["code"] == "FORBIDDEN"


def test_it_tells_a_window_of_the_matrix(caller: Caller, service: Service, environment: Environment) -> None:
    make_environment(service, "orders-us", order=2)
    for position in (1, 2, 3):
        make_revision(service, position)
    make_receipt(environment, 1)
    make_receipt(environment, 2)
    told = read(caller.get("/services/orders/matrix", {"mode": "all", "limit": 2}))
    assert [e["name"] for e in told["environments"]] == ["orders-eu", "orders-us"]
    assert [r["revision_id"] for r in told["revisions"]] == ["0003_step", "0002_step"]
    assert [row[0] for row in told["rows"]] == ["P", "A"]
    assert all(len(row) == 2 and set(row) <= set(told["cells"]) for row in told["rows"])
    older = read(caller.get("/services/orders/matrix", {"mode": "all", "limit": 2, "before": told["next"]}))
    assert [r["revision_id"] for r in older["revisions"]] == ["0001_step"]
    assert older["next"] is None


def test_it_tells_the_ledger_newest_first_page_by_page(
    caller: Caller, service: Service, environment: Environment
) -> None:
    for seq in (1, 2, 3):
        make_receipt(environment, seq, operator="olga" if seq < 3 else "ann")
    rows = all_pages(caller, "/services/orders/history", "rows", limit=1)
    assert [row["seq"] for row in rows] == [3, 2, 1]
    assert rows[0]["applied_at"].endswith("+00:00")
    assert [r["seq"] for r in all_pages(caller, "/services/orders/history", "rows", operator="ann")] == [3]
    assert [r["seq"] for r in all_pages(caller, "/services/orders/history", "rows", revision="0002_step")] == [2]
    assert all_pages(caller, "/services/orders/history", "rows", environment="none") == []


def test_it_lists_runs_newest_first_and_by_status(
    caller: Caller, service: Service, olga: User, environment: Environment
) -> None:
    done = [make_run(environment, olga, "succeeded").pk for _ in range(3)]
    open_run = make_run(environment, person("otto", "operator"), "queued").pk
    assert [r["id"] for r in all_pages(caller, "/runs", "runs", limit=2)] == [open_run, *reversed(done)]
    assert [r["id"] for r in all_pages(caller, "/runs", "runs", status="queued")] == [open_run]
    assert [r["id"] for r in all_pages(caller, "/runs", "runs", mine="true")] == list(reversed(done))
    assert "not usable: use open" in refusal(caller.get("/runs", {"status": "x"}), 422)["message"]


def test_it_tells_everything_about_a_run(caller: Caller, run: Run) -> None:
    now = timezone.now()
    StepAttempt.objects.create(
        step=RunStep.objects.get(run=run), number=1, token=1, worker="w1", outcome="lock_timeout", started_at=now
    )
    Run.objects.filter(pk=run.pk).update(
        status="waiting_for_lock",
        waiting={"since": now.isoformat(), "sentence": "pid 7 holds it", "blockers": [{"pid": 7, "user": "app"}]},
        worker="w1",
        beat_at=now - timedelta(seconds=2),
        lease_until=now + timedelta(seconds=13),
        phases={"lock": {"state": "active", "wait_ms": 10, "work_ms": 0, "detail": ""}},
    )
    told = read(caller.get(f"/runs/{run.pk}"))
    assert (told["id"], told["status"], told["service"]) == (run.pk, "waiting_for_lock", "orders")
    assert told["sentence"].startswith("Waiting on orders-eu")
    assert told["conditions"][0]["code"] == "waiting_for_lock"
    assert told["waiting"]["blockers"] == [{"pid": 7, "user": "app"}]
    assert told["lease"]["worker"] == "w1"
    assert 2 <= told["lease"]["age_seconds"] < 60
    assert told["phases"]["lock"]["wait_ms"] == 10
    assert told["steps"][0]["summary"] == "create table t1"
    assert told["steps"][0]["attempts"][0]["outcome"] == "lock_timeout"
    assert told["revisions"] == [{"revision_id": "0001_step", "checksum": "sha256:1"}]
    assert told["actions"]["cancel"] == ""
    assert "when its lock window ends" in told["conditions"][0]["clears"]


def test_it_does_not_promise_an_end_that_a_step_outside_a_transaction_has_not(caller: Caller, run: Run) -> None:
    waiting = {"since": "", "sentence": "x", "blockers": [{"pid": 7, "mode": None}], "windowed": False}
    Run.objects.filter(pk=run.pk).update(status="waiting_for_lock", waiting=waiting)
    told = read(caller.get(f"/runs/{run.pk}"))
    assert "the lock window does not end this step" in told["conditions"][0]["clears"]
    assert "has an open transaction that must end first" in told["conditions"][0]["sentence"]


@pytest.mark.parametrize("status", ["queued", "paused", "needs_operator", "succeeded", "failed", "rolled_back"])
def test_it_tells_what_keeps_a_run_that_stands_still(caller: Caller, run: Run, status: str) -> None:
    Run.objects.update(status=status, finished_at=timezone.now(), started_at=timezone.now())
    told = read(caller.get(f"/runs/{run.pk}"))
    still = status in ("queued", "paused", "needs_operator")
    assert [condition["code"] for condition in told["conditions"]] == ([status] if still else [])
    assert all(condition["clears"] for condition in told["conditions"])


def test_it_answers_304_until_the_run_changes(caller: Caller, run: Run) -> None:
    first = caller.get(f"/runs/{run.pk}")
    tag = first["ETag"]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        unchanged = caller.get(f"/runs/{run.pk}", None, **{"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged["ETag"] == tag
    assert not any("runstep" in query["sql"] for query in queries.captured_queries)
    Run.objects.update(version=2)
    changed = caller.get(f"/runs/{run.pk}", None, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed["ETag"] != tag
    assert changed["Cache-Control"] == "private, no-cache"


def test_it_reads_the_log_from_where_the_reader_stopped(caller: Caller, run: Run) -> None:
    make_log(run, "one", "two", "three")
    first = read(caller.get(f"/runs/{run.pk}/log", {"limit": 2}))
    assert [line["message"] for line in first["lines"]] == ["one", "two"]
    assert (first["lines"][0]["seq"], first["lines"][0]["level"], first["next"]) == (1, "info", 2)
    rest = read(caller.get(f"/runs/{run.pk}/log", {"after": first["next"]}))
    assert [line["message"] for line in rest["lines"]] == ["three"]
    assert read(caller.get(f"/runs/{run.pk}/log", {"after": 3})) == {"lines": [], "next": 3}


def test_it_tells_the_audit_log_with_its_hashes(caller: Caller, run: Run) -> None:
    vic = Caller(person("vic", "viewer"))
    for _ in range(3):
        refusal(vic.post(f"/runs/{run.pk}/cancel"), 403)
    entries = all_pages(caller, "/audit", "entries", limit=2, action="denied")
    assert [entry["actor"] for entry in entries] == ["vic"] * 3
    assert entries[0]["seq"] > entries[1]["seq"]
    assert entries[0]["prev_hash"] == entries[1]["hash"]
    assert entries[0]["object"] == f"run:{run.pk}"
    assert all_pages(caller, "/audit", "entries", actor="nobody") == []


READS = (
    "/services",
    "/services/orders",
    "/services/orders/environments",
    "/services/orders/environments/orders-eu",
    "/services/orders/revisions",
    "/services/orders/revisions/0001_step",
    "/services/orders/matrix",
    "/services/orders/history",
    "/runs",
    "/runs/{run}",
    "/runs/{run}/log",
    "/audit",
)


@pytest.mark.parametrize("path", READS)
def test_it_asks_the_database_the_same_number_of_times_however_much_there_is(
    caller: Caller, olga: User, service: Service, environment: Environment, run: Run, path: str
) -> None:
    path = path.format(run=run.pk)
    make_revision(service, 1)
    make_receipt(environment, 1)
    make_log(run, "one")
    few = count(caller, path)
    for position in range(2, 12):
        make_revision(service, position)
        make_receipt(environment, position)
        make_run(make_environment(service, f"e{position}"), person(f"p{position}", "operator"))
        make_service(person(f"q{position}"), f"s{position}")
        step = RunStep.objects.create(
            run=run, ordinal=position, revision_id="0001_step", n=1, of=1, mode="tx", statements=1, summary="s"
        )
        StepAttempt.objects.create(step=step, number=1, token=1, worker="w", outcome="done", started_at=timezone.now())
    assert count(caller, path) == few
    assert few <= 9


def count(caller: Caller, path: str) -> int:
    read(caller.get(path))  # the first use of the token writes when it was used
    with CaptureQueriesContext(connection) as queries:
        read(caller.get(path))
    return len(queries)
