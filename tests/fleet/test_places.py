"""Stretches of places: unions, windows and what is left over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from migrations_app.fleet.places import Places, outside, places

stretches = st.lists(st.tuples(st.integers(-3, 30), st.integers(-3, 30)), max_size=6)


def members(known: Places) -> set[int]:
    return {place for first, last in known.stretches for place in range(first, last + 1)}


def test_nothing_is_nothing() -> None:
    assert places([], 10) == Places()
    assert places([(5, 4), (11, 20)], 10) == Places()
    assert Places().down_from(9, 5) == ()


def test_neighbours_become_one_stretch_and_the_newest_comes_first() -> None:
    assert places([(1, 2), (3, 4), (8, 9)], 10).stretches == ((8, 9), (1, 4))


@given(stretches, st.integers(0, 25))
def test_the_union_is_that_of_sets(given_stretches: list[tuple[int, int]], within: int) -> None:
    wanted = {p for first, last in given_stretches for p in range(max(first, 1), min(last, within) + 1)}
    known = places(given_stretches, within)
    assert members(known) == wanted
    assert len(known) == len(wanted)


@given(stretches, st.integers(0, 32), st.integers(1, 8))
def test_a_window_goes_down_from_its_place(given_stretches: list[tuple[int, int]], place: int, most: int) -> None:
    known = places(given_stretches, 30)
    wanted = sorted((p for p in members(known) if p <= place), reverse=True)[:most]
    assert list(known.down_from(place, most)) == wanted
    assert known.newer_than(place) == len([p for p in members(known) if p > place])


@given(stretches, st.integers(1, 30), st.integers(1, 30))
def test_what_is_outside_and_what_is_inside_make_the_whole(
    given_stretches: list[tuple[int, int]], first: int, last: int
) -> None:
    known = places(given_stretches, 30)
    left = members(outside(known, first, last))
    assert left == set(range(first, last + 1)) - members(known)
