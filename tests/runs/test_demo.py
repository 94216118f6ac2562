"""The demonstration's revisions on real servers: every up, verify and down, there and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from migrations_app.engine.sql.header import read_header
from migrations_app.engine.sql.script import Step, read_script, read_verify
from migrations_app.engine.target.fingerprint import fingerprint
from migrations_app.management.demo_fleet import FLEET, Go
from tests.conftest import MakeDatabase

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
UPS = sorted((DEMO / "storefront").glob("*.up.sql"))
NAMES = [path.name.removesuffix(".up.sql") for path in UPS]
IRREVERSIBLE = "0010_add_returned_status"
WRITES_ROWS_AFTER = {
    "0003_create_orders": "storefront_rows.sql",
    "0011_create_orders_events": "storefront_events.sql",
}


@dataclass(frozen=True)
class Shop:
    """One database, and what the runner would do to it."""

    conn: psycopg.Connection

    def up(self, name: str) -> None:
        self._run(f"{name}.up.sql")

    def down(self, name: str) -> None:
        self._run(f"{name}.down.sql")

    def _run(self, file: str) -> None:
        script = read_script((DEMO / "storefront" / file).read_text())
        for step in script.steps:
            self._step(step, script.settings)

    def _step(self, step: Step, settings: tuple[tuple[str, str], ...]) -> None:
        if step.mode == "nontx":
            self.conn.execute(step.statements[0].text)
            return
        with self.conn.transaction():
            for name, value in settings:
                self.conn.execute("SELECT set_config(%s, %s, true)", [name, value])
            for statement in step.statements:
                self.conn.execute(statement.text)

    def verified(self, name: str) -> list[object]:
        path = DEMO / "storefront" / f"{name}.verify.sql"
        statements = read_verify(path.read_text()) if path.exists() else ()
        return [row[0] for one in statements for row in self.conn.execute(one.text).fetchall()]

    def load(self, file: str, customers: int = 120) -> None:
        psycopg.ClientCursor(self.conn).execute((DEMO / file).read_bytes(), {"customers": customers})

    def up_to(self, last: str) -> None:
        for name in NAMES[: NAMES.index(last) + 1]:
            self.up(name)
            if name in WRITES_ROWS_AFTER:
                self.load(WRITES_ROWS_AFTER[name])

    def look(self) -> str:
        return fingerprint(self.conn).sha256

    def rows(self) -> dict[str, list[object]]:
        """The rows of every table of the shop, but for the time of their last change."""
        tables = self.conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')"
        ).fetchall()
        return {table: self._rows_of(table) for (table,) in tables}

    def _rows_of(self, table: str) -> list[object]:
        query = SQL("SELECT to_jsonb(t) - 'updated_at' - 'created_at' AS row FROM {} t ORDER BY to_jsonb(t)::text")
        return [row[0] for row in self.conn.execute(query.format(Identifier(table))).fetchall()]


@pytest.fixture(params=[16, 18])
def shop(request: pytest.FixtureRequest, target_database: MakeDatabase) -> Iterator[Shop]:
    with psycopg.connect(target_database(major=request.param), autocommit=True) as conn:
        yield Shop(conn)


def test_it_has_eighteen_revisions_that_say_who_they_are() -> None:
    headers = [read_header(path.read_text()) for path in UPS]
    assert len(UPS) == 18
    assert [header.schema_rev for header in headers] == [f"sc-{n}" for n in range(1, 19)]
    assert [header.parent for header in headers] == [None, *NAMES[:-1]]
    assert {header.phase for header in headers} == {"expand", "migrate", "contract"}


def test_it_has_one_irreversible_revision() -> None:
    without_down = [name for name in NAMES if not (DEMO / "storefront" / f"{name}.down.sql").exists()]
    assert without_down == [IRREVERSIBLE]


def test_it_keeps_every_lock_that_stops_writers_apart_from_reading_rows() -> None:
    for path in UPS:
        for step in read_script(path.read_text()).steps:
            exclusive = [one for one in step.statements if one.lock == "ACCESS EXCLUSIVE"]
            assert not exclusive or len(step.statements) == 1, f"{path.name} step {step.n}"


def test_it_undoes_each_revision_and_does_it_again(shop: Shop) -> None:
    for name in NAMES:
        before, rows = shop.look(), shop.rows()
        shop.up(name)
        after = shop.look()
        if name != IRREVERSIBLE:
            shop.down(name)
            assert (shop.look(), shop.rows()) == (before, rows), name
            shop.up(name)
            assert shop.look() == after, name
        assert set(shop.verified(name)) <= {True}, name
        if name in WRITES_ROWS_AFTER:
            shop.load(WRITES_ROWS_AFTER[name])


def test_it_goes_all_the_way_back_to_the_irreversible_one(shop: Shop) -> None:
    shop.up_to(IRREVERSIBLE)
    there = shop.look()
    for name in NAMES[NAMES.index(IRREVERSIBLE) + 1 :]:
        shop.up(name)
    for name in reversed(NAMES[NAMES.index(IRREVERSIBLE) + 1 :]):
        shop.down(name)
    assert shop.look() == there


def test_it_finds_an_order_whose_country_has_no_currency(shop: Shop) -> None:
    shop.up_to("0013_add_order_currency")
    shop.load("storefront_unlisted_country.sql")
    shop.load("storefront_unlisted_country.sql")
    shop.up("0014_fill_order_currency")
    assert shop.verified("0014_fill_order_currency") == [False]
    shop.load("storefront_corrected_country.sql")
    shop.up("0014_fill_order_currency")
    assert shop.verified("0014_fill_order_currency") == [True]


def test_it_loads_rows_again_after_a_load_that_was_rolled_back(shop: Shop) -> None:
    shop.up_to("0002_create_catalogue")
    shop.up("0003_create_orders")
    with shop.conn.transaction(force_rollback=True):
        shop.load("storefront_rows.sql")
    shop.load("storefront_rows.sql")
    assert shop.conn.execute("SELECT min(order_id), max(order_id) FROM orders").fetchone() == (1, 300)
    shop.conn.execute("INSERT INTO orders (customer_id) VALUES (1)")


def test_it_tells_of_places_that_stand_at_revisions_that_exist() -> None:
    named = {act.to for place in FLEET for act in place.acts if isinstance(act, Go)}
    assert named <= set(NAMES)
    assert len({place.database for place in FLEET}) == len(FLEET) == 6
