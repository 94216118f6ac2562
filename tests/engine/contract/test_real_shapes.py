"""Shapes that files written for other tools have: each does here what it did there, and rolls back again."""

from __future__ import annotations

import pytest

from migrations_app.engine.errors import StatementFailed
from tests.conftest import MakeDatabase
from tests.engine.contract.support import Target, chain, revision
from tests.engine.sql.reading import refused

BASE = """
CREATE TABLE shelf (id int PRIMARY KEY, label text);
CREATE TABLE book (id int PRIMARY KEY, shelf_id int REFERENCES shelf DEFERRABLE INITIALLY IMMEDIATE, title text);
CREATE TYPE mood AS ENUM ('calm', 'angry');
INSERT INTO shelf VALUES (1, 'first'), (2, 'second');
INSERT INTO book VALUES (10, 1, 'ten'), (20, 2, 'twenty')
"""


@pytest.fixture(params=[18, 16])
def target(request: pytest.FixtureRequest, target_database: MakeDatabase) -> Target:
    return Target(target_database(major=request.param))


def apply(target: Target, sql: str, before: str = BASE) -> None:
    """As the second revision, so that everything of `before` is old to it."""
    target.apply(*chain(before, sql))
    assert [receipt.revision_id for receipt in target.receipts()] == ["0001_r", "0002_r"]


def test_a_temporary_table_lives_as_long_as_it_is_used(target: Target) -> None:
    apply(
        target,
        """
        CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT id, title FROM book;
        DROP TABLE book;
        CREATE TABLE book (id int PRIMARY KEY, title text NOT NULL);
        INSERT INTO book SELECT id, upper(title) FROM kept;
        ALTER TABLE shelf ADD COLUMN room text;
        """,
    )
    assert target.rows("SELECT * FROM book ORDER BY id") == [(10, "TEN"), (20, "TWENTY")]


def test_a_temporary_function_is_still_there_when_it_is_called(target: Target) -> None:
    apply(
        target,
        """
        CREATE FUNCTION pg_temp.code(t text) RETURNS text LANGUAGE sql AS $$ SELECT left(t, 2); $$;
        ALTER TABLE book ADD COLUMN code text;
        UPDATE book SET code = pg_temp.code(title);
        """,
    )
    assert target.rows("SELECT code FROM book ORDER BY id") == [("te",), ("tw",)]


def test_what_is_temporary_ends_with_its_revision(target: Target) -> None:
    """Run together or one by one, revisions find the same session; the second here would double the rows."""
    copy = "CREATE TEMP TABLE IF NOT EXISTS kept AS SELECT id + 1 AS id FROM shelf; ALTER TABLE book ADD {0} int;"
    insert = "INSERT INTO shelf SELECT max(id) + 1 FROM kept; ALTER TABLE shelf ADD {0} int;"
    target.apply(*chain(BASE, (copy + insert).format("a"), (copy + insert).format("b")))
    assert target.rows("SELECT id FROM shelf ORDER BY id") == [(1,), (2,), (4,), (6,)]


def test_a_failure_after_a_temporary_table_takes_the_whole_span_back(target: Target) -> None:
    first, second = chain(
        BASE,
        """
        CREATE TEMP TABLE kept AS SELECT * FROM book;
        DROP TABLE book;
        INSERT INTO nowhere SELECT * FROM kept;
        """,
    )
    target.apply(first)
    with pytest.raises(StatementFailed):
        target.apply(first, second)
    assert target.value("SELECT count(*) FROM book") == 2


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("ALTER TABLE book ADD a int;\nBEGIN TRANSACTION;\nUPDATE book SET a = 1;\nEND TRANSACTION;", 2),
        ("BEGIN;\nALTER TABLE book ADD a int;\nCOMMIT;\nALTER TABLE book ALTER a SET NOT NULL;", 3),
        ("BEGIN;\nALTER TABLE book ADD a int;\nCOMMIT;\nBEGIN;\nUPDATE book SET a = 1;\nCOMMIT;", 3),
    ],
)
def test_a_pair_that_leaves_something_out_is_refused(sql: str, line: int) -> None:
    error = refused(sql)
    assert (error.code, error.message.partition(":")[0]) == ("embedded_transaction", f"Line {line}")


def test_one_pair_around_everything_is_all_or_nothing(target: Target) -> None:
    first, second = chain(
        BASE,
        "SET search_path = public; BEGIN; ALTER TABLE book ADD a int; ALTER TABLE book ADD a int; COMMIT;",
    )
    with pytest.raises(StatementFailed):
        target.apply(first, second)
    columns = "SELECT array_agg(attname::text) FROM pg_attribute WHERE attrelid = 'book'::regclass AND attname < 'c'"
    assert target.value(columns) is None


def test_a_written_lock_holds_to_the_written_end(target: Target) -> None:
    apply(
        target,
        """
        BEGIN;
        LOCK TABLE book, shelf IN EXCLUSIVE MODE;
        ALTER TABLE book RENAME TO book_old;
        CREATE TABLE book AS SELECT * FROM book_old;
        DROP TABLE book_old;
        COMMIT;
        """,
    )
    assert target.value("SELECT count(*) FROM book") == 2


def test_deferred_constraints_may_be_broken_for_a_while(target: Target) -> None:
    apply(
        target,
        """
        SET CONSTRAINTS ALL DEFERRED;
        UPDATE book SET shelf_id = 3 WHERE id = 10;
        CREATE TABLE between_them (id int);
        INSERT INTO shelf VALUES (3, 'third');
        ALTER TYPE mood RENAME VALUE 'angry' TO 'cross';
        """,
    )
    assert target.value("SELECT shelf_id FROM book WHERE id = 10") == 3


