"""One worker: takes runs from the queue and carries them out."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from migrations_app.jobs.worker import work_forever


class Command(BaseCommand):
    help = "Run one worker in the foreground; start as many as you like, on any machine that reaches the servers."

    def handle(self, *args: Any, **options: Any) -> None:
        work_forever()
