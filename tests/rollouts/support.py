"""Two environments of one service on real targets, and a cutover carried to where it stops."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User

from migrations_app.fleet.environments import add_environment
from migrations_app.jobs.apply import execute
from migrations_app.models import Cutover, Environment, EnvironmentRelease, Run, Service
from migrations_app.rollouts.carrying import carry_on_all
from migrations_app.statuses import CutoverStatus
from tests.runs.support import Fleet, make_fleet, person

FIRST = "-- lockstep: schema_rev sc-1\nCREATE TABLE a (id int PRIMARY KEY)"
SECOND = "-- lockstep: schema_rev sc-2\nCREATE TABLE b (id int PRIMARY KEY)"
_GOES_ON = (CutoverStatus.RUNNING, CutoverStatus.ROLLING_BACK)


@dataclass
class Carried:
    """`test` comes first, `live` after it."""

    test: Fleet
    live: Fleet
    olga: User

    @property
    def service(self) -> Service:
        return self.test.service

    def heads(self) -> list[str]:
        rows = Environment.objects.filter(service=self.service).order_by("order")
        return list(rows.values_list("head_revision", flat=True))

    def runs(self) -> dict[str, str]:
        """Which release each environment runs, as the control plane knows it."""
        open_rows = EnvironmentRelease.objects.filter(until=None, environment__service=self.service)
        return dict(open_rows.values_list("environment__name", "release__release_id"))


def make_carried(test_url: str, live_url: str) -> Carried:
    test = make_fleet(test_url, name="test-eu")
    adam = person("adam", "admin")
    environment = add_environment(
        service=test.service, name="live-eu", stage="live", region="eu", order=2, dsn=live_url, health_url="", by=adam
    )
    live = Fleet(test.service, environment, test.olga, live_url)
    test.put("0001_a", FIRST, down="DROP TABLE a")
    for fleet in (test, live):
        fleet.apply()
    test.put("0002_b", SECOND, down="DROP TABLE b")
    return Carried(test, live, test.olga)


def carry(cutover: Cutover, rounds: int = 20, *, work: bool = True) -> Cutover:
    """As a worker does: look, carry out the run that is due, look again, until it stops."""
    for _ in range(rounds):
        carry_on_all()
        cutover.refresh_from_db()
        if cutover.status not in _GOES_ON:
            return cutover
        queued = Run.objects.filter(status="queued") if work else Run.objects.none()
        for pk in queued.values_list("pk", flat=True):
            execute(pk)
    raise AssertionError(f"it still goes on: {cutover.status}, {list(cutover.steps.values())}")
