"""What the log says over all drills: percentiles, freshness, the last of each kind, and two beside each other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_app.models import Environment
from migrations_app.rehearsals.drills.compare import Delta, compare_drills
from migrations_app.rehearsals.drills.detail import detail_of
from migrations_app.rehearsals.drills.listing import DrillFilter, list_drills
from migrations_app.rehearsals.drills.states import EDGES, RESULTS, SENTENCES
from migrations_app.rehearsals.drills.summary import (
    FRESH_DAYS,
    is_fresh,
    last_of_each_scenario,
    percentile,
    production_places,
    summarise,
)
from migrations_app.rehearsals.drills.words import took
from tests.edge.drills import held, press, ready
from tests.edge.fleet import make_environment

ALL = DrillFilter()


@pytest.mark.parametrize(
    ("values", "p95"),
    [([], None), ([7], 7), ([1, 2], 2), (list(range(100, 1100, 100)), 955), ([30, 10, 20], 29)],
)
def test_the_percentile_lies_between_its_neighbours(values: list[int], p95: int | None) -> None:
    assert percentile(values, 0.95) == p95


def test_a_success_is_fresh_for_fourteen_days_and_not_a_second_longer() -> None:
    now = timezone.now()
    assert is_fresh(now - timedelta(days=FRESH_DAYS), now)
    assert not is_fresh(now - timedelta(days=FRESH_DAYS, seconds=1), now)
    assert not is_fresh(None, now)


def test_every_state_and_result_has_its_sentence() -> None:
    assert {state for edge in EDGES for state in edge} == set(SENTENCES)
    assert set(RESULTS) == {"passed", "with_interventions", "failed"}


@pytest.mark.parametrize(
    ("ms", "words"), [(0, "0 s"), (999, "0 s"), (61_000, "1 min 1 s"), (900_000, "15 min"), (3_900_000, "1 h 5 min")]
)
def test_durations_are_said_in_whole_seconds(ms: int, words: str) -> None:
    assert took(ms) == words


def test_it_looks_at_the_last_ten_recoveries_alone(environment: Environment, olga: User) -> None:
    now = timezone.now()
    held(environment, olga, (1, 5000, 5000, 1, 1), ended=now - timedelta(days=30))
    for day in range(10):
        held(environment, olga, (1, 50, 50, 1, 1), ended=now - timedelta(days=day))
    held(environment, olga, (1, 50, 50, 1, 1), scenario="data", result="failed", ended=now - timedelta(days=20))
    told = summarise(ALL)
    assert (told.recoveries, told.p95_ms, told.fresh) == (10, 100_000, True)
    assert summarise(DrillFilter(scenario="data")).success is None
    assert summarise(DrillFilter(service="none")).recoveries == 0


def test_it_tells_the_newest_of_each_scenario(environment: Environment, olga: User) -> None:
    held(environment, olga)
    newer = held(environment, olga, result="failed")
    data = held(environment, olga, scenario="data")
    press(ready(environment, olga, "feature"), olga)
    assert last_of_each_scenario(ALL) == {"schema": newer, "data": data}


def test_production_is_told_the_least_practised_first(environment: Environment, olga: User) -> None:
    us, dev = (make_environment(environment.service, name, stage) for name, stage in (("us", "prod"), ("dev", "dev")))
    never = make_environment(environment.service, "never")
    held(environment, olga, ended=timezone.now() - timedelta(days=1))
    held(us, olga, ended=timezone.now() - timedelta(days=20))
    held(dev, olga)
    held(never, olga, result="failed")
    told = production_places(ALL)
    assert [(row.environment, row.state) for row in told.rows] == [
        (never, "missing"),
        (us, "stale"),
        (environment, "ok"),
    ]
    assert (told.total, told.unpractised) == (3, 2)


def test_a_step_is_measured_against_earlier_drills_of_its_kind_in_its_place(
    environment: Environment, olga: User
) -> None:
    other = make_environment(environment.service, "us")
    held(environment, olga, (10, 40, 30, 20, 10))
    held(environment, olga, (10, 20, 30, 20, 10), result="failed")
    held(environment, olga, (10, 1, 30, 20, 10), scenario="data")
    held(other, olga, (10, 2, 30, 20, 10))
    detail = detail_of(ready(environment, olga))
    assert (detail.steps[1].last_ms, detail.steps[1].best_ms) == (20_000, 40_000)


def test_the_list_goes_on_where_its_window_ended(environment: Environment, olga: User) -> None:
    drills = [held(environment, olga) for _ in range(3)]
    first = list_drills(ALL, 2)
    assert [drill.pk for drill in first.rows] == [drills[2].pk, drills[1].pk]
    rest = list_drills(DrillFilter(before=first.older), 2)
    assert ([drill.pk for drill in rest.rows], rest.older) == ([drills[0].pk], None)


@pytest.mark.parametrize(
    ("one", "other", "slower", "words"),
    [
        (100, 120, False, "20 % slower"),
        (100, 121, True, "21 % slower"),
        (100, 80, False, "20 % faster"),
        (100, 100, False, "the same"),
        (0, 5, False, "took no time before"),
        (None, 5, False, "done in one only"),
        (None, None, False, "not done in both"),
    ],
)
def test_more_than_a_fifth_slower_is_flagged(one: int | None, other: int | None, slower: bool, words: str) -> None:
    delta = Delta("x", one, other)
    assert (delta.slower, delta.words) == (slower, words)


def test_two_drills_are_compared_step_by_step(environment: Environment, olga: User) -> None:
    one, other = held(environment, olga, (10, 60, 30)), held(environment, olga, (10, 90, 30, 20, 10))
    pair = compare_drills(one, other)
    assert [step.ms for step in pair.steps] == [0, 30_000, 0, None, None]
    assert (pair.slower, pair.recovery.ms, pair.alike) == (1, 30_000, True)
    assert not compare_drills(one, held(environment, olga, scenario="data")).alike
