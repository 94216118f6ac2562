"""Which changes of type may cut or round a value without a word."""

from __future__ import annotations

import pytest

from migrations_app.engine.clone.retyped import computed_columns, narrows, parses

CUTS = (
    ("numeric(12,2)", "integer"),
    ("numeric", "numeric(10,2)"),
    ("numeric(10,4)", "numeric(14,2)"),
    ("bigint", "double precision"),
    ("integer", "real"),
    ("double precision", "real"),
    ("double precision", "numeric"),
    ("timestamp with time zone", "timestamp(0) with time zone"),
    ("timestamp without time zone", "date"),
    ("json", "jsonb"),
    ("json[]", "jsonb[]"),
    ("text", "character(10)"),
    ("integer", "boolean"),
)
KEEPS = (
    ("integer", "bigint"),
    ("bigint", "integer"),  # refused where it does not fit
    ("integer", "numeric(20,0)"),
    ("integer", "double precision"),
    ("real", "double precision"),
    ("numeric(12,0)", "bigint"),
    ("numeric(10,2)", "numeric(14,4)"),
    ("character varying(100)", "character varying(20)"),
    ("character varying(100)", "text"),
    ("character(8)", "text"),
    ("date", "timestamp with time zone"),
    ("timestamp without time zone", "timestamp with time zone"),
    ("timestamp(3) without time zone", "timestamp without time zone"),
    ("jsonb", "json"),
    ("public.mood", "text"),
    ("integer", "integer[]"),
)


@pytest.mark.parametrize(("old", "new"), CUTS)
def test_it_may_lose_something(old: str, new: str) -> None:
    assert narrows(old, new)


@pytest.mark.parametrize(("old", "new"), KEEPS)
def test_it_keeps_every_value_or_is_refused(old: str, new: str) -> None:
    assert not narrows(old, new)


def test_text_that_is_read_as_a_value_is_written_anew() -> None:
    assert parses("text", "integer")
    assert parses("character varying(10)", "uuid")
    assert not parses("text", "character varying(10)")
    assert not parses("text", "public.mood")
    assert not parses("integer", "text")


@pytest.mark.parametrize(
    ("how", "computed"),
    [
        ("a::int", False),
        ("(a::text::public.mood)", False),
        ("CAST(a AS numeric(10,2))", False),
        ("a::numeric(10,2)", False),
        ("a", False),
        ("left(a, 3)", True),
        ("NULL", True),
        ("NULL::int", True),
        ("a = 'yes'", True),
        ("b::int", True),
    ],
)
def test_more_than_a_cast_computes_a_column_anew(how: str, computed: bool) -> None:
    script = f"ALTER TABLE t ALTER z TYPE text, ALTER COLUMN a SET DATA TYPE x USING {how}, ADD c int"
    assert list(computed_columns(script)) == (["a"] if computed else [])
