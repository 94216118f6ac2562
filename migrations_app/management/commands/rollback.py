"""Roll back revisions: the same verb as the page's Roll back."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from migrations_app.admission.door import start_run
from migrations_app.management import asking


class Command(BaseCommand):
    help = "Roll back one revision, or down to --to REVISION (zero: all of them), and follow the run."

    def add_arguments(self, parser: CommandParser) -> None:
        asking.add_run_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = asking.person(options["user"], "create_run")
        environment = asking.environment(options["service"], options["environment"])
        with asking.refusals():
            started = start_run(
                environment=environment, direction="down", to=options["to"], by=user, reason=options["reason"]
            )
        asking.follow(self, started.run, options)
