"""Section 4: an apply that finds everything applied already."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg

from migrations_app.engine.contract.plan import Plan, PlannedRevision
from tests.bench import plans, targets, workload
from tests.bench.house import House
from tests.bench.report import Table, against
from tests.bench.sizes import Sizes
from tests.bench.timing import Sample, shown, stopwatch

TITLE = "Nothing to do"
TARGET_S = 0.1

_RECEIPTS = """
INSERT INTO lockstep.migration_history
  (seq, prev_seq, revision_id, parent, direction, checksum, phase, operator, run_id, fence, fp_before, fp_after)
SELECT n, nullif(n - 1, 0), revision_id, coalesce(lag(revision_id) OVER (ORDER BY n), ''), 'up', %s, 'expand',
       'bench', %s, 1, 'unmeasured', 'unmeasured'
  FROM unnest(%s::text[]) WITH ORDINALITY AS given (revision_id, n)
"""
_STEPS = """
INSERT INTO lockstep.step (revision_id, cycle, direction, n, attempt, run_id, sql_sha256, mode, status, fence)
SELECT revision_id, 1, 'up', 1, 1, run_id, repeat('0', 64), 'tx', 'done', 1 FROM lockstep.migration_history
"""


def measure(house: House, sizes: Sizes) -> Table:
    plan = _plan(sizes.receipts)
    with house.database("noop") as url:
        environment = targets.register(url)
        _fill(url, plan)
        sample = Sample(tuple(_once(plan, url, environment) for _ in range(sizes.repeats)))
    row = (
        f"{sizes.receipts:,}",
        shown(sample.median),
        sample.spread,
        shown(TARGET_S),
        against(TARGET_S, sample.median),
    )
    return Table(
        f"4. {TITLE}",
        ("receipts", "median", "fastest – slowest", "target", "verdict"),
        (row,),
        (
            f"One execution by the engine of a plan whose revisions all stand, {sizes.repeats} times: two "
            "connections, lock, fence, every receipt compared with its revision.",
        ),
    )


def _once(plan: Plan, url: str, environment: UUID) -> float:
    with stopwatch() as watch:
        outcome = plans.run(plan, url, environment)
    assert (outcome.done, outcome.already) == (0, len(plan.revisions)), "everything was to stand already"
    return watch.seconds


def _plan(count: int) -> Plan:
    """Parsing one script is enough: none of them is run."""
    first = plans.planned("first", "", "SELECT 1;\n")
    names = [change.revision_id for change in workload.changes(count)]
    revisions = [
        PlannedRevision(name, parent, first.checksum, first.checksum, "expand", "", first.script)
        for name, parent in zip(names, ["", *names], strict=False)
    ]
    return Plan("up", tuple(revisions))


def _fill(url: str, plan: Plan) -> None:
    """As an old target: receipts, their step rows, and up-to-date statistics."""
    names = [revision.revision_id for revision in plan.revisions]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_RECEIPTS, (plan.revisions[0].checksum, uuid4(), names))
        connection.execute(_STEPS)
        connection.execute("VACUUM ANALYZE")
