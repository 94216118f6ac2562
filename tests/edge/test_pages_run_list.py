"""The list of runs: saved views, filters, both directions of paging, a quiet poll, and cancelling together."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_app.models import AuditEntry, Environment, Run, RunStep, Service, WorkerProcess
from migrations_app.permissions import ON_CALL, VIEWER
from migrations_app.runs.histogram import MOST, histogram
from migrations_app.runs.listing import RunFilter, page_of_runs
from tests.browser.client import signed_in, text
from tests.edge.fleet import make_environment, make_run
from tests.edge.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def prod(service: Service) -> Environment:
    return make_environment(service, "prod-eu", "prod", order=9)


@pytest.fixture
def dev(service: Service) -> Environment:
    return make_environment(service, "dev", "dev", order=0)


def listed(page: object) -> list[int]:
    return [int(pk) for pk in re.findall(r'<tr id="run-(\d+)"', page.content.decode())]  # type: ignore[attr-defined]


def queued(service: Service, by: User, count: int) -> list[Run]:
    return [make_run(make_environment(service, f"q{n}", "dev", order=n), by, status="queued") for n in range(count)]


def test_each_filter_is_in_the_address_and_narrows(
    client: Client, olga: User, prod: Environment, dev: Environment
) -> None:
    ann = person("ann", ON_CALL)
    mine = make_run(prod, olga, status="failed")
    hers = make_run(dev, ann, status="succeeded")
    RunStep.objects.filter(run=hers).update(revision_id="0042_add_idx")
    Run.objects.filter(pk=hers.pk).update(created_at=timezone.now() - timedelta(days=3), direction="down")
    for query, expected in (
        ("", [hers.pk, mine.pk]),
        ("by=olga", [mine.pk]),
        ("status=succeeded", [hers.pk]),
        ("view=failed", [mine.pk]),
        ("direction=down", [hers.pk]),
        ("time=24h", [mine.pk]),
        ("revision=0042", [hers.pk]),
        ("revision=004_", []),
        ("production=1", [mine.pk]),
        ("production=1&time=24h", [mine.pk]),
        ("service=orders&environment=dev", [hers.pk]),
        ("since=2020-01-01T00:00:00Z&until=2020-01-02", []),
    ):
        assert listed(client.get(f"/runs?{query}")) == expected, query


def test_stuck_means_a_lease_that_was_not_renewed_for_thirty_seconds(
    client: Client, olga: User, prod: Environment, dev: Environment
) -> None:
    now = timezone.now()
    stuck = make_run(prod, olga, status="running", beat_at=now - timedelta(seconds=31), worker="w:1")
    make_run(dev, olga, status="running", beat_at=now - timedelta(seconds=20), worker="w:2")
    assert listed(client.get("/runs?view=stuck")) == [stuck.pk]


def test_awaiting_means_that_nothing_moves_without_a_person(
    client: Client, olga: User, prod: Environment, dev: Environment
) -> None:
    paused = make_run(prod, olga, status="paused")
    make_run(dev, olga, status="failed")
    assert listed(client.get("/runs?view=awaiting")) == [paused.pk]


def test_a_saved_view_is_a_link_that_keeps_the_place_and_knows_itself(client: Client, prod: Environment) -> None:
    page = client.get("/runs?service=orders&production=1&time=24h").content.decode()
    assert re.search(
        r'href="/runs\?service=orders&amp;production=1&amp;time=24h" aria-current="page">production, 24 h', page
    )
    assert 'href="/runs?service=orders&amp;by=olga"' in page


def test_pages_go_both_ways_and_come_back(client: Client, olga: User, prod: Environment) -> None:
    runs = [make_run(prod, olga, status="succeeded").pk for _ in range(7)][::-1]
    first = page_of_runs(olga, RunFilter(), window=3)
    assert ([row.id for row in first.rows], first.newer, first.older) == (runs[:3], None, runs[2])
    second = page_of_runs(olga, RunFilter(before=first.older), window=3)
    assert ([row.id for row in second.rows], second.newer, second.older) == (runs[3:6], runs[3], runs[5])
    last = page_of_runs(olga, RunFilter(before=second.older), window=3)
    assert ([row.id for row in last.rows], last.older) == (runs[6:], None)
    back = page_of_runs(olga, RunFilter(after=last.newer), window=3)
    assert ([row.id for row in back.rows], back.newer, back.older) == (runs[3:6], runs[3], runs[5])
    front = page_of_runs(olga, RunFilter(after=back.newer), window=3)
    assert ([row.id for row in front.rows], front.newer) == (runs[:3], None)


@pytest.mark.parametrize(
    "query",
    [
        "before=x", "before=-1", "before=99999999999999999999", "after=1e3", "view=everything", "status=%27",
        "direction=sideways", "time=1y", "since=yesterday", "until=2026-13-01T00:00:00Z", "since=0001-01-01T00:00:00Z",
        "direction=%00", "status=failed%00", "time=%00", "since=%00", "before=%00",
    ],
)  # fmt: skip
def test_a_spoilt_address_is_answered_with_a_sentence(client: Client, query: str) -> None:
    for page in ("/runs", "/runs/histogram", "/runs/live"):
        answer = client.get(f"{page}?{query}")
        assert answer.status_code == 400, page
        assert "Nothing was looked up." in text(answer)


@pytest.mark.parametrize("query", ["service=%00", "by=%27%22%3E", "revision=%25", "mine=%27", "service=" + "x" * 500])
def test_odd_words_find_nothing_and_break_nothing(client: Client, query: str) -> None:
    assert client.get(f"/runs?{query}").status_code == 200


def test_the_filter_that_hides_all_is_named(client: Client, olga: User, prod: Environment) -> None:
    make_run(prod, olga, status="succeeded")
    page = text(client.get("/runs?environment=prod-eu&status=failed"))
    assert "One filter hides all of them" in page
    assert "Without “failed”" in page
    assert "Without “environment" not in page
    assert "no single part of it hides them all" in text(client.get("/runs?by=ann&status=failed"))


def test_a_row_shows_progress_lease_and_who(client: Client, olga: User, prod: Environment) -> None:
    now = timezone.now()
    run = make_run(prod, olga, status="running", attempt=2, worker="host:77", beat_at=now, started_at=now)
    Run.objects.filter(pk=run.pk).update(steps_done=37, steps_total=120)
    page = client.get("/runs")
    assert "37/120 · 30 %" in text(page)
    assert 'aria-valuetext="37 of 120 steps"' in page.content.decode()
    assert "host:77" in text(page)
    Run.objects.filter(pk=run.pk).update(beat_at=now - timedelta(seconds=12))
    assert "Lost heartbeat" in text(client.get("/runs"))


def test_names_are_escaped(client: Client, olga: User, prod: Environment) -> None:
    make_run(prod, person("<b>ann"), worker="<i>host", attempt=1)
    page = client.get("/runs?by=%3Cb%3Eann").content.decode()
    assert "<b>ann" not in page
    assert "<i>host" not in page
    assert "&lt;i&gt;host" in page


@pytest.mark.parametrize("alive", [True, False])
def test_it_says_when_redis_is_away_or_no_worker_is_there(client: Client, alive: bool) -> None:
    beat = timezone.now() - timedelta(seconds=0 if alive else 90)
    WorkerProcess.objects.create(name="w", started_at=beat, beat_at=beat, redis_ok=False)
    page = text(client.get("/runs"))
    assert ("Redis is away: runs still start, up to 5 s late." in page) == alive
    assert ("No worker is at work; the last one was heard of" in page) != alive


def test_a_poll_is_304_in_few_questions_until_something_changes(
    client: Client, olga: User, prod: Environment, dev: Environment
) -> None:
    run = make_run(prod, olga)
    address = f"/runs/live?shown={run.pk}&than={run.pk}"
    first = client.get(address)
    assert listed(first) == [run.pk]
    assert 'class="newer"' not in first.content.decode()
    seen = {"If-None-Match": first["ETag"]}
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, headers=seen).status_code == 304
    assert len(queries) <= 4, [query["sql"] for query in queries]
    newer = make_run(dev, olga, status="failed")
    again = client.get(address, headers=seen)
    assert "1 new" in text(again)
    assert listed(again) == [run.pk]
    assert newer.pk not in listed(again)
    seen = {"If-None-Match": again["ETag"]}
    Run.objects.filter(pk=run.pk).update(version=9)
    assert client.get(address, headers=seen).status_code == 200


@pytest.mark.parametrize("shown", ["x", "1..2", "1,2", ".".join(["1"] * 101), "9" * 30])
def test_a_spoilt_poll_is_answered_with_a_sentence(client: Client, shown: str) -> None:
    assert client.get(f"/runs/live?shown={shown}").status_code == 400


def test_the_questions_are_few_and_as_many_for_many_runs(client: Client, olga: User, prod: Environment) -> None:
    def asked(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    make_run(prod, olga, status="succeeded")
    pages = ("/runs", "/runs?status=succeeded&environment=prod-eu&revision=0001", "/runs/histogram")
    few = [asked(page) for page in pages]
    for _ in range(60):
        make_run(prod, olga, status="succeeded")
    assert [asked(page) for page in pages] == few
    assert max(few) <= 9


def test_the_histogram_counts_every_run_in_one_question(
    client: Client, olga: User, prod: Environment, dev: Environment
) -> None:
    for _ in range(3):
        make_run(prod, olga, status="succeeded")
    make_run(prod, olga, status="failed")
    make_run(dev, olga)
    Run.objects.filter(pk=make_run(prod, olga, status="succeeded").pk).update(
        created_at=timezone.now() - timedelta(days=9)
    )
    with CaptureQueriesContext(connection) as queries:
        chart = histogram(olga, RunFilter())
    assert len(queries) == 1
    assert (chart.total, chart.bad, len(chart.buckets) <= MOST + 1) == (5, 1, True)
    page = client.get("/runs/histogram")
    assert "Five runs requested between" in text(page)
    assert "1 of them failed or undecided" in text(page)
    assert "<rect" in page.content.decode()
    for since in (timedelta(minutes=1), timedelta(days=4000)):
        wide = histogram(olga, RunFilter(since=timezone.now() - since))
        assert 1 <= len(wide.buckets) <= MOST + 1


def test_without_javascript_the_histogram_is_a_link_away(client: Client, olga: User, prod: Environment) -> None:
    make_run(prod, olga, status="succeeded")
    assert 'href="/runs?chart=1#over-time"' in client.get("/runs").content.decode()
    assert 'class="histogram"' in client.get("/runs?chart=1").content.decode()


def test_queued_runs_are_cancelled_together_with_their_count_typed(
    client: Client, olga: User, service: Service
) -> None:
    runs = queued(service, olga, 3)
    address = "/runs/cancel?" + "&".join(f"run={run.pk}" for run in runs)
    page = client.get(address)
    assert "Cancel three queued runs?" in text(page)
    form = {"run": [run.pk for run in runs], "typed": "cancel 2", "reason": "wrong plan"}
    wrong = client.post("/runs/cancel", form)
    assert wrong.status_code == 422
    assert "“cancel 2” was typed, not “cancel 3”. Nothing was cancelled." in text(wrong)
    assert 'value="wrong plan"' in wrong.content.decode()
    done = client.post("/runs/cancel", form | {"typed": "cancel 3"}, follow=True)
    assert "Cancelled 3 queued runs." in text(done)
    assert set(Run.objects.values_list("status", flat=True)) == {"cancelled"}
    assert AuditEntry.objects.filter(data__action="run.cancel").count() == 3


def test_a_run_that_started_meanwhile_is_left_alone_and_named(client: Client, olga: User, service: Service) -> None:
    first, second = queued(service, olga, 2)
    Run.objects.filter(pk=first.pk).update(status="running")
    form = {"run": [first.pk, second.pk]}
    page = client.get("/runs/cancel", form)
    assert "Cancel one queued run?" in text(page)
    assert f"run {first.pk}" in text(page)
    done = client.post("/runs/cancel", form | {"typed": "cancel 1"}, follow=True)
    assert "Cancelled 1 queued run. 1 had started meanwhile and was left alone." in text(done)
    assert sorted(Run.objects.values_list("status", flat=True)) == ["cancelled", "running"]


def test_only_who_controls_runs_may_pick_them(client: Client, olga: User, service: Service) -> None:
    (run,) = queued(service, olga, 1)
    assert "data-pick" in client.get("/runs").content.decode()
    vic = signed_in(person("vic", VIEWER))
    assert "data-pick" not in vic.get("/runs").content.decode()
    assert vic.post("/runs/cancel", {"run": run.pk, "typed": "cancel 1"}).status_code == 403


@pytest.mark.parametrize("run", ["x", "1.2", "-1", "9" * 30])
def test_a_spoilt_pick_is_answered_with_a_sentence(client: Client, run: str) -> None:
    assert client.get(f"/runs/cancel?run={run}").status_code == 400
    assert client.post("/runs/cancel", {"run": run, "typed": "cancel 1"}).status_code == 400
