"""A clone has the target's schema, rows and positions; the target notices nothing but being read."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from migrations_app.embedded.postgres import Server
from migrations_app.engine.clone.sample import Sizes
from migrations_app.engine.contract.receipts import read_after
from migrations_app.engine.errors import LockExhausted, Refused, Stopped
from migrations_app.engine.target.identity import check_identity
from tests.conftest import MakeDatabase
from tests.engine.clone.support import (
    Rehearsal,
    ordinary_role,
    owned_by,
    rows,
    run,
    value,
)
from tests.engine.contract.support import Target, chain
from tests.writes import writes

RICH = """
CREATE SCHEMA sales;
CREATE TYPE sales.mood AS ENUM ('calm', 'cross');
CREATE TYPE sales.pair AS (a int, m sales.mood);
CREATE TABLE sales.customer (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, moods sales.mood[], pair sales.pair,
  name text NOT NULL, loud text GENERATED ALWAYS AS (upper(name)) STORED, CHECK (name <> ''));
CREATE TABLE sales.orders (
  id bigserial, customer int NOT NULL REFERENCES sales.customer, at date NOT NULL, note bytea, PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE sales.orders_2025 PARTITION OF sales.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE sales.orders_2026 PARTITION OF sales.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE UNLOGGED TABLE fleeting (n int);
CREATE TABLE "Odd ""name" ("per%cent" text, "tab\tbed" text);
CREATE VIEW sales.loud AS SELECT id, loud FROM sales.customer;
CREATE MATERIALIZED VIEW sales.totals AS SELECT customer, count(*) AS n FROM sales.orders GROUP BY customer;
CREATE MATERIALIZED VIEW a_of_totals AS SELECT sum(n) AS n FROM sales.totals;
CREATE MATERIALIZED VIEW sales.empty AS SELECT 1 AS one WITH NO DATA;
CREATE FUNCTION sales.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not while loading'; END $$;
INSERT INTO sales.customer (moods, pair, name)
  SELECT '{calm,cross}'::sales.mood[], ROW(n, 'cross'::sales.mood)::sales.pair, 'c' || n FROM generate_series(1, 200) n;
INSERT INTO sales.orders (customer, at, note)
  SELECT 1 + n % 200, '2025-01-01'::date + n, '\\x00ff' FROM generate_series(1, 500) n;
INSERT INTO "Odd ""name" VALUES ('50 %', E'a\\tb\\\\N'), (NULL, 'ünï');
INSERT INTO fleeting VALUES (7);
CREATE TRIGGER touch BEFORE INSERT ON sales.customer FOR EACH ROW EXECUTE FUNCTION sales.touch();
CREATE STATISTICS sales.together (dependencies) ON customer, at FROM sales.orders_2025;
ALTER TABLE sales.customer ALTER name SET STATISTICS 321;
REFRESH MATERIALIZED VIEW sales.totals;
REFRESH MATERIALIZED VIEW a_of_totals;
SELECT setval('sales.orders_id_seq', 4711, false);
"""
CONTENT = """
SELECT (SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM sales.customer t),
       (SELECT md5(string_agg(t::text || tableoid::regclass::text, ',' ORDER BY t::text)) FROM sales.orders t),
       (SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM "Odd ""name" t),
       (SELECT n FROM fleeting), (SELECT n FROM a_of_totals), (SELECT count(*) FROM sales.totals),
       (SELECT array[last_value, is_called::int] FROM sales.orders_id_seq),
       (SELECT array[last_value, is_called::int] FROM sales.customer_id_seq)
"""


@pytest.fixture(params=[18, 16])
def shop(request: pytest.FixtureRequest, target_database: MakeDatabase) -> tuple[str, Rehearsal]:
    """A rich target of an ordinary role with a history, and where to rehearse it."""
    server: Server = request.getfixturevalue(f"pg{request.param}")
    url = owned_by(server, target_database(major=request.param), ordinary_role(server))
    Target(url).apply(*chain(RICH))
    rehearsal: Rehearsal = request.getfixturevalue("rehearsal" if request.param == 18 else "rehearsal16")
    return url, rehearsal


def test_it_has_the_schema_the_rows_and_the_positions(shop: tuple[str, Rehearsal]) -> None:
    url, rehearsal = shop
    clone = rehearsal.clone(url)
    assert clone.fingerprint == clone.target_fingerprint
    assert rows(clone.dsn, CONTENT) == rows(url, CONTENT)
    assert value(clone.dsn, "SELECT relispopulated FROM pg_class WHERE oid = 'sales.empty'::regclass") is False
    tables = {table.name: table for table in clone.tables}
    assert all(table.whole for table in clone.tables)
    assert (tables["sales.customer"].rows, tables["sales.customer"].target_rows) == (200, 200)
    assert tables["sales.customer"].target_bytes == value(url, "SELECT pg_table_size('sales.customer')")
    assert "sales.orders" not in tables
    assert tables["sales.orders_2025"].rows + tables["sales.orders_2026"].rows == 500


def test_it_knows_its_statistics(shop: tuple[str, Rehearsal]) -> None:
    url, rehearsal = shop
    clone = rehearsal.clone(url)
    assert value(clone.dsn, "SELECT reltuples FROM pg_class WHERE oid = 'sales.customer'::regclass") == 200
    assert value(clone.dsn, "SELECT count(*) FROM pg_stats WHERE tablename = 'customer' AND attname = 'name'") == 1
    target = "SELECT attstattarget FROM pg_attribute WHERE attrelid = 'sales.customer'::regclass AND attname = 'name'"
    assert value(clone.dsn, target) == 321
    assert value(clone.dsn, "SELECT count(*) FROM pg_statistic_ext") == 1


def test_it_carries_the_receipts_and_says_that_it_is_a_clone(shop: tuple[str, Rehearsal]) -> None:
    url, rehearsal = shop
    clone = rehearsal.clone(url)
    environment = value(url, "SELECT environment FROM lockstep.identity")
    with psycopg.connect(clone.dsn.conninfo()) as there, psycopg.connect(url) as here:
        assert read_after(there, 0) == read_after(here, 0)
        assert check_identity(there, environment=clone.uid).name == "test (rehearsal)"
        with pytest.raises(Refused) as refused:
            check_identity(there, environment=environment)
        assert refused.value.code == "other_environment"
        with pytest.raises(Refused) as refused:
            check_identity(here, environment=clone.uid)
        assert refused.value.code == "other_environment"
        assert check_identity(here, environment=environment)


def test_it_never_writes_to_the_target(shop: tuple[str, Rehearsal]) -> None:
    url, rehearsal = shop
    before, receipts = writes(url), rows(url, "TABLE lockstep.migration_history")
    rehearsal.clone(url)
    rehearsal.clone(url, sizes=Sizes(rows_per_table=50, whole_up_to_bytes=0))
    assert writes(url) == before
    assert rows(url, "TABLE lockstep.migration_history") == receipts


def test_another_major_version_is_refused_and_named(shop: tuple[str, Rehearsal]) -> None:
    url, rehearsal = shop
    wrong = replace(rehearsal.server, major=15)
    with pytest.raises(Refused, match="LOCKSTEP_REHEARSAL_SERVERS") as refused:
        rehearsal.clone(url, server=wrong)
    assert refused.value.code == "no_rehearsal_server"
    assert rehearsal.names() == ()
    assert rehearsal.clone(url)


def test_a_clone_is_not_cloned(rehearsal: Rehearsal, target_database: MakeDatabase) -> None:
    clone = rehearsal.clone(target_database())
    with pytest.raises(Refused) as refused:
        rehearsal.clone(clone.dsn)
    assert refused.value.code == "source_is_a_clone"
    assert rehearsal.names() == (clone.name,)


def test_a_target_does_not_serve_as_rehearsal_server(rehearsal: Rehearsal, target_database: MakeDatabase) -> None:
    target = Target(target_database())
    name = target.url.rpartition("/")[2]
    server = replace(rehearsal.server, dsn=rehearsal.server.dsn.in_database(name))
    with pytest.raises(Refused) as refused:
        rehearsal.clone(target.url, server=server)
    assert refused.value.code == "rehearsal_server_is_target"
    assert rehearsal.clone(target.url)


def test_stopping_removes_what_was_made(shop: tuple[str, Rehearsal]) -> None:
    url, rehearsal = shop
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(len(rehearsal.names()))
        return len(asked) >= 12

    with pytest.raises(Stopped):
        rehearsal.clone(url, should_stop=should_stop)
    assert asked[-1] == 1
    assert rehearsal.names() == ()


def test_a_locked_table_ends_it_soon_and_leaves_nothing(rehearsal: Rehearsal, target_database: MakeDatabase) -> None:
    url = target_database()
    run(url, "CREATE TABLE t (n int)")
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(LockExhausted):
            rehearsal.clone(url)
    assert rehearsal.names() == ()
    assert rehearsal.clone(url)


def test_a_target_that_changes_meanwhile_is_told(rehearsal: Rehearsal, target_database: MakeDatabase) -> None:
    """An index is no row: the snapshot does not keep it away from what is printed of the schema."""
    url = target_database()
    run(url, "CREATE TABLE t (n int)")

    def interfere(sentence: str) -> None:
        name = rehearsal.names()[0]
        run(str(rehearsal.server.admin_dsn(name).conninfo()), "CREATE INDEX one_more ON t (n)")

    rehearsal.said = _Hook(interfere)
    with pytest.raises(Refused, match=r"\+ index public\.one_more") as refused:
        rehearsal.clone(url)
    assert refused.value.code == "clone_differs"
    assert rehearsal.names() == ()


class _Hook(list[str]):
    def __init__(self, call: object) -> None:
        super().__init__()
        self._call = call

    def append(self, sentence: str) -> None:
        if sentence.startswith("Copying"):
            self._call(sentence)  # type: ignore[operator]


def test_what_the_user_may_not_read_is_refused(
    rehearsal: Rehearsal, target_database: MakeDatabase, pg18: Server
) -> None:
    superuser = target_database()
    url = owned_by(pg18, superuser, ordinary_role(pg18))
    run(superuser, "CREATE TABLE hidden (n int)")
    with pytest.raises(Refused, match=r"may not read the table public\.hidden") as refused:
        rehearsal.clone(url)
    assert refused.value.code == "unreadable_table"
    run(superuser, "GRANT SELECT ON hidden TO shop_app; ALTER TABLE hidden ENABLE ROW LEVEL SECURITY")
    with pytest.raises(Refused, match=r"hides rows of public\.hidden") as refused:
        rehearsal.clone(url)
    assert refused.value.code == "row_security"
    run(superuser, "ALTER TABLE hidden OWNER TO shop_app")
    assert rehearsal.clone(url)
