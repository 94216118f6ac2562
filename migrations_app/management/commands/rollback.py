"""Roll back revisions: the same verb as the page's Roll back."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser

from migrations_app.admission.consent import Wanted, ask_consent
from migrations_app.admission.door import Started, start_run
from migrations_app.admission.rollback import roll_back_run
from migrations_app.management import asking, way_back


class Command(BaseCommand):
    help = (
        "Roll back one revision, or down to --to REVISION (zero: all of them), or exactly what --run NUMBER applied, "
        "or as far as --release NAME needs it, and follow the run. `manage.py plan --down` shows it first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        way_back.add_arguments(parser)
        asking.add_asker_arguments(parser)
        parser.add_argument(
            "--ask",
            metavar="NAME",
            help="ask a second person for it, where it loses something on production; NAME is the environment's, typed "
            "to confirm the losses",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = asking.person(options["user"], "create_run")
        with asking.refusals():
            aim = way_back.aim(options)
            if options["ask"] is not None:
                self._ask(aim, user, options)
                return
            started = self._start(aim, user, options["reason"])
        asking.follow(self, started.run, options)

    def _start(self, aim: way_back.Aim, user: User, reason: str) -> Started:
        if aim.run is not None:
            return roll_back_run(aim.run, by=user, reason=reason)
        return start_run(environment=aim.environment, direction="down", to=aim.to or None, by=user, reason=reason)

    def _ask(self, aim: way_back.Aim, user: User, options: dict[str, Any]) -> None:
        consent = ask_consent(Wanted(aim.environment, aim.to, options["ask"]), by=user, reason=options["reason"])
        for revision_id, sentence in consent.losses:
            self.stdout.write(f"{revision_id}: {sentence}")
        self.stdout.write(
            f"request {consent.pk} waits for a second person until {consent.expires_at:%Y-%m-%d %H:%M} UTC"
        )
