"""Sample data of the style page: nothing here is read from the database, and nothing happens when it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms

from dashboard.access import RunLogLine
from dashboard.banners import Banner
from dashboard.pages.choices import Choice
from dashboard.pages.query import InForce
from dashboard.templatetags.states import STATES
from migrations_app.runs.detail import Bar

HERE = "/style"
# Each part has a template of its name under templates/style/ and an anchor of the same name.
PARTS: tuple[tuple[str, str], ...] = (
    ("colours", "Colours and type"),
    ("states", "States"),
    ("buttons", "Buttons and choices"),
    ("forms", "Forms and filters"),
    ("tables", "Tables and lists"),
    ("over", "Dialogs, drawers, popovers"),
    ("time", "Time: timelines, rails, progress"),
    ("text", "Logs, SQL, differences"),
    ("notices", "Banners, notices, toasts"),
    ("nothing", "Empty, broken, loading"),
)
TOKENS = (
    "paper", "sheet", "sunk", "edge", "edge-strong", "ink", "ink-2", "ink-3", "accent", "accent-soft", "ok", "ok-soft",
    "run", "run-soft", "wait", "wait-soft", "warn", "warn-soft", "bad", "bad-soft", "drift", "drift-soft", "mark",
)  # fmt: skip
SQL = """-- lockstep: schema_rev sc-18
-- lockstep: phase expand
ALTER TABLE orders ADD COLUMN currency text;

/* Existing rows are checked later,
   by 0019_orders_currency_valid. */
