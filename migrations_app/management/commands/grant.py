"""Grant or decline a roll-back that somebody else asked for: the same verbs as on the request's page."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.admission.consent import decline_consent, grant_consent
from migrations_app.management import asking
from migrations_app.models import RollbackConsent


class Command(BaseCommand):
    help = "As the second person, grant the roll-back that was asked for and follow its run; or decline it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int, help="of the request, as `rollback --ask` printed it")
        parser.add_argument("--as", dest="user", required=True, help="the second person")
        parser.add_argument("--decline", metavar="REASON", help="say no; whoever asked takes it back in the same way")
        parser.add_argument("--reason", default="", help="a remark to what is granted")
        parser.add_argument("--no-wait", action="store_true", help="return as soon as the run is queued")

    def handle(self, *args: Any, **options: Any) -> None:
        consents = RollbackConsent.objects.select_related("environment__service", "asked_by")
        consent = consents.filter(pk=options["number"]).first()
        if consent is None:
            raise CommandError(f"There is no rollback request {options['number']}. Nothing was done.")
        mine = consent.asked_by.get_username() == options["user"]
        if options["decline"] is not None:
            user = asking.person(options["user"], "create_run" if mine else "grant_rollback")
            with asking.refusals():
                decline_consent(consent, by=user, reason=options["decline"])
            self.stdout.write(f"request {consent.pk} is {consent.get_status_display()}")
            return
        user = asking.person(options["user"], "grant_rollback")
        with asking.refusals():
            run = grant_consent(consent, by=user, reason=options["reason"])
        asking.follow(self, run, options)
