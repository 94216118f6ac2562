"""Episodes over kept samples: when they begin and end, by which figures, and against a second idea of the rules."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from migrations_app.alerts import episodes, samples, states
from migrations_app.alerts.catalogue import Key
from migrations_app.alerts.evaluating import Restarts, evaluate
from migrations_app.alerts.looks import MISSED, Found
from migrations_app.alerts.samples import SLOT, current_slot
from migrations_app.alerts.thresholds import edit_threshold, read_thresholds
from migrations_app.engine.errors import Refused
from migrations_app.models import AlertEpisode, AlertEvent, AuditEntry
from migrations_app.models.health_sample import ITSELF
from migrations_app.permissions import ADMIN, ON_CALL
from tests.runs.support import person

pytestmark = pytest.mark.django_db

WELL, ILL, NOBODY = Found("healthy", saturation=0.1), Found("degraded", "queue_is_long"), Found(MISSED)
FULL = Found("healthy", saturation=0.9)
PLACE = 7


@pytest.fixture
def start() -> datetime:
    """Two days ago, so that any number of slots may follow."""
    begins = current_slot() - timedelta(days=2)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE migrations_app_healthsample_20250101 PARTITION OF migrations_app_healthsample"
            f" FOR VALUES FROM (MINVALUE) TO ('{(begins + timedelta(days=2)).date().isoformat()}')"
        )
    return begins - timedelta(hours=24)


def live(start: datetime, found: Iterable[Found | None], first: int = 0, restarts: Sequence[datetime] = ()) -> int:
    """Each slot as the sampler has it; None: nobody was there. Returns the number of the next slot."""
    number = first
    for number, one in enumerate(found, start=first):
        slot = start + number * SLOT
        if one is None:
            continue
        samples.keep(slot, {PLACE: one})
        judged = evaluate([PLACE, ITSELF], read_thresholds(), Restarts(restarts), slot, states.streaks())
        states.keep(judged, slot)
        episodes.follow(judged, slot)
    return number + 1


def told() -> list[tuple[str, str, str]]:
    rows = AlertEvent.objects.exclude(episode__place=ITSELF).order_by("id")
    return [(one.episode.rule, one.kind, one.text) for one in rows.select_related("episode")]


def test_an_episode_begins_at_300_seconds_and_keeps_when_it_began(start: datetime) -> None:
    upto = live(start, [WELL, *[ILL] * 20])  # 285 s from the first to the newest
    assert not AlertEpisode.objects.exists()
    upto = live(start, [ILL], upto)
    (one,) = AlertEpisode.objects.all()
    assert (one.rule, one.place, one.since, one.resolved_at) == ("degraded", PLACE, start + SLOT, None)
    assert (one.figures, one.threshold_version) == ({"seconds": 300}, 0)
    upto = live(start, [ILL] * 40, upto)
    one.refresh_from_db()
    assert one.sentence == "queue_is_long for 15 min of 5 min."
    live(start, [WELL], upto)
    one.refresh_from_db()
    assert one.resolved_at is not None
    assert told() == [
        ("degraded", "fired", "queue_is_long for 5 min of 5 min."),
        ("degraded", "resolved", "Healthy at the newest look."),
    ]


def test_nobody_there_ends_nothing_and_fires_nothing(start: datetime) -> None:
    upto = live(start, [*[ILL] * 21])
    upto = live(start, [NOBODY] * 3, upto)
    assert [kind for _, kind, _ in told()] == ["fired"]
    upto = live(start, [NOBODY] * 2, upto)
    assert [kind for _, kind, _ in told()] == ["fired", "unknown"]
    assert told()[1][2] == "Four looks in a row got no answer."
    upto = live(start, [None, None, ILL, WELL], upto)
    assert [kind for _, kind, _ in told()] == ["fired", "unknown", "known", "resolved"]
    live(start, [NOBODY] * 40, upto)
    assert AlertEpisode.objects.count() == 1


def test_three_full_answers_in_a_row_and_a_missed_one_between_them(start: datetime) -> None:
    live(start, [FULL, FULL, WELL, FULL, NOBODY, FULL, None, FULL, WELL])
    assert told() == [
        ("pool_saturation", "fired", "Saturation 0.9 against 0.90: 3 of 3 probes in a row."),
        ("pool_saturation", "resolved", "Saturation 0.1 against 0.90: 0 of 3 probes in a row."),
    ]


def test_the_third_restart_within_ten_minutes_fires_until_the_first_is_600_s_old(start: datetime) -> None:
    done = [start, start + 4 * SLOT, start + 8 * SLOT]
    upto = live(start, [WELL] * 8, restarts=done)
    assert not AlertEpisode.objects.exists()
    upto = live(start, [WELL] * 32, upto, restarts=done)
    (one,) = AlertEpisode.objects.all()
    assert (one.rule, one.place, one.since, one.resolved_at) == (Key.CHURN, ITSELF, start, None)
    live(start, [WELL], upto, restarts=done)  # 600 s after the first
    one.refresh_from_db()
    assert one.resolved_at is not None


def test_a_threshold_counts_from_its_version_on_at_its_place(start: datetime) -> None:
    ada = person("ada", ADMIN)

    def edit(place: int | None, **figures: Any) -> None:
        edit_threshold(rule="degraded", place=place, figures=figures, on=True, note="too late for us", by=ada)

    edit(None, seconds=60)
    upto = live(start, [ILL] * 5)
    (one,) = AlertEpisode.objects.all()
    assert (one.figures, one.threshold_version) == ({"seconds": 60.0}, 1)
    edit_threshold(rule="degraded", place=ITSELF, figures={"seconds": 15}, on=False, note="not this one", by=ada)
    edit(None, seconds=120)
    live(start, [ILL], upto)
    one.refresh_from_db()
    assert one.resolved_at is not None
    assert [entry.data["after"]["seconds"] for entry in AuditEntry.objects.order_by("seq") if entry.data] == [
        60,
        15,
        120,
    ]


@pytest.mark.parametrize(
    ("rule", "place", "figures", "note", "code"),
    [
        ("weather", None, {}, "for a reason", "no_such_rule"),
        ("degraded", None, {}, "for a reason", "bad_figures"),
        ("degraded", None, {"seconds": 14}, "for a reason", "bad_figures"),
        ("degraded", None, {"seconds": True}, "for a reason", "bad_figures"),
        ("degraded", None, {"seconds": float("nan")}, "for a reason", "bad_figures"),
        ("degraded", None, {"seconds": 60, "times": 3}, "for a reason", "bad_figures"),
        ("pool_saturation", None, {"share": 0.9, "times": 2.5}, "for a reason", "bad_figures"),
        ("degraded", 999_999, {"seconds": 60}, "for a reason", "no_such_place"),
        ("restart_churn", 7, {"times": 3, "window_s": 600}, "for a reason", "no_such_place"),
        ("degraded", None, {"seconds": 60}, "no", "reason_missing"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_refused(
    rule: str, place: int | None, figures: dict[str, Any], note: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        edit_threshold(rule=rule, place=place, figures=figures, on=True, note=note, by=person("ada", ADMIN))
    assert refused.value.code == code


def test_one_takes_care_of_an_episode(start: datetime) -> None:
    oscar, otto = person("oscar", ON_CALL), person("otto", ON_CALL)
    upto = live(start, [FULL] * 3)
    one = AlertEpisode.objects.get()
    episodes.acknowledge(one, by=oscar, note="looking at it")
    with pytest.raises(Refused) as refused:
        episodes.acknowledge(one, by=otto)
    assert (refused.value.code, refused.value.message) == ("acknowledged_already", "oscar takes care of it already.")
    live(start, [WELL], upto)
    with pytest.raises(Refused) as refused:
        episodes.acknowledge(one, by=otto)
    assert refused.value.code == "episode_over"
    assert [kind for _, kind, _ in told()] == ["fired", "acknowledged", "resolved"]


def test_a_streak_waits_over_any_silence(start: datetime) -> None:
    upto = live(start, [ILL, FULL, FULL, *[NOBODY] * 100])
    upto = live(start, [*[None] * 50, FULL], upto)
    assert [kind for _, kind, _ in told()] == ["fired"]
    (one,) = AlertEpisode.objects.all()
    assert (one.rule, one.since) == ("pool_saturation", start + SLOT)
    upto = live(start, [ILL, *[None] * 30], upto)
    live(start, [ILL], upto)
    one = AlertEpisode.objects.get(rule="degraded")
    assert one.sentence == "queue_is_long for 7 min 45 s of 5 min."


class Idea:
    """The degraded rule told slot by slot, without a window: what the episodes have to come to."""

    def __init__(self) -> None:
        self.began: int | None = None
        self.newest = 0
        self.missed = 0
        self.open: int | None = None
        self.seen: list[tuple[int, int]] = []

    def step(self, number: int, one: Found | None) -> None:
        if one is None or one.status == MISSED:
            self.missed += 1
            return
        self.missed = 0
        if not one.reason:
            self.began = None
            if self.open is not None:
                self.seen.append((self.open, number))
                self.open = None
            return
        self.began, self.newest = (number if self.began is None else self.began), number
        if self.open is None and self.newest - self.began >= 20:
            self.open = self.began


def test_a_stretch_of_random_looks_has_the_episodes_of_a_second_idea(start: datetime) -> None:
    """An hour of slots; with LOCKSTEP_TEST_ALL two days of them, more than 10,000."""
    chance = random.Random(6)
    steps, idea, looks = (11_520 if os.environ.get("LOCKSTEP_TEST_ALL") else 240), Idea(), list[Found | None]()
    while len(looks) < steps:
        looks += [chance.choice((WELL, ILL, ILL, ILL, NOBODY, None))] * chance.choice((1, 1, 2, 3, 12, 30))
    for number, one in enumerate(looks[:steps]):
        live(start - timedelta(days=1), [one], number)
        idea.step(number, one)
    found = AlertEpisode.objects.filter(rule="degraded").order_by("id")
    at = [round((one.since - start + timedelta(days=1)) / SLOT) for one in found]
    assert at == [began for began, _ in idea.seen] + ([idea.open] if idea.open is not None else [])
    assert at
    assert User.objects.count() == 0
