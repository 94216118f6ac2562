"""Section 8: pages of the large fleet under a constant rate of requests, and live fragments that did not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median

from dashboard.bundles import bundle
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
_COLUMNS = ("what", "asked", "good answers", "at most", "alone", "p50", "p95", "p99", "p99 each time", "errors",
            "target p99", "verdict")  # fmt: skip
_ENOUGH = 0.97  # of the asked rate, else the server did not keep up


@dataclass(frozen=True)
class _Case:
    what: str
    rate: float
    target_s: float | None  # None for what is asked only to compare with
    pages: Mapping[str, str]  # each path with the name of its own line, empty for none
    unchanged: bool = False  # asked with the tag of the answer before


def measure(large: LargeFleet) -> Table:
    large.generated  # noqa: B018  before anything is read from it
    sizes, cookie = large.sizes, signin.operator()
    measured = [_Measured(case, sizes) for case in _cases()]
    for one in measured:
        with large.site() as site:
            one.begin(site, cookie)
    for _ in range(sizes.load_rounds):
        for one in measured:
            with large.site() as site:
                one.ask(site, cookie)
    late = max(load.late.quantile(0.99) for one in measured for load in one.found)
    return Table(
        f"8. {TITLE}",
        _COLUMNS,
        tuple(row for one in measured for row in one.rows()),
        (
            f"Asked by the clock for {sizes.load_seconds:g} s each, whatever the answers take, each line "
            f"{sizes.load_rounds} times on a server that has just begun, the lines in turn. A percentile of a line "
            "is the median of what it is each time, so that one slow minute of the machine decides nothing; of a "
            "single page it is that of all times together. Good answers are those of the worst time. Each request "
            f"counts from when it was due, and after {PATIENCE_S:.0f} s nobody waits any longer. Kept-alive "
            "connections, signed in as an operator, compressed; gunicorn as `manage.py up` starts it, on the "
            "machine that asks as well. “At most” is what eight askers get who each ask again when they are "
            "answered; “alone” is the median of requests one after the other. Parts of a page that has not changed "
            "come from what its process keeps, as they do for readers; a first draw takes longer. The floor asks no "
            "database and no view: what is slow there is not the page. The asking process was late by at most "
            f"{shown(late)} at the 99th percentile.",
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
        _Case("floor: the script, not changed", 300, None, {bundle("js").url: ""}, unchanged=True),
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
    """Each page alone and as many as the server can answer; then the rate, each time on a server just begun."""

    case: _Case
    sizes: Sizes
    alone: dict[str, Sample] = field(default_factory=dict)
    most: float = 0.0
    found: list[Load] = field(default_factory=list)

    def begin(self, site: Site, cookie: str) -> None:
        self.alone = {path: self._alone(site, cookie, path) for path in self.case.pages}
        seconds = max(self.sizes.load_seconds / 4, 1.0)
        self.most = load(site, cookie, self._pages(site, cookie), rate=0, seconds=seconds).achieved_rate

    def ask(self, site: Site, cookie: str) -> None:
        rate = self.case.rate * self.sizes.load_share
        pages = self._pages(site, cookie)
        self.found.append(load(site, cookie, pages, rate=rate, seconds=self.sizes.load_seconds))

    def rows(self) -> list[tuple[str, ...]]:
        case = self.case
        everything = _together(self.alone.values())
        named = [
            (
                f"– {name}", "", "", "", shown(self.alone[path].median),
                *_percentiles([_together(load.of_page[path] for load in self.found)]), "", "", "",
            )
            for path, name in case.pages.items()
            if name
        ]  # fmt: skip
        return [self._verdict(everything), *named]

    def _verdict(self, alone: Sample) -> tuple[str, ...]:
        case, found = self.case, self.found
        asked, achieved = found[0].asked_rate, min(load.achieved_rate for load in found)
        errors = sum((Counter(load.errors) for load in found), Counter[str]())
        samples = [load.sample for load in found]
        kept_up = not errors and achieved >= _ENOUGH * asked
        return (
            case.what,
            f"{asked:g}/s",
            f"{achieved:.1f}/s",
            f"{self.most:.1f}/s",
            shown(alone.median),
            *_percentiles(samples),
            ", ".join(f"{count} × {what}" for what, count in errors.items()) or "0",
            *_against(case.target_s, _typical(samples, 0.99), kept_up=kept_up),
        )

    def _pages(self, site: Site, cookie: str) -> list[Page]:
        unchanged = self.case.unchanged
        return [Page(path, _etag(site, cookie, path) if unchanged else "") for path in self.case.pages]

    def _alone(self, site: Site, cookie: str, path: str) -> Sample:
        """One request after the other; a page that does not answer in time is not asked again."""
        took: list[float] = []
        with site.reader(cookie) as reader, suppress(TimeoutError):
            etag = reader.get(path).etag if self.case.unchanged else ""
            reader.get(path, etag)
            took.extend(reader.get(path, etag).seconds for _ in range(self._rounds(path)))
        return Sample(tuple(took) or (PATIENCE_S,))

    def _rounds(self, path: str) -> int:
        """Pages without a line of their own share the rounds of one."""
        return self.sizes.page_rounds if self.case.pages[path] else self.sizes.page_rounds // len(self.case.pages) + 1


def _etag(site: Site, cookie: str, path: str) -> str:
    with site.reader(cookie) as reader:
        return reader.get(path).etag


def _against(target_s: float | None, p99: float, *, kept_up: bool) -> tuple[str, str]:
    if target_s is None:
        return "", ""
    return shown(target_s), "within" if kept_up and p99 <= target_s else "over"


def _together(samples: Iterable[Sample]) -> Sample:
    return Sample(tuple(second for sample in samples for second in sample.seconds))


def _typical(rounds: Sequence[Sample], share: float) -> float:
    """A percentile, as the median of what it is in each round."""
    return median(sample.quantile(share) for sample in rounds)


def _percentiles(rounds: Sequence[Sample]) -> tuple[str, str, str, str]:
    if not all(sample.seconds for sample in rounds):
        return ("", "", "", "")
    each = ", ".join(shown(sample.quantile(0.99)) for sample in rounds) if len(rounds) > 1 else ""
    p50, p95, p99 = (shown(_typical(rounds, share)) for share in (0.50, 0.95, 0.99))
    return (p50, p95, p99, each)
