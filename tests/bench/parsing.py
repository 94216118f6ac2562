"""Section 5: how long one file takes to be split, understood and planned, once the parsing child is warm."""

from __future__ import annotations

from pathlib import Path

from migrations_app.engine.sql.script import read_script
from tests.bench import workload
from tests.bench.report import Table
from tests.bench.sizes import Sizes
from tests.bench.timing import Sample, shown, stopwatch

TITLE = "Reading a file"
_DEMO = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "storefront"


def measure(sizes: Sizes) -> Table:
    one_statement = [change.sql for change in workload.changes(sizes.revisions)]
    demo = [path.read_text() for path in sorted(_DEMO.glob("*.up.sql"))]
    large = "".join(change.sql for change in workload.changes(1000))
    rows = [
        _row("one statement", one_statement),
        _row("the demo's revisions", demo * 5),
        _row("1,000 statements in one file", [large] * 3),
    ]
    return Table(
        f"5. {TITLE}",
        ("file", "files", "median", "p95", "files per second"),
        tuple(rows),
        ("`read_script`, warm.",),
    )


def _row(name: str, files: list[str]) -> tuple[str, ...]:
    read_script(files[0])
    sample = Sample(tuple(_once(sql) for sql in files))
    rate = len(files) / sum(sample.seconds)
    return (name, f"{len(files):,}", shown(sample.median), shown(sample.quantile(0.95)), f"{rate:,.0f}")


def _once(sql: str) -> float:
    with stopwatch() as watch:
        read_script(sql)
    return watch.seconds
