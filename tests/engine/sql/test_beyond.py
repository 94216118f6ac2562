"""What reaches beyond its database, and what only looks like it."""

from __future__ import annotations

import pytest

from migrations_app.engine.sql.beyond import beside_the_schema, keeps_a_secret, reaches_beyond, speaks_of_roles
from migrations_app.engine.sql.script import read_script


def beyond(sql: str) -> list[bool]:
    return [reaches_beyond(statement) for step in read_script(sql).steps for statement in step.statements]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE ROLE r;",
        "ALTER ROLE r SET work_mem = '9MB';",
        "GRANT a TO b;",
        "REVOKE ADMIN OPTION FOR a FROM b;",
        'GRANT "on x" TO b;',
        "GRANT CONNECT ON DATABASE d TO a;",
        "REVOKE CREATE /* ON TABLE t */ ON TABLESPACE s FROM a;",
        "COMMENT ON DATABASE d IS 'on';",
        "COMMENT ON ROLE r IS NULL;",
        "REASSIGN OWNED BY a TO b;",
        "DROP OWNED BY a;",
    ],
)
def test_it_sees_what_the_whole_server_shares(sql: str) -> None:
    assert beyond(sql) == [True]


@pytest.mark.parametrize(
    "sql",
    [
        "GRANT SELECT ON t TO a;",
        "GRANT SELECT ON ALL TABLES IN SCHEMA s TO a;",
        "GRANT UPDATE (a) ON public.roles TO b;",
        "COMMENT ON TABLE t IS 'ON DATABASE d';",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a;",
        "ALTER TABLE t OWNER TO a;",
        "DROP TABLE role_names;",
    ],
)
def test_it_leaves_alone_what_is_of_the_database(sql: str) -> None:
    assert beyond(sql) == [False]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("IF NOT EXISTS (SELECT FROM pg_roles) THEN CREATE ROLE reader; END IF;", True),
        ("EXECUTE format('GRANT %I TO %I', 'a', 'b');", True),
        ("REVOKE a, b FROM c;", True),
        ("GRANT SELECT ON t TO a;", False),
        ("DROP USER MAPPING FOR a SERVER s;", False),
        ("DELETE FROM users WHERE role = 'x';", False),
    ],
)
def test_a_block_may_speak_of_roles(body: str, expected: bool) -> None:
    (step,) = read_script(f"DO $$ BEGIN {body} END $$").steps
    assert [speaks_of_roles(statement) for statement in step.statements] == [expected]


@pytest.mark.parametrize(
    ("sql", "secret", "beside"),
    [
        ("ALTER USER MAPPING FOR a SERVER s OPTIONS (SET password 'x')", True, False),
        ("DROP USER MAPPING IF EXISTS FOR CURRENT_USER SERVER s", True, False),
        ("CREATE USER MAPPING FOR a SERVER s", False, False),
        ("GRANT SELECT ON pg_catalog.pg_authid TO a", False, True),
        ("REVOKE ALL ON FUNCTION pg_read_file(text) FROM a", False, True),
        ("GRANT SELECT ON orders TO a", False, False),
        ("COMMENT ON LARGE OBJECT 7 IS 'x'", False, True),
        ("SELECT lo_unlink(7)", False, True),
        ("ALTER TABLE t SET TABLESPACE fast", False, True),
    ],
)
def test_it_names_what_is_compared_by_nobody_or_by_no_receipt(sql: str, secret: bool, beside: bool) -> None:
    script = read_script(sql)
    assert [keeps_a_secret(statement) for step in script.steps for statement in step.statements] == [secret]
    assert (beside_the_schema(script) is not None) == beside
