"""What the commands share: who asks, for which environment, and refusals as exit code 1 with one sentence."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.engine.errors import LockstepError
from migrations_app.models import Environment, Run, Service
from migrations_app.permissions import may, who_may
from migrations_app.statuses import HELD, SENTENCES, TERMINAL, RunStatus


@contextmanager
def refusals() -> Iterator[None]:
    """Named failures become Django's CommandError: the sentence on standard error, exit code 1."""
    try:
        yield
    except LockstepError as failure:
        raise CommandError(failure.sentence) from None


def person(name: str, verb: str) -> User:
    """The user a command acts for; the same permission as on a page."""
    user = User.objects.filter(username=name, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user {name!r}. Nothing was done. Give --as with an existing user.")
    if not may(user, verb):
        raise CommandError(f"{name} may not do this. Nothing was done. Ask somebody with a role of: {who_may(verb)}.")
    return user


def service(name: str) -> Service:
    found = Service.objects.filter(name=name).first()
    if found is None:
        known = ", ".join(Service.objects.values_list("name", flat=True)[:20]) or "none yet"
        raise CommandError(f"There is no service {name!r} (known: {known}). Nothing was done.")
    return found


def environment(service_name: str, name: str) -> Environment:
    owner = service(service_name)
    found = Environment.objects.select_related("service").filter(service=owner, name=name).first()
    if found is None:
        known = ", ".join(owner.environments.values_list("name", flat=True)) or "none yet"
        raise CommandError(f"{service_name} has no environment {name!r} (known: {known}). Nothing was done.")
    return found


def add_target_arguments(parser: CommandParser) -> None:
    parser.add_argument("service")
    parser.add_argument("environment")
    parser.add_argument("--to", help="the revision that is the head afterwards")


def add_run_arguments(parser: CommandParser) -> None:
    add_target_arguments(parser)
    add_asker_arguments(parser)


def add_asker_arguments(parser: CommandParser) -> None:
    parser.add_argument("--as", dest="user", required=True, help="the user who asks; goes into receipt and audit log")
    parser.add_argument("--reason", default="")
    parser.add_argument("--no-wait", action="store_true", help="return as soon as the run is queued")


def follow(command: BaseCommand, run: Run, options: dict[str, Any]) -> None:
    """Print the log until the run ends. Raises CommandError unless it succeeded."""
    command.stdout.write(f"run {run.pk} is queued")
    if options["no_wait"]:
        return
    seen = 0
    while True:
        run.refresh_from_db()
        for line in run.log.filter(seq__gt=seen).order_by("seq"):
            command.stdout.write(f"{line.at:%H:%M:%S.%f} {line.level:7} {line.message}")
            seen = line.seq
        if run.status in TERMINAL | HELD:
            break
        time.sleep(0.3)
    sentence = (run.error or {}).get("message") or SENTENCES[run.status]
    if run.status not in (RunStatus.SUCCEEDED, RunStatus.ROLLED_BACK):
        raise CommandError(f"run {run.pk} is {RunStatus(run.status).label}: {sentence}")
    command.stdout.write(f"run {run.pk}: {sentence}")
