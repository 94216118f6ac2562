"""Section 13: the boot gate at a constant rate, on a web server at rest and on one whose every thread waits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from statistics import median
from urllib.parse import urlencode

import psycopg
from django.contrib.auth.models import Group, User
from django.db.models.functions import Now
from django.utils import timezone

from migrations_app.models import ApiToken, Environment, Revision
from migrations_app.models.environment import Reachability
from migrations_app.permissions import VIEWER
from migrations_app.statuses import OPEN
from tests.bench import signin
from tests.bench.large import ALIAS, LargeFleet
from tests.bench.load import Load, Page, load
from tests.bench.report import Table, against
from tests.bench.timing import shown
from tests.bench.web import Site

TITLE = "The boot gate under a constant rate"
_COLUMNS = ("while", "asked", "good answers", "p50", "p95", "p99", "errors", "target p99", "verdict")
_RATE, _TARGET_S = 300, 0.025
_STUCK = 24  # three times as many readers as there are threads
_NODES = 20
_TOKEN = f"lockstep_{'b' * 8}_{'e' * 43}"


def measure(large: LargeFleet) -> Table:
    large.generated  # noqa: B018  before anything is read from it
    sizes, cookie = large.sizes, signin.operator()
    pages = _questions(_allowed())
    at_rest: list[Load] = []
    waiting: list[Load] = []
    for _ in range(sizes.load_rounds):
        with large.site() as site:
            rate = _RATE * sizes.load_share
            at_rest.append(load(site, "", pages, rate=rate, seconds=sizes.load_seconds))
            with _full_house(large, site, cookie):
                waiting.append(load(site, "", pages, rate=rate, seconds=min(sizes.load_seconds, 8.0)))
    return Table(
        f"13. {TITLE}",
        _COLUMNS,
        (_row("everything rests", at_rest), _row("every other thread waits for a lock", waiting)),
        (
            f"{_NODES} nodes of one environment of the large fleet ask in turn whether they may start and may. Counted "
            "like the pages of section 8. A node that names itself has reported, which is written when its answer was "
            "sent. In the second line the sessions' table is locked and so many readers ask for pages that each "
            "thread of both processes waits for it.",
        ),
    )


def _row(what: str, found: list[Load]) -> tuple[str, ...]:
    errors = sum(sum(one.errors.values()) for one in found)
    p50, p95, p99 = (median(one.sample.quantile(share) for one in found) for share in (0.50, 0.95, 0.99))
    achieved = min(one.achieved_rate for one in found)
    verdict = "over" if errors else against(_TARGET_S, p99)
    told = (shown(p50), shown(p95), shown(p99))
    return (what, f"{found[0].asked_rate:g}/s", f"{achieved:.1f}/s", *told, str(errors), shown(_TARGET_S), verdict)


def _allowed() -> Environment:
    """One that stands in order, compared just now: it was generated a while ago."""
    tidy = Environment.objects.using(ALIAS).filter(reachability=Reachability.OK, reconcile_note="")
    at_rest = tidy.exclude(runs__status__in=sorted(OPEN)).exclude(head_revision="").order_by("pk")
    for environment in at_rest.select_related("service", "tally"):
        head = _head(environment)
        if head is not None and head.schema_rev and head.position == environment.tally.applied:
            Environment.objects.using(ALIAS).filter(pk=environment.pk).update(reconciled_at=Now() + timedelta(hours=2))
            return environment
    raise LookupError("no environment of the large fleet stands in order")


def _head(environment: Environment) -> Revision | None:
    chain = Revision.objects.using(ALIAS).filter(service=environment.service)
    return chain.filter(revision_id=environment.head_revision).first()


def _questions(environment: Environment) -> list[Page]:
    _holder()
    head = _head(environment)
    assert head is not None
    asked = {"service": environment.service.name, "environment": environment.name, "schema_rev": head.schema_rev}
    return [
        Page(f"/api/v1/boot-gate?{urlencode({**asked, 'node': f'node-{number}'})}", bearer=_TOKEN)
        for number in range(_NODES)
    ]


def _holder() -> None:
    """A viewer with the one token that all of them hold."""
    user, _ = User.objects.using(ALIAS).get_or_create(username="bench-service")
    user.groups.set([Group.objects.using(ALIAS).get_or_create(name=VIEWER)[0]])
    given = {
        "user": user,
        "sha256": hashlib.sha256(_TOKEN.encode()).hexdigest(),
        "expires_at": timezone.now() + timedelta(days=1),
    }
    ApiToken.objects.using(ALIAS).update_or_create(prefix="b" * 8, defaults=given)


@contextmanager
def _full_house(large: LargeFleet, site: Site, cookie: str) -> Iterator[None]:
    def read() -> None:
        with site.reader(cookie) as reader:
            reader.get("/")

    with psycopg.connect(large.generated.url) as holder, ThreadPoolExecutor(_STUCK) as crowd:
        holder.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        for _ in range(_STUCK):
            crowd.submit(read)
        yield
        holder.rollback()
