"""Every row, value, column, table and position that parts is told; what is the same is silent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from migrations_app.engine.clone import contents
from migrations_app.engine.clone.contents import compare_contents
from tests.engine.clone.support import Pair

Make = Callable[[str], Pair]

SHOP = """
CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric(10, 2));
INSERT INTO orders SELECT n, 'note ' || n, n FROM generate_series(1, 100) n;
CREATE TABLE log (said text, at int);
INSERT INTO log VALUES ('a', 1), ('a', 1), ('b', 2);
CREATE SEQUENCE tickets START 10 INCREMENT 5;
"""


def sentences(pair: Pair) -> list[str]:
    return [loss.sentence for loss in compare_contents(pair.before, pair.after)]


SAME = {
    "untouched": "SELECT 1",
    "updated and back": "UPDATE orders SET total = total + 1; UPDATE orders SET total = total - 1",
    "deleted and put back": "DELETE FROM orders WHERE id = 7; INSERT INTO orders VALUES (7, 'note 7', 7)",
    "rows in another order": "CREATE TABLE c AS TABLE orders; TRUNCATE orders; INSERT INTO orders "
    "SELECT * FROM c ORDER BY id DESC; DROP TABLE c",
    "columns in another order": "ALTER TABLE orders ADD n2 text; UPDATE orders SET n2 = note; "
    "ALTER TABLE orders DROP note; ALTER TABLE orders RENAME n2 TO note",
    "a new table": "CREATE TABLE extra AS SELECT 1 AS x",
    "a new column": "ALTER TABLE orders ADD more int DEFAULT 3",
    "type there and back": "ALTER TABLE orders ALTER note TYPE varchar(90); ALTER TABLE orders ALTER note TYPE text",
    "a number drawn and set back": "SELECT nextval('tickets'); SELECT setval('tickets', 10, false)",
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_it_is_silent_where_all_is_as_it_was(pair: Make, change: str) -> None:
    both = pair(SHOP)
    both.after.execute(change)
    assert sentences(both) == []


LOST = {
    "DROP TABLE orders": "Table public.orders is gone with 100 rows.",
    "ALTER TABLE orders DROP note": "Column public.orders.note is gone with 100 values.",
    "DELETE FROM orders WHERE id = 7": "1 row of public.orders is not there any more.",
    "DELETE FROM orders WHERE id > 40": "60 rows of public.orders are not there any more.",
    "TRUNCATE orders": "100 rows of public.orders are not there any more.",
    "INSERT INTO orders VALUES (0)": "1 row of public.orders was not there before.",
    "UPDATE orders SET note = NULL": "100 values of public.orders.note are NULL now.",
    "UPDATE orders SET note = NULL WHERE id = 3": "1 value of public.orders.note is NULL now.",
    "UPDATE orders SET note = upper(note) WHERE id < 3": "2 values of public.orders.note are not what they were.",
    "UPDATE orders SET note = '' WHERE id = 3": "1 value of public.orders.note is not what it was.",
    "UPDATE orders SET note = CASE WHEN id < 3 THEN 'x' END WHERE id < 6": "5 values of public.orders.note are not "
    "what they were, 3 of them NULL.",
    "ALTER TABLE orders DROP note; ALTER TABLE orders ADD note text": "100 values of public.orders.note are NULL now.",
    "UPDATE orders SET total = total + 0.01": "100 values of public.orders.total are not what they were.",
    "DELETE FROM log WHERE ctid IN (SELECT min(ctid) FROM log)": "1 row of public.log is not there any more.",
    "SELECT nextval('tickets')": "Sequence public.tickets would have given 10 next and gives 15 now.",
    "ALTER SEQUENCE tickets RESTART WITH 1000": "Sequence public.tickets would have given 10 next and gives 1,000 now.",
}


@pytest.mark.parametrize("change", LOST)
def test_it_tells_what_is_lost_and_how_much(pair: Make, change: str) -> None:
    both = pair(SHOP)
    both.after.execute(change)
    assert sentences(both) == [LOST[change]]


VIEW = "CREATE MATERIALIZED VIEW dear AS SELECT id, total FROM orders WHERE total > 90"
STALE = {
    "REFRESH MATERIALIZED VIEW dear": [],
    "UPDATE orders SET total = 95 WHERE id = 1; REFRESH MATERIALIZED VIEW dear; UPDATE orders SET total = id": [
        "1 row of public.dear was not there before."
    ],
    "REFRESH MATERIALIZED VIEW dear WITH NO DATA": ["Materialized view public.dear is there and not filled."],
    f"DROP MATERIALIZED VIEW dear; {VIEW}": [],
    "DROP MATERIALIZED VIEW dear": [],  # the schema tells it
}


@pytest.mark.parametrize("change", STALE)
def test_it_looks_into_materialized_views(pair: Make, change: str) -> None:
    both = pair(f"{SHOP}; {VIEW}")
    both.after.execute(change)
    assert sentences(both) == STALE[change]


def test_a_composite_value_of_nulls_is_a_value(pair: Make) -> None:
    both = pair("CREATE TYPE c AS (a int, b text); CREATE TABLE t (id int PRIMARY KEY, p c); INSERT INTO t VALUES (1)")
    both.after.execute("UPDATE t SET p = ROW(NULL, NULL)")
    assert sentences(both) == ["1 value of public.t.p is not what it was."]


def test_it_tells_values_apart_that_print_close(pair: Make) -> None:
    both = pair(
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text); INSERT INTO t VALUES (1, 'x,', 'y'), (2, '', NULL)"
    )
    both.after.execute("UPDATE t SET a = 'x', b = ',y' WHERE id = 1; UPDATE t SET b = '', a = NULL WHERE id = 2")
    assert sentences(both) == [
        "2 values of public.t.a are not what they were, 1 of them NULL.",
        "2 values of public.t.b are not what they were.",
    ]


def test_it_counts_swapped_rows_of_a_table_without_a_key(pair: Make) -> None:
    both = pair(SHOP)
    both.after.execute("UPDATE log SET at = 9 WHERE said = 'a'")
    assert sentences(both) == [
        "2 rows of public.log are not there any more.",
        "2 rows of public.log were not there before.",
    ]


def test_it_takes_rows_for_bags_where_the_key_is_another_one(pair: Make) -> None:
    both = pair(SHOP)
    both.after.execute("ALTER TABLE orders DROP CONSTRAINT orders_pkey; UPDATE orders SET note = 'x' WHERE id = 1")
    assert sentences(both) == [
        "1 row of public.orders is not there any more.",
        "1 row of public.orders was not there before.",
    ]


def test_it_looks_into_partitions_and_quoted_names(pair: Make) -> None:
    both = pair(
        'CREATE SCHEMA "Odd one"; CREATE TABLE "Odd one"."p" ("i d" int, v int) PARTITION BY LIST ("i d");'
        'CREATE TABLE "Odd one"."p 1" PARTITION OF "Odd one".p FOR VALUES IN (1);'
        'INSERT INTO "Odd one".p VALUES (1, 2), (1, 3)'
    )
    both.after.execute('DELETE FROM "Odd one".p WHERE v = 3')
    assert sentences(both) == ['1 row of "Odd one"."p 1" is not there any more.']


def test_it_counts_but_does_not_tell_apart_what_is_too_long(pair: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MOST_ROWS", 50)
    both = pair(SHOP)
    both.after.execute("UPDATE orders SET note = 'x' WHERE id = 1")
    assert sentences(both) == ["Table public.orders holds other values in its 100 rows; it is too long to tell which."]
    both.after.execute("DELETE FROM orders WHERE id > 90")
    assert sentences(both) == ["Table public.orders held 100 rows and holds 90; it is too long to tell which."]


def test_it_leaves_tables_of_lockstep_and_of_extensions_out(pair: Make) -> None:
    both = pair("CREATE SCHEMA lockstep; CREATE TABLE lockstep.lock (id int); CREATE EXTENSION vector")
    both.after.execute("INSERT INTO lockstep.lock VALUES (1)")
    assert sentences(both) == []


def test_it_compares_what_has_no_text_of_its_own_order(pair: Make) -> None:
    both = pair(
        "CREATE TABLE t (id int PRIMARY KEY, j jsonb, a int[], b bytea, f float8, r int4range);"
        "INSERT INTO t VALUES (1, '{\"a\": 1}', '{1,NULL}', '\\x00ff', 'NaN', '[1,5)')"
    )
    assert sentences(both) == []
    both.after.execute("UPDATE t SET a = '{1,2}', b = '\\x00fe', f = 'Infinity', r = '[1,6)', j = '{\"a\": 2}'")
    assert [one.split(" of ")[1].split(" ")[0] for one in sentences(both)] == [
        f"public.t.{column}" for column in "abfjr"
    ]
