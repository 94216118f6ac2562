"""Accepting a restored target on the page and by the API: offered where ledger and target part, nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.test import Client

from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.fleet.environments import add_environment, check_target
from migrations_app.models import AuditEntry, Environment, LedgerEntry
from migrations_app.permissions import ADMIN, OPERATOR
from tests.browser.client import heading, signed_in, text
from tests.edge.caller import Caller, read, refusal
from tests.edge.fleet import make_run, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db

PAGE = "/services/orders/environments/eu"
ACCEPT = f"{PAGE}/accept-target"
WHY = "restored to Tuesday's backup"
RECEIPT = """
    INSERT INTO lockstep.migration_history (seq, prev_seq, revision_id, parent, direction, checksum, phase, operator,
      run_id, fence, fp_before, fp_after)
    VALUES (%s, %s, %s, %s, 'up', %s, 'expand', 'olga', gen_random_uuid(), 1, 'a', 'b')
"""


@pytest.fixture
def url(target_database: Callable[..., str]) -> str:
    return target_database()


@pytest.fixture
def environment(url: str) -> Environment:
    """Two receipts in its target, both in the ledger."""
    ada = person("ada", ADMIN)
    with psycopg.connect(url, autocommit=True) as conn:
        ensure_objects(conn)
        conn.execute(RECEIPT, [1, None, "0001_step", "", "sha256:1"])
        conn.execute(RECEIPT, [2, 1, "0002_step", "0001_step", "sha256:2"])
    return add_environment(
        service=make_service(ada), name="eu", stage="prod", region="eu", order=1, dsn=url, health_url="", by=ada
    )


@pytest.fixture
def restored(environment: Environment, url: str) -> Environment:
    """Its target was restored to the moment after the first receipt, and a comparison has found out."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("DELETE FROM lockstep.migration_history WHERE seq = 2")
    check_target(environment)
    return environment


@pytest.fixture
def admin(environment: Environment) -> Client:
    return signed_in(environment.created_by)


@pytest.fixture
def caller(environment: Environment) -> Caller:
    return Caller(environment.created_by)


def superseded() -> int:
    return LedgerEntry.objects.exclude(superseded_at=None).count()


def test_the_page_does_not_offer_it_where_they_agree(admin: Client, environment: Environment) -> None:
    assert ACCEPT not in admin.get(PAGE).content.decode()


def test_the_page_does_not_offer_it_for_another_finding(admin: Client, environment: Environment) -> None:
    """Other bytes than the revision has now: no new beginning would change that."""
    Environment.objects.update(reconcile_note="0001_step is applied with other bytes.")
    assert ACCEPT not in admin.get(PAGE).content.decode()


def test_the_page_says_what_will_happen_and_does_it(admin: Client, restored: Environment) -> None:
    page = text(admin.get(PAGE))
    assert "Ledger and target part at receipt 2" in page
    assert "one ledger row is kept and marked superseded, and the target's own receipts take its place" in page
    assert "Nothing is changed in the target." in page
    done = admin.post(ACCEPT, {"reason": WHY}, follow=True)
    assert done.redirect_chain == [(PAGE, 302)]
    assert "The ledger of eu follows from its target's receipts again." in text(done)
    assert heading(done).startswith("eu stands at 0001_step")
    assert ACCEPT not in done.content.decode()
    entry = AuditEntry.objects.latest("seq").data
    assert (entry["action"], entry["actor"], entry["after"]["reason"]) == ("environment.accept_target", "ada", WHY)
    assert superseded() == 1


def test_the_page_tells_others_whom_to_ask(restored: Environment) -> None:
    olga = signed_in(person("olga", OPERATOR))
    page = olga.get(PAGE)
    assert "Accepting it needs one of these roles: admin." in text(page)
    assert ACCEPT not in page.content.decode()
    assert olga.post(ACCEPT, {"reason": WHY}).status_code == 403
    assert superseded() == 0


@pytest.mark.parametrize("reason", ["", "short", "\x00" * 20])
def test_the_page_wants_a_reason(admin: Client, restored: Environment, reason: str) -> None:
    page = admin.post(ACCEPT, {"reason": reason}, follow=True)
    assert "needs a reason of 10 characters or more" in text(page)
    assert superseded() == 0


def test_the_page_tells_about_an_open_run(admin: Client, restored: Environment) -> None:
    run = make_run(restored, restored.created_by, "queued")
    assert f"Run {run.pk} of environment eu is not finished." in text(admin.post(ACCEPT, {"reason": WHY}, follow=True))
    assert superseded() == 0


def test_the_api_accepts_once(caller: Caller, restored: Environment) -> None:
    assert read(caller.get(PAGE))["differs_from"] == 2
    told = read(caller.post(ACCEPT, {"reason": WHY}))
    assert (told["head_revision"], told["head_seq"], told["differs_from"]) == ("0001_step", 1, None)
    again = refusal(caller.post(ACCEPT, {"reason": WHY}), 409)
    assert again["code"] == "nothing_to_accept" and again["details"]["next_step"]
    assert superseded() == 1


@pytest.mark.parametrize("body", [None, {}, {"reason": "short"}, {"reason": 5}, {"reason": WHY, "x": 1}])
def test_the_api_refuses_a_body_that_is_of_no_use(caller: Caller, restored: Environment, body: Any) -> None:
    refusal(caller.post(ACCEPT, body), 422)
    assert superseded() == 0


def test_the_api_refuses_blanks_as_a_reason(caller: Caller, restored: Environment) -> None:
    assert refusal(caller.post(ACCEPT, {"reason": " " * 12}), 422)["code"] == "reason_missing"


def test_the_history_names_the_superseded_and_shows_them_when_asked(admin: Client, restored: Environment) -> None:
    admin.post(ACCEPT, {"reason": WHY})
    page = admin.get("/history")
    assert heading(page) == "Receipts and ledger agree: 1 = 1."
    assert "One row was superseded when a restored target was accepted: show superseded rows" in text(page)
    assert "0002_step" not in text(page)
    every = admin.get("/history?superseded=yes")
    assert "0002_step" in text(every) and "Superseded" in text(every) and "hide superseded rows" in text(every)


def test_the_api_s_history_marks_them(caller: Caller, restored: Environment) -> None:
    caller.post(ACCEPT, {"reason": WHY})
    path = "/services/orders/history"
    assert [row["revision_id"] for row in read(caller.get(path))["rows"]] == ["0001_step"]
    rows = read(caller.get(path, {"superseded": "true"}))["rows"]
    assert [(row["revision_id"], row["superseded_at"] is None) for row in rows] == [
        ("0002_step", False),
        ("0001_step", True),
    ]
