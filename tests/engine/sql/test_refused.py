from __future__ import annotations

import pytest

from tests.engine.sql.reading import refused, shape


@pytest.mark.parametrize(
    "sql",
    [
        "NOTIFY channel, 'x'",
        "SET CONSTRAINTS ALL DEFERRED",
        "CHECKPOINT",
        "CREATE INDEX ON t (a)",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
        "DROP INDEX a, b",
        "SHOW work_mem",
    ],
)
def test_it_lets_harmless_statements_through(sql: str) -> None:
    assert len(shape(sql)) == 1


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("ALTER SYSTEM SET work_mem = '1GB'", "session_statement"),
        ("ALTER SYSTEM RESET ALL", "session_statement"),
        ("LOAD 'auto_explain'", "session_statement"),
        ("DISCARD ALL", "session_statement"),
        ("DISCARD TEMP", "session_statement"),
        ("LISTEN x", "session_statement"),
        ("UNLISTEN *", "session_statement"),
        ("PREPARE p AS SELECT 1", "session_statement"),
        ("EXECUTE p", "session_statement"),
        ("DEALLOCATE p", "session_statement"),
        ("DECLARE c CURSOR FOR SELECT 1", "session_statement"),
        ("FETCH c", "session_statement"),
        ("CLOSE c", "session_statement"),
        ("COPY t FROM '/etc/passwd'", "session_statement"),
        ("COPY t TO '/tmp/x'", "session_statement"),
        ("COPY t FROM PROGRAM 'id'", "session_statement"),
        ("COPY t TO PROGRAM 'id'", "session_statement"),
        ("COPY t FROM stdin", "psql_command"),
        ("COPY (SELECT 1) TO STDOUT", "psql_command"),
        ("LOCK TABLE t IN SHARE MODE", "lock_table"),
        ("CREATE INDEX CONCURRENTLY ON t (a)", "unnamed_index"),
        ("DROP INDEX CONCURRENTLY a, b", "one_index_each"),
    ],
)
def test_it_refuses_with_line_reason_and_way_out(sql: str, code: str) -> None:
    error = refused(f"SELECT 1;\n\n{sql};")
    assert error.code == code
    assert error.message.startswith("Line 3: ")
    assert error.not_done == "Nothing was run."
    assert error.next_step
