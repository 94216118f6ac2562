"""The runtime contract of this environment: its hash and what does not hold, for units to compare before they start."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from migrations_app.watchdog.contract import errors, fingerprint


class Command(BaseCommand):
    help = "Print the runtime contract's hash; 78 when it does not hold and is enforced."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="all of it, not its hash alone")

    def handle(self, *_: object, **options: Any) -> None:
        agreed = settings.RUNTIME_CONTRACT
        wrong = errors(agreed)
        if options["json"]:
            told = {"hash": fingerprint(agreed), "valid": not wrong, "errors": wrong, "contract": agreed.as_json()}
            self.stdout.write(json.dumps(told, indent=1))
        else:
            self.stdout.write(fingerprint(agreed))
        for sentence in wrong:
            self.stderr.write(sentence)
        if wrong and agreed.validation_enforced:
            sys.exit(78)
