"""Show what a run would do now, and everything that is in its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.admission.door import Preview, preview
from migrations_app.admission.rollback import rollback_plan
from migrations_app.management import asking, way_back


class Command(BaseCommand):
    help = "Show the plan for one environment without creating anything. Exit code 1 when a condition is not met."

    def add_arguments(self, parser: CommandParser) -> None:
        way_back.add_arguments(parser)
        parser.add_argument("--down", action="store_true", help="plan a roll-back; --run and --release always do")

    def handle(self, *args: Any, **options: Any) -> None:
        down = options["down"] or options["run"] is not None or options["release"] is not None
        with asking.refusals():
            aim = way_back.aim(options)
            if not down:
                self._tell(preview(environment=aim.environment, direction="up", to=aim.to or None))
                return
            found = rollback_plan(aim.environment, aim.to)
        self._tell(found.plan, tuple(way_back.lines(found)))

    def _tell(self, plan: Preview, beside: Sequence[str] = ()) -> None:
        for revision in plan.revisions:
            self.stdout.write(f"{revision.revision_id} ({revision.phase}, {revision.checksum[:22]}…)")
            for step in revision.steps:
                for statement in step.statements:
                    lock = f"  [{statement.lock}]" if statement.lock else ""
                    self.stdout.write(f"  step {step.n} {step.mode}: {statement.summary}{lock}")
        for line in beside:
            self.stdout.write(line)
        if plan.conditions:
            raise CommandError(" ".join(f"{c.sentence} {c.clears}" for c in plan.conditions))
