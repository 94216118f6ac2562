from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_app.engine.contract.chain import (
    Declared,
    Link,
    between,
    down_path,
    is_revision_id,
    name_order,
    resolve,
)
from migrations_app.engine.errors import Refused

THREE = (Link("0001_a", ""), Link("0002_b", "0001_a"), Link("0003_c", "0002_b"))


def refused(*declared: tuple[str, str | None]) -> Refused:
    with pytest.raises(Refused) as caught:
        resolve(Declared(name, parent) for name, parent in declared)
    assert caught.value.not_done == "Nothing was planned."
    assert caught.value.next_step
    return caught.value


def test_nothing_is_a_chain_too() -> None:
    assert resolve([]) == ()


def test_without_parents_the_names_give_the_order() -> None:
    assert resolve(Declared(name, None) for name in ("0003_c", "0001_a", "0002_b")) == THREE


def test_numbers_are_compared_as_numbers() -> None:
    names = ["10_a", "9_z", "0008_x", "20230101120000_y"]
    assert [link.revision_id for link in resolve(Declared(name, None) for name in names)] == [
        "0008_x",
        "9_z",
        "10_a",
        "20230101120000_y",
    ]


def test_a_declared_parent_wins_over_the_name() -> None:
    declared = [Declared("0001_z", "0002_y"), Declared("0002_y", ""), Declared("0003_x", "0001_z")]
    assert [link.revision_id for link in resolve(declared)] == ["0002_y", "0001_z", "0003_x"]


def test_two_of_one_number_are_ordered_by_their_parents() -> None:
    declared = [Declared("1_a", ""), Declared("2_c", "1_a"), Declared("2_b", "2_c")]
    assert [link.revision_id for link in resolve(declared)] == ["1_a", "2_c", "2_b"]


def test_it_refuses_a_double() -> None:
    error = refused(("1_a", None), ("1_a", ""), ("2_b", None))
    assert (error.code, error.message) == ("duplicate_revision", "There is more than one revision 1_a.")


def test_it_refuses_a_gap() -> None:
    error = refused(("1_a", None), ("3_c", "2_b"))
    assert (error.code, error.message) == ("missing_parent", "A parent is not there: 3_c (its parent 2_b).")


def test_it_refuses_a_fork() -> None:
    error = refused(("1_a", None), ("2_b", None), ("3_c", "1_a"))
    assert (error.code, error.message) == ("two_heads", "These revisions all have parent 1_a: 2_b, 3_c.")


def test_it_refuses_two_roots() -> None:
    error = refused(("1_a", None), ("2_b", ""))
    assert (error.code, error.message) == ("two_heads", "These revisions all have no parent: 1_a, 2_b.")


@pytest.mark.parametrize(
    ("declared", "named"),
    [
        ([("1_a", "1_a")], "1_a"),
        ([("1_a", "2_b"), ("2_b", "1_a")], "1_a, 2_b"),
        ([("1_a", ""), ("2_b", "3_c"), ("3_c", "2_b")], "2_b, 3_c"),
        ([("1_a", ""), ("2_b", "2_b"), ("3_c", None)], "2_b"),
    ],
)
def test_it_refuses_a_cycle(declared: list[tuple[str, str | None]], named: str) -> None:
    error = refused(*declared)
    assert (error.code, error.message) == ("cycle", f"These revisions are each other's ancestors: {named}.")


def test_a_wide_fork_is_named_by_its_first_few() -> None:
    error = refused(("1_a", ""), *((f"{n}_x", "1_a") for n in range(2, 1002)))
    assert error.message == "These revisions all have parent 1_a: 2_x, 3_x, 4_x, 5_x, 6_x and 995 more."


@given(st.integers(0, 60), st.randoms())
def test_any_chain_is_found_from_any_order(length: int, chance: random.Random) -> None:
    names = [f"{n}_{chance.choice('abc')}" for n in range(length)]
    chance.shuffle(names)
    declared = [Declared(name, parent) for name, parent in zip(names, ["", *names], strict=False)]
    chance.shuffle(declared)
    assert [link.revision_id for link in resolve(declared)] == names


