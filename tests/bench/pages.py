"""Section 8: pages of the large fleet under a constant rate of requests, and live fragments that did not change."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from migrations_app.models import Environment, Run, Service
from migrations_app.statuses import HELD
from tests.bench import signin
from tests.bench.large import ALIAS, LargeFleet
from tests.bench.load import Load, Page, load
from tests.bench.report import Table
from tests.bench.sizes import Sizes
from tests.bench.timing import Sample, shown
from tests.bench.web import PATIENCE_S, Site

TITLE = "Pages under a constant rate"
_COLUMNS = ("what", "asked", "good answers", "at most", "alone", "p50", "p95", "p99", "errors", "target p99", "verdict")
_ENOUGH = 0.97  # of the asked rate, else the server did not keep up


@dataclass(frozen=True)
class _Case:
    what: str
    rate: float
    target_s: float
    pages: Mapping[str, str]  # each path with the name of its own line, empty for none
    unchanged: bool = False  # asked with the tag of the answer before


def measure(large: LargeFleet) -> Table:
    large.generated  # noqa: B018  before anything is read from it
    rows: list[tuple[str, ...]] = []
    late: list[float] = []
    for case in _cases():
        with large.site() as site:
            measured = _Measured(site, signin.operator(), case, large.sizes)
            rows.extend(measured.rows())
            late.append(measured.found.late.quantile(0.99))
    sizes = large.sizes
    return Table(
        f"8. {TITLE}",
        _COLUMNS,
        tuple(rows),
        (
            f"Asked by the clock for {sizes.load_seconds:g} s each, whatever the answers take; each time counts from "
            f"when its request was due, and after {PATIENCE_S:.0f} s nobody waits any longer. Kept-alive connections, "
            "signed in as an operator, compressed; gunicorn as `manage.py up` starts it, on the machine that asks as "
            "well. “At most” is what eight askers get who each ask again when they are answered; “alone” is the "
            "median of requests one after the other. "
            "Parts of a page that has not changed come from what its process keeps, as they do for readers; a first "
            "draw takes longer. "
            f"The asking process was late by at most {shown(max(late))} at the 99th percentile.",
        ),
    )


def _cases() -> tuple[_Case, ...]:
    service = Service.objects.using(ALIAS).get(name="marketplace").name
    places = Environment.objects.using(ALIAS).filter(service__name=service)
    return (
        _Case("matrix, what differs", 80, 0.080, {f"/matrix?service={service}": ""}),
        _Case("matrix, any window", 80, 0.080, dict.fromkeys(_windows(service), "")),
        _Case(
            "lists and home, in turn",
            60,
            0.150,
            {
                "/": "home",
                "/history": "history",
                "/runs": "runs",
                f"/services/{service}/revisions": "revisions",
                f"/services/{service}/environments/{places[places.count() // 2].name}": "environment",
                "/audit": "audit",
            },
        ),
        _Case("a run's fragment, not changed", 300, 0.030, dict.fromkeys(_fragments(), ""), unchanged=True),
    )


def _windows(service: str) -> list[str]:
    newest = Service.objects.using(ALIAS).get(name=service).revisions.order_by("-position")[0].position
    anchors = [newest * share // 12 for share in range(12, 0, -1)]
    return [f"/matrix?service={service}&mode=all&before={anchor}" for anchor in anchors]


def _fragments() -> list[str]:
    """Of every run that waits for a person: nothing about it changes by itself."""
    return [f"/runs/{pk}/live" for pk in Run.objects.using(ALIAS).filter(status__in=HELD).values_list("pk", flat=True)]


@dataclass
class _Measured:
    """First each page alone, then as many as the server can answer, then the rate."""

    site: Site
    cookie: str
    case: _Case
    sizes: Sizes
    most: float = 0.0
    found: Load = field(init=False)

    def rows(self) -> list[tuple[str, ...]]:
        case = self.case
        alone = {path: self._alone(path) for path in case.pages}
        pages = [Page(path, self._etag(path) if case.unchanged else "") for path in case.pages]
        self.most = load(
            self.site, self.cookie, pages, rate=0, seconds=max(self.sizes.load_seconds / 4, 1.0)
        ).achieved_rate
        rate = case.rate * self.sizes.load_share
        self.found = load(self.site, self.cookie, pages, rate=rate, seconds=self.sizes.load_seconds)
        everything = Sample(tuple(second for sample in alone.values() for second in sample.seconds))
        named = [
            (f"– {name}", "", "", "", shown(alone[path].median), *_percentiles(self.found.of_page[path]), "", "", "")
            for path, name in case.pages.items()
            if name
        ]
        return [self._verdict(everything), *named]

    def _verdict(self, alone: Sample) -> tuple[str, ...]:
        case, found = self.case, self.found
        kept_up = found.achieved_rate >= _ENOUGH * found.asked_rate
        good = found.sample.quantile(0.99) <= case.target_s and not found.failed and kept_up
        return (
            case.what,
            f"{found.asked_rate:g}/s",
            f"{found.achieved_rate:.1f}/s",
            f"{self.most:.1f}/s",
            shown(alone.median),
            *_percentiles(found.sample),
            ", ".join(f"{count} × {what}" for what, count in found.errors.items()) or "0",
            shown(case.target_s),
            "within" if good else "over",
        )

    def _alone(self, path: str) -> Sample:
        """One request after the other; a page that does not answer in time is not asked again."""
        took: list[float] = []
        with self.site.reader(self.cookie) as reader, suppress(TimeoutError):
            etag = reader.get(path).etag if self.case.unchanged else ""
            reader.get(path, etag)
            took.extend(reader.get(path, etag).seconds for _ in range(self._rounds(path)))
        return Sample(tuple(took) or (PATIENCE_S,))

    def _rounds(self, path: str) -> int:
        """Pages without a line of their own share the rounds of one."""
        return self.sizes.page_rounds if self.case.pages[path] else self.sizes.page_rounds // len(self.case.pages) + 1

    def _etag(self, path: str) -> str:
        with self.site.reader(self.cookie) as reader:
            return reader.get(path).etag


def _percentiles(sample: Sample) -> tuple[str, str, str]:
    if not sample.seconds:
        return ("", "", "")
    return (shown(sample.quantile(0.50)), shown(sample.quantile(0.95)), shown(sample.quantile(0.99)))
