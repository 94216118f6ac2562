"""Write a backup into Lockstep's own database, then tell what the targets have that it did not know."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from migrations_app.audit.record import record
from migrations_app.management import asking
from migrations_app.management.control_copy import Manifest, read_manifest, restore
from migrations_app.management.control_gap import Gap, find_gaps, open_runs
from migrations_app.wording import counted


class Command(BaseCommand):
    help = (
        "Restore FILE, made by control_backup, into the control database, which has to be empty and in nobody's use, "
        "and compare every target with it. Nothing is applied."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--move-aside", action="store_true", help="keep what is in the database in a schema of another name"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"].absolute()
        # It has no connection of its own meanwhile, so whoever is connected is somebody else.
        connection.close()
        known = sorted(name for app, name in MigrationLoader(None).disk_migrations if app == "migrations_app")
        with asking.refusals():
            manifest = read_manifest(path)
            aside = restore(path, manifest, known=known, move_aside=options["move_aside"])
        self.stdout.write(f"Restored {path.name} of {manifest.made_at}, audit log to {manifest.head}.")
        if aside:
            self.stdout.write(f"What was there is kept in the schema {aside}.")
        if manifest.migration != known[-1]:
            self.stdout.write(f"It was made by {manifest.lockstep}: bringing its tables up to this version.")
            call_command("migrate", interactive=False, verbosity=0)
        gaps = find_gaps()
        self._note(path, manifest, aside, gaps)
        self._tell(gaps)

    def _note(self, path: Path, manifest: Manifest, aside: str, gaps: list[Gap]) -> None:
        after = {
            "sha256": manifest.sha256,
            "made_at": manifest.made_at,
            "audit_head": manifest.head,
            "moved_aside": aside,
            "operator": getpass.getuser(),
            "gaps": [gap.noted() for gap in gaps if gap.unknown or gap.problem],
        }
        with transaction.atomic():
            record(actor=None, action="control.restore", object=path.name, after=after)

    def _tell(self, gaps: list[Gap]) -> None:
        for gap in gaps:
            for line in gap.lines():
                self.stdout.write(line)
        lacked = sum(len(gap.unknown) for gap in gaps)
        unread = sum(bool(gap.problem) for gap in gaps)
        if lacked:
            self.stdout.write(
                f"{counted(lacked, 'receipt')} copied into the ledger. Nothing was applied, and nothing of it will be "
                "applied anew: it stands in the targets with its receipts."
            )
        else:
            self.stdout.write("No target that was read has a receipt that this database did not know.")
        if unread:
            self.stdout.write(
                f"Not told whole: {counted(unread, 'environment')}. The scheduler compares again each minute."
            )
        for line in open_runs():
            self.stdout.write(f"{line} at the moment of the backup; cancel it on its page if it is not wanted any more")
