"""What a control database that was restored to an older point does not know: told by the receipts in the targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from migrations_app.fleet.ledger import standing_rows
from migrations_app.jobs.schedule import compare
from migrations_app.models import Environment, LedgerEntry, Revision, Run
from migrations_app.statuses import OPEN


@dataclass(frozen=True)
class Gap:
    """Of one environment: receipts that the ledger lacked, and has now; `problem` is why not all can be told."""

    environment: str
    unknown: tuple[LedgerEntry, ...]
    without_sql: frozenset[str]
    problem: str

    def lines(self) -> Iterator[str]:
        if self.problem:
            yield f"{self.environment}: {self.problem}"
        if not self.unknown:
            if not self.problem:
                yield f"{self.environment}: nothing is missing"
            return
        told = "receipt that this database" if len(self.unknown) == 1 else "receipts that this database"
        yield f"{self.environment}: {len(self.unknown)} {told} did not know"
        for entry in self.unknown:
            when = f"{entry.applied_at:%Y-%m-%d %H:%M:%S}Z"
            lost = "; its SQL is not in this database, put it in again" if entry.revision_id in self.without_sql else ""
            yield f"  receipt {entry.seq}: {entry.revision_id} {entry.direction}, {when}{lost}"

    def noted(self) -> dict[str, object]:
        """For the audit log: the first and the last are enough, the ledger has them all."""
        return {
            "environment": self.environment,
            "receipts": len(self.unknown),
            "first": self.unknown[0].seq if self.unknown else None,
            "last": self.unknown[-1].seq if self.unknown else None,
            "problem": self.problem,
        }


def find_gaps() -> list[Gap]:
    """Compare every target with the ledger, and copy what is missing there. Nothing is written to a target."""
    every = Environment.objects.select_related("service").order_by("service__name", "order", "name")
    return [_gap_of(environment) for environment in every]


def open_runs() -> list[str]:
    """Runs that were not done at the moment of the backup: workers go on with them, by the receipts."""
    found = Run.objects.filter(status__in=OPEN).select_related("environment__service").order_by("pk")
    return [f"run {run.pk} of {_name(run.environment)}: {run.status}" for run in found]


def _gap_of(environment: Environment) -> Gap:
    before = set(standing_rows(environment))
    compare(environment)
    environment.refresh_from_db()
    rows = standing_rows(environment)
    unknown = tuple(rows[seq] for seq in sorted(set(rows) - before))
    names = {entry.revision_id for entry in unknown}
    stored = Revision.objects.filter(service=environment.service_id, revision_id__in=names)
    without = frozenset(names - set(stored.values_list("revision_id", flat=True)))
    return Gap(_name(environment), unknown, without, environment.reachability_note or environment.reconcile_note)


def _name(environment: Environment) -> str:
    return f"{environment.service.name}/{environment.name}"
