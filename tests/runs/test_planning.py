"""The plan is made of what is stored, unless other rules had split it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migrations_app.engine.contract.plan import Direction
from migrations_app.engine.errors import Refused
from migrations_app.engine.sql.script import SPLITTER, read_script
from migrations_app.models import Revision
from migrations_app.runs.actions import cancel
from migrations_app.runs.planning import ROOT, plan_of, planned
from tests.runs.support import Fleet, make_fleet

pytestmark = pytest.mark.django_db(transaction=True)

UP = "CREATE TABLE a (id int); DROP TABLE old; SELECT 1"
DOWN = "DROP TABLE a; SELECT 2"


@pytest.fixture
def fleet(target_database: Callable[[], str]) -> Fleet:
    return make_fleet(target_database())


def stored(fleet: Fleet, **changed: object) -> Revision:
    """A revision whose stored scripts have no steps and were split by the rules that `changed` says."""
    revision = fleet.put("0001_a", UP, down=DOWN).revision
    for name in ("up_script", "down_script"):
        setattr(revision, name, {**getattr(revision, name), "steps": [], **changed})
    revision.save()
    return Revision.objects.get(pk=revision.pk)


@pytest.mark.parametrize(("direction", "sql"), [("up", UP), ("down", DOWN)])
def test_a_script_of_other_rules_is_read_again(fleet: Fleet, direction: Direction, sql: str) -> None:
    script = planned(stored(fleet, splitter=SPLITTER - 1), direction).script
    assert script == read_script(sql)
    assert script.splitter == SPLITTER


def test_a_script_of_these_rules_is_taken_as_stored(fleet: Fleet) -> None:
    assert planned(stored(fleet), "up").script.steps == ()


def test_what_the_rules_of_today_refuse_is_not_planned(fleet: Fleet) -> None:
    revision = stored(fleet, splitter=SPLITTER - 1)
    revision.up = "SELECT 1;\nSET lock_timeout = 0;"
    with pytest.raises(Refused, match=r"^0001_a\.up\.sql: Line 2: ") as refusal:
        planned(revision, "up")
    assert refusal.value.code == "set_refused"


def test_a_run_executes_what_was_read_again(fleet: Fleet) -> None:
    revision = fleet.put("0001_a", "CREATE TABLE a (id int)").revision
    Revision.objects.filter(pk=revision.pk).update(up_script={**revision.up_script, "steps": [], "splitter": 1})
    assert fleet.apply().status == "succeeded"
    assert fleet.value("SELECT to_regclass('a') IS NOT NULL") is True


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_long_plan_takes_no_more_queries_than_a_short_one(fleet: Fleet, direction: Direction) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            run = fleet.start(direction, ROOT if direction == "down" else None)
            plan_of(run)
        cancel(run, by=fleet.olga)
        return len(asked)

    fleet.put("0001_a", "CREATE TABLE a (id int)", down="DROP TABLE a")
    if direction == "down":
        fleet.apply()
    short = queries()
    for number in range(2, 12):
        fleet.put(f"{number:04}_b", f"CREATE TABLE b{number} (id int)", down=f"DROP TABLE b{number}")
    if direction == "down":
        fleet.apply()
    assert queries() == short
