"""What the target says while a step runs: RAISE NOTICE, "does not exist, skipping", what DROP … CASCADE took along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from psycopg.errors import Diagnostic

from migrations_app.engine.contract.work import Progress, Work

MOST = (
    100  # warnings of a step, and as many other notices; a loop that says something for each row must not fill the log
)
_LONGEST = 2_000


@contextmanager
def heard(work: Work, progress: Progress, step: int) -> Iterator[None]:
    """Report each as an event; what is said again, as by the next lock attempt, is only counted."""
    told: set[str] = set()
    kept: Counter[str] = Counter()
    left_out: Counter[str] = Counter()

    def tell(sentence: str, level: Literal["info", "warning"]) -> None:
        work.report(progress.event("notice", sentence, step=step, level=level))

    def hear(said: Diagnostic) -> None:
        level: Literal["info", "warning"] = "warning" if said.severity_nonlocalized == "WARNING" else "info"
        sentence = _sentence(said)
        if sentence in told or kept[level] >= MOST:
            left_out[level] += 1
            return
        told.add(sentence)
        kept[level] += 1
        tell(sentence, level)

    work.conn.add_notice_handler(hear)
    try:
        yield
    finally:
        work.conn.remove_notice_handler(hear)
        if left_out:
            warnings = f", {left_out['warning']:,} of them warnings" if left_out["warning"] else ""
            more = f"{left_out.total():,} more notices of this step were not kept or said the same again{warnings}"
            tell(more, "warning" if warnings else "info")


def _sentence(said: Diagnostic) -> str:
    """On one line, with what PostgreSQL says beside it."""
    text = f"{said.severity}: {said.message_primary or ''}"
    for name, more in (("DETAIL", said.message_detail), ("HINT", said.message_hint)):
        text += f" {name}: {more}" if more else ""
    line = "; ".join(part.strip() for part in text.splitlines() if part.strip())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
