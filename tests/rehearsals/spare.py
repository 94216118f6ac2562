"""A rehearsal server of a test's own, which may be killed and started again, and acting at a moment of a rehearsal."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrations_app.embedded import postgres
from migrations_app.rehearsals.scribe import Scribe


@dataclass
class Spare:
    """Its address stays the same over deaths."""

    home: Path
    server: postgres.Server

    def die(self, how: signal.Signals) -> None:
        """SIGKILL of the postmaster alone, or SIGQUIT, which is what `pg_ctl stop -m immediate` sends."""
        os.kill(self.server.pid, how)
        self.server.process.wait()

    def come_back(self) -> None:
        self.server.stop()
        self.server = postgres.start(self.home, 18, fast=True)


def when_it_says(patch: pytest.MonkeyPatch, words: str, act: Callable[[], None]) -> None:
    """Act once, in the thread that rehearses, as soon as the log or the stage holds these words."""
    due = [act]

    def look(said: str) -> None:
        if words in said and due:
            due.pop()()

    say, doing = Scribe.say, Scribe.doing

    def heard(scribe: Scribe, message: str, *, level: str = "info", revision_id: str = "") -> None:
        say(scribe, message, level=level, revision_id=revision_id)
        look(message)

    def seen(scribe: Scribe, what: str) -> None:
        doing(scribe, what)
        look(what)

    patch.setattr(Scribe, "say", heard)
    patch.setattr(Scribe, "doing", seen)
