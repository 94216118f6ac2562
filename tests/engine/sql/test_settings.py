from __future__ import annotations

import pytest

from migrations_app.engine.sql.script import read_script
from tests.engine.sql.reading import refused, shape

HEADER = """
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
SET default_with_oids = false;
"""


def settings(sql: str) -> tuple[tuple[str, str], ...]:
    return read_script(sql).settings


def test_a_dumps_header_leaves_the_steps() -> None:
    script = read_script(HEADER + "CREATE TABLE public.t (id int);")
    assert script.settings == (
        ("search_path", ""),
        ("check_function_bodies", "false"),
        ("xmloption", "content"),
        ("client_min_messages", "warning"),
        ("row_security", "off"),
        ("default_tablespace", ""),
        ("default_table_access_method", "heap"),
    )
    assert [step.statements[0].text for step in script.steps] == ["CREATE TABLE public.t (id int)"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ('SET search_path TO app, "Sales", public', ("search_path", 'app, "Sales", public')),
        ('SET LOCAL search_path = "$user", public', ("search_path", '"$user", public')),
        ("SET search_path = ''", ("search_path", '""')),
        ("SET SCHEMA 'app'", ("search_path", "app")),
        ("SET SESSION Work_Mem = '64MB'", ("work_mem", "64MB")),
        ("SET maintenance_work_mem = 65536", ("maintenance_work_mem", "65536")),
        ("SET extra_float_digits = -1", ("extra_float_digits", "-1")),
        ("SET hash_mem_multiplier = 1.5", ("hash_mem_multiplier", "1.5")),
        ("SET DateStyle = ISO, DMY", ("datestyle", "iso, dmy")),
        ("SET jit = off", ("jit", "off")),
        ("SET app.tenant = 'it''s'", ("app.tenant", "it's")),
        ("SELECT set_config('work_mem', '1MB', true)", ("work_mem", "1MB")),
    ],
)
def test_it_reads_the_value_as_set_config_takes_it(sql: str, expected: tuple[str, str]) -> None:
    assert settings(sql) == (expected,)


@pytest.mark.parametrize(
    "sql",
    [
        "SET TIME ZONE DEFAULT",
        "SET NAMES 'utf8'",
        "SET client_encoding TO unicode",
        "SET TIME ZONE 'UTC'",
        "SET timezone = 'Etc/UTC'",
    ],
)
def test_what_the_session_has_anyway_is_dropped(sql: str) -> None:
    assert settings(sql) == ()


def test_the_last_of_several_counts_while_nothing_stands_between() -> None:
    assert settings("SET search_path = a; SET search_path = b; SELECT 1") == (("search_path", "b"),)


@pytest.mark.parametrize(
    "sql",
    [
        "SET role app",
        "SET SESSION AUTHORIZATION app",
        "SET session_replication_role = replica",
        "SET synchronous_commit = off",
        "SET client_encoding = 'LATIN1'",
        "SET standard_conforming_strings = off",
        "SET TIME ZONE 'Europe/Berlin'",
        "SET lockstep.fence = 5",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET search_path FROM CURRENT",
        "RESET role",
        "RESET ALL",
        "SELECT pg_catalog.set_config('role', 'app', true)",
        "SELECT set_config('lock_timeout', v, false) FROM x",
        "SELECT set_config(name, '0', false) FROM pg_settings",
        "INSERT INTO t SELECT set_config('ro' || 'le', 'postgres', false)",
        "SELECT U&\"set\\005fconfig\"(n, '0', false) FROM x",
    ],
)
def test_the_runners_parameters_are_refused(sql: str) -> None:
    error = refused(f"SELECT 1;\n{sql};")
    assert error.code == "set_refused"
    assert error.message.startswith("Line 2: ")
    assert error.next_step


@pytest.mark.parametrize(
    "name",
    [
        "lock_timeout",
        "statement_timeout",
        "idle_in_transaction_session_timeout",
        "transaction_timeout",
        "idle_session_timeout",
        "deadlock_timeout",
    ],
)
@pytest.mark.parametrize(
    "sql",
    [
        "SET {} = 0",
        "SET {} = '5s'",
        "SET SESSION {} TO 250",
        "SET LOCAL {} TO '0s'",
        "SET {} TO DEFAULT",
        "RESET {}",
        "SELECT pg_catalog.set_config('{}', '0', false)",
        "SELECT set_config('{}', '1s', true)",
    ],
)
def test_the_runners_time_outs_are_refused(sql: str, name: str) -> None:
    error = refused(f"SELECT 1;\n{sql.format(name)};")
    assert error.code == "set_refused"
    assert error.message == f"Line 2: a revision may not set {name}: the runner sets it."
    assert error.next_step.startswith("Remove the line") or "simply be removed" in error.next_step


