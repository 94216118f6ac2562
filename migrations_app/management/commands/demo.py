"""Seed a demonstration: the small fleet with true runs, or a large one's history to measure on.

The small one, run again, goes on where it stopped and changes nothing that stands.
"""

from __future__ import annotations

import logging
import time
from dataclasses import fields
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.management.asking import refusals
from migrations_app.management.demo_fleet import FLEET
from migrations_app.management.demo_practice import practise
from migrations_app.management.demo_seed import seed
from migrations_app.management.large.generate import generate
from migrations_app.management.large.sizes import Sizes

_NUMBERS = {
    "environments": "of the main service; a second, small one is added",
    "revisions": "in the main service's chain",
    "runs": "over all environments",
    "lines": "of log, over all runs",
    "seed": "the same seed gives the same fleet",
    "drifted": "environments whose last comparison found a difference",
}


class Command(BaseCommand):
    help = "Seed the demonstration fleet: one shop with true runs, or with --size large a generated history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--size", choices=("small", "large"), default="small")
        parser.add_argument("--practise", action="store_true", help="rehearse and hold drills on the small one")
        large = parser.add_argument_group("with --size large")
        for field in fields(Sizes):
            large.add_argument(
                f"--{field.name}", type=int, metavar="N", help=f"{_NUMBERS[field.name]} (default {field.default:,})"
            )
        large.add_argument("--add", action="store_true", help="although the control database has services")

    def handle(self, *args: object, **options: Any) -> None:
        began = time.monotonic()
        given = {field.name: options[field.name] for field in fields(Sizes) if options[field.name] is not None}
        logging.getLogger("migrations_app.jobs").setLevel(logging.WARNING)  # a line each for fifty runs
        if options["size"] == "large":
            with refusals():
                generate(Sizes(**given), add=options["add"], say=self._say)
            self._say(f"The large fleet's history stands ({time.monotonic() - began:.0f} s).")
            return
        if given or options["add"]:
            raise CommandError("Sizes belong to --size large. Nothing was seeded.")
        if options["practise"]:
            with refusals():
                practise(self._say)
            return
        with refusals():
            seed(FLEET, self._say)
        self._say(f"The demonstration fleet stands ({time.monotonic() - began:.0f} s).")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