def test_a_new_enum_value_is_used_in_the_same_file(target: Target) -> None:
    apply(
        target,
        """
        ALTER TYPE mood ADD VALUE IF NOT EXISTS 'merry' BEFORE 'angry';
        ALTER TABLE shelf ADD COLUMN feels mood NOT NULL DEFAULT 'merry';
        """,
    )
    assert target.value("SELECT feels::text FROM shelf LIMIT 1") == "merry"


def test_a_dump_is_a_first_revision(target: Target) -> None:
    apply(
        target,
        "INSERT INTO thing VALUES (1, 'x')",
        before="""--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

CREATE SCHEMA tools;
CREATE FUNCTION public.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$
begin
  new.word := 'a;b' || $q$;$q$; -- one ; more
  return new;
end;
$_$;

SET default_tablespace = '';

CREATE TABLE public.thing (id integer NOT NULL, word text);
ALTER TABLE public.thing OWNER TO CURRENT_USER;
CREATE SEQUENCE public.thing_id_seq AS integer START WITH 1;
ALTER SEQUENCE public.thing_id_seq OWNED BY public.thing.id;
SELECT pg_catalog.setval('public.thing_id_seq', 7, true);
CREATE TRIGGER touch BEFORE INSERT ON public.thing FOR EACH ROW EXECUTE FUNCTION public.touch();
RESET search_path;
ALTER TABLE thing ADD PRIMARY KEY (id);
""",
    )
    assert target.rows("SELECT * FROM thing") == [(1, "a;b;")]


def test_the_session_keeps_nothing_of_a_revisions_set(target: Target) -> None:
    apply(
        target,
        "CREATE TABLE here (id int)",
        before="CREATE SCHEMA s; SET search_path = s; CREATE TABLE there (id int); SET work_mem = '1MB'; SELECT 1;",
    )
    where = "SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = "
    assert (target.value(where + "'there'"), target.value(where + "'here'")) == ("s", "public")


@pytest.mark.parametrize(
    ("sql", "way_out"),
    [
        ("SET statement_timeout = 0;\nSET client_encoding = 'UTF8';", "The line can simply be removed"),
        ("SET lock_timeout = '5s';\nBEGIN;\nLOCK TABLE book;\nCOMMIT;", "Remove the line"),
        ("RESET lock_timeout;\nSELECT 1;", "Remove the line"),
    ],
)
def test_a_files_own_limits_are_refused(sql: str, way_out: str) -> None:
    error = refused(f"-- a dump, or a careful author\n{sql}")
    assert (error.code, error.message.partition(":")[0]) == ("set_refused", "Line 2")
    assert "the runner sets it" in error.message
    assert error.next_step.startswith(way_out)


def test_set_local_ends_with_its_pair(target: Target) -> None:
    target.apply(
        *chain(
            "CREATE SCHEMA s",
            "BEGIN; SET LOCAL search_path = s; CREATE TABLE there (id int); COMMIT;",
            "CREATE TABLE here (id int);",
        )
    )
    assert target.value("SELECT to_regclass('s.there') IS NOT NULL AND to_regclass('public.here') IS NOT NULL")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- irreversible: nothing to do\n",
        "/* later */ ;\n;",
        "BEGIN;\n-- nothing\nCOMMIT;",
        "\ufeffSELECT 1",
        "SELECT 1;\r\n-- the end",
        "SELECT '%s %(x)s 100%', 'a'::text, '{\"a\": 1}'::jsonb ? 'a'",
    ],
)
def test_little_or_nothing_is_a_revision_too(target: Target, sql: str) -> None:
    apply(target, sql)


def test_bodies_are_not_cut(target: Target) -> None:
    apply(
        target,
        """
        CREATE OR REPLACE FUNCTION total() RETURNS bigint BEGIN ATOMIC SELECT 1; SELECT count(*) FROM book; END;
        CREATE PROCEDURE rename_all() LANGUAGE plpgsql AS $outer$
        BEGIN
            EXECUTE $inner$UPDATE book SET title = title || ';'$inner$;
        EXCEPTION WHEN undefined_table THEN
            RAISE NOTICE 'none; left';
        END;
        $outer$;
        DO $$ BEGIN
            CREATE TYPE mood AS ENUM ('x');
        EXCEPTION WHEN duplicate_object THEN NULL;
        END $$;
        CALL rename_all()
        """,
    )
    assert target.rows("SELECT total(), min(title) FROM book") == [(2, "ten;")]


def test_an_index_beside_ordinary_statements(target: Target) -> None:
    """Other tools need a file of its own for this; here it is a step of its own."""
    apply(
        target,
        """
        ALTER TABLE book ADD COLUMN isbn text;
        CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS book_isbn ON book (isbn);
        ALTER TABLE book ADD CONSTRAINT book_isbn_key UNIQUE USING INDEX book_isbn;
        DROP INDEX CONCURRENTLY IF EXISTS nowhere;
        """,
    )
    assert target.value("SELECT count(*) FROM pg_constraint WHERE conname = 'book_isbn_key'") == 1


def test_there_and_back_and_there_again(target: Target) -> None:
    up = "BEGIN; ALTER TABLE shelf RENAME TO rack; ALTER TABLE rack ADD COLUMN a int; COMMIT;"
    down = "ALTER TABLE rack DROP COLUMN IF EXISTS a; ALTER TABLE IF EXISTS rack RENAME TO shelf"
    first, second = chain(BASE, up)
    target.apply(first, second)
    target.roll_back(revision("0002_r", down, parent="0001_r", direction="down", up=up))
    assert target.value("SELECT to_regclass('shelf') IS NOT NULL")
    target.apply(first, second)
    assert [receipt.direction for receipt in target.receipts()] == ["up", "up", "down", "up"]
