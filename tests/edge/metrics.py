"""A fleet in which every family has something to tell, and what a scrape of it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from migrations_app.audit.checking import check_and_keep
from migrations_app.health import processes
from migrations_app.models import Environment, EnvironmentRelease, LedgerEntry, Release, WorkerProcess
from migrations_app.releases.boot.attempts import Attempt, record_attempt
from tests.edge.cutovers import make_cutover
from tests.edge.fleet import make_run, make_service
from tests.edge.people import person
from tests.edge.releases import make_chain, make_release, make_standing
from tests.health.test_processes import conn, told

GAVE_UP = Attempt(boot="b1", outcome="gave_up", phase="index", reasons=(("index_differs", "It is not."),))
DURATIONS_MS = (0, 100, 101, 4_000_000)  # at a bound, just past it, past all of them

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def fill(olga: User) -> dict[str, Environment]:
    service = make_service(olga)
    make_chain(service)
    release = make_release(service, olga, "2.0", "sc-10")
    places = {name: make_standing(service, name, count) for name, count in (("behind", 1), ("fits", 3), ("away", 2))}
    Environment.objects.filter(name="away").update(reachability="unreachable", found_twice=1)
    for name, place in places.items():
        EnvironmentRelease.objects.create(environment=place, release=release)
        for status in ("succeeded", "succeeded", "failed", {"fits": "queued", "away": "running"}.get(name, "paused")):
            make_run(place, olga, status=status)
    LedgerEntry.objects.all().update(duration_ms=None)
    for entry, took in zip(LedgerEntry.objects.order_by("pk"), DURATIONS_MS, strict=False):
        LedgerEntry.objects.filter(pk=entry.pk).update(environment=places["fits"], seq=100 + took, duration_ms=took)
    record_attempt(environment=places["fits"], attempt=GAVE_UP)
    for name, ago in (("w:1", timedelta(0)), ("w:2", timedelta(hours=1))):
        WorkerProcess.objects.create(name=name, started_at=timezone.now(), beat_at=timezone.now() - ago)
    make_cutover(Release.objects.get(), olga, person("second"), status="halted")
    processes.publish(conn(), told("elsewhere:7"))
    check_and_keep()
    return places


def families(text: str) -> Iterator[Metric]:
    return iter(text_string_to_metric_families(text))


def samples(text: str) -> Samples:
    return {(one.name, frozenset(one.labels.items())): one.value for family in families(text) for one in family.samples}
