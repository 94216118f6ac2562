"""Check that the audit chain is what was written: exit 0, or exit 1 and the first bad entry."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path
from typing import cast

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.audit.chain import Anchor
from migrations_app.audit.verify import verify


class Command(BaseCommand):
    help = (
        "Recompute the audit chain from the kept rows. Whoever is superuser of the database can cut off its tail, and "
        "what is left still verifies: note the head elsewhere from time to time and give it as --anchor."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="from_seq", type=int, default=0, help="trust this entry, check after it")
        parser.add_argument(
            "--anchor", type=_anchor, help="SEQ:HASH noted outside the database; only this shows a cut tail"
        )
        parser.add_argument("--export", type=Path, help="also write the rows to this file, to be checked offline")

    def handle(self, *args: object, **options: object) -> None:
        anchor, export = cast("Anchor | None", options["anchor"]), cast("Path | None", options["export"])
        try:
            verdict = verify(cast(int, options["from_seq"]), anchor, export)
        except OSError as error:
            raise CommandError(f"{export} cannot be written: {error.strerror}.") from error
        if not verdict.ok:
            raise CommandError(verdict.sentence)
        self.stdout.write(verdict.sentence)


def _anchor(text: str) -> Anchor:
    try:
        return Anchor.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
