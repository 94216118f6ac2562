"""The application's own word on a clone, from a folder of the administrator's: what is there is named like the service.

`shop` is run to its end, and what it exits with is the answer. `shop.app` is the application itself: it is started,
asked what stands in `shop.http.toml`, and ended.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from migrations_app.embedded.places import free_port
from migrations_app.engine.clone.ground import Smoke
from migrations_app.engine.clone.stopping import stop_if_asked
from migrations_app.engine.errors import Refused
from migrations_app.engine.target.dsn import Dsn
from migrations_app.rehearsals.smoke_http import Check, Checks, ask, judge, read_checks
from migrations_app.rehearsals.smoke_program import Running, ShouldStop, clone_environment, running, smoke_failed

PATIENCE_S = 120.0  # for each of the two

Tell = Callable[[str, str, str], None]  # message, level, revision


def smoke_of(service: str, environment: str, tell: Tell, should_stop: ShouldStop) -> Smoke | None:
    """What to call with a revision and a clone's address; None where the folder has nothing for the service.

    Raises Refused where there are checks that cannot be used.
    """
    if not settings.LOCKSTEP_SMOKE_DIR:
        return None
    folder = Path(settings.LOCKSTEP_SMOKE_DIR)
    program, application, asked = (folder / f"{service}{end}" for end in ("", ".app", ".http.toml"))
    checks = read_checks(asked) if asked.is_file() else None
    if checks is not None and not _is_program(application):
        raise _no_application(application)
    smoke = _Smoke(service, environment, tell, should_stop)

    def look(revision_id: str, clone: Dsn) -> None:
        if _is_program(program):
            smoke.run(program, clone)
        if checks is not None:
            smoke.ask(application, checks, revision_id, clone)

    return look if checks is not None or _is_program(program) else None


@dataclass(frozen=True)
class _Smoke:
    service: str
    environment: str
    tell: Tell
    should_stop: ShouldStop

    def run(self, program: Path, clone: Dsn) -> None:
        """Raises StatementFailed("smoke_failed"), Stopped."""
        given = clone_environment(clone, self.service, self.environment)
        with running(program, given, patience=PATIENCE_S) as one:
            while one.status is None:
                one.rest(self.should_stop)
            if one.late:
                raise one.failed(f"did not end within {PATIENCE_S:.0f} s")
            if one.status:
                raise one.failed(f"ended with {one.status}")

    def ask(self, application: Path, checks: Checks, revision_id: str, clone: Dsn) -> None:
        """All of the checks, each a line of the log. Raises StatementFailed("smoke_failed"), Stopped."""
        port = free_port()
        given = {**clone_environment(clone, self.service, self.environment), "PORT": str(port)}
        with running(application, given, patience=PATIENCE_S) as one:
            self._wait(one, checks, port)
            failed = [sentence for check in checks.checks if (sentence := self._asked(check, port, revision_id))]
            if failed:
                words = one.said()
                said = f" The application said: {words}" if words else ""
                raise smoke_failed(f"{len(failed)} of {len(checks.checks)} smoke checks failed. {failed[0]}{said}")

    def _wait(self, one: Running, checks: Checks, port: int) -> None:
        """Until the first check is answered, whatever the answer."""
        until = time.monotonic() + checks.start_s
        while ask(checks.checks[0], port).status is None:
            if one.status is not None:
                raise one.failed(f"ended with {one.status} before it answered on port {port}")
            if time.monotonic() > until:
                raise one.failed(f"did not answer on port {port} within {checks.start_s:g} s")
            one.rest(self.should_stop)

    def _asked(self, check: Check, port: int, revision_id: str) -> str:
        """What is wrong with the answer, or nothing."""
        stop_if_asked(self.should_stop)
        result = judge(check, ask(check, port))
        self.tell(f"smoke {result.sentence}", "info" if result.good else "error", revision_id)
        return "" if result.good else result.sentence


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _no_application(path: Path) -> Refused:
    return Refused(
        "smoke_unreadable",
        f"There are smoke checks, and no program {path.name} that starts the application.",
        not_done="Nothing was rehearsed.",
        next_step="Put that program beside them, with the right to execute it, or take the checks away.",
    )
