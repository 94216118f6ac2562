"""What a block, a called procedure or dynamic SQL does is not looked at before: what contains it while it runs.

The threat model claims these, and names what nothing contains.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import sql

from migrations_app.engine.contract.events import Event
from migrations_app.engine.contract.work import Limits
from migrations_app.engine.errors import Fenced, LockstepError, StatementFailed
from tests.conftest import MakeDatabase
from tests.engine.contract.support import Target, chain

FORGED = """
    INSERT INTO lock'||'step.migration_history (seq, prev_seq, revision_id, parent, direction, checksum, phase,
      operator, run_id, fence, fp_before, fp_after)
    VALUES (2, 1, ''0002_r'', ''0001_r'', ''up'', ''x'', ''expand'', ''x'', gen_random_uuid(), 1, ''a'', ''b'')
"""
LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")


@pytest.fixture
def target(target_database: MakeDatabase) -> Target:
    return Target(target_database())


@pytest.fixture
def stranger(target: Target) -> Iterator[str]:
    """A role that may make tables and nothing else."""
    with target.connect() as conn:
        name = f"stranger_{conn.info.dbname}"
        role = sql.Identifier(name)
        conn.execute(sql.SQL("CREATE ROLE {0}; GRANT CREATE ON SCHEMA public TO {0}").format(role))
        yield name
        conn.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(role))


def block(body: str) -> str:
    return f"DO $block$ BEGIN {body} END $block$"


def standing(target: Target) -> list[str]:
    return [receipt.revision_id for receipt in target.receipts()]


@pytest.mark.parametrize(
    "body",
    [
        "COMMIT;",
        "ROLLBACK;",
        "EXECUTE 'COMMIT';",
        "EXECUTE 'PREPARE TRANSACTION ''x''';",
        "EXECUTE 'ALTER SYSTEM SET work_mem = ''5MB''';",
        "EXECUTE 'CREATE INDEX CONCURRENTLY i ON a (x)';",
        "EXECUTE 'DISCARD ALL';",
        "EXECUTE 'DEALLOCATE ALL';",
    ],
)
def test_a_block_cannot_leave_the_runner_s_transaction(target: Target, body: str) -> None:
    with pytest.raises(StatementFailed):
        target.apply(*chain("CREATE TABLE a (x int)", f"INSERT INTO a VALUES (1); {block(body)}"))
    assert target.value("SELECT count(*) FROM a") == 0
    assert standing(target) == ["0001_r"]


def test_a_session_that_reads_strings_otherwise_commits_nothing_by_itself(target: Target) -> None:
    """The splitter sees one statement; with backslashes as escapes it holds a COMMIT."""
    off = "CREATE FUNCTION off() RETURNS text RETURN set_config('standard_conforming_strings', 'off', false)"
    two_faced = "INSERT INTO a SELECT '\\', $$x$$ || ', 1; COMMIT; SELECT 1/(2-1); --'"
    with pytest.raises(StatementFailed) as failure:
        target.apply(*chain(f"CREATE TABLE a (s text, u text); {off}", "SELECT off()", two_faced, "SELECT 1"))
    assert failure.value.code == "transaction_escaped"
    assert standing(target) == ["0001_r", "0002_r"]


def test_a_receipt_that_the_target_does_not_confirm_is_not_believed(target: Target) -> None:
    name = "lock'||'step_step_and_receipt_ahead"
    types = ", ".join(["text"] * 27)
    other = f"PREPARE {name} ({types}) AS DELETE FROM a RETURNING x"
    body = f"BEGIN EXECUTE 'DEALLOCATE {name}'; EXECUTE '{other}'; RETURN 1; END"
    fake = f"CREATE FUNCTION fake() RETURNS int LANGUAGE plpgsql AS $f$ {body} $f$"
    with pytest.raises(StatementFailed) as failure:
        target.apply(
            *chain(f"CREATE TABLE a (x int); CREATE TABLE b (x int); {fake}", "INSERT INTO b SELECT fake()", "SELECT 1")
        )
    assert failure.value.code == "no_receipt"
    assert [event.revision_id for event in target.events if event.kind == "recorded"] == ["0001_r"]


def test_a_called_procedure_cannot_commit(target: Target) -> None:
    procedure = "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO a VALUES (1); COMMIT; END $$"
    with pytest.raises(StatementFailed) as failure:
        target.apply(*chain(f"CREATE TABLE a (x int); {procedure}", "CALL p()"))
    assert "invalid transaction termination" in failure.value.message
    assert target.value("SELECT count(*) FROM a") == 0


def test_limits_that_a_block_takes_away_are_back_with_the_next_step(target: Target) -> None:
    """Within its own step nothing brings them back."""
    note = f"INSERT INTO seen SELECT name, setting FROM pg_settings WHERE name IN {LIMITS}"
    away = block("".join(f"PERFORM set_config('{name}', '0', false);" for name in LIMITS))
    table = "CREATE TABLE IF NOT EXISTS seen (name text, setting text)"
    target.apply(*chain(f"{table}; {away}; {note}"))
    assert {setting for _, setting in target.rows("SELECT * FROM seen")} == {"0"}
    emptied = f"{table}; TRUNCATE seen; {away}"
    target.apply(*chain(f"{table}; {away}; {note}", emptied, note))
    assert "0" not in {setting for _, setting in target.rows("SELECT * FROM seen")}


def test_the_time_limit_ends_a_block_that_catches_the_usual_errors(target: Target) -> None:
    body = "BEGIN PERFORM pg_sleep(30); EXCEPTION WHEN OTHERS THEN NULL; END;"
    with pytest.raises(StatementFailed) as failure:
        target.apply(*chain(block(body)), limits=Limits(lock_window_s=5, long_statement_s=0.5))
    assert failure.value.code == "statement_timeout"


def test_a_role_that_may_not_write_receipts_gets_none(target: Target, stranger: str) -> None:
    with pytest.raises(StatementFailed) as failure:
        target.apply(*chain("CREATE TABLE a (); " + block(f"EXECUTE 'SET ROLE {stranger}';")))
    assert "permission denied" in failure.value.message
    assert target.value("SELECT to_regclass('a')") is None
    target.apply(*chain("CREATE TABLE a ()"))
    assert target.value("SELECT relowner = 'postgres'::regrole FROM pg_class WHERE relname = 'a'") is True


def test_a_lock_that_was_given_away_lets_another_runner_in_and_only_one_goes_on(target: Target) -> None:
    revisions = chain("CREATE TABLE a (); " + block("PERFORM pg_advisory_unlock_all();"), "CREATE TABLE b ()")
    other = Target(target.url, target.environment)

    def come_in(event: Event) -> None:
        if event.kind == "recorded":
            other.apply(*revisions)

    with pytest.raises(LockstepError) as ended:
        target.apply(*revisions, on_event=come_in)
    assert any(isinstance(failure, Fenced) for failure in (ended.value, ended.value.__context__))
    assert standing(target) == ["0001_r", "0002_r"]
    assert [receipt.fence for receipt in target.receipts()] == [1, 2]


def test_receipts_are_not_deleted_by_the_way(target: Target) -> None:
    body = "EXECUTE 'DELETE FROM lock' || 'step.migration_history';"
    with pytest.raises(StatementFailed) as failure:
        target.apply(*chain("CREATE TABLE a ()", block(body)))
    assert "append-only" in failure.value.message
    assert standing(target) == ["0001_r"]


def test_a_forged_receipt_in_the_last_step_meets_the_true_one(target: Target) -> None:
    with pytest.raises(StatementFailed):
        target.apply(*chain("CREATE TABLE a ()", block(f"EXECUTE '{FORGED}';")))
    assert standing(target) == ["0001_r"]
