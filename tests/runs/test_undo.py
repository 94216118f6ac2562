"""Rolling back a run takes exactly what it applied and what of that still stands, or says why it cannot."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.admission.rollback import roll_back_run
from migrations_app.engine.errors import Refused
from migrations_app.jobs.apply import execute
from migrations_app.models import Run
from migrations_app.runs.planning import ROOT
from migrations_app.runs.undo import CannotUndo, Undo, undo_of
from tests.runs.support import Fleet, make_fleet

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fleet(target_database: Callable[[], str]) -> Fleet:
    """Four revisions, none applied."""
    fleet = make_fleet(target_database())
    for n in (1, 2, 3, 4):
        fleet.put(f"000{n}_step", f"CREATE TABLE t{n} ()", down=f"DROP TABLE t{n}")
    return fleet


def refused(run: Run) -> CannotUndo:
    with pytest.raises(CannotUndo) as told:
        undo_of(run)
    return told.value


def undone(fleet: Fleet, run: Run) -> Run:
    back = roll_back_run(run, by=fleet.olga).run
    execute(back.pk)
    back.refresh_from_db()
    fleet.environment.refresh_from_db()
    return back


def test_it_takes_what_the_run_applied_and_nothing_else(fleet: Fleet) -> None:
    fleet.apply(to="0001_step")
    run = fleet.apply(to="0003_step")
    assert undo_of(run) == Undo(("0003_step", "0002_step"), "0001_step", ())
    back = undone(fleet, run)
    assert (back.status, back.direction) == ("rolled_back", "down")
    assert [one["revision_id"] for one in back.revisions] == ["0003_step", "0002_step"]
    assert fleet.environment.head_revision == "0001_step"
    told = refused(run)
    assert told.code == "run_undone"
    assert told.message == f"What run {run.pk} applied on dev-eu was rolled back already, last by run {back.pk}."
    assert (told.to, refused(back).code) == ("", "run_applied_nothing")


def test_later_revisions_on_top_are_named_and_the_way_below_them_is_offered(fleet: Fleet) -> None:
    fleet.apply(to="0001_step")
    run = fleet.apply(to="0002_step")
    fleet.apply()
    told = refused(run)
    assert (told.code, told.to, told.later) == ("run_not_newest", "0001_step", ("0004_step", "0003_step"))
    assert told.message == f"0004_step, 0003_step stand on what run {run.pk} applied on dev-eu."
    assert told.next_step == "Roll back to 0001_step, which takes them along."
    with pytest.raises(CannotUndo):
        roll_back_run(run, by=fleet.olga)
    assert Run.objects.count() == 3


def test_what_was_rolled_back_in_part_leaves_the_rest(fleet: Fleet) -> None:
    run = fleet.apply(to="0003_step")
    fleet.apply("down")
    assert undo_of(run) == Undo(("0002_step", "0001_step"), ROOT, ("0003_step",))


def test_a_revision_that_another_run_applied_again_is_not_this_ones(fleet: Fleet) -> None:
    first = fleet.apply(to="0002_step")
    fleet.apply("down")
    second = fleet.apply(to="0002_step")
    told = refused(first)
    assert (told.code, told.later) == ("run_not_newest", ("0002_step",))
    assert undo_of(second) == Undo(("0002_step",), "0001_step", ())
    undone(fleet, second)
    assert undo_of(first) == Undo(("0001_step",), ROOT, ("0002_step",))
    fleet.apply("down")
    fleet.apply(to="0002_step")
    assert refused(first).code == refused(second).code == "run_undone"


def test_a_failed_run_is_rolled_back_as_far_as_it_came(fleet: Fleet) -> None:
    fleet.put("0005_bad", "SELECT 1 / 0", down="SELECT 1")
    run = fleet.apply()
    assert run.status == "failed"
    assert undo_of(run).revision_ids == ("0004_step", "0003_step", "0002_step", "0001_step")
    again = fleet.apply()
    assert refused(again).code == "run_applied_nothing"
    assert "left no receipt" in refused(again).message


def test_a_run_that_is_not_over_is_not_rolled_back(fleet: Fleet) -> None:
    run = fleet.start()
    assert refused(run).code == "run_is_queued"
    with pytest.raises(CannotUndo, match="has to end"):
        roll_back_run(run, by=fleet.olga)


def test_the_second_of_two_roll_backs_meets_the_first(fleet: Fleet) -> None:
    run = fleet.apply(to="0002_step")
    fleet.start("down")
    with pytest.raises(NotAdmitted) as told:
        roll_back_run(run, by=fleet.olga)
    assert [condition.code for condition in told.value.conditions] == ["run_open"]


def test_of_two_at_the_same_moment_one_starts(fleet: Fleet) -> None:
    """From the run's page and from the environment's, each in a thread of its own."""
    run = fleet.apply(to="0002_step")
    both, told = threading.Barrier(2), []

    def ask(verb: Callable[[], object]) -> None:
        both.wait(10)
        try:
            verb()
            told.append("started")
        except Refused as refusal:
            told.append(refusal.code)
        finally:
            connection.close()

    verbs = (lambda: roll_back_run(run, by=fleet.olga), lambda: fleet.start("down", to=ROOT))
    threads = [threading.Thread(target=ask, args=[verb]) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(told) == ["not_admitted", "started"]
    assert Run.objects.filter(direction="down").count() == 1


def test_the_same_key_is_the_same_roll_back_also_when_it_is_over(fleet: Fleet) -> None:
    run = fleet.apply(to="0002_step")
    first = roll_back_run(run, by=fleet.olga, idempotency_key="k1")
    assert roll_back_run(run, by=fleet.olga, idempotency_key="k1").run == first.run
    execute(first.run.pk)
    again = roll_back_run(run, by=fleet.olga, idempotency_key="k1")
    assert (again.run, again.created) == (first.run, False)
    with pytest.raises(Refused, match="was used before"):
        roll_back_run(run, by=fleet.olga, reason="another", idempotency_key="k1")
