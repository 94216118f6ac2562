"""Runs on pages: lists that stay small, a live fragment that rests, and verbs that answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.cursors import write
from migrations_app.models import AuditEntry, Run, RunStep
from migrations_app.permissions import ON_CALL, VIEWER
from migrations_app.runs import actions
from migrations_app.runs.detail import PHASES, bars, step_window
from migrations_app.runs.listing import RunFilter, list_runs
from migrations_app.statuses import TERMINAL, RunStatus
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_log, make_run, make_service
from tests.edge.people import person

pytestmark = pytest.mark.django_db


def become(run: Run, status: str, **fields: object) -> None:
    Run.objects.filter(pk=run.pk).update(status=status, **fields)
    run.refresh_from_db()


def test_the_list_is_a_window_with_a_key(olga: User) -> None:
    environment = make_environment(make_service(olga))
    runs = [make_run(environment, olga, status="succeeded") for _ in range(5)]
    first = list_runs(olga, RunFilter(), window=3)
    assert [row.pk for row in first.rows] == [run.pk for run in reversed(runs[2:])]
    second = list_runs(olga, RunFilter(before=first.older), window=3)
    assert [row.pk for row in second.rows] == [runs[1].pk, runs[0].pk]
    assert second.older is None


def test_the_filters_are_in_the_address(olga: User, run: Run) -> None:
    other = make_run(make_environment(run.service, "orders-us", order=2), person("ann", ON_CALL), status="failed")
    client = signed_in(olga)
    for query, shown, hidden in (
        ("?view=failed", other, run),
        ("?environment=orders-eu", run, other),
        ("?mine=1", run, other),
        ("?view=running", run, other),
        (f"?before={write('runs before', other.pk)}", run, other),
    ):
        page = client.get(f"/runs{query}").content.decode()
        assert f'href="/runs/{shown.pk}"' in page, query
        assert f'href="/runs/{hidden.pk}"' not in page, query


def test_an_empty_list_names_the_filter_that_hides_rows(olga: User, run: Run) -> None:
    page = signed_in(olga).get("/runs?environment=nowhere")
    assert "No run fits this filter." in text(page)
    assert "One filter hides all of them" in text(page)
    assert "Without “environment nowhere”" in text(page)
    assert 'href="/runs">Clear the filter' in page.content.decode()


@pytest.mark.parametrize("status", RunStatus.values)
def test_every_status_has_a_verdict_and_polls_only_while_it_is_open(olga: User, run: Run, status: str) -> None:
    become(run, status, error={"message": "It broke.", "not_done": "", "next_step": "", "code": "broke"})
    page = signed_in(olga).get(f"/runs/{run.pk}")
    assert heading(page).endswith(".")
    assert ("hx-trigger" in page.content.decode()) == (status not in TERMINAL)


def test_the_fragment_answers_304_until_the_run_changes(olga: User, run: Run) -> None:
    client = signed_in(olga)
    first = client.get(f"/runs/{run.pk}/live?drawn=running-nothing")
    assert "no-cache" in first["Cache-Control"]
    again = client.get(f"/runs/{run.pk}/live?drawn=running-nothing", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    become(run, "running", version=run.version + 1)
    assert client.get(f"/runs/{run.pk}/live", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_the_fragment_leaves_buttons_alone_that_would_look_the_same(olga: User, run: Run) -> None:
    client = signed_in(olga)
    assert 'id="actions"' not in client.get(f"/runs/{run.pk}/live?drawn=running-nothing").content.decode()
    assert 'id="actions"' in client.get(f"/runs/{run.pk}/live?drawn=queued-nothing").content.decode()


def test_the_log_goes_on_after_the_last_line_and_then_rests(olga: User, run: Run) -> None:
    make_log(run, "one", "two <b>", "three")
    client = signed_in(olga)
    page = client.get(f"/runs/{run.pk}/log/tail?after=1").content.decode()
    assert "two &lt;b&gt;" in page
    assert 'id="L1"' not in page
    assert f"/runs/{run.pk}/log/tail?after=3" in page
    assert client.get(f"/runs/{run.pk}/log/tail?after=3").status_code == 204
    become(run, "succeeded")
    over = client.get(f"/runs/{run.pk}/log/tail?after=3")
    assert over.status_code == 200
    assert b"hx-get" not in over.content


def test_the_raw_log_is_plain_text(olga: User, run: Run) -> None:
    make_log(run, "one", "two")
    answer = signed_in(olga).get(f"/runs/{run.pk}/log.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert [line.split("\t")[3] for line in lines] == ["one", "two"]


def test_a_viewer_sees_the_run_but_neither_log_nor_open_buttons(run: Run) -> None:
    make_log(run, "a secret statement")
    client = signed_in(person("vic", VIEWER))
    page = client.get(f"/runs/{run.pk}")
    assert "a secret statement" not in text(page)
    assert "Reading logs needs one of these roles" in text(page)
    assert '<form class="sheet form drop"' not in page.content.decode()
    assert client.get(f"/runs/{run.pk}/log").status_code == 403
    assert client.post(f"/runs/{run.pk}/cancel").status_code == 403
    run.refresh_from_db()
    assert run.asked == ""


def test_a_pause_is_told_and_what_cannot_be_done_is_told_too(olga: User, run: Run) -> None:
    client = signed_in(olga)
    page = client.post(f"/runs/{run.pk}/pause", {"reason": "lunch"}, follow=True)
    run.refresh_from_db()
    assert (run.status, run.asked, run.asked_reason) == ("pausing", "pause", "lunch")
    assert "Pause asked for" in text(page)
    refused = client.post(f"/runs/{run.pk}/resume", follow=True)
    assert "The resume was not done." in text(refused)
    assert AuditEntry.objects.filter(data__action="run.pause").count() == 1


def test_a_reason_keeps_nothing_that_postgresql_cannot_store(olga: User, run: Run) -> None:
    assert signed_in(olga).post(f"/runs/{run.pk}/pause", {"reason": "lu\x00nch\x00"}).status_code == 302
    run.refresh_from_db()
    assert run.asked_reason == "lunch"


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "resolve"])
def test_a_verb_is_never_a_get(olga: User, run: Run, verb: str) -> None:
    assert signed_in(olga).get(f"/runs/{run.pk}/{verb}").status_code == 405


def test_an_unknown_verb_is_nothing(olga: User, run: Run) -> None:
    assert signed_in(olga).post(f"/runs/{run.pk}/explode").status_code == 404


def test_a_verb_needs_the_form_of_this_session(olga: User, run: Run) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(olga)
    assert client.post(f"/runs/{run.pk}/cancel").status_code == 403
    run.refresh_from_db()
    assert run.status == "running"


def test_only_who_may_decide_gets_the_form_for_it(olga: User, run: Run) -> None:
    become(run, "needs_operator", error={"message": "Unknown outcome.", "revision_id": "0001_step", "step": 1})
    assert "Record the decision" not in text(signed_in(olga).get(f"/runs/{run.pk}"))
    ann = signed_in(person("ann", ON_CALL))
    assert "Record the decision" in text(ann.get(f"/runs/{run.pk}"))
    refused = ann.post(f"/runs/{run.pk}/resolve", {"verdict": "done", "reason": "short"}, follow=True)
    assert "needs a reason" in text(refused)
    ann.post(f"/runs/{run.pk}/resolve", {"verdict": "done", "reason": "the index is there and valid"})
    run.refresh_from_db()
    assert run.status == "queued"


@pytest.mark.parametrize("verdict", ["done", "not_done"])
def test_a_lost_connection_is_nothing_to_judge(run: Run, verdict: str) -> None:
    become(run, "needs_operator", error={"code": "session_breaks", "message": "x", "revision_id": "0001_a", "step": 1})
    ann = signed_in(person("ann", ON_CALL))
    page = ann.get(f"/runs/{run.pk}")
    assert 'value="done"' not in page.content.decode()
    assert "A person decides whether to go on" in text(page)
    sent = {"verdict": verdict, "reason": "I looked and it is there"}
    told = text(ann.post(f"/runs/{run.pk}/resolve", sent, follow=True))
    assert "Nothing here is for a person to judge" in told
    run.refresh_from_db()
    assert (run.status, run.decision) == ("needs_operator", None)
    ann.post(f"/runs/{run.pk}/resolve", {**sent, "verdict": "abandon"})
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_the_holder_of_the_lock_is_told_by_name(olga: User, run: Run) -> None:
    blocker = {"pid": 4711, "application": "psql", "state": "idle in transaction", "transaction_age_s": 241.0}
    waiting = {"since": "2026-11-20T12:00:00+00:00", "sentence": "pid 4711 is in the way.", "blockers": [blocker]}
    become(run, "waiting_for_lock", waiting=waiting)
    page = text(signed_in(olga).get(f"/runs/{run.pk}"))
    assert "pid 4711 (psql) holds the lock" in page
    assert "transaction 4 min 1 s old at the last try" in page
    assert "The target or a table is held by somebody else" in page


def test_who_only_queues_ahead_is_not_said_to_hold_the_lock(olga: User, run: Run) -> None:
    queued = {"pid": 4712, "application": "report", "mode": "AccessShareLock", "relation": "a", "queued": True}
    holding = {"pid": 4713, "application": "psql", "mode": "AccessExclusiveLock", "relation": "a", "queued": False}
    waiting = {"since": "", "sentence": "x", "blockers": [queued, holding]}
    become(run, "waiting_for_lock", waiting=waiting)
    assert "pid 4713 (psql) holds the lock" in text(signed_in(olga).get(f"/runs/{run.pk}"))
    become(run, "waiting_for_lock", waiting={**waiting, "blockers": [queued]})
    page = text(signed_in(olga).get(f"/runs/{run.pk}"))
    assert "pid 4712 (report) waits ahead of it for the lock" in page
    assert "holds the lock" not in page


def test_a_wait_outside_a_transaction_is_told_as_what_it_is(olga: User, run: Run) -> None:
    blocker = {"pid": 4711, "application": "psql", "mode": None, "relation": None}
    become(run, "waiting_for_lock", waiting={"since": "", "sentence": "x", "blockers": [blocker], "windowed": False})
    page = text(signed_in(olga).get(f"/runs/{run.pk}"))
    assert "pid 4711 (psql) has an open transaction that must end first." in page
    assert "holds the lock" not in page
    assert "A statement outside a transaction waits for other sessions; the lock window does not end it" in page


def test_bars_follow_each_other_and_keep_waiting_apart_from_work(run: Run) -> None:
    run.phases = {
        "lock": {"state": "done", "wait_ms": 100, "work_ms": 100},
        "run": {"state": "active", "wait_ms": 300, "work_ms": 500},
    }
    run.started_at = run.created_at
    queue, lock, work, verify, *_ = bars(run)
    assert (queue.name, queue.wait, queue.work) == ("Queue", 0, 0)
    assert (lock.start, lock.wait, lock.work) == (0, 100, 100)
    assert (work.start, work.wait, work.work, work.state) == (200, 300, 500, "active")
    assert (verify.start, verify.wait, verify.work, verify.state) == (1000, 0, 0, "pending")
    run.status = "failed"
    assert bars(run)[2].state == "failed"
    assert bars(run)[3].state == "not_run"


def test_a_phase_not_come_to_says_whose_time_it_shows(run: Run) -> None:
    run.phases = {"verify": {"state": "pending", "wait_ms": 0, "work_ms": 4}}
    run.started_at = run.created_at
    assert [(bar.state, bar.detail) for bar in bars(run)[3:5]] == [("pending", "for earlier steps"), ("pending", "")]
    run.status = "failed"
    assert [(bar.state, bar.detail) for bar in bars(run)[3:5]] == [
        ("not_run", "for earlier steps"),
        ("not_run", "not run"),
    ]


def test_an_ended_run_shows_nothing_as_still_to_come(olga: User, run: Run) -> None:
    RunStep.objects.filter(run=run).update(status="pending")
    phases = {name: {"state": "pending", "wait_ms": 0, "work_ms": 0, "detail": ""} for name in PHASES}
    become(run, "paused", phases=phases)
    assert "Pending" in text(signed_in(olga).get(f"/runs/{run.pk}"))
    become(run, "cancelled")
    page = text(signed_in(olga).get(f"/runs/{run.pk}"))
    assert "Pending" not in page
    assert (page.count("Not run"), page.count("not run")) == (1, len(PHASES))
    assert [step.state for step in step_window(run).shown] == ["not_run"]
    RunStep.objects.filter(run=run).update(status="running")
    assert [step.state for step in step_window(run).shown] == ["cancelled"]


def test_a_paused_run_tells_what_was_asked_of_it(olga: User, run: Run) -> None:
    become(run, "pausing", asked="pause", asked_reason="lunch")
    assert "A pause was asked for: “lunch”. The worker looks between statements." in text(_page(olga, run))
    become(run, "paused")
    assert "Paused: “lunch”." in text(_page(olga, run))
    assert "The worker looks" not in text(_page(olga, run))
    become(run, "paused", asked="cancel", asked_reason="wrong table")
    page = _page(olga, run)
    assert "A cancel was asked for: “wrong table”, when the run was pausing already. It was not cancelled." in text(
        page
    )
    assert f"Cancel run {run.pk}" in text(page)
    assert actions.cancel(run, by=olga).status == "cancelled"


def test_what_was_cancelled_before_it_began_never_started(olga: User, run: Run) -> None:
    become(run, "queued", started_at=None, worker="")
    assert "Started not yet" in text(_page(olga, run))
    become(run, "cancelled")
    assert "Started never" in text(_page(olga, run))
    assert ">never</span>" in signed_in(olga).get("/runs").content.decode()


def _page(user: User, run: Run) -> Any:
    return signed_in(user).get(f"/runs/{run.pk}")
