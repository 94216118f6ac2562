"""The verdict on each way back is the right one, and none that loses something is called reversible."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import psycopg
import pytest

from migrations_app.embedded.postgres import Server
from migrations_app.engine.clone.copying import clones_on, copy_clone, drop_clone
from migrations_app.engine.clone.ground import Ground
from migrations_app.engine.clone.make import Clone, Sizes, make_clone
from migrations_app.engine.clone.named import name_of, named
from migrations_app.engine.clone.rehearse import Rehearsed, rehearse_down, rehearse_up
from migrations_app.engine.clone.server import RehearsalServer
from migrations_app.engine.contract.canceller import Canceller
from migrations_app.engine.contract.events import StopRequest
from migrations_app.engine.contract.plan import PlannedRevision
from migrations_app.engine.errors import Refused, Stopped
from migrations_app.engine.target.dsn import parse
from migrations_app.engine.target.identity import check_identity
from tests.engine.clone.down_scripts import EXACT, LOSSY, SHOP, STUCK, WAYS, Way, on_the_database
from tests.engine.clone.support import rehearsal_server
from tests.engine.contract.support import Target, revision
from tests.sampling import sample
from tests.writes import writes

INSTALLATION = uuid.uuid4()
ANOTHER = uuid.uuid4()  # whose clone is only there to be copied


@pytest.fixture(scope="module")
def server(pg18: Server) -> RehearsalServer:
    return rehearsal_server(pg18)


@pytest.fixture
def shop(target_database: Callable[..., str]) -> Target:
    return shop_at(target_database())


def shop_at(url: str) -> Target:
    target = Target(url)
    with target.connect() as conn:
        conn.execute(SHOP)
    return target


def clone_of(shop: Target, server: RehearsalServer, installation: uuid.UUID = INSTALLATION) -> Clone:
    return make_clone(
        parse(shop.url, trusted=True),
        server,
        installation=installation,
        clone=uuid.uuid4(),
        sizes=Sizes(),
        report=lambda line: None,
        should_stop=lambda: False,
    )


@pytest.fixture(scope="module")
def untouched(pg18: Server, server: RehearsalServer) -> Iterator[tuple[Target, Clone]]:
    """A shop and its clone, of which each test gets a copy."""
    with psycopg.connect(pg18.dsn, autocommit=True) as admin:
        admin.execute("CREATE DATABASE rehearsed_shop TEMPLATE template0")
        target = shop_at(pg18.url("rehearsed_shop"))
        clone = clone_of(target, server, ANOTHER)
        yield target, clone
        drop_clone(server, clone.name)
        admin.execute("DROP DATABASE rehearsed_shop WITH (FORCE)")


@pytest.fixture
def ground(untouched: tuple[Target, Clone], server: RehearsalServer) -> Iterator[Ground]:
    copy = copy_clone(untouched[1], server, installation=INSTALLATION, part="")
    yield on(copy, server)
    drop_clone(server, copy.name)


def on(clone: Clone, server: RehearsalServer, stop: Callable[[], StopRequest | None] = lambda: None) -> Ground:
    return Ground(
        clone=clone,
        server=server,
        installation=INSTALLATION,
        operator="olga",
        report=lambda event: None,
        stage=lambda revision_id, stage: None,
        should_stop=stop,
        canceller=Canceller(),
    )


def pair_of(way: Way, name: str = "0001_r", parent: str = "") -> tuple[PlannedRevision, PlannedRevision | None]:
    up = revision(name, way.up, parent=parent)
    down = None if way.down is None else revision(name, way.down, parent=parent, direction="down", up=way.up)
    return up, down


def up_and_back(ground: Ground, way: Way, name: str = "0001_r", parent: str = "") -> Rehearsed:
    return rehearse_up(ground, *pair_of(way, name, parent))


def sentences(found: Rehearsed) -> str:
    return "\n".join(loss.sentence for loss in found.losses)


def test_the_set_has_enough_of_each_kind() -> None:
    assert len(WAYS) >= 60
    assert min(len(EXACT), len(LOSSY)) >= 20
    assert len({way.name for way in WAYS}) == len(WAYS)


@pytest.mark.parametrize("way", (*sample(EXACT, 4), *sample(LOSSY, 4), *STUCK), ids=lambda way: way.name)
def test_it_gives_the_right_verdict(ground: Ground, way: Way) -> None:
    found = up_and_back(ground, way)
    assert (found.verdict or "") == way.verdict, f"{sentences(found)} {found.failure}"
    assert way.told in sentences(found)
    assert bool(found.losses) == (way.verdict == "lossy")
    assert (found.failure is not None) == (way in STUCK and way.down is not None)


def test_it_tells_of_what_is_gone_once_and_as_a_whole(ground: Ground) -> None:
    found = up_and_back(ground, Way("", "DROP TABLE visits; ALTER TABLE orders DROP note", "SELECT 1", "lossy"))
    assert [loss.sentence for loss in found.losses if loss.kind != "again"] == [
        "Table public.visits is gone with 30 rows.",
        "Column public.orders.note is gone with 120 values.",
    ]


def test_roles_and_their_members_are_no_part_of_a_rehearsal(ground: Ground) -> None:
    with pytest.raises(Refused, match="reaches beyond its database"):
        up_and_back(ground, Way("", "GRANT pg_monitor TO CURRENT_USER", "SELECT 1", ""))


def test_a_chain_goes_on_from_what_a_target_would_be(ground: Ground, server: RehearsalServer) -> None:
    lossy, exact = LOSSY[2], EXACT[0]
    first = up_and_back(ground, lossy)
    second = up_and_back(ground, exact, "0002_r", "0001_r")
    assert (first.verdict, second.verdict) == ("lossy", "reversible")
    assert first.fp_after == second.fp_before
    assert clones_on(server, INSTALLATION) == (ground.clone.name,)


def test_a_chain_goes_on_after_a_down_that_was_refused(ground: Ground) -> None:
    assert up_and_back(ground, STUCK[1]).verdict == "irreversible"
    assert up_and_back(ground, EXACT[3], "0002_r", "0001_r").verdict == "reversible"


def test_it_measures_each_statement_up_and_down(ground: Ground) -> None:
    found = up_and_back(ground, Way("", "CREATE INDEX i ON orders (note); SELECT 1", "DROP INDEX i", "reversible"))
    assert [one.statement for one in found.traces] == [1, 2]
    assert ("public.orders", "SHARE") in found.traces[0].locks
    assert ("public.orders", "ACCESS EXCLUSIVE") in found.down_traces[0].locks
    assert {stage.name for stage in found.stages} == {"up", "trace", "down", "compare", "again"}


def test_a_stop_is_no_verdict_and_leaves_no_copy(ground: Ground, server: RehearsalServer) -> None:
    asked = StopRequest("cancel", "Cancelled at a person's request.")
    with pytest.raises(Stopped):
        up_and_back(on(ground.clone, server, lambda: asked), EXACT[0])
    assert clones_on(server, INSTALLATION) == (ground.clone.name,)


def test_the_target_is_only_read(untouched: tuple[Target, Clone], server: RehearsalServer) -> None:
    shop = untouched[0]
    before = writes(shop.url)
    clone = clone_of(shop, server)
    try:
        assert up_and_back(on(clone, server), LOSSY[5]).verdict == "lossy"
    finally:
        drop_clone(server, clone.name)
    assert (writes(shop.url), shop.receipts()) == (before, ())
    assert shop.value("SELECT count(*) FROM orders") == 120


@pytest.fixture
def applied(shop: Target) -> Callable[[Way], PlannedRevision]:
    def apply(way: Way) -> PlannedRevision:
        up, _ = pair_of(way)
        shop.apply(up)
        return up

    return apply


def down_first(
    shop: Target, server: RehearsalServer, way: Way, schema_before: str, *, compared: bool = False
) -> Rehearsed:
    clone = clone_of(shop, server)
    try:
        return rehearse_down(on(clone, server), *pair_of(way), schema_before=schema_before, compared=compared)
    finally:
        drop_clone(server, clone.name)


def test_rolling_back_what_is_applied_tells_what_was_written_since(
    shop: Target, server: RehearsalServer, applied: Callable[[Way], PlannedRevision]
) -> None:
    way = EXACT[0]
    applied(way)
    before = shop.receipts()[-1].fp_before
    assert down_first(shop, server, way, before).verdict == "reversible"
    with shop.connect() as conn:
        conn.execute("UPDATE orders SET coupon = 'X' WHERE id <= 7")
    found = down_first(shop, server, way, before)
    assert (found.verdict, sentences(found)) == ("lossy", "7 values of public.orders.coupon are NULL now.")
    assert (found.fp_before, found.fp_back) == (before, before)


UNSEEN = (
    Way(
        "a default",
        "ALTER TABLE orders ALTER total DROP DEFAULT",
        "SELECT 1",
        "lossy",
        "line 1 met was measured",
    ),
    Way("a right", "REVOKE ALL ON orders FROM CURRENT_USER", "SELECT 1", "lossy", "line 1 met was measured"),
    Way("a column", "ALTER TABLE orders DROP note", "ALTER TABLE orders ADD note text", "lossy", "orders.note went"),
    Way(
        "values",
        "UPDATE orders SET note = upper(note); DELETE FROM visits WHERE at < 5",
        "UPDATE orders SET note = lower(note)",
        "lossy",
        "rolling back restores it.\nStatement 2 of line 1 took or changed values",
    ),
    Way(
        "rows",
        "DELETE FROM visits WHERE at < 5",
        "INSERT INTO visits VALUES ('p', 1)",
        "lossy",
        "The statement of line 1 took",
    ),
    Way(
        "a type",
        "ALTER TABLE customers ALTER name TYPE char(9)",
        "ALTER TABLE customers ALTER name TYPE varchar(80)",
        "lossy",
        "customers.name went from",
    ),
)


UNSEEN_BESIDE_THE_SCHEMA = (
    Way("rows, by a function", "SELECT tidy()", "SELECT 1", "lossy", "line 1 took or changed values"),
    Way("rows, by a trigger", "INSERT INTO doors VALUES (1)", "DELETE FROM doors", "lossy", "line 1 took or changed"),
    Way("a position", "SELECT setval('invoice_numbers', 7000)", "SELECT 1", "lossy", "line 1 took or changed values"),
    Way("a restart", "ALTER SEQUENCE invoice_numbers RESTART 7", "SELECT 1", "lossy", "line 1 took or changed values"),
    Way(
        "a setting",
        on_the_database("ALTER DATABASE %I SET work_mem = ''9MB''"),
        "SELECT 1",
        "lossy",
        "line 1 met was measured",
    ),
    Way("a right on the server's own", "GRANT SELECT ON pg_authid TO PUBLIC", "SELECT 1", "lossy", "line 1 met was"),
    Way(
        "a filled view",
        "DROP MATERIALIZED VIEW paid",
        "CREATE MATERIALIZED VIEW paid AS SELECT sum(total) FROM orders WITH NO DATA",
        "lossy",
        "Materialized view public.paid is there and not filled.",
    ),
)


@pytest.mark.parametrize("way", UNSEEN_BESIDE_THE_SCHEMA, ids=lambda way: way.name)
def test_what_no_receipt_measures_is_not_called_restored(
    shop: Target, server: RehearsalServer, applied: Callable[[Way], PlannedRevision], way: Way
) -> None:
    applied(way)
    before = shop.receipts()[-1].fp_before
    found = down_first(shop, server, way, before)
    assert found.verdict == "lossy"
    assert way.told in sentences(found)
    assert "The schema is not the one" not in sentences(found)


@pytest.mark.parametrize("way", UNSEEN, ids=lambda way: way.name)
def test_what_was_taken_when_it_was_applied_is_not_called_restored(
    shop: Target, server: RehearsalServer, applied: Callable[[Way], PlannedRevision], way: Way
) -> None:
    applied(way)
    found = down_first(shop, server, way, "")
    assert found.verdict == "lossy"
    assert way.told in sentences(found)
    assert "no rehearsal from before then has seen" in sentences(found)
    seen = down_first(shop, server, way, "", compared=True)
    assert "no rehearsal from before" not in sentences(seen)


def test_two_statements_of_one_line_are_told_apart() -> None:
    again = "UPDATE orders SET note = 'x'"
    script = revision("0001_r", f"{again}; {again};\n{again};").script
    assert [(one.object, one.words) for one in named(script).values()] == [
        ("statement 1 of line 1", "statement 1 of line 1"),
        ("statement 2 of line 1", "statement 2 of line 1"),
        ("line 2", "the statement of line 2"),
    ]
    assert [name_of(one, script) for one in script.steps[0].statements] == [*named(script).values()]


def test_what_it_added_and_filled_itself_took_nothing(
    shop: Target, server: RehearsalServer, applied: Callable[[Way], PlannedRevision]
) -> None:
    way = Way(
        "",
        "ALTER TABLE orders ADD loud text; UPDATE orders SET loud = upper(note); CREATE TABLE carts (id int);"
        "INSERT INTO carts VALUES (1); UPDATE carts SET id = 2",
        "DROP TABLE carts; ALTER TABLE orders DROP loud",
        "reversible",
    )
    applied(way)
    found = down_first(shop, server, way, "")
    assert (found.verdict, sentences(found)) == ("reversible", "")


def test_a_call_that_writes_nothing_took_nothing(
    shop: Target, server: RehearsalServer, applied: Callable[[Way], PlannedRevision]
) -> None:
    way = Way(
        "",
        "SELECT count(*) FROM orders; DO 'BEGIN PERFORM double(1); END'; INSERT INTO empty_so_far VALUES (1)",
        "DELETE FROM empty_so_far WHERE id = 1",
        "reversible",
    )
    applied(way)
    found = down_first(shop, server, way, shop.receipts()[-1].fp_before)
    assert (found.verdict, sentences(found)) == ("reversible", "")


def test_rolling_back_to_another_schema_than_the_receipt_names_is_lossy(
    shop: Target, server: RehearsalServer, applied: Callable[[Way], PlannedRevision]
) -> None:
    way = Way("", "ALTER TABLE orders ADD coupon text", "ALTER TABLE orders DROP coupon, DROP note", "lossy")
    applied(way)
    found = down_first(shop, server, way, shop.receipts()[-1].fp_before)
    assert found.verdict == "lossy"
    assert "The schema is not the one that stood before 0001_r was applied." in sentences(found)


def test_a_clone_is_never_taken_for_its_target(untouched: tuple[Target, Clone], ground: Ground) -> None:
    """The contract refuses the clone for the target's environment, and the target for the clone's."""
    shop = untouched[0]
    with psycopg.connect(ground.clone.dsn.conninfo(), autocommit=True) as conn, pytest.raises(Refused):
        check_identity(conn, environment=shop.environment)
    with shop.connect() as conn, pytest.raises(Refused):
        check_identity(conn, environment=ground.clone.uid)
