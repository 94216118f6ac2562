from __future__ import annotations

import psycopg
import pytest

from migrations_app.engine.target.compare import Difference, compare, table_of
from migrations_app.engine.target.fingerprint import CatalogueObject, catalogue, fingerprint

TABLE = "CREATE TABLE orders (id int, note text DEFAULT 'x' NOT NULL, old int)"

SENTENCES = [
    ("ALTER TABLE orders DROP old", "Column public.orders.old is gone."),
    ("ALTER TABLE orders ADD fresh date", "Column public.orders.fresh is new: type: date."),
    (
        "ALTER TABLE orders ALTER note TYPE varchar(9), ALTER note DROP NOT NULL",
        "Column public.orders.note is other: type was text, is character varying(9); no longer not null.",
    ),
    ("ALTER TABLE orders ALTER id SET NOT NULL", "Column public.orders.id is other: now not null."),
    ("ALTER TABLE orders ALTER note DROP DEFAULT", "Column public.orders.note is other: no longer default: 'x'::text."),
    (
        "ALTER TABLE orders DROP note, ADD note text DEFAULT 'x' NOT NULL",
        "Columns of public.orders stand in another order: id, old, note instead of id, note, old.",
    ),
    (
        "CREATE INDEX i ON orders (id)",
        "Index public.i is new: CREATE INDEX i ON public.orders USING btree (id).",
    ),
    ("ALTER TABLE orders ENABLE ROW LEVEL SECURITY", "Table public.orders is other: now row security."),
    (
        "GRANT SELECT, INSERT ON orders TO PUBLIC",
        "Privileges on table public.orders are other: public gained INSERT, SELECT.",
    ),
    (
        "REVOKE UPDATE ON orders FROM CURRENT_USER",
        "Privileges on table public.orders are other: owner lost UPDATE.",
    ),
    (
        "GRANT SELECT ON orders TO pg_monitor WITH GRANT OPTION",
        "Privileges on table public.orders are other: pg_monitor gained SELECT, the right to grant SELECT.",
    ),
    ("COMMENT ON COLUMN orders.id IS E'two\\nlines.'", "The comment on column public.orders.id is new: two lines."),
    ("ALTER TABLE orders OWNER TO pg_monitor", "Table public.orders belongs to pg_monitor, no longer to postgres."),
    ("DROP SCHEMA empty", "Schema empty is gone."),
    (
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$\nSELECT 1\n + 2\n$$",
        "Function public.f() is other: now + 2.",
    ),
    (
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n\n  SELECT 1\n$$",
        "Function public.f() is other: the same but for its blanks and line ends.",
    ),
    ("ALTER TYPE mood RENAME VALUE 'a' TO 'z'", "Enum public.mood is other: it was 'a', it is 'z'."),
    ("ALTER TABLE orders DISABLE TRIGGER ALL", None),
]


@pytest.fixture
def made(conn: psycopg.Connection) -> psycopg.Connection:
    conn.execute(TABLE)
    conn.execute("CREATE SCHEMA empty; CREATE TYPE mood AS ENUM ('a', 'b')")
    conn.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\nSELECT 1\n$$")
    return conn


def test_it_finds_nothing_between_equal_readings(made: psycopg.Connection) -> None:
    assert compare(catalogue(made), catalogue(made)) == ()


def test_it_lists_what_came_went_and_changed(made: psycopg.Connection) -> None:
    before = catalogue(made)
    made.execute("ALTER TABLE orders DROP old, ALTER note TYPE varchar(9), ALTER note DROP DEFAULT, ADD fresh date")
    assert compare(before, catalogue(made)) == (
        Difference("column", "public.orders.fresh", "+", "", "type: date"),
        Difference(
            "column",
            "public.orders.note",
            "~",
            "type: text\nnot null\ndefault: 'x'::text",
            "type: character varying(9)\nnot null",
        ),
        Difference("column", "public.orders.old", "-", "type: integer", ""),
    )


def test_each_difference_is_a_sentence_that_says_what_is_other(made: psycopg.Connection) -> None:
    before = catalogue(made)
    for change, sentence in SENTENCES:
        with made.transaction(force_rollback=True):
            made.execute(change)
            differences = compare(before, catalogue(made))
        assert [one.sentence for one in differences if one.kind != "owner" or one.sign == "~"] == (
            [sentence] if sentence else []
        )


def test_a_lost_column_does_not_move_the_others(made: psycopg.Connection) -> None:
    before = catalogue(made)
    made.execute("ALTER TABLE orders DROP id")
    assert [(one.sign, one.name) for one in compare(before, catalogue(made))] == [("-", "public.orders.id")]


def test_it_is_empty_only_where_the_strict_fingerprints_are_equal(made: psycopg.Connection) -> None:
    before, strict = catalogue(made), fingerprint(made)
    made.execute("ALTER TABLE orders DROP id, ADD id int")
    after = fingerprint(made)
    assert (after.logical, after.sha256 == strict.sha256) == (strict.logical, False)
    (moved,) = compare(before, catalogue(made))
    assert (moved.kind, moved.name, moved.sign) == ("column order", "public.orders", "~")


def test_a_long_change_is_counted(made: psycopg.Connection) -> None:
    before = catalogue(made)
    made.execute("CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n" + "SELECT 1;\n" * 9 + "$$")
    (one,) = compare(before, catalogue(made))
    assert one.sentence.endswith("; and 6 more.")


@pytest.mark.parametrize(
    ("column", "table"),
    [
        ("public.orders.note", "public.orders"),
        ('public.orders."a.b"', "public.orders"),
        ('public.orders."a""."""', "public.orders"),
        ('"a.b"."c""d"."e"', '"a.b"."c""d"'),
        ('"a.b"."c".e', '"a.b"."c"'),
    ],
)
def test_it_knows_a_columns_table(column: str, table: str) -> None:
    assert table_of(column) == table


def test_roles_with_awkward_names_are_kept_apart() -> None:
    before = [CatalogueObject("privileges", "table t", '"a: b": SELECT\n"owner": not X\nowner: not INSERT', 0)]
    after = [CatalogueObject("privileges", "table t", '"a: b": SELECT (grantable), UPDATE', 0)]
    (one,) = compare(before, after)
    assert one.sentence == (
        'Privileges on table t are other: "a: b" gained UPDATE, the right to grant SELECT; "owner" gained X; '
        "owner gained INSERT."
    )
