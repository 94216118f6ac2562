"""A run's log in windows: the end, what comes after or before a line, around a line, and only what was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from migrations_app.models import Run, RunLogLine, RunStep
from migrations_app.statuses import StepStatus

TAIL = 200  # on the run's own page
WINDOW = 2000  # most lines that one answer holds
AROUND = 200  # lines before one that a link names

LEVELS = ("info", "warning", "error")

# What a terminal would take for colours, titles or movements, and other signs that are no text.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])")
_SIGNS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")


@dataclass(frozen=True)
class LogQuery:
    """Levels and words are looked *for*; at most one of the places is given, else the end is meant."""

    levels: tuple[str, ...] = ()
    text: str = ""
    after: int | None = None
    before: int | None = None
    lines: tuple[int, int] | None = None  # first and last of a range that a link names

    @property
    def narrows(self) -> bool:
        return bool(self.levels or self.text)

    @property
    def at_end(self) -> bool:
        return self.after is None and self.before is None and self.lines is None


@dataclass(frozen=True)
class LogWindow:
    lines: tuple[RunLogLine, ...]
    after: int  # ask for what comes after this
    earlier: bool  # there are lines before the first one shown
    more: bool  # there are lines after the last one shown

    @property
    def first(self) -> int:
        return self.lines[0].seq if self.lines else 0


def plain(message: str) -> str:
    """Without what only a terminal understands; the text itself stays."""
    return _SIGNS.sub("", _ANSI.sub("", message)) if not message.isprintable() else message


def read_log(run: Run, query: LogQuery, size: int = WINDOW) -> LogWindow:
    if query.after is not None:
        return log_after(run, query.after, query, size)
    if query.lines is not None:
        return log_after(run, max(query.lines[0] - AROUND, 1) - 1, query, size)
    return _log_before(run, query.before, query, size)


def log_after(run: Run, after: int, query: LogQuery | None = None, size: int = TAIL) -> LogWindow:
    found = list(_matching(run, query, after=after).order_by("seq")[: size + 1])
    lines = tuple(found[:size])
    return LogWindow(lines, lines[-1].seq if lines else after, earlier=after > 0, more=len(found) > size)


def _log_before(run: Run, before: int | None, query: LogQuery, size: int) -> LogWindow:
    """The lines that end before one, or the end of the log."""
    found = list(_matching(run, query, before=before).order_by("-seq")[: size + 1])
    lines = tuple(reversed(found[:size]))
    after = lines[-1].seq if lines else max((before or 1) - 1, 0)
    return LogWindow(lines, after, earlier=len(found) > size, more=before is not None)


def _matching(
    run: Run, query: LogQuery | None, after: int | None = None, before: int | None = None
) -> QuerySet[RunLogLine]:
    rows = RunLogLine.objects.filter(run_id=run.pk)
    if after is not None:
        rows = rows.filter(seq__gt=after)
    if before is not None:
        rows = rows.filter(seq__lt=before)
    if query and query.levels:
        rows = rows.filter(level__in=query.levels)
    if query and query.text:
        rows = rows.filter(message__icontains=query.text)
    return rows


def failed_steps(run: Run) -> set[tuple[str, int | None]]:
    """Steps whose lines nobody should have to unfold: by revision and number within it."""
    bad = RunStep.objects.filter(run_id=run.pk, status__in=(StepStatus.FAILED, StepStatus.UNKNOWN))
    return set(bad.values_list("revision_id", "n"))


def log_lines(run: Run, chunk: int) -> Iterator[RunLogLine]:
    """The whole log, a chunk at a time: memory stays flat however long it is."""
    after = 0
    while True:
        window = log_after(run, after, size=chunk)
        yield from window.lines
        if not window.more:
            return
        after = window.after