ALTER TABLE orders ADD CONSTRAINT currency_iso CHECK (currency ~ '^[A-Z]{3}$') NOT VALID;
CREATE INDEX CONCURRENTLY orders_currency ON orders (currency);
CREATE FUNCTION code() RETURNS text LANGUAGE sql AS $$ SELECT 'it''s EUR' $$;
"""
BEFORE = """stage: prod
order: 30
lock_timeout: 5 s
retries: 20
health: https://orders.example/health
"""
AFTER = BEFORE.replace("order: 30", "order: 31").replace("5 s", "3 s") + "owner: orders\n"


@dataclass(frozen=True)
class Counted(Choice):
    count: int | None = None


@dataclass(frozen=True)
class Option:
    value: str
    word: str
    checked: bool = False


@dataclass(frozen=True)
class Phase:
    state: str
    word: str
    detail: str
    current: bool = False


@dataclass(frozen=True)
class Row:
    revision: str
    state: str
    words: str
    environment: str
    at: datetime
    took: int
    problem: bool = False


@dataclass(frozen=True)
class Figure:
    label: str
    value: str
    of: str
    note: str
    measure: float
    max: float
    low: float | None = None
    high: float | None = None


class SampleForm(forms.Form):
    name = forms.SlugField(help_text="Small letters, digits and dashes. It cannot be renamed later.")
    stage = forms.ChoiceField(choices=[("dev", "dev"), ("staging", "staging"), ("prod", "prod")])
    region = forms.CharField(required=False)
    order = forms.IntegerField(help_text="Lower comes first.")


def samples(now: datetime) -> dict[str, object]:
    return {
        "tokens": TOKENS,
        "state_names": tuple(STATES),
        "sql_source": SQL,
        "before": BEFORE,
        "after": AFTER,
        **_choices(),
        **_rows(now),
        **_time(now),
        **_notices(),
    }


def _choices() -> dict[str, object]:
    return {
        "views": [Choice("all", HERE, True), Choice("open", HERE, False), Choice("failed", HERE, False)],
        "tabs": [
            Counted("Overview", HERE, True),
            Counted("Steps", HERE, False, 12),
            Counted("Log", HERE, False),
            Counted("Audit", HERE, False, 3),
        ],
        "picks": [Counted("drift", HERE, True, 2), Counted("pending on prod", HERE, False, 14)],
        "ticks": [Option("expand", "expand", True), Option("migrate", "migrate"), Option("contract", "contract")],
        "filters": [InForce("environment prod-eu", HERE), InForce("operator olga", HERE)],
        "objects": ["orders.currency", "orders_currency_iso", "index orders_currency"],
        "region_names": ["eu", "us", "ap"],
    }


def _rows(now: datetime) -> dict[str, object]:
    long = "0017_orders_currency_index_with_a_name_that_is_longer_than_its_column_on_most_screens"
    return {
        "rows": [
            Row("0018_orders_currency_check", "running", "", "staging-us", now - timedelta(seconds=41), 41_000),
            Row(long, "failed", "other bytes", "prod-us", now - timedelta(hours=3), 5_100, True),
            Row("0016_backfill_currency", "drift", "1 index", "prod-ap", now - timedelta(days=2), 312_000, True),
            Row("0015_orders_currency", "applied", "", "prod-eu", now - timedelta(days=9), 14),
        ],
        "facts": [("Target", "app@db:5432/orders"), ("Server", "PostgreSQL 18.1"), ("Fence", "57")],
        "moment": now,
    }


def _time(now: datetime) -> dict[str, object]:
    return {
        "bars": [
            Bar("Lock", "done", "advisory lock, fence 57", 400, 60, 0, 40, 60),
            Bar("Run", "active", "statement 3 of 4", 34_000, 7_000, 100, 440, 330),
            Bar("Verify", "failed", "1 of 2 checks", 100, 900, 870, 10, 120),
            *(Bar(name, "pending", "", 0, 0, 0, 0, 0) for name in ("Record", "Release")),
        ],
        "waited": 34_500,
        "phases": [
            Phase("done", "Preflight", "4 of 4 hold"),
            Phase("done", "Dual write", "2 h 10 min"),
            Phase("running", "Backfill", "62 %, throttled 4 min", current=True),
            Phase("pending", "Verify", "0 of 2 passes"),
            Phase("skipped", "Shadow", "not asked for"),
            Phase("pending", "Cutover", "3 of 10 unmet"),
        ],
        "figures": [
            Figure("Degraded for", "3 min 12 s", "of 5 min", "prod-ap: db_pool_saturated", 192, 300, 150, 299),
            Figure("Restarts in 10 min", "1", "of 3", "11:58 by watchdog", 1, 3, 2, 3),
            Figure("Pool saturation", "0.93", "3 of 3 probes", "limit 0.90", 3, 3, 1, 2.5),
        ],
        "lines": [
            _line(118, now - timedelta(seconds=40), "lock: got it after 0.4 s, fence 57"),
            _line(119, now - timedelta(seconds=39), "1/4 ALTER TABLE orders ADD COLUMN currency text · 3 ms"),
            _line(120, now - timedelta(seconds=38), "3/4 waiting for older snapshots, pid 8812 (report)", "warning"),
            _line(121, now - timedelta(seconds=2), "canceling statement due to lock timeout", "error"),
        ],
    }


def _line(seq: int, at: datetime, message: str, level: str = "info") -> RunLogLine:
    return RunLogLine(seq=seq, at=at, level=level, message=message)


def _notices() -> dict[str, object]:
    return {
        "banners": [
            Banner("bad", "bell", "Pool saturation is firing on prod-ap for 6 min: 0.93 over 3 probes.", HERE, "Alert"),
            Banner("bad", "failed", "The audit chain is broken at entry 18,377: its content differs.", HERE, "Audit"),
            Banner("warn", "unknown", "Figures are stale since 12:03:07 UTC: the server does not answer."),
            Banner("warn", "lock", "Read-only: runs are not started until 13:00 UTC.", HERE, "Why"),
        ],
        "tell": [
            ("ok", "ok", "Run 1042 is cancelled; what has its receipt stays."),
            ("bad", "failed", "Nothing was done: run 1042 has ended already."),
        ],
    }
