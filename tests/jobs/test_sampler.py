"""The sampler's one look at every place, and its thread that looks only while this scheduler is the one."""

from __future__ import annotations

import threading

import pytest
from django.conf import LazySettings
from django.db import connection

from migrations_app.alerts.samples import current_slot
from migrations_app.jobs.sampler import sample, sample_forever
from migrations_app.models import Environment, HealthSample
from migrations_app.models.health_sample import ITSELF
from tests.outbound.sites import serving
from tests.runs.support import Fleet
from tests.waiting import until


@pytest.mark.django_db
def test_every_place_with_an_address_is_asked_once(fleet: Fleet, settings: LazySettings) -> None:
    with serving() as site:
        settings.LOCKSTEP_OUTBOUND_HOSTS = [f"127.0.0.1:{site.port}"]
        site.says("/health", '{"status": "degraded", "degraded_reason": "queue_is_long"}')
        Environment.objects.filter(pk=fleet.environment.pk).update(health_url=f"{site.url}/health")
        sample(current_slot())
        assert site.asked == [("/health", f"127.0.0.1:{site.port}")]
    told = {one.place: (one.status, one.reason) for one in HealthSample.objects.all()}
    assert told == {ITSELF: ("missed", ""), fleet.environment.pk: ("degraded", "queue_is_long")}


@pytest.mark.django_db(transaction=True)
def test_it_looks_while_it_leads_and_ends_when_it_is_told() -> None:
    stopping, leading = threading.Event(), threading.Event()
    thread = threading.Thread(target=sample_forever, args=(stopping, leading))
    thread.start()
    try:
        leading.set()
        until(HealthSample.objects.filter(place=ITSELF).exists, what="a look that was kept")
    finally:
        stopping.set()
        thread.join(20)
    assert not thread.is_alive()
    connection.close()
