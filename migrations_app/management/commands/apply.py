"""Apply pending revisions: the same verb as the page's Apply."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from migrations_app.admission.conditions import NotAdmitted
from migrations_app.admission.door import start_run
from migrations_app.management import asking


class Command(BaseCommand):
    help = "Apply the pending revisions of a service on one environment and follow the run; nothing to do is fine."

    def add_arguments(self, parser: CommandParser) -> None:
        asking.add_run_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        user = asking.person(options["user"], "create_run")
        environment = asking.environment(options["service"], options["environment"])
        with asking.refusals():
            try:
                started = start_run(
                    environment=environment, direction="up", to=options["to"], by=user, reason=options["reason"]
                )
            except NotAdmitted as refusal:
                if [condition.code for condition in refusal.conditions] == ["nothing_to_do"]:
                    self.stdout.write(refusal.message)
                    return
                raise
        asking.follow(self, started.run, options)
