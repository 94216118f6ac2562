"""What is demanded of a JSON answer, and the sentence where it does not hold."""

from __future__ import annotations

import pytest

from migrations_app.releases.gates.assertions import RELATIONS, Assertion, problem, read

HEALTH = {
    "database_pool": {"state": {"saturation": 0.97, "waiting": 0}, "name": "pool-a"},
    "nodes": [{"name": "a", "up": True}, {"name": "b", "up": False}],
    "degraded_reason": None,
    "count": 1,
    "large": 2**53 + 1,
}


def broken(path: str, relation: str, value: object = None) -> str:
    return Assertion(path, relation, value).broken(HEALTH)


@pytest.mark.parametrize(
    ("path", "relation", "value"),
    [
        ("degraded_reason", "exists", None),
        ("database_pool.state.waiting", "equals", 0),
        ("count", "equals", 1.0),
        ("nodes[1]", "equals", {"up": False, "name": "b"}),
        ("degraded_reason", "equals", None),
        ("count", "not_equals", True),
        ("database_pool.state.saturation", "less", 1),
        ("database_pool.state.saturation", "less_or_equal", 0.97),
        ("count", "greater", 0),
        ("count", "greater_or_equal", 1),
        ("nodes", "type", "array"),
        ("nodes[0].up", "type", "boolean"),
        ("degraded_reason", "type", "null"),
        ("database_pool", "contains", "state"),
        ("database_pool.name", "contains", "pool"),
        ("nodes", "contains", {"name": "a", "up": True}),
        ("database_pool.name", "matches", "^pool-[a-z]$"),
    ],
)
def test_what_holds_says_nothing(path: str, relation: str, value: object) -> None:
    assert broken(path, relation, value) == ""


@pytest.mark.parametrize(
    ("path", "relation", "value", "told"),
    [
        ("no", "exists", None, "no is missing from the answer."),
        ("nodes[2].name", "exists", None, "nodes[2].name is missing from the answer."),
        ("count.state", "equals", 1, "count.state is missing from the answer."),
        ("nodes.name", "exists", None, "nodes.name is missing from the answer."),
        ("count", "equals", 2, "count is 1 and not 2."),
        ("count", "equals", True, "count is 1 and not true."),
        ("degraded_reason", "equals", "", 'degraded_reason is null and not "".'),
        ("count", "not_equals", 1, "count is 1 and has to be anything else."),
        (
            "database_pool.state.saturation",
            "less",
            0.9,
            "database_pool.state.saturation is 0.97 and not less than 0.9.",
        ),
        ("database_pool.name", "greater", 3, 'database_pool.name is "pool-a" and not greater than 3.'),
        ("nodes[0].up", "less_or_equal", 3, "nodes[0].up is true and not at most 3."),
        ("large", "less_or_equal", 2**53, "large is 9007199254740993 and not at most 9007199254740992."),
        ("count", "greater_or_equal", 2, "count is 1 and not at least 2."),
        ("count", "type", "string", 'count is 1 and not of the type "string".'),
        ("nodes[0].up", "type", "number", 'nodes[0].up is true and not of the type "number".'),
        ("database_pool.name", "contains", "z", 'database_pool.name is "pool-a" and does not contain "z".'),
        ("count", "contains", "1", 'count is 1 and does not contain "1".'),
        ("count", "matches", "1", 'count is 1 and does not match "1".'),
    ],
)
def test_what_does_not_is_told_with_what_was_found(path: str, relation: str, value: object, told: str) -> None:
    assert broken(path, relation, value) == told


def test_a_long_value_is_cut_and_what_cannot_be_printed_is_replaced() -> None:
    told = Assertion("a", "equals", "b").broken({"a": "\u202e" + "x" * 200})
    assert "\u202e" not in told
    assert "xxx… and not" in told and len(told) < 120


def test_what_it_demands_is_told_without_what_was_found() -> None:
    assert Assertion("a.b", "less", 3).told == "a.b less 3"
    assert Assertion("a", "exists").told == "a exists"


@pytest.mark.parametrize("relation", RELATIONS)
def test_each_relation_is_read_back(relation: str) -> None:
    given = {"path": "a[0].b", "is": relation}
    if relation != "exists":
        given["value"] = "string" if relation == "type" else "x" if relation in ("matches", "contains") else 3  # type: ignore[assignment]
    assert problem([given]) == ""
    assert read([given]) == (Assertion("a[0].b", relation, given.get("value")),)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "no list"),
        ([{"path": "a", "is": "exists"}] * 51, "no list of at most 50"),
        (["a"], "1 that is no object of path, is and value"),
        ([{"path": "a", "is": "exists"}, {"path": "a", "op": "equals"}], "2 that is no object of path, is and value"),
        ([{"path": "a..b", "is": "exists"}], "without a path"),
        ([{"path": "a[x]", "is": "exists"}], "without a path"),
        ([{"path": "", "is": "exists"}], "without a path"),
        ([{"path": "a", "is": "like", "value": 1}], "whose is 'like'"),
        ([{"path": "a", "is": ["exists"]}], "whose is ['exists']"),
        ([{"path": "a", "is": "exists", "value": 1}], "which exists does not take"),
        ([{"path": "a", "is": "equals"}], "without a value"),
        ([{"path": "a", "is": "less", "value": "3"}], "compares with '3', which is no number"),
        ([{"path": "a", "is": "less", "value": True}], "which is no number"),
        ([{"path": "a", "is": "type", "value": "int"}], "with the type 'int'"),
        ([{"path": "a", "is": "type", "value": []}], "with the type []"),
        ([{"path": "a", "is": "matches", "value": "("}], "cannot be read"),
        ([{"path": "a", "is": "matches", "value": "a" * 201}], "of at most 200 characters"),
    ],
)
def test_one_that_cannot_be_used_is_refused_by_its_place(given: object, why: str) -> None:
    assert why in problem(given)
