"""The clones that there are on the rehearsal servers, and removing those that belong to no rehearsal."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from migrations_app.rehearsals.clones import names, sweep


class Command(BaseCommand):
    help = (
        "List this installation's clones, or remove those that no rehearsal is at work on. Workers sweep by themselves."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=["list", "sweep"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] == "sweep":
            self.stdout.write(f"{sweep()} removed")
            return
        found = names()
        for server, name in found:
            self.stdout.write(f"{server}  {name}")
        self.stdout.write(f"{len(found)} clones")
