"""Section 6: putting revisions through the verb, one by one and as a folder."""

from __future__ import annotations

from collections.abc import Sequence

from migrations_app.fleet.revisions import put_revision
from migrations_app.models import Service
from tests.bench import plane, workload
from tests.bench.report import Table
from tests.bench.sizes import Sizes
from tests.bench.timing import Sample, shown, stopwatch
from tests.bench.workload import Change

TITLE = "Putting revisions"


def measure(sizes: Sizes) -> Table:
    wanted = workload.changes(sizes.uploads)
    service = plane.service("uploads")
    seconds = [_put(service, change) for change in wanted]
    again = [_put(service, change) for change in wanted[-max(sizes.uploads // 5, 1) :]]
    part = max(sizes.uploads // 5, 1)
    rows = (
        _row(f"one by one, the first {part}", seconds[:part]),
        _row(f"one by one, the last {part} of {sizes.uploads}", seconds[-part:]),
        _row("the same bytes again", again),
        _folder_row(sizes),
    )
    return Table(
        f"6. {TITLE}",
        ("how", "revisions", "median each", "p95", "revisions per second"),
        rows,
        ("Parsing, the chain, the audit entry and the commit included.",),
    )


def _put(service: Service, change: Change) -> float:
    with stopwatch() as watch:
        put_revision(service=service, revision_id=change.revision_id, up=change.sql, by=plane.someone())
    return watch.seconds


def _row(how: str, seconds: Sequence[float]) -> tuple[str, ...]:
    sample = Sample(tuple(seconds))
    rate = len(seconds) / sum(seconds)
    return (how, str(len(seconds)), shown(sample.median), shown(sample.quantile(0.95)), f"{rate:,.0f}")


def _folder_row(sizes: Sizes) -> tuple[str, ...]:
    with stopwatch() as watch:
        plane.service("uploaded-folder", workload.changes(sizes.revisions))
    each = watch.seconds / sizes.revisions
    return ("a folder at once", f"{sizes.revisions:,}", shown(each), "", f"{1 / each:,.0f}")
