"""One run's page: the verdict, what may be done, where the time went, attempts, comparison and audit."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_app.models import LedgerEntry, Run, RunStep, StepAttempt
from migrations_app.permissions import AUDITOR, VIEWER
from migrations_app.runs.actions import pause
from migrations_app.runs.comparison import compare, earlier_runs, in_words
from migrations_app.runs.verdict import verdict
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_log, make_receipt, make_run
from tests.edge.people import person

pytestmark = pytest.mark.django_db


def become(run: Run, status: str, **fields: object) -> None:
    Run.objects.filter(pk=run.pk).update(status=status, **fields)
    run.refresh_from_db()


LOCKS = {
    "code": "lock_exhausted",
    "message": "0042_add_idx, step 1: its table locks were not to be had in 9 attempts over 5 s: pid 4711 (psql).",
    "not_done": "Nothing of this step was applied.",
    "next_step": "End or wait for that session, then apply again.",
    "revision_id": "0042_add_idx",
    "step": 1,
}
REFUSED = {
    "code": "sqlstate_23514",
    "message": '0042_add_idx, line 3 (ALTER TABLE "a: b" …): check constraint is violated by some row.',
    "not_done": "Its step was rolled back.",
    "next_step": "Correct the revision or the data, then apply again.",
    "revision_id": "0042_add_idx",
    "step": 1,
}


@pytest.mark.parametrize(
    "error, told",
    [
        (
            LOCKS,
            "Failed at step 7/12 0042_add_idx on orders-eu: its table locks were not to be had in 9 attempts over 5 s; "
            "nothing applied by this step; safe to apply again.",
        ),
        (
            REFUSED,
            "Failed at step 7/12 0042_add_idx on orders-eu: check constraint is violated by some row; "
            "nothing applied by this step.",
        ),
        ({"code": "x", "message": "Something else."}, "Failed at step 7/12 on orders-eu: Something else."),
        (None, "Failed at step 7/12 on orders-eu: no reason was recorded."),
    ],
)
def test_a_failure_says_where_why_and_whether_it_is_safe(run: Run, error: dict[str, object], told: str) -> None:
    become(run, "failed", steps_done=6, steps_total=12, error=error)
    assert verdict(run) == told


def test_a_cancel_that_left_something_says_so_and_the_way_out(client: Client, run: Run) -> None:
    error = {"code": "left_half_made", "message": "Left in the target: x.", "not_done": "", "next_step": "Drop x."}
    become(run, "cancelled", error=error)
    page = client.get(f"/runs/{run.pk}")
    assert heading(page) == "Cancelled on orders-eu after 0 of 1 steps. Left in the target: x."
    assert "Left in the target: x. Drop x. Code left_half_made" in text(page)
    become(run, "cancelled", error={"code": "outcome_unknown", "message": "Given up by a person."})
    assert "Given up by a person." not in text(client.get(f"/runs/{run.pk}"))


def test_a_silent_worker_is_told_with_what_happens_next(client: Client, run: Run) -> None:
    client.get(f"/runs/{run.pk}")  # the first time a page is drawn takes seconds on a busy machine
    now = timezone.now()
    become(run, "running", beat_at=now - timedelta(seconds=10.5), worker="host:7", started_at=now)
    page = client.get(f"/runs/{run.pk}")
    assert heading(page) == "Lost heartbeat 10 s, another worker takes over at 15 s: orders-eu at step 1 of 1."
    become(run, "running", beat_at=now - timedelta(seconds=80))
    assert "the next free worker takes over" in heading(client.get(f"/runs/{run.pk}"))
    become(run, "running", beat_at=timezone.now())
    assert re.search(r"lease renewed \d+ s ago", text(client.get(f"/runs/{run.pk}")))


def test_a_growing_silence_is_a_change_for_the_poll_and_a_rest_is_none(client: Client, run: Run) -> None:
    become(run, "running", beat_at=timezone.now(), worker="host:7")
    first = client.get(f"/runs/{run.pk}/live")["ETag"]
    assert client.get(f"/runs/{run.pk}/live", headers={"If-None-Match": first}).status_code == 304
    become(run, "running", beat_at=timezone.now() - timedelta(seconds=9))
    lost = client.get(f"/runs/{run.pk}/live", headers={"If-None-Match": first})
    assert lost.status_code == 200
    assert "Lost heartbeat" in text(lost)


def poll_of(markup: str) -> str:
    """The address that a page, or the answer to a poll, asks next; empty where it asks no more."""
    found = re.search(r'<div id="live"[^>]* hx-get="([^"]*)"', markup)
    return unescape(found[1]) if found else ""


def brought(markup: str) -> set[str]:
    """The parts outside the polled one that an answer replaces."""
    return set(re.findall(r' id="(\w+)" hx-swap-oob="true"', markup))


def test_the_last_poll_brings_what_else_the_page_tells_up_to_date(client: Client, run: Run, olga: User) -> None:
    become(run, "queued")
    page = client.get(f"/runs/{run.pk}")
    assert "Started not yet Ended not yet Worker none yet" in text(page)
    now = timezone.now()
    become(run, "running", started_at=now, worker="host:7", attempt=1)
    pause(run, by=olga, reason="lunch")
    begun = client.get(poll_of(page.content.decode()))
    assert "Ended not yet Worker host:7" in text(begun)
    assert "reason lunch" in text(begun)
    LedgerEntry.objects.filter(pk=make_receipt(run.environment, 1).pk).update(run=run)
    become(run, "succeeded", asked="", finished_at=now, steps_done=1)
    ended = client.get(poll_of(begun.content.decode()))
    assert {"told", "audited", "beside"} < brought(ended.content.decode())
    assert "not yet" not in text(ended)
    assert "none yet" not in text(ended)
    assert "Applied receipt 1 5 ms" in text(ended)
    assert poll_of(ended.content.decode()) == ""


def test_a_poll_draws_the_facts_anew_for_a_step_and_not_for_a_heartbeat(client: Client, run: Run) -> None:
    become(run, "running", beat_at=timezone.now(), worker="host:7", attempt=1, steps_total=2)
    asked = poll_of(client.get(f"/runs/{run.pk}").content.decode())
    become(run, "running", beat_at=timezone.now(), version=run.version + 1)
    assert brought(client.get(asked).content.decode()) == {"verdict"}
    become(run, "running", steps_done=1)
    assert brought(client.get(asked).content.decode()) == {"verdict", "told", "audited", "beside"}
    asked = poll_of(client.get(asked).content.decode())
    become(run, "running", phases={"record": {"state": "done"}})
    assert "told" in brought(client.get(asked).content.decode())


def test_a_poll_compares_with_the_run_that_was_chosen_and_never_fails_over_it(
    client: Client, run: Run, olga: User
) -> None:
    staging = make_environment(run.service, "staging", "staging", order=0)
    become(run, "succeeded")
    elsewhere = make_run(staging, olga, status="succeeded")
    here = make_run(run.environment, olga)
    page = client.get(f"/runs/{here.pk}?with={elsewhere.pk}").content.decode()
    asked = poll_of(page)
    become(here, "failed")
    ended = client.get(asked)
    assert f"Compared with run {elsewhere.pk} on staging" in text(ended)
    assert f'href="/runs/{here.pk}?with={run.pk}#compared"' in ended.content.decode()
    become(elsewhere, "failed")
    assert f"Compared with run {run.pk} on orders-eu" in text(client.get(asked))


@pytest.mark.parametrize(
    "status, direction, word, to",
    [
        ("failed", "up", "Apply again…", "direction=up&amp;to=0001_step"),
        ("cancelled", "up", "Apply again…", "direction=up&amp;to=0001_step"),
        ("rolled_back", "down", "Apply again…", "direction=up#plan"),
        ("failed", "down", "Roll back again…", "direction=down&amp;to=0001_step"),
    ],
)
def test_what_comes_next_leads_to_a_plan_and_starts_nothing(
    client: Client, run: Run, status: str, direction: str, word: str, to: str
) -> None:
    become(run, status, direction=direction)
    page = client.get(f"/runs/{run.pk}").content.decode()
    assert f"/services/orders/environments/orders-eu?{to}" in page
    assert word in page


def test_what_cannot_be_done_yet_is_off_with_its_reason(client: Client, run: Run) -> None:
    page = text(client.get(f"/runs/{run.pk}"))
    assert f"Run {run.pk} has to end first." in page
    assert "Only a held run can be resumed; this one is running." in page
    become(run, "succeeded")
    vic = text(signed_in(person("vic", VIEWER)).get(f"/runs/{run.pk}"))
    assert "Roll back what it applied Needs one of these roles: operator, on-call, release-manager." in vic


def test_the_queue_is_kept_apart_from_the_five_phases(client: Client, run: Run) -> None:
    begun = run.created_at + timedelta(seconds=3)
    become(run, "running", started_at=begun, worker="host:7", phases={"lock": {"state": "done", "wait_ms": 1000}})
    page = client.get(f"/runs/{run.pk}").content.decode()
    assert 'aria-label="Queue: waited 3.0 s, worked 0 ms"' in page
    assert 'aria-label="Lock: waited 1.0 s, worked 0 ms"' in page


def test_an_attempt_can_be_looked_at_alone(client: Client, run: Run) -> None:
    step = RunStep.objects.get(run=run)
    now = timezone.now()
    for token, outcome, detail in ((1, "lost", "the worker went away"), (2, "done", "it went well")):
        StepAttempt.objects.create(
            step=step, number=token, token=token, worker=f"host:{token}", outcome=outcome, detail=detail,
            started_at=now, finished_at=now,
        )  # fmt: skip
    become(run, "running", attempt=2, token=2)
    page = client.get(f"/runs/{run.pk}")
    assert "1 by host:1" in text(page)
    assert f'href="/runs/{run.pk}?attempt=1#statements"' in page.content.decode()
    first = text(client.get(f"/runs/{run.pk}?attempt=1"))
    assert "the worker went away" in first
    assert "it went well" not in first
    for wrong in ("0", "3", "x"):
        assert client.get(f"/runs/{run.pk}?attempt={wrong}").status_code == 400


def test_who_asked_why_and_what_the_audit_holds(client: Client, run: Run, olga: User) -> None:
    become(run, "running", reason="ticket 12", idempotency_key="deploy-7")
    pause(run, by=olga, reason="lunch")
    page = text(client.get(f"/runs/{run.pk}"))
    assert "ticket 12" in page
    assert "deploy-7" in page
    assert "run.pause" in page
    assert "reason lunch" in page
    vic = text(signed_in(person("vic", VIEWER)).get(f"/runs/{run.pk}"))
    assert "run.pause" not in vic
    assert "Reading the audit log needs one of these roles" in vic
    assert "run.pause" in text(signed_in(person("aud", AUDITOR)).get(f"/runs/{run.pk}"))


def test_each_revision_shows_the_receipt_that_this_run_wrote(client: Client, run: Run) -> None:
    assert "none yet" in text(client.get(f"/runs/{run.pk}"))
    entry = make_receipt(run.environment, 1)
    LedgerEntry.objects.filter(pk=entry.pk).update(run=run)
    page = client.get(f"/runs/{run.pk}")
    assert "Applied receipt 1 5 ms" in text(page)
    assert 'href="/services/orders/revisions/0001_step"' in page.content.decode()


def test_it_is_compared_with_the_last_run_of_the_revision_here_and_elsewhere(
    client: Client, run: Run, olga: User
) -> None:
    staging = make_environment(run.service, "staging", "staging", order=0)
    elsewhere = make_run(staging, olga, status="succeeded")
    make_run(staging, olga, status="failed")
    later = make_run(staging, olga, status="succeeded")
    become(run, "succeeded")
    here = make_run(run.environment, olga, status="succeeded")
    assert earlier_runs(here) == (run, later)
    assert earlier_runs(later) == (elsewhere,) or earlier_runs(later) == (elsewhere, run)
    RunStep.objects.filter(run=here).update(status="done", work_ms=1300, wait_ms=200)
    RunStep.objects.filter(run=run).update(status="done", work_ms=1000)
    comparison = compare(here, run)
    assert [(pair.words, pair.slower) for pair in comparison.pairs] == [("50 % slower", True)]
    page = client.get(f"/runs/{here.pk}?with={run.pk}")
    assert f"Compared with run {run.pk} on orders-eu" in text(page)
    assert "50 % slower" in text(page)
    assert f"run {later.pk} on staging" in text(page)
    assert client.get(f"/runs/{here.pk}?with=1{run.pk}").status_code == 400


@pytest.mark.parametrize(
    "now, then, told",
    [
        (1200, 1000, "as before"),
        (1201, 1000, "20 % slower"),
        (3, 1, "as before"),
        (1000, 2000, "faster"),
        (None, 1, ""),
    ],
)
def test_slower_is_more_than_a_fifth_and_worth_a_look(now: int | None, then: int, told: str) -> None:
    assert in_words(now, then) == told


def test_a_long_run_asks_as_few_questions_as_a_shorter_one(client: Client, run: Run) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/runs/{run.pk}").status_code == 200
        return len(queries)

    def lengthen(of: int, to: int) -> None:
        plan = [{"revision_id": f"{n:04d}_step", "checksum": "sha256:1"} for n in range(1, to + 1)]
        become(run, "running", steps_total=to, steps_done=to // 2, revisions=plan)
        RunStep.objects.bulk_create(
            RunStep(
                run=run, ordinal=n, revision_id=f"{n:04d}_step", n=1, of=1, mode="tx", statements=1, summary="x",
                sql_sha256="",
            )
            for n in range(of + 1, to + 1)
        )  # fmt: skip

    make_log(run, *("x" for _ in range(1000)))
    lengthen(1, 80)
    short = asked()
    lengthen(80, 400)
    assert asked() == short <= 17
