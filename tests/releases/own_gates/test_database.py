"""Lockstep's own database against its version: a migration that is missing, unknown, or undone by hand is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection

from migrations_app.releases.gates.own import functional_parity, regression, runtime_resilience
from migrations_app.releases.gates.own.installation import Installation
from migrations_app.releases.gates.own.seen import FAIL, PASS, Seen
from tests.releases.own_gates.copies import NOWHERE, ROOT

HERE = Installation(ROOT, NOWHERE)
LOOKS = (functional_parity.schemas_alike, functional_parity.no_drift, regression.chain, runtime_resilience.way_back)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("look", LOOKS)
def test_it_holds_as_it_is(look: Callable[[Installation], Seen]) -> None:
    seen = look(HERE)
    assert seen.state == PASS, seen.sentence


@pytest.mark.parametrize(
    ("sql", "look", "told"),
    [
        (
            "DELETE FROM django_migrations WHERE app = 'migrations_app' AND name = '0023_boot'",
            regression.chain,
            "The control database lacks migrations_app.0023_boot: run `manage.py migrate`.",
        ),
        (
            "INSERT INTO django_migrations (app, name, applied) VALUES ('migrations_app', '9999_later', now())",
            regression.chain,
            "The control database has migrations_app.9999_later, which this version does not know: it is older.",
        ),
        (
            "ALTER TABLE migrations_app_release ADD COLUMN by_hand int",
            functional_parity.no_drift,
            "migrations_app_release has a column by_hand that this version does not know.",
        ),
        (
            "ALTER TABLE migrations_app_release RENAME COLUMN secrets_rev TO secrets",
            functional_parity.no_drift,
            "migrations_app_release lacks the column secrets_rev.",
        ),
    ],
)
def test_what_was_changed_by_hand_is_named(sql: str, look: Callable[[Installation], Seen], told: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
    seen = look(HERE)
    assert seen.state == FAIL
    assert told in seen.sentence
