"""Show what a run would do now, and everything that is in its way."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.admission.door import preview
from migrations_app.management import asking


class Command(BaseCommand):
    help = "Show the plan for one environment without creating anything. Exit code 1 when a condition is not met."

    def add_arguments(self, parser: CommandParser) -> None:
        asking.add_target_arguments(parser)
        parser.add_argument("--down", action="store_true", help="plan a roll-back")

    def handle(self, *args: Any, **options: Any) -> None:
        environment = asking.environment(options["service"], options["environment"])
        with asking.refusals():
            plan = preview(environment=environment, direction="down" if options["down"] else "up", to=options["to"])
        for revision in plan.revisions:
            self.stdout.write(f"{revision.revision_id} ({revision.phase}, {revision.checksum[:22]}…)")
            for step in revision.steps:
                for statement in step.statements:
                    lock = f"  [{statement.lock}]" if statement.lock else ""
                    self.stdout.write(f"  step {step.n} {step.mode}: {statement.summary}{lock}")
        if plan.conditions:
            raise CommandError(" ".join(f"{c.sentence} {c.clears}" for c in plan.conditions))
