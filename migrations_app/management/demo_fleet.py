"""The demonstration fleet as data: six environments of one shop, what happened in each, and what is practised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from migrations_app.models.run import Direction
from migrations_app.statuses import RunStatus

SERVICE = "storefront"

TABLES = "0003_create_orders"
ORDER_TOTAL = "0009_order_total_function"
EVENTS = "0011_create_orders_events"
SALES = "0012_create_sales_by_day"
CURRENCY = "0013_add_order_currency"
FILLED = "0014_fill_order_currency"
REQUIRED = "0015_require_order_currency"
ADDRESSES = "0016_create_addresses"
COPIED = "0017_copy_shipping_addresses"
NEWEST = "0018_drop_shipping_address"


@dataclass(frozen=True)
class Go:
    """A run to a revision, and how it ends; `cancelled` ends before a worker takes it."""

    to: str
    reason: str = ""
    direction: Direction = Direction.UP
    ends: RunStatus = RunStatus.SUCCEEDED
    cancelled_because: str = ""


@dataclass(frozen=True)
class Load:
    """The application's own rows, from a file; `unless_rows_in` names a table that it fills."""

    file: str
    unless_rows_in: str = ""


Act = Go | Load

ROWS = Load("storefront_rows.sql", unless_rows_in="orders")
ORDER_EVENTS = Load("storefront_events.sql", unless_rows_in="orders_events")
OPENING: tuple[Act, ...] = (
    Go(TABLES, "Open the shop"),
    ROWS,
    Go(ORDER_TOTAL, "Keys and indexes for the first orders"),
    Go(EVENTS, "Returned orders and order events"),
    ORDER_EVENTS,
)
TO_CURRENCY = Go(CURRENCY, "Sales by day, and room for a currency")


@dataclass(frozen=True)
class Place:
    """An environment with its database `shop_<name>` on the embedded PostgreSQL of that major version."""

    name: str
    stage: str
    region: str
    order: int
    major: int
    customers: int
    acts: tuple[Act, ...] = field(repr=False)

    @property
    def database(self) -> str:
        return f"shop_{self.name.replace('-', '_')}"


def _dev() -> Iterator[Act]:
    yield from (*OPENING, TO_CURRENCY)
    yield Go(REQUIRED, "Try the currency of an order")
    yield Go(FILLED, "The import still writes orders without one", Direction.DOWN, RunStatus.ROLLED_BACK)
    yield Go(NEWEST, "Currency is required, addresses have their own table")


def _staging_us() -> Iterator[Act]:
    yield from (*OPENING, TO_CURRENCY, Load("storefront_unlisted_country.sql"))
    yield Go(FILLED, "Fill the currency", ends=RunStatus.FAILED)
    yield Load("storefront_corrected_country.sql")
    yield Go(ADDRESSES, "The load test's country is corrected")


def _prod_us() -> Iterator[Act]:
    yield from (*OPENING, TO_CURRENCY)
    yield Go(
        FILLED,
        "Fill the currency before the weekend",
        ends=RunStatus.CANCELLED,
        cancelled_because="No changes before the sale is over",
    )


FLEET = (
    Place("dev-eu", "dev", "eu", 10, 18, 300, tuple(_dev())),
    Place(
        "staging-eu",
        "staging",
        "eu",
        20,
        18,
        700,
        (*OPENING, TO_CURRENCY, Go(COPIED, "Rehearse for production")),
    ),
    Place("staging-us", "staging", "us", 21, 16, 600, tuple(_staging_us())),
    Place("prod-eu", "prod", "eu", 30, 18, 6000, (*OPENING, TO_CURRENCY)),
    Place("prod-us", "prod", "us", 31, 18, 3600, tuple(_prod_us())),
    Place("prod-ap", "prod", "ap", 32, 16, 2200, (*OPENING, Go(SALES, "Sales by day"))),
)


@dataclass(frozen=True)
class Built:
    """A release: the schema it was built for, and the oldest and newest it can work with."""

    release_id: str
    schema_rev: str
    oldest: str
    newest: str


RELEASES = (
    Built("4.6.2", "sc-12", "sc-11", "sc-14"),  # knows no currency, which 0015 requires
    Built("4.7.0", "sc-13", "sc-13", "sc-17"),  # writes the currency, and the address that 0018 drops
    Built("4.8.0", "sc-17", "sc-17", "sc-18"),  # reads and writes addresses alone
)

# Where somebody changed the schema without a revision, and the head that it was changed at.
BY_HAND = ("prod-us", CURRENCY, "storefront_index_by_hand.sql")

# Where a rehearsal is asked for, and of which way.
REHEARSED: tuple[tuple[str, Direction], ...] = (
    ("prod-eu", Direction.UP),
    ("staging-us", Direction.UP),
    ("prod-ap", Direction.DOWN),
)


@dataclass(frozen=True)
class Practice:
    """A drill against a schema bug: `bad` is applied although a release needs what it drops, and rolled back."""

    reason: str
    restore: tuple[str, ...]  # what the runbook has typed after the way back, as SQL
    forgotten: str = ""  # what it does not say, and a hand has to do
    why: str = ""
    follow_up: str = ""


PRACTISED = "staging-eu"
BAD, GOOD = NEWEST, COPIED
PRACTICES = (
    Practice(
        "4.7.0 still reads customers.shipping_address: how fast is 0018 gone again?",
        restore=(),
        forgotten="ANALYZE customers",
        why="The way back writes every customer's row, and the planner's statistics were of before.",
        follow_up="Have everything that reads customers.shipping_address on 4.8.0 before 0018",
    ),
    Practice("The same again, by the corrected runbook", restore=("ANALYZE customers",)),
)


def smaller(place: Place, customers: int) -> Place:
    """The same place with fewer rows, for tests."""
    return replace(place, customers=customers)
