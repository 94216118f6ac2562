"""The stored row of an environment: locked, free of runs, and as the audit log names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User

from migrations_app.audit.record import record
from migrations_app.engine.errors import Refused
from migrations_app.models import Environment, Run
from migrations_app.statuses import OPEN


@dataclass(frozen=True)
class Entry:
    """What the audit log keeps of a change; it is recorded last, because recording locks the chain."""

    action: str
    before: Mapping[str, object]
    after: Mapping[str, object]

    def record(self, environment: Environment, by: User) -> None:
        record(actor=by, action=self.action, object=spoken(environment), before=self.before, after=self.after)


def locked(environment: Environment) -> Environment:
    return Environment.objects.select_for_update(of=("self",)).select_related("service").get(pk=environment.pk)


def refuse_while_running(environment: Environment) -> None:
    run = Run.objects.filter(environment=environment, status__in=OPEN).first()
    if run is None:
        return
    raise Refused(
        "run_open",
        f"Run {run.pk} of environment {environment.name} is not finished.",
        not_done="Address, identity and ledger were left as they are.",
        next_step="Wait for it or cancel it, then try again.",
    )


def spoken(environment: Environment) -> str:
    return f"environment:{environment.service.name}/{environment.name}"


def shown(environment: Environment) -> dict[str, object]:
    """What an audit entry keeps of an environment: never its address."""
    return {
        "uid": environment.uid,
        "stage": environment.stage,
        "region": environment.region,
        "order": environment.order,
        "health_url": environment.health_url,
        "lock_window_seconds": environment.lock_window_seconds,
        "lock_budget_seconds": environment.lock_budget_seconds,
        "rehearsal_policy": str(environment.rehearsal_policy),
        "rehearsal_days": environment.rehearsal_days,
        "secrets_rev": environment.secrets_rev,
        "secrets_rev_next": environment.secrets_rev_next,
        "dsn_kind": str(environment.dsn_kind),
        "dsn_reference": environment.dsn_reference,
        "target": environment.target_name,
    }
