"""The front page's sentence is true, and unknown is never shown as fine."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.banners import HEADER
from dashboard.pages import home_view
from dashboard.pages.home_groups import folds, groups_of
from migrations_app.audit.record import record
from migrations_app.fleet.overview import fleet_verdict, unreadable
from migrations_app.fleet.revisions import put_revision
from migrations_app.fleet.standing import Standing, standings
from migrations_app.models import AuditCheck, Environment, LedgerEntry, Run, Service, WorkerProcess
from migrations_app.permissions import AUDITOR, ON_CALL, OPERATOR, VIEWER
from migrations_app.runs.events import AuditEvent, RunEvent, last_events
from migrations_app.runs.glance import Glance, glance
from migrations_app.runs.pace import left_ms
from tests.browser.client import heading, signed_in, text
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run, make_service
from tests.edge.people import person

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(minutes=11)
FINE = Standing(
    service="orders",
    environment="prod-eu",
    stage="prod",
    region="eu",
    order=10,
    head="0002_b",
    receipts=2,
    behind=0,
    reachability="ok",
    reachability_note="",
    reconcile_note="",
    reconciled_at=NOW,
    checked_at=NOW,
    run_id=None,
    run_status="",
    run_to="",
)


def place(environment: str = "prod-eu", **fields: object) -> Standing:
    return dataclasses.replace(FINE, environment=environment, **fields)  # type: ignore[arg-type]


STAGING = place("staging-eu", stage="staging", order=1)
SENTENCES: list[tuple[list[Standing], str]] = [
    ([place()], "prod-eu is at the newest revision, and nothing is broken."),
    ([place(), STAGING], "All 2 environments are at the newest revision, and nothing is broken."),
    ([place(behind=1), STAGING], "Production is one revision behind staging, and nothing is broken."),
    ([place(behind=2), STAGING, place("prod-us")], "prod-eu is two revisions behind, and nothing is broken."),
    ([place(behind=1)], "prod-eu is one revision behind, and nothing is broken."),
    (
        [place(behind=2), place("b", behind=1), STAGING],
        "Two of three environments have revisions to apply, and nothing is broken.",
    ),
    (
        [place(behind=2), *(place(f"b{n}", behind=n % 2) for n in range(10))],
        "6 of 11 environments have revisions to apply, and nothing is broken.",
    ),
    ([place(reconciled_at=None)], "What stands on every environment is unknown: not checked against the target yet."),
    ([place(behind=None), STAGING], "What stands on prod-eu is unknown: not checked against the target yet."),
    ([place(reachability="unreachable"), STAGING], "prod-eu cannot be reached, so what stands there is unknown."),
    (
        [place(reconciled_at=LONG_AGO), STAGING],
        "Nobody has compared prod-eu with its target for more than 10 minutes.",
    ),
    ([place(reconciled_at=LONG_AGO)], "Nobody has compared any environment with its target for more than 10 minutes."),
    ([place(reconcile_note="Receipt 2 differs."), STAGING], "Ledger and target disagree on prod-eu."),
    ([place(run_status="failed"), place("b", run_status="failed")], "The last run failed on prod-eu and b."),
    ([place(run_status="needs_operator"), place("b", run_status="failed")], "One run needs an operator: prod-eu."),
    (
        [place(run_status="running"), STAGING],
        "All 2 environments are at the newest revision, and one run is on the way.",
    ),
    ([], "No environment yet: Lockstep looks after no database."),
]


@pytest.mark.parametrize(("rows", "sentence"), SENTENCES, ids=[sentence[:40] for _, sentence in SENTENCES])
def test_it_tells_the_worst_true_thing(rows: list[Standing], sentence: str) -> None:
    told = fleet_verdict(rows, services=1, now=NOW).sentence
    assert told.lower() == sentence.lower()


def test_it_begins_with_the_first_steps_when_there_is_nothing() -> None:
    assert fleet_verdict([], services=0).sentence.startswith("No service yet")


def test_a_failed_run_outranks_everything_that_is_fine_about_an_environment() -> None:
    assert place(run_status="failed").state == "failed"
    assert place(run_status="succeeded").state == "in_step"
    assert place(behind=None).state == "unknown"


def test_the_reasons_tell_all_of_it_the_worst_first() -> None:
    rows = [
        place("a", run_status="failed", run_id=7),
        place("b", reachability="unreachable"),
        *(place(f"c{number}", behind=number) for number in range(1, 6)),
    ]
    reasons = fleet_verdict(rows, services=1, now=NOW).reasons
    assert [(reason.state, len(reason.rows)) for reason in reasons] == [
        ("failed", 1),
        ("unreachable", 1),
        ("behind", 5),
    ]
    assert [row.environment for row in reasons[-1].named] == ["c5", "c4", "c3"]
    assert reasons[-1].more == 2


def test_what_cannot_be_read_makes_the_verdict_unknown_and_hides_no_trouble() -> None:
    fine = fleet_verdict([place()], services=1, now=NOW)
    broken = fleet_verdict([place(run_status="failed")], services=1, now=NOW)
    assert unreadable(["the runs"], None).tone == "warn"
    told = unreadable(["the runs", "the environments"], fine)
    assert (told.sentence, told.tone) == (
        "How the fleet stands is unknown: the runs and the environments could not be read.",
        "warn",
    )
    assert unreadable(["the runs"], broken) == broken


def test_few_environments_keep_their_order_and_many_are_stages_with_the_worst_first() -> None:
    few = [place("b", stage="dev", order=1), place("a", stage="dev", order=2, behind=3)]
    (group,) = groups_of(few)
    assert [row.environment for row in group.rows] == ["b", "a"]
    many = [place(f"p{n:02d}", behind=n % 3, id=n) for n in range(20)]
    many.append(place("gone", reachability="unreachable", id=99))
    assert folds(many)
    (group,) = groups_of(many)
    assert [row.environment for row in group.rows][:3] == ["gone", "p02", "p05"]
    assert [count.words for count in group.counts] == ["1 unreachable", "13 behind", "7 in step"]
    assert [row.environment for row in group.telling] == ["gone"]
    assert len(group.rest) == 20
    assert not groups_of([place(f"p{n}", id=n) for n in range(20)])[0].telling


@pytest.fixture
def service(olga: User) -> Service:
    service = make_service(olga)
    for position in (1, 2, 3):
        make_revision(service, position)
    return service


def settled(service: Service, name: str, order: int = 1, stage: str = "prod") -> Environment:
    """At the newest revision, and compared just now."""
    environment = make_environment(service, name, stage, order)
    for seq in (1, 2, 3):
        make_receipt(environment, seq)
    Environment.objects.filter(pk=environment.pk).update(reachability="ok", checked_at=timezone.now())
    return environment


def test_the_checklist_shows_what_is_done(olga: User) -> None:
    page = signed_in(olga).get("/")
    assert heading(page).startswith("No service yet")
    make_service(olga)
    assert "done: Add a service" in text(signed_in(olga).get("/"))


def test_a_failure_that_a_later_run_answered_needs_nobody(olga: User, service: Service) -> None:
    environment = settled(service, "eu")
    make_run(environment, olga, status="failed", error={"message": "It broke."})
    assert "See why" in text(signed_in(olga).get("/"))
    make_run(environment, olga, status="succeeded")
    page = text(signed_in(olga).get("/"))
    assert "See why" not in page
    assert "Nothing waits for a person." in page


def test_it_knows_the_distance_to_the_newest_revision(olga: User, service: Service) -> None:
    environment = make_environment(service)
    make_receipt(environment, 1)
    Environment.objects.filter(pk=environment.pk).update(reachability="ok")
    (row,) = standings()
    assert (row.behind, row.state, row.words) == (2, "behind", "2 behind")
    page = signed_in(olga).get("/")
    assert heading(page) == "orders-eu is two revisions behind, and nothing is broken."
    assert "1 receipt in 1 target" in text(page)
    assert "Behind orders-eu by 2" in text(page)


def test_each_row_says_who_applied_last_and_when(olga: User, service: Service) -> None:
    environment = settled(service, "eu")
    LedgerEntry.objects.filter(environment=environment, seq=3).update(operator="ines")
    (row,) = standings()
    newest = LedgerEntry.objects.get(environment=environment, seq=3)
    assert (row.last_at, row.last_by) == (newest.applied_at, "ines")
    assert "by ines" in text(signed_in(olga).get("/"))


def test_a_reason_leads_to_the_run_or_the_environment_itself(olga: User, service: Service) -> None:
    run = make_run(settled(service, "eu"), olga, status="failed", error={"message": "It broke."})
    gone = settled(service, "us", order=2)
    Environment.objects.filter(pk=gone.pk).update(reachability="unreachable", reachability_note="Connection refused.")
    page = signed_in(olga).get("/").content.decode()
    reasons = page[page.index('<ul class="reasons">') : page.index("</ul>", page.index('<ul class="reasons">'))]
    assert re.findall(r'href="([^"]+)"', reasons) == [f"/runs/{run.pk}", "/services/orders/environments/us"]


def test_what_somebody_paused_stands_before_targets_that_are_gone(olga: User, service: Service) -> None:
    gone = settled(service, "us")
    Environment.objects.filter(pk=gone.pk).update(reachability="unreachable", reachability_note="Connection refused.")
    run = make_run(settled(service, "eu", order=2), olga, status="paused")
    page = signed_in(olga).get("/").content.decode()
    needs = page[page.index('id="needs"') :]
    assert 0 < needs.index(f'href="/runs/{run.pk}"') < needs.index('href="/services/orders/environments/us"')


ASKED: list[tuple[str, str, str]] = [
    (ON_CALL, "Decide", "3 for you"),
    (OPERATOR, "waits for on-call, release-manager", "2 for you, 1 for others"),
    (VIEWER, "Nothing here is for your role.", "3 for others"),
    (AUDITOR, "Nothing here is for your role.", "3 for others"),
]


@pytest.mark.parametrize(("role", "told", "counted"), ASKED, ids=[role for role, _, _ in ASKED])
def test_needs_you_is_for_the_roles_of_its_reader(service: Service, role: str, told: str, counted: str) -> None:
    stuck = make_run(settled(service, "eu"), service.created_by, status="needs_operator")
    make_run(settled(service, "us", order=2), service.created_by, status="paused")
    Environment.objects.filter(name="us").update(reconcile_note="Receipt 2 differs.")
    page = signed_in(person("reader", role)).get("/")
    assert told in text(page)
    assert counted in text(page)
    assert (f'aria-label="Decide, run {stuck.pk}"' in page.content.decode()) is (role == ON_CALL)
    assert "us · Receipt 2 differs." in text(page)


def test_a_run_on_the_way_shows_its_step_its_lease_and_no_guess(olga: User, service: Service) -> None:
    now = timezone.now()
    run = make_run(settled(service, "eu"), olga, status="running", beat_at=now, started_at=now, steps_done=0)
    page = text(signed_in(olga).get("/"))
    assert f"Run {run.pk} · Applying 0001_step on eu: step 1 of 1." in page
    assert re.search(r"0 of 1 steps · lease renewed [01] s ago", page)
    assert "at this pace" not in page
    Run.objects.filter(pk=run.pk).update(beat_at=now - timedelta(seconds=9))
    assert re.search(r"lost heartbeat (5|10) s, another worker takes over at 15 s", text(signed_in(olga).get("/")))
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(
        beat_at=now, started_at=now - timedelta(minutes=5), steps_total=40, steps_done=20
    )
    assert re.search(r"about 5 min( \d+ s)? left at this pace", text(signed_in(olga).get("/")))


PACES: list[tuple[dict[str, object], bool]] = [
    ({}, True),
    ({"status": "waiting_for_lock"}, False),
    ({"attempt": 2}, False),
    ({"steps_done": 9}, False),
    ({"steps_total": 200}, False),
    ({"started_at": NOW - timedelta(seconds=9)}, False),
    ({"started_at": None}, False),
]


@pytest.mark.parametrize(("changes", "told"), PACES)
def test_an_estimate_is_given_only_where_the_pace_says_something(changes: dict[str, object], told: bool) -> None:
    given: dict[str, object] = {
        "status": "running", "attempt": 1, "steps_done": 20, "steps_total": 40,
        "started_at": NOW - timedelta(minutes=1),
    } | changes  # fmt: skip
    left = left_ms(Run(**given), NOW)
    assert (left is not None) is told
    if told:
        assert left == 60_000


def test_a_run_is_told_once_and_an_upload_is_one_event(olga: User, service: Service) -> None:
    environment = settled(service, "eu")
    ended = timezone.now()
    done = make_run(environment, olga, status="succeeded", started_at=ended - timedelta(seconds=2), finished_at=ended)
    going = make_run(environment, olga, status="running", started_at=ended)
    with transaction.atomic():
        record(actor=olga, action="run.request", object=f"run:{done.pk}", request_id="r-1")
        for number in range(4):
            record(actor=olga, action="revision.create", object=f"revision:orders/000{number}_a", request_id="r-2")
        record(actor=olga, action="environment.edit", object="environment:orders/eu", request_id="r-3")
        record(actor=olga, action="denied", object="-", request_id="r-4")
    told = last_events([going], audit=True)
    assert [event.run.pk for event in told if isinstance(event, RunEvent)] == [going.pk, done.pk]
    assert [(e.words, e.name, e.count) for e in told if isinstance(e, AuditEvent)] == [
        ("changed environment", "eu", 1),
        ("put", "0003_a", 4),
    ]
    page = text(signed_in(olga).get("/"))
    assert "olga put 4 revisions into orders" in page
    assert f"Run {done.pk} · Applied 0001_step on eu. 2.0 s · olga" in page
    assert "olga put" not in text(signed_in(person("vic", VIEWER)).get("/"))


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("standings", "The environments could not be read."),
        ("telling_runs", "The runs on the way could not be read."),
        ("last_events", "What happened last could not be read."),
        ("needs_person", "What needs a person could not be read."),
        ("groups_of", "The environments could not be read."),
    ],
)
def test_a_block_fails_alone_and_nothing_is_called_fine(
    olga: User, service: Service, monkeypatch: pytest.MonkeyPatch, name: str, what: str
) -> None:
    settled(service, "eu")
    assert 'class="state chip ok"' in signed_in(olga).get("/").content.decode()

    def broken(*args: object, **kwargs: object) -> object:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(home_view, name, broken)
    home_view.KEPT.clear()
    for path in ("/", "/home/live"):
        page = signed_in(olga).get(path)
        assert page.status_code == 200
        assert what in text(page)
        assert "Happened last" in text(page) or name == "last_events"
        assert heading(page).startswith("How the fleet stands is unknown: ")
        assert 'class="state chip ok"' not in page.content.decode()
        assert "closed the connection" not in text(page)


def test_the_chip_in_the_bar_agrees_with_the_sentence(olga: User, service: Service) -> None:
    environment = settled(service, "eu")
    settled(service, "us", order=2)
    here = Environment.objects.filter(pk=environment.pk)
    changes: list[tuple[str, Callable[[], object]]] = [
        ("ok", lambda: None),
        ("warn", lambda: here.update(reconciled_at=timezone.now() - timedelta(minutes=11))),
        ("warn", lambda: here.update(reconciled_at=None)),
        ("warn", lambda: here.update(reconciled_at=timezone.now(), head_revision="9999_elsewhere")),
        ("ok", lambda: make_run(environment, olga, status="running")),
        ("warn", lambda: here.update(reachability="unreachable")),
        ("bad", lambda: here.update(reconcile_note="Receipt 2 differs.")),
        ("bad", lambda: Run.objects.update(status="needs_operator")),
        ("bad", lambda: (Run.objects.update(status="failed"), here.update(reconcile_note=""))),
        ("warn", lambda: Run.objects.update(status="succeeded")),
    ]
    for tone, change in changes:
        change()
        assert fleet_verdict(standings(), services=1).tone == tone
        assert glance().tone == tone
        assert f'class="state chip {tone}"' in signed_in(olga).get("/runs").content.decode()


def fill(service: Service, count: int) -> None:
    """So many environments over four stages, each in another state, some with open runs and events."""
    states = ("succeeded", "failed", "running", "paused", "needs_operator", "succeeded")
    for number in range(count):
        environment = settled(service, f"place-{number:02d}", order=number, stage=f"stage-{number * 4 // count}")
        ended = None if states[number % 6] in ("running", "paused", "needs_operator") else timezone.now()
        make_run(
            environment, service.created_by, status=states[number % 6], started_at=timezone.now(), finished_at=ended
        )


def queries_of(client: Client, path: str, **headers: str) -> list[str]:
    """Those of the request besides its session and its user."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path, headers=headers).status_code in (200, 304)
    asked = [str(query["sql"]) for query in captured.captured_queries]
    return [sql for sql in asked if "django_session" not in sql and 'FROM "auth_user" WHERE' not in sql]


