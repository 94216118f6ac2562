"""Seal every stored connection string with the current key: exit 0, or exit 1 and nothing was changed."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from migrations_app.engine.errors import LockstepError
from migrations_app.fleet.secrets import rotate


class Command(BaseCommand):
    help = "Seal stored connection strings with the first key of LOCKSTEP_CREDENTIALS_KEY."
    requires_system_checks: list[str] = []

    def handle(self, *args: object, **options: object) -> None:
        try:
            rotation = rotate(by=None)
        except LockstepError as failure:
            raise CommandError(failure.sentence) from None
        self.stdout.write(rotation.sentence)
