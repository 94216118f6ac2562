"""The phases of a start as data: a graph of what needs what, each with its deadline; one with a circle is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from migrations_app.engine.errors import Refused

SHIPPED = Path(__file__).with_name("phases.json")
MOST_PHASES, LONGEST_TITLE, LONGEST_DEADLINE = 30, 100, 24 * 3600
# Reasons of the gate belong to these, so that no graph may lack them.
INFRASTRUCTURE, SECRETS, REVISIONS = "infrastructure", "secrets", "revisions"
INDEX, SERVICES, TRAFFIC = "index", "services", "traffic"
NAMED = (INFRASTRUCTURE, SECRETS, REVISIONS, INDEX, SERVICES, TRAFFIC)
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


@dataclass(frozen=True)
class Phase:
    """`deadline_seconds` 0: it has none of its own, as for revisions, which take as long as their run."""

    key: str
    title: str
    deadline_seconds: int
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """In an order in which each phase comes after all that it needs."""

    phases: tuple[Phase, ...]

    def __getitem__(self, key: str) -> Phase:
        return next(phase for phase in self.phases if phase.key == key)

    def __contains__(self, key: object) -> bool:
        return any(phase.key == key for phase in self.phases)

    def place(self, key: str) -> int:
        return [phase.key for phase in self.phases].index(key)

    @property
    def last(self) -> Phase:
        return self.phases[-1]


@cache
def default_graph() -> Graph:
    return read_graph(json.loads(SHIPPED.read_text(encoding="utf-8")))


def read_graph(content: object) -> Graph:
    """Raises Refused `bad_phases`, naming the phase and what is wrong, or the circle."""
    listed = content.get("phases") if isinstance(content, dict) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_PHASES:
        raise _bad(f"The graph is no object with a list of 1 to {MOST_PHASES} phases.")
    phases = {phase.key: phase for phase in map(_phase, listed)}
    if len(phases) != len(listed):
        raise _bad("A phase stands there twice.")
    missing = [key for key in NAMED if key not in phases]
    if missing:
        raise _bad(f"The phase {missing[0]} is missing, which the gate's reasons belong to.")
    for phase in phases.values():
        unknown = [key for key in phase.needs if key not in phases]
        if unknown:
            raise _bad(f"The phase {phase.key} needs {unknown[0]}, which there is not.")
    return Graph(_in_order(phases))


def _in_order(phases: Mapping[str, Phase]) -> tuple[Phase, ...]:
    try:
        order = TopologicalSorter({key: phase.needs for key, phase in phases.items()}).static_order()
        return tuple(phases[key] for key in order)
    except CycleError as found:
        # As it is told: each needs the one before it, and the first is named again at the end.
        circle = " → ".join(found.args[1])
        raise _bad(f"The phases go round in a circle: {circle}.") from None


def _phase(given: object) -> Phase:
    if not isinstance(given, dict):
        raise _bad("A phase is no object.")
    key, title, seconds = given.get("key"), given.get("title", ""), given.get("deadline_seconds", 0)
    needs = given.get("needs", [])
    if not (isinstance(key, str) and _KEY.match(key)):
        raise _bad("The key of a phase is not made of small letters, digits and dashes.")
    if unknown := set(given) - {"key", "title", "deadline_seconds", "needs"}:
        raise _bad(f"The phase {key} has the field {min(map(str, unknown))}, which means nothing.")
    if not (isinstance(title, str) and len(title) <= LONGEST_TITLE):
        raise _bad(f"The title of the phase {key} is no text of at most {LONGEST_TITLE} characters.")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_DEADLINE:
        raise _bad(f"The deadline of the phase {key} is no number from 0 to {LONGEST_DEADLINE}.")
    if not (isinstance(needs, list) and all(isinstance(one, str) for one in needs)):
        raise _bad(f"What the phase {key} needs is no list of keys.")
    return Phase(key, title, seconds, tuple(needs))


def _bad(message: str) -> Refused:
    return Refused("bad_phases", message, not_done="Nothing was changed.", next_step="See docs/boot-gate.md.")
