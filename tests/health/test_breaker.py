"""The circuit breaker against a naive model of it, and the numbers that it tells."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrations_app.health.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, BreakerOpen, BreakerRules, Pass
from migrations_app.health.breaker import breaker as own

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.now - 1000)


def made(clock: Clock, rules: BreakerRules | None = None) -> Breaker:
    return Breaker(rules or BreakerRules(), clock=clock, wall=clock.wall)


def fails(breaker: Breaker, times: int = 5) -> None:
    for _ in range(times):
        breaker.failed(breaker.enter())


def refused(breaker: Breaker) -> float:
    with pytest.raises(BreakerOpen) as caught:
        breaker.enter()
    return caught.value.seconds_left


@dataclass
class Model:
    """What the words say, without a thought for threads or for how much is kept."""

    results: list[bool] = field(default_factory=list)
    opened: float | None = None
    trial: object = None
    tried: float = float("-inf")
    known: list[object] = field(default_factory=list)  # who was let in since it was last opened or closed

    def enter(self, who: object, now: float) -> float | None:
        """How long is left, or None for whoever gets in."""
        if self.opened is None:
            self.known.append(who)
            return None
        if now < self.opened + 30:
            return self.opened + 30 - now
        if self.trial is not None and now < self.tried + 30:
            return 0.0
        self.trial, self.tried = who, now
        return None

    def tell(self, who: object, good: bool, now: float) -> None:
        if self.opened is not None:
            if who is self.trial:
                self.opened, self.trial, self.known = (None if good else now), None, []
                self.results = [] if good else [*self.results, False]
        elif any(who is one for one in self.known):
            self.results.append(good)
            last = self.results[-10:]
            if not good and last.count(False) >= 5 and last.count(False) / len(last) >= 0.5:
                self.opened, self.known = now, []

    def state(self, now: float) -> str:
        if self.opened is None:
            return CLOSED
        return OPEN if now < self.opened + 30 else HALF_OPEN


Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.just(0)),
        st.tuples(st.sampled_from(["succeeded", "failed", "failed"]), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.sampled_from([1, 5, 29, 30, 31])),
    ),
    min_size=10,
    max_size=120,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_it_does_what_the_model_does(steps: list[Step]) -> None:
    clock, model = Clock(), Model()
    breaker = made(clock)
    inside: list[tuple[object, Pass]] = []
    for what, number in steps:
        if what == "wait":
            clock.now += number
        elif what == "enter":
            who = object()
            try:
                inside.append((who, breaker.enter()))
                left = None
            except BreakerOpen as refusal:
                left = refusal.seconds_left
            assert left == model.enter(who, clock.now)
        elif inside:
            who, given_pass = inside.pop(min(number, len(inside) - 1))
            getattr(breaker, what)(given_pass)
            model.tell(who, what == "succeeded", clock.now)
        told, last = breaker.state(), model.results[-10:]
        assert told.state == model.state(clock.now)
        assert (told.failure_count, told.total_count) == (last.count(False), len(last))


def test_it_opens_at_five_failures_that_are_half_of_what_was_asked() -> None:
    breaker = made(Clock())
    fails(breaker, 4)
    assert breaker.state().state == CLOSED
    for _ in range(6):
        breaker.succeeded(breaker.enter())
    fails(breaker, 3)  # 1 of the first four is left: 4 of 10
    assert breaker.state().state == CLOSED
    fails(breaker, 2)
    assert breaker.state().state == OPEN


def test_it_tells_the_fields_of_the_contract() -> None:
    clock = Clock()
    breaker = made(clock)
    for _ in range(2):
        breaker.succeeded(breaker.enter())
    assert breaker.state().as_json() == {
        "state": "CLOSED",
        "failure_count": 0,
        "success_count": 2,
        "total_count": 2,
        "window_size": 10,
        "failure_rate": 0.0,
        "last_failure_time": None,
        "open_until": None,
        "enabled": True,
    }
    fails(breaker)
    told = breaker.state().as_json()
    assert told["failure_rate"] == 0.71
    assert told["last_failure_time"] == "2026-01-01T12:00:00+00:00"
    assert (told["state"], told["open_until"]) == ("OPEN", "2026-01-01T12:00:30+00:00")
    clock.now += 30
    assert breaker.state().state == HALF_OPEN  # although nobody has come
    breaker.succeeded(breaker.enter())
    told = breaker.state().as_json()
    assert (told["state"], told["total_count"], told["open_until"]) == ("CLOSED", 0, None)
    assert told["last_failure_time"] == "2026-01-01T12:00:00+00:00"


def test_whoever_is_refused_hears_how_long_it_takes() -> None:
    clock = Clock()
    breaker = made(clock)
    fails(breaker)
    assert refused(breaker) == 30
    clock.now += 29.5
    assert refused(breaker) == 0.5
    clock.now += 0.5
    breaker.enter()
    assert refused(breaker) == 0


def test_a_trial_that_is_lost_makes_room_for_another_and_is_not_heard_any_more() -> None:
    clock = Clock()
    breaker = made(clock)
    fails(breaker)
    clock.now += 30
    lost = breaker.enter()
    clock.now += 29
    assert refused(breaker) == 0
    clock.now += 1
    second = breaker.enter()
    assert not breaker.succeeded(lost)
    assert breaker.state().state == HALF_OPEN
    assert breaker.failed(second)
    assert refused(breaker) == 30


@pytest.mark.parametrize("tell", [Breaker.succeeded, Breaker.failed])
def test_what_began_before_it_opened_changes_nothing(tell: Callable[[Breaker, Pass], bool]) -> None:
    clock = Clock()
    breaker = made(clock)
    early = breaker.enter()
    fails(breaker)
    clock.now += 30
    assert not tell(breaker, early)
    assert breaker.state().state == HALF_OPEN


def test_one_that_is_switched_off_counts_and_lets_everybody_in() -> None:
    breaker = made(Clock(), BreakerRules(enabled=False))
    fails(breaker, 20)
    breaker.enter()
    told = breaker.state()
    assert (told.enabled, told.state, told.failure_count) == (False, CLOSED, 10)


def test_of_many_threads_one_is_let_in_on_trial() -> None:
    clock = Clock()
    breaker = made(clock)
    fails(breaker)
    clock.now += 30
    together = threading.Barrier(24)

    def come(_: int) -> bool:
        together.wait(10)
        try:
            breaker.enter()
        except BreakerOpen:
            return False
        return True

    with ThreadPoolExecutor(24) as crowd:
        assert sum(crowd.map(come, range(24))) == 1


def test_a_process_has_one() -> None:
    assert own() is own()
    assert own().rules == BreakerRules()
