"""Seed the demonstration fleet; run again, it goes on where it stopped and changes nothing that stands."""

from __future__ import annotations

import logging
import time

from django.core.management.base import BaseCommand, CommandError

from migrations_app.engine.errors import LockstepError
from migrations_app.management.demo_fleet import FLEET
from migrations_app.management.demo_seed import seed


class Command(BaseCommand):
    help = "Seed the demonstration fleet: one shop, eighteen revisions, six environments, true runs."

    def handle(self, *args: object, **options: object) -> None:
        began = time.monotonic()
        logging.getLogger("migrations_app.jobs").setLevel(logging.WARNING)  # a line each for fifty runs
        try:
            seed(FLEET, self._say)
        except LockstepError as error:
            raise CommandError(error.sentence) from None
        self._say(f"The demonstration fleet stands ({time.monotonic() - began:.0f} s).")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
