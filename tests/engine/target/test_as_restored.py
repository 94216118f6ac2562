from __future__ import annotations

import psycopg
import pytest

from migrations_app.engine.target.as_restored import as_restored

AS_IT_STANDS = [
    "",
    "CHECK ((total > 0))",
    "CHECK ((a OR (b OR c)))",
    "CHECK (((a OR b) AND (c)))",
    "CHECK (((a AND b) OR ((c) AND d)))",
    "((v)::text = ANY (ARRAY['a'::text, ') AND (ARRAY[])::text[]'::text]))",
    "((ARRAY['a'::character varying, 'b'::character varying])[1] = (v)::text) AND (x)",
    "(ARRAY[]::character varying[])::text[]",
    "(ARRAY[ARRAY['a'::character varying]])::text[]",
    "sum(id) OVER (PARTITION BY (v) ORDER BY (id) ROWS BETWEEN (1) PRECEDING AND CURRENT ROW)",
    "AS $function$SELECT ((a AND (b)) AND (ARRAY['x'::character varying])::text[]) AND $1$function$",
    "with (brackets] that (do) AND not match",
    "'a) AND (ARRAY[b])::text[]'\n'((c) AND d) AND e'",
    "an unclosed ( and a ') AND quote",
]

OTHERWISE = [
    ("(((id >= 1) AND (id <= 9)) AND (i > 3))", "((id >= 1) AND (id <= 9) AND (i > 3))"),
    ("CHECK ((((a OR b) OR c) OR (d)))", "CHECK ((a OR b OR c OR (d)))"),
    ("(((a AND (b OR c)) AND d) OR (e))", "((a AND (b OR c) AND d) OR (e))"),
    ("(f('x) OR '::text) AND ((a AND (b)) AND c))", "(f('x) OR '::text) AND (a AND (b) AND c))"),
    (
        "((v)::text = ANY ((ARRAY['a, b'::character varying, lower('c]'::text)])::text[]))",
        "((v)::text = ANY (ARRAY[('a, b'::character varying)::text, (lower('c]'::text))::text]))",
    ),
    ('(ARRAY[x, (y + 1)])::"Odd"."T(])".z[]', 'ARRAY[(x)::"Odd"."T(])".z, ((y + 1))::"Odd"."T(])".z]'),
    ("(ARRAY[1, 2])::numeric(8,2)[]", "ARRAY[(1)::numeric(8,2), (2)::numeric(8,2)]"),
    ("(ARRAY[a])::timestamp(3) without time zone[]", "ARRAY[(a)::timestamp(3) without time zone]"),
]


@pytest.mark.parametrize("definition", AS_IT_STANDS)
def test_what_comes_back_as_it_was_is_left_alone(definition: str) -> None:
    assert as_restored(definition) == definition


@pytest.mark.parametrize(("printed", "restored"), OTHERWISE)
def test_what_comes_back_otherwise_is_told_so(printed: str, restored: str) -> None:
    assert as_restored(printed) == restored
    assert as_restored(restored) == restored


def test_nesting_may_be_deep() -> None:
    deep = "(" * 5000 + "a AND (b)" + ")" * 5000
    assert as_restored(deep) == deep
    chain = "(" * 300 + "a" + " AND (b))" * 300
    assert as_restored(chain) == "(a" + " AND (b)" * 300 + ")"


def test_it_prints_what_the_server_prints_of_what_it_printed(conn: psycopg.Connection) -> None:
    """The second reading of each constraint is the first one told by this module."""
    conn.execute("CREATE TABLE t (id int, v varchar(9), c char(3), txt text)")
    conn.execute("ALTER TABLE t ADD CONSTRAINT k CHECK (v IN ('a', 'b') AND id BETWEEN 1 AND 9 AND txt IN ('a', v, c))")
    asked = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'k'"
    (first,) = conn.execute(asked).fetchone() or ("",)
    conn.execute(f"ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k {first}".encode())
    (second,) = conn.execute(asked).fetchone() or ("",)
    assert (first != second, as_restored(first)) == (True, second)
