"""A plan's rows: every statement with its lock, how long a step may go on, nothing unescaped, and an end."""

from __future__ import annotations

import re

from dashboard.pages.plan_rows import MOST_LISTED, MOST_REVISIONS, PACES, draw_plan
from migrations_app.engine.contract.plan import PlannedRevision
from migrations_app.engine.sql.script import read_script, read_verify

EVIL = '<img src=x onerror="x">'


def revision(name: str, up: str, verify: str = "") -> PlannedRevision:
    checks = read_verify(verify) if verify else ()
    return PlannedRevision(name, "zero", "sha256:a", "sha256:a", "expand", "", read_script(up), checks)


def words(markup: str) -> str:
    return re.sub(r"<[^>]+>", " ", markup)


def test_a_statement_is_told_with_its_lock_and_its_step_with_its_patience() -> None:
    drawn = draw_plan([revision("0002_note", "ALTER TABLE item ADD note text;", "SELECT true;")], "shop", with_sql=True)
    assert '<a href="/services/shop/revisions/0002_note"><code>0002_note</code></a>' in drawn
    assert "one step, one check" in drawn
    assert '<span class="faint">ACCESS EXCLUSIVE</span>' in drawn
    assert PACES["brief"] in drawn
    assert "outside a transaction" not in drawn


def test_what_runs_outside_a_transaction_says_so() -> None:
    up = "CREATE INDEX CONCURRENTLY item_note ON item (note);"
    assert '<span class="tag warn">outside a transaction</span>' in draw_plan(
        [revision("1", up)], "shop", with_sql=True
    )


def test_without_the_right_to_read_sql_there_is_none_of_it() -> None:
    drawn = draw_plan([revision("0002_note", "ALTER TABLE item ADD note text;")], "shop", with_sql=False)
    assert "one step" in drawn
    assert "item" not in drawn


def test_nothing_that_people_wrote_becomes_markup() -> None:
    drawn = draw_plan([revision(EVIL, f'CREATE TABLE "{EVIL.replace(chr(34), "")}" (id int);')], EVIL, with_sql=True)
    assert "<img" not in drawn
    assert "&lt;img" in drawn


def test_a_long_plan_is_cut_and_says_by_how_much() -> None:
    up = "".join(f"CREATE INDEX CONCURRENTLY i{n} ON item (note);" for n in range(MOST_LISTED + 1))
    drawn = draw_plan([revision("1", up)] * (MOST_REVISIONS + 2), "shop", with_sql=True)
    assert drawn.count('<div class="head">') == MOST_REVISIONS
    assert "and 2 more, in chain order" in words(drawn)
    assert drawn.count('<li class="break">') == MOST_REVISIONS * MOST_LISTED
    assert f"{MOST_LISTED + 1} steps in all; see the revision." in drawn
