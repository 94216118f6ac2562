"""When the web processes may be restarted: every boundary, every decision, and a model that counts by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_app.watchdog.contract import BadSetting
from migrations_app.watchdog.entry import Entry
from migrations_app.watchdog.policy import Rules, State, churn, decide, judge, last_accepted, rules
from tests.watchdog.entries import NOW, ago, entry, flag

RULES = Rules()
# Past the cooldown, within the window.
THREE = (entry(100), entry(200), entry(300))
ALLOWED = State("allowed", 0, 0, RULES)
COOLDOWN = State("cooldown", 37, 1, RULES)
BLOCKED = State("blocked", 0, 3, RULES)


@pytest.mark.parametrize(
    ("history", "last", "state", "left", "attempts"),
    [
        ((), None, "allowed", 0, 0),
        (THREE[:2], 100, "allowed", 0, 2),
        (THREE, 100, "blocked", 0, 3),
        (THREE, 10, "blocked", 50, 3),
        ((entry(599.999), *THREE[:2]), 100, "blocked", 0, 3),
        ((entry(600), *THREE[:2]), 100, "allowed", 0, 2),
        ((*THREE[:2], entry(100, "blocked"), entry(100, "failed")), 100, "allowed", 0, 2),
        ((*THREE[:2], entry(100, success=False)), 100, "allowed", 0, 2),
        ((*THREE[:2], entry(-1)), 100, "allowed", 0, 2),
        ((), 0, "cooldown", 60, 0),
        ((), 59.999, "cooldown", 1, 0),
        ((), 60, "allowed", 0, 0),
        ((), -5, "cooldown", 60, 0),
        ((), -60, "allowed", 0, 0),
    ],
)
def test_how_the_policy_stands(
    history: tuple[Entry, ...], last: float | None, state: str, left: int, attempts: int
) -> None:
    found = judge(history, None if last is None else ago(last), NOW, RULES)
    assert (found.state, found.cooldown_remaining_s, found.attempts) == (state, left, attempts)


def test_a_request_that_waits_is_a_cooldown_of_its_own() -> None:
    assert judge((), None, NOW, RULES, pending_s=5).state == "cooldown"
    assert judge((), ago(30), NOW, RULES, pending_s=5).cooldown_remaining_s == 30
    assert judge(THREE, None, NOW, RULES, pending_s=5).state == "blocked"


def test_without_guarded_mode_nothing_is_blocked_and_either_number_blocks_with_it() -> None:
    assert judge(THREE, None, NOW, replace(RULES, guarded=False)).state == "allowed"
    assert judge(THREE[:1], None, NOW, replace(RULES, retry_budget=1)).state == "blocked"
    assert judge(THREE[:1], None, NOW, replace(RULES, churn_threshold=1)).state == "blocked"


@pytest.mark.parametrize(
    ("state", "source", "asked", "answer"),
    [
        (ALLOWED, "manual", (), (True, "allowed", "policy_allows_manual_restart", False, 200, None)),
        (ALLOWED, "auto", (), (True, "allowed", "policy_allows_auto_restart", False, 200, None)),
        (
            ALLOWED,
            "manual",
            (True, True, "it leaks"),
            (True, "allowed", "policy_allows_manual_restart", False, 200, None),
        ),
        (ALLOWED, "manual", (True, True, " "), (False, "blocked", "manual_override_required", True, 400, None)),
        (BLOCKED, "manual", (True, True, ""), (False, "blocked", "manual_override_required", True, 400, None)),
        (BLOCKED, "manual", (), (False, "blocked", "manual_override_required", True, 409, None)),
        (
            BLOCKED,
            "manual",
            (True, False, "it leaks"),
            (False, "blocked", "manual_override_required", True, 409, None),
        ),
        (BLOCKED, "manual", (False, True, "it leaks"), (False, "blocked", "manual_override_required", True, 409, None)),
        (
            BLOCKED,
            "manual",
            (True, True, "it leaks"),
            (True, "manual_override", "operator_override_acknowledged", False, 200, None),
        ),
        (BLOCKED, "auto", (True, True, "it leaks"), (False, "blocked", "guarded_mode_blocked", False, 409, None)),
        (COOLDOWN, "manual", (), (False, "blocked", "cooldown_override_required", True, 429, 37)),
        (
            COOLDOWN,
            "manual",
            (True, False, "it leaks"),
            (False, "blocked", "cooldown_override_required", True, 429, 37),
        ),
        (
            COOLDOWN,
            "manual",
            (True, True, "it leaks"),
            (True, "manual_override", "operator_override_acknowledged", False, 200, None),
        ),
        (COOLDOWN, "auto", (True, True, "it leaks"), (False, "blocked", "cooldown_active", False, 429, 37)),
    ],
)
def test_what_is_decided(
    state: State, source: str, asked: tuple[bool, bool, str] | tuple[()], answer: tuple[object, ...]
) -> None:
    found = decide(state, source, *asked)
    assert tuple(vars(found).values()) == answer


def test_the_last_request_that_was_accepted_counts_whatever_came_of_it_and_no_refusal() -> None:
    assert last_accepted((), None) is None
    assert last_accepted((entry(100), entry(50, "failed"), entry(10, "blocked"))) == ago(52)
    assert last_accepted((entry(100), entry(10, "failed", requested_at=None))) == ago(102)
    assert last_accepted((entry(100),), flag(3)) == ago(3)


def test_what_is_told_has_the_fields_that_were_agreed() -> None:
    state = judge(THREE, ago(10), NOW, RULES)
    short = {"state": "blocked", "allowed": False, "cooldown": False, "blocked": True, "cooldown_remaining_seconds": 50}
    assert state.as_json() == short
    assert state.as_json(full=True) == short | {
        "attempts_in_window": 3,
        "retry_budget": 3,
        "churn_threshold": 3,
        "window_seconds": 600,
        "guarded_mode": True,
        "retry_budget_exhausted": True,
        "churn_exceeded": True,
        "cooldown_seconds": 60,
    }
    told = {"window_seconds": 600, "threshold": 3, "count": 3, "exceeded": True}
    assert churn(THREE, NOW, RULES).as_json() == told | {"last_completed_at": "2026-11-27T11:58:20+00:00"}
    old = churn((entry(600),), NOW, RULES)
    assert (old.count, old.exceeded, old.last_completed_at) == (0, False, ago(600))


def test_numbers_come_from_the_environment_and_what_is_none_is_named() -> None:
    given_names = {
        "WORKER_RESTART_COOLDOWN": "90",
        "WORKER_RESTART_RETRY_BUDGET": "5",
        "WORKER_RESTART_CHURN_THRESHOLD": "4",
        "WORKER_RESTART_WINDOW_SECONDS": "1200",
        "WORKER_GUARDED_MODE_ENABLED": "off",
    }
    assert rules(given_names) == Rules(90, 5, 4, 1200, False)
    assert rules({}) == Rules(60, 3, 3, 600, True)
    for name, bad in (
        ("WORKER_RESTART_COOLDOWN", "soon"),
        ("WORKER_RESTART_COOLDOWN", "0"),
        ("WORKER_RESTART_RETRY_BUDGET", "0"),
        ("WORKER_RESTART_WINDOW_SECONDS", "nan"),
        ("WORKER_GUARDED_MODE_ENABLED", "perhaps"),
    ):
        with pytest.raises(BadSetting, match=f"{name} is '{bad}'; it wants"):
            rules({name: bad})


AGES = st.one_of(st.sampled_from((0.0, 59.5, 60.0, 599.5, 600.0, 600.5)), st.floats(-20, 900))
HISTORIES = st.lists(st.builds(entry, AGES, st.sampled_from(("executed", "blocked", "failed"))), max_size=8)


@given(HISTORIES, st.none() | AGES, st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_it_agrees_with_counting_by_hand(
    history: list[Entry], last: float | None, budget: int, threshold: int, guarded: bool
) -> None:
    numbers = Rules(retry_budget=budget, churn_threshold=threshold, guarded=guarded)
    counted = 0
    for one in history:
        age = (NOW - one.completed_at).total_seconds()
        counted += one.decision == "executed" and 0 <= age < 600
    cooling = last is not None and -60 < last < 60
    expected = "blocked" if guarded and (counted >= budget or counted >= threshold) else ""
    found = judge(history, None if last is None else ago(last), NOW, numbers)
    assert found.state == (expected or ("cooldown" if cooling else "allowed"))
    assert (found.attempts, churn(history, NOW, numbers).count) == (counted, counted)
    assert 0 <= found.cooldown_remaining_s <= 60
    assert decide(found, "auto", True, True, "it leaks").allowed == (found.state == "allowed")
    assert decide(found, "manual", True, True, "it leaks").allowed
