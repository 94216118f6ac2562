"""The graph of phases: the one that is shipped, and what is refused, with the phase or the circle named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from migrations_app.engine.errors import Refused
from migrations_app.releases.boot.phases import NAMED, SHIPPED, default_graph, read_graph


def shipped(**changed: Any) -> dict[str, Any]:
    """The shipped graph with fields of one phase changed: `secrets={"needs": [...]}`."""
    content: dict[str, Any] = json.loads(SHIPPED.read_text())
    for phase in content["phases"]:
        phase.update(changed.pop(phase["key"], {}))
    assert not changed
    return content


def test_the_shipped_phases_come_in_their_order_with_a_deadline_each() -> None:
    assert tuple(phase.key for phase in default_graph().phases) == NAMED
    assert [phase.deadline_seconds for phase in default_graph().phases] == [60, 30, 0, 60, 60, 30]


def test_each_comes_after_all_that_it_needs() -> None:
    content = shipped(index={"needs": ["secrets"]}, revisions={"needs": ["infrastructure"]})
    graph = read_graph(content)
    for phase in graph.phases:
        assert all(graph.place(need) < graph.place(phase.key) for need in phase.needs)


def test_a_circle_is_refused_and_named() -> None:
    with pytest.raises(Refused) as refusal:
        read_graph(shipped(secrets={"needs": ["index"]}))
    assert refusal.value.code == "bad_phases"
    sentence = refusal.value.message
    assert sentence.startswith("The phases go round in a circle: ") and sentence.endswith(".")
    circle = sentence.removeprefix("The phases go round in a circle: ").rstrip(".").split(" → ")
    assert set(circle) == {"secrets", "revisions", "index"}
    assert circle[0] == circle[-1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([], "The graph is no object with a list of 1 to 30 phases."),
        ({"phases": []}, "The graph is no object with a list of 1 to 30 phases."),
        ({"phases": [1]}, "A phase is no object."),
        ({"phases": [{"key": "A"}]}, "The key of a phase is not made of small letters, digits and dashes."),
        ({"phases": [{"key": "a"}]}, "The phase infrastructure is missing, which the gate's reasons belong to."),
        ({"phases": [{"key": "a"}, {"key": "a"}]}, "A phase stands there twice."),
        (shipped(index={"needs": ["x"]}), "The phase index needs x, which there is not."),
        (shipped(index={"needs": "secrets"}), "What the phase index needs is no list of keys."),
        (shipped(index={"deadline_seconds": -1}), "The deadline of the phase index is no number from 0 to 86400."),
        (shipped(index={"colour": 1}), "The phase index has the field colour, which means nothing."),
    ],
)
def test_it_says_what_is_wrong(content: object, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        read_graph(content)
    assert refusal.value.message == sentence