def test_sixty_environments_take_as_many_queries_as_six(olga: User, service: Service) -> None:
    client = signed_in(olga)
    fill(service, 6)
    few, few_live = queries_of(client, "/"), queries_of(client, "/home/live")
    fill(make_service(olga, "second"), 54)
    many, many_live = queries_of(client, "/"), queries_of(client, "/home/live")
    assert len(few) == len(many) <= 6, many
    assert len(few_live) == len(many_live) <= 6, many_live
    page = client.get("/", headers={"Accept-Encoding": "gzip"})
    assert page["Content-Encoding"] == "gzip"
    assert len(page.content) <= 30_000


def test_a_poll_is_answered_with_304_until_something_shown_has_changed(olga: User, service: Service) -> None:
    environment = settled(service, "eu")
    client = signed_in(olga)
    etag = client.get("/home/live")["ETag"]
    changes: list[Callable[[], object]] = [
        lambda: make_run(environment, olga, status="running"),
        lambda: Run.objects.update(version=F("version") + 1),
        lambda: Run.objects.update(status="succeeded", version=F("version") + 1),
        lambda: Environment.objects.update(reconcile_note="Receipt 2 differs."),
        lambda: put_revision(service=service, revision_id="0004_d", up="SELECT 1;", by=olga),
        lambda: settled(service, "us", order=2),
        lambda: olga.groups.set([Group.objects.get_or_create(name=ON_CALL)[0]]),
    ]
    for change in changes:
        unchanged = client.get("/home/live", headers={"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert len(queries_of(client, "/home/live", **{"If-None-Match": etag})) <= 2
        change()
        changed = client.get("/home/live", headers={"If-None-Match": etag})
        assert changed.status_code == 200, change
        etag = changed["ETag"]


def test_the_title_begins_with_the_state(olga: User, service: Service) -> None:
    environment = settled(service, "eu")
    assert "<title>Home – Lockstep</title>" in signed_in(olga).get("/").content.decode()
    make_run(environment, olga, status="failed")
    assert "<title>✗ Home – Lockstep</title>" in signed_in(olga).get("/").content.decode()


def beat(seconds_ago: int, *, redis_ok: bool = True) -> None:
    moment = timezone.now() - timedelta(seconds=seconds_ago)
    WorkerProcess.objects.update_or_create(
        name="w", defaults={"started_at": moment, "beat_at": moment, "redis_ok": redis_ok}
    )


def banners_on(client: Client) -> int:
    return client.get("/runs").content.decode().count('<div class="banner ')


def test_silence_of_the_workers_stands_above_every_page(olga: User, service: Service) -> None:
    client = signed_in(olga)
    assert not banners_on(client)
    make_run(settled(service, "eu"), olga, status="queued")
    assert "No worker was ever heard of: one run waits" in text(client.get("/runs"))
    beat(14)
    assert not banners_on(client)
    beat(16)
    assert "No worker has been heard of for 15 s: one run waits" in text(client.get("/runs"))
    Run.objects.update(status="cancelled")
    assert "No worker has been heard of for 15 s: new runs do not start until" in text(client.get("/runs"))
    beat(1, redis_ok=False)
    assert "Redis does not answer: runs still start, up to 5 s late." in text(client.get("/runs"))


def test_every_poll_names_the_banners_of_the_moment_also_when_nothing_else_has_changed(
    olga: User, service: Service
) -> None:
    client, run = signed_in(olga), make_run(settled(service, "eu"), olga, status="queued")
    Run.objects.filter(pk=run.pk).update(status="failed")
    polls = ("/home/live", f"/matrix/window?service={service.name}", "/runs/live", f"/runs/{run.pk}/live")
    etags = {poll: client.get(poll)["ETag"] for poll in polls}
    (before,) = {client.get(poll)[HEADER] for poll in polls}
    AuditCheck.objects.create(
        id=1, checked_at=timezone.now(), took_ms=3, ok=False, checked=6, head_seq=6, head_hash="", sentence="No."
    )
    answers = [client.get(poll, headers={"If-None-Match": etags[poll]}) for poll in polls]
    assert [answer.status_code for answer in answers] == [304] * 4
    (key,) = {answer[HEADER] for answer in answers}
    assert key != before
    asked = client.get("/banners").content.decode()
    assert f'data-told="{key}"' in asked
    assert f'data-told="{key}"' in client.get("/tokens").content.decode()
    assert "The audit log was tampered with. No." in asked


def test_every_poll_names_the_verdict_and_the_open_runs_of_the_moment(olga: User, service: Service) -> None:
    client, environment = signed_in(olga), settled(service, "eu")
    beat(1)
    polled = make_run(settled(service, "us", order=2), olga, status="succeeded")

    def key() -> str:
        told = {client.get(poll)[HEADER] for poll in ("/home/live", "/runs/live", f"/runs/{polled.pk}/live")}
        asked = client.get("/banners").content.decode()
        told.update(re.findall(r'data-told="(\w+)"', asked))
        (one,) = told
        return str(one)

    def above() -> str:
        return client.get("/banners").content.decode()

    keys = [key()]
    assert "<span data-open-runs></span>" in above().replace("\n", "")
    run = make_run(environment, olga, status="running")
    keys.append(key())
    assert '<span class="n"><span class="hush">open: </span>1</span>' in above()
    Run.objects.filter(pk=run.pk).update(status="needs_operator")
    keys.append(key())
    assert '<span class="n hot"><span class="hush">open: </span>1</span>' in above()
    Run.objects.filter(pk=run.pk).update(status="failed")
    keys.append(key())
    assert 'id="chip" data-drawn="bad 1 in trouble"' in above()
    assert len(set(keys)) == 4
    assert client.get("/tokens").content.decode().count("data-open-runs") == 2


def test_the_end_of_a_run_is_counted_at_once(olga: User, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is polled after it: a count that was kept for a second would stay."""
    client, run = signed_in(olga), make_run(settled(service, "eu"), olga, status="running")
    beat(1)
    told = client.get("/runs/live")[HEADER]
    monkeypatch.setattr("dashboard.glance.KEPT_S", 60.0)
    assert "open: </span>1" in client.get(f"/runs/{run.pk}").content.decode()
    Run.objects.filter(pk=run.pk).update(status="cancelled", finished_at=timezone.now())
    assert client.get("/runs/live")[HEADER] == told
    assert client.get(f"/runs/{run.pk}/live")[HEADER] != told
    assert "open: " not in client.get("/banners").content.decode()
    assert "open: </span>" not in client.get(f"/runs/{run.pk}").content.decode()


def test_a_broken_audit_chain_stands_above_every_page_until_it_holds_again(olga: User, service: Service) -> None:
    AuditCheck.objects.create(
        id=1, checked_at=timezone.now(), took_ms=3, ok=False, checked=6, head_seq=6, head_hash="",
        sentence="Entry number 7 is not what was written: its hash differs.",
    )  # fmt: skip
    page = signed_in(olga).get("/matrix")
    assert "The audit log was tampered with. Entry number 7 is not what was written" in text(page)
    assert '<a href="/audit">Audit log</a></div>' in page.content.decode()
    assert "tampered" in text(signed_in(person("vic", VIEWER)).get("/matrix"))
    AuditCheck.objects.update(ok=True)
    assert "tampered" not in text(signed_in(olga).get("/matrix"))


def test_what_a_target_says_anew_is_told_at_once(olga: User, service: Service) -> None:
    """Parts that were drawn are served again only while nothing that they tell has changed."""
    eu = settled(service, "eu")
    for note in ("Connection refused.", "The password is wrong."):
        Environment.objects.filter(pk=eu.pk).update(reachability="unreachable", reachability_note=note)
        assert note in text(signed_in(olga).get("/"))


def test_the_frame_asks_for_the_fleet_once_a_second_at_most(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client, asked = signed_in(olga), 0

    def counted() -> Glance:
        nonlocal asked
        asked += 1
        return glance()

    monkeypatch.setattr("dashboard.glance.glance", counted)
    for young, questions in ((0.0, 3), (60.0, 0)):
        asked = 0
        monkeypatch.setattr("dashboard.glance.KEPT_S", young)
        for _ in range(3):
            client.get("/tokens")
        assert asked == questions
