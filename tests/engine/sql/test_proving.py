"""Which scripts may have overwritten what the schema said, so that applying them again proves nothing."""

from __future__ import annotations

import pytest

from migrations_app.engine.sql.proving import overwriting
from migrations_app.engine.sql.script import read_script

PROVING = (
    "CREATE TABLE t (a int)",
    "CREATE TABLE t (a int); GRANT ALL ON t TO ann;"
    " COMMENT ON COLUMN t.a IS 'x'; ALTER TABLE t ALTER a SET STATISTICS 9",
    "ALTER TABLE t ADD a int; UPDATE t SET a = 1; ALTER TABLE t ALTER a SET NOT NULL; COMMENT ON COLUMN t.a IS 'x'",
    "ALTER TABLE s.t ADD CONSTRAINT k CHECK (a > 0) NOT VALID; ALTER TABLE s.t VALIDATE CONSTRAINT k",
    "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0); COMMENT ON CONSTRAINT k ON t IS 'x'",
    "ALTER TABLE t RENAME a TO b; ALTER TABLE t RENAME TO u; ALTER TABLE u SET SCHEMA s",
    "CREATE INDEX CONCURRENTLY i ON t (a)",
    "CREATE VIEW v AS SELECT 1; COMMENT ON VIEW v IS 'x'; ALTER VIEW v OWNER TO olga",
    "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f(int) OWNER TO olga",
    "CREATE TYPE m AS ENUM ('a'); COMMENT ON TYPE m IS 'x'; ALTER TYPE m ADD VALUE 'b'",
    "CREATE SEQUENCE s; ALTER SEQUENCE s OWNED BY t.a; DROP SEQUENCE s",
    "CREATE TABLE p (a int) PARTITION BY LIST (a); ALTER TABLE o ATTACH PARTITION q FOR VALUES IN (1)",
    "INSERT INTO t VALUES (1); DELETE FROM t; TRUNCATE t; SET LOCAL search_path = s",
)
OVERWRITING = {
    "ALTER TABLE t ALTER a DROP DEFAULT": 1,
    "ALTER TABLE t ALTER a SET DEFAULT 1": 1,
    "ALTER TABLE t ADD a int;\nALTER TABLE u ALTER a DROP DEFAULT": 2,
    "ALTER TABLE t ADD IF NOT EXISTS a int": 1,
    "ALTER TABLE t ADD a int,\n DROP CONSTRAINT k": 1,
    "ALTER TABLE t VALIDATE CONSTRAINT k": 1,
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY": 1,
    "ALTER TABLE t DETACH PARTITION p": 1,
    "ALTER TABLE t OWNER TO olga": 1,
    "CREATE TABLE IF NOT EXISTS t (a int)": 1,
    "CREATE INDEX IF NOT EXISTS i ON t (a)": 1,
    "CREATE EXTENSION IF NOT EXISTS pgcrypto": 1,
    "CREATE OR REPLACE VIEW v AS SELECT 1": 1,
    "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'": 1,
    "CREATE INDEX i ON t (a);\nDROP INDEX j": 2,
    "CREATE TABLE u ();\nCOMMENT ON COLUMN t.a IS 'x'": 2,
    "CREATE TABLE u ();\nGRANT SELECT ON u, t TO PUBLIC": 2,
    "REVOKE ALL ON t FROM PUBLIC": 1,
    "ALTER TYPE m ADD VALUE IF NOT EXISTS 'b'": 1,
    "ALTER SEQUENCE s OWNED BY t.a": 1,
    "DROP VIEW v": 1,
    "DROP TRIGGER g ON t": 1,
    "SELECT 1": 1,
    "DO $$ BEGIN END $$": 1,
}


@pytest.mark.parametrize("sql", PROVING)
def test_what_fails_where_it_is_done_already_proves_itself(sql: str) -> None:
    found = overwriting(read_script(sql))
    assert found is None, found


@pytest.mark.parametrize(("sql", "line"), OVERWRITING.items())
def test_what_would_not_notice_proves_nothing(sql: str, line: int) -> None:
    found = overwriting(read_script(sql))
    assert found is not None
    assert found.line == line
