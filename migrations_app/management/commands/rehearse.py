"""Rehearse on a clone: the same verb as the page's Rehearse."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from migrations_app.management import asking
from migrations_app.models import Rehearsal
from migrations_app.models.rehearsal import Ground
from migrations_app.rehearsals.actions import request_rehearsal
from migrations_app.rehearsals.words import rehearsal_sentence
from migrations_app.statuses import REHEARSAL_OPEN, RehearsalStatus, Verdict


class Command(BaseCommand):
    help = (
        "Try the pending revisions, or the way back from applied ones, on a clone of one environment's target: "
        "up, verify, down, compare, up. Prints each verdict."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        asking.add_run_arguments(parser)
        parser.add_argument(
            "--direction", choices=["up", "down"], default="", help="default: what is pending, else down"
        )
        parser.add_argument(
            "--on",
            choices=Ground.values,
            default=Ground.TARGET,
            help="what the clone is made of: the target, or the restored backup that `manage.py backup` named",
        )
        parser.add_argument(
            "--require-reversible", action="store_true", help="exit with 1 unless every verdict is reversible"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = asking.person(options["user"], "rehearse")
        environment = asking.environment(options["service"], options["environment"])
        with asking.refusals():
            rehearsal = request_rehearsal(
                environment=environment,
                direction=options["direction"],
                to=options["to"],
                by=user,
                reason=options["reason"],
                ground=options["on"],
            )
        self.stdout.write(f"rehearsal {rehearsal.pk} is queued")
        if not options["no_wait"]:
            self._follow(rehearsal, options["require_reversible"])

    def _follow(self, rehearsal: Rehearsal, strict: bool) -> None:
        told = 0
        while True:
            rehearsal.refresh_from_db()
            for part in rehearsal.parts.filter(ordinal__gt=told).order_by("ordinal"):
                self.stdout.write(f"{part.revision_id}: {Verdict(part.verdict).label}")
                for loss in part.losses:
                    self.stdout.write(f"    {loss['sentence']}")
                told = part.ordinal
            if rehearsal.status not in REHEARSAL_OPEN:
                break
            time.sleep(0.3)
        sentence = f"rehearsal {rehearsal.pk}: {rehearsal_sentence(rehearsal)}"
        lossy = rehearsal.parts.exclude(verdict=Verdict.REVERSIBLE).exists()
        if rehearsal.status != RehearsalStatus.DONE or (strict and lossy):
            raise CommandError(sentence)
        self.stdout.write(sentence)
