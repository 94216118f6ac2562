from __future__ import annotations

import pytest

from migrations_app.engine.sql import tree
from migrations_app.engine.sql.reading import pieces_of


def test_a_shape_that_was_not_expected_reads_as_empty() -> None:
    assert tree.unwrap(None) == tree.unwrap({}) == tree.unwrap({"a": 1}) == tree.unwrap({"a": {}, "b": {}}) == ("", {})
    assert tree.field({"a": [1]}, "a") == {}
    assert tree.items({"a": 1}, "a") == []
    assert tree.text({"a": 1}, "a") == ""
    assert tree.flag({"a": "true"}, "a") is False
    assert tree.strings(5) == tree.strings([{"Integer": {"ival": 1}}]) == []


@pytest.mark.parametrize(
    ("option", "on"),
    [
        ("", False),
        ("(VERBOSE)", False),
        ("(CONCURRENTLY)", True),
        ("(CONCURRENTLY on)", True),
        ("(CONCURRENTLY true)", True),
        ("(CONCURRENTLY 1)", True),
        ("(CONCURRENTLY 0)", False),
        ("(CONCURRENTLY off)", False),
        ("(CONCURRENTLY 'false')", False),
    ],
)
def test_an_option_is_on_as_postgresql_reads_it(option: str, on: bool) -> None:
    (piece,) = pieces_of(f"REINDEX {option} TABLE t")
    assert tree.option(piece.node, "params", "concurrently") is on


def test_walking_needs_no_recursion() -> None:
    root: tree.Node = {}
    node = root
    for _ in range(100_000):
        inner: tree.Node = {}
        node["next"] = [inner]
        node = inner
    assert sum(1 for _ in tree.walk(root)) == 100_001
