"""Section 2: a few revisions on many databases, all runs asked for at once, two workers."""

from __future__ import annotations

from contextlib import ExitStack

from tests.bench import plane, workload
from tests.bench.house import House
from tests.bench.report import Table
from tests.bench.sizes import Sizes
from tests.bench.timing import shown
from tests.bench.workers import working

TITLE = "A fleet, two workers"
_WORKERS = 2


def measure(house: House, sizes: Sizes) -> Table:
    service = plane.service("fleet", workload.changes(sizes.fleet_revisions))
    with ExitStack() as stack:
        urls = [stack.enter_context(house.database("fleet")) for _ in range(sizes.databases)]
        environments = [plane.environment(service, url) for url in urls]
        with working(_WORKERS):
            house.settle()
            seconds = plane.apply_by_workers(environments)
    receipts = sizes.databases * sizes.fleet_revisions
    row = (
        f"{sizes.fleet_revisions} on {sizes.databases}",
        str(_WORKERS),
        shown(seconds),
        f"{sizes.databases / seconds:.1f}",
        f"{receipts / seconds:.0f}",
    )
    return Table(
        f"2. {TITLE}",
        ("revisions on databases", "workers", "all done after", "runs per second", "revisions per second"),
        (row,),
        ("From the first request to the end of the last run, each with its ledger complete.",),
    )
