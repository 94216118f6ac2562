"""Preparing, finishing and abandoning a drill, and what is written down beside its clock."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth.models import User

from migrations_app.engine.errors import Refused
from migrations_app.models import AuditEntry, Drill, DrillCheck, Environment
from migrations_app.rehearsals.drills.actions import Ending, Plan, abandon_drill, finish_drill, start_drill
from migrations_app.rehearsals.drills.remarks import (
    Seen,
    add_check,
    add_follow_up,
    follow_up_done,
    mark_runbook,
    note_intervention,
    write_step,
)
from migrations_app.rehearsals.drills.scenarios import SCENARIOS
from tests.edge.drills import press, ready, shift
from tests.edge.fleet import make_revision

PASS = Seen(side="after", kind="smoke", name="the first page opens", passed=True)


def actions() -> list[str]:
    return [entry.data["action"] for entry in AuditEntry.objects.order_by("seq")]


def test_it_plans_the_five_steps_of_its_scenario(drill: Drill) -> None:
    planned = [(step.name, step.planned_s, step.commands) for step in drill.steps.all()]
    assert planned == [(s.name, s.planned_s, s.commands) for s in SCENARIOS["schema"].steps]
    assert actions() == ["drill.start"]


def test_it_keeps_what_the_schema_was(environment: Environment, olga: User) -> None:
    make_revision(environment.service, 1, schema_rev="sc-21")
    Environment.objects.update(head_revision="0001_step")
    environment.refresh_from_db()
    drill = ready(environment, olga)
    assert (drill.head_revision, drill.schema_rev) == ("0001_step", "sc-21")


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (Plan("volcano", "x"), "no_such_scenario"),
        (Plan("data", "  "), "text_missing"),
        (Plan("data", "x" * 501), "too_long"),
        (Plan("data", "x", limit_s=0), "out_of_range"),
        (Plan("data", "x", planned_s=[1, 2]), "five_steps"),
        (Plan("data", "x", planned_s=[1, 2, 3, 4, 0]), "out_of_range"),
        (Plan("data", "a\x00b"), "bad_text"),
    ],
)
def test_it_prepares_nothing_that_is_not_whole(environment: Environment, olga: User, plan: Plan, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        start_drill(environment=environment, plan=plan, by=olga)
    assert refusal.value.code == code
    assert not Drill.objects.exists()
    assert actions() == []


def test_an_environment_has_one_drill_at_a_time(drill: Drill, environment: Environment, olga: User) -> None:
    with pytest.raises(Refused) as refusal:
        ready(environment, olga)
    assert refusal.value.code == "drill_open"
    abandon_drill(drill, by=olga, reason="again later")
    assert ready(environment, olga).status == "ready"


def test_a_drill_passes_when_all_is_done_in_time_and_was_checked(drill: Drill, olga: User) -> None:
    add_check(press(drill, olga, 6), seen=PASS, by=olga)
    done = finish_drill(drill, by=olga, ending=Ending(issues_found="none", runbook_rev="r7"))
    assert (done.status, done.result, done.issues_found, done.runbook_rev) == ("finished", "passed", "none", "r7")
    assert done.finished_at is not None


def test_a_hand_that_helped_is_told_with_the_pass(drill: Drill, olga: User) -> None:
    add_check(press(drill, olga, 6), seen=PASS, by=olga)
    note_intervention(drill, seconds=5, what="restarted the proxy", by=olga)
    assert finish_drill(drill, by=olga).result == "with_interventions"


def test_a_recovery_beyond_its_limit_fails(environment: Environment, olga: User) -> None:
    drill = press(ready(environment, olga, limit_s=900), olga, 3)
    shift(drill, step_1_ended=900.5)
    add_check(press(drill, olga, 3), seen=PASS, by=olga)
    done = finish_drill(drill, by=olga)
    assert done.result == "failed"
    entry = AuditEntry.objects.get(data__action="drill.finish")
    assert entry.data["after"]["reasons"] == ["Recovery took 15 min 1 s, the limit is 15 min."]


def test_steps_that_were_left_out_and_checks_that_failed_are_named(drill: Drill, olga: User) -> None:
    drill = press(drill, olga, 4)
    add_check(drill, seen=Seen(side="after", kind="smoke", name="an export downloads", passed=False), by=olga)
    add_check(drill, seen=Seen(side="before", kind="smoke", name="signing in works", passed=False), by=olga)
    finish_drill(drill, by=olga)
    assert AuditEntry.objects.get(data__action="drill.finish").data["after"]["reasons"] == [
        "Step 4, capture timings and interventions, was not done.",
        "Step 5, update the runbook, was not done.",
        "After the recovery an export downloads did not pass.",
    ]


def test_a_check_that_passed_when_it_was_looked_at_again_counts(drill: Drill, olga: User) -> None:
    press(drill, olga, 6)
    for passed in (False, True):
        add_check(drill, seen=Seen(side="after", kind="smoke", name="signing in works", passed=passed), by=olga)
    assert finish_drill(drill, by=olga).result == "passed"


def test_without_a_check_nothing_was_recovered(drill: Drill, olga: User) -> None:
    assert finish_drill(press(drill, olga, 6), by=olga).result == "failed"


def test_a_drill_that_has_not_begun_is_not_finished_and_an_ended_one_not_again(drill: Drill, olga: User) -> None:
    with pytest.raises(Refused) as early:
        finish_drill(drill, by=olga)
    assert early.value.code == "drill_is_ready"
    finish_drill(press(drill, olga), by=olga)
    with pytest.raises(Refused) as late:
        finish_drill(drill, by=olga)
    assert late.value.code == "drill_is_finished"
    with pytest.raises(Refused) as later:
        abandon_drill(drill, by=olga, reason="x")
    assert later.value.code == "drill_is_finished"


@pytest.mark.parametrize(("seconds", "refused"), [(60, False), (61, True)])
def test_an_intervention_above_a_minute_needs_a_note(drill: Drill, olga: User, seconds: int, refused: bool) -> None:
    press(drill, olga, 2)
    if refused:
        with pytest.raises(Refused) as refusal:
            note_intervention(drill, seconds=seconds, what="restarted it", by=olga, note="  ")
        assert refusal.value.message == "The intervention took 61 s, and above 60 s a note is required."
        assert not drill.interventions.exists()
    note_intervention(drill, seconds=seconds, what="restarted it", by=olga, note="it hung" if refused else "")
    assert drill.interventions.get().step == 2


def test_a_csv_header_passes_by_what_it_is_and_not_by_what_is_said(drill: Drill, olga: User) -> None:
    def passed(expected: str, got: str) -> bool:
        seen = Seen(side="after", kind="csv_header", name="orders", passed=True, expected=expected, got=got)
        return add_check(drill, seen=seen, by=olga).passed

    assert passed("id,total", "id,total")
    assert not passed("id,total", "id,sum")
    assert not passed("", "")


def test_after_the_end_checks_are_closed_and_notes_are_not(drill: Drill, olga: User) -> None:
    drill = finish_drill(press(drill, olga), by=olga)
    for late in (
        lambda: add_check(drill, seen=PASS, by=olga),
        lambda: note_intervention(drill, seconds=1, what="x", by=olga),
    ):
        with pytest.raises(Refused) as refusal:
            late()
        assert refusal.value.code == "drill_is_finished"
    write_step(drill, number=2, commands="stop", output="stopped", note="slow", by=olga)
    made = add_follow_up(drill, what="shorten step 2", owner="ann", due=date(2026, 12, 24), by=olga)
    for _ in range(2):
        follow_up_done(drill, follow_up=made.pk, by=olga)
    assert mark_runbook(drill, link="https://wiki.example.com/7", by=olga).runbook_updated
    assert actions()[-4:] == ["drill.write_step", "drill.follow_up", "drill.follow_up_done", "drill.runbook"]
    assert drill.steps.get(number=2).output == "stopped"


def test_nothing_is_written_to_an_abandoned_drill(drill: Drill, olga: User) -> None:
    drill = abandon_drill(drill, by=olga, reason="called away")
    for late in (
        lambda: write_step(drill, number=1, commands="", output="x", note="", by=olga),
        lambda: add_follow_up(drill, what="x", owner="y", by=olga),
        lambda: mark_runbook(drill, link="https://x.example", by=olga),
    ):
        with pytest.raises(Refused) as refusal:
            late()
        assert refusal.value.code == "drill_is_abandoned"
    assert not drill.follow_ups.exists()


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "wiki", "https://", "http://[", "https://a b", "//x.example", ""]
)
def test_a_runbook_link_is_an_address(drill: Drill, olga: User, link: str) -> None:
    with pytest.raises(Refused):
        mark_runbook(drill, link=link, by=olga)


def test_a_step_and_a_follow_up_that_are_not_there_are_refused(drill: Drill, olga: User) -> None:
    for wrong in (
        lambda: write_step(drill, number=6, commands="", output="", note="", by=olga),
        lambda: follow_up_done(drill, follow_up=1, by=olga),
        lambda: add_check(drill, seen=Seen(side="during", kind="smoke", name="x"), by=olga),
    ):
        with pytest.raises(Refused):
            wrong()
    assert not DrillCheck.objects.exists()
