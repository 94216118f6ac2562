"""What takes rows with it, and what only looks like it."""

from __future__ import annotations

import pytest

from migrations_app.engine.sql.losing import loses
from migrations_app.engine.sql.script import read_script


def lost(sql: str) -> list[bool]:
    return [loses(statement) for step in read_script(sql).steps for statement in step.statements]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (id int);",
        "ALTER TABLE t ADD COLUMN dropped text DEFAULT 'DROP COLUMN x';",
        "ALTER TABLE t DROP CONSTRAINT c;",
        "ALTER TABLE t ALTER COLUMN c DROP NOT NULL, ALTER COLUMN d DROP DEFAULT;",
        "ALTER TABLE t ALTER c DROP IDENTITY IF EXISTS;",
        "DROP INDEX i;",
        "DROP VIEW v;",
        "DROP FUNCTION f();",
        "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM t $$;",
        "CREATE TRIGGER x AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION f();",
        "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES b ON DELETE CASCADE;",
        "UPDATE t SET a = 1; -- DELETE FROM t",
        'ALTER TABLE t RENAME COLUMN "drop me" TO b;',
    ],
)
def test_it_leaves_alone_what_can_be_made_again(sql: str) -> None:
    assert not any(lost(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE t;",
        "DROP TABLE IF EXISTS a, b CASCADE;",
        "DROP SCHEMA s;",
        "DROP SEQUENCE s;",
        "DROP TYPE t;",
        "TRUNCATE t;",
        "DELETE FROM t WHERE a;",
        "ALTER TABLE t DROP COLUMN c;",
        "ALTER TABLE t DROP c;",
        "ALTER TABLE t ADD d int, DROP IF EXISTS c;",
        "ALTER TABLE t /* x */ drop /* y */ column c;",
        'ALTER TABLE t DROP "constraint";',
        "ALTER TYPE t DROP ATTRIBUTE a;",
        "DROP VIEW v CASCADE;",
        "WITH gone AS (DELETE FROM t RETURNING *) INSERT INTO archive SELECT * FROM gone;",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE;",
    ],
)
def test_it_names_what_is_gone_for_good(sql: str) -> None:
    assert all(lost(sql))
