"""Static lock modes, compared with what PostgreSQL really takes."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from migrations_app.engine.sql.locks import BLOCKS_WRITES, STRENGTH
from migrations_app.engine.sql.script import read_script
from tests.engine.sql.reading import only

WORLD = """
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE t (id int PRIMARY KEY, a int, b text, parent_id int);
CREATE TABLE child (id int PRIMARY KEY, t_id int CONSTRAINT child_fk REFERENCES t);
CREATE INDEX t_a ON t (a);
ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;
CREATE VIEW v AS SELECT id FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT id FROM t;
CREATE UNIQUE INDEX mv_id ON mv (id);
CREATE TABLE pt (id int) PARTITION BY LIST (id);
CREATE TABLE pt1 PARTITION OF pt FOR VALUES IN (1);
CREATE TABLE pt2 (id int);
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION noop();
CREATE POLICY p ON t USING (true);
CREATE SEQUENCE s;
"""
STATEMENTS = """
ALTER TABLE t ADD COLUMN c int
ALTER TABLE t ADD COLUMN c int REFERENCES parent
ALTER TABLE t ADD CONSTRAINT x CHECK (id > 0) NOT VALID
ALTER TABLE t ADD CONSTRAINT x FOREIGN KEY (parent_id) REFERENCES parent NOT VALID
ALTER TABLE t VALIDATE CONSTRAINT positive
ALTER TABLE t ALTER COLUMN a SET NOT NULL
ALTER TABLE t ALTER COLUMN a SET DEFAULT 1
ALTER TABLE t ALTER COLUMN a SET STATISTICS 100
ALTER TABLE t ALTER COLUMN a SET (n_distinct = 5)
ALTER TABLE t SET (fillfactor = 90)
ALTER TABLE t SET (autovacuum_enabled = false)
ALTER TABLE t DISABLE TRIGGER tr
ALTER TABLE t ENABLE TRIGGER tr
ALTER TABLE t CLUSTER ON t_pkey
ALTER TABLE t ENABLE ROW LEVEL SECURITY
ALTER TABLE t REPLICA IDENTITY FULL
ALTER TABLE t RENAME TO u
ALTER TABLE t RENAME COLUMN a TO c
ALTER TABLE t RENAME CONSTRAINT positive TO x
ALTER TABLE t DROP CONSTRAINT positive
ALTER TABLE t DROP COLUMN b
ALTER TABLE t SET SCHEMA public
ALTER TABLE child DROP CONSTRAINT child_fk
ALTER TABLE pt ATTACH PARTITION pt2 FOR VALUES IN (2)
ALTER TABLE pt DETACH PARTITION pt1
CREATE TABLE new (id int REFERENCES parent)
CREATE TABLE pt3 PARTITION OF pt FOR VALUES IN (3)
CREATE TABLE new () INHERITS (t)
CREATE TABLE new (LIKE t)
CREATE TABLE new AS SELECT * FROM t
CREATE INDEX new ON t (b)
CREATE STATISTICS st ON a, b FROM t
CREATE TRIGGER tr2 AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION noop()
CREATE POLICY q ON t USING (false)
CREATE RULE r AS ON UPDATE TO t DO ALSO NOTHING
CREATE VIEW w AS SELECT * FROM t
CREATE OR REPLACE VIEW v AS SELECT id FROM t
CREATE PUBLICATION pub FOR TABLE t
COMMENT ON TABLE t IS 'x'
COMMENT ON COLUMN t.a IS 'x'
DROP INDEX t_a
DROP TABLE child
DROP TRIGGER tr ON t
DROP POLICY p ON t
DROP VIEW v
DROP MATERIALIZED VIEW mv
TRUNCATE child
CLUSTER t USING t_pkey
REINDEX TABLE t
REINDEX INDEX t_a
REFRESH MATERIALIZED VIEW mv
REFRESH MATERIALIZED VIEW CONCURRENTLY mv
ANALYZE t
INSERT INTO t VALUES (5, 5)
INSERT INTO child SELECT id, id FROM t
UPDATE t SET a = 2
DELETE FROM t
SELECT * FROM t
SELECT * FROM t FOR UPDATE
WITH gone AS (DELETE FROM child RETURNING id) SELECT * FROM gone
""".strip().splitlines()
EXISTING = """
SELECT oid, oid::regclass::text, relkind::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm', 'v')
"""


@pytest.mark.parametrize("major", [16, 18])
def test_it_names_the_strongest_lock_that_postgresql_takes(target_database: Callable[..., str], major: int) -> None:
    wrong = []
    with psycopg.connect(target_database(major=major), autocommit=True) as connection:
        connection.add_notice_handler(lambda _: None)
        connection.execute(WORLD)
        existing = {oid: (name, kind) for oid, name, kind in connection.execute(EXISTING).fetchall()}
        for sql in STATEMENTS:
            expected, tables = _measured(connection, existing, sql)
            statement = only(sql)
            if statement.lock != expected or not set(statement.relations) <= tables:
                wrong.append((sql, statement.lock, expected, statement.relations, tables))
    assert wrong == []


def _measured(
    connection: psycopg.Connection, existing: dict[int, tuple[str, str]], sql: str
) -> tuple[str | None, set[str]]:
    """The strongest mode on what existed before, and the ordinary tables held in it."""
    with connection.transaction(force_rollback=True):
        connection.execute(sql)
        rows = connection.execute(
            "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND granted AND relation = ANY (%s)",
            [list(existing)],
        ).fetchall()
    modes = [(existing[oid], _spelled(mode)) for oid, mode in rows]
    if not modes:
        return None, set()
    strongest = max((mode for _, mode in modes), key=STRENGTH.__getitem__)
    return strongest, {name for (name, kind), mode in modes if mode == strongest and kind in "rp"}


def _spelled(mode: str) -> str:
    """`ShareUpdateExclusiveLock` → `SHARE UPDATE EXCLUSIVE`."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in mode.removesuffix("Lock"))
    return words.strip().upper()


