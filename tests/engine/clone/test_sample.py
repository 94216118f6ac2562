"""A sample is seeded, about as large as asked for, and keeps every foreign key."""

from __future__ import annotations

import psycopg
import pytest

from migrations_app.engine.clone.sample import Sizes
from tests.conftest import MakeDatabase
from tests.engine.clone.support import SMALL, Rehearsal, rows, run, value

NETWORK = """
CREATE TABLE country (code numeric, part int, PRIMARY KEY (code, part));
CREATE TABLE person (
  id int PRIMARY KEY, boss int REFERENCES person, code numeric, part int, best_order int,
  FOREIGN KEY (code, part) REFERENCES country);
CREATE TABLE orders (id int, at date, person int NOT NULL REFERENCES person, PRIMARY KEY (id, at))
  PARTITION BY RANGE (at);
CREATE TABLE orders_a PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_b PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2030-01-01');
CREATE TABLE line (id int PRIMARY KEY, "order" int, at date, FOREIGN KEY ("order", at) REFERENCES orders)
  WITH (autovacuum_enabled = off);
CREATE TABLE tiny (id int PRIMARY KEY);
INSERT INTO tiny SELECT generate_series(1, 100);
INSERT INTO country SELECT n, n % 7 FROM generate_series(1, 3000) n;
INSERT INTO person
  SELECT n, nullif(n / 3, 0), ((1 + n % 3000) || substr('.000', 1, n % 5))::numeric, (1 + n % 3000) % 7
  FROM generate_series(1, 5000) n;
INSERT INTO orders SELECT n, '2025-01-01'::date + n % 700, 1 + n % 5000 FROM generate_series(1, 6000) n;
INSERT INTO line SELECT n, 1 + n % 6000, '2025-01-01'::date + (1 + n % 6000) % 700 FROM generate_series(1, 9000) n;
ANALYZE;
"""
ORPHANS = """
SELECT (SELECT count(*) FROM line l WHERE NOT EXISTS (SELECT FROM orders o WHERE (o.id, o.at) = (l."order", l.at)))
     + (SELECT count(*) FROM orders o WHERE NOT EXISTS (SELECT FROM person p WHERE p.id = o.person))
     + (SELECT count(*) FROM person p WHERE boss IS NOT NULL AND NOT EXISTS (SELECT FROM person b WHERE b.id = p.boss))
     + (SELECT count(*) FROM person p WHERE NOT EXISTS (SELECT FROM country c
                                                         WHERE (c.code, c.part) = (p.code, p.part)))
"""


@pytest.fixture
def network(target_database: MakeDatabase) -> str:
    url = target_database()
    run(url, NETWORK)
    return url


def test_a_database_up_to_the_size_is_copied_whole(network: str, rehearsal: Rehearsal) -> None:
    clone = rehearsal.clone(network, sizes=Sizes(rows_per_table=100))
    assert all(table.whole and table.rows == table.target_rows for table in clone.tables)


def test_a_larger_one_is_sampled_and_its_references_hold(network: str, rehearsal: Rehearsal) -> None:
    clone = rehearsal.clone(network, sizes=SMALL)
    tables = {table.name: table for table in clone.tables}
    assert value(clone.dsn, ORPHANS) == 0
    assert value(clone.dsn, "SELECT bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'")
    assert 50 < tables["public.line"].rows < 200
    assert tables["public.person"].rows < 2000
    assert (tables["public.tiny"].rows, tables["public.tiny"].whole) == (100, True)
    assert (tables["public.line"].target_rows, tables["public.line"].whole) == (9000, False)
    assert tables["public.line"].target_bytes == value(network, "SELECT pg_table_size('line')")
    for name, table in tables.items():
        assert table.rows == value(clone.dsn, f"SELECT count(*) FROM ONLY {name}")


def test_the_same_seed_picks_the_same_rows_and_another_others(network: str, rehearsal: Rehearsal) -> None:
    picked = "SELECT array_agg(id ORDER BY id) FROM line"
    first, again, other = (rows(rehearsal.clone(network, sizes=Sizes(100, 0, seed)).dsn, picked) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_table_that_was_never_analysed_is_measured(target_database: MakeDatabase, rehearsal: Rehearsal) -> None:
    url = target_database()
    run(url, "CREATE TABLE t WITH (autovacuum_enabled = off) AS SELECT n FROM generate_series(1, 20000) n")
    (table,) = (one for one in rehearsal.clone(url, sizes=SMALL).tables if one.name == "public.t")
    assert 50 < table.rows < 200
    assert 19_000 < table.target_rows < 21_000


def test_a_chain_that_is_too_long_is_cut_and_what_hangs_on_it_left_out(
    target_database: MakeDatabase, rehearsal: Rehearsal
) -> None:
    url = target_database()
    run(
        url,
        "CREATE TABLE chain (id int PRIMARY KEY, before int REFERENCES chain);"
        "INSERT INTO chain SELECT n, nullif(n - 1, 0) FROM generate_series(1, 5000) n; ANALYZE",
    )
    clone = rehearsal.clone(url, sizes=Sizes(rows_per_table=2, whole_up_to_bytes=0))
    left = (
        "SELECT count(*) FROM chain c WHERE before IS NOT NULL AND NOT EXISTS (SELECT FROM chain WHERE id = c.before)"
    )
    assert value(clone.dsn, left) == 0
    assert any(sentence.startswith("Left out ") for sentence in rehearsal.said)


def test_a_key_that_does_not_hold_in_the_target_need_not_hold_in_the_clone(
    target_database: MakeDatabase, rehearsal: Rehearsal
) -> None:
    url = target_database()
    run(
        url,
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int);"
        "INSERT INTO c SELECT generate_series(1, 1000);"
        "ALTER TABLE c ADD FOREIGN KEY (p) REFERENCES p NOT VALID; ANALYZE",
    )
    clone = rehearsal.clone(url, sizes=SMALL)
    assert value(clone.dsn, "SELECT count(*) FROM c") > 0
    with psycopg.connect(clone.dsn.conninfo()) as conn, pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute("INSERT INTO c VALUES (1)")
