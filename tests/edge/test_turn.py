"""What an environment's page keeps is drawn anew after whatever it shows has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from migrations_app.fleet.turn import turn_of
from migrations_app.models import Environment, Rehearsal, RollbackConsent, SchemaDrift, SchemaState
from migrations_app.models.schema import DriftState
from migrations_app.statuses import ConsentStatus
from tests.edge.fleet import make_environment
from tests.edge.rehearsals import make_consent, make_rehearsal
from tests.edge.schemas import NOTE, USUAL, make_drift, make_reading

pytestmark = pytest.mark.django_db


def test_each_change_is_another_turn_and_nothing_else_is(environment: Environment, olga: User) -> None:
    changes: dict[str, Callable[[], object]] = {
        "a reading": lambda: make_reading(environment),
        "another reading": lambda: make_reading(environment),
        "what is wanted of drift": lambda: SchemaState.objects.update(drift_blocks=True),
        "a drift": lambda: make_drift(environment, [*USUAL, NOTE]),
        "a decision about it": lambda: SchemaDrift.objects.update(state=DriftState.IGNORED),
        "its end": lambda: SchemaDrift.objects.update(state=DriftState.GONE),
        "a rehearsal": lambda: make_rehearsal(environment, olga, "running"),
        "its end too": lambda: Rehearsal.objects.update(status="done", version=2),
        "a request": lambda: make_consent(environment, olga),
        "its answer": lambda: RollbackConsent.objects.update(status=ConsentStatus.DECLINED),
    }
    turns = [turn_of(environment.pk)]
    for what, change in changes.items():
        change()
        turns.append(turn_of(environment.pk))
        assert turns[-1] != turns[-2], what
        assert turns[-1] == turn_of(environment.pk)
    elsewhere = make_environment(environment.service, "orders-us", order=2)
    make_reading(elsewhere)
    make_rehearsal(elsewhere, olga)
    assert turn_of(environment.pk) == turns[-1]


def test_a_request_that_has_run_out_is_another_turn(environment: Environment, olga: User) -> None:
    make_consent(environment, olga)
    waiting = turn_of(environment.pk)
    RollbackConsent.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert turn_of(environment.pk) != waiting


def test_the_page_tells_each_of_them_at_once(client: Client, environment: Environment, olga: User) -> None:

    def page() -> str:
        return client.get(f"/services/orders/environments/{environment.name}").content.decode()

    assert "Last read" in page() and "after a run" not in page()
    make_reading(environment)
    assert "on schedule" in page()
    make_drift(environment, [*USUAL, NOTE])
    assert "What differs" in page()
    SchemaDrift.objects.update(state=DriftState.GONE)
    assert "What differs" not in page()
    make_rehearsal(environment, olga, "running")
    assert "The newest:" in page() and ", running," in page()
    Rehearsal.objects.update(status="failed", version=2)
    assert ", running," not in page()
    make_consent(environment, olga)
    assert "olga asks to roll back" in page()
    RollbackConsent.objects.update(status=ConsentStatus.DECLINED)
    assert "olga asks to roll back" not in page()
