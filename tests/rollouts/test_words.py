"""A cutover in a sentence, and against its planned window, from its rows alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from migrations_app.models import Cutover, CutoverStep, Environment, Release
from migrations_app.rollouts.words import sentence_of, timing_of

BEGAN = datetime(2026, 11, 27, 8, tzinfo=UTC)
NAMES = ("test-eu", "live-eu", "live-us")


def made(status: str, took_s: float | None = None, **fields: object) -> Cutover:
    ended = BEGAN + timedelta(seconds=took_s) if took_s is not None else None
    return Cutover(release=Release(release_id="2.0"), status=status, started_at=BEGAN, ended_at=ended, **fields)


def steps(*states: str, back: int = 0) -> list[CutoverStep]:
    """The last `back` of them have a run back."""
    return [
        CutoverStep(
            environment=Environment(name=name),
            status=state,
            run_id=None if state in ("pending", "nothing") else 1,
            back_run_id=2 if place >= len(states) - back else None,
        )
        for place, (name, state) in enumerate(zip(NAMES, states, strict=False))
    ]


@pytest.mark.parametrize(
    ("cutover", "rows", "told"),
    [
        (made("running"), steps("pending", "pending"), "Cutting over 2.0: test-eu is next."),
        (made("running"), steps("running"), "Cutting over 2.0: test-eu runs now."),
        (
            made("running"),
            steps("done", "running"),
            "Cutting over 2.0: one of two environments done, live-eu runs now.",
        ),
        (made("running"), steps("done", "nothing"), "Cutting over 2.0: both environments are done."),
        (
            made("halted", sentence="live-eu: Run 7 failed."),
            steps("done", "failed"),
            "Halted at live-eu: Run 7 failed.",
        ),
        (made("rolling_back"), steps("done", "done"), "Taking 2.0 back: live-eu is next."),
        (made("rolling_back"), steps("done", "done", back=1), "Taking 2.0 back: live-eu runs back now."),
        (
            made("rolling_back"),
            steps("done", "rolled_back", back=1),
            "Taking 2.0 back: one of two environments done, test-eu is next.",
        ),
        (made("done", 252), steps("done"), "2.0 is live in test-eu after 4 min 12 s."),
        (
            made("done", 252),
            steps("done", "done", "nothing"),
            "2.0 is live in all three environments after 4 min 12 s.",
        ),
        (
            made("cancelled", 9, sentence="Given up: not today"),
            steps("done", "pending"),
            "2.0 was given up after one of two environments. Given up: not today",
        ),
        (
            made("cancelled", 9, sentence="Given up: not today"),
            steps("failed", "pending"),
            "2.0 was given up before any environment was reached. Given up: not today",
        ),
        (
            made("rolled_back", 9),
            steps("rolled_back", "rolled_back"),
            "2.0 is taken back: both environments stand where they stood before.",
        ),
    ],
)
def test_its_sentence(cutover: Cutover, rows: list[CutoverStep], told: str) -> None:
    assert sentence_of(cutover, rows) == told


def test_it_is_held_against_the_window_it_was_given() -> None:
    window: dict[str, Any] = {"planned_from": BEGAN, "planned_until": BEGAN + timedelta(minutes=30)}
    now = BEGAN + timedelta(minutes=4)
    assert timing_of(made("running", **window), now).sentence == "4 min so far of the planned 30 min"
    assert timing_of(made("done", 1860, **window), now).sentence == "31 min, 1 min over the planned 30 min"
    assert timing_of(made("done", 240), now).sentence == "4 min; no window was planned"
    one_end: dict[str, Any] = {"planned_until": BEGAN + timedelta(minutes=30)}
    assert timing_of(made("running", **one_end), now).sentence == "4 min so far"
    told = "2.0 is live in test-eu after 4 min, planned 30 min."
    assert sentence_of(made("done", 240, **window), steps("done")) == told
