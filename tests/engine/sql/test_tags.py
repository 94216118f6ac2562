from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.engine.sql.reading import only

WORLD = """
CREATE TABLE t (id int PRIMARY KEY, a int CONSTRAINT c CHECK (a > 0));
CREATE VIEW v AS SELECT 1 AS one;
CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one;
CREATE SEQUENCE s;
CREATE TYPE mood AS ENUM ('a');
CREATE TYPE pair AS (a int, b int);
CREATE DOMAIN d AS int;
CREATE INDEX i ON t (a);
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA sc;
"""
STATEMENTS = """
ALTER TABLE t ADD COLUMN b int
ALTER TABLE t RENAME TO u
ALTER TABLE t RENAME COLUMN a TO b
ALTER TABLE t RENAME CONSTRAINT c TO k
ALTER VIEW v RENAME TO w
ALTER VIEW v RENAME COLUMN one TO two
ALTER INDEX i RENAME TO j
ALTER INDEX i SET (fillfactor = 90)
ALTER SEQUENCE s INCREMENT 2
ALTER SEQUENCE s SET SCHEMA sc
ALTER MATERIALIZED VIEW mv RENAME TO mw
ALTER TYPE mood ADD VALUE 'b'
ALTER TYPE pair RENAME ATTRIBUTE a TO c
ALTER DOMAIN d SET NOT NULL
ALTER FUNCTION f() RENAME TO g
ALTER FUNCTION f() IMMUTABLE
ALTER SCHEMA sc RENAME TO sd
ALTER TABLE t OWNER TO CURRENT_USER
ALTER FUNCTION f() OWNER TO CURRENT_USER
CREATE TABLE x (id int)
CREATE INDEX k ON t (a)
CREATE VIEW w AS SELECT 1
CREATE TYPE m AS ENUM ()
CREATE TYPE q AS (a int)
CREATE TYPE r AS RANGE (SUBTYPE = int4)
CREATE DOMAIN e AS int
CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1'
CREATE PROCEDURE q() LANGUAGE sql AS 'SELECT 1'
CREATE AGGREGATE agg (int) (SFUNC = int4pl, STYPE = int)
CREATE TRIGGER tr BEFORE TRUNCATE ON t EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE POLICY p ON t
CREATE RULE r AS ON UPDATE TO t DO NOTHING
CREATE SCHEMA z
CREATE SEQUENCE z
CREATE STATISTICS st ON id, a FROM t
COMMENT ON TABLE t IS 'x'
GRANT SELECT ON t TO PUBLIC
REVOKE SELECT ON t FROM PUBLIC
DROP TABLE t
DROP INDEX i
DROP VIEW v
DROP MATERIALIZED VIEW mv
DROP FUNCTION f
DROP PROCEDURE p
DROP TYPE mood
DROP SCHEMA sc
DROP SEQUENCE s
TRUNCATE t
REFRESH MATERIALIZED VIEW mv
REINDEX TABLE t
ANALYZE t
DO $$ BEGIN END $$
CALL p()
CHECKPOINT
NOTIFY x
SET CONSTRAINTS ALL IMMEDIATE
SHOW work_mem
EXPLAIN SELECT 1
""".strip().splitlines()


def test_it_is_postgresqls_own_command_tag(target_database: Callable[..., str]) -> None:
    wrong = []
    with psycopg.connect(target_database(), autocommit=True) as connection:
        connection.execute(WORLD)
        for sql in STATEMENTS:
            with connection.transaction(force_rollback=True):
                tag = connection.execute(sql).statusmessage
            if only(sql).tag != tag:
                wrong.append((sql, only(sql).tag, tag))
    assert wrong == []


@pytest.mark.parametrize(
    ("sql", "tag"),
    [
        ("INSERT INTO t VALUES (1)", "INSERT"),
        ("SELECT 1", "SELECT"),
        ("CREATE TABLE t AS SELECT 1", "CREATE TABLE"),
        ("CREATE MATERIALIZED VIEW m AS SELECT 1", "CREATE MATERIALIZED VIEW"),
        ("VACUUM t", "VACUUM"),
        ("CREATE SERVER s FOREIGN DATA WRAPPER w", "CREATE"),
    ],
)
def test_an_unlisted_kind_shows_its_first_word(sql: str, tag: str) -> None:
    assert only(sql).tag == tag
