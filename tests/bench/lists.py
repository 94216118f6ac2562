"""Section 9: a list's middle and last page against its first, and Django's own admin over the same rows meanwhile.

The middle matters: at the very end the planner may sort what little is left and hide a cursor that reads everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from dashboard.cursors import write
from migrations_app.fleet.history import Cursor
from migrations_app.models import LedgerEntry, Run
from tests.bench import signin
from tests.bench.admin_paths import LEDGER, PAGE, RUNS
from tests.bench.large import ALIAS, LargeFleet
from tests.bench.report import Table, against
from tests.bench.timing import Sample, interleaved, shown
from tests.bench.web import Reader

TITLE = "First page, last page, and Django's admin"
_LAST, _ADMIN = 1.2, 5.0


@dataclass(frozen=True)
class _List:
    name: str
    rows: int
    first: str
    middle: str
    last: str
    admin: str

    @property
    def admin_last(self) -> str:
        return f"{self.admin}?p={-(-self.rows // PAGE)}"


def measure(large: LargeFleet) -> Table:
    rows = []
    with ExitStack() as open_now:
        ours = open_now.enter_context(_reader(large, "dashboard.settings", signin.operator))
        theirs = open_now.enter_context(_reader(large, "tests.bench.admin_settings", signin.administrator))
        for one in (_history(), _runs()):
            samples = interleaved(
                {
                    "first": _timed(ours, one.first),
                    "middle": _timed(ours, one.middle),
                    "last": _timed(ours, one.last),
                    "admin": _timed(theirs, one.admin),
                    "admin last": _timed(theirs, one.admin_last),
                },
                large.sizes.page_rounds,
            )
            rows.append(_row(one, samples))
    return Table(
        f"9. {TITLE}",
        (
            "list", "rows", "first page", "middle page", "last page", "worst ÷ first", f"target {_LAST} ×",
            "admin, first page", "admin, last page", "admin ÷ ours", f"target {_ADMIN:g} ×",
        ),
        tuple(rows),
        (
            f"{PAGE} rows a page, medians of {large.sizes.page_rounds} rounds in turns, one request at a time. The "
            "admin is Django's, served by the same gunicorn configuration: columns, order, joins and filters as our "
            "list has them, all else as it comes. “Admin ÷ ours” compares first pages.",
        ),
    )  # fmt: skip


@contextmanager
def _reader(large: LargeFleet, settings: str, sign_in: Callable[[], str]) -> Iterator[Reader]:
    with large.site(settings) as site, site.reader(sign_in()) as reader:
        yield reader


def _history() -> _List:
    entries = LedgerEntry.objects.using(ALIAS)
    oldest_first, rows = entries.order_by("applied_at", "id"), entries.count()
    ends = (oldest_first[rows // 2], oldest_first[PAGE])
    middle, last = (f"/history?after={write('history', *Cursor(end.applied_at, end.pk).key)}" for end in ends)
    return _List("history", rows, "/history", middle, last, LEDGER)


def _runs() -> _List:
    runs = Run.objects.using(ALIAS)
    oldest_first, rows = runs.order_by("id"), runs.count()
    middle, last = (
        f"/runs?before={write('runs before', end.pk)}" for end in (oldest_first[rows // 2], oldest_first[PAGE])
    )
    return _List("runs", rows, "/runs", middle, last, RUNS)


def _timed(reader: Reader, path: str) -> Callable[[], float]:
    def once() -> float:
        answer = reader.get(path)
        assert answer.status == 200, f"{path} was answered with {answer.status}"
        return answer.seconds

    once()
    return once


def _row(one: _List, samples: dict[str, Sample]) -> tuple[str, ...]:
    first, middle, last, admin = (samples[name].median for name in ("first", "middle", "last", "admin"))
    worst = max(middle, last) / first
    return (
        one.name,
        f"{one.rows:,}",
        shown(first),
        shown(middle),
        shown(last),
        f"{worst:.2f}",
        against(_LAST, worst),
        shown(admin),
        shown(samples["admin last"].median),
        f"{admin / first:.1f}",
        "within" if admin / first >= _ADMIN else "over",
    )
