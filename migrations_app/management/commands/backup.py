"""Name the restored backup that rehearsals may stand on, or take it away: the same verbs as on the page."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from migrations_app.fleet.backups import forget_backup, name_backup
from migrations_app.management import asking


class Command(BaseCommand):
    help = "Name the restored backup of an environment to rehearse on, which is proven to be one, or take it away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("service")
        parser.add_argument("environment")
        parser.add_argument("--as", dest="user", required=True, help="the user who asks; goes into the audit log")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--dsn", help="env:NAME, file:PATH, or - to read a postgresql:// URL from standard input")
        what.add_argument("--forget", action="store_true", help="no backup is named any more")

    def handle(self, *args: Any, **options: Any) -> None:
        user = asking.person(options["user"], "edit_fleet")
        environment = asking.environment(options["service"], options["environment"])
        with asking.refusals():
            if options["forget"]:
                forget_backup(environment=environment, by=user)
                self.stdout.write(f"{environment.name} has no backup to rehearse on")
                return
            dsn = sys.stdin.readline() if options["dsn"] == "-" else options["dsn"]
            named = name_backup(environment=environment, dsn=dsn, by=user)
        self.stdout.write(f"{environment.name} may be rehearsed on {named.backup_name}")
