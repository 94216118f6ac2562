from __future__ import annotations

import psycopg

from migrations_app.engine.target.compare import Difference, compare
from migrations_app.engine.target.fingerprint import catalogue


def test_it_finds_nothing_between_equal_readings(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE orders (id int)")
    assert compare(catalogue(conn), catalogue(conn)) == ()


def test_it_lists_what_came_went_and_changed(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE orders (id int, note text, old int)")
    before = catalogue(conn)
    conn.execute("ALTER TABLE orders DROP old, ALTER note TYPE varchar(9), ADD fresh date")
    assert compare(before, catalogue(conn)) == (
        Difference("column", "public.orders.fresh", "+", "", "date (position 3)"),
        Difference("column", "public.orders.note", "~", "text (position 2)", "character varying(9) (position 2)"),
        Difference("column", "public.orders.old", "-", "integer (position 3)", ""),
    )
