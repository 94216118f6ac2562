"""Arithmetic of forecasts on traces written by hand, and one sample against reality."""

from __future__ import annotations

import pytest

from migrations_app.embedded.postgres import Server
from migrations_app.engine.clone.forecast import (
    Forecast,
    TableSize,
    error_factor,
    forecast,
)
from migrations_app.engine.clone.trace import StatementTrace
from tests.bench.forecast import compare, off_by
from tests.bench.forecast_revisions import REVISIONS

CLONE = {"public.orders": TableSize(20_000, 2_000_000), "public.tiny": TableSize(500, 50_000)}
TARGET = {"public.orders": TableSize(2_100_000, 420_000_000), "public.tiny": TableSize(500, 50_000)}
AE = "ACCESS EXCLUSIVE"


def traced(
    *locks: tuple[str, str],
    ms: float = 10.5,
    step: int = 1,
    statement: int = 1,
    scanned: tuple[tuple[str, int], ...] = (),
    rewritten: tuple[str, ...] = (),
    emptied: tuple[str, ...] = (),
    rows: tuple[tuple[str, int, int, int], ...] = (),
    sampled: bool = False,
    tag: str = "ALTER TABLE",
) -> StatementTrace:
    return StatementTrace(
        "0001_r", step, statement, "…", locks, rewritten, scanned, (), rows, 0, ms, sampled, True, tag, emptied
    )


def of(*traces: StatementTrace, target: dict[str, TableSize] | None = None, budget_s: float = 2) -> list[Forecast]:
    return [*forecast(traces, clone=CLONE, target=target or TARGET, budget_s=budget_s)]


# Do nothing


def test_it_forecasts_nothing_for_nothing() -> None:
    assert of() == []


def test_it_lets_a_lock_pass_under_which_nothing_is_read() -> None:
    (one,) = of(traced(("public.orders", AE)))
    assert (one.lock, one.relation, one.blocks_writers, one.over_budget) == (AE, "public.orders", True, False)
    assert (one.work_ms, one.hold_ms) == (10.5, 10.5)
    assert one.sentence == "ACCESS EXCLUSIVE on public.orders for a moment: no rows are read or rewritten under it."


def test_it_lets_a_table_be_emptied() -> None:
    (one,) = of(traced(("public.orders", AE), rewritten=("public.orders",), emptied=("public.orders",)))
    assert not one.over_budget and one.work_ms == 10.5


def test_it_lets_a_long_scan_pass_under_a_lock_that_keeps_nobody_out() -> None:
    lock = ("public.orders", "SHARE UPDATE EXCLUSIVE")
    (one,) = of(traced(lock, ms=10_000.5, scanned=(("public.orders", 20_000),)))
    assert not one.over_budget and not one.blocks_writers and one.hold_ms == 0
    assert one.work_ms == pytest.approx(1_050_000.5)
    assert one.sentence == (
        "SHARE UPDATE EXCLUSIVE on public.orders (2,100,000 rows): readers and writers go on; about 17.5 min of work."
    )


def test_it_tells_work_without_any_lock() -> None:
    (one,) = of(traced(ms=3.0))
    assert (one.lock, one.relation) == ("", "")
    assert one.sentence == "No lock on what existed before; about 3.0 ms of work."


# The danger


def test_it_scales_a_scan_by_rows_and_says_that_it_is_over_the_budget() -> None:
    (one,) = of(traced(("public.orders", AE), ms=40.5, scanned=(("public.orders", 20_000),)))
    assert one.hold_ms == one.work_ms == pytest.approx(0.5 + 40 * 105)
    assert one.over_budget
    assert one.sentence == (
        "ACCESS EXCLUSIVE on public.orders for about 4.2 s (2,100,000 rows): over the budget of 2 s."
    )


def test_it_scales_a_rewrite_by_bytes() -> None:
    rewrite = traced(("public.orders", AE), rewritten=("public.orders",), scanned=(("public.orders", 120_000),))
    (one,) = of(rewrite)
    assert one.work_ms == pytest.approx(0.5 + 10 * 210)


def test_it_scales_changed_rows_by_rows() -> None:
    (one,) = of(traced(("public.orders", "ROW EXCLUSIVE"), rows=(("public.orders", 0, 20_000, 0),)))
    assert one.work_ms == pytest.approx(0.5 + 10 * 105)
    assert "readers and writers of other rows go on" in one.sentence


def test_it_weighs_tables_by_the_rows_that_are_read_of_them() -> None:
    (one, _) = of(
        traced(
            ("public.orders", "SHARE ROW EXCLUSIVE"),
            ("public.tiny", "SHARE ROW EXCLUSIVE"),
            scanned=(("public.orders", 20_000), ("public.tiny", 500)),
        )
    )
    assert one.work_ms == pytest.approx(0.5 + 10 * (20_000 * 105 + 500) / 20_500)


def test_it_keeps_a_margin_and_says_so() -> None:
    (one,) = of(traced(("public.orders", "SHARE"), scanned=(("public.orders", 20_000),)))
    assert one.hold_ms == pytest.approx(1050.5) and one.over_budget
    assert one.sentence == (
        "SHARE on public.orders for about 1.1 s (2,100,000 rows), 3.2 s with its margin: over the budget of 2 s."
    )


