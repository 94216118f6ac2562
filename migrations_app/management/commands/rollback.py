"""Roll back revisions: the same verb as the page's Roll back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser

from migrations_app.admission.consent import Wanted, ask_consent
from migrations_app.admission.door import start_run
from migrations_app.management import asking
from migrations_app.models import Environment


class Command(BaseCommand):
    help = "Roll back one revision, or down to --to REVISION (zero: all of them), and follow the run."

    def add_arguments(self, parser: CommandParser) -> None:
        asking.add_run_arguments(parser)
        parser.add_argument(
            "--ask",
            metavar="NAME",
            help="ask a second person for it, where it loses something on production; NAME is the environment's, typed "
            "to confirm the losses",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = asking.person(options["user"], "create_run")
        environment = asking.environment(options["service"], options["environment"])
        if options["ask"] is not None:
            self._ask(environment, user, options)
            return
        with asking.refusals():
            started = start_run(
                environment=environment, direction="down", to=options["to"], by=user, reason=options["reason"]
            )
        asking.follow(self, started.run, options)

    def _ask(self, environment: Environment, user: User, options: dict[str, Any]) -> None:
        wanted = Wanted(environment, options["to"] or "", options["ask"])
        with asking.refusals():
            consent = ask_consent(wanted, by=user, reason=options["reason"])
        for revision_id, sentence in consent.losses:
            self.stdout.write(f"{revision_id}: {sentence}")
        self.stdout.write(
            f"request {consent.pk} waits for a second person until {consent.expires_at:%Y-%m-%d %H:%M} UTC"
        )
