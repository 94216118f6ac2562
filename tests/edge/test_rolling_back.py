"""Rolling back from a run and from a release: on pages, over HTTP and from the command line."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from migrations_app.models import AppliedRevision, Environment, LedgerEntry, Release, Revision, Run, RunStep, Service
from tests.browser.client import signed_in, text
from tests.edge.caller import Caller, read, refusal
from tests.edge.fleet import make_environment, make_receipt, make_revision, make_run
from tests.edge.plans import shown
from tests.edge.rehearsals import make_rehearsed
from tests.edge.releases import make_release
from tests.edge.test_query_counts import SCRIPT

pytestmark = pytest.mark.django_db

PAGE = "/services/orders/environments/place"


@pytest.fixture
def chain(service: Service) -> list[Revision]:
    scripts = {"up_script": SCRIPT, "down_script": SCRIPT}
    return [
        make_revision(service, n, down_checksum=f"sha256:down{n}", schema_rev=f"sc-{n}", **scripts) for n in range(1, 6)
    ]


@pytest.fixture
def place(service: Service, chain: list[Revision]) -> Environment:
    """Off production, with three of five revisions applied."""
    environment = make_environment(service, "place", "staging")
    for seq in (1, 2, 3):
        make_receipt(environment, seq)
    environment.refresh_from_db()
    return environment


@pytest.fixture
def ended(place: Environment, olga: User) -> Run:
    """It applied the second and the third."""
    return applied(place, olga, 2, 3)


def applied(place: Environment, by: User, *seqs: int) -> Run:
    run = make_run(place, by, status="succeeded")
    LedgerEntry.objects.filter(environment=place, seq__in=seqs).update(run=run)
    return run


def told(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out)
    return out.getvalue()


# From a run


def test_the_run_leads_to_exactly_its_plan(client: Client, ended: Run) -> None:
    assert "Roll back what it applied…" in text(client.get(f"/runs/{ended.pk}"))
    answer = client.get(f"/runs/{ended.pk}/rollback")
    assert answer["Location"] == f"{PAGE}?direction=down&to=0001_step&run={ended.pk}#plan"
    address = answer["Location"].partition("#")[0]
    assert f"This is what run {ended.pk} applied, in reverse." in text(client.get(address))
    started = client.post(f"{PAGE}/run", shown(client, address))
    run = Run.objects.get(direction="down")
    assert started["Location"] == f"/runs/{run.pk}"
    assert [one["revision_id"] for one in run.revisions] == ["0003_step", "0002_step"]


def test_a_plan_that_is_stale_starts_nothing(client: Client, ended: Run, place: Environment) -> None:
    address = f"{PAGE}?direction=down&to=0001_step&run={ended.pk}"
    form = shown(client, address)
    make_receipt(place, 4)
    answer = client.post(f"{PAGE}/run", form, follow=True)
    assert "is not the one that was shown any more." in text(answer)
    assert not Run.objects.filter(direction="down").exists()
    now = text(client.get(address))
    assert f"Not what run {ended.pk} applied. 0004_step stands on what run {ended.pk} applied on place." in now


def test_later_revisions_are_named_with_the_way_below_them(client: Client, ended: Run, place: Environment) -> None:
    make_receipt(place, 4)
    page = client.get(f"/runs/{ended.pk}/rollback")
    assert "0004_step stands on what run" in text(page)
    assert "Plan the roll-back to 0001_step" in text(page)
    assert f"{PAGE}?direction=down&amp;to=0001_step#plan" in page.content.decode()
    assert "Roll back what it applied…" in text(client.get(f"/runs/{ended.pk}"))


def test_a_run_that_left_nothing_has_its_button_off(client: Client, place: Environment, olga: User) -> None:
    run = make_run(place, olga, status="failed")
    page = text(client.get(f"/runs/{run.pk}"))
    assert "Apply again…" in page
    assert f"Roll back what it applied Run {run.pk} on place left no receipt" in page
    assert "left no receipt" in text(client.get(f"/runs/{run.pk}/rollback"))


def test_a_run_elsewhere_or_nowhere_is_refused(client: Client, service: Service, ended: Run) -> None:
    other = make_environment(service, "other", "dev")
    assert client.get(f"/services/orders/environments/{other.name}?run={ended.pk}").status_code == 400
    assert client.get(f"{PAGE}?run=999999").status_code == 404
    assert client.get(f"{PAGE}?run=one").status_code == 400
    assert client.get("/runs/999999/rollback").status_code == 404


def test_the_api_plans_and_starts_it(caller: Caller, ended: Run, place: Environment, chain: list[Revision]) -> None:
    make_rehearsed(place, ended.requested_by, chain[1:3], direction="down")
    found = read(caller.get(f"/runs/{ended.pk}/rollback"))
    plan = found["plan"]
    assert (plan["revisions"], plan["to"]) == (["0003_step", "0002_step"], "0001_step")
    assert (plan["conditions"], plan["losses"], plan["rehearsed_ms"]) == ([], [], 300)
    assert plan["start_by"] < plan["counts_until"]
    assert (found["why_not"], found["gone"]) == (None, [])
    same = read(caller.get("/services/orders/environments/place/rollback", {"to": "0001_step"}))
    assert same == plan
    run = read(caller.post(f"/runs/{ended.pk}/rollback", {"reason": "wrong"}, **{"Idempotency-Key": "k"}), 201)
    assert (run["direction"], run["to_revision"], run["reason"]) == ("down", "0001_step", "wrong")
    again = read(caller.post(f"/runs/{ended.pk}/rollback", {"reason": "wrong"}, **{"Idempotency-Key": "k"}), 200)
    assert again["id"] == run["id"]
    assert refusal(caller.post(f"/runs/{ended.pk}/rollback"), 409)["code"] == "not_admitted"


def test_the_api_says_why_not(caller: Caller, ended: Run, place: Environment, olga: User) -> None:
    make_receipt(place, 4)
    why = read(caller.get(f"/runs/{ended.pk}/rollback"))["why_not"]
    assert (why["code"], why["later"], why["to"]) == ("run_not_newest", ["0004_step"], "0001_step")
    assert refusal(caller.post(f"/runs/{ended.pk}/rollback"), 409)["code"] == "run_not_newest"
    nothing = make_run(place, olga, status="succeeded")
    assert refusal(caller.post(f"/runs/{nothing.pk}/rollback"), 409)["code"] == "run_applied_nothing"
    running = make_run(place, olga)
    assert refusal(caller.post(f"/runs/{running.pk}/rollback"), 409)["code"] == "run_is_running"
    assert caller.get("/runs/999999/rollback").status_code == 404
    assert caller.get("/services/orders/environments/place/rollback", {"to": "none"}).status_code == 422


def test_the_command_plans_and_starts_it(ended: Run) -> None:
    said = told("plan", "--run", str(ended.pk))
    assert said.index("0003_step") < said.index("0002_step")
    assert "on a clone: not known" in said
    assert "point of no return: Not known: 2 of 2 pending" in said
    said = told("rollback", "--run", str(ended.pk), "--as", "olga", "--no-wait")
    assert said == f"run {Run.objects.get(direction='down').pk} is queued\n"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--run", "999999"], "There is no run 999999"),
        (["orders", "place", "--release", "9.9"], "orders has no release '9.9'"),
        (["orders"], "Give SERVICE and ENVIRONMENT, or --run NUMBER"),
        (["orders", "place", "--to", "none"], "has no revision none"),
    ],
)
def test_the_command_refuses_what_does_not_exist(ended: Run, arguments: list[str], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        told("rollback", *arguments, "--as", "olga")


def test_the_command_refuses_another_environment_than_the_runs(ended: Run) -> None:
    with pytest.raises(CommandError, match="was on place of orders, not on other of orders"):
        told("plan", "orders", "other", "--run", str(ended.pk))


# The point of no return, and how long is left


def test_the_plan_counts_down_to_when_it_has_to_start(
    client: Client, place: Environment, chain: list[Revision], olga: User
) -> None:
    make_rehearsed(place, olga, chain[2:3], direction="down")
    make_rehearsed(place, olga, [chain[3]])
    make_rehearsed(place, olga, [chain[4]], "lossy", fp_before="", fp_after="")
    page = client.get(f"{PAGE}?direction=down")
    assert re.search(r"1(3 d 23 h|4 d) left", text(page))
    assert '<span role="timer" data-until="' in page.content.decode()
    ahead = "It is two revisions ahead; on a clone, applying up to it took 0.4 s."
    assert ahead in text(page)
    assert ahead in text(client.get(PAGE))
    assert "It is" not in text(client.get(f"{PAGE}?to=0004_step"))


def test_a_rehearsal_that_ran_out_leaves_nothing_to_count(
    client: Client, place: Environment, chain: list[Revision], olga: User
) -> None:
    old = timezone.now() - timedelta(days=15)
    make_rehearsed(place, olga, chain[2:3], direction="down", finished_at=old)
    page = client.get(f"{PAGE}?direction=down")
    assert "Not known 1 stale" in text(page)
    assert "data-until" not in page.content.decode()


def test_an_open_run_tells_how_far_its_point_of_no_return_is(
    client: Client, caller: Caller, place: Environment, chain: list[Revision], olga: User
) -> None:
    run = make_run(place, olga)
    RunStep.objects.filter(run=run).delete()
    for n in (4, 5):
        RunStep.objects.create(
            run=run, ordinal=n - 3, revision_id=f"000{n}_step", n=1, of=1, mode="tx", statements=1, forecast_ms=900
        )
    assert "Point of no return" not in text(client.get(f"/runs/{run.pk}"))
    Revision.objects.filter(revision_id="0005_step").update(down_checksum="", down_script=None)
    why = "it has no down file"
    assert f"0005_step , two steps ahead (about 1.8 s by forecast) : {why}" in text(client.get(f"/runs/{run.pk}"))
    found = read(caller.get(f"/runs/{run.pk}"))["point_of_no_return"]
    assert found == {"revision_id": "0005_step", "why": why, "steps": 2, "ms": 1800.0}
    Run.objects.filter(pk=run.pk).update(steps_done=2)
    assert f"Passed with 0005_step : {why}" in text(client.get(f"/runs/{run.pk}"))
    Run.objects.filter(pk=run.pk).update(status="succeeded")
    assert read(caller.get(f"/runs/{run.pk}"))["point_of_no_return"] is None


# From a release


@pytest.fixture
def releases(service: Service, place: Environment, olga: User) -> list[Release]:
    """Production stands where only the newest would start."""
    prod = make_environment(service, "prod", "prod", order=2)
    for seq in range(1, 5):
        make_receipt(prod, seq)
    return [
        make_release(service, olga, "1.0", "sc-1", "sc-2"),
        make_release(service, olga, "2/1.0", "sc-2", "sc-3"),
        make_release(service, olga, "3.0", "sc-3", "sc-4"),
    ]


def test_the_release_says_what_going_back_means(client: Client, releases: list[Release]) -> None:
    page = client.get("/services/orders/release-places/3.0")
    said = text(page)
    assert "3.0 would start in every environment." in said
    assert "Going back to 2/1.0 the last stage first, one by one" in said
    assert "prod prod one revision, back to 0003_step Not known" in said
    assert "place staging Fits nothing has to be rolled back" in said
    assert "/services/orders/environments/prod?direction=down&amp;to=0003_step#plan" in page.content.decode()
    assert "Its revisions 0004_step sc-4" in said
    assert "0004_step was never rehearsed." in said


def test_the_first_release_has_none_before_it(client: Client, releases: list[Release]) -> None:
    said = text(client.get("/services/orders/release-places/1.0"))
    assert "1.0 would start in none of the environments." in said
    assert "It is the first one of orders." in said
    assert "Plan the roll-back to 0002_step" in said
    assert "Going back" not in said


def test_a_release_whose_id_holds_a_slash_has_its_page(client: Client, releases: list[Release]) -> None:
    assert "2/1.0 would start in one of two environments." in text(client.get("/services/orders/release-places/2/1.0"))
    assert client.get("/services/orders/release-places/2").status_code == 404
    assert 'href="/services/orders/releases/2/1.0"' in client.get("/matrix/contracts").content.decode()


def test_several_places_go_back_from_the_last_stage_on(client: Client, caller: Caller, releases: list[Release]) -> None:
    AppliedRevision.objects.filter(environment__name="place").delete()
    make_receipt(Environment.objects.get(name="place"), 4)
    found = read(caller.get(f"/releases/{releases[1].pk}/rollback"))
    assert (found["release_id"], found["to"]) == ("2/1.0", "1.0")
    assert [(one["environment"], one["to"], one["revisions"]) for one in found["environments"]] == [
        ("prod", "0002_step", 2),
        ("place", "", 0),
    ]
    assert "are missing" in found["environments"][1]["sentence"]
    assert read(caller.get(f"/releases/{releases[0].pk}/rollback"))["environments"] == []


def test_the_command_goes_back_as_far_as_a_release_needs(releases: list[Release]) -> None:
    said = told("plan", "orders", "place", "--release", "1.0")
    assert said.startswith("0003_step (")
    told("rollback", "orders", "place", "--release", "1.0", "--as", "olga", "--no-wait")
    assert Run.objects.get(direction="down").to_revision == "0002_step"


@pytest.mark.parametrize(
    ("name", "why"), [("2/1.0", "does not have to go back for 2/1.0. Fits"), ("4.0", "Needs sc-5, stands at sc-3")]
)
def test_it_refuses_where_nothing_has_to_go_back(releases: list[Release], olga: User, name: str, why: str) -> None:
    make_release(releases[0].service, olga, "4.0", "sc-5")
    with pytest.raises(CommandError, match=why):
        told("rollback", "orders", "place", "--release", name, "--as", "olga")


def test_it_refuses_where_that_cannot_be_told(releases: list[Release]) -> None:
    Environment.objects.filter(name="place").update(reachability="unreachable")
    with pytest.raises(CommandError, match="Unknown: its target cannot be reached"):
        told("rollback", "orders", "place", "--release", "1.0", "--as", "olga")


# Which lever


def test_the_levers_lead_to_the_release_and_to_the_plan(client: Client, vic: User, releases: list[Release]) -> None:
    page = client.get("/rehearsals/levers?service=orders&environment=place").content.decode()
    assert 'href="/services/orders/release-places/3.0#back"' in page
    assert 'href="/matrix/contracts?service=orders"' in page
    assert 'href="/services/orders/environments/place?direction=down#plan"' in page
    assert 'href="/matrix/contracts"' in signed_in(vic).get("/rehearsals/levers").content.decode()


def test_only_what_is_called_production_is_listed_as_that(client: Client, place: Environment) -> None:
    assert "Production environments and the last drill" not in text(client.get("/rehearsals"))
    Environment.objects.filter(pk=place.pk).update(stage="Production")
    assert "Production environments and the last drill" in text(client.get("/rehearsals"))
