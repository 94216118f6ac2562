"""A run's log: windows, levels, words, ranges, and nothing in it that only a terminal understands."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.banners import HEADER
from migrations_app.models import Run, RunLogLine, RunStep, WorkerProcess
from migrations_app.runs.loglines import WINDOW, LogQuery, plain, read_log
from tests.browser.client import text
from tests.edge.fleet import make_environment, make_log, make_run

pytestmark = pytest.mark.django_db


def say(run: Run, seq: int, message: str, level: str = "info", step: int | None = 1) -> None:
    RunLogLine.objects.create(
        run=run, seq=seq, at=timezone.now(), level=level, revision_id="0001_step", step=step, message=message
    )


def test_levels_are_looked_for_and_stay_in_the_address(client: Client, run: Run) -> None:
    for seq, level in enumerate(("info", "warning", "error"), 1):
        say(run, seq, f"a {level} line", level)
    page = client.get(f"/runs/{run.pk}/log?level=warning&level=error")
    assert "a warning line" in text(page)
    assert "an error" not in text(page) and "a error line" in text(page)
    assert "a info line" not in text(page)
    assert f"/runs/{run.pk}/log/tail?level=warning&amp;level=error&amp;after=3" in page.content.decode()
    assert f'href="/runs/{run.pk}?level=error#log-title"' in client.get(f"/runs/{run.pk}").content.decode()
    assert "a info line" not in text(client.get(f"/runs/{run.pk}?level=error"))


def test_words_are_found_marked_and_escaped(client: Client, run: Run) -> None:
    make_log(run, "waits for <b>lock</b>", "100%_done", "another")
    page = client.get(f"/runs/{run.pk}/log?q=LOCK").content.decode()
    assert "&lt;b&gt;<mark>lock</mark>&lt;/b&gt;" in page
    assert "another</span>" not in page
    page = client.get(f"/runs/{run.pk}/log?q=%25_").content.decode()
    assert "100<mark>%_</mark>done" in page
    assert "another</span>" not in page


def test_a_window_goes_to_the_end_and_back(run: Run) -> None:
    make_log(run, *(f"line {n}" for n in range(1, 11)))
    end = read_log(run, LogQuery(), 3)
    assert ([line.seq for line in end.lines], end.earlier, end.more, end.after) == ([8, 9, 10], True, False, 10)
    before = read_log(run, LogQuery(before=8), 3)
    assert ([line.seq for line in before.lines], before.earlier, before.more) == ([5, 6, 7], True, True)
    after = read_log(run, LogQuery(after=4), 3)
    assert ([line.seq for line in after.lines], after.earlier, after.more) == ([5, 6, 7], True, True)
    first = read_log(run, LogQuery(before=2), 3)
    assert ([line.seq for line in first.lines], first.earlier) == ([1], False)


def test_a_page_holds_two_thousand_lines_and_leads_to_the_others(client: Client, run: Run) -> None:
    make_log(run, *("x" for _ in range(WINDOW + 30)))
    page = client.get(f"/runs/{run.pk}/log").content.decode()
    assert page.count('<li id="L') == WINDOW
    assert f'href="/runs/{run.pk}/log?before=31"' in page
    assert client.get(f"/runs/{run.pk}/log?before=31").content.decode().count('<li id="L') == 30


def test_a_range_has_an_address_of_its_own(client: Client, run: Run) -> None:
    make_log(run, *(f"line {n}" for n in range(1, 601)))
    page = client.get(f"/runs/{run.pk}/log?lines=420-422").content.decode()
    assert page.count(" picked") == 3
    assert '<li id="L420" class="info picked"' in page
    assert 'id="L220"' in page
    assert 'id="L219"' not in page


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=-1",
        "before=%27",
        "lines=9-1",
        "lines=0",
        "lines=1-",
        "lines=a-b",
        "level=loud",
        "lines=%D9%A1",
        "lines=%2B1",
        "lines=%201",
        "lines=1%00",
        "lines=1%20",
        "after=%00",
    ],
)
def test_a_spoilt_place_is_answered_with_a_sentence(client: Client, run: Run, query: str) -> None:
    for page in ("log", "log/tail"):
        answer = client.get(f"/runs/{run.pk}/{page}?{query}")
        assert answer.status_code == 400
        assert "Nothing was looked up." in text(answer)
    if "after" not in query and "before" not in query:
        assert client.get(f"/runs/{run.pk}?{query}").status_code == 400


def test_what_only_a_terminal_understands_is_taken_out(client: Client, run: Run) -> None:
    say(run, 1, "\x1b[31;1mred\x1b[0m \x1b]0;title\x07plain\x1b[2K\x08!\ttab")
    assert "red plain!" in text(client.get(f"/runs/{run.pk}/log"))
    raw = b"".join(client.get(f"/runs/{run.pk}/log.txt").streaming_content)  # type: ignore[attr-defined]
    assert b"\x1b" not in raw
    assert raw.decode().rstrip().endswith("red plain!\ttab")
    assert plain("Zürich → naïve\nsecond line") == "Zürich → naïve\nsecond line"
    assert plain("unfinished \x1b[31") == "unfinished [31" or "\x1b" not in plain("unfinished \x1b[31")


def test_lines_stand_under_their_step_and_a_failed_one_is_never_folded(client: Client, run: Run) -> None:
    RunStep.objects.filter(run=run).update(status="failed")
    make_log(run, "one", "two")
    say(run, 3, "three", step=2)
    page = client.get(f"/runs/{run.pk}/log").content.decode()
    assert page.count('<li class="part"') == 2
    assert 'data-part="0001_step, step 1" data-failed' in page
    assert 'data-part="0001_step, step 2"><span>' in page


def test_the_log_is_not_read_aloud_by_itself(client: Client, run: Run) -> None:
    assert 'role="log" aria-live="off"' in client.get(f"/runs/{run.pk}").content.decode()


def test_an_empty_log_says_what_it_waits_for(client: Client, run: Run, olga: User) -> None:
    ahead = make_run(make_environment(run.service, "first", order=4), olga, status="queued")
    Run.objects.filter(pk=run.pk).update(status="succeeded")
    mine = make_run(run.environment, olga, status="queued")
    page = text(client.get(f"/runs/{mine.pk}"))
    assert "position 2, no worker is at work" in page
    WorkerProcess.objects.create(name="w", started_at=timezone.now(), beat_at=timezone.now())
    assert f"position 2, behind run {ahead.pk}." in text(client.get(f"/runs/{mine.pk}"))
    assert "This run wrote nothing." in text(client.get(f"/runs/{run.pk}/log"))


def test_no_line_for_a_filter_is_told_with_the_way_out(client: Client, run: Run) -> None:
    make_log(run, "one")
    Run.objects.filter(pk=run.pk).update(status="succeeded")
    page = client.get(f"/runs/{run.pk}/log?level=error")
    assert "No line fits." in text(page)
    assert f'href="/runs/{run.pk}/log">All lines' in page.content.decode()


def test_a_poll_asks_as_little_for_a_long_log(client: Client, run: Run) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/runs/{run.pk}/log/tail?after=5000").status_code == 204
        return len(queries)

    few = asked()
    make_log(run, *("x" for _ in range(3000)))
    assert asked() == few <= 5


def test_the_tail_of_the_whole_log_brings_its_head_and_tells_what_polls_tell(client: Client, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(status="queued")
    page = client.get(f"/runs/{run.pk}/log")
    assert "Queued · 0 lines" in text(page)
    assert f"/runs/{run.pk}/log/tail?after=0&amp;head=queued.0" in page.content.decode()
    still = client.get(f"/runs/{run.pk}/log/tail?after=0&head=queued.0")
    assert (still.status_code, HEADER in still) == (204, True)
    Run.objects.filter(pk=run.pk).update(status="running")
    moved = client.get(f"/runs/{run.pk}/log/tail?after=0&head=queued.0")
    assert 'data-announce="running" hx-swap-oob="true"' in moved.content.decode()
    assert "after=0&amp;head=running.0" in moved.content.decode()
    make_log(run, "one", "two")
    Run.objects.filter(pk=run.pk).update(status="succeeded", log_seq=2, finished_at=timezone.now())
    end = client.get(f"/runs/{run.pk}/log/tail?after=0&head=running.0")
    assert text(end).endswith("Succeeded · 2 lines")
    assert "hx-get" not in end.content.decode()
    assert still[HEADER] != end[HEADER], "the count of open runs is another"


def test_the_tail_of_a_runs_own_page_brings_lines_alone(client: Client, run: Run) -> None:
    make_log(run, "one")
    tail = client.get(f"/runs/{run.pk}/log/tail?after=0")
    assert "log-head" not in tail.content.decode() and HEADER not in tail
