"""What the gate says of a real target in which a run stopped half-way, until another run brings it to its end."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from migrations_app.models import SchemaState
from migrations_app.releases.boot.deciding import decide
from migrations_app.releases.boot.known import Asked
from migrations_app.releases.boot.reading import read
from tests.runs.support import Fleet, make_fleet

pytestmark = pytest.mark.django_db(transaction=True)

UP = "ALTER TABLE orders DROP COLUMN old; CREATE UNIQUE INDEX CONCURRENTLY u ON orders (email)"
DOWN = "DROP INDEX CONCURRENTLY u; ALTER TABLE orders ADD COLUMN old int NOT NULL"


@pytest.fixture
def fleet(target_database: Callable[..., str]) -> Fleet:
    fleet = make_fleet(target_database())
    orders = "CREATE TABLE orders (old int, email text); INSERT INTO orders VALUES (1, 'a'), (2, 'a')"
    fleet.put("0001_a", orders, schema_rev="sc-1")
    fleet.apply()
    fleet.put("0002_b", UP, schema_rev="sc-2", down=DOWN)
    return fleet


def told(schema_rev: str) -> list[str]:
    asked = Asked(schema_rev=schema_rev)
    known = read("shop", "dev-eu", asked).known
    assert known is not None
    return [reason.sentence for reason in decide(asked, known).reasons]


def test_it_stands_half_way_until_a_run_brings_it_to_its_end(fleet: Fleet) -> None:
    assert told("sc-1") == []
    run = fleet.apply()
    assert run.status == "failed"
    assert told("sc-1") == [f"Run {run.pk} left 0002_b half applied."]
    SchemaState.objects.all().delete()  # as before the target was looked at again
    assert told("sc-1") == [f"Run {run.pk} left 0002_b half applied."]
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("DELETE FROM orders WHERE ctid = '(0,1)'")
    assert fleet.apply().status == "succeeded"
    assert told("sc-2") == []
    back = fleet.apply("down")
    assert back.status == "failed"
    assert told("sc-2") == [f"Run {back.pk} left 0002_b half rolled back."]
