"""Write Lockstep's own database to a file, with what it holds in a .json beside it."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from migrations_app.audit.record import record
from migrations_app.management import asking
from migrations_app.management.control_copy import back_up, manifest_path


class Command(BaseCommand):
    help = "Write the control database to FILE (pg_dump's custom format), and FILE.json with its hash and audit head."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"].absolute()
        with asking.refusals():
            made = back_up(path)
        with transaction.atomic():
            after = {"sha256": made.sha256, "audit_head": made.head, "operator": getpass.getuser()}
            record(actor=None, action="control.backup", object=path.name, after=after)
        self.stdout.write(f"{path}: {path.stat().st_size:,} bytes, SHA-256 {made.sha256}")
        self.stdout.write(f"{manifest_path(path)}: migration {made.migration}, audit log to {made.head}")
