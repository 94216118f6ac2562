"""The calendar of freezes from a terminal: list, add, lift."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.fleet.freezes import add_freeze, lift_freeze, standing_freezes
from migrations_app.management import asking
from migrations_app.models import Freeze

# verb: what a user needs for it
NEEDS = {"list": "view", "add": "edit_freezes", "lift": "edit_freezes"}


class Command(BaseCommand):
    help = "list; add FROM UNTIL --reason, for all or for --service; lift NUMBER --reason. Moments have an offset."

    def add_arguments(self, parser: CommandParser) -> None:
        found = parser.add_subparsers(dest="verb", required=True)
        for name in NEEDS:
            sub = found.add_parser(name)
            if name == "add":
                sub.add_argument("starts_at", type=datetime.fromisoformat)
                sub.add_argument("ends_at", type=datetime.fromisoformat)
                sub.add_argument("--service", help="left out: all of them")
            if name == "lift":
                sub.add_argument("number", type=int)
            sub.add_argument("--reason", default="")
            sub.add_argument("--as", dest="user", required=True, help="the user who asks")

    def handle(self, *args: Any, **options: Any) -> None:
        verb: str = options["verb"]
        with asking.refusals():
            by = asking.person(options["user"], NEEDS[verb])
            if verb == "add":
                service = asking.service(options["service"]) if options["service"] else None
                moments = {name: options[name] for name in ("starts_at", "ends_at")}
                self._tell(add_freeze(service=service, reason=options["reason"], by=by, **moments))
            elif verb == "lift":
                self._tell(lift_freeze(_freeze(options["number"]), reason=options["reason"], by=by))
            else:
                for freeze in standing_freezes().select_related("service"):
                    self._tell(freeze)

    def _tell(self, freeze: Freeze) -> None:
        whose = freeze.service.name if freeze.service else "all services"
        over = " (lifted)" if freeze.lifted_at else ""
        times = f"{freeze.starts_at:%Y-%m-%d %H:%M} to {freeze.ends_at:%Y-%m-%d %H:%M %Z}"
        self.stdout.write(f"freeze {freeze.pk} of {whose}, {times}: {freeze.reason}{over}")


def _freeze(number: int) -> Freeze:
    found = Freeze.objects.select_related("service").filter(pk=number).first()
    if found is None:
        raise CommandError(f"There is no freeze {number}. Nothing was done.")
    return found
