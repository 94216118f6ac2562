"""How services started: kept once for each start, and counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connection
from django.db.models.functions import Now

from migrations_app.engine.errors import Refused
from migrations_app.models import BootAttempt, BootFailure, Environment, Service
from migrations_app.releases.boot.attempts import Attempt, BootTally, list_attempts, record_attempt, sweep, tally
from tests.edge.fleet import make_environment

pytestmark = pytest.mark.django_db

STARTED = Attempt(boot="b1", outcome="allow", node="n1", release_id="1.0", seconds=2.5)
GAVE_UP = Attempt(
    boot="b2", outcome="gave_up", phase="index", tries=24, seconds=120.0, reasons=(("index_differs", "It is not."),)
)


@pytest.fixture
def prod(service: Service) -> Environment:
    return make_environment(service, "prod")


def test_it_keeps_how_a_start_went(prod: Environment) -> None:
    record_attempt(environment=prod, attempt=STARTED)
    record_attempt(environment=prod, attempt=GAVE_UP)
    failed, started = list_attempts(prod)
    assert (started.phase, started.outcome, started.tries, started.first_request_ok) == ("traffic", "allow", 1, None)
    assert started.ended_at - started.started_at == timedelta(seconds=2.5)
    assert (failed.phase, failed.reasons) == ("index", [["index_differs", "It is not."]])


def test_the_same_start_again_only_adds_its_first_request(prod: Environment) -> None:
    record_attempt(environment=prod, attempt=STARTED)
    record_attempt(environment=prod, attempt=replace(STARTED, outcome="refused", tries=9, first_request_ok=False))
    record_attempt(environment=prod, attempt=replace(STARTED, first_request_ok=True))
    (kept,) = list_attempts(prod)
    assert (kept.outcome, kept.tries, kept.first_request_ok) == ("allow", 1, False)


def test_it_counts_what_a_page_and_metrics_tell(prod: Environment) -> None:
    for attempt in (
        replace(STARTED, first_request_ok=True),
        replace(STARTED, boot="b3", tries=4, first_request_ok=False),
        GAVE_UP,
        replace(GAVE_UP, boot="b4", outcome="refused", phase="secrets"),
        replace(GAVE_UP, boot="b5"),
    ):
        record_attempt(environment=prod, attempt=attempt)
    counted = tally(prod)
    assert (counted.total, counted.allowed, counted.without_retry, counted.without_retry_rate) == (5, 2, 1, 0.2)
    assert counted.failures == (("index", 2), ("secrets", 1))
    assert (counted.first_requests, counted.first_request_errors) == (2, 1)


def test_where_no_start_was_allowed_there_is_no_rate(prod: Environment) -> None:
    assert tally(prod).without_retry_rate is None
    record_attempt(environment=prod, attempt=GAVE_UP)
    assert (tally(prod).total, tally(prod).without_retry_rate, tally(prod).without_retry_percent) == (1, None, None)


@pytest.mark.parametrize(
    ("first", "total", "percent"), [(0, 9, 0), (1, 300, 1), (1, 3, 33), (2, 3, 67), (299, 300, 99), (300, 300, 100)]
)
def test_a_share_is_not_rounded_to_all_or_nothing(first: int, total: int, percent: int) -> None:
    counted = BootTally(total, total, first, failures=(), first_requests=0, first_request_errors=0)
    assert counted.without_retry_percent == percent


def test_old_starts_are_not_counted_and_later_swept(prod: Environment) -> None:
    record_attempt(environment=prod, attempt=STARTED)
    BootAttempt.objects.update(ended_at=Now() - timedelta(days=31))
    sweep()
    assert (tally(prod).total, BootAttempt.objects.count()) == (0, 1)
    BootAttempt.objects.update(ended_at=Now() - timedelta(days=91))
    sweep()
    assert not BootAttempt.objects.exists()


@pytest.mark.parametrize(
    ("attempt", "sentence"),
    [
        (replace(STARTED, boot="a b"), "The id of the start is not 1 to 100 letters, digits and . _ : -."),
        (replace(STARTED, outcome="fine"), "'fine' is no outcome; there are allow, refused, gave_up."),
        (
            replace(STARTED, phase="x"),
            "'x' is no phase; there are infrastructure, secrets, revisions, index, services, traffic.",
        ),
        (replace(STARTED, tries=0), "A start takes 1 to 100000 tries and at most 604800 seconds."),
        (replace(STARTED, node="a b"), "node cannot be 'a b'."),
    ],
)
def test_what_makes_no_sense_is_refused(prod: Environment, attempt: Attempt, sentence: str) -> None:
    with pytest.raises(Refused) as refusal:
        record_attempt(environment=prod, attempt=attempt)
    assert refusal.value.message == sentence
    assert not BootAttempt.objects.exists()


def test_an_upgrade_counts_the_failures_that_are_there_as_they_are_counted_from_then_on(prod: Environment) -> None:
    for attempt in (STARTED, GAVE_UP, replace(GAVE_UP, boot="b3"), replace(GAVE_UP, boot="b4", reasons=())):
        record_attempt(environment=prod, attempt=attempt)
    counted = set(BootFailure.objects.values_list("phase", "reason", "count"))
    assert counted == {("index", "index_differs", 2), ("index", "none", 1)}
    BootFailure.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(import_module("migrations_app.migrations.0031_boot_failures").SO_FAR)
    assert set(BootFailure.objects.values_list("phase", "reason", "count")) == counted
