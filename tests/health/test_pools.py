"""How full a pool is, from what psycopg_pool counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from migrations_app.health.pools import PROCESS_FIELDS, PoolState, worst

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sample(
    size: int, available: int, waiting: int = 0, *, most: int = 6, pid: int = 7, at: datetime = NOON
) -> PoolState:
    stats = {"pool_size": size, "pool_available": available, "requests_waiting": waiting}
    return PoolState.of(stats, 1, most, pid, at)


@pytest.mark.parametrize(
    ("size", "available", "waiting", "most", "saturation", "overflow"),
    [
        (0, 0, 0, 6, 0.0, 0),
        (1, 1, 0, 6, 0.0, 0),
        (2, 1, 0, 6, 0.1667, 1),
        (6, 0, 0, 6, 1.0, 5),
        (6, 5, 1, 6, 1.0, 5),  # whoever waits is not served, whatever is free by now
        (1, 2, 0, 6, 0.0, 0),
        (3, 0, 0, 2, 1.0, 2),
        (0, 0, 0, 0, 0.0, 0),
    ],
)
def test_how_full_it_is(size: int, available: int, waiting: int, most: int, saturation: float, overflow: int) -> None:
    state = sample(size, available, waiting, most=most)
    assert (state.saturation, state.overflow, state.checked_out) == (saturation, overflow, size - available)


def test_what_has_not_happened_is_zero() -> None:
    assert PoolState.of({}, 1, 6, 7, NOON).as_json() == {
        "size": 0,
        "checked_out": 0,
        "overflow": 0,
        "checked_in": 0,
        "max_capacity": 6,
        "saturation": 0.0,
        "requests_waiting": 0,
        "worker_pid": 7,
        "sampled_at": "2026-01-01T12:00:00+00:00",
    }


def test_a_line_of_the_list_of_processes() -> None:
    assert tuple(sample(2, 1).as_process()) == PROCESS_FIELDS


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sample(1, 1, at=NOON.replace(tzinfo=None))


def test_the_worst_is_the_fullest_then_where_most_wait_then_the_newest() -> None:
    calm, full = sample(6, 3, pid=1), sample(6, 0, pid=2)
    waiting, newer = sample(6, 0, 2, pid=3), sample(6, 0, 2, pid=4, at=NOON + timedelta(seconds=5))
    assert worst([]) is None
    assert worst([calm]) is calm
    assert worst([full, calm]) is full
    assert worst([full, waiting, calm]) is waiting
    assert worst([newer, waiting]) is newer
