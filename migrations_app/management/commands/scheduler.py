"""The clock: compares targets with the ledger."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from migrations_app.jobs.schedule import run_forever


class Command(BaseCommand):
    help = "Run the scheduler in the foreground; a second one waits until the first is gone."

    def handle(self, *args: Any, **options: Any) -> None:
        run_forever()
