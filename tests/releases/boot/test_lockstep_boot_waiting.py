"""How long lockstep-boot waits for what, by a clock that the test moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.releases.boot.lockstep_boot import not_yet, script

SCRIPT = script()
EVERY, LONGEST = 5, 2000
Told = Callable[[int], tuple[int, dict[str, Any]]]


def ends(told: Told, **settings: float) -> tuple[int, int]:
    """The second at which it ends, and the exit code; `told` says what is answered when."""
    given = {"deadline": 120.0, "wait_for_plan": 0.0, **settings}
    waiting = SCRIPT.Waiting(given, 0)
    for second in range(0, LONGEST, EVERY):
        status, body = told(second)
        code = waiting.verdict(SCRIPT._read(status, json.dumps(body).encode()), second)
        if code is not None:
            return second, code
    return LONGEST, 0


def phased(*phases: str, each: int) -> Told:
    return lambda second: (409, not_yet(phase=phases[min(second // each, len(phases) - 1)]))


SCHEMA = (409, not_yet("schema_differs", hopeless=True))
SECRETS = (409, not_yet("secrets_rev_differs", phase="secrets", phase_seconds=30, hopeless=True))
WAIT = (409, not_yet())
LATE = (409, not_yet("index_differs", phase="index", phase_seconds=60))
AWAY: tuple[int, dict[str, Any]] = (502, {})


@pytest.mark.parametrize(
    ("told", "wait_for_plan", "end"),
    [
        (lambda second: SCHEMA, 600, (600, 78)),
        (lambda second: SECRETS, 600, (600, 78)),
        (lambda second: SECRETS, 10, (10, 78)),
        (lambda second: SCHEMA, 0, (0, 78)),
        # What is planned after that has all of its time.
        (lambda second: SCHEMA if second < 500 else WAIT, 600, (620, 75)),
        (lambda second: SCHEMA if second < 500 else LATE, 600, (560, 75)),
        # A proxy's page says nothing about a plan, so the hope goes on, and ends nothing by itself.
        (lambda second: SCHEMA if second % 50 else AWAY, 600, (605, 78)),
        (lambda second: SCHEMA if second < 5 else AWAY, 10, (125, 75)),
        # A plan that comes and goes is hoped for anew, yet the time in which there was one adds up.
        (lambda second: SCHEMA if second // 50 % 2 else WAIT, 60, (220, 75)),
    ],
)
def test_while_it_hopes_for_a_plan_nothing_else_ends_it(told: Told, wait_for_plan: int, end: tuple[int, int]) -> None:
    assert ends(told, wait_for_plan=wait_for_plan) == end


@pytest.mark.parametrize(
    ("told", "end"),
    [
        (phased("secrets", "revisions", "index", each=50), (220, 75)),
        (phased("index", "services", each=100), (220, 75)),
        # Back, and there again, is none; nor is a phase that nobody knows.
        (phased("index", "secrets", "revisions", "index", each=40), (120, 75)),
        (phased(*(f"phase-{number}" for number in range(99)), each=20), (120, 75)),
        (lambda second: AWAY if second < 100 else WAIT, (220, 75)),
    ],
)
def test_a_later_phase_is_progress(told: Told, end: tuple[int, int]) -> None:
    assert ends(told) == end
