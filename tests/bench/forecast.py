"""Section 11: revisions of many kinds measured on a copy, forecast for ten times the rows, and really run on those.

The small sample in the tests uses the same revisions on fewer rows.
"""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import psycopg

from migrations_app.embedded.databases import create_database, drop_database
from migrations_app.engine.clone.forecast import TELLING_MS, Forecast, TableSize, error_factor, forecast
from migrations_app.engine.clone.trace import StatementTrace, trace
from migrations_app.engine.contract.bootstrap import ensure_objects
from migrations_app.engine.contract.plan import Plan
from migrations_app.engine.target.dsn import parse
from migrations_app.engine.target.identity import claim_identity
from tests.bench.forecast_revisions import REVISIONS, TABLES
from tests.bench.house import House
from tests.bench.plans import planned
from tests.bench.report import Table, against
from tests.bench.sizes import Sizes
from tests.bench.timing import shown

TITLE = "Forecast and reality"
TIMES = 10
TARGET = 2.0
_BUDGET_S = 2.0
_SIZES = """
SELECT format('%I.%I', n.nspname, c.relname), pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'
"""


@dataclass(frozen=True)
class Compared:
    """One statement."""

    revision_id: str
    summary: str
    here_ms: float
    forecast_ms: float
    there_ms: float

    @property
    def factor(self) -> float:
        return error_factor([(self.forecast_ms, self.there_ms)]) or 1.0


def measure(house: House, sizes: Sizes) -> Table:
    rounds = [compare(house.admin_url, sizes.forecast_rows) for _ in range(sizes.forecast_rounds)]
    middle = sorted(rounds, key=off_by)[len(rounds) // 2]
    return Table(f"11. {TITLE}", COLUMNS, (*map(_row, middle), _summary(rounds)), (_note(sizes),))


COLUMNS = ("statement", "on the copy", "forecast", "on ten times the rows", "off by")


def _row(one: Compared) -> tuple[str, ...]:
    told = f"{one.factor:.1f} ×" if one.there_ms >= TELLING_MS else "too short to tell"
    return (one.summary, *(shown(ms / 1000) for ms in (one.here_ms, one.forecast_ms, one.there_ms)), told)


def _summary(rounds: list[list[Compared]]) -> tuple[str, ...]:
    factors = [off_by(one) for one in rounds]
    middle = statistics.median(factors)
    spread = f"{min(factors):.2f} – {max(factors):.2f}"
    return ("median of each round", "", "", spread, f"{middle:.2f} ×, target {TARGET:g} ×: {against(TARGET, middle)}")


def _note(sizes: Sizes) -> str:
    return (
        f"{len(REVISIONS)} revisions; the copy has {sizes.forecast_rows:,} orders, the other database "
        f"{sizes.forecast_rows * TIMES:,}. Each statement was traced on the copy and then run on the other database by "
        f"itself. Rounds: {sizes.forecast_rounds}; the lines are those of the middle one. “Off by” is the larger of "
        f"forecast ÷ measured and its inverse, and counts for statements of {TELLING_MS:g} ms or more."
    )


def off_by(compared: list[Compared]) -> float:
    """The median over the statements that take long enough to be told apart."""
    return error_factor([(one.forecast_ms, one.there_ms) for one in compared if one.there_ms >= TELLING_MS]) or 1.0


def plan() -> Plan:
    names = ["", *(f"{number:04}_bench" for number in range(1, len(REVISIONS) + 1))]
    chained = zip(names, names[1:], REVISIONS, strict=False)
    return Plan("up", tuple(planned(name, parent, sql) for parent, name, sql in chained))


def compare(admin_url: str, rows: int) -> list[Compared]:
    """Trace the plan on a copy of that size, run it on a database of ten times the rows."""
    uid = uuid.uuid4()
    small, large = f"lockstep_reh_{uid.hex[:8]}_{uid.hex[-12:]}_trace", f"bench_forecast_{uid.hex[:8]}"
    try:
        urls = [create_database(admin_url, name) for name in (small, large)]
        here, there = _fill(urls[0], rows), _fill(urls[1], rows * TIMES)
        _register(urls[0], uid)
        traces = trace(parse(urls[0], trusted=True), plan(), clone=uid, report=lambda said: None)
        forecasts = forecast(traces, clone=here, target=there, budget_s=_BUDGET_S)
        return list(_compared(traces, forecasts, _run(urls[1])))
    finally:
        drop_database(admin_url, small)
        drop_database(admin_url, large)


def _compared(
    traces: tuple[StatementTrace, ...], forecasts: tuple[Forecast, ...], there: list[float]
) -> Iterator[Compared]:
    each = [next(same) for _, same in groupby(forecasts, key=lambda one: (one.revision_id, one.step, one.statement))]
    for one, expected, ms in zip(traces, each, there, strict=True):
        yield Compared(one.revision_id, one.summary, one.duration_ms, expected.work_ms, ms)


def _fill(url: str, rows: int) -> dict[str, TableSize]:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(TABLES.format(orders=rows, customers=rows // 10, lines=rows * 2))
        conn.execute("VACUUM ANALYZE")
        conn.execute("CHECKPOINT")
        return {
            name: TableSize(conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0], size)  # type: ignore[index]
            for name, size in conn.execute(_SIZES).fetchall()
        }


def _register(url: str, uid: uuid.UUID) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        ensure_objects(conn)
        claim_identity(conn, installation=uuid.uuid4(), environment=uid, service="bench", name="copy")


def _run(url: str) -> list[float]:
    """Milliseconds of each statement, in the transactions a run would use."""
    taken = []
    with psycopg.connect(url, autocommit=True) as conn:
        for revision in plan().revisions:
            for step in revision.steps:
                if step.mode == "tx":
                    conn.execute("BEGIN")
                for statement in step.statements:
                    started = time.monotonic()
                    conn.execute(statement.text.encode())
                    taken.append((time.monotonic() - started) * 1000)
                if step.mode == "tx":
                    conn.execute("COMMIT")
    return taken
