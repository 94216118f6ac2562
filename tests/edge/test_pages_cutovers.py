"""The plan of a cutover, the glass that two people break, and a cutover's own page."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from migrations_app.models import BreakGlass, BreakGlassAnswer, Cutover, EnvironmentRelease, Release, ReleaseState
from migrations_app.rollouts.carrying import carry_on_all
from migrations_app.rollouts.cutting_over import cut_over
from migrations_app.rollouts.planning import OWN_SIGNATURES
from tests.browser.client import heading, signed_in, text
from tests.edge.cutovers import make_cutover, make_freeze, make_glass
from tests.edge.fleet import make_service
from tests.edge.gates import PASSWORD, People, make_gated, make_people
from tests.edge.people import person
from tests.edge.releases import make_standing
from tests.edge.test_pages_gates import later
from tests.releases.gates.rows import put
from tests.releases.gates.shapes import make_ready, report

pytestmark = pytest.mark.django_db

RELEASE = "/services/orders/releases/2.0"
PLAN = "/services/orders/cutover/2.0"
GLASS = "/services/orders/cutover-glass/2.0"
BOTH = ("test-eu", "live-eu")
WHY = "the autumn release"
GRANT = "Break the glass and cut over"


@pytest.fixture(autouse=True)
def _what_banners_tell_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    for last in ("_last", "_last_glass"):
        monkeypatch.setattr(f"dashboard.mismatched.{last}.at", float("-inf"))


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def release(people: People) -> Release:
    """Both environments stand at its schema already, so that its cutover needs no run."""
    release = make_gated(people)
    make_standing(release.service, "test-eu", 4, stage="test")
    make_standing(release.service, "live-eu", 4, stage="live")
    return release


@pytest.fixture
def ready(release: Release, people: People) -> Release:
    make_ready(release, people.olga, people.ann, people.omar)
    return release


def start(client: Client, environments: Iterable[str] = BOTH, **fields: str) -> object:
    return client.post(PLAN, {"environments": list(environments), "typed": "2.0", "reason": WHY, **fields})


def shown(user: User, path: str) -> str:
    return text(signed_in(user).get(path))


def carried(cutover: Cutover) -> Cutover:
    for _ in range(4):
        carry_on_all()
    cutover.refresh_from_db()
    return cutover


# The plan


def test_the_plan_of_a_ready_release_shows_its_stops_in_order(ready: Release, people: People) -> None:
    page = signed_in(people.olga).get(PLAN)
    assert heading(page) == "2.0 can be cut over to two environments."
    said = text(page)
    assert said.index("test-eu test") < said.index("live-eu live, production")
    assert "0004_step Nothing to apply" in said
    assert "As live-eu is production, type 2.0" in said
    assert "Break the glass" not in said


def test_what_is_in_the_way_leads_to_where_it_is_looked_at(release: Release, people: People) -> None:
    page = signed_in(people.olga).get(PLAN)
    assert heading(page) == "Two things are in the way of cutting over 2.0."
    assert f'<a href="{RELEASE}#gate-tests">Tests</a>' in page.content.decode()
    assert "Cut over What is listed above is in the way." in text(page)


def test_it_starts_what_was_chosen_and_is_live_in_the_end(ready: Release, people: People) -> None:
    client = signed_in(people.olga)
    answer = start(client, begins="2020-01-01T00:00", ends="2050-01-01T00:00")
    cutover = Cutover.objects.get()
    assert answer["Location"] == f"/cutovers/{cutover.pk}"  # type: ignore[index]
    assert cutover.planned_from is not None and cutover.planned_from.isoformat() == "2020-01-01T00:00:00+00:00"
    assert heading(client.get(f"/cutovers/{cutover.pk}")) == "Cutting over 2.0: test-eu is next."
    assert carried(cutover).status == "done"
    page = client.get(f"/cutovers/{cutover.pk}")
    assert heading(page).startswith("2.0 is live in both environments after ")
    assert "of the planned 10958 d" in text(page)
    assert "hx-trigger" not in page.content.decode()
    assert EnvironmentRelease.objects.filter(until=None, release=ready).count() == 2
    assert "Every environment runs it. It runs in" in shown(people.ann, RELEASE)
    assert "Cut over It is live everywhere." in shown(people.olga, RELEASE)
    make_standing(ready.service, "new-eu", 4)
    assert "It is live everywhere." not in shown(people.olga, RELEASE)
    assert "At least one environment runs it. It runs in" in shown(people.ann, RELEASE)


def test_production_takes_the_typed_name_and_the_rest_does_not(ready: Release, people: People) -> None:
    client = signed_in(people.olga)
    refused = start(client, typed="2")
    assert refused.status_code == 422  # type: ignore[attr-defined]
    assert "live-eu is production, and the name that was typed is not 2.0." in text(refused)
    assert f'value="{WHY}"' in refused.content.decode()  # type: ignore[attr-defined]
    assert not Cutover.objects.exists()
    start(client, ["test-eu"], typed="")
    assert [step.environment.name for step in Cutover.objects.get().steps.all()] == ["test-eu"]


def test_a_refusal_names_everything_and_keeps_what_was_sent(ready: Release, people: People) -> None:
    report(ready, people.olga, "tests", "unit", "fail")
    report(ready, people.olga, "build", "assets", "fail")
    refused = start(signed_in(people.olga), ["test-eu"], begins="2050-01-01T00:00")
    said = text(refused)
    assert refused.status_code == 422  # type: ignore[attr-defined]
    assert "No cutover was created and nothing was changed." in said
    for told in ("Build blocks.", "Tests blocks.", "Its planned window has not begun."):
        assert told in said
    kept = refused.content.decode()  # type: ignore[attr-defined]
    assert 'value="test-eu" checked' in kept
    assert 'value="live-eu" checked' not in kept
    assert 'value="2050-01-01T00:00"' in kept
    assert (Cutover.objects.count(), ReleaseState.objects.get(pk=ready.pk).status) == (0, "collecting")


def test_nothing_chosen_is_told_beside_the_choice(ready: Release, people: People) -> None:
    refused = start(signed_in(people.olga), [])
    assert "Choose one environment at least." in text(refused)
    assert not Cutover.objects.exists()


def test_who_starts_it_is_judged_without_their_own_signature(ready: Release, people: People) -> None:
    assert heading(signed_in(people.omar).get(PLAN)) == "2.0 can be cut over to two environments."
    said = shown(people.ann, PLAN)
    assert "Nobody has signed as release-manager." in said
    assert OWN_SIGNATURES in said
    assert "Ask to break the glass" not in said
    for other in (people.olga, people.omar):
        assert OWN_SIGNATURES not in shown(other, PLAN)
    report(ready, people.olga, "build", "assets", "fail")
    said = shown(people.ann, PLAN)
    assert OWN_SIGNATURES not in said
    assert "Ask to break the glass" in said
    assert "Needs one of these roles: operator, release-manager." in shown(people.omar, PLAN)


def test_an_old_password_is_asked_for_once_more(ready: Release, people: People) -> None:
    client = signed_in(people.olga)
    later(client, 301)
    assert 'autocomplete="current-password"' in client.get(PLAN).content.decode()
    assert start(client).status_code == 422  # type: ignore[attr-defined]
    assert not Cutover.objects.exists()
    assert start(client, password=PASSWORD).status_code == 302  # type: ignore[attr-defined]


def test_another_cutover_is_in_the_way_and_led_to(ready: Release, people: People) -> None:
    cutover = cut_over(release=ready, by=people.olga)
    other = make_gated(people, "3.0")
    page = signed_in(people.olga).get(f"/services/orders/cutover/{other.release_id}").content.decode()
    assert f'<a href="/cutovers/{cutover.pk}">Cutover {cutover.pk}</a>' in page


def test_a_service_without_an_environment_says_so(people: People) -> None:
    make_gated(people)
    assert "orders has no environment to cut over to." in shown(people.olga, PLAN)


def test_the_release_leads_to_its_plan_or_says_why_not(release: Release, people: People) -> None:
    assert "Cut over Two gates block." in shown(people.olga, RELEASE)
    assert "Cut over Needs one of these roles: operator, release-manager." in shown(people.omar, RELEASE)
    make_ready(release, people.olga, people.ann, people.omar)
    assert f'id="cut-over" href="{PLAN}">Cut over…' in signed_in(people.olga).get(RELEASE).content.decode()
    assert f"Cut over {OWN_SIGNATURES}" in shown(people.ann, RELEASE)
    cutover = cut_over(release=release, by=people.olga)
    said = shown(people.olga, RELEASE)
    assert "Cut over It is being cut over." in said
    assert f"Cutting over Cutover {cutover.pk} , started by olga" in said


# The glass


def ask(user: User, **fields: str) -> object:
    return signed_in(user).post(GLASS, {"typed": "2.0", "reason": "customers cannot pay", **fields})


def test_two_people_break_the_glass_and_the_badge_stays(release: Release, people: People) -> None:
    asked = ask(people.omar)
    glass = BreakGlass.objects.get()
    page = f"/glass/{glass.pk}"
    assert asked["Location"] == page  # type: ignore[index]
    assert "omar asks to break the glass" in shown(people.ann, RELEASE)
    assert "A second person has to answer; you can only take it back." in shown(people.omar, page)
    assert "Needs one of these roles: on-call, release-manager." in shown(people.olga, page)
    mine = signed_in(people.omar).post(f"{page}/grant", {"reason": "it has to be now"})
    assert (mine.status_code, Cutover.objects.count()) == (422, 0)
    assert "Nobody grants what they asked for themselves." in text(mine)
    ann = signed_in(people.ann)
    said = text(ann.get(page))
    assert "omar asks to cut 2.0 over although two gates block." in said
    assert "customers cannot pay" in said
    assert "Other gates block" not in said
    assert GRANT in said
    granted = ann.post(f"{page}/grant", {"reason": "it has to be now"})
    cutover = Cutover.objects.get()
    assert granted["Location"] == f"/cutovers/{cutover.pk}"
    for path in (RELEASE, f"/cutovers/{cutover.pk}"):
        assert "glass broken by omar and ann" in shown(people.olga, path)
    assert "omar and ann broke the glass for 2.0." in shown(people.olga, page)


@pytest.mark.parametrize("fields", [{"typed": "2"}, {"reason": "now"}])
def test_asking_takes_the_name_and_a_reason_and_keeps_both(
    release: Release, people: People, fields: dict[str, str]
) -> None:
    refused = ask(people.omar, **fields)
    assert refused.status_code == 422  # type: ignore[attr-defined]
    assert "The glass is whole; nothing was started." in text(refused)
    sent = {"typed": "2.0", "reason": "customers cannot pay", **fields}
    assert all(f'value="{value}"' in refused.content.decode() for value in sent.values())  # type: ignore[attr-defined]
    assert not BreakGlass.objects.exists()


@pytest.mark.parametrize("who", ["omar", "ann"])
def test_it_is_declined_or_taken_back_with_a_reason(release: Release, people: People, who: str) -> None:
    ask(people.omar)
    page = f"/glass/{BreakGlass.objects.get().pk}"
    client = signed_in(getattr(people, who))
    assert client.post(f"{page}/decline", {"reason": "no"}).status_code == 422
    assert not BreakGlassAnswer.objects.exists()
    assert client.post(f"{page}/decline", {"reason": "the fix is nearly there"})["Location"] == page
    assert "Declined by " + who in text(client.get(page))
    assert not Cutover.objects.exists()


def test_without_a_release_manager_it_is_not_granted(release: Release, people: People) -> None:
    ask(people.omar)
    page = f"/glass/{BreakGlass.objects.get().pk}"
    otto = person("otto", "on-call")
    assert "One of the two has to be a release-manager." in shown(otto, page)
    assert signed_in(otto).post(f"{page}/grant", {"reason": "it has to be now"}).status_code == 422
    assert not BreakGlassAnswer.objects.exists()


def test_what_blocks_has_to_be_what_both_saw(release: Release, people: People) -> None:
    ask(people.omar)
    page = f"/glass/{BreakGlass.objects.get().pk}"
    report(release, people.olga, "tests", "unit", "fail")
    ann = signed_in(people.ann)
    said = text(ann.get(page))
    assert "Other gates block than when it was asked for." in said
    assert GRANT not in said
    assert ann.post(f"{page}/grant", {"reason": "it has to be now"}).status_code == 422
    assert (Cutover.objects.count(), BreakGlassAnswer.objects.count()) == (0, 0)


def test_an_answer_takes_a_password_of_this_moment(release: Release, people: People) -> None:
    ask(people.omar)
    page = f"/glass/{BreakGlass.objects.get().pk}"
    ann = signed_in(people.ann)
    later(ann, 301)
    refused = ann.post(f"{page}/grant", {"reason": "it has to be now"})
    assert (refused.status_code, Cutover.objects.count()) == (422, 0)
    assert 'value="it has to be now"' in refused.content.decode()
    assert ann.post(f"{page}/grant", {"reason": "it has to be now", "password": PASSWORD}).status_code == 302


# The cutover


@pytest.fixture
def halted(release: Release, people: People) -> Cutover:
    return make_cutover(release, people.omar, people.ann, status="halted", sentence="live-eu: Run 7 failed.")


def test_a_halted_one_says_where_and_what_can_be_done(halted: Cutover, people: People) -> None:
    page = signed_in(people.olga).get(f"/cutovers/{halted.pk}")
    assert heading(page) == "Halted at live-eu: Run 7 failed."
    said = text(page)
    assert "Take back Needs one of these roles: on-call, release-manager." in said
    assert "Go on Needs one of these roles: on-call, release-manager." in said, (
        "who may break the glass goes on past it"
    )
    told = "The gates are judged anew, then the step that failed is tried again."
    assert told in shown(people.ann, f"/cutovers/{halted.pk}")
    assert "every 10s" in page.content.decode()
    assert "tests Missing bbbb bbbb bbbb nobody" in said


def test_it_is_given_up_with_a_reason(halted: Cutover, people: People) -> None:
    page, client = f"/cutovers/{halted.pk}", signed_in(people.olga)
    refused = client.post(f"{page}/give-up", {"reason": "no"})
    assert (refused.status_code, Cutover.objects.get().status) == (422, "halted")
    assert 'name="reason" maxlength="500" autocomplete="off" value="no"' in refused.content.decode()
    ReleaseState.objects.filter(pk=halted.release_id).update(status="cutting_over")
    assert client.post(f"{page}/give-up", {"reason": "not this week"})["Location"] == page
    assert heading(client.get(page)) == "2.0 was given up after one of two environments. Given up: not this week"
    assert "Go on It is given up." in shown(people.ann, page)


def test_going_on_and_taking_back_need_the_password_where_production_is_among_it(
    halted: Cutover, people: People
) -> None:
    page, client = f"/cutovers/{halted.pk}", signed_in(people.ann)
    later(client, 301)
    assert client.post(f"{page}/go-on").status_code == 422
    assert Cutover.objects.get().status == "halted"
    assert client.post(f"{page}/go-on", {"password": PASSWORD})["Location"] == page
    assert Cutover.objects.get().status == "running"


def test_taking_back_is_for_others_than_cutting_over(halted: Cutover, people: People) -> None:
    page = f"/cutovers/{halted.pk}"
    assert signed_in(people.olga).post(f"{page}/take-back", {"reason": "orders twice"}).status_code == 403
    assert signed_in(people.olga).post(f"{page}/go-on").status_code == 403
    assert signed_in(people.omar).post(f"{page}/take-back", {"reason": "orders twice"})["Location"] == page
    assert heading(signed_in(people.omar).get(page)).startswith("Taking 2.0 back")
    assert signed_in(people.omar).post(f"{page}/sing").status_code == 404


def test_an_open_page_hears_304_until_a_step_is_other(ready: Release, people: People) -> None:
    cutover = make_cutover(ready, people.omar, people.ann, status="halted", sentence="live-eu: Run 7 failed.")
    client, path = signed_in(people.olga), f"/cutovers/{cutover.pk}/live"
    first = client.get(path)
    assert client.get(path, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    assert "Reason" in first.content.decode()
    cutover.steps.filter(ordinal=2).update(status="done")
    assert client.get(path, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 200


def test_the_buttons_are_left_alone_while_they_are_the_same(halted: Cutover, people: People) -> None:
    client = signed_in(people.olga)
    page = client.get(f"/cutovers/{halted.pk}").content.decode()
    drawn = page.partition("live?drawn=")[2].partition('"')[0]
    assert 'id="actions"' not in client.get(f"/cutovers/{halted.pk}/live?drawn={drawn}").content.decode()
    assert 'id="actions"' in client.get(f"/cutovers/{halted.pk}/live?drawn=other").content.decode()


def test_its_history_is_for_those_who_read_the_audit_log(ready: Release, people: People) -> None:
    cutover = cut_over(release=ready, by=people.olga, reason=WHY)
    assert f"Began a cutover to {', '.join(BOTH)} · {WHY}" in shown(people.ann, f"/cutovers/{cutover.pk}")
    said = shown(person("vic", "viewer"), f"/cutovers/{cutover.pk}")
    assert "Reading the audit log needs one of these roles" in said
    assert "Began a cutover" not in said


# What runs where, for everybody


def test_what_runs_on_a_schema_that_it_refuses_is_told_above_every_page(release: Release, people: People) -> None:
    place = make_standing(release.service, "old-eu", 1)
    EnvironmentRelease.objects.create(environment=place, release=release)
    told = "old-eu of orders runs 2.0, which refuses its schema. Needs sc-10, stands at sc-9: one revision behind"
    for path in ("/releases", "/runs"):
        assert told in shown(people.olga, path)
    assert "old-eu prod orders 2.0" in shown(people.olga, "/releases")


def test_it_is_asked_for_when_the_fleet_changed_and_every_ten_seconds_at_most(
    release: Release, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get("/banners")
        return sum("environmentrelease" in query["sql"] for query in queries)

    client = signed_in(people.olga)
    assert [asked(), asked()] == [1, 0]
    make_standing(release.service, "new-eu", 1)
    assert asked() == 0
    monkeypatch.setattr("dashboard.mismatched.KEPT_S", 0.0)
    assert [asked(), asked()] == [1, 0]


def test_glass_is_told_above_every_page_while_it_waits_and_when_it_is_broken(
    people: People, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.mismatched.KEPT_S", 0.0)
    asked = make_glass(release, people.omar)
    assert "omar asks to break the glass for orders 2.0: customers cannot pay" in shown(people.olga, "/services")
    put(BreakGlassAnswer(glass=asked, granted=True, by=people.ann, reason="it has to be now"))
    said = shown(people.olga, "/services")
    assert "omar and ann broke the glass for orders 2.0 at" in said
    assert "asks to break" not in said


def test_a_freeze_that_holds_is_told_above_every_page(people: People) -> None:
    freeze = make_freeze(people.ann, make_service(people.olga))
    said = shown(people.olga, "/runs")
    assert f"Production of orders is frozen until {freeze.ends_at:%Y-%m-%d}" in said
    assert "the busiest week of the year" in said
