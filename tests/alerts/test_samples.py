"""Looks are kept once for each slot, read with their gaps, summed up and forgotten by the database's clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from migrations_app.alerts import samples
from migrations_app.alerts.looks import MISSED, Found
from migrations_app.alerts.samples import SLOT, current_slot, keep, read
from migrations_app.models import HealthBucket, HealthSample

pytestmark = pytest.mark.django_db

WELL = Found("healthy", saturation=0.25, took_ms=7)
ILL = Found("degraded", "redis_unavailable", saturation=0.5, took_ms=9)


@pytest.fixture(autouse=True)
def _days() -> None:
    """With one for whatever lies before today, so that it does not matter at what hour the tests run."""
    samples.prepare_days()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE migrations_app_healthsample_20250101 PARTITION OF migrations_app_healthsample"
            f" FOR VALUES FROM (MINVALUE) TO ('{current_slot().date().isoformat()}')"
        )


def test_two_who_look_in_one_slot_are_one_look() -> None:
    slot = current_slot()
    keep(slot, {0: WELL, 7: ILL})
    keep(slot, {0: ILL})
    assert [(one.place, one.status, one.took_ms) for one in HealthSample.objects.order_by("place")] == [
        (0, "healthy", 7),
        (7, "degraded", 9),
    ]


def test_a_slot_without_a_look_is_missed_but_the_one_at_hand_is_not_yet() -> None:
    slot = current_slot()
    for age, found in ((6, ILL), (5, Found(MISSED, note="no answer")), (3, WELL)):
        keep(slot - age * SLOT, {7: found})
    hour_ago = slot - timedelta(hours=1)
    told = read([7, 8], hour_ago, slot)[7]
    if current_slot() == slot:  # else it is over by now, and was missed
        assert len(told) == 6
    assert [one.missed for one in told][:6] == [False, True, True, False, True, True]
    assert [(one.reason, one.saturation) for one in told][:4] == [
        ("redis_unavailable", 0.5), ("", None), ("", None), ("", 0.25)
    ]  # fmt: skip
    assert [one.at for one in told][:2] == [slot - 6 * SLOT, slot - 5 * SLOT]
    assert read([7, 8], hour_ago, slot).keys() == {7}
    assert read([7], slot - 4 * SLOT, slot)[7][0].at == slot - 3 * SLOT
    assert len(read([7], hour_ago, slot - 5 * SLOT)[7]) == 2


def test_five_minutes_are_summed_up_when_they_are_over() -> None:
    begins = current_slot() - timedelta(minutes=10)
    begins -= timedelta(seconds=begins.timestamp() % 300)
    for number in range(20):
        found = (WELL, ILL, ILL, Found(MISSED))[number % 4]
        keep(begins + number * SLOT, {7: found})
    keep(current_slot(), {7: ILL})
    samples.sum_up()
    samples.sum_up()
    (one,) = HealthBucket.objects.all()
    assert (one.place, one.begins, one.looks, one.degraded) == (7, begins, 15, 10)
    assert (one.reason, one.saturation, one.took_ms) == ("redis_unavailable", 0.5, 9)


def test_what_is_old_is_forgotten_by_the_day() -> None:
    slot = current_slot()
    keep(slot - timedelta(days=9), {7: ILL})
    keep(slot, {7: ILL})
    HealthBucket.objects.create(place=7, begins=slot - timedelta(days=91), looks=20, degraded=0)
    samples.forget()
    assert [one.slot for one in HealthSample.objects.all()] == [slot]
    assert not HealthBucket.objects.exists()
