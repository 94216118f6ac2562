"""A release goes over its environments: only past gates that pass, in order, and it stops at the first failure."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.admission.door import start_run
from migrations_app.engine.errors import Refused
from migrations_app.fleet.environments import check_target, edit_environment
from migrations_app.fleet.ledger import mark_unreachable
from migrations_app.jobs.apply import execute
from migrations_app.models import AuditEntry, Cutover, Environment, Release, ReleaseState, Run
from migrations_app.releases.crosscheck import first_difference
from migrations_app.releases.gates.glass import ask_to_break
from migrations_app.rollouts.carrying import carry_on_all
from migrations_app.rollouts.cutting_over import break_glass, cut_over, give_up, go_on, take_back
from migrations_app.rollouts.planning import OWN_SIGNATURES, Window, cutover_plan, environments_of
from migrations_app.runs.actions import cancel
from tests.releases.gates.shapes import make_ready, report, report_all, sign
from tests.rollouts.conftest import Registered
from tests.rollouts.support import Carried, carry
from tests.runs.support import person

pytestmark = pytest.mark.django_db(transaction=True)


def status(release: Release) -> str:
    return ReleaseState.objects.get(pk=release.pk).status


def codes(refused: pytest.ExceptionInfo[NotAdmitted]) -> list[str]:
    return [condition.code for condition in refused.value.conditions]


def test_it_goes_through_the_environments_in_order_and_is_live(carried: Carried, ready: Release, rita: User) -> None:
    cutover = carry(cut_over(release=ready, by=rita, reason="the autumn release"))
    assert (cutover.status, carried.heads()) == ("done", ["0002_b", "0002_b"])
    assert [step.environment.name for step in cutover.steps.order_by("started_at")] == ["test-eu", "live-eu"]
    assert carried.runs() == {"test-eu": "2.0", "live-eu": "2.0"}
    assert status(ready) == "live"
    told = AuditEntry.objects.filter(data__action__startswith="cutover.").order_by("seq")
    assert [one.data["action"].partition(".")[2] for one in told] == ["start", *["step", "reached"] * 2, "done"]


def test_production_comes_last_where_the_order_says_nothing(carried: Carried) -> None:
    places = Environment.objects.filter(service=carried.service)
    places.update(order=0, stage="test")
    first = places.order_by("name")[0]
    places.filter(pk=first.pk).update(stage="Production")
    assert [one.pk for one in environments_of(carried.service, None)][-1] == first.pk
    assert places.count() > 1


def test_a_gate_that_blocks_keeps_it_back(carried: Carried, ready: Release, rita: User) -> None:
    report(ready, carried.olga, "tests", "unit", "fail")
    with pytest.raises(NotAdmitted) as refused:
        cut_over(release=ready, by=rita)
    assert codes(refused) == ["gate_blocks"]
    assert "The tests pass: unit: fail" in refused.value.message
    assert (Cutover.objects.count(), status(ready)) == (0, "collecting")


def test_the_signature_of_who_cuts_over_does_not_count(carried: Carried, ready: Release, ann: User) -> None:
    with pytest.raises(NotAdmitted) as refused:
        cut_over(release=ready, by=ann)
    assert codes(refused) == ["gate_blocks"]
    assert "Nobody has signed as release-manager." in refused.value.message
    assert refused.value.next_step == OWN_SIGNATURES


def test_one_cutover_of_a_service_at_a_time(
    carried: Carried, ready: Release, registered: Registered, ann: User, omar: User, rita: User
) -> None:
    other = registered("2.1")
    make_ready(other, carried.olga, ann, omar)
    first = cut_over(release=ready, by=rita)
    with pytest.raises(NotAdmitted) as refused:
        cut_over(release=other, by=rita)
    assert codes(refused) == ["cutover_open"]
    assert carry(first).status == "done"


def test_it_halts_at_the_first_failure_and_goes_on_from_there(carried: Carried, ready: Release, rita: User) -> None:
    with psycopg.connect(carried.live.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE b (x int)")
    cutover = carry(cut_over(release=ready, by=rita))
    assert (cutover.status, carried.heads()) == ("halted", ["0002_b", "0001_a"])
    assert cutover.sentence.startswith("live-eu: Run")
    assert carried.runs() == {"test-eu": "2.0"}
    with psycopg.connect(carried.live.url, autocommit=True) as conn:
        conn.execute("DROP TABLE b")
    assert carry(go_on(cutover, by=rita, reason="the table is out of the way")).status == "done"
    assert carried.heads() == ["0002_b", "0002_b"]


def test_it_does_not_go_on_past_a_gate_that_blocks_by_now(carried: Carried, ready: Release, rita: User) -> None:
    with psycopg.connect(carried.test.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE b (x int)")
    cutover = carry(cut_over(release=ready, by=rita))
    report(ready, carried.olga, "build", "assets", "fail")
    with pytest.raises(NotAdmitted) as refused:
        go_on(cutover, by=rita)
    assert codes(refused) == ["gate_blocks"]
    assert Cutover.objects.get().status == "halted"


def test_targets_that_changed_on_the_way_get_no_run_before_they_are_signed(
    carried: Carried, ready: Release, rita: User, ann: User, omar: User
) -> None:
    cutover = cut_over(release=ready, by=rita)
    carry_on_all()
    edit_environment(environment=carried.live.environment, stage="qa", by=person("ada", "admin"))
    cutover = carry(cutover)
    assert (cutover.status, carried.heads()) == ("halted", ["0002_b", "0001_a"])
    assert "An environment was added, removed or changed since the gates were judged." in cutover.sentence
    with pytest.raises(NotAdmitted) as refused:
        go_on(cutover, by=rita)
    assert codes(refused) == ["gate_blocks"] * 2
    for gate in ("tests", "build"):
        for signer in (ann, omar):
            sign(ready, gate, signer)
    assert carry(go_on(cutover, by=rita)).status == "done"
    assert carried.heads() == ["0002_b", "0002_b"]
    assert first_difference() == ""


def test_a_target_that_cannot_be_reached_is_not_told_to_be_there_already(
    carried: Carried, ready: Release, rita: User
) -> None:
    live, told = carried.live.environment, "What stands in live-eu cannot be told: its target cannot be reached."
    carried.live.apply()
    cutover = cut_over(release=ready, by=rita)
    mark_unreachable(live, "nobody answers")
    assert [one.sentence for one in cutover_plan(ready, ["live-eu"]).stops[0].conditions] == [told]
    cutover = carry(cutover)
    assert (cutover.status, carried.runs()) == ("halted", {"test-eu": "2.0"})
    assert told in cutover.sentence
    check_target(live)
    assert carry(go_on(cutover, by=rita)).status == "done"


def test_given_up_it_starts_nothing_more(carried: Carried, ready: Release, rita: User) -> None:
    with psycopg.connect(carried.test.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE b (x int)")
    cutover = carry(cut_over(release=ready, by=rita))
    assert give_up(cutover, by=rita, reason="not this week").status == "cancelled"
    assert (status(ready), carried.heads()) == ("collecting", ["0001_a", "0001_a"])
    report(ready, carried.olga, "tests", "unit", "fail")
    with pytest.raises(Refused) as refused:
        go_on(cutover, by=rita)
    assert refused.value.code == "cutover_is_cancelled"


def test_it_is_taken_back_as_a_whole_the_last_environment_first(
    carried: Carried, ready: Release, rita: User, omar: User
) -> None:
    cutover = carry(cut_over(release=ready, by=rita, reason="the autumn release"))
    back = carry(take_back(cutover, by=omar, reason="orders are shown twice"))
    assert (back.status, carried.heads(), carried.runs()) == ("rolled_back", ["0001_a", "0001_a"], {})
    assert (back.reason, back.back_reason) == ("the autumn release", "orders are shown twice")
    runs = Run.objects.filter(direction="down").order_by("pk")
    assert [run.environment.name for run in runs] == ["live-eu", "test-eu"]
    assert status(ready) == "rolled_back"


def test_where_it_is_live_already_there_is_nothing_to_begin(carried: Carried, ready: Release, rita: User) -> None:
    carry(cut_over(release=ready, by=rita, environments=["test-eu"]))
    with pytest.raises(NotAdmitted) as refused:
        cut_over(release=ready, by=rita, environments=["test-eu"])
    assert codes(refused) == ["already_live"]
    assert refused.value.message == "2.0 is live there already (test-eu), and nothing is left to apply."
    assert [one.code for one in cutover_plan(ready, ["test-eu"]).conditions] == ["already_live"]
    assert cutover_plan(ready).ready
    assert carry(cut_over(release=ready, by=rita)).status == "done"
    assert [one.code for one in cutover_plan(ready).conditions] == ["already_live"]


def test_what_ran_before_runs_again(
    carried: Carried, ready: Release, registered: Registered, ann: User, omar: User, rita: User
) -> None:
    carry(cut_over(release=ready, by=rita))
    carried.test.put("0003_c", "-- lockstep: schema_rev sc-3\nCREATE TABLE c ()", down="DROP TABLE c")
    newer = registered("3.0", "sc-3")
    make_ready(newer, carried.olga, ann, omar)
    cutover = carry(cut_over(release=newer, by=rita))
    assert (status(ready), status(newer)) == ("superseded", "live")
    carry(take_back(cutover, by=omar, reason="it was too early"))
    assert carried.runs() == {"test-eu": "2.0", "live-eu": "2.0"}
    assert (status(ready), status(newer)) == ("live", "rolled_back")


def test_tried_again_it_is_still_taken_back_to_where_it_stood(
    carried: Carried, registered: Registered, ann: User, omar: User, rita: User
) -> None:
    """The first run applied one of two revisions, the second run the other one."""
    carried.test.put("0003_c", "-- lockstep: schema_rev sc-3\nCREATE TABLE c ()", down="DROP TABLE c")
    release = registered("3.0", "sc-3")
    make_ready(release, carried.olga, ann, omar)
    with psycopg.connect(carried.test.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE c (x int)")
    cutover = carry(cut_over(release=release, by=rita))
    assert (cutover.status, carried.heads()) == ("halted", ["0002_b", "0001_a"])
    with psycopg.connect(carried.test.url, autocommit=True) as conn:
        conn.execute("DROP TABLE c")
    assert carry(go_on(cutover, by=rita, reason="it is out of the way")).status == "done"
    back = carry(take_back(cutover, by=omar, reason="orders are shown twice"))
    assert (back.status, carried.heads(), carried.runs()) == ("rolled_back", ["0001_a", "0001_a"], {})


def test_a_way_back_that_was_refused_does_not_lead_on(carried: Carried, ready: Release, rita: User, omar: User) -> None:
    cutover = carry(cut_over(release=ready, by=rita))
    take_back(cutover, by=omar, reason="orders are shown twice")
    carried.test.put("0003_c", "CREATE TABLE c ()", down="DROP TABLE c")
    blocking = carried.live.start(to="0003_c")
    halted = carry(cutover, work=False)
    assert halted.status == "halted"
    with pytest.raises(Refused) as refused:
        go_on(halted, by=rita)
    assert refused.value.code == "cutover_goes_back"
    cancel(blocking, by=carried.olga)
    assert carry(take_back(halted, by=omar, reason="now it can be")).status == "rolled_back"
    assert carried.heads() == ["0001_a", "0001_a"]


def test_what_somebody_rolled_back_by_hand_meanwhile_is_taken_for_done(
    carried: Carried, ready: Release, rita: User, omar: User
) -> None:
    cutover = carry(cut_over(release=ready, by=rita))
    carried.live.environment.refresh_from_db()
    carried.live.apply("down", "0001_a")
    back = carry(take_back(cutover, by=omar, reason="orders are shown twice"))
    assert (back.status, carried.heads(), carried.runs()) == ("rolled_back", ["0001_a", "0001_a"], {})


def test_it_does_not_take_later_revisions_back_with_it(
    carried: Carried, ready: Release, rita: User, omar: User
) -> None:
    cutover = carry(cut_over(release=ready, by=rita))
    carried.test.put("0003_c", "CREATE TABLE c ()", down="DROP TABLE c")
    carried.live.environment.refresh_from_db()
    carried.live.apply()
    with pytest.raises(NotAdmitted) as refused:
        take_back(cutover, by=omar, reason="orders are shown twice")
    assert codes(refused) == ["later_revisions"]
    assert carried.heads() == ["0002_b", "0003_c"]


def test_an_environment_past_its_schemas_does_not_run_it(
    carried: Carried, registered: Registered, ann: User, omar: User, rita: User
) -> None:
    old = registered("1.0", "sc-1")
    make_ready(old, carried.olga, ann, omar)
    carried.live.environment.refresh_from_db()
    carried.live.apply()
    with pytest.raises(NotAdmitted) as refused:
        cut_over(release=old, by=rita)
    assert codes(refused) == ["past_its_window"]
    assert "live-eu stands at 0002_b" in refused.value.message


def test_sql_that_nobody_signed_is_not_started(carried: Carried, ready: Release, rita: User) -> None:
    cutover = cut_over(release=ready, by=rita)
    carried.test.put("0002_b", "-- lockstep: schema_rev sc-2\nCREATE TABLE b (id bigint)", down="DROP TABLE b")
    assert carry(cutover).status == "halted"
    assert "The SQL of its revisions is not what was signed." in cutover.sentence
    assert carried.heads() == ["0001_a", "0001_a"]


def test_a_chain_that_changed_underneath_halts_it(carried: Carried, ready: Release, rita: User) -> None:
    cutover = cut_over(release=ready, by=rita)
    carry_on_all()
    execute(Run.objects.get(status="queued").pk)
    cutover.steps.filter(ordinal=1).update(to_revision="0009_gone")
    carry_on_all()
    cutover.refresh_from_db()
    assert (cutover.status, carried.runs()) == ("halted", {})
    assert "has no revision 0009_gone" in cutover.sentence


def test_who_has_a_run_of_it_open_signs_nothing(carried: Carried, registered: Registered, ann: User) -> None:
    release = registered()
    report_all(release, carried.olga)
    start_run(environment=carried.test.environment, direction="up", by=ann)
    with pytest.raises(Refused) as refused:
        sign(release, "build", ann)
    assert refused.value.code == "own_run"


def test_signatures_of_before_a_way_back_count_no_more(
    carried: Carried, ready: Release, rita: User, omar: User
) -> None:
    carry(take_back(carry(cut_over(release=ready, by=rita)), by=omar, reason="orders are shown twice"))
    with pytest.raises(NotAdmitted) as refused:
        cut_over(release=ready, by=rita)
    assert codes(refused) == ["gate_blocks", "gate_blocks"]


def test_outside_of_its_window_it_does_not_start(carried: Carried, ready: Release, rita: User) -> None:
    now = timezone.now()
    later = Window(now + timedelta(hours=1), now + timedelta(hours=2))
    with pytest.raises(NotAdmitted) as refused:
        cut_over(release=ready, by=rita, window=later)
    assert codes(refused) == ["too_early"]


def test_who_goes_on_within_the_window_does_not_give_it_up(carried: Carried, ready: Release, rita: User) -> None:
    with psycopg.connect(carried.live.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE b (x int)")
    cutover = cut_over(release=ready, by=rita, window=Window(None, timezone.now() + timedelta(hours=1)))
    cutover = carry(cutover)
    assert cutover.status == "halted"
    go_on(cutover, by=rita)
    # Its end comes before the next environment does.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE migrations_app_cutover DISABLE TRIGGER cutover_keep")
        cursor.execute("UPDATE migrations_app_cutover SET planned_until = clock_timestamp()")
        cursor.execute("ALTER TABLE migrations_app_cutover ENABLE ALWAYS TRIGGER cutover_keep")
    cutover = carry(cutover)
    assert (cutover.status, cutover.past_window) == ("halted", False)
    assert "Its planned window is over." in cutover.sentence
    with psycopg.connect(carried.live.url, autocommit=True) as conn:
        conn.execute("DROP TABLE b")
    cutover = carry(go_on(cutover, by=rita))
    assert (cutover.status, cutover.past_window) == ("done", True)


def test_the_glass_is_broken_by_two_people(carried: Carried, registered: Registered, rita: User, omar: User) -> None:
    release = registered()
    glass = ask_to_break(release=release, typed="2.0", reason="customers cannot pay", by=omar)
    with pytest.raises(Refused) as refused:
        break_glass(glass, reason="it has to be now", by=omar)
    assert refused.value.code == "own_request"
    cutover = carry(break_glass(glass, reason="it has to be now", by=rita))
    assert (cutover.status, cutover.glass, cutover.requested_by) == ("done", glass, omar)
    assert cutover.gates.filter(state="missing").count() == 2


def test_the_glass_holds_when_other_gates_block_than_both_saw(
    carried: Carried, registered: Registered, rita: User, omar: User
) -> None:
    release = registered()
    glass = ask_to_break(release=release, typed="2.0", reason="customers cannot pay", by=omar)
    report(release, carried.olga, "tests", "unit", "fail")
    with pytest.raises(Refused) as refused:
        break_glass(glass, reason="it has to be now", by=rita)
    assert refused.value.code == "blockers_differ"
    assert (Cutover.objects.count(), hasattr(glass, "answer")) == (0, False)


def test_the_glass_holds_when_other_sql_would_run_than_both_saw(
    carried: Carried, registered: Registered, rita: User, omar: User
) -> None:
    release = registered()
    glass = ask_to_break(release=release, typed="2.0", reason="customers cannot pay", by=omar)
    carried.test.put("0002_b", "-- lockstep: schema_rev sc-2\nCREATE TABLE b (other int)", down="DROP TABLE b")
    with pytest.raises(Refused) as refused:
        break_glass(glass, reason="it has to be now", by=rita)
    assert refused.value.code == "blockers_differ"
    assert not Cutover.objects.exists()


def halted_past_glass(carried: Carried, release: Release, rita: User, omar: User) -> Cutover:
    """In front of its last environment; what it failed at is out of the way."""
    with psycopg.connect(carried.live.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE b (x int)")
        glass = ask_to_break(release=release, typed="2.0", reason="customers cannot pay", by=omar)
        cutover = carry(break_glass(glass, reason="it has to be now", by=rita))
        conn.execute("DROP TABLE b")
    assert (cutover.status, carried.heads()) == ("halted", ["0002_b", "0001_a"])
    return cutover


def test_past_broken_glass_it_goes_on_only_while_the_same_blocks(
    carried: Carried, registered: Registered, rita: User, omar: User
) -> None:
    release = registered()
    cutover = halted_past_glass(carried, release, rita, omar)
    report(release, carried.olga, "tests", "unit", "fail")
    with pytest.raises(Refused) as refused:
        go_on(cutover, by=rita)
    assert (refused.value.code, carried.heads()) == ("blockers_differ", ["0002_b", "0001_a"])
    make_ready(release, carried.olga, person("ann", "release-manager"), person("otto", "on-call"))
    assert carry(go_on(cutover, by=rita)).status == "done"


def test_past_broken_glass_it_goes_on_with_what_both_saw(
    carried: Carried, registered: Registered, rita: User, omar: User
) -> None:
    cutover = halted_past_glass(carried, registered(), rita, omar)
    assert carry(go_on(cutover, by=omar)).status == "done"


def test_a_window_that_never_holds_is_refused(carried: Carried, ready: Release, rita: User) -> None:
    now = timezone.now()
    with pytest.raises(Refused) as refused:
        cut_over(release=ready, by=rita, window=Window(now + timedelta(hours=1), now + timedelta(hours=1)))
    assert refused.value.code == "bad_window"


def test_a_release_that_is_only_registered_lets_nobody_sign_what_they_ran(
    carried: Carried, registered: Registered, omar: User
) -> None:
    registered("1.0", "sc-1")
    for environment in (carried.test.environment, carried.live.environment):
        start_run(environment=environment, direction="up", by=omar)
        execute(Run.objects.get(status="queued").pk)
    registered("1.9")
    release = registered("2.0")
    report_all(release, carried.olga)
    with pytest.raises(Refused) as refused:
        sign(release, "build", omar)
    assert refused.value.code == "own_run"


def test_the_plan_names_everything_that_is_in_the_way(carried: Carried, registered: Registered, ann: User) -> None:
    release = registered()
    report_all(release, carried.olga)
    sign(release, "build", ann)
    plan = cutover_plan(release)
    assert [condition.code for condition in plan.conditions] == ["gate_blocks"]
    assert [(stop.environment.name, stop.conditions) for stop in plan.stops] == [("test-eu", ()), ("live-eu", ())]
    assert not plan.ready
