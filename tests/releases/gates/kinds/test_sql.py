"""A question to real targets: what passes, what fails with which sentence, and that nothing can be written."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from migrations_app.fleet.environments import add_environment
from migrations_app.models import Environment, Release
from migrations_app.releases.gates.kinds import longest_s, sql
from migrations_app.releases.registering import register_release
from tests.releases.gates.kinds.checks import a_check, look, told
from tests.runs.support import Fleet, make_fleet

pytestmark = pytest.mark.django_db


@pytest.fixture
def fleet(target_database: Callable[..., str]) -> Fleet:
    made = make_fleet(target_database())
    made.put("0001_a", "-- lockstep: schema_rev sc-1\nCREATE TABLE a (id int)")
    with psycopg.connect(made.url, autocommit=True) as conn:
        conn.execute("CREATE TABLE a (id int); INSERT INTO a VALUES (1), (2)")
    return made


@pytest.fixture
def shop(fleet: Fleet) -> Release:
    return register_release(service=fleet.service, release_id="1.0", schema_rev="sc-1", by=fleet.olga).release


def asked(shop: Release, query: str, **more: object) -> tuple[str, str]:
    return told(look(shop, "sql", environment="dev-eu", sql=query, **more))


def test_what_is_true_in_every_row_and_column_passes(shop: Release) -> None:
    found = look(shop, "sql", environment="dev-eu", sql="SELECT id > 0, id < 9 FROM a; -- all of them")
    assert told(found) == ("pass", "dev-eu: every value is true.")
    assert (found.producer, found.detail) == ("dev-eu", {"asked": ["dev-eu"], "broken": {}})


NOT_TRUE = {
    "SELECT id > 1, id FROM a ORDER BY id": "it gave false, 1, and every value must be true.",
    "SELECT NULL::bool": "it gave NULL, and every value must be true.",
    "SELECT 1": "it gave 1, and every value must be true.",
    "SELECT true FROM a WHERE id > 9": "it gave no row, and one that is true is wanted.",
    "SELECT true FROM generate_series(1, 1001)": "it gave more than 1,000 rows; count what is wrong instead.",
    "SELECT FROM generate_series(1, 3)": "it gave a row without a value, and every value must be true.",
    "SELECT true FROM b": 'the question failed: relation "b" does not exist.',
    "SELECT 1/0 = 1": "the question failed: division by zero.",
}


def test_anything_else_fails_with_what_was_found(shop: Release) -> None:
    assert {query: asked(shop, query) for query in NOT_TRUE} == {
        query: ("fail", f"dev-eu: {why}") for query, why in NOT_TRUE.items()
    }


def test_what_takes_too_long_or_is_locked_fails_and_holds_nobody_up(shop: Release, fleet: Fleet) -> None:
    late = ("fail", "dev-eu: no answer within 0.2 s.")
    assert asked(shop, "SELECT pg_sleep(20) IS NULL", timeout_seconds=0.2) == late
    with psycopg.connect(fleet.url) as other:
        other.execute("LOCK a")
        assert asked(shop, "SELECT count(*) = 2 FROM a", timeout_seconds=0.2)[0] == "fail"


WRITING = {
    "WITH gone AS (DELETE FROM a RETURNING id) SELECT count(*) = 2 FROM gone": "must not contain data-modifying",
    "SELECT nextval('s') > 0": "cannot execute nextval() in a read-only transaction",
    "SELECT lo_create(77) > 0": "cannot execute lo_create() in a read-only transaction",
}


def test_nothing_is_written(shop: Release, fleet: Fleet) -> None:
    with psycopg.connect(fleet.url, autocommit=True) as conn:
        conn.execute("CREATE SEQUENCE s")
    for query, why in WRITING.items():
        status, summary = asked(shop, query)
        assert (status, why in summary) == ("fail", True), summary
    assert fleet.value("SELECT count(*) FROM a") == 2
    assert fleet.value("SELECT is_called FROM s") is False


def test_a_stage_is_asked_in_each_environment_and_each_is_told(
    shop: Release, fleet: Fleet, target_database: Callable[..., str]
) -> None:
    url = target_database()
    add_environment(
        service=fleet.service, name="dev-us", stage="dev", region="", order=2, dsn=url, health_url="", by=fleet.olga
    )
    found = look(shop, "sql", environment="dev", sql="SELECT count(*) = 2 FROM a")
    assert told(found) == ("fail", 'dev-us: the question failed: relation "a" does not exist.')
    assert found.detail == {"asked": ["dev-eu", "dev-us"], "broken": {"dev-us": "42P01"}}
    assert longest_s(shop, a_check("sql", environment="dev", sql="SELECT true")) == 50
    assert told(look(shop, "sql", environment="no", sql="SELECT true")) == (
        "fail",
        "shop has no environment and no stage no.",
    )


def test_a_target_that_is_away_or_another_one_is_a_failure(
    shop: Release, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, target_database: Callable[..., str]
) -> None:
    Environment.objects.update(dsn_kind="env", dsn_reference="SHOP_DSN")
    monkeypatch.setenv("SHOP_DSN", "postgresql://me:hidden-word@127.0.0.1:1/shop")
    status, summary = asked(shop, "SELECT true")
    assert (status, summary) == (
        "fail",
        "dev-eu: Cannot connect to me@127.0.0.1:1/shop: Nothing listens at this address.",
    )
    monkeypatch.setenv("SHOP_DSN", target_database())
    assert asked(shop, "SELECT true") == ("fail", "dev-eu: This database does not say which environment it is.")


@pytest.mark.parametrize(
    "query", ["SELECT true", "SELECT 'a;b' = 'a;b';", "WITH x AS (SELECT 1 n) SELECT n = 1 FROM x", "VALUES (true)"]
)
def test_one_select_is_taken(query: str) -> None:
    assert sql.problem({"environment": "prod", "sql": query, "timeout_seconds": 30}) == ""


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("", "needs the setting sql"),
        ("-- nothing", "something other than exactly one SELECT"),
        ("SELECT true; SELECT true", "something other than exactly one SELECT"),
        ("BEGIN; SELECT true; COMMIT", "something other than exactly one SELECT"),
        ("DELETE FROM a RETURNING true", "something other than exactly one SELECT"),
        ("WITH x AS (DELETE FROM a RETURNING true) SELECT true FROM x", "a SELECT that would write"),
        ("EXPLAIN ANALYZE SELECT true", "something other than exactly one SELECT"),
        ("SELECT true INTO b", "a SELECT INTO, which makes a table"),
        ("SELECT set_config('statement_timeout', '0', false)", "has an sql that cannot be asked"),
        ("SELECT pg_advisory_unlock_all() IS NULL", "has an sql that cannot be asked"),
        ("SELEC true", "has an sql that cannot be asked"),
    ],
)
def test_anything_else_is_refused_by_its_mistake(query: str, why: str) -> None:
    assert why in sql.problem({"environment": "prod", "sql": query})
    assert "needs the setting environment" in sql.problem({"sql": query})
    assert "at most 30" in sql.problem({"environment": "prod", "sql": "SELECT true", "timeout_seconds": 31})
