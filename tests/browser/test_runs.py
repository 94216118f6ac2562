"""Runs in a real browser: what changes by itself, what never moves under its reader, and what rests."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import expect

from migrations_app.fleet.revisions import put_revision
from migrations_app.models import Environment, Run, RunLogLine, SchemaDrift
from migrations_app.runs.loglines import WINDOW
from tests.browser.axe import grave
from tests.browser.conftest import Reading
from tests.browser.fleet import Fleet, make_fleet
from tests.browser.polls import hide, silent_for, wake
from tests.edge.fleet import make_environment, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def say(run: Run, first: int, count: int = 1, level: str = "info") -> None:
    RunLogLine.objects.bulk_create(
        RunLogLine(
            run=run, seq=seq, at=timezone.now(), level=level, revision_id="0001_step", step=1, message=f"line {seq}"
        )
        for seq in range(first, first + count)
    )
    Run.objects.filter(pk=run.pk).update(log_seq=first + count - 1, version=F("version") + 1)


def test_a_new_run_waits_behind_a_pill_in_the_list_and_shows_each_of_its_states(reading: Reading) -> None:
    fleet = make_fleet()
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded")
    fleet.rehearsal.parts.all().delete()  # its locks are forecast to be held for too long
    starter, watcher = reading(fleet.olga).open("/services/orders/environments/dev"), reading(fleet.olga)
    list_page = reading(fleet.olga).open("/runs")
    starter.get_by_role("button", name=re.compile("^Apply one revision")).click()
    starter.wait_for_url("**/runs/*")
    run = Run.objects.latest("pk")
    expect(list_page.locator(".newer")).to_contain_text("1 new", timeout=8000)
    expect(list_page.locator(f"#run-{run.pk}")).to_have_count(0)
    page = watcher.open(f"/runs/{run.pk}")
    words = {"claimed": "Connecting", "running": "Running", "verifying": "Verifying", "succeeded": "Succeeded"}
    for step, (status, word) in enumerate(words.items()):
        beat = {"beat_at": timezone.now(), "started_at": timezone.now()}
        with transaction.atomic():  # a page that saw the end asks for no more lines
            Run.objects.filter(pk=run.pk).update(status=status, version=F("version") + 1, **beat)
            say(run, step + 1)
        expect(page.locator("#verdict .chip")).to_have_text(word, timeout=10_000)
        expect(page.locator(f"#L{step + 1}")).to_be_visible(timeout=10_000)
    assert watcher.complaints == []


def test_a_log_that_was_scrolled_up_does_not_move_and_tells_how_many_lines_came(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}")
    log = page.locator("#log")
    expect(page.locator("[data-following]")).to_contain_text("following")
    log.evaluate("e => { e.scrollTop = 40; }")
    expect(page.locator("[data-following]")).to_contain_text("scrolled up, not following")
    before = log.evaluate("e => e.scrollTop"), page.evaluate("scrollY")
    say(fleet.running, 41, 3)
    pill = page.locator("[data-newlines]")
    expect(pill).to_have_text("3 new lines", timeout=5000)
    assert (log.evaluate("e => e.scrollTop"), page.evaluate("scrollY")) == before
    pill.click()
    expect(pill).to_be_hidden()
    expect(page.locator("#L43")).to_be_in_viewport()
    say(fleet.running, 44)
    expect(page.locator("#L44")).to_be_in_viewport(timeout=5000)


def test_what_grows_above_a_log_does_not_move_the_line_that_is_read(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}")
    page.set_viewport_size({"width": 1440, "height": 700})
    page.locator("#log").evaluate("e => { e.scrollIntoView({block: 'center'}); e.scrollTop = 40; }")
    expect(page.locator("[data-following]")).to_contain_text("scrolled up, not following")
    top = "document.getElementById('L5').getBoundingClientRect().top"
    before = page.evaluate(top)
    error = {"code": "crashed", "message": "It failed. " * 40, "not_done": "", "next_step": "Look."}
    Run.objects.filter(pk=fleet.running.pk).update(status="failed", error=error, version=F("version") + 1)
    expect(page.locator("#live > .notice.bad")).to_contain_text("It failed.", timeout=5000)
    assert abs(page.evaluate(top) - before) < 2


@pytest.mark.parametrize("width", [1440, 1200, 700, 320])
def test_whoever_scrolls_up_in_the_whole_log_sees_it_move_by_no_more(reading: Reading, width: int) -> None:
    fleet = make_fleet()
    say(fleet.running, 41, 100)
    page = reading(fleet.olga, width=width).open(f"/runs/{fleet.running.pk}/log")
    expect(page.locator("[data-following]")).to_contain_text("following")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    top = "document.getElementById('L100').getBoundingClientRect().top"
    before = page.evaluate(top)
    page.evaluate("scrollBy(0, -500)")
    expect(page.locator("[data-follow]")).to_be_visible()
    assert abs(page.evaluate(top) - before - 500) < 2


def test_polling_rests_in_a_hidden_tab_and_ends_with_the_run(reading: Reading) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga)
    reader.page.clock.install()
    page = reader.open(f"/runs/{fleet.running.pk}")
    with page.expect_response("**/live?**"):
        pass
    hide(page)
    silent_for(page, fleet.running)
    with page.expect_response("**/live?**"):
        wake(page)
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded", steps_done=1, version=F("version") + 1)
    expect(page.locator("[data-poll]")).to_have_count(0, timeout=6000)
    silent_for(page, fleet.running)


def test_the_head_of_the_whole_log_and_the_count_of_open_runs_follow_its_tail(reading: Reading) -> None:
    fleet = make_fleet()
    Run.objects.exclude(pk=fleet.running.pk).delete()
    RunLogLine.objects.all().delete()
    Run.objects.update(status="queued", started_at=None, version=F("version") + 1)
    reader = reading(fleet.olga)
    page = reader.open(f"/runs/{fleet.running.pk}/log")
    head = page.locator(".lead p")
    expect(head).to_have_text("Queued · 0 lines")
    Run.objects.update(status="running", version=F("version") + 1)
    expect(head).to_have_text("Running · 0 lines", timeout=5000)
    say(fleet.running, 1, 3)
    expect(head).to_have_text("Running · 3 lines, 1 to 3 here", timeout=5000)
    Run.objects.update(status="succeeded", finished_at=timezone.now(), version=F("version") + 1)
    expect(head).to_have_text("Succeeded · 3 lines, 1 to 3 here", timeout=5000)
    expect(page.locator("[data-announcer]")).to_have_text("Succeeded · 3 lines")
    expect(page.locator("[data-open-runs]")).to_have_text(["", ""], timeout=5000)
    expect(page.locator("[data-tail]")).to_have_count(0)
    assert reader.complaints == []


def test_the_head_follows_where_the_page_is_full_and_its_reader_far_from_the_end(reading: Reading) -> None:
    fleet = make_fleet()
    RunLogLine.objects.all().delete()
    say(fleet.running, 1, WINDOW)
    reader = reading(fleet.olga)
    reader.page.clock.install()
    page = reader.open(f"/runs/{fleet.running.pk}/log")
    say(fleet.running, WINDOW + 1, 2)
    head = page.locator(".lead p")
    expect(head).to_have_text("Running · 2002 lines, 1 to 2000 here", timeout=8000)
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded", version=F("version") + 1)
    expect(head).to_have_text("Succeeded · 2002 lines, 1 to 2000 here", timeout=8000)
    silent_for(page, fleet.running)
    page.locator("[data-follow]").click()
    expect(page.locator("#L2002")).to_be_in_viewport(timeout=8000)
    expect(head).to_have_text("Succeeded · 2002 lines, 3 to 2002 here")
    assert reader.complaints == []


def test_a_lost_connection_says_as_of_when_and_recovers(reading: Reading) -> None:
    fleet = make_fleet()
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}")
    with page.expect_response("**/live?**"):
        pass
    page.route("**/runs/*/**", lambda route: route.abort())
    lost = page.locator("[data-log-lost]")
    expect(lost).to_have_text(
        re.compile(r"Connection lost: lines as of \d\d:\d\d:\d\d UTC\. Trying again\."), timeout=6000
    )
    expect(page.locator("[data-asof]")).to_contain_text("stale since")
    say(fleet.running, 9001, 2)  # what brings lines takes the place of what asked for them
    page.unroute("**/runs/*/**")
    expect(lost).to_be_hidden(timeout=6000)
    expect(page.locator("html.stale")).to_have_count(0, timeout=6000)


def test_a_range_of_lines_is_picked_by_shift_and_kept_in_the_address(reading: Reading) -> None:
    fleet = make_fleet()
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded")
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}/log")
    page.locator("#L12 > a").click()
    page.locator("#L15 > a").click(modifiers=["Shift"])
    expect(page.locator("#log li.picked")).to_have_count(4)
    assert page.url.endswith("/log#L12-L15")
    page.goto(page.url.replace("/log#", f"/log?level=info&x={fleet.running.pk}#"))
    expect(page.locator("#log li.picked")).to_have_count(4)
    page.goto(page.url.split("/log")[0] + "#L30-L31")
    expect(page.locator("#log li.picked")).to_have_count(2)


def test_a_line_that_the_window_does_not_hold_is_looked_for_in_the_whole_log(reading: Reading) -> None:
    fleet = make_fleet()
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded")
    say(fleet.running, 41, 400)
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}#L7-L9")
    page.wait_for_url("**/log?lines=7-9#L7-L9")
    expect(page.locator("#log li.picked")).to_have_count(3)
    expect(page.locator("#L7")).to_be_in_viewport()


def test_a_line_that_the_filter_hides_with_all_others_is_looked_for_too(reading: Reading) -> None:
    fleet = make_fleet()
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded")
    RunLogLine.objects.filter(run=fleet.running).update(level="info")
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}/log?level=error#L5")
    page.wait_for_url("**/log?lines=5-5#L5")
    expect(page.locator("#log li.picked")).to_have_count(1)


def test_steps_are_folded_but_never_one_with_an_error(reading: Reading) -> None:
    fleet = make_fleet()
    Run.objects.filter(pk=fleet.running.pk).update(status="failed")
    RunLogLine.objects.create(
        run=fleet.running, seq=41, at=timezone.now(), level="error", revision_id="0002_bad", step=1, message="no"
    )
    page = reading(fleet.olga).open(f"/runs/{fleet.running.pk}/log")
    page.locator("[data-fold]").click()
    expect(page.locator("#L1")).to_be_hidden()
    expect(page.locator("#L41")).to_be_visible()
    expect(page.locator(".part button").first).to_contain_text("40 lines folded")
    assert "fold=1" in page.url
    page.locator(".part button").first.click()
    expect(page.locator("#L1")).to_be_visible()


def test_after_back_the_filter_shows_what_is_in_force(reading: Reading) -> None:
    page = reading(make_fleet().olga).open("/runs")
    status = page.get_by_label("Status")
    status.select_option("failed")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**/runs?*status=failed*")
    page.go_back()
    expect(status).to_have_value("")
    page.go_forward()
    expect(status).to_have_value("failed")
    # As a browser that kept the page as it was left tells it.
    status.select_option("queued")
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(status).to_have_value("failed")


def test_rows_change_in_place_and_leave_focus_and_ticks_alone(reading: Reading) -> None:
    fleet = make_fleet()
    runs = [make_run(make_environment(fleet.service, f"q{n}", "dev"), fleet.olga, status="queued") for n in range(3)]
    page = reading(fleet.olga).open("/runs")
    for run in runs:
        page.locator(f"#run-{run.pk} [data-pick]").check()
    expect(page.locator("[data-picked]")).to_have_text("3 selected.")
    page.locator(f"#run-{fleet.running.pk} a").first.focus()
    Run.objects.filter(pk=fleet.running.pk).update(steps_done=1, status="succeeded", version=F("version") + 1)
    Run.objects.filter(pk=runs[0].pk).update(status="claimed", beat_at=timezone.now(), version=F("version") + 1)
    expect(page.locator(f"#run-{fleet.running.pk} .state")).to_have_text("Succeeded", timeout=8000)
    expect(page.locator(f"#run-{fleet.running.pk} a").first).to_be_focused()
    expect(page.locator("[data-picked]")).to_have_text("2 selected.")
    page.get_by_role("button", name="Cancel the selected").click()
    expect(page.locator("h1")).to_have_text("Cancel two queued runs?")


@pytest.mark.parametrize(("width", "height"), [(320, 700), (800, 400)])
def test_nothing_in_the_log_has_the_focus_under_the_bar(reading: Reading, width: int, height: int) -> None:
    fleet = make_fleet()
    Run.objects.filter(pk=fleet.running.pk).update(status="succeeded")
    reader = reading(fleet.olga, width=width)
    reader.page.set_viewport_size({"width": width, "height": height})
    page = reader.open(f"/runs/{fleet.running.pk}/log")
    for key in (*["Tab"] * 26, *["Shift+Tab"] * 10):
        page.keyboard.press(key)
        below = """() => document.activeElement.closest('.bar, .skip') ? 0
          : document.activeElement.getBoundingClientRect().top - document.querySelector('.bar').offsetHeight"""
        assert page.evaluate(below) >= 0, page.evaluate("document.activeElement.outerHTML")[:120]


def test_keys_pick_rows_and_cancel_them(reading: Reading) -> None:
    fleet = make_fleet()
    make_run(make_environment(fleet.service, "q", "dev"), fleet.olga, status="queued")
    page = reading(fleet.olga).open("/runs")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-picked]")).to_have_text("1 selected.")
    expect(page.locator("[data-announcer]")).to_be_empty()
    page.keyboard.press("c")
    expect(page.locator("h1")).to_have_text("Cancel one queued run?")


@pytest.mark.parametrize("width", [1440, 320])
def test_without_javascript_runs_are_filtered_and_cancelled_together(reading: Reading, width: int) -> None:
    fleet = make_fleet()
    make_run(make_environment(fleet.service, "q", "dev"), fleet.olga, status="queued")
    page = reading(fleet.olga, width=width, javascript=False).open("/runs")
    page.get_by_label("Status").select_option("queued")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("[data-rows] > tr")).to_have_count(1)
    page.locator("[data-pick]").check()
    page.get_by_role("button", name="Cancel the selected").click()
    page.locator("#typed").fill("cancel 1")
    page.get_by_role("button", name="Cancel one queued run").click()
    expect(page.locator("main [role=status]").first).to_contain_text("Cancelled 1 queued run.")


@pytest.mark.parametrize("javascript", [True, False])
def test_what_cannot_be_undone_on_production_is_typed(reading: Reading, javascript: bool) -> None:
    fleet = make_fleet()
    put_revision(service=fleet.service, revision_id="0004_gone", up="DROP TABLE orders;", by=fleet.olga)
    Run.objects.filter(pk=fleet.waiting.pk).update(status="failed")
    Environment.objects.filter(name="prod-eu").update(reconcile_note="", differs_from=None)
    SchemaDrift.objects.all().delete()
    page = reading(fleet.olga, javascript=javascript).open("/services/orders/environments/prod-eu")
    page.get_by_role("link", name=re.compile("^Apply two revisions")).click()
    expect(page.locator("#typed")).to_be_visible()
    page.locator("#typed").fill("prod-eu")
    page.locator("#run_reason").fill("agreed with the team")
    page.get_by_role("button", name=re.compile("^Apply two revisions")).click()
    page.wait_for_url("**/runs/*")
    assert Run.objects.latest("pk").reason == "agreed with the team"


def states(fleet: Fleet) -> list[str]:
    """Addresses of a run in each state that looks different, with everything that its page can hold."""
    now = timezone.now()
    lost = make_run(make_environment(fleet.service, "lost", "dev"), fleet.olga, status="running", worker="host:7")
    Run.objects.filter(pk=lost.pk).update(beat_at=now - timedelta(seconds=12), started_at=now - timedelta(minutes=2))
    queued = [make_run(make_environment(fleet.service, f"q{n}", "dev"), fleet.olga, status="queued") for n in range(2)]
    done = make_run(make_environment(fleet.service, "done", "dev"), fleet.olga, status="succeeded", finished_at=now)
    runs = [lost, *queued, done, fleet.running, fleet.waiting, fleet.failed, fleet.undecided]
    say(fleet.running, 41, 3, "warning")
    say(fleet.failed, 1, 3, "error")
    return [
        *(f"/runs/{run.pk}" for run in runs),
        f"/runs/{fleet.running.pk}/log?level=warning&q=line",
        "/runs",
        "/runs?view=stuck",
        "/runs?chart=1",
        f"/runs/cancel?run={queued[0].pk}&run={queued[1].pk}&run={done.pk}",
        "/services/orders/environments/prod-eu",
    ]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (320, "light"), (320, "dark")])
def test_every_state_fits_and_nothing_complains(reading: Reading, width: int, theme: str) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga, width=width, theme=theme)
    for path in states(fleet):
        page = reader.open(path)
        expect(page.locator("h1")).to_have_count(1)
        assert reader.sideways() <= 0, path
        assert grave(page) == [], path
    assert reader.complaints == []


@pytest.mark.parametrize("width", [1440, 1000, 320])
def test_what_an_action_asks_for_is_inside_the_window(reading: Reading, width: int) -> None:
    fleet = make_fleet()
    reader = reading(fleet.olga, width=width)
    page = reader.open(f"/runs/{fleet.running.pk}")
    assert page.locator("#actions summary").count() > 1
    for action in page.locator("#actions summary").all():
        action.click()
        asked = page.locator("#actions details[open] .drop").bounding_box()
        assert asked and asked["x"] >= 0 and asked["x"] + asked["width"] <= width
        assert reader.sideways() <= 0
        action.click()
