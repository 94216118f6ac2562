"""The whole control plane around a target: verbs, ledger, log and audit, as pages and commands use them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import django_rq
from django.contrib.auth.models import User
from django.db import connection

from migrations_app.admission.door import start_run
from migrations_app.engine.contract.folder import RevisionFiles
from migrations_app.engine.sql.header import read_header
from migrations_app.fleet.environments import add_environment
from migrations_app.fleet.revisions import put_folder
from migrations_app.fleet.services import create_service
from migrations_app.jobs import launcher
from migrations_app.jobs.apply import execute
from migrations_app.models import Environment, LedgerEntry, Run, Service
from migrations_app.statuses import RunStatus
from tests.bench.timing import stopwatch
from tests.bench.workload import Change

PATIENCE_S = 900.0
_POLL_S = 0.02
_GOING = "SELECT id, status FROM migrations_app_run WHERE id = ANY(%s) AND finished_at IS NULL"
_numbers = itertools.count(1)


class DidNotSucceed(Exception):
    """A run ended in another way, or did not end."""


def someone() -> User:
    user, _ = User.objects.get_or_create(username="bench")
    return user


def service(name: str, wanted: Sequence[Change] = ()) -> Service:
    made = create_service(name=name, by=someone())
    if wanted:
        put_folder(service=made, files=[_files(change) for change in wanted], by=someone())
    return made


def environment(of: Service, url: str) -> Environment:
    number = next(_numbers)
    return add_environment(
        service=of,
        name=f"target-{number}",
        stage="dev",
        region="here",
        order=number,
        dsn=url,
        health_url="",
        by=someone(),
    )


def apply_here(target: Environment) -> float:
    """Ask for the run and carry it out in this process."""
    with stopwatch() as watch:
        run = start_run(environment=target, direction="up", by=someone()).run
        execute(run.pk)
    check([run])
    forget_wake_ups()
    return watch.seconds


def apply_by_workers(targets: Sequence[Environment]) -> float:
    """Ask for every run at once and wait until the workers have ended them all."""
    with stopwatch() as watch:
        runs = [start_run(environment=target, direction="up", by=someone()).run for target in targets]
        wait(runs)
    check(runs)
    return watch.seconds


def wait(runs: Sequence[Run]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while left := _going(runs):
        if time.monotonic() > deadline:
            raise DidNotSucceed(f"{len(left)} runs had not ended after {PATIENCE_S:.0f} s")
        for run, status in left:
            if status in (RunStatus.NEEDS_OPERATOR, RunStatus.PAUSED):
                raise DidNotSucceed(f"run {run} is {status}: {Run.objects.get(pk=run).error}")
        time.sleep(_POLL_S)


def _going(runs: Sequence[Run]) -> list[tuple[int, str]]:
    """Id and status of those that have not ended; as plain SQL, for building a query costs more than to run it."""
    with connection.cursor() as cursor:
        cursor.execute(_GOING, [[run.pk for run in runs]])
        rows: list[tuple[int, str]] = cursor.fetchall()
    return rows


def check(runs: Sequence[Run]) -> None:
    """Every run succeeded and every revision of it is in the ledger."""
    for run in Run.objects.filter(pk__in=[run.pk for run in runs]):
        if run.status != RunStatus.SUCCEEDED:
            raise DidNotSucceed(f"run {run.pk} is {run.status}: {run.error}")
        recorded = LedgerEntry.objects.filter(run=run).count()
        if recorded != len(run.revisions):
            raise DidNotSucceed(f"run {run.pk} has {recorded} ledger rows for {len(run.revisions)} revisions")


def forget_wake_ups() -> None:
    """So that a worker started later is not woken for what was done here."""
    django_rq.get_queue(launcher.QUEUE).empty()  # type: ignore[no-untyped-call]


def _files(change: Change) -> RevisionFiles:
    return RevisionFiles(change.revision_id, change.sql, None, None, read_header(change.sql))