@given(st.lists(st.tuples(st.integers(0, 8), st.none() | st.integers(-1, 9)), max_size=9))
def test_whatever_is_declared_is_a_chain_or_refused(pairs: list[tuple[int, int | None]]) -> None:
    def name(number: int) -> str:
        return f"{number}_x" if number >= 0 else ""

    declared = [Declared(name(n), None if p is None else name(p)) for n, p in pairs]
    try:
        chain = resolve(declared)
    except Refused as error:
        assert error.code in ("duplicate_revision", "missing_parent", "cycle", "two_heads")
        return
    assert sorted(link.revision_id for link in chain) == sorted(one.revision_id for one in declared)
    assert [link.parent for link in chain] == ["", *(link.revision_id for link in chain)][: len(chain)]


def test_ten_thousand_links_take_a_moment() -> None:
    declared = [Declared(f"{n:05}_x", f"{n - 1:05}_x" if n else "") for n in range(10_000)]
    random.Random(1).shuffle(declared)
    took = []
    for _ in range(3):
        began = time.process_time()
        assert len(resolve(declared)) == 10_000
        took.append(time.process_time() - began)
    assert min(took) < 0.1


@pytest.mark.parametrize(
    ("head", "to", "expected"),
    [
        ("", None, THREE),
        ("", "0002_b", THREE[:2]),
        ("0001_a", None, THREE[1:]),
        ("0001_a", "0002_b", THREE[1:2]),
        ("0003_c", None, ()),
        ("0002_b", "0002_b", ()),
        ("", "", ()),
    ],
)
def test_between_is_what_is_still_to_run(head: str, to: str | None, expected: tuple[Link, ...]) -> None:
    assert between(THREE, head=head, to=to) == expected


@pytest.mark.parametrize(
    ("head", "to", "expected"),
    [
        ("0003_c", "", THREE[::-1]),
        ("0003_c", "0001_a", (THREE[2], THREE[1])),
        ("0002_b", "0001_a", (THREE[1],)),
        ("0002_b", "0002_b", ()),
        ("", "", ()),
    ],
)
def test_the_down_path_is_newest_first(head: str, to: str, expected: tuple[Link, ...]) -> None:
    assert down_path(THREE, head=head, to=to) == expected


def test_up_does_not_go_down_nor_down_up() -> None:
    with pytest.raises(Refused, match="0001_a lies before 0002_b, the head") as caught:
        between(THREE, head="0002_b", to="0001_a")
    assert caught.value.code == "wrong_direction"
    with pytest.raises(Refused, match="0003_c lies after 0002_b, the head") as caught:
        down_path(THREE, head="0002_b", to="0003_c")
    assert caught.value.code == "wrong_direction"


@pytest.mark.parametrize(("head", "to"), [("0009_x", "0001_a"), ("0001_a", "0009_x")])
def test_an_unknown_revision_is_refused(head: str, to: str) -> None:
    for path in (between, down_path):
        with pytest.raises(Refused, match="There is no revision 0009_x") as caught:
            path(THREE, head=head, to=to)
        assert caught.value.code == "unknown_revision"


@pytest.mark.parametrize(
    "name", ["0001_init", "1_x", "20230101120000_add_x", "000001_create-users", "1_a.b", "1_" + "x" * 198]
)
def test_names_that_are_ids(name: str) -> None:
    assert is_revision_id(name)


@pytest.mark.parametrize(
    "name", ["", "init", "0001", "0001_", "0001-x", "1_a b", "1_ä", "1_a/b", "1_a\n", "１_x", "1_" + "x" * 199]
)
def test_names_that_are_not(name: str) -> None:
    assert not is_revision_id(name)


def test_the_order_of_names_is_total() -> None:
    assert sorted(["1_a", "0001_a", "x", "2"], key=name_order) == ["x", "0001_a", "1_a", "2"]