def test_it_finds_no_lock_where_nothing_existed_before() -> None:
    sql = "CREATE TABLE a (id int PRIMARY KEY); CREATE INDEX ON a (id); ALTER TABLE a ADD COLUMN b int;"
    (step,) = read_script(sql).steps
    assert [statement.lock for statement in step.statements] == [None, None, None]
    assert [statement.relations for statement in step.statements] == [(), (), ()]


def test_it_finds_the_lock_on_the_referenced_table_of_a_new_one() -> None:
    statement = only(
        "CREATE TABLE orders (id int, customer int REFERENCES app.customers, FOREIGN KEY (id) REFERENCES orders)"
    )
    assert statement.lock == "SHARE ROW EXCLUSIVE"
    assert statement.relations == ("app.customers",)


def test_it_keeps_weaker_locks_apart_from_the_strongest() -> None:
    statement = only("ALTER TABLE t ADD COLUMN p int REFERENCES parent")
    assert statement.relations == ("t",)
    assert statement.locks == (("t", "ACCESS EXCLUSIVE"), ("parent", "SHARE ROW EXCLUSIVE"))


def test_it_never_offers_a_view_for_lock_table() -> None:
    """LOCK TABLE on a view locks the tables below it as well."""
    statement = only("CREATE OR REPLACE VIEW v AS SELECT * FROM t")
    assert statement.lock == "ACCESS EXCLUSIVE"
    assert statement.relations == ()
    assert statement.locks == (("t", "ACCESS SHARE"),)


@pytest.mark.parametrize("sql", ["DROP SCHEMA old CASCADE", "DROP INDEX i", "DROP OWNED BY x", "CLUSTER t"])
def test_it_counts_a_lock_on_tables_it_cannot_name(sql: str) -> None:
    assert only(sql).lock == "ACCESS EXCLUSIVE"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TYPE mood AS ENUM ('a')",
        "ALTER TYPE mood ADD VALUE 'b'",
        "GRANT SELECT ON t TO PUBLIC",
        "CREATE EXTENSION pgcrypto",
        "DO $$ BEGIN NULL; END $$",
        "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID",
        "ALTER INDEX i RENAME TO j",
        "CREATE ROLE x",
    ],
)
def test_it_finds_no_table_lock(sql: str) -> None:
    assert only(sql).lock is None


def test_it_leaves_common_table_expressions_out() -> None:
    assert only("WITH recent AS (SELECT 1) SELECT * FROM recent").lock is None
    assert only("WITH t AS (SELECT 1) SELECT * FROM app.t").relations == ("app.t",)


def test_it_quotes_names_that_need_it() -> None:
    statement = only('ALTER TABLE "Sales"."order" ADD COLUMN x int')
    assert statement.relations == ('"Sales"."order"',)


def test_a_domain_constraint_blocks_writes_somewhere() -> None:
    assert only("ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0)").lock in BLOCKS_WRITES