@pytest.mark.parametrize("sql", ["SET lock_timeout = 0", "SELECT pg_catalog.set_config('Lock_Timeout', '0', false)"])
def test_the_zero_of_a_dump_can_simply_be_removed(sql: str) -> None:
    error = refused(f"{sql};\nBEGIN;\nSELECT 1;\nCOMMIT;")
    assert error.message.startswith("Line 1: ")
    assert error.next_step.startswith("The line can simply be removed")


def test_the_schema_of_the_receipts_is_no_search_path() -> None:
    assert refused('SET search_path = public, "lockstep"').code == "reserved_schema"


def test_a_parameter_inside_a_function_is_the_functions_own() -> None:
    sql = "CREATE FUNCTION f() RETURNS void LANGUAGE sql SET lock_timeout = '1s' AS 'SELECT set_config(a,b,true)'"
    assert shape(sql) == [["CREATE FUNCTION"]]


def test_a_parameter_of_ones_own_may_be_set_inside_a_query() -> None:
    assert shape("UPDATE t SET a = set_config('app.note', 'x', true)") == [["UPDATE"]]


def test_a_late_set_holds_from_there_to_the_end() -> None:
    sql = """
        SET search_path = a;
        CREATE TABLE one (id int);
        SET search_path = b;
        CREATE TABLE two (id int);
        ALTER TABLE old ADD COLUMN x int;
        CREATE TABLE three (id int);
    """
    script = read_script(sql)
    local = "SELECT pg_catalog.set_config('search_path', 'b', true)"
    assert script.settings == (("search_path", "a"),)
    assert [[one.text for one in step.statements] for step in script.steps] == [
        ["CREATE TABLE one (id int)", local, "CREATE TABLE two (id int)"],
        [local, "ALTER TABLE old ADD COLUMN x int"],
        [local, "CREATE TABLE three (id int)"],
    ]
    assert [step.timeout_class for step in script.steps] == ["brief", "brief", "brief"]


def test_a_late_set_to_the_same_value_is_nothing() -> None:
    sql = "SET work_mem = '1MB'; SELECT 1; SET work_mem = '1MB'; SELECT 2; CREATE INDEX CONCURRENTLY i ON t (a);"
    assert shape(sql) == [["SELECT", "SELECT"], ["CREATE INDEX"]]


def test_a_late_reset_goes_back_to_what_the_session_began_with() -> None:
    sql = """
        SET search_path = a; SET work_mem = '1MB'; SET jit = off; RESET jit;
        CREATE TABLE one (id int);
        RESET search_path; SET app.note = 'x'; SELECT 1; RESET app.note;
        ALTER TABLE old ADD COLUMN x int;
    """
    script = read_script(sql)
    assert script.settings == (("search_path", "a"), ("work_mem", "1MB"))
    assert [[one.text for one in step.statements] for step in script.steps] == [
        [
            "CREATE TABLE one (id int)",
            "SET LOCAL search_path TO DEFAULT",
            "SELECT pg_catalog.set_config('app.note', 'x', true)",
            "SELECT 1",
            "SET LOCAL app.note TO DEFAULT",
        ],
        ["SET LOCAL search_path TO DEFAULT", "ALTER TABLE old ADD COLUMN x int"],
    ]


def test_a_late_set_does_not_reach_outside_transactions() -> None:
    error = refused("SELECT 1;\nSET work_mem = '1MB';\nCREATE INDEX CONCURRENTLY i ON t (a);")
    assert error.code == "set_refused"
    assert error.message.startswith("Line 3: ")
    assert error.next_step == "Move the SET above the file's first statement."


def test_a_late_set_quotes_its_value() -> None:
    script = read_script("SELECT 1; SET app.note = 'it''s'; SELECT 2")
    assert script.steps[0].statements[1].text == "SELECT pg_catalog.set_config('app.note', 'it''s', true)"
