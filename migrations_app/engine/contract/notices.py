"""What the target says while a statement of a revision runs: RAISE NOTICE, "does not exist, skipping"."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import Diagnostic

from migrations_app.engine.contract.work import Progress, Work

MOST = 100  # of one statement; a loop that raises a notice for each row must not fill the log
_LONGEST = 2_000


@contextmanager
def heard(work: Work, progress: Progress, step: int) -> Iterator[None]:
    """Report each as an event, warnings as such; of those beyond MOST only how many there were."""
    count = 0

    def hear(said: Diagnostic) -> None:
        nonlocal count
        count += 1
        if count <= MOST:
            tell(f"{said.severity}: {(said.message_primary or '')[:_LONGEST]}", said.severity_nonlocalized == "WARNING")

    def tell(sentence: str, warning: bool = False) -> None:
        level = "warning" if warning else "info"
        work.report(progress.event("notice", sentence, step=step, level=level))

    work.conn.add_notice_handler(hear)
    try:
        yield
    finally:
        work.conn.remove_notice_handler(hear)
        if count > MOST:
            tell(f"{count - MOST:,} more notices of this statement were not kept")