def test_it_says_when_a_lock_stays_within_its_budget() -> None:
    (one,) = of(traced(("public.orders", "SHARE"), ms=3.0, scanned=(("public.orders", 20_000),)))
    assert not one.over_budget
    assert one.sentence == "SHARE on public.orders for about 263 ms (2,100,000 rows): within the budget of 2 s."


def test_it_holds_an_early_lock_to_the_end_of_its_step() -> None:
    first, second, other = of(
        traced(("public.orders", AE), ms=1.0),
        traced(ms=50.5, statement=2, scanned=(("public.orders", 20_000),)),
        traced(("public.tiny", AE), ms=2.0, step=2),
    )
    assert first.work_ms == 1.0
    assert first.hold_ms == pytest.approx(1.0 + 0.5 + 50 * 105) and first.over_budget
    assert second.hold_ms == 0
    assert other.hold_ms == 2.0 and not other.over_budget
    assert [first.work_ms, second.work_ms, other.work_ms] == pytest.approx([1.0, 5250.5, 2.0])


def test_it_tells_each_lock_of_a_statement_with_two() -> None:
    both = of(traced(("public.orders", AE), ("public.tiny", AE), ms=4.0))
    assert [one.relation for one in both] == ["public.orders", "public.tiny"]
    assert [one.work_ms for one in both] == [4.0, 4.0]


def test_it_holds_what_was_measured_itself_against_the_budget() -> None:
    """Without any row a margin would be guesswork, but a sleep is as long there as here."""
    asleep, quick = of(traced(("public.orders", AE), ms=2500.0)), of(traced(("public.orders", AE), ms=1500.0))
    assert (asleep[0].over_budget, quick[0].over_budget) == (True, False)


# What a copy cannot tell


def test_it_does_not_trust_a_copy_with_few_rows() -> None:
    large = {"public.tiny": TableSize(50_000, 5_000_000)}
    (one,) = of(traced(("public.tiny", AE), ms=1.0, scanned=(("public.tiny", 500),)), target=large)
    assert one.over_budget
    assert one.sentence == (
        "ACCESS EXCLUSIVE on public.tiny while public.tiny is read or rewritten: the copy holds too few rows of it to "
        "tell for how long. This counts as over the budget of 2 s."
    )


@pytest.mark.parametrize(("rows", "over"), [(500, False), (9_999, False), (10_000, True)])
def test_it_trusts_it_where_the_target_is_small_too(rows: int, over: bool) -> None:
    target = {"public.tiny": TableSize(rows, rows * 100)}
    (one,) = of(traced(("public.tiny", AE), ms=1.0, scanned=(("public.tiny", 500),)), target=target)
    assert one.over_budget is over


def test_it_does_not_mind_few_rows_while_nobody_is_kept_out() -> None:
    large = {"public.tiny": TableSize(50_000, 5_000_000)}
    (one,) = of(traced(("public.tiny", "SHARE UPDATE EXCLUSIVE"), scanned=(("public.tiny", 500),)), target=large)
    assert not one.over_budget


def test_it_cannot_tell_of_an_empty_copy_whether_it_would_be_read() -> None:
    found = forecast(
        [traced(("public.orders", AE), ms=1.0)],
        clone={"public.orders": TableSize(0, 8192)},
        target=TARGET,
        budget_s=2,
    )
    assert found[0].over_budget


def test_it_takes_a_table_the_plan_fills_for_as_much_larger_as_its_source() -> None:
    _, built = of(
        traced(scanned=(("public.orders", 20_000),), rows=(("public.copy", 10_000, 0, 0),), tag="CREATE TABLE AS"),
        traced(("public.copy", "SHARE"), step=2, scanned=(("public.copy", 10_000),), tag="CREATE INDEX"),
    )
    assert built.work_ms == pytest.approx(0.5 + 10 * 105)


def test_it_scales_a_vacuum_whose_reading_no_counter_tells() -> None:
    lock = ("public.orders", "SHARE UPDATE EXCLUSIVE")
    vacuum, drop = of(traced(lock, sampled=True, tag="VACUUM"), traced(lock, step=2, sampled=True, tag="DROP INDEX"))
    assert vacuum.work_ms == pytest.approx(1050.5)
    assert drop.work_ms == 10.5


# Errors of earlier ones


def test_it_has_no_error_without_an_earlier_forecast() -> None:
    assert error_factor([]) is None


def test_it_takes_the_median_of_errors_in_both_directions() -> None:
    assert error_factor([(10, 10), (10, 20), (40, 10)]) == 2
    assert error_factor([(10, 14), (14, 10)]) == pytest.approx(1.4)


def test_it_survives_a_time_of_nothing() -> None:
    assert error_factor([(0, 0)]) == 1


# Reality


def test_it_forecasts_real_revisions_of_every_kind(pg18: Server) -> None:
    """On few rows, so that only gross errors show; `make bench` measures how far off it is."""
    found = compare(pg18.dsn, 1_000)
    assert len({one.revision_id for one in found}) == len(REVISIONS) > 30
    assert all(one.forecast_ms >= one.here_ms * 0.99 for one in found)
    scaled = [one.summary for one in found if one.forecast_ms > one.here_ms * 5]
    assert len(scaled) > 20
    assert off_by(found) < 10
