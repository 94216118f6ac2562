"""Each rule at its exact boundary, and in random orders against a second, simpler idea of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrations_app.alerts.rules import (
    Reading,
    Sample,
    Standing,
    baseline,
    degraded_for,
    over_limit,
    restarts_within,
    retry_pressure,
    saturated_in_a_row,
)

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
REASONS = ("db_pool_saturated", "redis_unavailable")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def degraded(*seconds: float) -> list[Sample]:
    return [Sample(at(one), REASONS[0]) for one in seconds]


def pools(*saturations: float | None) -> list[Sample]:
    return [Sample(at(15 * n), saturation=one) for n, one in enumerate(saturations)]


def missed(count: int, after: float = 1000) -> list[Sample]:
    return [Sample(at(after + 15 * n), missed=True) for n in range(count)]


def judged(samples: Iterable[Sample]) -> Reading:
    return degraded_for(list(samples), 300)


class TestDegraded:
    def test_300_seconds_fire_and_299_do_not(self) -> None:
        assert judged(degraded(0, 150, 299)).standing == Standing.PENDING
        found = judged(degraded(0, 150, 300))
        assert (found.standing, found.value, found.since) == (Standing.FIRING, 300, NOW)
        assert found.sentence == "db_pool_saturated for 5 min of 5 min."

    def test_another_reason_goes_on_and_none_begins_anew(self) -> None:
        changed = [*degraded(0), Sample(at(300), REASONS[1])]
        assert judged(changed).standing == Standing.FIRING
        healed = [*degraded(0, 150), Sample(at(200)), *degraded(250, 540)]
        assert (judged(healed).standing, judged(healed).value) == (Standing.PENDING, 290)

    def test_a_missed_look_neither_counts_nor_resets(self) -> None:
        between = [*degraded(0, 150), *missed(3, after=165), *degraded(300)]
        assert judged(between).standing == Standing.FIRING
        at_the_end = [*degraded(0, 285), *missed(3, after=300)]
        assert (judged(at_the_end).standing, judged(at_the_end).value) == (Standing.PENDING, 285)

    def test_more_than_three_missed_tell_nothing(self) -> None:
        assert judged([*degraded(0, 300), *missed(4)]).standing == Standing.NO_DATA
        assert judged([*degraded(0, 300), *missed(4)]).sentence == "Four looks in a row got no answer."
        assert judged([]).sentence == "Nothing was observed yet."
        assert judged(missed(2)).standing == Standing.NO_DATA

    def test_healthy_is_normal(self) -> None:
        assert judged([*degraded(0, 400), Sample(at(415))]) == Reading(
            Standing.NORMAL, 0, 300, "Healthy at the newest look."
        )


class TestSaturation:
    def test_three_in_a_row_fire_and_two_do_not(self) -> None:
        assert saturated_in_a_row(pools(0.5, 0.9, 0.95), 0.9, 3).standing == Standing.PENDING
        found = saturated_in_a_row(pools(0.5, 0.9, 0.95, 0.9), 0.9, 3)
        assert (found.standing, found.value, found.since) == (Standing.FIRING, 3, at(15))
        assert found.sentence == "Saturation 0.9 against 0.90: 3 of 3 probes in a row."

    def test_a_little_less_resets_and_null_does_not(self) -> None:
        assert saturated_in_a_row(pools(0.9, 0.9, 0.8999, 0.9), 0.9, 3).value == 1
        assert saturated_in_a_row(pools(0.9, 0.9, None, 0.9), 0.9, 3).standing == Standing.FIRING
        assert saturated_in_a_row(pools(0.9, 0.9, 0.9, None, None, None, None), 0.9, 3).standing == Standing.NO_DATA


class TestRestarts:
    def test_three_fire_and_one_that_is_600_seconds_old_is_out(self) -> None:
        young = [at(-599.999), at(-300), at(0)]
        found = restarts_within(young, NOW, 600, 3)
        assert (found.standing, found.sentence) == (Standing.FIRING, "Three restarts of 3 in 10 min.")
        assert restarts_within([at(-600), *young[1:]], NOW, 600, 3).standing == Standing.PENDING
        assert restarts_within([], NOW, 600, 3).standing == Standing.NORMAL


class TestRetryPressure:
    @pytest.mark.parametrize(
        ("count", "usual", "standing"),
        [
            (9, 0, Standing.NORMAL),
            (10, 0, Standing.FIRING),
            (10, 3, Standing.FIRING),
            (11, 4, Standing.NORMAL),
            (12, 4, Standing.FIRING),
        ],
    )
    def test_three_times_the_median_and_ten_at_least(self, count: int, usual: int, standing: Standing) -> None:
        found = retry_pressure([at(-n) for n in range(count)], NOW, counts=[usual] * 288, factor=3, least=10)
        assert (found.standing, found.value) == (standing, count)

    def test_an_event_that_is_five_minutes_old_is_out(self) -> None:
        events = [at(-300), *(at(-299.9) for _ in range(9))]
        found = retry_pressure(events, NOW, counts=[1, 2, 9], factor=3, least=10)
        assert found.sentence == (
            "Nine retries in 5 min against 10: 3 × the median 2 ± 1 of three buckets, and at least 10."
        )
        assert baseline([]).buckets == 0


def test_a_figure_at_its_limit_has_passed_it() -> None:
    assert over_limit(1.999, 2, "Lag").standing == Standing.NORMAL
    assert over_limit(2, 2, "Lag").standing == Standing.FIRING
    assert over_limit(None, 2, "Lag").standing == Standing.NO_DATA


# One step of the model: what a look found, or that it was missed.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("missed", "", *REASONS)),
        st.sampled_from((None, 0.0, 0.8999, 0.9, 1.0)),
        st.integers(min_value=1, max_value=120),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_in_any_order_they_stand_as_a_simpler_idea_of_them_says(steps: list[tuple[str, float | None, int]]) -> None:
    samples: list[Sample] = []
    clock, began, newest, row, silent, blind, known = 0, None, 0, 0, 0, 0, [False, False]
    for what, saturation, passed in steps:
        clock += passed
        if what == "missed":
            samples.append(Sample(at(clock), missed=True))
            silent, blind = silent + 1, blind + 1
        else:
            samples.append(Sample(at(clock), what, saturation))
            silent, known[0] = 0, True
            began = (clock if began is None else began) if what else None
            newest = clock
            blind = blind + 1 if saturation is None else 0
            if saturation is not None:
                known[1] = True
                row = row + 1 if saturation >= 0.9 else 0
        lasted = 0 if began is None else newest - began
        degraded_stands = "firing" if lasted >= 300 else "pending" if began is not None else "normal"
        assert degraded_for(samples, 300).standing == (degraded_stands if known[0] and silent <= 3 else "no_data")
        full = "firing" if row >= 3 else "pending" if row else "normal"
        assert saturated_in_a_row(samples, 0.9, 3).standing == (full if known[1] and blind <= 3 else "no_data")
